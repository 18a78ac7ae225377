/* A run on this machine: the engine, processes, logs and the store, driven by whoever calls local_poll.
 *
 *     local = local_start(plan, &args, &options, &problem);
 *     while (local_poll(local, -1))
 *             ;
 *     run = run_ref(local_run(local));
 *     local_free(local);
 *
 * Everything happens in the calling thread, which must be the same for one run; only local_interrupt may come from anywhere,
 * also from a signal handler. No signal handler is installed and no child but the run's own warden is waited for. When the
 * process dies, however it dies, the run's processes die too, and what was written of the run stays. */
#ifndef RUNTIME_LOCAL_H
#define RUNTIME_LOCAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/source.h"
#include "dsl/plan.h"
#include "runtime/run.h"

struct local;

struct local_args {
	const struct value *const *values; /* plan->n_params, or NULL: all fallbacks; each may be NULL: its fallback */
	const struct secret *const *secrets; /* the same for Secret parameters */
};

/* All zero is fine. */
struct local_options {
	size_t jobs; /* attempts at once; 0: one for each processor */
	const char *project; /* the folder that relative paths start from, and that holds .lateen; NULL: the current one */
	const char *store; /* where the store is; NULL: $LATEEN_HOME or .lateen in the project */
	const char *programs; /* a folder that comes first on the steps' PATH, before our own; or NULL */
	int grace_ms; /* between TERM and KILL; 0: ten seconds */
	const struct run_observer *observers;
	size_t n_observers;
};

/* Why a run could not be started. */
struct local_problem {
	const char *code; /* "L0703", of dsl/errors.def */
	struct span span; /* the step it is about; source NULL: none */
	const char *help; /* a way out, or NULL */
	struct error error;
};

/* Checks what can be checked before anything is started, then starts. NULL with *ret_problem filled. */
struct local *local_start(struct plan *plan, const struct local_args *args, const struct local_options *options,
			  struct local_problem *ret_problem);
/* Ends what runs at once; a run that has not ended is then Failed. NULL is fine. */
void local_free(struct local *local);

/* Readable when local_poll has something to do. */
int local_fd(const struct local *local);
/* Waits at most timeout_ms (-1: as long as it takes) for something to happen and carries it on. Returns whether the run goes on. */
bool local_poll(struct local *local, int timeout_ms);
/* The live run; held by `local`, and by whoever refs it. */
struct run *local_run(const struct local *local);

/* Asks for the end: TERM to all, KILL after the grace; the second time KILL at once. Async-signal-safe. */
void local_interrupt(struct local *local);

#endif
