/* The nodes of a Workflow object's status, which Argo keeps as they are, or compressed once the object grows past 1 MiB
 * (status.compressedNodes: gzip, then base64), or in a database of its own (status.offloadNodeStatusVersion). */
#ifndef RUNTIME_CLUSTER_NODES_H
#define RUNTIME_CLUSTER_NODES_H

#include "runtime/cluster/kube.h"

enum { NODES_BYTES_MAX = 128 * 1024 * 1024 }; /* of what is packed, as JSON */

/* A Dict by node id, empty where the run has none yet. NULL with *ret_failure set when they are not to be had from the object. */
const struct value *nodes_of(struct arena *arena, const struct value *workflow, struct api_failure *ret_failure);
/* The object with these nodes, kept in the way in which it had them. */
const struct value *nodes_put(struct arena *arena, const struct value *workflow, const struct value *nodes);

#endif
