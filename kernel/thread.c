#include "config.h"

#include "kernel/thread.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { STACK_SIZE = 256 * 1024, DEEP_STACK_SIZE = 8 * 1024 * 1024 };

static int
start(pthread_t *ret, size_t stack, const char *name, void *(*run)(void *), void *data, struct error *err)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int rc;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, stack);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(ret, &attr, run, data);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (rc)
		return error_errno(err, rc, "cannot start the %s thread", name);
	pthread_setname_np(*ret, name);
	return 0;
}

int
thread_start(pthread_t *ret, const char *name, void *(*run)(void *), void *data, struct error *err)
{
	return start(ret, STACK_SIZE, name, run, data, err);
}

int
thread_start_deep(pthread_t *ret, const char *name, void *(*run)(void *), void *data, struct error *err)
{
	return start(ret, DEEP_STACK_SIZE, name, run, data, err);
}

int64_t
clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int
wakeup_new(struct error *err)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	return fd < 0 ? error_errno(err, errno, "cannot make an eventfd") : fd;
}

void
wakeup_send(int fd)
{
	uint64_t one = 1;
	ssize_t n = write(fd, &one, sizeof one);

	(void)n; /* full means that the reader will wake anyway */
}

void
wakeup_clear(int fd)
{
	uint64_t count;
	ssize_t n = read(fd, &count, sizeof count);

	(void)n;
}
