#include "config.h"

#include "runtime/cluster/forward_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STACK = 512 * 1024, BACKLOG = 64 };

/* ---- threads ---- */

int
forward_thread(pthread_t *ret, void *(*run)(void *), void *data)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the threads that know of them */
	rc = pthread_create(ret, &attributes, run, data);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return rc;
}

void
forward_note_failure(struct forward *forward, const struct api_failure *failure)
{
	pthread_mutex_lock(&forward->lock);
	forward->state.failed++;
	forward->state.failure = *failure;
	forward->state.failure.answer = NULL; /* its arena goes with the connection */
	pthread_mutex_unlock(&forward->lock);
}

void
forward_count(struct forward *forward, size_t sent, size_t received)
{
	pthread_mutex_lock(&forward->lock);
	forward->state.sent += sent;
	forward->state.received += received;
	pthread_mutex_unlock(&forward->lock);
}

void
forward_count_links(struct forward *forward, int more)
{
	pthread_mutex_lock(&forward->lock);
	if (more > 0)
		forward->state.opened++;
	forward->state.open = more > 0 ? forward->state.open + 1 : forward->state.open - 1;
	pthread_mutex_unlock(&forward->lock);
}

/* ---- the listener ---- */

static void
join_link(struct forward *forward, size_t place)
{
	struct forward_link *link = forward->links.items[place];

	pthread_join(link->thread, NULL);
	free(link);
	forward->links.items[place] = forward->links.items[--forward->links.n];
}

static void
join_done(struct forward *forward)
{
	for (size_t i = forward->links.n; i-- > 0;)
		if (forward->links.items[i]->done)
			join_link(forward, i);
}

static void
begin_link(struct forward *forward, int local)
{
	struct forward_link *link = xcalloc(1, sizeof *link);

	link->forward = forward;
	link->local = local;
	forward_count_links(forward, 1);
	if (forward->links.n < FORWARD_LINKS_MAX && !forward_thread(&link->thread, forward_link_run, link)) {
		vec_push(&forward->links, link);
		return;
	}
	forward_count_links(forward, -1);
	close(local);
	free(link);
}

static void *
listen_on(void *data)
{
	enum { REAP = 1000 }; /* milliseconds between two looks for connections that have ended */
	struct forward *forward = data;
	struct pollfd fds[] = { { .fd = forward->listener, .events = POLLIN }, { .fd = forward->stop_fd, .events = POLLIN } };

	while (!forward->stopping) {
		int local;

		poll(fds, ARRAY_LEN(fds), forward->links.n ? REAP : -1);
		join_done(forward);
		local = accept4(forward->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (local >= 0)
			begin_link(forward, local);
		else if (errno == EMFILE || errno == ENFILE)
			usleep(100 * 1000); /* it stays readable */
	}
	while (forward->links.n)
		join_link(forward, 0);
	return NULL;
}

static int
open_listener(struct forward *forward, int local_port, struct error *err)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)local_port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof address;
	int one = 1;

	forward->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (forward->listener < 0)
		return error_errno(err, errno, "there is no socket to be had");
	setsockopt(forward->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(forward->listener, (struct sockaddr *)&address, sizeof address) || listen(forward->listener, BACKLOG) ||
	    getsockname(forward->listener, (struct sockaddr *)&address, &len))
		return error_errno(err, errno, "port %d of this machine cannot be listened on", local_port);
	forward->state.port = ntohs(address.sin_port);
	return 0;
}

/* ---- life ---- */

static bool
is_stopping(void *context)
{
	const struct forward *forward = context;

	return forward->stopping;
}

/* Does it run? A person who may forward but not look is let through: the first connection will tell. */
static int
check_pod(struct kube *kube, const char *namespace_, const char *pod, struct api_failure *ret_failure)
{
	struct arena *arena = arena_new();
	const char *path = arena_printf(arena, "/api/v1/namespaces/%s/pods/%s", api_escaped(arena, namespace_), api_escaped(arena, pod)), *phase;
	struct api_request request = { .method = "GET", .path = path, .right = { "get", "", "pods", namespace_ }, .repeatable = true };
	const struct value *answer = kube_call(kube, &request, arena, ret_failure);
	int rc = answer || ret_failure->kind == API_FORBIDDEN ? 0 : -1;

	ret_failure->answer = NULL;
	phase = value_text(value_get(value_get(answer, "status"), "phase"));
	if (answer && (!phase || strcmp(phase, "Running") != 0)) {
		rc = api_refuse(ret_failure, API_REFUSED, "the pod `%s` is %s, so none of its ports can be reached", pod, phase ? phase : "in no phase");
		api_say(ret_failure->help, "%s", phase && !strcmp(phase, "Pending") ? "try again once it runs" : "only a pod that runs has ports");
	}
	arena_free(arena);
	return rc;
}

/* What can fail of the start; what was made is forward_free's to release. */
static int
start(struct forward *forward, int local_port, struct error *err)
{
	int rc;

	if (curl_library_open(&forward->curl, err))
		return -1;
	forward->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (forward->stop_fd < 0)
		return error_errno(err, errno, "there is no eventfd to be had");
	if (open_listener(forward, local_port, err))
		return -1;
	rc = forward_thread(&forward->thread, listen_on, forward);
	return rc ? error_errno(err, rc, "there is no thread to be had") : 0;
}

static void
release(struct forward *forward)
{
	if (forward->listener >= 0)
		close(forward->listener);
	if (forward->stop_fd >= 0)
		close(forward->stop_fd);
	if (forward->curl.library)
		curl_library_close(&forward->curl);
	kube_free(forward->kube);
	pthread_mutex_destroy(&forward->lock);
	pthread_mutex_destroy(&forward->signing);
	vec_release(&forward->links);
	free(forward->namespace_);
	free(forward->pod);
	free(forward->path);
	free(forward);
}

static char *
write_path(const char *namespace_, const char *pod, int port)
{
	struct buf path = { 0 };
	size_t len;

	buf_puts(&path, "/api/v1/namespaces/");
	api_write_escaped(&path, namespace_);
	buf_puts(&path, "/pods/");
	api_write_escaped(&path, pod);
	buf_printf(&path, "/portforward?ports=%d", port);
	return buf_detach(&path, &len);
}

struct forward *
forward_start(struct kube *kube, const char *namespace_, const char *pod, int port, int local_port, struct api_failure *ret_failure)
{
	struct forward *forward;
	struct exec_plugin_limits limits = { .stop = is_stopping };
	struct error err = { "" };

	*ret_failure = (struct api_failure){ .kind = API_REFUSED };
	if (port < 1 || port > 65535 || local_port < 0 || local_port > 65535) {
		api_refuse(ret_failure, API_REFUSED, "ports are numbers from 1 to 65535");
		return NULL;
	}
	if (check_pod(kube, namespace_, pod, ret_failure))
		return NULL;
	forward = xcalloc(1, sizeof *forward);
	limits.context = forward;
	*forward = (struct forward){ .namespace_ = xstrdup(namespace_), .pod = xstrdup(pod), .path = write_path(namespace_, pod, port), .port = port,
		.listener = -1, .stop_fd = -1 };
	pthread_mutex_init(&forward->lock, NULL);
	pthread_mutex_init(&forward->signing, NULL);
	/* One of its own, for credentials are not for two threads; nothing is asked by its http. */
	forward->kube = kube_new(kube_config(kube), NULL, &limits);
	if (!start(forward, local_port, &err))
		return forward;
	api_refuse(ret_failure, API_REFUSED, "%s", err.text);
	api_say(ret_failure->help, "%s", local_port ? "another port of this machine may be free" : "");
	release(forward);
	return NULL;
}

void
forward_poll(struct forward *forward, struct forward_state *ret)
{
	pthread_mutex_lock(&forward->lock);
	*ret = forward->state;
	pthread_mutex_unlock(&forward->lock);
}

void
forward_free(struct forward *forward)
{
	uint64_t one = 1;

	if (!forward)
		return;
	forward->stopping = true;
	if (write(forward->stop_fd, &one, sizeof one) != sizeof one)
		BUG("an eventfd takes no number");
	pthread_join(forward->thread, NULL);
	release(forward);
}
