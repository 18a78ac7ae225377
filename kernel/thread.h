/* Threads, and a clock that does not go back. */
#ifndef KERNEL_THREAD_H
#define KERNEL_THREAD_H

#include <pthread.h>
#include <stdint.h>

#include "base/error.h"

/* Starts a thread that takes no signals, so that they reach the one that runs cells. */
int thread_start(pthread_t *ret, const char *name, void *(*run)(void *), void *data, struct error *err);
/* The same with a stack for what recurses: expressions, JSON. */
int thread_start_deep(pthread_t *ret, const char *name, void *(*run)(void *), void *data, struct error *err);
/* Milliseconds. */
int64_t clock_ms(void);
/* For code that sleeps in poll: an eventfd, never blocking, closed on exec. */
int wakeup_new(struct error *err);
void wakeup_send(int fd); /* async-signal-safe */
void wakeup_clear(int fd);

#endif
