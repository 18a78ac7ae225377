/* Runs in the background: a thread each, which drives or watches one run, here or on a cluster, and shows it in the output of the
 * cell that has begun it, past that cell's end. What `start`, `attach`, `wait` and a run on a cluster that is waited for share.
 *
 * The thread alone writes the run (runtime/run.h says who may look, and how). To let go of a run on this machine ends it; to let go
 * of one on a cluster ends the watching and never the run. All functions are for the thread that carries out cells, but for
 * backgrounds_end. */
#ifndef KERNEL_BACKGROUND_H
#define KERNEL_BACKGROUND_H

#include <signal.h>

#include "dsl/diag.h"
#include "dsl/scope.h"
#include "kernel/language.h"
#include "runtime/local.h"

struct background;
struct backgrounds; /* those of one interpreter */

struct background_request {
	struct plan *plan; /* of an `attach` NULL: what the cluster knows of it */
	struct local_args args;
	size_t jobs;
	const struct cluster *cluster; /* NULL and `where` NULL: on this machine */
	const char *where; /* the store's text about a cluster, see kernel/target.h */
	const char *attach; /* a run that is there already, by name, id or token; NULL: a new one */
	struct plan *known; /* of an `attach`: taken if the run has the steps of this; or NULL */
	const char *experiment; /* or NULL */
	struct span span; /* what problems are told at */
	struct output *output;
	bool stays; /* the display goes on after the cell; otherwise whoever began it waits */
	bool no_logs; /* of a run on a cluster: they are not fetched */
	bool quiet; /* no display */
	bool echo; /* what the steps write is passed on to the output */
	int wake; /* readable once *interrupted is set; -1: none */
	const volatile sig_atomic_t *interrupted; /* or NULL */
};

struct backgrounds *backgrounds_new(void);
/* Ends all: runs here are stopped, those on clusters no longer watched. Waits at most `patience` milliseconds (-1: as long as it
 * takes) and returns whether all have ended. From any thread, also beside what still goes on. */
bool backgrounds_end(struct backgrounds *set, int patience);
void backgrounds_free(struct backgrounds *set); /* ends them first; NULL is fine */

/* Returns once the run has begun and its display is there; NULL when it could not be begun: diags says why, or, without an error in
 * it, the person has interrupted. */
struct background *background_start(struct backgrounds *set, const struct background_request *request, struct diags *diags);
/* The one that drives that run; NULL once it has ended and in between another was started. */
struct background *background_of(struct backgrounds *set, const struct run *run);
struct run *background_run(const struct background *background); /* The id of its display; "" if it has none. */
const char *background_display(const struct background *background);
/* held by it */
bool background_is_there(const struct background *background); /* on a cluster */
bool background_ended(const struct background *background);
/* Waits for the end. false: the person has interrupted. */
bool background_wait(struct background *background, int wake, const volatile sig_atomic_t *interrupted);
/* The same for at most so many milliseconds; false then, too. */
bool background_wait_for(struct background *background, int wake, const volatile sig_atomic_t *interrupted, int timeout);
/* Shows it no longer, and waits until nothing is shown any more; the run goes on where it is. Only of runs on clusters. */
void background_let_go(struct background *background);
/* Asks a run of this machine to end; the second time at once. */
void background_end(struct background *background);
void background_told(struct background *background); /* how it ended */
/* Why it is no longer watched, one sentence, once it has ended without its run having ended; else NULL. */
const char *background_problem(const struct background *background);

bool background_is_told(const struct background *background); /* or there is nothing to say */

/* One after the other, also those that have ended unless all is said of them; NULL at the end. *at starts at 0. */
struct background *backgrounds_next(struct backgrounds *set, size_t *at);

#endif
