/* The Argo server as a door, over recorded replies; then over HTTP against a server of our own that is written to the published API,
 * for want of a real one. */
#include "config.h"

#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/cluster/door_argo.h"
#include "runtime/cluster/edit.h"
#include "tests/cases.h"
#include "tests/runtime/cluster/recorded.h"
#include "tests/tap.h"

extern char **environ;

static const struct door_run RUN = { .name = "r", .id = "u1", .namespace_ = "ml" };

static void
add_failure(struct buf *got, const struct api_failure *failure)
{
	static const char *const kinds[] = { [API_STOPPED] = "stopped", [API_UNREACHABLE] = "unreachable", [API_UNKNOWN_USER] = "unknown user",
		[API_FORBIDDEN] = "forbidden", [API_NOT_FOUND] = "not found", [API_REFUSED] = "refused", [API_WRONG_SERVER] = "wrong server",
		[API_TROUBLE] = "trouble" };

	buf_printf(got, "%s: %s\n", kinds[failure->kind], failure->what);
	if (*failure->note)
		buf_printf(got, "note: %s\n", failure->note);
	if (*failure->help)
		buf_printf(got, "help: %s\n", failure->help);
}

static void
add_run(struct buf *got, const struct door_run *run)
{
	buf_printf(got, "run %s, id %s, token %s, %s\n", run->name, run->id, run->token ? run->token : "none", phase_name(run->phase));
}

/* ---- recorded ---- */

static const struct value *
read_part(struct arena *arena, const struct test_case *test, const char *part)
{
	const char *text = case_text(test, part);
	struct error err;
	const struct value *value = text ? value_read_json(arena, text, strlen(text), &err) : NULL;

	if (text && !value)
		BUG("%s: %s", test->name, err.text);
	return value;
}

static int
do_submit(struct door *door, struct arena *arena, const struct test_case *test, struct buf *got, struct api_failure *failure)
{
	static const char *const args[1][2] = { { "steps", "5" } };
	const struct door_submission submission = { .workflow = read_part(arena, test, "workflow"), .name = "r", .token = "T", .args = args,
		.n_args = 1, .experiment = "tries" };
	struct door_run run;

	if (door->ops->submit(door, &submission, arena, &run, failure))
		return -1;
	add_run(got, &run);
	return 0;
}

static int
do_list(struct door *door, struct arena *arena, const char *name, const char *token, struct buf *got, struct api_failure *failure)
{
	const struct door_list which = { .name = name, .token = token, .max = 10 };
	struct door_run *runs;
	size_t n;

	if (door->ops->list(door, &which, arena, &runs, &n, failure))
		return -1;
	for (size_t i = 0; i < n; i++)
		add_run(got, &runs[i]);
	return 0;
}

struct log_seen {
	struct buf *got;
	bool ended;
};

static void
log_came(void *context, const char *bytes, size_t n)
{
	struct log_seen *seen = context;

	buf_add(seen->got, bytes, n);
}

static void
log_ended(void *context, const struct api_failure *failure)
{
	struct log_seen *seen = context;

	if (failure)
		add_failure(seen->got, failure);
	seen->ended = true;
}

static bool
log_is_done(void *context)
{
	return ((struct log_seen *)context)->ended;
}

static void
do_log(struct door *door, struct recorded *recorded, const char *how, struct buf *got)
{
	struct log_seen seen = { .got = got };
	const struct door_log_listener listener = { log_came, log_ended, &seen };
	const struct door_log_request request = { .run = RUN, .node = "r-1", .pod = strstr(how, "unknown") ? NULL : "r-t-1", .container = "main",
		.follow = strstr(how, "follow") != NULL, .timestamps = strstr(how, "times") != NULL,
		.since = strstr(how, "since") ? "2026-01-01T00:00:01Z" : NULL };
	struct door_log *log = door->ops->log(door, &request, &listener);

	if (!recorded_run(recorded, 600000, log_is_done, &seen)) {
		buf_puts(got, "it does not end\n");
		door->ops->unlog(door, log);
	}
}

static int
do_object(struct door *door, struct arena *arena, struct buf *got, struct api_failure *failure)
{
	const struct value *object = door->ops->object(door, &RUN, arena, failure);

	if (!object)
		return -1;
	value_write_json(got, object);
	buf_putc(got, '\n');
	return 0;
}

static int
do_keep(struct door *door, struct arena *arena, const struct test_case *test, bool schedule, struct buf *got, struct api_failure *failure)
{
	const struct door_submission submission = { .workflow = read_part(arena, test, "workflow") };
	const struct door_schedule times = { .name = "nightly", .cron = "0 3 * * *" };
	const char *id = NULL;
	int rc = schedule ? door->ops->schedule(door, &submission, &times, arena, &id, failure) :
			    door->ops->upload(door, "p", submission.workflow, arena, &id, failure);

	if (!rc)
		buf_printf(got, "made %s\n", id);
	return rc;
}

static int
do_control(struct door *door, const char *word, struct buf *got, struct api_failure *failure)
{
	static const char *const words[] = { [DOOR_STOP] = "stop", [DOOR_TERMINATE] = "terminate", [DOOR_SUSPEND] = "suspend",
		[DOOR_RESUME] = "resume", [DOOR_DELETE] = "delete" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(word, words[i])) {
			if (door->ops->control(door, &RUN, (enum door_control)i, failure))
				return -1;
			buf_puts(got, "done\n");
			return 0;
		}
	BUG("%s", word);
}

static int
act(struct door *door, struct recorded *recorded, struct arena *arena, const struct test_case *test, struct buf *got,
    struct api_failure *failure)
{
	const char *text = case_text(test, "do"), *line = arena_strndup(arena, text, strcspn(text, "\n")), *rest = strchr(line, ' ');
	const char *word = arena_strndup(arena, line, strcspn(line, " ")), *version = "";
	int rc;

	rest = rest ? rest + 1 : NULL;
	if (!strcmp(word, "probe")) {
		rc = door->ops->probe(door, arena, &version, failure);
		buf_printf(got, "%s\n", version);
	} else if (!strcmp(word, "submit")) {
		rc = do_submit(door, arena, test, got, failure);
	} else if (!strcmp(word, "list")) {
		rc = do_list(door, arena, rest, NULL, got, failure);
	} else if (!strcmp(word, "token")) {
		rc = do_list(door, arena, NULL, rest, got, failure);
	} else if (!strcmp(word, "retry")) {
		rc = door->ops->retry(door, &RUN, rest, failure);
	} else if (!strcmp(word, "object")) {
		rc = do_object(door, arena, got, failure);
	} else if (!strcmp(word, "artifact")) {
		rc = door->ops->artifact(door, &RUN, "r-1", "model", 100, got, failure);
	} else if (!strcmp(word, "schedule") || !strcmp(word, "upload")) {
		rc = do_keep(door, arena, test, !strcmp(word, "schedule"), got, failure);
	} else if (!strcmp(word, "log")) {
		do_log(door, recorded, rest ? rest : "", got);
		rc = 0;
	} else {
		rc = do_control(door, word, got, failure);
	}
	return rc;
}

static void
test_case(struct case_file *file, struct test_case *test)
{
	struct arena *arena = arena_new();
	const char *token = case_text(test, "token");
	const struct argo_options options = { .url = "https://argo.example:2746", .place = "the cluster `prod`" };
	struct api_failure failure = { 0 };
	struct buf got = { 0 };
	struct recorded recorded;
	struct door *door;

	if (token)
		setenv("ARGO_TOKEN", arena_strndup(arena, token, strcspn(token, "\n")), 1);
	else
		unsetenv("ARGO_TOKEN");
	recorded_init(&recorded, case_text(test, "replies") ? case_text(test, "replies") : "");
	recorded.log_bodies = true;
	door = door_argo_new(&recorded.http, NULL, "ml", &options);
	if (act(door, &recorded, arena, test, &got, &failure))
		add_failure(&got, &failure);
	buf_puts(&got, buf_text(&recorded.log));
	if (!recorded_is_done(&recorded))
		buf_printf(&got, "not asked: %s", recorded.at);
	case_is(file, test, "expected", buf_text(&got), got.len);
	door_free(door);
	recorded_release(&recorded);
	buf_release(&got);
	arena_free(arena);
}

/* ---- a server ---- */

struct server {
	pid_t pid;
	int in;
	int port;
};

static bool
server_start(struct server *ret)
{
	static char python[] = "python3";
	char *script = test_path("tests/runtime/cluster/argo_server.py"), *const argv[] = { python, script, NULL };
	posix_spawn_file_actions_t actions;
	int in[2], out[2];
	char line[32] = "";
	size_t n = 0;
	bool started;

	if (pipe(in) || pipe(out))
		BUG("no pipes");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], 0);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	posix_spawn_file_actions_addclose(&actions, in[1]);
	posix_spawn_file_actions_addclose(&actions, out[0]);
	started = !posix_spawnp(&ret->pid, "python3", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(in[0]);
	close(out[1]);
	ret->in = in[1];
	while (started && n < sizeof line - 1 && !strchr(line, '\n') && read(out[0], line + n, 1) == 1)
		n++;
	ret->port = (int)strtol(line, NULL, 10);
	close(out[0]);
	free(script);
	return ret->port > 0;
}

static void
server_stop(struct server *server)
{
	close(server->in); /* which ends it */
	if (server->pid > 0)
		waitpid(server->pid, NULL, 0);
}

struct watch_seen {
	struct workflow_model *model;
	size_t told;
	bool failed;
};

static void
watch_changed(void *context, const size_t *places, size_t n, bool head)
{
	struct watch_seen *seen = context;

	(void)places;
	seen->told += n || head;
}

static void
watch_reached(void *context, const struct api_failure *failure)
{
	(void)context;
	if (failure)
		tap_note("the watch was cut: %s", failure->what);
}

static void
watch_failed(void *context, const struct api_failure *failure)
{
	((struct watch_seen *)context)->failed = true;
	tap_note("the watch failed: %s", failure->what);
}

static void
test_watch(struct door *door, const struct door_run *run)
{
	struct watch_seen seen = { .model = workflow_model_new() };
	const struct door_watcher watcher = { watch_changed, watch_reached, watch_failed, &seen };
	struct door_watch *watch = door->ops->watch(door, run, seen.model, &watcher);

	for (unsigned i = 0; i < 100 && !seen.failed && workflow_model_head(seen.model)->phase != PHASE_SUCCEEDED; i++)
		door->http->poll(door->http, -1, 1000);
	is_int(workflow_model_head(seen.model)->phase, PHASE_SUCCEEDED, "the watch over server-sent events tells of the end");
	is_int((int64_t)workflow_model_count(seen.model), 2, "and of both nodes");
	ok(seen.told > 1, "in more than one piece: %zu", seen.told);
	door->ops->unwatch(door, watch);
	workflow_model_free(seen.model);
}

static void
test_log(struct door *door, const struct door_run *run)
{
	struct buf got = { 0 };
	struct log_seen seen = { .got = &got };
	const struct door_log_listener listener = { log_came, log_ended, &seen };
	const struct door_log_request request = { .run = *run, .node = "node-1", .pod = "pod-1", .container = "main", .follow = true };

	door->ops->log(door, &request, &listener);
	for (unsigned i = 0; i < 100 && !seen.ended; i++)
		door->http->poll(door->http, -1, 1000);
	is_str(buf_text(&got), "one\ntwo: é\n", "the log is followed, without the executor's line");
	buf_release(&got);
}

static void
test_runs(struct door *door, struct arena *arena)
{
	static const char *const args[1][2] = { { "x", "2" } };
	static const char text[] = "{\"arguments\":{\"parameters\":[{\"name\":\"x\",\"value\":\"1\"}]}}";
	const struct value *spec, *workflow;
	struct door_submission submission = { .name = "run-1", .token = "T1", .args = args, .n_args = 1 };
	struct door_run run = { 0 }, *runs;
	struct api_failure failure = { 0 };
	const char *version = "";
	struct buf got = { 0 };
	size_t n = 0;
	struct error err;

	is_int(door->ops->probe(door, arena, &version, &failure), 0, "it is an Argo server%s%s", *failure.what ? ": " : "", failure.what);
	is_str(version, "Argo Workflows v3.7.18", "of that version");
	spec = value_read_json(arena, text, sizeof text - 1, &err);
	workflow = edit_dict(arena, "apiVersion", value_string(arena, "argoproj.io/v1alpha1"), "kind", value_string(arena, "Workflow"), "spec", spec, NULL);
	submission.workflow = workflow;
	is_int(door->ops->submit(door, &submission, arena, &run, &failure), 0, "a run is submitted%s%s", *failure.what ? ": " : "", failure.what);
	is_int(door->ops->submit(door, &submission, arena, &run, &failure), 0, "and not a second time");
	is_int(door->ops->list(door, &(struct door_list){ .max = 10 }, arena, &runs, &n, &failure), 0, "runs are listed");
	is_int((int64_t)n, 1, "there is one");
	test_watch(door, &run);
	test_log(door, &run);
	is_int(door->ops->artifact(door, &run, "node-1", "model", 1000, &got, &failure), 0, "an artifact is fetched");
	is_str(buf_text(&got), "the model", "and is what it should be");
	is_int(door->ops->retry(door, &run, "a", &failure), 0, "it is retried from a step%s%s", *failure.what ? ": " : "", failure.what);
	is_int(door->ops->control(door, &run, DOOR_DELETE, &failure), 0, "it is deleted");
	is_int(door->ops->control(door, &run, DOOR_STOP, &failure), -1, "and can then not be stopped");
	buf_release(&got);
}

static void
test_server(void)
{
	struct arena *arena = arena_new();
	struct server server = { 0 };
	struct argo_options options = { .place = "the cluster `prod`" };
	struct http *http = http_curl_new();
	struct api_failure failure = { 0 };
	const char *version;
	struct door *door;

	unsetenv("http_proxy");
	if (!server_start(&server)) {
		skip(1, "python3 is not there");
	} else {
		options.url = arena_printf(arena, "http://127.0.0.1:%d", server.port);
		door = door_argo_new(http, NULL, "ml", &options);
		setenv("ARGO_TOKEN", "Bearer wrong", 1);
		is_int(door->ops->probe(door, arena, &version, &failure), -1, "a token that is not known is not let in");
		is_int(failure.kind, API_UNKNOWN_USER, "and told as that");
		ok(!strstr(failure.what, "wrong") && !strstr(failure.help, "wrong") && !strstr(failure.note, "wrong"), "without the token");
		setenv("ARGO_TOKEN", "Bearer right", 1);
		test_runs(door, arena);
		door_free(door);
	}
	server_stop(&server);
	http_free(http);
	arena_free(arena);
}

int
main(void)
{
	struct case_file file;

	signal(SIGPIPE, SIG_IGN);
	cases_open(&file, "tests/runtime/cluster/argo.cases");
	for (size_t i = 0; i < file.n_cases; i++)
		test_case(&file, &file.cases[i]);
	cases_close(&file);
	test_server();
	return done_testing();
}
