/* The pods of a workflow that wait: they are watched, and of one that stays where it is the events are fetched, for conditions do
 * not tell of volumes, networks and images all that there is to tell.
 *
 * It lives on the api's http. What cannot be seen (no right to list pods) is told once, and is no failure of the run. */
#ifndef RUNTIME_CLUSTER_PODS_H
#define RUNTIME_CLUSTER_PODS_H

#include "runtime/cluster/api.h"
#include "runtime/cluster/workflow.h"

enum {
	PODS_QUIET = 3000, /* milliseconds after which a pod that is still being made is asked about … */
	PODS_AGAIN = 15000, /* … and again */
	PODS_EVENTS_MAX = 100, /* of one pod */
	PODS_EVENTS_BYTES_MAX = 1024 * 1024,
	PODS_MAX = 20000, /* that are kept in mind */
};

struct pods_listener {
	/* The pod of that node does not run yet; its object and its events, the oldest first. NULL: it does, or has ended, or is gone. */
	void (*waits)(void *context, const char *node_id, const struct value *pod, const struct value *const *events, size_t n_events);
	/* Pods cannot be seen. The last call. */
	void (*failed)(void *context, const struct api_failure *failure);
	void *context;
};

struct pods;

/* Of the workflow of that name; never NULL. */
struct pods *pods_new(struct api *api, const char *namespace_, const char *workflow, const struct pods_listener *listener);
void pods_free(struct pods *pods); /* NULL is fine */

/* The pod of a node that was seen; NULL: none was. `pods` may be NULL. */
const char *pods_find(const struct pods *pods, const char *node_id);
/* The name that Argo gives the pod of a node (its second version of such names, the usual one since 3.4), in the arena. */
const char *pods_name(struct arena *arena, const char *workflow, const struct workflow_node *node);

#endif
