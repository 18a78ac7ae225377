/* What the calls on Workflow objects share; nobody else includes it. */
#ifndef RUNTIME_CLUSTER_CONTROL_PRIVATE_H
#define RUNTIME_CLUSTER_CONTROL_PRIVATE_H

#include "runtime/cluster/control.h"

#define CONTROL_GROUP "/apis/argoproj.io/v1alpha1"
#define CONTROL_MERGE "application/merge-patch+json"

/* Sets *ret to something that the cluster was not asked about, or has refused for this reason. Returns -1. */
int control_fail(struct api_failure *ret, const char *help, const char *format, ...) PRINTF_LIKE(3, 4);
/* A name or namespace of Kubernetes: nothing else may become part of a path. */
bool control_is_name(const char *text);
/* Where the run lives: its own namespace, else the door's. */
const char *control_namespace(const struct door *door, const struct door_run *run);
/* The path of a thing of Argo's in a namespace; `name` NULL: of all. */
const char *control_path(struct arena *arena, const char *namespace_, const char *plural, const char *name);
/* The run's object, which is the one that is meant: of the same uid where that is known. */
const struct value *control_fetch(struct door *door, const struct door_run *run, struct arena *arena, struct api_failure *ret_failure);
bool control_has_ended(const struct value *workflow);
int64_t control_now(const struct door *door); /* milliseconds since 1970 */
const struct value *control_time(struct arena *arena, int64_t now_ms); /* RFC 3339, to the second */

#endif
