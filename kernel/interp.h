/* The interpreter of cells: checks each against what the notebook knows, carries out what it asks for, and keeps what it
 * binds. One interpreter is one notebook. Nothing here knows of messages; all output goes to a `struct output`. */
#ifndef KERNEL_INTERP_H
#define KERNEL_INTERP_H

#include "base/source.h"
#include "dsl/scope.h"
#include "kernel/language.h"

struct interp;

struct interp_options {
	struct resolver *resolver; /* borrowed */
	long jobs; /* steps at the same time; 0: the number of processors */
	bool colour; /* ANSI colours in tracebacks */
};

struct interp *interp_new(const struct interp_options *options);
void interp_free(struct interp *interp);

/* Checks and carries out one cell. The outcome is the caller's to release. */
void interp_execute(struct interp *interp, struct source *source, struct output *output, struct execute_outcome *ret_outcome);
/* The end of a program: waits for the runs in the background on this machine, and says of those on clusters that they go on. Returns
 * whether all that ended here succeeded; an interrupt ends them. */
bool interp_finish(struct interp *interp, struct output *output);
/* Ends what runs, soon. From any thread or signal handler; nothing if nothing runs. */
void interp_interrupt(struct interp *interp);

/* As the session sees it; lives as long as the interpreter. */
struct language interp_language(struct interp *interp);

#endif
