/* What the files of the Kubeflow door share. */
#ifndef RUNTIME_CLUSTER_DOOR_KFP_PRIVATE_H
#define RUNTIME_CLUSTER_DOOR_KFP_PRIVATE_H

#include "runtime/cluster/door_kfp.h"

#define DOOR_KFP_TOKEN "lateen.dev/run=" /* what a description begins with; the token follows */

struct door_kfp {
	struct door door;
	struct kfp *kfp;
	VEC(struct door_watch *) watches; /* a log asks them whether its pod has ended */
};

/* "&resource_reference_key…" of the door's namespace; "" where there is none. */
const char *door_kfp_owner_query(const struct door_kfp *door, struct arena *arena);
/* The run that an answer's `run` is. */
void door_kfp_read_run(const struct door_kfp *door, const struct value *run, struct arena *arena, struct door_run *ret);
/* The same of a whole answer, which has the workflow, with its name and namespace. */
void door_kfp_read_detail(const struct door_kfp *door, const struct value *detail, struct arena *arena, struct door_run *ret);
/* The workflow's text in a run's detail; NULL when there is none. */
const char *door_kfp_manifest(const struct value *detail);
const struct value *door_kfp_detail(struct door_kfp *door, const char *id, struct arena *arena, struct api_failure *ret_failure);
/* A path with the id as one part of it: door_kfp_path(arena, "/runs", id, "/retry"). */
const char *door_kfp_path(struct arena *arena, const char *before, const char *id, const char *behind);

/* door_kfp_list.c */
int door_kfp_list(struct door *door, const struct door_list *which, struct arena *arena, struct door_run **ret, size_t *ret_n,
		  struct api_failure *ret_failure);
/* 1: found; 0: there is none; -1 with *ret_failure. */
int door_kfp_find(struct door_kfp *door, const char *token, struct arena *arena, struct door_run *ret, struct api_failure *ret_failure);

/* door_kfp_params.c: checks the arguments against a List of parameters; -1 with *ret_failure set. *ret: what is sent. */
int door_kfp_check_args(const struct door_submission *submission, const struct value *parameters, struct arena *arena,
			const struct value **ret, struct api_failure *ret_failure);

/* door_kfp_submit.c */
int door_kfp_submit(struct door *door, const struct door_submission *submission, struct arena *arena, struct door_run *ret,
		    struct api_failure *ret_failure);
/* What runs and recurring runs have in common; NULL with *ret_failure set. `more`: further members, or NULL. */
const struct value *door_kfp_body(struct door_kfp *door, const struct door_submission *submission, const char *name,
				  const struct value *more, struct arena *arena, struct api_failure *ret_failure);

const struct value *door_kfp_reference(struct arena *arena, const char *type, const char *id, const char *relationship);

/* door_kfp_experiment.c: its id, made if it is not there; NULL with *ret_failure set. */
const char *door_kfp_experiment(struct door_kfp *door, const char *name, struct arena *arena, struct api_failure *ret_failure);

/* door_kfp_upload.c */
int door_kfp_upload(struct door *door, const char *name, const struct value *workflow, struct arena *arena, const char **ret_id,
		    struct api_failure *ret_failure);

/* door_kfp_schedule.c */
int door_kfp_schedule(struct door *door, const struct door_submission *submission, const struct door_schedule *schedule,
		      struct arena *arena, const char **ret_id, struct api_failure *ret_failure);

/* door_kfp_watch.c */
struct door_watch *door_kfp_watch(struct door *door, const struct door_run *run, struct workflow_model *model,
				  const struct door_watcher *watcher);
void door_kfp_unwatch(struct door *door, struct door_watch *watch);
enum door_kfp_node { DOOR_KFP_UNKNOWN, DOOR_KFP_GOES_ON, DOOR_KFP_ENDED };
/* What a watch of that run knows of its workflow; NULL: there is none. */
const struct workflow *door_kfp_workflow(const struct door_kfp *door, const char *run);
/* The same of a node; unknown: there is none. */
enum door_kfp_node door_kfp_node(const struct door_kfp *door, const char *run, const char *node);

/* door_kfp_log.c */
struct door_log *door_kfp_log(struct door *door, const struct door_log_request *request, const struct door_log_listener *listener);
void door_kfp_unlog(struct door *door, struct door_log *log);

#endif
