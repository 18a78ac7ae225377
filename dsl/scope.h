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
	BINDING_RUN, /* a run of `plan`: .status, .id, .STEP.OUTPUT, and the pipeline's or component's outputs. plan NULL: what it is of is
		      * known once it was looked at (`attach`), and scope_learn_run says it */
	BINDING_STEP, /* one step of a run of `plan` */
};

enum cluster_kind { CLUSTER_KIND_UNSET, CLUSTER_KIND_ARGO, CLUSTER_KIND_KFP, CLUSTER_KIND_AUTO };

enum cluster_auth {
	CLUSTER_AUTH_UNSET,
	CLUSTER_AUTH_PLAIN, /* nothing, or user and password */
	CLUSTER_AUTH_TOKEN, CLUSTER_AUTH_AUDIENCE, CLUSTER_AUTH_DEX, CLUSTER_AUTH_IAP, CLUSTER_AUTH_GCP,
};

/* What `cluster` declares; members that are NULL were not given. Secrets are references. */
struct cluster {
	const char *name;
	bool automatic; /* `auto`: what is there is looked for */
	const char *context, *kubeconfig; /* of kubeconfig files */
	bool in_cluster; /* as the service account of the pod that we run in */
	const char *argo, *kfp; /* addresses of servers; at most one of the two */
	enum cluster_kind kind;
	const char *namespace_, *experiment, *page;
	enum cluster_auth auth;
	const struct secret *token, *password;
	const char *user, *audience, *client_id, *user_id;
	bool insecure;
};

struct cluster *cluster_copy(struct arena *arena, const struct cluster *cluster);

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
/* What a run that was bound without a plan is of. Nothing if the name means something else by now. */
void scope_learn_run(struct scope *scope, const char *name, struct plan *plan);

/* The declared pipeline with other components in the place of its own, as `using` has it behind a call: text is "a = b, c = d". The
 * caller's to unref; NULL with problems in diags. */
struct plan *scope_using(struct scope *scope, const char *pipeline, const char *text, struct diags *diags);

enum action_kind {
	ACTION_SHOW, /* expr, or plan, or component: whatever the cell's line names */
	ACTION_BIND, /* bind = expr */
	/* plan with args; bind may be set; component too when it is a component that was called. With cluster there, else here; flag:
	 * in the background */
	ACTION_RUN,
	ACTION_SWEEP, /* body, once for each item of the List expr, with the item bound to bind */
	ACTION_COMPILE, /* plan [for text2] [to text] */
	ACTION_CHECK, /* plan: its problems again (none, as it was checked), its size; with cluster: what would stop it there */
	ACTION_PRINT, ACTION_ASSERT, /* expr; of assert args[0], or args NULL: why */
	ACTION_INPUT, /* bind (or NULL), expr: the question */
	ACTION_CLEAR, /* flag: wait */
	/* Of a run: expr is its handle, or text its name; cluster: where it is, NULL: what is known of it says so. */
	ACTION_LOGS, /* or of a step's handle, or "RUN.STEP"; follow flag, last count, grep text */
	ACTION_STOP, ACTION_DELETE, ACTION_SUSPEND, ACTION_RESUME, ACTION_WAIT, ACTION_OPEN, ACTION_TENSORBOARD,
	ACTION_RETRY, /* text2: from that step on; NULL: what failed */
	ACTION_FORWARD, /* a step's; last: the port */
	ACTION_ATTACH, /* bind may be set */
	ACTION_CLONE, /* with names and args (n_args); bind may be set */
	ACTION_SUBMIT, /* text: a package's path or URL; names and args, cluster; bind may be set */
	ACTION_RUNS, /* cluster, or NULL: those that are known here */
	ACTION_EXPERIMENT, /* text */
	ACTION_UPLOAD, /* plan, or text: a package's path or URL; cluster; text2: the name, or NULL */
	ACTION_SCHEDULE, /* plan with args, cluster; text: five fields of cron; text2: the name, or NULL; timezone, or NULL */
	ACTION_PREPARE, ACTION_CLEANUP, /* cluster; flag: apply */
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
	const struct expr *const *args; /* of a plan: plan->n_params; NULL where the parameter's fallback is taken */
	const char *const *names; /* of args, where there is no plan */
	size_t n_args;
	const char *text, *text2, *grep, *timezone;
	const struct action *body; /* SHOW, BIND, RUN and INPUT only; none in the background */
	size_t n_body;
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
