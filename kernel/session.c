#include "config.h"

#include "kernel/session.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/handshake.h"
#include "kernel/heartbeat.h"
#include "kernel/iopub_queue.h"
#include "kernel/server.h"
#include "kernel/signals.h"
#include "kernel/thread.h"

enum {
	PARENT_PERIOD = 1000, /* ms between two looks at whether the parent lives */
	/* ms that a cell may take to end. What it has started gets two seconds of that to end by itself; a client sends
	 * SIGTERM, which changes nothing then, after 2.5 s, and SIGKILL after 5 s. */
	STOP_WAIT = 3000,
};

struct kernel {
	struct session session;
	struct server server;
	struct connection connection;
	pid_t parent; /* who started us and shall not be outlived; 0: nobody */
	int control_wake; /* eventfd: signals, and the shell loop's end */
	atomic_bool shell_done;
	atomic_flag language_ended;
	pthread_t control, heartbeat;
	char *own_file; /* a connection file that we wrote and shall remove, or NULL */
};

/* Only when the variable names our parent: under a supervisor or in a container it may be anybody. */
static pid_t
watched_parent(void)
{
	const char *text = getenv("JPY_PARENT_PID");
	long pid = text ? strtol(text, NULL, 10) : 0;

	return pid > 1 && pid == (long)getppid() ? (pid_t)pid : 0;
}

static void
end_language(struct kernel *kernel)
{
	const struct language *language = kernel->session.language;

	if (language->ops->shutdown && !atomic_flag_test_and_set(&kernel->language_ended))
		language->ops->shutdown(language->self);
}

/* The cell did not end when it was asked to. */
static void
force_end(struct kernel *kernel)
{
	end_language(kernel);
	server_stop_publishing(&kernel->server);
	_exit(0);
}

/* Returns when the shell loop has ended. */
static void
await_shell(struct kernel *kernel)
{
	int64_t until = clock_ms() + STOP_WAIT;

	wakeup_send(kernel->server.shell_wake);
	while (!atomic_load(&kernel->shell_done)) {
		int64_t left = until - clock_ms();
		zmq_pollitem_t item = { .fd = kernel->control_wake, .events = ZMQ_POLLIN };

		if (left <= 0)
			force_end(kernel);
		zmq_poll(&item, 1, (long)left);
		wakeup_clear(kernel->control_wake);
	}
}

static void
look_at_signals(struct kernel *kernel)
{
	wakeup_clear(kernel->control_wake);
	if (signals_interrupted())
		session_interrupt(&kernel->session);
	if (signals_terminated())
		session_stop(&kernel->session);
}

static void *
control_run(void *data)
{
	struct kernel *kernel = data;
	zmq_pollitem_t items[] = {
		{ .socket = kernel->server.channels.sockets[CHANNEL_CONTROL], .events = ZMQ_POLLIN },
		{ .fd = kernel->control_wake, .events = ZMQ_POLLIN },
	};
	struct request *request;

	while (!atomic_load(&kernel->session.stopping)) {
		zmq_poll(items, 2, kernel->parent ? PARENT_PERIOD : -1);
		if (items[1].revents)
			look_at_signals(kernel);
		if (kernel->parent && getppid() != kernel->parent)
			session_stop(&kernel->session);
		while (!atomic_load(&kernel->session.stopping) &&
			(request = server_take(&kernel->server, CHANNEL_CONTROL)))
			session_control_request(&kernel->session, request);
	}
	await_shell(kernel);
	return NULL;
}

/* A second look after waking finds what came while the last request was served: zmq_poll tells edges as levels. */
static void
shell_run(struct kernel *kernel)
{
	zmq_pollitem_t items[] = {
		{ .socket = kernel->server.channels.sockets[CHANNEL_SHELL], .events = ZMQ_POLLIN },
		{ .fd = kernel->server.shell_wake, .events = ZMQ_POLLIN },
	};

	while (!atomic_load(&kernel->session.stopping)) {
		struct request *request = session_next_held(&kernel->session);

		if (!request)
			request = server_take(&kernel->server, CHANNEL_SHELL);
		if (request) {
			session_shell_request(&kernel->session, request);
			continue;
		}
		zmq_poll(items, 2, -1);
		if (items[1].revents)
			wakeup_clear(kernel->server.shell_wake);
	}
}

/* *ret_write: where the connection with its real ports shall be written, or NULL. */
static int
read_connection(struct kernel *kernel, const char *path, const char **ret_write, struct error *err)
{
	bool missing;

	*ret_write = NULL;
	if (connection_read(&kernel->connection, path, &missing, err) < 0)
		return -1;
	if (missing) {
		connection_new(&kernel->connection);
		kernel->own_file = xstrdup(path);
	}
	for (size_t i = 0; i < N_CHANNELS && kernel->connection.kind == CONNECTION_LISTEN; i++)
		if (!kernel->connection.ports[i])
			*ret_write = path;
	return 0;
}

/* The file by which others find a registered kernel is a courtesy: without it the kernel works. */
static int
announce(struct kernel *kernel, const char *write_to, struct error *err)
{
	struct connection *connection = &kernel->connection;

	if (connection->kind == CONNECTION_LISTEN)
		return write_to ? connection_write(connection, write_to, err) : 0;
	if (handshake_register(kernel->server.channels.context, connection, kernel->server.proto, err) < 0)
		return error_prefix(err, "registration at port %d", connection->registration_port);
	kernel->own_file = handshake_file(connection);
	if (kernel->own_file && connection_write(connection, kernel->own_file, NULL) < 0)
		freep(&kernel->own_file);
	return 0;
}

static int
start_threads(struct kernel *kernel, struct error *err)
{
	kernel->control_wake = wakeup_new(err);
	if (kernel->control_wake < 0)
		return -1;
	signals_catch(kernel->control_wake);
	if (heartbeat_start(kernel->server.channels.sockets[CHANNEL_HB], &kernel->heartbeat, err) < 0)
		return -1;
	kernel->server.channels.sockets[CHANNEL_HB] = NULL; /* the thread's now */
	return thread_start(&kernel->control, "control", control_run, kernel, err);
}

static int
start(struct kernel *kernel, const struct session_options *options, struct error *err)
{
	int64_t stall = options->stall_ms > 0 ? options->stall_ms : IOPUB_STALL_LIMIT;
	const char *write_to;

	if (read_connection(kernel, options->connection_file, &write_to, err) < 0 ||
		server_open(&kernel->server, &kernel->connection, stall, options->verbose, err) < 0 ||
		announce(kernel, write_to, err) < 0)
		return -1;
	return start_threads(kernel, err);
}

static void
finish(struct kernel *kernel)
{
	signals_catch(-1);
	server_stop_publishing(&kernel->server);
	if (kernel->server.channels.context)
		zmq_ctx_shutdown(kernel->server.channels.context);
	if (kernel->heartbeat)
		pthread_join(kernel->heartbeat, NULL);
	server_close(&kernel->server);
	if (kernel->control_wake >= 0)
		close(kernel->control_wake);
	if (kernel->own_file)
		unlink(kernel->own_file);
	free(kernel->own_file);
	connection_release(&kernel->connection);
}

/* One malloc arena: a kernel's threads allocate little, and each arena costs private memory. */
int
session_main(const struct session_options *options, const struct language *language, struct error *err)
{
	struct kernel kernel = { .control_wake = -1, .parent = watched_parent() };
	struct history *history = history_new(options->history_file);
	int rc;

	mallopt(M_ARENA_MAX, 1);
	atomic_init(&kernel.shell_done, false);
	atomic_flag_clear(&kernel.language_ended);
	session_init(&kernel.session, language, &kernel.server.transport, history, &kernel.connection);
	rc = start(&kernel, options, err);
	if (!rc) {
		shell_run(&kernel);
		end_language(&kernel);
		atomic_store(&kernel.shell_done, true);
		wakeup_send(kernel.control_wake);
		pthread_join(kernel.control, NULL);
	}
	finish(&kernel);
	session_release(&kernel.session);
	history_free(history);
	return rc;
}
