/* `check P on TARGET` and `lateen check FILE --on TARGET`: a compiled pipeline against a real cluster, without starting it.
 * What runtime/cluster/preflight finds becomes diagnostics at the lines of the program that it is about. */
#ifndef KERNEL_CLUSTER_CHECK_H
#define KERNEL_CLUSTER_CHECK_H

#include "base/buf.h"
#include "dsl/diag.h"
#include "dsl/scope.h"

struct cluster_check {
	const struct cluster *cluster;
	const struct plan *plan;
	struct span span; /* for what is about no step */
	bool (*stop)(void *context); /* may be NULL */
	void *context;
};

/* Errors and warnings go to diags. Appends a line of what was checked when there is no error. Returns -1 when the user stopped it. */
int cluster_check(const struct cluster_check *request, struct diags *diags, struct buf *ret_summary);

#endif
