/* A plan made from a Workflow object, for runs that others started, or whose program is not there any more: enough for the graph,
 * states, logs and outputs, not to run it again. Tasks of `dag` and `steps` templates become steps and groups, `when` conditions,
 * withItems, withParam and withSequence loops; of a template that calls itself the inner call is a step. Steps have no arguments. */
#ifndef RUNTIME_CLUSTER_FOREIGN_H
#define RUNTIME_CLUSTER_FOREIGN_H

#include "dsl/target.h"

enum { FOREIGN_STEPS_MAX = 20000 };

/* Unref the plan; the names are in the arena. NULL with *err set when the object has no templates that could be read. */
struct plan *foreign_plan(const struct value *workflow, struct arena *arena, struct target_report *ret_names, struct error *err);

#endif
