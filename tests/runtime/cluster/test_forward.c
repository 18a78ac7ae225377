/* Ports of pods on this machine, against a TLS server that behaves as the pod's name says (portforward.py). */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/cluster/forward.h"
#include "tests/runtime/cluster/api_server.h"
#include "tests/tap.h"

struct world {
	struct api_server server;
	struct kubeconfig config;
	struct http *http;
	struct kube *kube;
};

static int
dial(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct timeval patience = { .tv_sec = 20 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (connect(fd, (struct sockaddr *)&address, sizeof address))
		BUG("port %d: %s", port, strerror(errno));
	return fd;
}

/* All that comes until the end, or until `n` bytes are there. */
static void
read_from(int fd, struct buf *ret, size_t n)
{
	while (ret->len < n) {
		char bytes[65536];
		ssize_t got = recv(fd, bytes, sizeof bytes, 0);

		if (got < 0 && errno == EINTR) /* the plugin has ended */
			continue;
		if (got <= 0)
			return;
		buf_add(ret, bytes, (size_t)got);
	}
}

static void
say(int fd, const char *text)
{
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		tap_note("%s", strerror(errno));
}

/* The last failure is told when the connection has ended for the local side, or shortly after. */
static void
wait_for_links(struct forward *forward, struct forward_state *ret)
{
	for (int i = 0; i < 1000; i++) {
		forward_poll(forward, ret);
		if (!ret->open)
			return;
		usleep(10000);
	}
}

static struct forward *
start(struct world *world, const char *pod)
{
	struct api_failure failure;
	struct forward *forward = forward_start(world->kube, "ml", pod, 8080, 0, &failure);

	ok(forward != NULL, "a forward to `%s` begins%s%s", pod, forward ? "" : ": ", forward ? "" : failure.what);
	return forward;
}

/* ---- */

static const struct {
	const char *pod, *say, *want; /* all that comes */
	const char *failure, *help; /* parts; NULL: it does not fail */
} cases[] = {
	{ "echo", "bye now\n", "BYE\n", NULL, NULL },
	{ "bytewise", "bye\n", "BYE\n", NULL, NULL },
	{ "parts", "", "one two three\n", NULL, NULL },
	{ "ping", "bye\n", NULL, NULL, NULL },
	{ "expired", "bye\n", "BYE\n", NULL, NULL },
	{ "refused", "x", "", "nothing listens on port 8080 in the pod `refused`", "must do so on 0.0.0.0 or localhost" },
	{ "gone", "x", "", "port 8080 of the pod `gone` cannot be reached: the sandbox is gone", "still runs" },
	{ "masked", "x", "", "the connection to port 8080 of the pod `masked` ended: a WebSocket frame of the server has a mask", "proxy" },
	{ "code", "x", "", "ended: the server closed it with code 1011", "proxy" },
	{ "denied", "x", "", "you may not forward ports of pods in the namespace `ml` (403)", "resources: [\"pods/portforward\"], verbs: [\"get\", \"create\"]" },
	{ "plain", "x", "", "does not forward port 8080 of the pod `plain` over WebSocket: status 403", "kubectl port-forward" },
	{ "nonsense", "x", "", "is not HTTP/1.1", NULL },
	{ "liar", "x", "", "what answers speaks no WebSocket", NULL },
};

static void
test_one(struct world *world, size_t i)
{
	struct forward *forward = start(world, cases[i].pod);
	struct forward_state state;
	struct buf got = { 0 };
	int fd;

	if (!forward)
		return;
	forward_poll(forward, &state);
	fd = dial(state.port);
	say(fd, cases[i].say);
	read_from(fd, &got, SIZE_MAX);
	close(fd);
	wait_for_links(forward, &state);
	if (cases[i].want)
		is_str(buf_text(&got), cases[i].want, "%s: what comes", cases[i].pod);
	else
		contains(buf_text(&got), "BYE\n", "%s: what comes", cases[i].pod);
	if (!strcmp(cases[i].pod, "ping"))
		contains(buf_text(&got), "pong hello", "a ping is answered with what it holds");
	is_int((int64_t)state.failed, cases[i].failure != NULL, "%s: connections that failed%s%s", cases[i].pod, *state.failure.what ? ": " : "",
	       state.failure.what);
	if (cases[i].failure)
		contains(state.failure.what, cases[i].failure, "%s: what", cases[i].pod);
	if (cases[i].help)
		contains(state.failure.help, cases[i].help, "%s: help", cases[i].pod);
	ok(!strstr(state.failure.what, "hunter2"), "%s: nothing secret", cases[i].pod);
	forward_free(forward);
	buf_release(&got);
}

/* A frame that ends in the middle: nothing of it is handed on, and the local side sees the end. */
static void
test_cut(struct world *world)
{
	struct forward *forward = start(world, "cut");
	struct forward_state state;
	struct buf got = { 0 };
	int fd;

	forward_poll(forward, &state);
	fd = dial(state.port);
	read_from(fd, &got, SIZE_MAX);
	is_str(buf_text(&got), "", "half a frame is none");
	close(fd);
	buf_release(&got);
	forward_free(forward);
}

/* Several connections at once, each with its own talk. */
static void
test_many(struct world *world)
{
	enum { MANY = 12 };
	struct forward *forward = start(world, "echo");
	struct forward_state state;
	int fds[MANY];

	forward_poll(forward, &state);
	for (int i = 0; i < MANY; i++)
		fds[i] = dial(state.port);
	for (int round = 0; round < 3; round++) {
		size_t wrong = 0;

		for (int i = 0; i < MANY; i++) {
			char text[32];

			snprintf(text, sizeof text, "from %d in %d\n", i, round);
			say(fds[i], text);
		}
		for (int i = MANY; i-- > 0;) {
			char want[32];
			struct buf got = { 0 };

			snprintf(want, sizeof want, "FROM %d IN %d\n", i, round);
			read_from(fds[i], &got, strlen(want));
			wrong += strcmp(buf_text(&got), want) != 0;
			buf_release(&got);
		}
		is_int((int64_t)wrong, 0, "each of %d connections gets its own answer", MANY);
	}
	forward_poll(forward, &state);
	is_int((int64_t)state.open, MANY, "all of them are open");
	for (int i = 0; i < MANY / 2; i++)
		close(fds[i]);
	forward_free(forward);
	for (int i = MANY / 2; i < MANY; i++) {
		struct buf got = { 0 };

		read_from(fds[i], &got, 1);
		is_int((int64_t)got.len, 0, "the end of the forward ends what is open");
		close(fds[i]);
	}
}

/* The local side says that it will send no more, and still gets its answer. */
static void
test_half_closed(struct world *world)
{
	struct forward *forward = start(world, "echo");
	struct forward_state state;
	struct buf got = { 0 };
	int fd;

	forward_poll(forward, &state);
	fd = dial(state.port);
	say(fd, "late\n");
	shutdown(fd, SHUT_WR);
	read_from(fd, &got, 5);
	is_str(buf_text(&got), "LATE\n", "an answer to one who has ended");
	close(fd);
	buf_release(&got);
	forward_free(forward);
}

/* 13 MB from the pod to a reader that begins late, and what a pod does not take must not pile up here. */
static void
test_flood(struct world *world)
{
	struct forward *forward = start(world, "flood");
	struct forward_state state;
	struct buf got = { 0 };
	size_t wrong = 0, sent = 0;
	char *bytes = xcalloc(1, 1 << 20);
	int fd;

	forward_poll(forward, &state);
	fd = dial(state.port);
	usleep(300000);
	read_from(fd, &got, SIZE_MAX);
	is_int((int64_t)got.len, 200 * 8 * 8192, "all of a flood comes");
	for (size_t i = 0; i < got.len / 8; i++) {
		char want[16];

		snprintf(want, sizeof want, "%07u\n", (unsigned)(i / 8192));
		wrong += memcmp(got.data + i * 8, want, 8) != 0;
	}
	is_int((int64_t)wrong, 0, "in order");
	close(fd);
	buf_release(&got);
	forward_free(forward);
	forward = start(world, "deaf");
	forward_poll(forward, &state);
	fd = dial(state.port);
	for (int i = 0; i < 200; i++) {
		ssize_t n = send(fd, bytes, 1 << 20, MSG_NOSIGNAL | MSG_DONTWAIT);

		sent += n > 0 ? (size_t)n : 0;
		usleep(n > 0 ? 0 : 5000);
	}
	forward_poll(forward, &state);
	ok(state.sent <= sent && sent < 100 * 1024 * 1024, "a pod that takes nothing stops the local side: after %zu bytes", sent);
	close(fd);
	forward_free(forward);
	free(bytes);
}

static void
test_starts(struct world *world)
{
	static const struct {
		const char *pod;
		int port, local;
		const char *what, *help;
	} starts[] = {
		{ "nowhere", 80, 0, "pods \"nowhere\" not found", "kubectl get pods" },
		{ "pending", 80, 0, "the pod `pending` is Pending, so none of its ports can be reached", "once it runs" },
		{ "echo", 0, 0, "ports are numbers from 1 to 65535", "" },
		{ "echo", 80, 70000, "ports are numbers from 1 to 65535", "" },
		{ "echo", 80, -2, "port %d of this machine cannot be listened on: Address already in use", "another port" },
	};
	struct forward *forward = start(world, "echo");
	struct forward_state state;

	forward_poll(forward, &state);
	for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
		struct api_failure failure;
		char want[256];
		int local = starts[i].local == -2 ? state.port : starts[i].local;
		struct forward *other = forward_start(world->kube, "ml", starts[i].pod, starts[i].port, local, &failure);

		snprintf(want, sizeof want, "%s", starts[i].what);
		if (strstr(want, "%d"))
			snprintf(want, sizeof want, "port %d of this machine cannot be listened on: Address already in use", local);
		ok(!other, "`%s` %d %d cannot begin", starts[i].pod, starts[i].port, local);
		contains(failure.what, want, "and why");
		contains(failure.help, starts[i].help, "and what to do");
		forward_free(other);
	}
	forward_free(forward);
	forward_free(NULL);
}

int
main(void)
{
	struct exec_plugin_limits limits = { 0 };
	CLEANUP(freep) char *plugin = test_path("tests/runtime/cluster/fake_plugin.sh");
	struct world world;
	char count[512], url[64];

	if (!api_server_start(&world.server)) {
		api_server_stop(&world.server);
		skip_all("there is no python3 or openssl to make a TLS server of");
	}
	snprintf(count, sizeof count, "%s/count", world.server.folder);
	setenv("FAKE_COUNT", count, 1);
	setenv("FAKE_PLUGIN", "counting", 1);
	snprintf(url, sizeof url, "https://127.0.0.1:%d", world.server.good);
	world.config = (struct kubeconfig){ .arena = arena_new(), .context = "prod", .from = "~/.kube/config", .server = url, .namespace_ = "ml",
		.authority = { world.server.ca, strlen(world.server.ca) },
		.exec = { .command = plugin, .folder = ".", .version = "client.authentication.k8s.io/v1" } };
	world.http = http_curl_new();
	world.kube = kube_new(&world.config, world.http, &limits);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		test_one(&world, i);
	test_cut(&world);
	test_half_closed(&world);
	test_many(&world);
	test_flood(&world);
	test_starts(&world);
	kube_free(world.kube);
	http_free(world.http);
	kubeconfig_release(&world.config);
	api_server_stop(&world.server);
	return done_testing();
}
