/* What the parts of the preflight share; nobody else includes it. */
#ifndef RUNTIME_CLUSTER_PREFLIGHT_PRIVATE_H
#define RUNTIME_CLUSTER_PREFLIGHT_PRIVATE_H

#include "runtime/cluster/needs.h"
#include "runtime/cluster/preflight.h"

struct flight_reply;

struct flight {
	struct preflight *ret;
	struct arena *arena; /* the preflight's */
	struct kube *kube;
	const char *server; /* for messages */
	const char *namespace_;
	const struct value *workflow;
	bool no_namespace; /* it is not there: nothing in it is looked for */
	bool beside; /* a server stands before the cluster, and it is that which creates workflows */
	VEC(struct flight_reply *) replies; /* to what was foreseen */
};

/* The finding's why and template may be filled in; it stays until the next is added. */
struct preflight_finding *flight_add(struct flight *flight, enum preflight_kind kind, const char *what, const char *how);
/* A failure as a finding of its kind. `while_doing` is what could not be looked at, for failures that are no findings by themselves. */
struct preflight_finding *flight_add_failure(struct flight *flight, const struct api_failure *failure, const char *while_doing);
const char *flight_print(struct flight *flight, const char *format, ...) PRINTF_LIKE(2, 3);
/* A request for a GET in the namespace; the path is what comes behind it. */
struct api_request flight_get(struct flight *flight, const char *group_path, const char *group, const char *plural, const char *name);

/* preflight_ask.c. What is foreseen is sent all at once by flight_send; flight_call then has the answer without asking, or asks. */
void flight_foresee(struct flight *flight, const struct api_request *request);
void flight_send(struct flight *flight);
const struct value *flight_call(struct flight *flight, const struct api_request *request, struct arena *arena,
				struct api_failure *ret_failure);
void flight_forget(struct flight *flight);

/* Each part has what it will ask (foresee_…) and what it makes of the answers (check_…). */
/* preflight.c; false: nothing else need be asked. */
void flight_foresee_dry_run(struct flight *flight);
bool flight_check_dry_run(struct flight *flight);
/* preflight_nodes.c */
void flight_foresee_nodes(struct flight *flight);
void flight_check_nodes(struct flight *flight, const struct needs *needs);
/* What the workflow needs besides: the parts below, where there is something to look at. */
void flight_check_needs(struct flight *flight, const struct needs *needs);
/* preflight_things.c */
void flight_foresee_things(struct flight *flight, const struct needs *needs);
void flight_check_things(struct flight *flight, const struct needs *needs);
/* preflight_limits.c */
void flight_foresee_limits(struct flight *flight);
void flight_check_limits(struct flight *flight, const struct needs *needs);
/* preflight_volumes.c */
void flight_foresee_volumes(struct flight *flight);
void flight_check_volumes(struct flight *flight, const struct needs *needs);
/* preflight_controller.c */
void flight_foresee_controller(struct flight *flight, const struct needs *needs);
void flight_check_controller(struct flight *flight, const struct needs *needs);
/* preflight_object.c: nothing is asked. */
void flight_check_size(struct flight *flight);
void flight_check_parameters(struct flight *flight);

#endif
