/* The plan: a checked pipeline as plain data, and the waist of the house. The language lowers into it; the picture, the
 * YAML back ends, the local engine and the cluster watch read it, and nothing past it sees the syntax tree.
 *
 * Invariants: a step's or group's index is its place in the arrays; group 0 is the pipeline itself and every other group
 * has a parent with a smaller index; children stand in the order of the program; `needs` of a child names earlier or later
 * siblings in the same group and has no cycle; every index in every expression is in range; types fit; an argument is NULL only
 * where the input is optional and has no fallback (fallbacks are filled in). Immutable and refcounted; it keeps the units that
 * its components and spans live in. */
#ifndef DSL_PLAN_H
#define DSL_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/source.h"
#include "dsl/component.h"
#include "dsl/expr.h"
#include "dsl/settings.h"
#include "dsl/type.h"

enum { PLAN_STEPS_MAX = 100000, PLAN_GROUP_DEPTH_MAX = 50 };

struct plan_param {
	const char *name;
	const struct type *type;
	const char *doc;
	const struct value *fallback; /* NULL: must be given */
	const struct secret *secret; /* of a Secret parameter: its reference, fixed at compile time; NULL: must be given */
	struct span span;
};

struct plan_step {
	const char *name; /* the program's: "copied", "serve_2" */
	const char *doc;
	const struct component *component;
	const struct expr *const *args; /* component->n_inputs of them */
	const size_t *after; /* steps of `after`, without those that data already gives; may lie in other groups */
	size_t n_after;
	const struct settings *settings; /* the component's defaults with the step's own over them; never NULL */
	size_t group; /* where it stands */
	struct span span; /* the whole statement */
	struct span name_span; /* what to point at: its name, or the callee's */
};

enum group_kind {
	GROUP_ROOT,
	GROUP_IF, /* runs when its condition holds; else its steps are Skipped */
	GROUP_FOR, /* once for each item */
	GROUP_WHILE, GROUP_EXIT, GROUP_NESTED, /* known to readers; this version's lowering does not make them */
};

/* A step or a group within a group. */
struct plan_child {
	bool is_group;
	size_t index; /* of plan->steps or plan->groups */
	const size_t *needs; /* siblings (places in the parent's children) that must have ended before: by data, `after` or condition */
	size_t n_needs;
};

struct plan_group {
	enum group_kind kind;
	size_t parent; /* of group 0: 0 */
	const struct plan_child *children;
	size_t n_children;
	/* GROUP_IF: the arms of one if/else have the same chain (the index of its first arm); the condition is whole: an else arm
	 * has `not (c1 or c2)`. */
	const struct expr *condition;
	size_t chain;
	size_t arm; /* 0 for `if`, 1 for the first `else` … */
	bool is_else; /* written without a condition */
	/* GROUP_FOR */
	const char *variable;
	const struct expr *items; /* a List */
	int64_t parallel; /* at most so many at once; 0: no limit */
	struct span span; /* of its head */
	const char *label; /* how it is drawn; NULL: as its head stands in the program */
};

struct plan_output {
	const char *name;
	const struct expr *value;
	struct span span;
};

struct plan {
	unsigned refs;
	struct arena *arena;
	const char *name;
	const char *display; /* "Github issue summarization", or NULL */
	const char *doc;
	const struct plan_param *params;
	size_t n_params;
	const struct plan_step *steps;
	size_t n_steps;
	const struct plan_group *groups;
	size_t n_groups;
	const struct plan_output *outputs;
	size_t n_outputs;
	const struct settings *settings; /* of the pipeline; never NULL */
	struct span span;
	struct unit **units; /* held */
	size_t n_units;
};

struct plan *plan_ref(struct plan *plan);
void plan_unref(struct plan *plan); /* NULL is fine */

size_t plan_param_index(const struct plan *plan, const char *name); /* SIZE_MAX if there is none */
size_t plan_step_index(const struct plan *plan, const char *name);

#endif
