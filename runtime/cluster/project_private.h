/* What the files of the projection share. Nobody else includes this. */
#ifndef RUNTIME_CLUSTER_PROJECT_PRIVATE_H
#define RUNTIME_CLUSTER_PROJECT_PRIVATE_H

#include "runtime/cluster/project.h"

enum { WORKFLOW_DEPTH_MAX = 400 }; /* nodes around a node that are followed */

#define NOWHERE SIZE_MAX

/* What a node of the workflow is here. */
enum role {
	ROLE_UNKNOWN, /* not looked at, or nothing of ours */
	ROLE_MAIN, /* stands for a step or group: Pod, Retry, DAG, TaskGroup, … */
	ROLE_ATTEMPT, /* of that */
	ROLE_ITEM, /* stands for an item of a loop, or the pipeline itself: opens a frame */
	ROLE_ITEM_ATTEMPT,
	ROLE_INNER, /* the TaskGroup within the template of a loop that is limited */
};

struct where {
	enum role role;
	size_t at; /* the instance, or of an item the frame */
	uint64_t age; /* of two that stand for the same the greater counts: numbers of attempts around it */
};

/* An instance of a step or a group. */
struct inst {
	bool is_group, dirty;
	size_t index; /* of plan->steps or plan->groups */
	size_t frame; /* the one that it stands in */
	size_t run_node; /* of a step */
	size_t place; /* of the node that stands for it */
	VEC(size_t) frames; /* of a group: one for each item; of an `if` one */
	bool items_known; /* all of a loop's are there */
	enum phase loose; /* of a loop that no node stands for: of its items together */
	char *reason; /* owned */
	char *waited; /* the trouble that it was seen to wait with, until it ran; owned */
	char **files; /* paths of outputs; or NULL */
};

/* An instance of what a group holds. */
struct frame {
	size_t group;
	size_t inst; /* of the group; NOWHERE for the pipeline */
	size_t number;
	size_t first; /* its children's instances */
	size_t place; /* of the item's node, or of the pipeline's */
	const struct value *item; /* of a loop, if known */
	enum phase cover; /* of what in it has no node: Pending, Skipped, Omitted */
	const char *key;
};

struct project_group {
	VEC(size_t) insts;
	bool dirty;
};

struct project {
	struct run *run; /* held */
	const struct plan *plan;
	const struct target_report *names;
	const struct value *const *params;
	const struct workflow_model *model; /* of the call that is going on, and the last one */
	struct arena *arena; /* of what stays: keys, items */
	struct map children; /* "group/task" to place in the group + 1 */
	struct map by_name; /* of the workflow's nodes, to place + 1 */
	VEC(struct where) wheres; /* by place */
	VEC(struct inst) insts;
	VEC(struct frame) frames; /* 0: the pipeline */
	VEC(size_t) inst_of; /* by run node */
	VEC(size_t) dirty; /* instances to look at again */
	size_t *step_places, *group_places; /* where in its group each stands */
	struct project_group *groups; /* of the plan */
	unsigned finding; /* how deep */
	bool *stale; /* steps of which an instance went back */
	char *uid; /* of the workflow; owned */
	int64_t latest_ms; /* of the times seen */
	bool ended; /* the run is over: nothing more comes */
};

/* ---- project_find.c: which step a node is ---- */

void project_learn(struct project *project, size_t place); /* its name; of all new nodes before the next */
struct where project_find(struct project *project, size_t place);
/* The step that is the item itself (its task is NULL), or NOWHERE. */
size_t project_only_child(const struct project *project, size_t frame);
/* Puts it in its place, and marks what is to be looked at again. */
void project_attach(struct project *project, size_t place);

/* ---- project.c ---- */

void project_mark(struct project *project, size_t inst);
void project_mark_frame(struct project *project, size_t frame);
size_t project_add_frame(struct project *project, size_t group, size_t inst, size_t number);
/* The frame of that item; it is made with those before it. NOWHERE when there are too many. */
size_t project_item_frame(struct project *project, size_t inst, size_t number);
/* The node at the place, if it is there. */
const struct workflow_node *project_node(const struct project *project, size_t place);

/* ---- project_state.c: what a step shows ---- */

void project_show_step(struct project *project, size_t inst);
void project_show_group(struct project *project, size_t group);
void project_show_run(struct project *project);
/* The phase of a group's instance: of its node, or of what covers it. */
enum phase project_group_phase(const struct project *project, size_t inst);
enum phase project_loose_phase(const struct project *project, size_t inst);
enum phase project_frame_phase(const struct project *project, size_t frame);
/* The node of the last attempt, or of the step itself when it was not tried; NULL: there is none. *ret_attempts: how many began. */
const struct workflow_node *project_last(const struct project *project, size_t inst, int *ret_attempts);

/* ---- project_eval.c ---- */

/* The items of the loop, or NULL when they cannot be computed (yet). */
const struct value *project_items(struct project *project, size_t inst);
/* The pipeline's outputs, plan->n_outputs of them in the arena; NULL with *err set. */
const struct value *const *project_outputs(struct project *project, struct arena *arena, struct error *err);

#endif
