/* What the files of foreign plans share. Nobody else includes this. */
#ifndef RUNTIME_CLUSTER_FOREIGN_PRIVATE_H
#define RUNTIME_CLUSTER_FOREIGN_PRIVATE_H

#include "base/map.h"
#include "runtime/cluster/foreign.h"

/* A template as a component. */
struct foreign_template {
	const struct component *component;
	const char *const *outputs; /* their names there */
	const struct settings *settings;
};

struct foreign {
	struct plan *plan;
	struct arena *arena; /* the plan's */
	struct arena *names_arena;
	const struct value *spec, *status;
	struct map templates; /* of the spec, by name */
	struct map made; /* to struct foreign_template, by name */
	struct map taken; /* names of steps */
	VEC(struct plan_step) steps;
	VEC(struct target_step) step_names;
	VEC(struct plan_group) groups;
	VEC(struct target_group) group_names;
	const struct value *stack[PLAN_GROUP_DEPTH_MAX]; /* templates around the one being read */
	size_t depth;
};

/* foreign_template.c */
const struct foreign_template *foreign_template_read(struct foreign *foreign, const char *name, const struct value *template);

#endif
