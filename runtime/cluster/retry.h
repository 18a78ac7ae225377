/* What a Workflow object becomes when the run is retried, as Argo's own client does it (its `retry`, observed with v3.7):
 *
 * - what failed or could not be started goes, with all that came after it and with its pod: attempts, Omitted and Skipped steps;
 *   so do, with `from`, the steps of that name and all that depends on them. A failed step is let be where something after it
 *   succeeded, as after `continue`.
 * - what they stand in is Running again and without an end: DAGs, steps, loops, and the Retry node above failed attempts.
 * - the exit handler's nodes go.
 * - the run itself is Running, without a message, an end, or the label `completed`; one that was stopped or terminated is so no
 *   longer.
 *
 * The object keeps its resourceVersion, so that to put it is refused when somebody has changed it in between. */
#ifndef RUNTIME_CLUSTER_RETRY_H
#define RUNTIME_CLUSTER_RETRY_H

#include "runtime/cluster/kube.h"

enum { RETRY_NODES_MAX = 200000 };

struct retry {
	const struct value *workflow; /* to be put in place of the old one, once the pods are gone */
	const char *const *pods; /* names of those to be deleted; some may not be there any more */
	size_t n_pods;
};

/* `from` NULL: only what failed. -1 with *ret_failure set: it still runs, it has succeeded and there is no `from`, there is no such
 * step, the status cannot be read. `now_ms` is what the new times say. */
int retry_formulate(struct arena *arena, const struct value *workflow, const char *from, int64_t now_ms, struct retry *ret,
		    struct api_failure *ret_failure);
/* The name of a Pod node's pod; NULL when the node is none. */
const char *retry_pod_name(struct arena *arena, const struct value *workflow, const struct value *node);

#endif
