/* A run on this machine, watched: started, shown live, interrupted on request, and its failure told as a diagnostic at the line
 * that made the step. What `NAME(...)` in a cell and `lateen run` share. */
#ifndef KERNEL_RUN_HERE_H
#define KERNEL_RUN_HERE_H

#include <signal.h>

#include "dsl/diag.h"
#include "kernel/language.h"
#include "runtime/local.h"

struct run_request {
	struct plan *plan;
	struct local_args args;
	size_t jobs;
	struct output *output;
	bool quiet; /* no display */
	bool echo; /* what the steps write is passed on to the output as it comes */
	int wake; /* a descriptor that is readable when `interrupted` was set; -1: none */
	const volatile sig_atomic_t *interrupted; /* or NULL */
	/* Called about once a second while it goes on and once when it has ended, in the calling thread; or NULL. */
	void (*watch)(void *context, const struct run *run);
	void *watch_context;
};

/* The run when it has ended, however it ended; the caller's to unref. NULL when it could not be started: diags says why. */
struct run *run_here(const struct run_request *request, struct diags *diags);

/* Adds why a run could not be started. */
void run_explain_start(const struct plan *plan, const struct local_problem *problem, struct diags *diags);
/* Adds what went wrong with a run that did not succeed: the step, why, and its last lines. */
void run_explain(const struct run *run, struct diags *diags);

#endif
