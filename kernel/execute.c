#include "config.h"

#include "kernel/session_state.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/json_text.h"
#include "kernel/output.h"

static bool
flag(const json_t *content, const char *name, bool otherwise)
{
	const json_t *field = json_object_get(content, name);

	return json_is_boolean(field) ? json_boolean_value(field) : otherwise;
}

/* From here to end_run an interrupt is for this cell: also one that comes before the language has begun. */
static void
begin_run(struct session *session)
{
	pthread_mutex_lock(&session->run_lock);
	atomic_store(&session->interrupted, atomic_load(&session->stopping));
	session->running = true;
	pthread_mutex_unlock(&session->run_lock);
}

static void
end_run(struct session *session)
{
	pthread_mutex_lock(&session->run_lock);
	session->running = false;
	pthread_mutex_unlock(&session->run_lock);
	session->transport->ops->hurry(session->transport, false);
}

static void
execute(struct session *session, const struct execute_request *cell, struct output *output, struct execute_outcome *ret)
{
	const struct language *language = session->language;

	if (!atomic_load(&session->interrupted)) {
		language->ops->execute(language->self, cell, output, ret);
		return;
	}
	ret->ename = xstrdup("KeyboardInterrupt");
	ret->evalue = xstrdup("interrupted before it began");
}

static json_t *
outcome_content(const struct execute_outcome *outcome)
{
	json_t *content = error_content(outcome->ename ? outcome->ename : "Error", outcome->evalue);
	json_t *traceback = json_object_get(content, "traceback");

	for (size_t i = 0; i < outcome->n_traceback; i++)
		json_array_append_new(traceback, json_text_new(outcome->traceback[i]));
	return content;
}

static json_t *
evaluate_all(struct session *session, json_t *expressions)
{
	const struct language *language = session->language;
	json_t *values = json_object();
	const char *name;
	json_t *text;

	if (json_object_size(expressions) > SESSION_EXPRESSIONS_MAX)
		return values;
	json_object_foreach(expressions, name, text) {
		json_t *value = json_is_string(text)
			? language->ops->evaluate(language->self, json_string_value(text))
			: error_content("InvalidRequest", "a user expression must be a string");

		json_object_set_new(values, name, value);
	}
	return values;
}

static void
publish_input(struct session *session, const struct request *request, const char *code)
{
	publish_json(session, request->parent, "execute_input", NULL,
		json_pack("{s:s, s:i}", "code", code, "execution_count", session->execution_count));
}

/* JupyterLab shows how long a cell took, from here to the reply's date. */
static void
note_start(struct answer *answer)
{
	char date[TIMESTAMP_SIZE];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	timestamp_format(&now, date);
	buf_printf(&answer->metadata, "{\"started\":\"%s\"}", date);
}

static void
run_cell(struct session *session, const struct execute_request *cell, struct cell_output *output, json_t *wanted,
	struct answer *answer)
{
	struct execute_outcome outcome = { 0 };
	json_t *values = NULL;

	execute(session, cell, &output->output, &outcome);
	if (outcome.ok)
		values = evaluate_all(session, wanted);
	end_run(session);
	cell_output_finish(output);
	if (outcome.ok) {
		answer->content = json_pack("{s:s, s:O}", "status", "ok", "payload", output->payload);
	} else {
		answer->content = outcome_content(&outcome);
		publish_json(session, output->request->parent, "error", NULL,
			json_pack("{s:O, s:O, s:O}", "ename", json_object_get(answer->content, "ename"), "evalue",
				json_object_get(answer->content, "evalue"), "traceback",
				json_object_get(answer->content, "traceback")));
		json_object_set_new(answer->content, "payload", json_array());
	}
	json_object_set_new(answer->content, "user_expressions", values ? values : json_object());
	json_object_set_new(answer->content, "execution_count", json_integer(session->execution_count));
	execute_outcome_release(&outcome);
}

void
handle_execute(struct session *session, const struct request *request, struct answer *answer)
{
	const json_t *code = json_object_get(request->content, "code");
	bool silent = flag(request->content, "silent", false);
	struct execute_request cell = {
		.code = json_string_value(code),
		.code_len = json_string_length(code),
		.silent = silent,
		.store_history = !silent && flag(request->content, "store_history", true),
		.cell_id = json_string_value(json_object_get(request->metadata, "cellId")),
	};
	struct cell_output output;

	note_start(answer);
	if (!cell.code || cell.code_len > SESSION_CODE_MAX) {
		answer->content = error_content(
			"InvalidRequest", cell.code ? "the code is longer than 8 MiB" : "`code` must be a string");
		return;
	}
	if (cell.store_history)
		session->execution_count++;
	cell.execution_count = session->execution_count;
	begin_run(session);
	if (!silent)
		publish_input(session, request, cell.code);
	cell_output_init(&output, session, request);
	output.silent = silent;
	output.allow_stdin = flag(request->content, "allow_stdin", false);
	output.execution_count = cell.execution_count;
	run_cell(session, &cell, &output, json_object_get(request->content, "user_expressions"), answer);
	if (cell.store_history)
		history_add(session->history, cell.execution_count, cell.code, json_string_value(output.result_text));
	answer->aborts_queue = strcmp(json_string_value(json_object_get(answer->content, "status")), "ok") != 0 &&
		flag(request->content, "stop_on_error", true);
	cell_output_release(&output);
}
