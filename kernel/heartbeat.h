/* The echo by which clients see that the kernel lives: a thread of its own, for a client declares death after a second. */
#ifndef KERNEL_HEARTBEAT_H
#define KERNEL_HEARTBEAT_H

#include <pthread.h>

#include "base/error.h"

/* Echoes on the socket until its context ends, then closes it. */
int heartbeat_start(void *socket, pthread_t *ret, struct error *err);

#endif
