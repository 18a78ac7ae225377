#include "config.h"

#include "kernel/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/macros.h"
#include "kernel/thread.h"

static atomic_int wake = -1;
static atomic_bool interrupted, terminated;

static void
on_signal(int number)
{
	int saved = errno, fd = atomic_load(&wake);

	atomic_store(number == SIGINT ? &interrupted : &terminated, true);
	if (fd >= 0)
		wakeup_send(fd);
	errno = saved;
}

/* A write to a reader that is gone shall fail and no more. */
static void
on_broken_pipe(int number UNUSED)
{
}

/* Handlers, not a blocked mask or SIG_IGN: what a cell starts would inherit those, while exec resets handlers. */
void
signals_catch(int wake_fd)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = wake_fd < 0 ? SIG_DFL : on_signal, .sa_flags = SA_RESTART };

	sigemptyset(&action.sa_mask);
	atomic_store(&wake, wake_fd);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		sigaction(numbers[i], &action, NULL);
	action.sa_handler = wake_fd < 0 ? SIG_DFL : on_broken_pipe;
	sigaction(SIGPIPE, &action, NULL);
}

bool
signals_interrupted(void)
{
	return atomic_exchange(&interrupted, false);
}

bool
signals_terminated(void)
{
	return atomic_exchange(&terminated, false);
}
