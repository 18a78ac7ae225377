/* Phases of steps and runs, as Argo names them. */
#ifndef RUNTIME_PHASE_H
#define RUNTIME_PHASE_H

#include <stdbool.h>

enum phase {
	PHASE_PENDING, /* not begun: waits for others, for a free place or for its next attempt */
	PHASE_RUNNING,
	PHASE_SUCCEEDED,
	PHASE_FAILED, /* its own doing: exit code, signal, timeout, or stopped */
	PHASE_ERROR, /* the world around it: could not be started, an output is missing or not of its type */
	PHASE_SKIPPED, /* its condition did not hold */
	PHASE_OMITTED, /* what it depends on did not succeed, or the run was stopped before it */
};

enum { PHASE_COUNT = PHASE_OMITTED + 1 };

const char *phase_name(enum phase phase); /* "Succeeded" */
int phase_from_name(const char *name, enum phase *ret); /* -1 if it is none */
bool phase_ended(enum phase phase); /* neither Pending nor Running */
bool phase_bad(enum phase phase); /* Failed or Error */
bool phase_ran(enum phase phase); /* Succeeded, Failed or Error: what Argo calls completed */

#endif
