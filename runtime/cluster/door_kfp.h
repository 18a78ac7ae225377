/* The way into a cluster by the API of Kubeflow Pipelines (door.h). What it has not: suspend and resume, retry from a step, logs that
 * are followed by the server (they are asked for again and again), times in logs, a time zone of a recurring run.
 *
 * A run's token stands in its description, by which the server finds it; so a submission whose answer was lost is looked for and
 * never sent twice. */
#ifndef RUNTIME_CLUSTER_DOOR_KFP_H
#define RUNTIME_CLUSTER_DOOR_KFP_H

#include "runtime/cluster/door.h"
#include "runtime/cluster/kfp.h"

/* Borrows http, and kube (NULL: none is known), and what the options point at. Never NULL. */
struct door *door_kfp_new(struct http *http, struct kube *kube, const struct kfp_options *options);

/* The parameters of an uploaded version, a List of {"name", "value"} as the server has them (no "value": it is required); NULL with
 * *ret_failure set. */
const struct value *door_kfp_parameters(struct door *door, const char *version, struct arena *arena, struct api_failure *ret_failure);
/* The version that a pipeline of that name runs by default; NULL with *ret_failure set. */
const char *door_kfp_version(struct door *door, const char *pipeline, struct arena *arena, struct api_failure *ret_failure);

#endif
