/* What the files of the Argo door share. */
#ifndef RUNTIME_CLUSTER_DOOR_ARGO_PRIVATE_H
#define RUNTIME_CLUSTER_DOOR_ARGO_PRIVATE_H

#include "runtime/cluster/door_argo.h"

struct door_argo {
	struct door door;
	struct argo *argo;
	char *namespace_; /* what door.namespace_ points at */
};

/* "/api/v1/workflows/NS/NAME" and what comes behind, each part escaped; `name` NULL: of the namespace. */
const char *door_argo_path(struct arena *arena, const char *kind, const char *namespace_, const char *name, const char *behind);
const struct value *door_argo_call(struct door *door, const char *method, const char *path, const struct value *body, const char *verb,
				   struct arena *arena, struct api_failure *ret_failure);
/* The object, from the archive where it is gone from the cluster. */
const struct value *door_argo_object(struct door *door, const struct door_run *run, struct arena *arena, struct api_failure *ret_failure);

/* door_argo_runs.c */
int door_argo_submit(struct door *door, const struct door_submission *submission, struct arena *arena, struct door_run *ret,
		     struct api_failure *ret_failure);
int door_argo_list(struct door *door, const struct door_list *which, struct arena *arena, struct door_run **ret, size_t *ret_n,
		   struct api_failure *ret_failure);

/* door_argo_log.c */
int door_argo_artifact(struct door *door, const struct door_run *run, const char *node, const char *name, size_t max, struct buf *ret,
		       struct api_failure *ret_failure);
struct door_log *door_argo_log(struct door *door, const struct door_log_request *request, const struct door_log_listener *listener);
void door_argo_unlog(struct door *door, struct door_log *log);

#endif
