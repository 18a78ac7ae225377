#include "config.h"

#include "runtime/warden.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/macros.h"
#include "runtime/warden_private.h"

struct warden {
	int socket;
	pid_t pid;
};

struct warden *
warden_start(int grace_ms, struct error *err)
{
	CLEANUP(freep) struct warden_table *table = xcalloc(1, sizeof(*table));
	struct warden *warden;
	int ends[2];
	pid_t pid;

	table->grace_ms = grace_ms;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) {
		error_errno(err, errno, "cannot make a socket for the steps' processes");
		return NULL;
	}
	pid = fork();
	if (pid < 0) {
		error_errno(err, errno, "cannot start a process for the steps");
		close(ends[0]);
		close(ends[1]);
		return NULL;
	}
	if (!pid)
		warden_main(ends[1], table);
	close(ends[1]);
	warden = xcalloc(1, sizeof(*warden));
	warden->socket = ends[0];
	warden->pid = pid;
	return warden;
}

void
warden_free(struct warden *warden)
{
	if (!warden)
		return;
	close(warden->socket);
	while (waitpid(warden->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(warden);
}

int
warden_fd(const struct warden *warden)
{
	return warden->socket;
}

static void
add_string(struct buf *program, const char *text)
{
	buf_add(program, text, strlen(text) + 1);
}

static uint32_t
add_strings(struct buf *program, char *const *strings)
{
	uint32_t n = 0;

	for (; strings[n]; n++)
		add_string(program, strings[n]);
	return n;
}

/* A file in memory that holds the program; -1 with errno set. */
static int
program_file(const struct buf *program)
{
	int fd = memfd_create("lateen-step", MFD_CLOEXEC);

	for (size_t at = 0; fd >= 0 && at < program->len;) {
		ssize_t n = write(fd, program->data + at, program->len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			close(fd);
			return -1;
		}
		at += (size_t)n;
	}
	return fd;
}

static int
send_order(struct warden *warden, const struct order *order, const int *fds, size_t n_fds)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(ORDER_FDS * sizeof(int))];
	} control = { 0 };
	struct order copy = *order;
	struct iovec iov = { &copy, sizeof(copy) };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n_fds) {
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, n_fds * sizeof(int));
	}
	for (;;) {
		if (sendmsg(warden->socket, &message, MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno != EINTR)
			return -1;
	}
}

int
warden_spawn(struct warden *warden, uint64_t id, const struct spawn *spawn, struct error *err)
{
	struct order order = { .kind = ORDER_SPAWN, .id = id };
	struct buf program = { 0 };
	int fds[ORDER_FDS], result;

	add_string(&program, spawn->path);
	add_string(&program, spawn->cwd);
	order.n_argv = add_strings(&program, spawn->argv);
	order.n_envp = add_strings(&program, spawn->envp);
	order.size = program.len;
	fds[0] = program.overflow ? (errno = E2BIG, -1) : program_file(&program);
	fds[1] = spawn->output;
	fds[2] = spawn->error;
	result = fds[0] < 0 ? -1 : send_order(warden, &order, fds, ORDER_FDS);
	if (result)
		error_errno(err, errno, "cannot start `%s`", spawn->path);
	if (fds[0] >= 0)
		close(fds[0]);
	buf_release(&program);
	return result;
}

void
warden_signal(struct warden *warden, uint64_t id, int number)
{
	struct order order = { .kind = ORDER_SIGNAL, .id = id, .number = number };

	send_order(warden, &order, NULL, 0);
}

int
warden_next(struct warden *warden, struct report *ret)
{
	for (;;) {
		ssize_t n = recv(warden->socket, ret, sizeof(*ret), MSG_DONTWAIT);

		if (n == (ssize_t)sizeof(*ret))
			return 1;
		if (n < 0 && errno == EINTR)
			continue;
		return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : -1;
	}
}
