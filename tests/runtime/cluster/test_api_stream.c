/* Streams with credentials: refusals of every length, fresh credentials after a 401, cuts at every byte. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/cluster/api_stream.h"
#include "runtime/cluster/kube.h"
#include "tests/runtime/cluster/recorded.h"
#include "tests/tap.h"

struct world {
	struct recorded recorded;
	struct kubeconfig config;
	struct kube *kube;
	struct api_stream *stream;
	char close_in; /* 'b', 'c', 'e': closes itself when it began, came, ended */
	bool over;
	struct buf log;
};

static void
world_init(struct world *world, const char *replies, const char *plugin)
{
	struct exec_plugin_limits limits = { 0 };

	*world = (struct world){ .config = { .arena = arena_new(), .context = "prod", .from = "~/.kube/config", .server = "https://k:6443" } };
	if (plugin)
		world->config.exec = (struct kubeconfig_exec){ .command = plugin, .folder = ".", .version = "client.authentication.k8s.io/v1" };
	recorded_init(&world->recorded, replies);
	world->kube = kube_new(&world->config, &world->recorded.http, &limits);
}

static void
world_release(struct world *world)
{
	if (!world->over)
		api_stream_close(world->stream);
	is_int((int64_t)(world->recorded.streams.n + world->recorded.timers.n), 0, "nothing is left of it");
	kube_free(world->kube);
	recorded_release(&world->recorded);
	kubeconfig_release(&world->config);
	buf_release(&world->log);
}

static void
maybe_close(struct world *world, char where)
{
	if (world->close_in != where)
		return;
	api_stream_close(world->stream);
	buf_puts(&world->log, "closed\n");
	world->over = true;
}

static void
began(void *context, const struct http_reply *head)
{
	struct world *world = context;

	buf_printf(&world->log, "began %ld\n", head->status);
	maybe_close(world, 'b');
}

static void
came(void *context, const char *bytes, size_t n)
{
	struct world *world = context;

	buf_add(&world->log, bytes, n);
	maybe_close(world, 'c');
}

static void
ended(void *context, const struct api_stream_end *end)
{
	struct world *world = context;

	if (end->failure)
		buf_printf(&world->log, "failed %d %ld after `%s`: %.200s\n", (int)end->outcome, end->failure->status, end->retry_after, end->failure->what);
	else
		buf_puts(&world->log, "whole\n");
	maybe_close(world, 'e');
	world->over = true;
}

static bool
is_over(void *context)
{
	const struct world *world = context;

	return world->over;
}

static void
run(struct world *world)
{
	struct api_stream_listener listener = { began, came, ended, world };
	char path[] = "/log";
	struct api_request request = { .path = path, .right = { "get", "", "pods/log", "ml" } };

	world->stream = api_stream_open(kube_api(world->kube), &request, &listener);
	memset(path, 'x', sizeof path - 1); /* it was copied */
	is_str(buf_text(&world->log), "", "nothing is told within open");
	recorded_run(&world->recorded, 60000, is_over, world);
}

#define STATUS(code, message) "{\"kind\":\"Status\",\"code\":" code ",\"message\":\"" message "\"}\n"

static const struct {
	const char *what, *mode, *replies, *want;
	char close_in;
} cases[] = {
	{ "a body", NULL, "> GET /log\n< 200 text/plain\none\ntwo\n", "began 200\none\ntwo\nwhole\n", 0 },
	{ "a cut", NULL, "> GET /log\n< 200 text/plain\none\n! cut gone\n", "began 200\none\nfailed 12 0 after ``: the connection to `https://k:6443` ended before the answer did: gone\n", 0 },
	{ "a refusal", NULL, "> GET /log\n< 404 application/json\n" STATUS("404", "no such pod"), "failed 0 404 after ``: `https://k:6443` says: no such pod\n", 0 },
	{ "a refusal in pieces", NULL, "> GET /log\n< 429 application/json\nRetry-After: 7\n@pieces 2\n" STATUS("429", "x"),
	  "failed 0 429 after `7`: `https://k:6443` has too much to do (429)\n", 0 },
	{ "a refusal that is cut", NULL, "> GET /log\n< 500 application/json\n{\"kind\":\"Sta\n! cut gone\n",
	  "failed 0 500 after ``: `https://k:6443` answered 500\n", 0 },
	{ "a refusal without an end", NULL, "> GET /log\n< 404 application/json\n" STATUS("404", "no such pod") "@hold\n",
	  "failed 0 404 after ``: `https://k:6443` says: no such pod\n", 0 },
	{ "401 with a plugin", "counting", "> GET /log\n< 401 application/json\n" STATUS("401", "no") "> GET /log\n< 200 text/plain\none\n", "began 200\none\nwhole\n", 0 },
	{ "401 twice", "counting", "> GET /log\n< 401 application/json\n" STATUS("401", "no") "> GET /log\n< 401 application/json\n" STATUS("401", "no"),
	  "failed 0 401 after ``: `https://k:6443` does not accept who you are (401)\n", 0 },
	{ "no credentials", "fails", "", "failed 0 0 after ``: the program that signs in", 0 },
	{ "closed when it began", NULL, "> GET /log\n< 200 text/plain\none\n", "began 200\nclosed\n", 'b' },
	{ "closed at its first piece", NULL, "> GET /log\n< 200 text/plain\none\ntwo\n", "began 200\none\nclosed\n", 'c' },
	{ "closed when it ended", NULL, "> GET /log\n< 200 text/plain\none\n", "began 200\none\nwhole\nclosed\n", 'e' },
	{ "closed when it was refused", NULL, "> GET /log\n< 404 application/json\n" STATUS("404", "no such pod") "@hold\n",
	  "failed 0 404 after ``: `https://k:6443` says: no such pod\nclosed\n", 'e' },
};

static void
test_cases(const char *plugin, const char *count)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct world world;

		setenv("FAKE_PLUGIN", cases[i].mode ? cases[i].mode : "", 1);
		unlink(count);
		world_init(&world, cases[i].replies, cases[i].mode ? plugin : NULL);
		world.close_in = cases[i].close_in;
		run(&world);
		contains(buf_text(&world.log), cases[i].want, "%s", cases[i].what);
		ok(!strstr(buf_text(&world.log), "hunter2"), "nothing secret is told");
		ok(recorded_is_done(&world.recorded), "all was asked");
		world_release(&world);
	}
}

/* A refusal of 100 MB: it is told as soon as API_STREAM_REFUSAL_MAX bytes of it are there, and the rest is not taken. */
static char *
refuse_at_length(void *context, const char *path)
{
	struct buf text = { 0 };
	size_t len;

	(void)context;
	(void)path;
	buf_puts(&text, "< 403 application/json\n");
	for (int i = 0; i < 100 * 16; i++) {
		buf_repeat(&text, ' ', 65535);
		buf_putc(&text, '\n');
	}
	return buf_detach(&text, &len);
}

static void
test_long(void)
{
	struct world world;

	world_init(&world, "", NULL);
	world.recorded.answer = refuse_at_length;
	run(&world);
	contains(buf_text(&world.log), "failed 0 403", "a refusal of 100 MB is told");
	world_release(&world);
}

/* Cut after any byte, the body is what came, and its end is told as none. */
static void
test_cuts(void)
{
	static const char reply[] = "> GET /log\n< 200 text/plain\none two\nthree\nfour\n";
	size_t wrong = 0, n = sizeof "one two\nthree\nfour\n" - 1;

	for (size_t cut = 1; cut <= n; cut++) {
		struct buf want = { 0 };
		struct world world;

		world_init(&world, reply, NULL);
		world.recorded.cut = cut;
		run(&world);
		buf_printf(&want, "began 200\n%.*sfailed 12 0", (int)cut, "one two\nthree\nfour\n");
		wrong += strncmp(buf_text(&world.log), buf_text(&want), want.len) != 0;
		buf_release(&want);
		world_release(&world);
	}
	is_int((int64_t)wrong, 0, "a stream cut at any of %zu bytes is no whole one", n);
}

int
main(void)
{
	CLEANUP(freep) char *plugin = test_path("tests/runtime/cluster/fake_plugin.sh"), *folder = test_temp_dir();
	char count[512];

	snprintf(count, sizeof count, "%s/count", folder);
	setenv("FAKE_COUNT", count, 1);
	test_cases(plugin, count);
	test_long();
	test_cuts();
	test_remove_tree(folder);
	return done_testing();
}
