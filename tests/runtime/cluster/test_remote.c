/* A run on a cluster against a server with a history: wherever the connection is cut, and whenever the watcher dies and another one
 * attaches, the run ends as it does undisturbed, each end of a step is told once, and each line of a log is kept and shown once. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/moment.h"
#include "runtime/cluster/remote.h"
#include "runtime/store.h"
#include "tests/dsl/graph_plan.h"
#include "tests/runtime/cluster/recorded.h"
#include "tests/tap.h"

#define LIST "/apis/argoproj.io/v1alpha1/namespaces/ml/workflows"
#define TOKEN "0c7e2d1e-0000-4000-8000-000000000000"

enum { LAST = 7, POLLS_MAX = 2000, STEPS = 2 };

static const char program[] =
	"component w() {\n    image \"x:1\"\n    script sh \"\"\"true\"\"\"\n}\npipeline p() {\n    a = w()\n    b = w() after a\n}\n";

/* Milliseconds after the beginning at which each version is there. */
static const int64_t version_at[LAST + 1] = { 0, 0, 1000, 2000, 6000, 7000, 9500, 10000 };

static const struct {
	int64_t at;
	const char *text;
} lines[STEPS][6] = {
	{ { 2500, "a1" }, { 2500, "a1" }, { 3700, "a2" }, { 4100, "a3" }, { 5900, "a4" }, { 0, NULL } },
	{ { 7200, "b1" }, { 9100, "b2" }, { 0, NULL } },
};
static const int64_t begins_at[STEPS] = { 2000, 7000 }, ends_at[STEPS] = { 6000, 9500 };
static const char *const whole_logs[STEPS] = { "a1\na1\na2\na3\na4\n", "b1\nb2\n" };

static char *folder;
static struct plan *plan;

struct world {
	struct recorded recorded;
	struct kubeconfig config;
	struct kube *kube;
	struct door *door;
	int ends[STEPS], run_ends;
	bool ended[STEPS];
	struct buf shown[STEPS];
};

/* ---- the server ---- */

static int64_t
passed(const struct world *world)
{
	return world->recorded.now - (int64_t)RECORDED_START * 1000;
}

static void
write_node(struct buf *buf, char step, const char *phase, const char *more)
{
	buf_printf(buf, ",\"p-1-%c\":{\"id\":\"p-1-%c\",\"name\":\"p-1.%c\",\"displayName\":\"%c\",\"type\":\"Pod\",\"templateName\":\"w\",\"boundaryID\":\"p-1\","
		"\"phase\":\"%s\",\"startedAt\":\"2025-10-09T08:53:22Z\"%s}", step, step, step, step, phase, more);
}

static void
write_object(struct buf *buf, int version)
{
	buf_printf(buf, "{\"apiVersion\":\"argoproj.io/v1alpha1\",\"kind\":\"Workflow\",\"metadata\":{\"name\":\"p-1\",\"namespace\":\"ml\",\"uid\":\"u-1\","
		"\"resourceVersion\":\"%d\",\"creationTimestamp\":\"2025-10-09T08:53:20Z\",\"labels\":{\"lateen.dev/run\":\"" TOKEN "\"%s}},\"spec\":{},"
		"\"status\":{", 100 + version, version == LAST ? ",\"workflows.argoproj.io/completed\":\"true\"" : "");
	if (version > 1) {
		buf_printf(buf, "\"phase\":\"%s\",\"startedAt\":\"2025-10-09T08:53:21Z\",\"nodes\":{\"p-1\":{\"id\":\"p-1\",\"name\":\"p-1\",\"displayName\":\"p-1\","
			"\"type\":\"DAG\",\"templateName\":\"p\",\"phase\":\"%s\"}", version == LAST ? "Failed" : "Running", version == LAST ? "Failed" : "Running");
		write_node(buf, 'a', version == 2 ? "Pending" : version == 3 ? "Running" : "Succeeded",
			version > 3 ? ",\"finishedAt\":\"2025-10-09T08:53:26Z\",\"outputs\":{\"exitCode\":\"0\"}" : "");
		if (version > 3)
			write_node(buf, 'b', version == 4 ? "Pending" : version == 5 ? "Running" : "Failed",
				version > 5 ? ",\"finishedAt\":\"2025-10-09T08:53:29Z\",\"message\":\"main: Error (exit code 3)\",\"outputs\":{\"exitCode\":\"3\"}" : "");
		buf_puts(buf, "}");
	}
	buf_puts(buf, "}}");
}

static int
version_now(const struct world *world)
{
	int version = 1;

	while (version < LAST && version_at[version + 1] <= passed(world))
		version++;
	return version;
}

/* Time that goes by until then, as a line of the reply; *at is the time when it is said. */
static void
write_wait(struct buf *buf, int64_t *at, int64_t until)
{
	if (until <= *at)
		return;
	buf_printf(buf, "@wait %lld\n", (long long)(until - *at));
	*at = until;
}

static void
write_workflow_watch(const struct world *world, struct buf *buf, int from)
{
	int64_t at = passed(world);

	buf_puts(buf, "< 200 application/json\n");
	for (int version = from + 1; version <= LAST; version++) {
		write_wait(buf, &at, version_at[version]);
		buf_puts(buf, "{\"type\":\"MODIFIED\",\"object\":");
		write_object(buf, version);
		buf_puts(buf, "}\n");
	}
	buf_puts(buf, "@hold\n");
}

/* The kubelet knows whole seconds. */
static void
write_log(const struct world *world, struct buf *buf, size_t step, const char *path)
{
	const char *since = strstr(path, "sinceTime=");
	int64_t at = passed(world), from = since ? (strtol(since + strlen("sinceTime=2025-10-09T08%3A53%3A"), NULL, 10) - 20) * 1000 : 0;
	char time[MOMENT_MAX];

	if (at < begins_at[step]) {
		buf_puts(buf, "< 400 application/json\n{\"kind\":\"Status\",\"message\":\"container \\\"main\\\" in pod is waiting to start: PodInitializing\"}\n");
		return;
	}
	buf_puts(buf, "< 200 text/plain\n@wait 0\n");
	for (size_t i = 0; lines[step][i].text; i++) {
		if (lines[step][i].at < from)
			continue;
		write_wait(buf, &at, lines[step][i].at);
		moment_write(time, ((int64_t)RECORDED_START * 1000 + lines[step][i].at) * 1000000);
		buf_printf(buf, "%s %s\n", time, lines[step][i].text);
	}
	write_wait(buf, &at, ends_at[step]);
}

static char *
answer(void *context, const char *path)
{
	struct world *world = context;
	const char *version = strstr(path, "resourceVersion=");
	struct buf buf = { 0 };

	if (strstr(path, "/log?")) {
		write_log(world, &buf, strstr(path, "/p-1-w-3859816089/") != NULL, path); /* FNV-1a of "p-1.b" */
	} else if (strstr(path, "/pods?")) {
		buf_puts(&buf, version ? "< 200 application/json\n@hold\n" : "< 200 application/json\n{\"items\":[],\"metadata\":{\"resourceVersion\":\"1\"}}\n");
	} else if (version) {
		write_workflow_watch(world, &buf, (int)strtol(version + 16, NULL, 10) - 100);
	} else {
		buf_puts(&buf, "< 200 application/json\n{\"apiVersion\":\"argoproj.io/v1alpha1\",\"items\":[");
		write_object(&buf, version_now(world));
		buf_printf(&buf, "],\"kind\":\"WorkflowList\",\"metadata\":{\"resourceVersion\":\"%d\"}}\n", 100 + version_now(world));
	}
	return buf_detach(&buf, NULL);
}

/* ---- who looks ---- */

static void
changed(void *context, struct run *run, size_t node)
{
	struct world *world = context;
	bool over = phase_ended(node == SIZE_MAX ? run->phase : run->nodes[node]->phase);

	if (node == SIZE_MAX) {
		world->run_ends += over;
	} else if (over != world->ended[run->nodes[node]->step]) {
		world->ended[run->nodes[node]->step] = over;
		world->ends[run->nodes[node]->step]++;
	}
}

static void
wrote(void *context, struct run *run, size_t node, const char *text, size_t len)
{
	struct world *world = context;

	buf_add(&world->shown[run->nodes[node]->step], text, len);
}

static void
open_world(struct world *world, int64_t now)
{
	const struct exec_plugin_limits limits = { 0 };

	*world = (struct world){ .config = { .arena = arena_new(), .context = "prod", .from = "~/.kube/config", .server = "https://10.0.0.1:6443",
		.namespace_ = "ml", .token = "t" } };
	recorded_init(&world->recorded, "");
	world->recorded.answer = answer;
	world->recorded.context = world;
	if (now)
		world->recorded.now = now;
	world->kube = kube_new(&world->config, &world->recorded.http, &limits);
	world->door = door_kube_new(&world->recorded.http, world->kube, "ml");
}

static void
close_world(struct world *world)
{
	door_free(world->door);
	kube_free(world->kube);
	recorded_release(&world->recorded);
	arena_free(world->config.arena);
	for (size_t i = 0; i < STEPS; i++)
		buf_release(&world->shown[i]);
}

static struct remote *
attach(struct world *world, const char *store)
{
	const struct run_observer observer = { .changed = changed, .wrote = wrote, .context = world };
	const struct remote_options options = { .target = "prod", .store = store, .observers = &observer, .n_observers = 1 };
	struct remote_problem problem;
	struct remote *remote = remote_attach(world->door, "p-1", plan, &options, &problem);

	if (!remote)
		BUG("%s: %s", problem.code, problem.failure.what);
	return remote;
}

/* ---- what came of it ---- */

static void
add_logs(struct buf *ret, const char *store)
{
	for (char step = 'a'; step <= 'b'; step++) {
		char path[700];
		char *text;

		snprintf(path, sizeof(path), "%s/runs/p-1/%c/1/log", store, step);
		text = test_read_file(path, NULL);
		buf_printf(ret, "%s|", text ? text : "none");
		free(text);
	}
}

static void
describe(struct buf *ret, const struct world *world, const struct remote *remote, const char *store)
{
	run_write_json(remote_run(remote), ret);
	buf_printf(ret, "\nends %d %d %d\nlogs ", world->ends[0], world->ends[1], world->run_ends > 0);
	add_logs(ret, store);
	for (size_t i = 0; i < STEPS; i++)
		buf_printf(ret, "%s|", buf_text(&world->shown[i]));
}

static void
store_of(char *ret, size_t size, const char *name)
{
	snprintf(ret, size, "%s/%s", folder, name);
}

static void
watch_to_end(struct buf *ret, const char *name, size_t cut)
{
	struct world world;
	struct remote *remote;
	char store[600];
	int polls = 0;

	store_of(store, sizeof(store), name);
	open_world(&world, 0);
	world.recorded.cut = cut;
	remote = attach(&world, store);
	while (remote_poll(remote, -1, 1000) && polls++ < POLLS_MAX)
		;
	describe(ret, &world, remote, store);
	if (polls >= POLLS_MAX)
		buf_puts(ret, "it goes on for ever");
	remote_free(remote);
	close_world(&world);
	test_remove_tree(store);
}

static const char undisturbed[] =
	"{\"id\":\"" TOKEN "\",\"name\":\"p-1\",\"phase\":\"Failed\",\"message\":\"the step `b` did not succeed: exit code 3\",\"steps\":[{\"name\":\"a\","
	"\"phase\":\"Succeeded\",\"attempts\":1,\"exit_code\":0,\"message\":null,\"outputs\":{}},{\"name\":\"b\",\"phase\":\"Failed\",\"attempts\":1,"
	"\"exit_code\":3,\"message\":\"exit code 3\",\"outputs\":{}}],\"outputs\":{}}\nends 1 1 1\nlogs a1\na1\na2\na3\na4\n|b1\nb2\n|a1\na1\na2\na3\na4\n|b1\nb2\n|";

static void
test_cuts(void)
{
	struct buf whole = { 0 };
	size_t bad = 0, n = 0;

	watch_to_end(&whole, "whole", 0);
	is_str(buf_text(&whole), undisturbed, "a run from its beginning to its end");
	for (size_t cut = 1; cut < 9000; cut += 113, n++) {
		struct buf got = { 0 };

		watch_to_end(&got, "cut", cut);
		if (strcmp(buf_text(&got), undisturbed) != 0 && !bad++)
			is_str(buf_text(&got), undisturbed, "cut at %zu", cut);
		buf_release(&got);
	}
	is_int((int64_t)bad, 0, "the same with the connection cut at any of %zu places", n);
	buf_release(&whole);
}

/* Each watcher lives for so many polls, without an end of its own. */
static void
test_deaths(void)
{
	size_t bad = 0, n = 0;

	for (int life = 20; life < 60; life += 3, n++) {
		struct buf shown[STEPS] = { { 0 } }, logs = { 0 };
		int64_t now = 0;
		int lives = 0;
		bool goes_on = true;
		char store[600];

		store_of(store, sizeof(store), "deaths");
		while (goes_on && lives++ < 100) {
			struct world world;
			struct remote *remote;

			open_world(&world, now);
			remote = attach(&world, store);
			for (int i = 0; goes_on && i < life; i++)
				goes_on = remote_poll(remote, -1, 200);
			for (size_t i = 0; i < STEPS; i++)
				buf_add(&shown[i], world.shown[i].data, world.shown[i].len);
			remote_free(remote);
			now = world.recorded.now + 150; /* the next one comes a little later */
			close_world(&world);
		}
		add_logs(&logs, store);
		if ((strcmp(buf_text(&logs), "a1\na1\na2\na3\na4\n|b1\nb2\n|") != 0 || strcmp(buf_text(&shown[0]), whole_logs[0]) != 0 ||
		     strcmp(buf_text(&shown[1]), whole_logs[1]) != 0 || goes_on) && !bad++)
			ok(false, "each lives for %d polls: %s; shown %s| %s", life, buf_text(&logs), buf_text(&shown[0]), buf_text(&shown[1]));
		for (size_t i = 0; i < STEPS; i++)
			buf_release(&shown[i]);
		buf_release(&logs);
		test_remove_tree(store);
	}
	is_int((int64_t)bad, 0, "no line is lost, kept or shown twice whenever the watcher dies (%zu lives)", n);
}

static void
test_store(void)
{
	struct world world;
	struct arena *arena = arena_new();
	struct error err = { "" };
	struct store_run run;
	struct store_step *steps;
	struct store *other;
	struct remote *remote;
	struct buf logs = { 0 };
	size_t n = 0;
	char store[600];

	store_of(store, sizeof(store), "store");
	open_world(&world, 0);
	remote = attach(&world, store);
	for (int i = 0; i < 30; i++)
		remote_poll(remote, -1, 100);
	other = store_open(store, true, &err);
	store_find(other, arena, "p-1", &run, &err);
	is_str(run.id, TOKEN, "in the store it has the id that its label says");
	is_str(run.place.target, "prod", "and its target");
	is_str(run.place.workflow_id, "u-1", "and what the cluster knows it by");
	ok(run.owned && run.phase == PHASE_RUNNING, "it runs, and is watched");
	remote_free(remote);
	store_find(other, arena, "p-1", &run, &err);
	ok(run.phase == PHASE_RUNNING, "whoever stops watching does not end it");
	remote = attach(&world, store);
	while (remote_poll(remote, -1, 1000))
		;
	remote_free(remote);
	store_find(other, arena, "p-1", &run, &err);
	is_str(phase_name(run.phase), "Failed", "its end is known");
	steps = store_steps(other, arena, run.id, &n, &err);
	ok(n == 2 && steps[1].exit_code == 3, "so are its steps");
	store_logs(other, "p-1", "b", SIZE_MAX, NULL, &logs, &err);
	is_str(buf_text(&logs), "b1\nb2\n", "and what they wrote");
	store_close(other);
	buf_release(&logs);
	close_world(&world);
	arena_free(arena);
}

/* One watches and writes, another looks on; when the first is gone, at whatever moment, the other goes on with all of it. */
static void
test_heirs(void)
{
	size_t bad = 0, n = 0;

	for (int life = 1; life < 120; life += 7, n++) {
		struct world first, second;
		struct remote *owner, *guest;
		struct store *store;
		struct arena *arena = arena_new();
		struct buf got = { 0 };
		struct store_run run;
		struct error err;
		size_t n_steps = 0;
		char path[600];
		int polls = 0;

		store_of(path, sizeof(path), "heirs");
		open_world(&first, 0);
		open_world(&second, 0);
		owner = attach(&first, path);
		guest = attach(&second, path);
		for (int i = 0; i < life && remote_poll(owner, -1, 200); i++)
			remote_poll(guest, -1, 200);
		remote_free(owner);
		while (remote_poll(guest, -1, 1000) && polls++ < POLLS_MAX)
			;
		describe(&got, &second, guest, path);
		remote_free(guest);
		store = store_open(path, true, &err);
		store_find(store, arena, "p-1", &run, &err);
		store_steps(store, arena, run.id, &n_steps, &err);
		buf_printf(&got, "\nstore %s %zu", phase_name(run.phase), n_steps);
		store_close(store);
		if ((strncmp(buf_text(&got), undisturbed, strlen(undisturbed)) != 0 || !strstr(buf_text(&got), "\nstore Failed 2")) && !bad++)
			is_str(buf_text(&got), undisturbed, "the first lives for %d polls", life);
		buf_release(&got);
		arena_free(arena);
		close_world(&first);
		close_world(&second);
		test_remove_tree(path);
	}
	is_int((int64_t)bad, 0, "whoever looks on takes over when the one that writes is gone (%zu moments)", n);
}

int
main(void)
{
	unsetenv("LATEEN_HOME");
	folder = test_temp_dir();
	plan = graph_plan(program, strlen(program));
	test_store();
	test_cuts();
	test_deaths();
	test_heirs();
	plan_unref(plan);
	test_remove_tree(folder);
	free(folder);
	return done_testing();
}
