/* What the parts of the preflight share; nobody else includes it. */
#ifndef RUNTIME_CLUSTER_PREFLIGHT_PRIVATE_H
#define RUNTIME_CLUSTER_PREFLIGHT_PRIVATE_H

#include "runtime/cluster/needs.h"
#include "runtime/cluster/preflight.h"

struct flight {
	struct preflight *ret;
	struct arena *arena; /* the preflight's */
	struct kube *kube;
	const char *server; /* for messages */
	const char *namespace_;
	const struct value *workflow;
	bool no_namespace; /* it is not there: nothing in it is looked for */
};

/* The finding's why and template may be filled in; it stays until the next is added. */
struct preflight_finding *flight_add(struct flight *flight, enum preflight_kind kind, const char *what, const char *how);
/* A failure as a finding of its kind. `while_doing` is what could not be looked at, for failures that are no findings by themselves. */
struct preflight_finding *flight_add_failure(struct flight *flight, const struct api_failure *failure, const char *while_doing);
const char *flight_print(struct flight *flight, const char *format, ...) PRINTF_LIKE(2, 3);

/* preflight_nodes.c */
void flight_check_nodes(struct flight *flight, const struct needs *needs);
/* preflight_things.c */
void flight_check_things(struct flight *flight, const struct needs *needs);

#endif
