/* What the boxes of a graph say. Part of dsl/graph.c. */
#ifndef DSL_GRAPH_LABEL_H
#define DSL_GRAPH_LABEL_H

#include "dsl/graph.h"

/* `if trained.launch_server == "true"`, as it stands in the source with its blanks squeezed; "if", "else", "for x" where there
 * is no source. */
const char *graph_group_label(struct arena *arena, const struct plan_group *group);
/* What a step runs, as people read it: its or its component's display name, the end of its image's name, or the
 * language of its script; NULL when that says nothing. */
const char *graph_step_sublabel(struct arena *arena, const struct plan_step *step);
/* Settings that a person wants to see at once; returns how many. */
size_t graph_step_badges(struct arena *arena, const struct plan_step *step, const char *const **ret_badges);

#endif
