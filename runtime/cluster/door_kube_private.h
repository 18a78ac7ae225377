/* What the files of the Kubernetes door share. */
#ifndef RUNTIME_CLUSTER_DOOR_KUBE_PRIVATE_H
#define RUNTIME_CLUSTER_DOOR_KUBE_PRIVATE_H

#include "runtime/cluster/door.h"

#define DOOR_KUBE_GROUP "argoproj.io"
#define DOOR_KUBE_WORKFLOWS "/apis/argoproj.io/v1alpha1"

enum {
	DOOR_KUBE_LIST_PAGE = 500, /* objects that are asked for at once */
	DOOR_KUBE_OBJECT_MAX = 64 * 1024 * 1024, /* bytes of one workflow */
};

struct door_kube {
	struct door door;
	char *page; /* URL of the Argo server's pages; NULL: not known */
};

/* What only names of Kubernetes may become part of. */
bool door_kube_is_name(const char *text);
/* -1 with *ret_failure set when the namespace or name could not be one of an object. */
int door_kube_check_names(const char *namespace_, const char *name, struct api_failure *ret_failure);
struct api_right door_kube_right(const char *verb, const char *namespace_);
/* The run that a Workflow object, or only its metadata, is. */
void door_kube_read_run(const struct value *workflow, struct arena *arena, struct door_run *ret);
/* One object; NULL with *ret_failure set. */
const struct value *door_kube_get(struct door *door, const char *namespace_, const char *name, struct arena *arena,
				  struct api_failure *ret_failure);
const struct value *door_kube_object(struct door *door, const struct door_run *run, struct arena *arena, struct api_failure *ret_failure);

/* door_kube_submit.c */
int door_kube_submit(struct door *door, const struct door_submission *submission, struct arena *arena, struct door_run *ret,
		     struct api_failure *ret_failure);

/* door_kube_artifact.c */
int door_kube_artifact(struct door *door, const struct door_run *run, const char *node, const char *name, size_t max, struct buf *ret,
		       struct api_failure *ret_failure);

/* door_kube_log.c */
struct door_log *door_kube_log(struct door *door, const struct door_log_request *request, const struct door_log_listener *listener);
void door_kube_unlog(struct door *door, struct door_log *log);

#endif
