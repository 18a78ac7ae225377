/* What the parts of the checker share; internal to the files that check and lower (check_*.c, lower*.c, scope.c).
 *
 * One `struct check` is one cell on its way into a scope. Whatever the cell declares is staged: it is seen from there on, and
 * the scope takes it over only when the whole cell is good. A wrong part of the program is reported and becomes NULL
 * (poison); NULL is passed over without another complaint. */
#ifndef DSL_CHECK_H
#define DSL_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/map.h"
#include "dsl/ast.h"
#include "dsl/diag.h"
#include "dsl/expr.h"
#include "dsl/scope.h"
#include "dsl/settings.h"

/* The most elements of command, args and one list, the most inputs, the most fields; all far past what anyone writes. */
enum { CHECK_PARTS_MAX = 10000, CHECK_NAME_MAX = 200, CHECK_PAIRS_MAX = 1000 };

/* A name of the scope and what the scope keeps with it. */
struct decl {
	struct binding binding;
	char *name;
	struct unit *cell; /* of `use`: where the line stands, while binding.unit is what was loaded; held */
	const struct ast_stmt *stmt; /* of a pipeline, in binding.unit */
	struct map uses; /* of a pipeline: names whose change means that it is lowered again */
	size_t step; /* of BINDING_STEP: which of the plan */
	bool is_poison; /* what it names could not be read; nothing is said about its uses */
	bool in_this_cell; /* declared, not bound, by the cell that is being checked */
};

struct decl *decl_new(enum binding_kind kind, const char *name, struct unit *unit, struct span span);
void decl_free(struct decl *decl); /* NULL is fine */

struct check {
	struct scope *scope;
	struct diags *diags;
	struct unit *unit; /* what is being checked */
	struct map staged; /* name → struct decl, owned */
	struct map binds; /* name → struct ast_stmt of the line of this cell that binds it */
	struct arena *arena; /* the program's */
	bool torn; /* the parser has dropped parts: what looks unknown may have been declared there */
};

/* What the name means here, "std.train" too; NULL if nothing. */
const struct decl *check_lookup(struct check *check, const char *name);
/* The same for a path `NAME` or `std.NAME` of names; *ret_text gets the dotted text, in the arena. */
const struct decl *check_lookup_path(struct check *check, struct arena *arena, const struct ast_name *names, size_t n,
				     const char **ret_text);
/* All known names of the kinds (1 << BINDING_…, or-ed), for diag_near; an arena array. */
const char *const *check_known(struct check *check, unsigned kinds, size_t *ret_n);
/* Puts it in place of what the cell knew under that name; takes ownership. */
void check_stage(struct check *check, struct decl *decl);

/* L0900: "… is not carried out by this version of Lateen". */
void check_later(struct check *check, struct span span, const char *format, ...) PRINTF_LIKE(3, 4);

/* ---- types ---- */
const struct type *check_type(struct check *check, struct arena *arena, const struct ast_type *ast); /* NULL after a complaint */
const struct type *type_clone(struct arena *arena, const struct type *type);
const char *type_text(struct arena *arena, const struct type *type);

/* ---- expressions ---- */
struct expr_check {
	struct check *check;
	struct arena *arena; /* of what is made */
	/* The expression that a path of names means here, or NULL after a complaint. */
	const struct expr *(*path)(struct expr_check *x, const struct ast_name *names, size_t n, struct span span);
	void *context;
};

const struct expr *check_expr(struct expr_check *x, const struct ast_expr *ast);
/* len, range, secret, env; complains of any other call. */
const struct expr *check_builtin(struct expr_check *x, const struct ast_expr *call);
bool type_is_loose(const struct type *type); /* says nothing about its values: any operator may be tried */
/* Of literals only, else L0313: `what` ("a default") goes into the message. */
const struct expr *check_constant(struct check *check, struct arena *arena, const struct ast_expr *ast, const char *what);
/* A constant text, or NULL after a complaint. */
const char *check_text(struct check *check, struct arena *arena, const struct ast_expr *ast, const char *what);
/* Names of a path that is made of names and members only; 0 if it is something else. At most `max`. */
size_t path_names(const struct ast_expr *ast, struct ast_name *ret, size_t max);
enum { PATH_MAX_NAMES = 8 };

/* New nodes. expr_done computes sizes and folds constants; NULL after a complaint. */
struct expr *expr_new(struct arena *arena, enum expr_kind kind, const struct type *type, struct span span);
const struct expr *expr_done(struct check *check, struct arena *arena, struct expr *expr);
const struct expr *expr_of_value(struct arena *arena, const struct value *value, struct span span);
const struct expr *expr_make(struct check *check, struct arena *arena, struct expr *expr, const struct expr *a,
			     const struct expr *b);
/* The value as a text: itself if it is one. */
const struct expr *expr_to_text(struct check *check, struct arena *arena, const struct expr *expr);

/* Does the expression fit a place of that type? Literals fit aliases. */
bool expr_fits(const struct expr *expr, const struct type *want);
/* May its type be text, an operand…? Complains about secrets and files otherwise. */
bool check_is_value(struct check *check, const struct expr *expr);
/* Warns of Argo's tags in the source text of a literal. */
void check_argo_tags(struct check *check, const struct ast_expr *literal);

/* ---- calls ---- */

/* What is called: a component's inputs or a pipeline's parameters, seen alike. */
struct callee_input {
	const char *name, *id;
	const struct type *type;
	bool needed; /* neither optional nor with a default */
	bool optional;
	struct span span;
};

struct callee {
	const char *name;
	const char *kind; /* "component", "pipeline" */
	const struct callee_input *inputs;
	size_t n_inputs;
};

void callee_of_component(struct arena *arena, const char *name, const struct component *component, struct callee *ret);
void callee_of_plan(struct arena *arena, const struct plan *plan, struct callee *ret);
/* Complains that nothing can be called by that name. `kinds` as check_known's. */
void unknown_callee(struct check *check, struct span span, const char *text, const char *what, unsigned kinds);
/* The arguments in the callee's order, n_inputs of them, NULL where none is given; false after a complaint.
 * `where_from` may be NULL; it tells where a value was declared, for the label. files_by_path: a text given to a file input is
 * the path of a file of this machine. */
bool check_args(struct expr_check *x, const struct callee *callee, const struct ast_expr *call, bool files_by_path,
		const struct expr **ret);
/* Complains about a misfit; the labels show both ends. */
bool check_arg_fits(struct check *check, const struct callee *callee, size_t input, const struct expr *arg, bool files_by_path);

/* ---- settings ---- */

/* Reads settings over what is in `settings` already. x->path answers names in arguments; NULL path: constants only. */
void check_setting(struct expr_check *x, const struct ast_setting *ast, enum setting_place place, struct settings *settings,
		   struct map *seen);
/* `over` laid over `under`; either may be NULL. */
const struct settings *settings_merge(struct arena *arena, const struct settings *under, const struct settings *over);
/* The line of the table, or NULL after a complaint (unknown, elsewhere, not in this version). */
const struct setting_info *check_setting_word(struct check *check, const struct ast_setting *ast, enum setting_place place,
					      const char *const *fields, size_t n_fields);

/* Complains of more than CHECK_PAIRS_MAX entries of one setting. */
bool setting_has_room(struct check *check, const char *word, size_t n, struct span span);
bool setting_is_variable(const char *text); /* may it name an environment variable? */

/* ---- declarations ---- */
void check_declare_type(struct check *check, const struct ast_stmt *stmt);
void check_declare_use(struct check *check, const struct ast_stmt *stmt);
void check_declare_component(struct check *check, const struct ast_stmt *stmt);
void check_declare_pipeline(struct check *check, const struct ast_stmt *stmt);
void check_declare_cluster(struct check *check, const struct ast_stmt *stmt);
/* Complain of fields that do not go together; check_cluster_auth also says how one signs in where the fields imply it. */
void check_cluster_place(struct check *check, const struct ast_stmt *stmt, const struct cluster *cluster);
void check_cluster_auth(struct check *check, const struct ast_stmt *stmt, struct cluster *cluster);
/* Complains when the cell declares the name already, or nobody may. */
bool check_new_name(struct check *check, const struct ast_name *name);
/* Names stand in many messages, and on a cluster they are short anyway. */
bool check_name_length(struct check *check, const char *name, struct span span);

/* Lowers a pipeline's statement that stands in `unit` against what the cell knows. NULL after complaints. `uses` gets the names
 * of what it calls, also then. */
struct plan *lower_pipeline(struct check *check, struct unit *unit, const struct ast_stmt *stmt, struct map *uses);
/* Other components in place of those that a pipeline's steps call, as `using` names them. */
struct replacement {
	const char *name; /* as the pipeline calls it: "train", "std.train" */
	const struct decl *with;
	struct span span; /* of what stands in its place */
};

struct replacements {
	const struct replacement *items;
	size_t n;
};

/* The same with other components: the steps keep their names, their arguments and their own settings. What does not fit is
 * complained about, with both ends. */
struct plan *lower_pipeline_using(struct check *check, struct unit *unit, const struct ast_stmt *stmt, struct map *uses,
				  const struct replacements *replacements);
/* A pipeline's plan with what the call's `using` names, the caller's to unref; NULL after a complaint. */
struct plan *check_using(struct check *check, const struct decl *decl, const struct ast_stmt *call);
/* The plan of one step with the component's inputs as parameters, for the call in `stmt`, with its `with` settings. An input
 * that is not given, is optional and has no fallback is no parameter; param_of (n_inputs) gets each one's parameter or
 * SIZE_MAX. NULL after a complaint. */
struct plan *lower_component(struct check *check, const struct decl *decl, const struct ast_stmt *stmt, const bool *given,
			     size_t *ret_param_of);

/* ---- actions ---- */
struct action_list {
	struct action *items;
	size_t n, cap;
	struct plan **plans; /* held */
	size_t n_plans, cap_plans;
};

void check_action(struct check *check, const struct ast_stmt *stmt, struct action_list *list);
/* `for` at the top level; the second makes known what its lines bind. */
void check_sweep(struct check *check, const struct ast_stmt *stmt, struct action_list *list);
void check_sweep_names(struct check *check, struct ast_stmt *stmt);
/* The call of a pipeline as arguments in the plan's order; false after a complaint. *ret_plan is borrowed. */
bool check_pipeline_call(struct check *check, const struct ast_stmt *stmt, const struct ast_expr *call, const struct decl *decl,
			 struct plan **ret_plan, const struct expr *const **ret_args);
/* What a run on a cluster cannot be given: a file of this machine, another Secret than the pipeline's own. */
void check_cluster_args(struct check *check, const struct plan *plan, const struct expr *const *args, struct span span);
void check_bind_run(struct check *check, const struct ast_name *name, struct plan *plan); /* plan NULL: not known yet */
void check_verb(struct check *check, const struct ast_stmt *stmt, struct action_list *list);
struct action *add_action(struct action_list *list, enum action_kind kind, struct span span);
struct plan *hold_plan(struct action_list *list, struct plan *plan); /* returns it; the list has a reference of its own */
/* A pipeline's plan; NULL after a complaint (also for one that a redefinition has broken). */
struct plan *plan_of(struct check *check, const struct decl *decl, struct span span);

/* The cluster that the name means, in the program's arena; `auto` needs no declaration. NULL after a complaint. */
const struct cluster *cluster_named(struct check *check, const char *name, struct span span);
const struct cluster *cluster_of(struct check *check, const struct ast_expr *ast); /* the same for what stands behind `on` */

/* What an expression of an action means: a value, a run or a step. */
enum handle_kind { HANDLE_NONE, HANDLE_RUN, HANDLE_STEP };

struct handle {
	enum handle_kind kind;
	struct plan *plan; /* borrowed */
	size_t step;
};

/* Expressions of actions name what the notebook bound. With ret_handle a run or step may stand for itself; without, it stands
 * for its only output. */
const struct expr *check_variable_expr(struct check *check, const struct ast_expr *ast, struct handle *ret_handle);
void variable_context(struct expr_check *x, struct check *check);

/* ---- of scope.c ---- */
/* Parses and checks a cell and stages what it declares, but the scope stays as it is; scope_peek_end forgets all of it. Problems
 * go to diags. */
void scope_peek(struct scope *scope, struct source *source, struct check *ret, struct diags *diags);
void scope_peek_end(struct check *check);
/* The std library's declarations one after the other, as scope_next. */
const struct binding *scope_std_next(struct scope *scope, size_t *at);
/* Why std.* could not be loaded, or NULL. */
const char *scope_std_error(const struct scope *scope);
const struct decl *scope_decl(struct scope *scope, struct check *check, const char *name);
/* The text at a location; NULL after a complaint at the span. */
struct source *scope_load(struct check *check, const char *location, const struct source *from, const char *sha256,
			  struct span span);

#endif
