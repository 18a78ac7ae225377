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

/* Where objects of a kind are kept. */
struct control_place {
	struct api *api;
	const char *namespace_, *plural; /* "cronworkflows" */
	const char *path, *query; /* of all of them; what is said behind it when one is made */
	const char *wrap; /* the member of the body that the object is; NULL: it is the body */
};

/* control_upload.c: makes the object, or takes the place of one that was made here. */
int control_put_template(const struct control_place *place, const char *name, const struct value *workflow, struct arena *arena,
			 const char **ret_id, struct api_failure *ret_failure);
int control_put_schedule(const struct control_place *place, const struct door_submission *submission, const struct door_schedule *schedule,
			 struct arena *arena, const char **ret_id, struct api_failure *ret_failure);

#endif
