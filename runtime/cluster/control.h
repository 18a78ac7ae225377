/* Steering a run on a cluster through its Workflow object: what door_kube.c has in its table, and what the other doors share.
 *
 * Each call first looks at the object, so that a run that has ended, or is gone, or has been replaced by another of its name is
 * told as that, and nothing is changed. What is changed is changed only if nobody else has changed it in between; then the object
 * is read anew, CONTROL_TRIES times at most. */
#ifndef RUNTIME_CLUSTER_CONTROL_H
#define RUNTIME_CLUSTER_CONTROL_H

#include "runtime/cluster/door.h"

enum {
	CONTROL_TRIES = 5,
	CONTROL_POD_WAITS = 60, /* times that a pod that is being deleted is looked for again … */
	CONTROL_POD_WAIT = 500, /* … this many milliseconds apart */
};

/* door_ops.control, door_ops.retry: over door->kube. */
int control_run(struct door *door, const struct door_run *run, enum door_control what, struct api_failure *ret_failure);
int control_retry(struct door *door, const struct door_run *run, const char *from, struct api_failure *ret_failure);
/* door_ops.upload, door_ops.schedule: a WorkflowTemplate, a CronWorkflow. One of the same name that was made here is replaced; one
 * that others made is not. */
int control_kube_upload(struct door *door, const char *name, const struct value *workflow, struct arena *arena, const char **ret_id,
			struct api_failure *ret_failure);
int control_kube_schedule(struct door *door, const struct door_submission *submission, const struct door_schedule *schedule,
			  struct arena *arena, const char **ret_id, struct api_failure *ret_failure);

/* A new run of what a finished (or any) one ran: its spec, people's labels and annotations, and the label that says of which it is
 * a copy; its parameters, with `args` over them. The submission has no name and no token yet. -1 when it has no such parameter. */
int control_clone(struct arena *arena, const struct value *workflow, const char *const (*args)[2], size_t n_args,
		  struct door_submission *ret, struct api_failure *ret_failure);
/* What DOOR_DELETE leaves behind of this run, a sentence each: files in a bucket, objects that steps made. Its pods, config maps
 * and the volumes that it claimed for itself go with it. */
const char *const *control_remains(struct arena *arena, const struct value *workflow, size_t *ret_n);

/* The object after all that waits for a person has been let go on, or NULL with *ret_failure set when nothing waits. */
const struct value *control_resumed(struct arena *arena, const struct value *workflow, int64_t now_ms, struct api_failure *ret_failure);

#endif
