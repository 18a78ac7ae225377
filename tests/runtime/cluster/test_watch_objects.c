/* A watch of several small objects, cut anywhere: what was told adds up to what is there, in an order that makes sense. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/kube.h"
#include "runtime/cluster/watch.h"
#include "tests/runtime/cluster/recorded.h"
#include "tests/tap.h"

enum { N = 4 };

/* What happened on the server, a version each from 1 on: an object is there with that version, or is gone. */
static const struct {
	int object;
	bool gone;
} history[] = { { 0, false }, { 1, false }, { 0, false }, { 2, false }, { 1, true }, { 0, false }, { 3, false }, { 3, true }, { 2, false }, { 1, false } };

enum { FIRST = 3, LAST = ARRAY_LEN(history) };

struct world {
	struct recorded recorded;
	int told[N]; /* the version that was told last; 0: it is not there */
	bool watched, failed;
	int oldest;
	size_t listed;
	char wrong[200]; /* the first thing that made no sense */
};

static void
state_at(int version, int ret[N])
{
	memset(ret, 0, N * sizeof *ret);
	for (int v = 1; v <= version; v++)
		ret[history[v - 1].object] = history[v - 1].gone ? 0 : v;
}

static void
write_object(struct buf *buf, int object, int version)
{
	buf_printf(buf, "{\"metadata\":{\"name\":\"n%d\",\"uid\":\"u%d\",\"resourceVersion\":\"%d\"},\"v\":%d}", object, object, version, version);
}

static void
write_watch(struct world *world, struct buf *buf, int from)
{
	bool old = world->watched && from < world->oldest;

	world->watched = true;
	buf_puts(buf, "< 200 application/json\n");
	if (old) {
		buf_puts(buf, "{\"type\":\"ERROR\",\"object\":{\"code\":410}}\n");
		return;
	}
	for (int v = from + 1; v <= LAST; v++) {
		int before[N];

		state_at(v - 1, before);
		buf_printf(buf, "{\"type\":\"%s\",\"object\":", history[v - 1].gone ? "DELETED" : before[history[v - 1].object] ? "MODIFIED" : "ADDED");
		write_object(buf, history[v - 1].object, v);
		buf_puts(buf, "}\n");
	}
	buf_puts(buf, "@hold\n");
}

static char *
answer(void *context, const char *path)
{
	struct world *world = context;
	const char *version = strstr(path, "resourceVersion=");
	int state[N], now = world->watched ? LAST : FIRST;
	struct buf buf = { 0 };
	size_t len, n = 0;

	if (version) {
		write_watch(world, &buf, (int)strtol(version + 16, NULL, 10));
		return buf_detach(&buf, &len);
	}
	state_at(now, state);
	buf_printf(&buf, "< 200 application/json\n{\"metadata\":{\"resourceVersion\":\"%d\"},\"items\":[", now);
	for (int i = 0; i < N; i++) {
		if (!state[i])
			continue;
		buf_puts(&buf, n++ ? "," : "");
		write_object(&buf, i, state[i]);
	}
	buf_puts(&buf, "]}\n");
	return buf_detach(&buf, &len);
}

static void
came(void *context, enum watch_change change, const struct value *object)
{
	struct world *world = context;
	const char *uid = value_text(value_get(value_get(object, "metadata"), "uid"));
	const struct value *version = value_get(object, "v");
	int i = uid[1] - '0', now = version ? (int)version->integer : 0;
	bool sense = change == WATCH_ADDED ? !world->told[i] : change == WATCH_MODIFIED ? world->told[i] && now > world->told[i] : world->told[i] != 0;

	if (!sense && !*world->wrong)
		snprintf(world->wrong, sizeof world->wrong, "change %d of %s to version %d after version %d", (int)change, uid, now, world->told[i]);
	world->told[i] = change == WATCH_DELETED ? 0 : now;
}

static void
listed(void *context)
{
	((struct world *)context)->listed++;
}

static void
failed(void *context, const struct api_failure *failure)
{
	struct world *world = context;

	world->failed = true;
	snprintf(world->wrong, sizeof world->wrong, "%.150s", failure->what);
}

static bool
is_over(void *context)
{
	const struct world *world = context;

	return world->failed;
}

static bool
try_cut(int oldest, size_t cut, size_t again, size_t *ret_wrong)
{
	struct world world = { .oldest = oldest };
	struct watch_listener listener = { came, listed, NULL, failed, &world };
	struct exec_plugin_limits limits = { 0 };
	struct kubeconfig config = { .arena = arena_new(), .context = "prod", .from = "~/.kube/config", .server = "https://k:6443" };
	struct watch_source source = watch_source_kube(config.arena, "/api/v1", "ml", "pods", NULL, NULL);
	struct kube *kube;
	struct watch *watch;
	int want[N];
	bool was_cut;

	recorded_init(&world.recorded, "");
	world.recorded.answer = answer;
	world.recorded.context = &world;
	world.recorded.cut = cut;
	world.recorded.cut_again = again;
	kube = kube_new(&config, &world.recorded.http, &limits);
	watch = watch_objects(kube_api(kube), &source, &listener);
	recorded_run(&world.recorded, 120000, is_over, &world);
	was_cut = !world.recorded.cut;
	state_at(LAST, want);
	if (*world.wrong || !world.listed || memcmp(want, world.told, sizeof want) != 0) {
		if (!(*ret_wrong)++)
			tap_note("cut after %zu bytes: %s\n%s", cut, world.wrong, buf_text(&world.recorded.log));
	}
	watch_free(watch);
	kube_free(kube);
	recorded_release(&world.recorded);
	kubeconfig_release(&config);
	return was_cut;
}

int
main(void)
{
	static const int oldest[] = { 0, 5, LAST };

	for (size_t i = 0; i < ARRAY_LEN(oldest); i++) {
		size_t n = 1, wrong = 0;

		while (try_cut(oldest[i], n, 0, &wrong))
			n++;
		ok(n > 500, "%zu places to cut at", n);
		is_int((int64_t)wrong, 0, "cut at any of them, versions before %d being too old: what was told is what is there", oldest[i]);
		for (n = 300, wrong = 0; n < 500; n++)
			try_cut(oldest[i], n, n, &wrong);
		is_int((int64_t)wrong, 0, "and cut again and again");
	}
	return done_testing();
}
