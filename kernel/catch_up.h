/* The logs of a run on a cluster that nobody watches now: a look at it, in the background and without a display, fetches them into
 * the store while they are read there. */
#ifndef KERNEL_CATCH_UP_H
#define KERNEL_CATCH_UP_H

#include "kernel/background.h"
#include "kernel/steer.h"

enum { CATCH_UP_WAIT = 3000 }; /* milliseconds for what a run that goes on has written until now */

/* *ret is the look, or NULL when none is needed: the run is here, is watched, or had ended when it was last seen. *ret_run: the run's id in
 * the store, in the arena. Waits for what there is, unless it is followed. -1 with diags filled when the run is not known, or, without an
 * error, when the person has interrupted; what the store has of it can be read in spite of another problem, which is a warning then. */
int catch_up(struct backgrounds *set, const struct steer_request *request, struct background_request *look, bool follow, struct arena *arena,
	     struct background **ret, const char **ret_run, struct diags *diags);

#endif
