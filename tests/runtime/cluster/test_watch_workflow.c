/* A watch of one Workflow into its model: whatever happens on the way, the model ends as a fresh list has it, and every end of a step
 * is told once. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/kube.h"
#include "runtime/cluster/watch.h"
#include "tests/runtime/cluster/recorded.h"
#include "tests/tap.h"

enum { STEPS = 4, LAST = 10 /* version */ };

/* A server with the history of one workflow, and how it behaves. */
struct history {
	bool events; /* as Argo's server has it */
	bool deletes; /* the workflow, at the end */
	int oldest; /* the version that a watch may still go on from */
	bool status_410; /* says so as a status, else as an event */
	bool watched; /* a watch was asked for: now it is late, and lists have the last version */
};

struct world {
	struct recorded recorded;
	struct kubeconfig config;
	struct kube *kube;
	struct arena *arena;
	struct workflow_model *model;
	struct history history;
	struct watch *watch;
	int ends[STEPS], head_ends, gone; /* how often each was told */
	bool was_ended, failed;
	struct buf log;
};

/* ---- the history ---- */

/* Step i begins with version 1 + 2 i and ends two versions later; the run ends with the last step. */
static void
write_object(struct buf *buf, int version)
{
	bool ended = version >= 1 + 2 * (STEPS - 1) + 2;

	buf_printf(buf, "{\"apiVersion\":\"argoproj.io/v1alpha1\",\"kind\":\"Workflow\",\"metadata\":{\"labels\":{\"uid\":\"no\"},\"name\":\"w\",\"namespace\":\"ml\","
		"\"resourceVersion\":\"%d\",\"uid\":\"u-1\"},\"spec\":{},\"status\":{\"nodes\":{", 100 + version);
	for (int i = 0; i < STEPS && version >= 1 + 2 * i; i++)
		buf_printf(buf, "%s\"w-%d\":{\"displayName\":\"s%d\",\"id\":\"w-%d\",\"name\":\"w.s%d\",\"phase\":\"%s\",\"message\":\"é \\\"}{\",\"type\":\"Pod\"}", i ? "," : "",
			i, i, i, i, version < 1 + 2 * i + 2 ? "Running" : i % 2 ? "Failed" : "Succeeded");
	buf_printf(buf, "},\"phase\":\"%s\"}}", ended ? "Failed" : "Running");
}

static void
write_event(const struct history *history, struct buf *buf, const char *type, int version)
{
	buf_printf(buf, history->events ? "data: {\"result\":{\"type\":\"%s\",\"object\":" : "{\"type\":\"%s\",\"object\":", type);
	write_object(buf, version);
	buf_puts(buf, history->events ? "}}\n\n:\n" : "}\n");
}

static void
write_list(const struct history *history, struct buf *buf)
{
	int version = history->watched ? LAST : 3;

	buf_puts(buf, "< 200 application/json\n{\"apiVersion\":\"argoproj.io/v1alpha1\",\"items\":[");
	if (!history->deletes || version < LAST)
		write_object(buf, version);
	buf_printf(buf, "],\"kind\":\"WorkflowList\",\"metadata\":{\"continue\":\"\",\"resourceVersion\":\"%d\"}}\n", 100 + version);
}

static void
write_watch(struct history *history, struct buf *buf, int from)
{
	bool old = from < history->oldest && history->watched;

	history->watched = true;
	if (old && history->status_410) {
		buf_puts(buf, "< 410 application/json\n{\"kind\":\"Status\",\"code\":410,\"reason\":\"Expired\",\"message\":\"too old resource version\"}\n");
		return;
	}
	buf_printf(buf, "< 200 %s\n", history->events ? "text/event-stream" : "application/json");
	if (old) {
		buf_puts(buf, history->events ? "data: {\"error\":{\"grpc_code\":2,\"http_code\":500,\"message\":\"too old resource version: 1 (2)\"}}\n\n" :
						"{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410}}\n");
		return;
	}
	for (int version = from + 1; version <= LAST; version++)
		write_event(history, buf, history->deletes && version == LAST ? "DELETED" : "MODIFIED", version);
	if (!history->events)
		buf_printf(buf, "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"Workflow\",\"metadata\":{\"resourceVersion\":\"%d\"}}}\n", 100 + LAST);
	buf_puts(buf, "@hold\n");
}

static char *
answer(void *context, const char *path)
{
	struct world *world = context;
	const char *version = strstr(path, "resourceVersion=");
	struct buf buf = { 0 };
	size_t len;

	if (version)
		write_watch(&world->history, &buf, (int)strtol(version + 16, NULL, 10) - 100);
	else
		write_list(&world->history, &buf);
	return buf_detach(&buf, &len);
}

/* ---- who is told ---- */

static void
changed(void *context, const size_t *places, size_t n, bool head)
{
	struct world *world = context;
	const struct workflow *workflow = workflow_model_head(world->model);

	for (size_t i = 0; i < n; i++) {
		const struct workflow_node *node = workflow_model_node(world->model, places[i]);

		if (phase_ended(node->phase))
			world->ends[node->id[2] - '0']++;
	}
	if (head && workflow->deleted)
		world->gone++;
	else if (head && phase_ended(workflow->phase))
		world->head_ends++;
	buf_printf(&world->log, "changed %zu%s %s%s\n", n, head ? " and head" : "", phase_name(workflow->phase), workflow->deleted ? " gone" : "");
}

static void
reached(void *context, const struct api_failure *failure)
{
	struct world *world = context;

	buf_printf(&world->log, "%s\n", failure ? failure->what : "reached");
}

static void
failed(void *context, const struct api_failure *failure)
{
	struct world *world = context;

	world->failed = true;
	buf_printf(&world->log, "failed: %s\n", failure->what);
}

static bool
is_over(void *context)
{
	const struct world *world = context;

	return world->failed || (recorded_is_done(&world->recorded) && !world->recorded.streams.n && !world->recorded.timers.n);
}

static void
world_init(struct world *world, const char *replies)
{
	struct exec_plugin_limits limits = { 0 };

	*world = (struct world){ .arena = arena_new(), .model = workflow_model_new() };
	world->config = (struct kubeconfig){ .arena = arena_new(), .context = "prod", .from = "~/.kube/config", .server = "https://k:6443",
		.namespace_ = "ml" };
	recorded_init(&world->recorded, replies);
	world->recorded.context = world;
	world->kube = kube_new(&world->config, &world->recorded.http, &limits);
}

static void
world_release(struct world *world)
{
	watch_free(world->watch);
	workflow_model_free(world->model);
	kube_free(world->kube);
	recorded_release(&world->recorded);
	kubeconfig_release(&world->config);
	arena_free(world->arena);
	buf_release(&world->log);
}

static void
watch_it(struct world *world, bool events, const char *uid)
{
	struct door_watcher watcher = { changed, reached, failed, world };
	struct watch_source source = events ? watch_source_argo(world->arena, "ml", "w") :
		watch_source_kube(world->arena, "/apis/argoproj.io/v1alpha1", "ml", "workflows", "metadata.name=w", NULL);

	world->watch = watch_workflow(kube_api(world->kube), &source, uid, world->model, &watcher);
}

/* ---- after any cut ---- */

static bool
is_as_fresh(struct world *world)
{
	struct workflow_model *fresh = workflow_model_new();
	struct buf object = { 0 };
	const size_t *places;
	size_t n;
	bool head, same;

	write_object(&object, LAST);
	workflow_model_begin(fresh);
	workflow_model_feed(fresh, buf_text(&object), object.len);
	if (workflow_model_end(fresh, &places, &n, &head, NULL))
		BUG("the history is no workflow");
	same = workflow_model_count(fresh) == workflow_model_count(world->model) &&
	       workflow_model_head(fresh)->phase == workflow_model_head(world->model)->phase;
	for (size_t i = 0; same && i < workflow_model_count(fresh); i++) {
		const struct workflow_node *a = workflow_model_node(fresh, i), *b = workflow_model_node(world->model, i);

		same = !strcmp(a->id, b->id) && a->phase == b->phase && !strcmp(a->message, b->message);
	}
	workflow_model_free(fresh);
	buf_release(&object);
	return same;
}

static bool
told_once(const struct world *world)
{
	for (int i = 0; i < STEPS; i++)
		if (world->ends[i] != 1)
			return false;
	return world->head_ends == 1;
}

/* The stream is cut after so many bytes; false when there are not that many. */
static bool
try_cut(const struct history *history, size_t cut, size_t again, size_t *ret_wrong)
{
	struct world world;
	bool was_cut;

	world_init(&world, "");
	world.history = *history;
	world.recorded.answer = answer;
	world.recorded.cut = cut;
	world.recorded.cut_again = again;
	watch_it(&world, history->events, "u-1");
	recorded_run(&world.recorded, again ? 3600000 : 120000, is_over, &world);
	was_cut = !world.recorded.cut;
	/* With a list alone nobody knows how the steps of a workflow that is gone have ended. */
	if (world.gone != history->deletes || world.failed ||
	    (!(history->deletes && history->oldest) && (!is_as_fresh(&world) || !told_once(&world)))) {
		if (!(*ret_wrong)++)
			tap_note("cut after %zu bytes:\n%s%s", cut, buf_text(&world.recorded.log), buf_text(&world.log));
	}
	world_release(&world);
	return was_cut;
}

static void
test_cuts(const char *what, struct history history)
{
	size_t n = 1, wrong = 0;

	while (try_cut(&history, n, 0, &wrong))
		n++;
	ok(n > 4000, "%s: %zu places to cut at", what, n);
	is_int((int64_t)wrong, 0, "%s: after a cut at any of them the model is as a fresh list, and each end was told once", what);
}

/* Cut again and again, after little more than a list or an object is long. */
static void
test_many_cuts(const char *what, struct history history)
{
	size_t wrong = 0;

	for (size_t n = 1500; n < 2500; n += 3)
		try_cut(&history, n, n, &wrong);
	is_int((int64_t)wrong, 0, "%s: so it is when it is cut again and again", what);
}

/* ---- single cases ---- */

#define LIST "> GET /apis/argoproj.io/v1alpha1/namespaces/ml/workflows?fieldSelector=metadata.name%3Dw\n< 200 application/json\n"
#define WATCH(v) "> GET /apis/argoproj.io/v1alpha1/namespaces/ml/workflows?fieldSelector=metadata.name%3Dw&watch=true&allowWatchBookmarks=true&resourceVersion=" v \
	"\n< 200 application/json\n"
#define SSE(v) "> GET /api/v1/workflow-events/ml?listOptions.fieldSelector=metadata.name%3Dw&listOptions.resourceVersion=" v "\n< 200 text/event-stream\n"
#define SSE_LIST "> GET /api/v1/workflows/ml?listOptions.fieldSelector=metadata.name%3Dw\n< 200 application/json\n"
#define OBJECT(u, v, phase) "{\"metadata\":{\"name\":\"w\",\"uid\":\"" u "\",\"resourceVersion\":\"" v "\"},\"status\":{\"phase\":\"" phase "\"}}"
#define ITEMS(v, items) "{\"items\":[" items "],\"metadata\":{\"resourceVersion\":\"" v "\"}}\n"
#define EVENT(type, object) "{\"type\":\"" type "\",\"object\":" object "}\n"

static const struct {
	const char *what, *uid, *replies, *want;
	bool events;
} cases[] = {
	{ "the workflow is deleted", NULL, LIST ITEMS("9", OBJECT("u", "5", "Running")) WATCH("9") EVENT("DELETED", OBJECT("u", "10", "Failed")) "@hold\n",
	  "changed 0 and head Running\nchanged 0 and head Failed\nchanged 0 and head Failed gone\n", false },
	{ "it is not there", "u", LIST ITEMS("9", ""), "failed: `https://k:6443` does not have the workflow `w` in the namespace `ml`\n", false },
	{ "another of its name is there", "u", LIST ITEMS("9", OBJECT("v", "5", "Running")), "changed 0 and head Pending gone\n", false },
	{ "it went while nobody looked", NULL, LIST ITEMS("9", OBJECT("u", "5", "Running")) WATCH("9") EVENT("ERROR", "{\"code\":410}") LIST ITEMS("20", ""),
	  "changed 0 and head Running\nchanged 0 and head Running gone\n", false },
	{ "it went and came again under another uid", NULL, LIST ITEMS("9", OBJECT("u", "5", "Running")) WATCH("9") EVENT("ERROR", "{\"code\":410}")
	  LIST ITEMS("20", OBJECT("v", "19", "Pending")), "changed 0 and head Running\nchanged 0 and head Running gone\n", false },
	{ "another one is deleted", "u", LIST ITEMS("9", OBJECT("u", "5", "Running")) WATCH("9") EVENT("DELETED", OBJECT("v", "10", "Failed"))
	  EVENT("MODIFIED", OBJECT("u", "11", "Succeeded")) "@hold\n", "changed 0 and head Running\nchanged 0 and head Succeeded\n", false },
	{ "a version that changes nothing is not told", NULL, LIST ITEMS("9", OBJECT("u", "5", "Running")) WATCH("9") EVENT("MODIFIED", OBJECT("u", "10", "Running"))
	  "@hold\n", "changed 0 and head Running\n", false },
	{ "an object that is none: what was known stays", NULL, LIST ITEMS("9", OBJECT("u", "5", "Running")) WATCH("9")
	  EVENT("MODIFIED", "{\"metadata\":{\"uid\":\"u\"},\"status\":{\"phase\":[]]}") LIST ITEMS("9", OBJECT("u", "5", "Running")) WATCH("9") "@hold\n",
	  "changed 0 and head Running\n", false },
	{ "Argo's server: comments, other fields, a line at a time", NULL, SSE_LIST ITEMS("9", OBJECT("u", "5", "Running")) SSE("9")
	  "@pieces 3\n:\nevent: x\nid: 7\nretry: 3\ndata: {\"result\":" EVENT("MODIFIED", OBJECT("u", "10", "Succeeded")) "@join\n}\n\n@hold\n",
	  "changed 0 and head Running\nchanged 0 and head Succeeded\n", true },
	{ "Argo's server without the frame of events", NULL, SSE_LIST ITEMS("9", OBJECT("u", "5", "Running")) SSE("9")
	  "{\"result\":{\"type\":\"MODIFIED\",\"object\":" OBJECT("u", "10", "Succeeded") "}}\n@hold\n",
	  "changed 0 and head Running\nchanged 0 and head Succeeded\n", true },
};

static void
test_one(size_t i)
{
	struct world world;

	world_init(&world, cases[i].replies);
	watch_it(&world, cases[i].events, cases[i].uid);
	recorded_run(&world.recorded, 60000, is_over, &world);
	is_str(buf_text(&world.log), cases[i].want, "%s", cases[i].what);
	ok(recorded_is_done(&world.recorded), "all was asked; left is: %s", world.recorded.at);
	if (world.gone)
		is_int((int64_t)world.recorded.streams.n, 0, "nothing is asked of one that is gone");
	world_release(&world);
}

int
main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		test_one(i);
	test_cuts("Kubernetes", (struct history){ .oldest = 0 });
	test_cuts("Kubernetes, too old as a status", (struct history){ .oldest = 8, .status_410 = true });
	test_cuts("Kubernetes, too old as an event", (struct history){ .oldest = 8 });
	test_cuts("Kubernetes, deleted at the end", (struct history){ .deletes = true });
	test_cuts("Kubernetes, deleted while nobody looked", (struct history){ .deletes = true, .oldest = 8 });
	test_cuts("Argo's server", (struct history){ .events = true });
	test_cuts("Argo's server, too old", (struct history){ .events = true, .oldest = 8 });
	test_many_cuts("Kubernetes", (struct history){ .oldest = 0 });
	test_many_cuts("Kubernetes, too old", (struct history){ .oldest = 8 });
	test_many_cuts("Kubernetes, deleted while nobody looked", (struct history){ .deletes = true, .oldest = 8 });
	test_many_cuts("Argo's server", (struct history){ .events = true });
	return done_testing();
}
