/* Outputs by file of runs on clusters, fetched when somebody looks at them: they lie in a bucket there until then. */
#ifndef KERNEL_FETCH_H
#define KERNEL_FETCH_H

#include "base/value.h"
#include "runtime/run.h"

enum { FETCH_WAIT = 30000 }; /* milliseconds until what the cluster knows of the run must be there */

struct fetch_request {
	const struct run *run;
	size_t step, output; /* of the plan; by file */
	int wake; /* readable once `stop` would say true; -1: none */
	bool (*stop)(void *context);
	void *context;
};

/* The file's path on this machine; of a step in a loop a List of them. NULL with *err set, also when the run is not on a cluster. */
const struct value *fetch_output(const struct fetch_request *request, struct arena *arena, struct error *err);

#endif
