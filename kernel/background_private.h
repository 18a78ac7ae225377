/* What the parts of kernel/background*.c share. Not for others. */
#ifndef KERNEL_BACKGROUND_PRIVATE_H
#define KERNEL_BACKGROUND_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "kernel/background.h"
#include "kernel/live.h"

/* How a run is driven: one table for this machine, one for clusters. All but `wanted` are called in the thread. */
struct driver {
	/* The run, with the observer; NULL with diags filled, or stopped. */
	struct run *(*start)(struct background *background, const struct background_request *request,
			     const struct run_observer *observer, struct diags *diags);
	/* Waits at most timeout milliseconds (-1: as long as it takes), or until `wake` is readable, and carries on. false: nothing
	 * more will come. */
	bool (*go_on)(struct background *background, int timeout);
	/* It shall end; called again while it has not. Returns whether it is still to be driven to its end. */
	bool (*end)(struct background *background);
	void (*close)(struct background *background);
};

extern const struct driver background_here, background_there;

struct background {
	const struct driver *driver;
	void *driven; /* the driver's */
	struct arena *arena; /* of what of the request must stay */
	struct local_args args; /* in the arena */
	struct run *run; /* held; set before the start is told */
	struct output *output;
	bool stays, echo, quiet;
	struct live *live; /* the thread's */
	char display_id[LIVE_ID_SIZE]; /* of what it is shown in; "": it is not shown; set before `begun` */
	pthread_t thread;
	bool joined;
	bool told_of; /* the person knows how it ended */
	int wake; /* eventfd: `ends` was set */
	int done; /* eventfd: readable once the thread has ended */
	atomic_uint ends; /* how often its end was asked for */
	atomic_bool ended;
	char *problem; /* set before `ended` */
	pthread_mutex_t lock;
	pthread_cond_t told;
	bool begun; /* the start is over, well or not; under lock */
	/* of the start only */
	const struct background_request *request;
	struct diags *diags;
};

/* Has the end been asked for? For calls that may take long. */
bool background_stops(void *background);

#endif
