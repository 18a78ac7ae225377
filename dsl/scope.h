/* What a notebook knows: the names that its cells have declared and bound. Checking a cell against it is all or nothing.
 *
 * scope_check parses, checks and lowers one cell. With an error in it the scope is as before and no program comes back;
 * otherwise everything it declares is known at once and the program says what is to be done. What the program's actions bind
 * is known by type from then on; its values are kept by whoever carries the actions out. Not for two threads at a time. */
#ifndef DSL_SCOPE_H
#define DSL_SCOPE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/source.h"
#include "dsl/component.h"
#include "dsl/diag.h"
#include "dsl/plan.h"

/* Reads what `use` names. Given by kernel/, so that dsl/ does no I/O. */
struct resolver {
	/* Appends the text at location (a path relative to where `from` was read, or an https URL) to *ret_text and puts a
	 * malloc'ed name for messages in *ret_name (a path or the URL). sha256 (lower-case hex) or NULL: what the text must have. */
	int (*load)(struct resolver *resolver, const char *location, const struct source *from, const char *sha256,
		    struct buf *ret_text, char **ret_name, struct error *err);
};

enum binding_kind {
	BINDING_COMPONENT, BINDING_PIPELINE, BINDING_TYPE, BINDING_CLUSTER,
	BINDING_VALUE, /* type */
	BINDING_RUN, /* a run of `plan`: .status, .id, .STEP.OUTPUT, and the pipeline's or component's outputs */
	BINDING_STEP, /* one step of a run of `plan` */
};

/* What `cluster` declares; members that are NULL were not given. */
struct cluster {
	const char *name;
	const char *context, *kubeconfig; /* of kubeconfig files */
	bool in_cluster; /* as the service account of the pod that we run in */
	const char *namespace_;
};

struct binding {
	enum binding_kind kind;
	const char *name;
	struct unit *unit; /* where it was declared; held */
	struct span span; /* of the name there */
	const char *doc;
	const struct component *component;
	struct plan *plan; /* held; of a pipeline NULL when a redefinition broke it */
	const struct type *type;
	const struct cluster *cluster;
};

struct scope;

struct scope *scope_new(struct resolver *resolver); /* borrowed; std.* is known from the start */
void scope_free(struct scope *scope);
const struct binding *scope_lookup(const struct scope *scope, const char *name); /* "std.train" too; NULL if unknown */
/* Every name, declared order; for completion, `%who`. *at starts at 0; NULL at the end. */
const struct binding *scope_next(const struct scope *scope, size_t *at);
void scope_forget(struct scope *scope, const char *name); /* NULL: all, as %reset */

enum action_kind {
	ACTION_SHOW, /* expr, or plan, or component: whatever the cell's line names */
	ACTION_BIND, /* bind = expr */
	ACTION_RUN, /* plan with args; bind may be set; component too when it is a component that was called */
	ACTION_COMPILE, /* plan [for text2] [to text] */
	ACTION_CHECK, /* plan: its problems again (none, as it was checked), its size; with cluster: what would stop it there */
	ACTION_PRINT, ACTION_ASSERT, /* expr; of assert args[0], or args NULL: why */
	ACTION_INPUT, /* bind (or NULL), expr: the question */
	ACTION_CLEAR, /* flag: wait */
	ACTION_LOGS, /* expr (a run or step handle), follow flag, last count, grep text */
	ACTION_STOP, /* expr: a run handle, or text: a run's name */
	ACTION_RUNS,
	ACTION_HELP, /* text: a word or code */
	ACTION_INSPECT, /* text: a dotted name; flag: detail */
	ACTION_SHELL, /* text */
	ACTION_MAGIC, /* text: word; text2: rest */
};

struct action {
	enum action_kind kind;
	struct span span;
	const char *bind; /* NULL: nothing */
	struct plan *plan; /* held by the program */
	const struct component *component;
	const struct cluster *cluster; /* or NULL */
	const struct expr *expr;
	const struct expr *const *args; /* of ACTION_RUN: plan->n_params; NULL where the parameter's fallback is taken */
	const char *text, *text2, *grep;
	bool flag;
	int64_t last; /* -1: all */
};

/* What a checked cell does, in order. A component called at the top level is a plan of one step with the component's
 * inputs as parameters. */
struct program {
	struct unit *unit; /* held */
	struct arena *arena;
	const struct action *actions;
	size_t n_actions;
	struct plan **plans; /* held: those of the actions and those that the cell declares, in order */
	size_t n_plans;
};

void program_free(struct program *program);

/* Returns NULL when the cell has errors. Warnings may come with a program. */
struct program *scope_check(struct scope *scope, struct source *source, struct diags *diags);

#endif
