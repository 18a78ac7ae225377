/* The ports of pods that are reachable on this machine, as `forward` makes them: each stays until all are freed. */
#ifndef KERNEL_FORWARDS_H
#define KERNEL_FORWARDS_H

#include "kernel/steer.h"

struct forwards;

struct forwards *forwards_new(void);
void forwards_free(struct forwards *forwards); /* closes all; NULL is fine */

/* The port of the step's running pod, reachable at the same number here where that is free. Says where in *said. `step`: as the
 * program names it, with the place in a loop perhaps. */
int forwards_add(struct forwards *forwards, const struct steer_request *request, const char *step, int port, struct diags *diags,
		 struct buf *said);
/* Connections that have failed since the last call, in words; empty where none has. A line each for what and what to try. */
void forwards_news(struct forwards *forwards, struct buf *said);

#endif
