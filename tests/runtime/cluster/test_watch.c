/* Lists and watches over recorded replies, faults, and a clock of their own. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/cluster/kube.h"
#include "runtime/cluster/watch.h"
#include "tests/cases.h"
#include "tests/runtime/cluster/recorded.h"
#include "tests/tap.h"

struct world {
	struct recorded recorded;
	struct kubeconfig config;
	struct kube *kube;
	struct arena *arena;
	struct watch *watch;
	bool failed;
	size_t free_after; /* frees the watch within the nth call of the listener; 0: not */
	size_t calls;
};

static void
world_init(struct world *world, const char *replies, const char *plugin)
{
	struct exec_plugin_limits limits = { 0 };

	*world = (struct world){ .arena = arena_new() };
	world->config = (struct kubeconfig){ .arena = arena_new(), .context = "prod", .from = "~/.kube/config", .server = "https://k:6443",
		.namespace_ = "ml" };
	if (plugin)
		world->config.exec = (struct kubeconfig_exec){ .command = plugin, .folder = ".", .version = "client.authentication.k8s.io/v1" };
	recorded_init(&world->recorded, replies);
	world->kube = kube_new(&world->config, &world->recorded.http, &limits);
}

static void
world_release(struct world *world)
{
	watch_free(world->watch);
	is_int((int64_t)world->recorded.streams.n + (int64_t)world->recorded.timers.n, 0, "nothing is left of a watch that was freed");
	kube_free(world->kube);
	recorded_release(&world->recorded);
	kubeconfig_release(&world->config);
	arena_free(world->arena);
}

static void
called(struct world *world)
{
	if (++world->calls != world->free_after)
		return;
	watch_free(world->watch);
	world->watch = NULL;
	buf_puts(&world->recorded.log, "freed\n");
}

/* ---- what is told ---- */

static void
say_failure(struct world *world, const char *word, const struct api_failure *failure)
{
	struct buf *log = &world->recorded.log;

	buf_printf(log, "%s", word);
	if (failure)
		buf_printf(log, ": %s\n  help: %s\n", failure->what, strstr(failure->help, "fake_plugin.sh") ? "names the plugin" : failure->help);
	else
		buf_puts(log, "\n");
	called(world);
}

static void
object_came(void *context, enum watch_change change, const struct value *object)
{
	static const char *const words[] = { "added", "modified", "deleted" };
	struct world *world = context;

	buf_printf(&world->recorded.log, "%s ", words[change]);
	value_write_json(&world->recorded.log, object);
	buf_putc(&world->recorded.log, '\n');
	called(world);
}

static void
objects_listed(void *context)
{
	struct world *world = context;

	buf_puts(&world->recorded.log, "listed\n");
	called(world);
}

static void
reached(void *context, const struct api_failure *failure)
{
	say_failure(context, failure ? "lost" : "reached", failure);
}

static void
failed(void *context, const struct api_failure *failure)
{
	struct world *world = context;

	world->failed = true;
	say_failure(world, "failed", failure);
}

static bool
has_failed(void *context)
{
	const struct world *world = context;

	return world->failed || !world->watch;
}

static void
watch_pods(struct world *world)
{
	struct watch_listener listener = { object_came, objects_listed, reached, failed, world };
	struct watch_source source = watch_source_kube(world->arena, "/api/v1", "ml", "pods", NULL, "run=a/b");

	world->watch = watch_objects(kube_api(world->kube), &source, &listener);
}

/* ---- cases ---- */

static void
test_case(struct case_file *file, struct test_case *test, const char *plugin)
{
	struct world world;

	world_init(&world, case_text(test, "replies"), case_text(test, "user") ? plugin : NULL);
	if (case_text(test, "free after"))
		world.free_after = strtoul(case_text(test, "free after"), NULL, 10);
	watch_pods(&world);
	is_str(buf_text(&world.recorded.log), "", "nothing is asked or told before poll");
	recorded_run(&world.recorded, case_text(test, "milliseconds") ? strtol(case_text(test, "milliseconds"), NULL, 10) : 60000, has_failed, &world);
	if (!recorded_is_done(&world.recorded))
		buf_printf(&world.recorded.log, "not asked: %s", world.recorded.at);
	case_is(file, test, "expected", buf_text(&world.recorded.log), world.recorded.log.len);
	world_release(&world);
}

/* ---- size ---- */

/* A list of 100 objects of `size` bytes. */
static char *
list_at_length(const char *path, size_t size)
{
	struct buf text = { 0 };
	size_t len;

	if (strstr(path, "watch=true"))
		return xstrdup("< 200 application/json\n@hold\n");
	buf_puts(&text, "< 200 application/json\n{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[\n");
	for (int i = 0; i < 100; i++) {
		buf_printf(&text, "%s{\"metadata\":{\"uid\":\"u%d\",\"name\":\"n\"},\"x\":\"", i ? "," : "", i);
		buf_repeat(&text, 'x', size);
		buf_puts(&text, "\"}\n");
	}
	buf_puts(&text, "]}\n");
	return buf_detach(&text, &len);
}

static char *
list_large(void *context, const char *path)
{
	(void)context;
	return list_at_length(path, 500 * 1000);
}

static char *
list_endless(void *context, const char *path)
{
	struct buf text = { 0 };
	size_t len;

	(void)context;
	(void)path;
	buf_puts(&text, "< 200 application/json\n{\"items\":[{\"metadata\":{\"uid\":\"u\"},\"x\":\"\n");
	for (int i = 0; i < 3 * WATCH_OBJECT_MAX / 65536; i++) {
		buf_repeat(&text, 'x', 65535);
		buf_putc(&text, '\n');
	}
	buf_puts(&text, "@hold\n");
	return buf_detach(&text, &len);
}

static void
count(void *context, enum watch_change change, const struct value *object)
{
	struct world *world = context;

	(void)change;
	(void)object;
	world->calls++;
}

static void
test_size(void)
{
	struct watch_listener listener = { count, NULL, reached, failed, NULL };
	struct watch_source source;
	struct world world;

	world_init(&world, "", NULL);
	listener.context = &world;
	source = watch_source_kube(world.arena, "/api/v1", "ml", "pods", NULL, NULL);
	world.recorded.answer = list_large;
	world.watch = watch_objects(kube_api(world.kube), &source, &listener);
	recorded_run(&world.recorded, 1000, has_failed, &world);
	is_int((int64_t)world.calls, 100, "a list of 50 MB is told object by object");
	world_release(&world);
	world_init(&world, "", NULL);
	listener.context = &world;
	source = watch_source_kube(world.arena, "/api/v1", "ml", "pods", NULL, NULL);
	world.recorded.answer = list_endless;
	world.watch = watch_objects(kube_api(world.kube), &source, &listener);
	recorded_run(&world.recorded, 100000, has_failed, &world);
	contains(buf_text(&world.recorded.log), "failed: what `https://k:6443` says of the pods in the namespace `ml` cannot be read: an object is longer than 8388608 bytes",
		 "an object without an end fails, after a few tries");
	world_release(&world);
}

int
main(void)
{
	char *plugin = test_path("tests/runtime/cluster/fake_plugin.sh");
	char *folder = test_temp_dir(), count[512];
	struct case_file file;

	snprintf(count, sizeof count, "%s/count", folder);
	setenv("FAKE_COUNT", count, 1);
	setenv("FAKE_PLUGIN", "counting", 1);
	cases_open(&file, "tests/runtime/cluster/watch.cases");
	for (size_t i = 0; i < file.n_cases; i++) {
		unlink(count);
		test_case(&file, &file.cases[i], plugin);
	}
	cases_close(&file);
	test_size();
	test_remove_tree(folder);
	free(folder);
	free(plugin);
	return done_testing();
}
