/* From what is known of a Workflow to the live run of the plan that it was made of: each instance of a step with its phase, attempts,
 * times, exit code, message and outputs, in the words of a run on this machine.
 *
 * Nodes of the Workflow find their step by name; Retry nodes become attempts, TaskGroups the items of a loop, conditions groups.
 * What Argo makes no node for (behind a condition that did not hold, after the end) gets the phase that the local engine
 * would give. Only what changed is looked at, and a change is told once. After any sequence of objects the run is what the last
 * one alone would give, but that instances of a loop that once were there stay, and that a step whose time was over before it began
 * still says what it had waited for. Outputs by file have no path until they are fetched
 * and project_set_file says where. Linear in what changed. */
#ifndef RUNTIME_CLUSTER_PROJECT_H
#define RUNTIME_CLUSTER_PROJECT_H

#include "dsl/target.h"
#include "runtime/cluster/workflow.h"
#include "runtime/run.h"

struct project;

/* Holds the run. `names` and `params` (plan->n_params, each NULL: its fallback; the array may be NULL) are borrowed as long as the
 * project lives. */
struct project *project_new(struct run *run, const struct target_report *names, const struct value *const *params);
void project_free(struct project *project); /* NULL is fine; the run stays */

/* Takes over what workflow_model_end told, or with n 0 what workflow_model_gone did. The same model each time. */
void project_take(struct project *project, const struct workflow_model *model, const size_t *places, size_t n);

/* The run's node that the workflow's node at the place belongs to, and which attempt it is, from 0; SIZE_MAX: none. */
size_t project_run_node(const struct project *project, size_t place, int *ret_attempt);
/* The place of the workflow's node that is the attempt (from 0; -1: the last) of the run's node; SIZE_MAX: there is none. */
size_t project_place(const struct project *project, size_t run_node, int attempt);
/* What the output is called on the cluster, as a parameter or an artifact. */
const char *project_output_name(const struct project *project, size_t step, size_t output);
/* The artifact that is the output, as Argo has it; NULL: there is none. Valid until the next object. */
const struct value *project_artifact(const struct project *project, size_t run_node, size_t output);

/* The output has been fetched to that path. */
void project_set_file(struct project *project, size_t run_node, size_t output, const char *path);
/* Why it is pending, from elsewhere (its pod's conditions and events): shown instead of the workflow's own words as long as it is
 * Pending; NULL: nothing is known. */
void project_set_reason(struct project *project, size_t run_node, const char *reason);

#endif
