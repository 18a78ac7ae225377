/* The way into a cluster by the Argo server's REST API (door.h). Nodes that Argo has offloaded to its database, and runs that it has
 * archived, are to be had here only. */
#ifndef RUNTIME_CLUSTER_DOOR_ARGO_H
#define RUNTIME_CLUSTER_DOOR_ARGO_H

#include "runtime/cluster/argo.h"
#include "runtime/cluster/door.h"

/* Borrows http, and kube (NULL: none is known; else pods and events are asked of it), and what the options point at. Never NULL. */
struct door *door_argo_new(struct http *http, struct kube *kube, const char *namespace_, const struct argo_options *options);

#endif
