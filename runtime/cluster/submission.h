/* From what is to be submitted to the objects that Argo knows: a Workflow for one run, a CronWorkflow for runs that begin by
 * themselves, a WorkflowTemplate that can be started from the cluster's own pages. Pure. */
#ifndef RUNTIME_CLUSTER_SUBMISSION_H
#define RUNTIME_CLUSTER_SUBMISSION_H

#include "runtime/cluster/door.h"

enum {
	SUBMISSION_LABEL_MAX = 63,
	SUBMISSION_CRON_MAX = 52, /* bytes of a CronWorkflow's name: the runs' names add the time to it */
	SUBMISSION_CATCH_UP = 86400, /* seconds for which a missed time is made up for, with `catch_up` */
};

#define SUBMISSION_MADE_BY "lateen.dev/made-by" /* label of what is not a run: "schedule", "upload", "prepare" */
#define SUBMISSION_EXPERIMENT "lateen.dev/experiment" /* label, or annotation where it cannot be one */
#define SUBMISSION_DISPLAY "lateen.dev/display" /* annotation: the name as people gave it */

/* NULL with *ret_failure set when an argument is none of the workflow's parameters. All take `namespace_` into the object. */
const struct value *submission_workflow(struct arena *arena, const struct door_submission *submission, const char *namespace_,
					struct api_failure *ret_failure);
/* Argo lets one run at a time or any number, so another `concurrency` than 1 and 0 (any) is refused. `plural`: the times as
 * `schedules`, as Argo has it since 3.6; else as `schedule`, as it was before. */
const struct value *submission_cron(struct arena *arena, const struct door_submission *submission, const struct door_schedule *schedule,
				    const char *namespace_, bool plural, struct api_failure *ret_failure);
/* `name` becomes one that Kubernetes takes: small letters, digits and `-`. */
const struct value *submission_template(struct arena *arena, const char *name, const struct value *workflow, const char *namespace_,
					struct api_failure *ret_failure);
bool submission_is_label(const char *text);

#endif
