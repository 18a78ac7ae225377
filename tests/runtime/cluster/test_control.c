/* Steering runs through Workflow objects, over recorded replies; and what a run becomes when it is retried, resumed, copied or
 * deleted, as data. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/control.h"
#include "runtime/cluster/edit.h"
#include "runtime/cluster/nodes.h"
#include "runtime/cluster/retry.h"
#include "tests/cases.h"
#include "tests/runtime/cluster/recorded.h"
#include "tests/tap.h"

enum { NOW = 1760000000 }; /* 2025-10-09T08:53:20Z */

static void
add_failure(struct buf *got, const struct api_failure *failure)
{
	buf_printf(got, "what: %s\n", failure->what);
	if (*failure->note)
		buf_printf(got, "note: %s\n", failure->note);
	if (*failure->help)
		buf_printf(got, "help: %s\n", failure->help);
}

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

static const char *
line_of(struct arena *arena, const struct test_case *test, const char *part)
{
	const char *text = case_text(test, part);

	return text ? arena_strndup(arena, text, strcspn(text, "\n")) : NULL;
}

/* ---- objects as lines ---- */

static void
add_links(struct buf *got, const struct value *nodes, const struct value *ids, const char *arrow)
{
	for (size_t i = 0; i < value_count(ids); i++) {
		const char *name = edit_text_in(nodes, value_text(value_item(ids, i)), "name");

		buf_printf(got, "%s%s", i ? ", " : arrow, name ? name : "NOTHING");
	}
}

static void
add_node(struct buf *got, const struct value *nodes, const struct value *node, const char *now)
{
	const char *message = value_text(value_get(node, "message")), *started = value_text(value_get(node, "startedAt"));
	const char *finished = value_text(value_get(node, "finishedAt"));

	buf_printf(got, "%s: %s %s", value_text(value_get(node, "name")), value_text(value_get(node, "type")), value_text(value_get(node, "phase")));
	if (message)
		buf_printf(got, " (%s)", message);
	if (started && !strcmp(started, now))
		buf_puts(got, ", begun now");
	if (!finished)
		buf_puts(got, ", without an end");
	else if (!strcmp(finished, now))
		buf_puts(got, ", ended now");
	add_links(got, nodes, value_get(node, "children"), " -> ");
	add_links(got, nodes, value_get(node, "outboundNodes"), " => ");
	buf_putc(got, '\n');
}

/* All but the nodes as JSON, then a line for each node. */
static void
add_object(struct buf *got, struct arena *arena, const struct value *workflow)
{
	struct api_failure failure;
	const struct value *nodes = nodes_of(arena, workflow, &failure);
	const struct value *head = edit_set_in(arena, workflow, "status", "nodes", NULL);

	if (value_get(value_get(head, "status"), "compressedNodes"))
		head = edit_set_in(arena, head, "status", "compressedNodes", value_string(arena, "…"));
	value_write_json(got, head);
	buf_putc(got, '\n');
	if (!nodes)
		add_failure(got, &failure);
	for (size_t i = 0; nodes && i < nodes->dict.n; i++)
		add_node(got, nodes, nodes->dict.items[i], "2025-10-09T08:53:20Z");
}

/* ---- without a server ---- */

static void
test_retry(struct arena *arena, struct test_case *test, const struct value *workflow, struct buf *got)
{
	const char *from = line_of(arena, test, "from");
	struct api_failure failure = { 0 };
	struct retry retry;

	if (retry_formulate(arena, workflow, from, (int64_t)NOW * 1000, &retry, &failure)) {
		add_failure(got, &failure);
		return;
	}
	add_object(got, arena, retry.workflow);
	for (size_t i = 0; i < retry.n_pods; i++)
		buf_printf(got, "delete the pod %s\n", retry.pods[i]);
}

static void
test_resume(struct arena *arena, const struct value *workflow, struct buf *got)
{
	struct api_failure failure = { 0 };
	const struct value *resumed = control_resumed(arena, workflow, (int64_t)NOW * 1000, &failure);

	if (resumed)
		add_object(got, arena, resumed);
	else
		add_failure(got, &failure);
}

static void
test_clone(struct arena *arena, struct test_case *test, const struct value *workflow, struct buf *got)
{
	const char *const args[1][2] = { { line_of(arena, test, "argument"), "new" } };
	struct door_submission submission;
	struct api_failure failure = { 0 };

	if (control_clone(arena, workflow, args, args[0][0] ? 1 : 0, &submission, &failure)) {
		add_failure(got, &failure);
		return;
	}
	value_write_json(got, submission.workflow);
	buf_putc(got, '\n');
	for (size_t i = 0; i < submission.n_args; i++)
		buf_printf(got, "%s = %s\n", submission.args[i][0], submission.args[i][1]);
}

static void
test_remains(struct arena *arena, const struct value *workflow, struct buf *got)
{
	size_t n;
	const char *const *lines = control_remains(arena, workflow, &n);

	for (size_t i = 0; i < n; i++)
		buf_printf(got, "%s\n", lines[i]);
	if (!n)
		buf_puts(got, "nothing\n");
}

/* ---- with one ---- */

static const char *const words[] = { [DOOR_STOP] = "stop", [DOOR_TERMINATE] = "terminate", [DOOR_SUSPEND] = "suspend",
	[DOOR_RESUME] = "resume", [DOOR_DELETE] = "delete" };

static int
schedule(struct door *door, struct arena *arena, struct test_case *test, struct api_failure *failure)
{
	const struct value *what = read_part(arena, test, "schedule"), *concurrency = value_get(what, "concurrency");
	const char *const args[1][2] = { { value_text(value_get(what, "argument")), "new" } };
	const struct door_submission submission = { .workflow = read_part(arena, test, "workflow"), .args = args, .n_args = args[0][0] ? 1 : 0,
		.experiment = value_text(value_get(what, "experiment")) };
	const struct door_schedule times = { .name = value_text(value_get(what, "name")), .cron = "0 3 * * *",
		.timezone = value_text(value_get(what, "timezone")), .concurrency = concurrency ? concurrency->integer : 0,
		.catch_up = value_get(what, "catch_up") != NULL };
	const char *id;

	return control_kube_schedule(door, &submission, &times, arena, &id, failure);
}

static int
upload(struct door *door, struct arena *arena, struct test_case *test, struct api_failure *failure)
{
	const char *id;

	return control_kube_upload(door, line_of(arena, test, "name"), read_part(arena, test, "workflow"), arena, &id, failure);
}

static int
act(struct door *door, struct arena *arena, struct test_case *test, const char *action, struct api_failure *failure)
{
	const struct door_run run = { .name = "r", .id = "u1", .namespace_ = "ml" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(words[i], action))
			return control_run(door, &run, (enum door_control)i, failure);
	if (!strcmp(action, "retry"))
		return control_retry(door, &run, line_of(arena, test, "from"), failure);
	if (!strcmp(action, "schedule"))
		return schedule(door, arena, test, failure);
	if (!strcmp(action, "upload"))
		return upload(door, arena, test, failure);
	BUG("%s", action);
}

static void
test_action(struct arena *arena, struct test_case *test, const char *action, struct buf *got)
{
	struct kubeconfig config = { .arena = arena_new(), .context = "prod", .from = "~/.kube/config", .server = "https://10.0.0.1:6443",
		.namespace_ = "ml" };
	struct exec_plugin_limits limits = { 0 };
	struct api_failure failure = { 0 };
	struct recorded recorded;
	struct kube *kube;
	struct door door = { 0 };

	recorded_init(&recorded, case_text(test, "replies") ? case_text(test, "replies") : "");
	recorded.log_bodies = true;
	kube = kube_new(&config, &recorded.http, &limits);
	door = (struct door){ .http = &recorded.http, .kube = kube, .namespace_ = "ml" };
	if (act(&door, arena, test, action, &failure))
		add_failure(got, &failure);
	else
		buf_puts(got, "done\n");
	buf_puts(got, buf_text(&recorded.log));
	if (!recorded_is_done(&recorded))
		buf_printf(got, "not asked: %s", recorded.at);
	kube_free(kube);
	kubeconfig_release(&config);
	recorded_release(&recorded);
}

static void
test_case(struct case_file *file, struct test_case *test)
{
	struct arena *arena = arena_new();
	const struct value *object = read_part(arena, test, "object");
	const char *action = line_of(arena, test, "do");
	struct buf got = { 0 };

	if (!object)
		test_action(arena, test, action, &got);
	else if (!strcmp(action, "retry"))
		test_retry(arena, test, object, &got);
	else if (!strcmp(action, "resume"))
		test_resume(arena, object, &got);
	else if (!strcmp(action, "clone"))
		test_clone(arena, test, object, &got);
	else if (!strcmp(action, "remains"))
		test_remains(arena, object, &got);
	else
		BUG("%s", action);
	case_is(file, test, "expected", buf_text(&got), got.len);
	buf_release(&got);
	arena_free(arena);
}

/* ---- packed nodes ---- */

static void
test_packed(void)
{
	static const char text[] = "{\"metadata\":{\"name\":\"r\"},\"status\":{\"compressedNodes\":\"x\"}}";
	struct arena *arena = arena_new();
	struct error err;
	struct api_failure failure = { 0 };
	const struct value *workflow = value_read_json(arena, text, sizeof text - 1, &err), *nodes, *packed, *again;
	const char *base64;

	nodes = edit_dict(arena, "r-1", edit_texts(arena, "id", "r-1", "name", "é", NULL), NULL);
	packed = nodes_put(arena, workflow, nodes);
	base64 = edit_text_in(packed, "status", "compressedNodes");
	ok(base64 && !strncmp(base64, "H4sI", 4), "packed nodes are base64 of gzip: %.8s", base64 ? base64 : "none");
	ok(!value_get(value_get(packed, "status"), "nodes"), "and stand nowhere else");
	again = nodes_of(arena, packed, &failure);
	ok(again && value_equal(again, nodes), "what was packed is unpacked as it was%s%s", again ? "" : ": ", again ? "" : failure.what);
	for (size_t n = 1; base64 && n < strcspn(base64, "="); n++) {
		const struct value *cut = edit_set_in(arena, packed, "status", "compressedNodes", value_stringn(arena, base64, n));

		if (nodes_of(arena, cut, &failure) || failure.kind != API_REFUSED)
			ok(false, "packed nodes cut at %zu of %zu are taken", n, strlen(base64));
	}
	ok(true, "packed nodes that are cut anywhere are refused");
	arena_free(arena);
}

/* A status that no controller writes must not make us go round for ever, or fall. */
static void
test_circles(void)
{
	static const char text[] = "{\"metadata\":{\"name\":\"r\"},\"status\":{\"phase\":\"Failed\",\"nodes\":{"
		"\"r\":{\"id\":\"r\",\"name\":\"r\",\"type\":\"DAG\",\"phase\":\"Failed\",\"children\":[\"a\"],\"boundaryID\":\"zz\"},"
		"\"a\":{\"id\":\"a\",\"name\":\"r.a\",\"type\":\"Container\",\"phase\":\"Failed\",\"children\":[\"b\"],\"boundaryID\":\"r\"},"
		"\"b\":{\"id\":\"b\",\"name\":\"r.b\",\"type\":\"Pod\",\"phase\":\"Failed\",\"children\":[\"a\",\"r\"],\"boundaryID\":\"r\"}}}}";
	struct arena *arena = arena_new();
	struct error err;
	struct api_failure failure = { 0 };
	struct retry retry;
	const struct value *workflow = value_read_json(arena, text, sizeof text - 1, &err);

	is_int(retry_formulate(arena, workflow, NULL, 0, &retry, &failure), -1, "nodes that go in circles are refused");
	contains(failure.what, "damaged", "and told as damaged");
	arena_free(arena);
}

int
main(void)
{
	struct case_file file;

	cases_open(&file, "tests/runtime/cluster/control.cases");
	for (size_t i = 0; i < file.n_cases; i++)
		test_case(&file, &file.cases[i]);
	cases_close(&file);
	test_packed();
	test_circles();
	return done_testing();
}
