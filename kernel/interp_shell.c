/* `!command`: a shell under a warden of its own (runtime/warden.h), so that none of its processes outlives the kernel. */
#include "config.h"

#include "kernel/interp_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/warden.h"

extern char **environ;

enum { PIECE = 64 * 1024, GRACE_MS = 2000 };

struct shell {
	struct warden *warden;
	int out, err; /* read ends; -1 at their end */
	bool ended;
	struct report report; /* of the shell itself, once it has ended */
};

/* The write ends go to the shell; here only the read ends stay. */
static int
shell_spawn(struct shell *shell, const char *command, int out, int err_fd, struct error *err)
{
	CLEANUP(freep) char *copy = xstrdup(command);
	CLEANUP(freep) char *cwd = getcwd(NULL, 0);
	char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, copy, NULL };
	struct spawn spawn = { .path = "/bin/sh", .argv = argv, .envp = environ, .cwd = cwd ? cwd : "/", .output = out, .error = err_fd };

	return warden_spawn(shell->warden, 1, &spawn, err);
}

static int
shell_start(struct shell *shell, const char *command, struct error *err)
{
	int out[2], errors[2], rc;

	if (pipe2(out, O_CLOEXEC) < 0)
		return error_errno(err, errno, "no pipe");
	if (pipe2(errors, O_CLOEXEC) < 0) {
		close(out[0]);
		close(out[1]);
		return error_errno(err, errno, "no pipe");
	}
	shell->out = out[0];
	shell->err = errors[0];
	fcntl(shell->out, F_SETFL, O_NONBLOCK);
	fcntl(shell->err, F_SETFL, O_NONBLOCK);
	shell->warden = warden_start(GRACE_MS, err);
	rc = shell->warden ? shell_spawn(shell, command, out[1], errors[1], err) : -1;
	close(out[1]);
	close(errors[1]);
	return rc;
}

static void
shell_release(struct shell *shell)
{
	warden_free(shell->warden);
	if (shell->out >= 0)
		close(shell->out);
	if (shell->err >= 0)
		close(shell->err);
}

/* Passes on what is there; true while there may be more. Closes the descriptor at its end. */
static bool
pump(struct act *act, int *fd, bool is_stderr)
{
	char bytes[PIECE];
	ssize_t n = *fd < 0 ? 0 : read(*fd, bytes, sizeof bytes);

	if (n > 0) {
		act->output->ops->stream(act->output, is_stderr, bytes, (size_t)n);
		return true;
	}
	if (*fd >= 0 && (n == 0 || (errno != EINTR && errno != EAGAIN))) {
		close(*fd);
		*fd = -1;
	}
	return false;
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* An interrupt goes to the whole group; what does not end in time is killed. */
static void
pass_interrupt(struct act *act, struct shell *shell, int64_t *deadline)
{
	if (act->interp->interrupted && !*deadline) {
		warden_signal(shell->warden, 1, SIGINT);
		*deadline = now_ms() + GRACE_MS;
	} else if (*deadline && now_ms() > *deadline) {
		warden_signal(shell->warden, 1, SIGKILL);
	}
}

/* Until the shell has ended, and all that it wrote has been passed on. */
static void
shell_run(struct act *act, struct shell *shell)
{
	int64_t deadline = 0;

	while (!shell->ended) {
		struct pollfd fds[] = { { .fd = shell->out, .events = POLLIN },
					{ .fd = shell->err, .events = POLLIN },
					{ .fd = warden_fd(shell->warden), .events = POLLIN },
					{ .fd = deadline ? -1 : act->interp->wake, .events = POLLIN } };

		if (poll(fds, ARRAY_LEN(fds), deadline ? 100 : -1) < 0 && errno != EINTR)
			BUG("poll: %s", strerror(errno));
		pass_interrupt(act, shell, &deadline);
		pump(act, &shell->out, false);
		pump(act, &shell->err, true);
		if (fds[2].revents && warden_next(shell->warden, &shell->report) != 0)
			shell->ended = true;
	}
	while (pump(act, &shell->out, false) || pump(act, &shell->err, true))
		;
}

static void
say_status(struct act *act, const struct report *report)
{
	char text[96] = "";

	if (report->kind == REPORT_KILLED)
		snprintf(text, sizeof text, "ended by signal %d (%s)\n", report->number, strsignal(report->number));
	else if (report->kind == REPORT_EXITED && report->number)
		snprintf(text, sizeof text, "exit status %d\n", report->number);
	if (*text)
		act->output->ops->stream(act->output, true, text, strlen(text));
}

int
act_shell(struct act *act)
{
	struct shell shell = { .out = -1, .err = -1 };
	struct error err;
	int rc = shell_start(&shell, act->action->text, &err);

	if (rc == 0)
		shell_run(act, &shell);
	shell_release(&shell);
	if (rc < 0)
		return act_fail(act, DIAG_L0803, "%s", err.text);
	if (act->interp->interrupted)
		return act_interrupted(act);
	if (shell.report.kind == REPORT_FAILED)
		return act_fail(act, DIAG_L0803, "cannot start a shell: %s", strerror(shell.report.number));
	say_status(act, &shell.report);
	return 0;
}
