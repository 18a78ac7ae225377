/* A pipeline on its way from syntax to plan; internal to lower*.c.
 *
 * First every name is collected, for the order of the text is not the order in time; then what is written is checked and
 * lowered; then the edges are drawn between siblings. Each pass is linear in the pipeline. */
#ifndef DSL_LOWER_H
#define DSL_LOWER_H

#include "dsl/check.h"

enum local_kind {
	LOCAL_PARAM, /* index: of the parameters */
	LOCAL_STEP, /* index: of the steps */
	LOCAL_VALUE, /* ast, then value */
	LOCAL_ITEM, /* index: of the groups */
	LOCAL_POISON, /* declared by something wrong, or not carried out: its uses are not complained about */
};

enum local_state { LOCAL_FRESH, LOCAL_BUSY, LOCAL_DONE };

/* A name in a pipeline. */
struct local {
	enum local_kind kind;
	const char *name;
	size_t index;
	size_t group; /* seen in it and in the groups within */
	struct span span;
	const struct ast_expr *ast;
	enum local_state state;
	const struct expr *value; /* NULL when DONE: poison */
};

/* An edge to a sibling: place of the one that is waited for, and where the program says so. */
struct edge {
	size_t to;
	struct span span;
};

struct edges {
	struct edge *items;
	size_t n, cap;
};

struct lower_child {
	bool is_group;
	size_t index;
	struct edges edges;
};

struct lower_step {
	struct plan_step step;
	const struct ast_stmt *stmt;
	const struct ast_expr *call;
	const struct decl *decl; /* NULL: unknown */
	const struct replacement *replacement; /* `decl` is what it names */
	const struct component *original; /* what the program calls, if another stands in its place; else NULL */
	size_t place; /* among its group's children */
	bool bare; /* named after its component */
};

struct lower_group {
	struct plan_group group;
	size_t depth;
	size_t place; /* among its parent's children */
	const struct ast_arm *arm; /* of GROUP_IF */
	const struct ast_stmt *stmt; /* of GROUP_FOR */
	struct {
		struct lower_child *items;
		size_t n, cap;
	} children;
};

struct lower {
	struct check *check;
	struct unit *unit;
	struct arena *arena; /* the plan's */
	const struct ast_stmt *stmt;
	struct map locals; /* name → struct local, in the arena */
	struct map bare; /* component's name → struct bare_count, in the arena */
	struct map *uses;
	const struct replacements *replacements; /* or NULL */
	struct map cluster_names; /* a step's name on a cluster → its name */
	struct {
		struct lower_step *items;
		size_t n, cap;
	} steps;
	struct {
		struct lower_group *items;
		size_t n, cap;
	} groups;
	struct {
		struct unit **items;
		size_t n, cap;
	} units;
	struct plan_param *params;
	size_t n_params;
	struct settings *settings;
	size_t nodes; /* of all expressions so far */
	size_t *stamps; /* one a step */
	bool loop; /* within a `for` while names are collected */
};

struct bare_count {
	size_t n;
	size_t next; /* number to try for the next name */
};

/* All expressions of a pipeline together, shared ones counted wherever they are used: each use is walked. */
enum { LOWER_NODES_MAX = 10000000 };

/* Where an expression stands: the group whose names it sees. */
struct place_in {
	struct lower *lower;
	size_t group;
};

/* The plan and whatever else lives as long keeps the unit. */
void lower_hold(struct lower *l, struct unit *unit);

/* Collects the statements of the pipeline's body: steps, groups, names. */
void lower_collect(struct lower *l);

/* Answers names in expressions; struct expr_check's path, context a struct place_in. */
const struct expr *lower_path(struct expr_check *x, const struct ast_name *names, size_t n, struct span span);
/* The step that `after` names, or NULL after a complaint or for poison. */
struct lower_step *lower_find_step(struct lower *l, const struct ast_name *name);
/* Values that nobody uses are checked all the same. */
void lower_values(struct lower *l);

/* Arguments, settings and `after` of all steps; conditions and items of all groups. */
void lower_steps(struct lower *l);
void lower_groups(struct lower *l);

/* Puts another component in the step's place if `using` names one. */
void lower_replace(struct lower *l, struct lower_step *s);
/* The arguments that the program gives, by the inputs of what stands in its place: n_inputs of them. */
void lower_replaced_args(struct lower *l, struct expr_check *x, struct lower_step *s, const struct expr **args);
/* The output of what stands in the component's place; SIZE_MAX after a complaint. */
size_t lower_replaced_output(struct lower *l, const struct lower_step *s, const struct ast_name *names, size_t n, struct span span);

/* The child at `place` of `group` waits for the step, or for the child of that group that holds it. */
void lower_depend(struct lower *l, size_t group, size_t place, size_t step, struct span span);
void lower_depend_on_expr(struct lower *l, size_t group, size_t place, const struct expr *expr);
/* Complains of cycles. */
void lower_check_cycles(struct lower *l);
/* Fills in the plan's steps and groups. */
void lower_finish(struct lower *l, struct plan *plan);

#endif
