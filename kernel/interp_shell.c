#include "config.h"

#include "kernel/interp_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* A running `!command`: its process group and the read ends of its output. */
struct shell {
	pid_t pid;
	int out, err;
};

enum { PIECE = 64 * 1024, GRACE_MS = 2000 };

static int
spawn(const char *command, int out, int err, pid_t *ret_pid)
{
	char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, xstrdup(command), NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, defaults;
	int rc;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&files, err, STDERR_FILENO);
	posix_spawnattr_init(&attributes);
	sigemptyset(&none);
	sigfillset(&defaults);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawn(ret_pid, "/bin/sh", &files, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	freep(&argv[2]);
	return rc;
}

static int
shell_start(struct shell *shell, const char *command)
{
	int out[2], err[2], rc;

	if (pipe2(out, O_CLOEXEC) < 0)
		return errno;
	if (pipe2(err, O_CLOEXEC) < 0) {
		rc = errno;
		close(out[0]);
		close(out[1]);
		return rc;
	}
	rc = spawn(command, out[1], err[1], &shell->pid);
	close(out[1]);
	close(err[1]);
	shell->out = out[0];
	shell->err = err[0];
	if (rc) {
		close(out[0]);
		close(err[0]);
	}
	return rc;
}

/* Passes on what is there; closes the descriptor at its end. */
static void
pump(struct act *act, int *fd, bool is_stderr)
{
	char bytes[PIECE];
	ssize_t n = read(*fd, bytes, sizeof bytes);

	if (n > 0) {
		act->output->ops->stream(act->output, is_stderr, bytes, (size_t)n);
		return;
	}
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	close(*fd);
	*fd = -1;
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until both pipes are at their end. An interrupt sends INT to the group, and KILL when it has not ended in time. */
static void
stream_output(struct act *act, struct shell *shell)
{
	int64_t deadline = 0;

	while (shell->out >= 0 || shell->err >= 0) {
		struct pollfd fds[] = { { .fd = shell->out, .events = POLLIN },
					{ .fd = shell->err, .events = POLLIN },
					{ .fd = deadline ? -1 : act->interp->wake, .events = POLLIN } };

		if (poll(fds, ARRAY_LEN(fds), deadline ? 100 : -1) < 0 && errno != EINTR)
			BUG("poll: %s", strerror(errno));
		if (act->interp->interrupted && !deadline) {
			kill(-shell->pid, SIGINT);
			deadline = now_ms() + GRACE_MS;
		}
		if (deadline && now_ms() > deadline) {
			kill(-shell->pid, SIGKILL);
			return;
		}
		if (fds[0].revents)
			pump(act, &shell->out, false);
		if (fds[1].revents)
			pump(act, &shell->err, true);
	}
}

/* The shell's end: its pipes may be at their end while it still runs, and background children may hold them open. */
static int
wait_shell(struct act *act, pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), status = 0;

	while (pidfd >= 0 && !act->interp->interrupted) {
		struct pollfd fds[] = { { .fd = pidfd, .events = POLLIN }, { .fd = act->interp->wake, .events = POLLIN } };

		if (poll(fds, ARRAY_LEN(fds), -1) > 0 && (fds[0].revents & POLLIN))
			break;
	}
	if (act->interp->interrupted)
		kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pidfd >= 0)
		close(pidfd);
	return status;
}

static void
say_status(struct act *act, int status)
{
	char text[64] = "";

	if (WIFSIGNALED(status))
		snprintf(text, sizeof text, "ended by signal %d (%s)\n", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		snprintf(text, sizeof text, "exit status %d\n", WEXITSTATUS(status));
	if (*text)
		act->output->ops->stream(act->output, true, text, strlen(text));
}

int
act_shell(struct act *act)
{
	struct shell shell;
	int status, rc = shell_start(&shell, act->action->text);

	if (rc)
		return act_fail(act, DIAG_L0803, "cannot start a shell: %s", strerror(rc));
	stream_output(act, &shell);
	if (shell.out >= 0)
		close(shell.out);
	if (shell.err >= 0)
		close(shell.err);
	status = wait_shell(act, shell.pid);
	if (act->interp->interrupted)
		return act_interrupted(act);
	say_status(act, status);
	return 0;
}
