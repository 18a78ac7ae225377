#include "config.h"

#include "dsl/check.h"

#include <stdint.h>
#include <string.h>

struct action *
add_action(struct action_list *list, enum action_kind kind, struct span span)
{
	vec_push(list, ((struct action){ .kind = kind, .span = span, .last = -1 }));
	return &list->items[list->n - 1];
}

struct plan *
hold_plan(struct action_list *list, struct plan *plan)
{
	struct { struct plan **items; size_t n, cap; } plans = { list->plans, list->n_plans, list->cap_plans };

	for (size_t i = plans.n; i-- > 0;)
		if (plans.items[i] == plan)
			return plan;
	vec_push(&plans, plan_ref(plan));
	list->plans = plans.items;
	list->n_plans = plans.n;
	list->cap_plans = plans.cap;
	return plan;
}

struct plan *
plan_of(struct check *check, const struct decl *decl, struct span span)
{
	struct diag *d;
	struct map uses = {0};

	if (decl->binding.plan || decl->in_this_cell)
		return decl->binding.plan;
	d = diags_add(check->diags, DIAG_L0218, span, "the pipeline `%s` does not fit what was redefined since", decl->name);
	diag_label(check->diags, d, decl->binding.span, "declared here");
	plan_unref(lower_pipeline(check, decl->binding.unit, decl->stmt, &uses));
	map_release(&uses);
	return NULL;
}

/* ---- names that are bound ---- */

/* A declaration and a value cannot share a name within one cell. */
static bool
may_bind(struct check *check, const struct ast_name *name)
{
	return !name->text || check_new_name(check, name);
}

static struct decl *
bind(struct check *check, const struct ast_name *name, enum binding_kind kind)
{
	struct decl *d = decl_new(kind, name->text, check->unit, name->span);

	check_stage(check, d);
	return d;
}

void
check_bind_run(struct check *check, const struct ast_name *name, struct plan *plan)
{
	if (name->text && check_new_name(check, name))
		bind(check, name, BINDING_RUN)->binding.plan = plan ? plan_ref(plan) : NULL;
}

static void
bind_expr(struct check *check, const struct ast_name *name, const struct expr *e, const struct handle *handle)
{
	/* a step of a run whose plan is not known yet is a value like any other until it is looked at */
	bool run = handle->kind == HANDLE_RUN || (handle->kind == HANDLE_STEP && handle->plan);
	struct decl *d = bind(check, name, run ? (handle->kind == HANDLE_RUN ? BINDING_RUN : BINDING_STEP) : BINDING_VALUE);

	d->binding.plan = run && handle->plan ? plan_ref(handle->plan) : NULL;
	d->step = handle->step;
	d->binding.type = type_clone(check->unit->arena, e->type);
}

/* ---- calls ---- */

/* ---- what cannot travel to a cluster ---- */

static void
refuse_file(struct check *check, const struct plan_param *param, const struct expr *arg)
{
	struct diag *d = diags_add(check->diags, DIAG_L1013, arg->span, "a file of this machine cannot be given to a run on a cluster");

	if (param->span.source)
		diag_label(check->diags, d, param->span, "`%s` is a %s: on a cluster it comes from another step", param->name, param->type->name);
	diag_help(check->diags, d, "put the file where the cluster can read it, and let a step of the pipeline fetch it");
}

static bool
same_secret(const struct secret *a, const struct secret *b)
{
	return a && b && a->source == b->source && !strcmp(a->name, b->name) && !a->key == !b->key && (!a->key || !strcmp(a->key, b->key));
}

static void
refuse_secret(struct check *check, const struct plan *plan, const struct plan_param *param, const struct expr *arg)
{
	struct diag *d = diags_add(check->diags, DIAG_L0311, arg ? arg->span : plan->span,
		"the Secret `%s` of `%s` is fixed when the pipeline is compiled", param->name, plan->name);

	if (param->span.source)
		diag_label(check->diags, d, param->span, "declared here");
	diag_help(check->diags, d, "give it a default, `%s: Secret = secret(\"name\", \"key\")`, and leave it out of the call", param->name);
}

void
check_cluster_args(struct check *check, const struct plan *plan, const struct expr *const *args, struct span span)
{
	for (size_t i = 0; i < plan->n_params; i++) {
		const struct plan_param *param = &plan->params[i];
		const struct expr *arg = args ? args[i] : NULL;

		if (arg && type_is_file(param->type))
			refuse_file(check, param, arg);
		else if (param->type->kind == TYPE_SECRET && ((arg && !same_secret(arg->secret, param->secret)) || (!arg && !param->secret)))
			refuse_secret(check, plan, param, arg ? arg : expr_new(check->arena, EXPR_SECRET, param->type, span));
	}
}

/* A component's Secret inputs are the parameters of a plan that was made for this one call, so they can still be fixed there. */
static void
fix_secrets(struct plan *plan, const struct expr *const *args)
{
	struct plan_param *params = arena_copy(plan->arena, plan->params, plan->n_params * sizeof(*params));

	for (size_t i = 0; i < plan->n_params; i++) {
		const struct secret *secret = args[i] && args[i]->kind == EXPR_SECRET ? args[i]->secret : NULL;

		if (secret && params[i].type->kind == TYPE_SECRET)
			params[i].secret = secret_clone(plan->arena, secret);
	}
	plan->params = params;
}

/* The cluster behind `on`, NULL without one; false after a complaint. */
static bool
target_of(struct check *check, const struct ast_stmt *stmt, const struct cluster **ret)
{
	*ret = stmt->target.text ? cluster_named(check, stmt->target.text, stmt->target.span) : NULL;
	return *ret || !stmt->target.text;
}

static void
run_component(struct check *check, const struct ast_stmt *stmt, const struct component *c, struct plan *plan,
	      const struct expr *const *given, const size_t *param_of, struct action_list *list)
{
	const struct expr **args = arena_alloc(check->arena, (c->n_inputs + 1) * sizeof(*args));
	const struct cluster *cluster;
	struct action *a;

	for (size_t i = 0; i < c->n_inputs; i++)
		if (param_of[i] != SIZE_MAX)
			args[param_of[i]] = given[i];
	if (!target_of(check, stmt, &cluster))
		return;
	if (cluster) {
		fix_secrets(plan, args);
		check_cluster_args(check, plan, args, stmt->span);
	}
	a = add_action(list, ACTION_RUN, stmt->span);
	a->plan = hold_plan(list, plan);
	a->component = c;
	a->args = args;
	a->n_args = plan->n_params;
	a->bind = stmt->name.text;
	a->cluster = cluster;
	a->flag = stmt->start;
}

static void
call_component(struct check *check, const struct ast_stmt *stmt, const struct decl *decl, struct action_list *list)
{
	const struct component *c = decl->binding.component;
	const struct expr **given = arena_alloc(check->arena, (c->n_inputs + 1) * sizeof(*given));
	size_t *param_of = arena_alloc(check->arena, (c->n_inputs + 1) * sizeof(*param_of));
	bool *is_given = arena_alloc(check->arena, c->n_inputs + 1);
	size_t errors = check->diags->n_errors;
	struct callee callee;
	struct expr_check x;
	struct plan *plan;

	if (stmt->n_using) {
		diags_add(check->diags, DIAG_L0419, stmt->using_[0].name.span,
			"`using` puts other components in the place of those that a pipeline's steps call, and `%s` is a component", decl->name);
		return;
	}
	variable_context(&x, check);
	callee_of_component(check->arena, decl->name, c, &callee);
	check_args(&x, &callee, stmt->expr, true, given);
	for (size_t i = 0; i < c->n_inputs; i++)
		is_given[i] = given[i] != NULL;
	plan = lower_component(check, decl, stmt, is_given, param_of);
	if (stmt->name.text && plan)
		bind(check, &stmt->name, BINDING_RUN)->binding.plan = plan_ref(plan);
	if (check->diags->n_errors == errors)
		run_component(check, stmt, c, plan, given, param_of, list);
	plan_unref(plan);
}

bool
check_pipeline_call(struct check *check, const struct ast_stmt *stmt, const struct ast_expr *call, const struct decl *decl,
		    struct plan **ret_plan, const struct expr *const **ret_args)
{
	struct plan *plan = plan_of(check, decl, call->a->span);
	const struct expr **args;
	struct callee callee;
	struct expr_check x;

	if (stmt->n_with)
		diags_add(check->diags, DIAG_L0407, stmt->with[0].span, "`with` belongs to a step; a pipeline has `settings { … }`");
	*ret_plan = plan;
	if (!plan)
		return false;
	args = arena_alloc(check->arena, (plan->n_params + 1) * sizeof(*args));
	variable_context(&x, check);
	callee_of_plan(check->arena, plan, &callee);
	*ret_args = args;
	return check_args(&x, &callee, call, true, args) && !stmt->n_with;
}

static void
call_pipeline(struct check *check, const struct ast_stmt *stmt, const struct decl *decl, struct action_list *list)
{
	const struct cluster *cluster;
	const struct expr *const *args;
	struct plan *plan;
	struct action *a;
	bool good = check_pipeline_call(check, stmt, stmt->expr, decl, &plan, &args);

	if (plan && stmt->n_using) {
		struct plan *own = check_using(check, decl, stmt);

		good = good && own;
		plan = own ? hold_plan(list, own) : plan;
		plan_unref(own);
	}
	if (plan && stmt->name.text)
		bind(check, &stmt->name, BINDING_RUN)->binding.plan = plan_ref(plan);
	good = target_of(check, stmt, &cluster) && good;
	if (!good)
		return;
	if (cluster)
		check_cluster_args(check, plan, args, stmt->span);
	a = add_action(list, ACTION_RUN, stmt->span);
	a->plan = hold_plan(list, plan);
	a->args = args;
	a->n_args = plan->n_params;
	a->bind = stmt->name.text;
	a->cluster = cluster;
	a->flag = stmt->start;
}

/* `input("question")`: the only call of an action that runs nothing. */
static bool
check_input(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	const struct ast_expr *call = stmt->expr;
	const struct ast_expr *question = call->n_entries == 1 && !call->entries[0].key.text ? call->entries[0].value : NULL;
	const struct expr *e;
	struct action *a;

	if (call->a->kind != AST_NAME || strcmp(call->a->name.text, "input") || check_lookup(check, "input"))
		return false;
	if (!question) {
		diags_add(check->diags, DIAG_L0317, call->span, "`input` takes one text, the question");
		return true;
	}
	e = check_variable_expr(check, question, NULL);
	if (e && e->type->kind != TYPE_STRING && e->type->kind != TYPE_ANY)
		diags_add(check->diags, DIAG_L0317, e->span, "the question must be a text, not %s", type_text(check->arena, e->type));
	a = add_action(list, ACTION_INPUT, stmt->span);
	a->expr = e;
	a->bind = stmt->name.text;
	if (stmt->name.text)
		bind(check, &stmt->name, BINDING_VALUE)->binding.type = &TYPE_OF_STRING;
	return true;
}

static void
check_call(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	struct ast_name names[PATH_MAX_NAMES];
	size_t n = stmt->expr->a ? path_names(stmt->expr->a, names, PATH_MAX_NAMES) : 0;
	const struct decl *d;
	const char *text;
	struct diag *diag;

	if (!n) {
		if (stmt->expr->a && stmt->expr->a->kind != AST_POISON)
			diags_add(check->diags, DIAG_L0203, stmt->expr->a->span, "this cannot be called");
		return;
	}
	d = check_lookup_path(check, check->arena, names, n, &text);
	if (!d) {
		unknown_callee(check, stmt->expr->a->span, text, "component or pipeline",
			1U << BINDING_COMPONENT | 1U << BINDING_PIPELINE);
	} else if (d->binding.kind == BINDING_PIPELINE) {
		call_pipeline(check, stmt, d, list);
	} else if (d->is_poison) {
		return;
	} else if (d->binding.kind != BINDING_COMPONENT) {
		diag = diags_add(check->diags, DIAG_L0216, stmt->expr->a->span, "`%s` cannot be called", text);
		diag_label(check->diags, diag, d->binding.span, "declared here");
	} else if (d->binding.component->kind == COMPONENT_GRAPH) {
		check_later(check, stmt->expr->a->span, "a component with a graph implementation (`%s`)", text);
	} else {
		call_component(check, stmt, d, list);
	}
}

/* ---- showing and binding ---- */

/* A component or pipeline named alone is shown; returns false when the expression is something else. */
static bool
show_declaration(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	struct ast_name names[PATH_MAX_NAMES];
	size_t n = path_names(stmt->expr, names, PATH_MAX_NAMES);
	const struct decl *d;
	const char *text;
	struct action *a;
	struct plan *plan;

	d = n ? check_lookup_path(check, check->arena, names, n, &text) : NULL;
	if (!d && n == 2 && !strcmp(names[0].text, "std") && !check_lookup(check, "std")) {
		unknown_callee(check, stmt->expr->span, text, "component", 1U << BINDING_COMPONENT);
		return true;
	}
	if (d && d->binding.kind == BINDING_CLUSTER) {
		if (stmt->name.text)
			diags_add(check->diags, DIAG_L0216, stmt->expr->span, "`%s` is a cluster and cannot be bound to another name", text);
		else
			add_action(list, ACTION_INSPECT, stmt->span)->text = text;
		return true;
	}
	if (!d || (d->binding.kind != BINDING_COMPONENT && d->binding.kind != BINDING_PIPELINE))
		return false;
	if (stmt->name.text) {
		diags_add(check->diags, DIAG_L0216, stmt->expr->span, "`%s` is a %s and cannot be bound to another name", text,
			d->binding.kind == BINDING_COMPONENT ? "component" : "pipeline");
		return true;
	}
	plan = d->binding.kind == BINDING_PIPELINE ? plan_of(check, d, stmt->expr->span) : NULL;
	if (d->binding.kind == BINDING_PIPELINE && !plan)
		return true;
	a = add_action(list, ACTION_SHOW, stmt->span);
	a->component = d->binding.component;
	a->plan = plan ? hold_plan(list, plan) : NULL;
	return true;
}

static void
check_value(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	struct handle handle;
	const struct expr *e;
	struct action *a;

	if (show_declaration(check, stmt, list))
		return;
	e = check_variable_expr(check, stmt->expr, &handle);
	if (e && e->type->kind == TYPE_SECRET) {
		struct diag *d = diags_add(check->diags, DIAG_L0310, e->span, "a Secret cannot be %s", stmt->name.text ? "bound" : "shown");

		diag_help(check->diags, d, "write `secret(…)` where it is given to an input");
		return;
	}
	if (!e)
		return;
	a = add_action(list, stmt->name.text ? ACTION_BIND : ACTION_SHOW, stmt->span);
	a->bind = stmt->name.text;
	a->expr = e;
	if (stmt->name.text)
		bind_expr(check, &stmt->name, e, &handle);
}

/* A name whose value is wrong is known all the same, so that the lines that use it are not complained about. */
static void
bind_poison(struct check *check, const struct ast_name *name)
{
	if (name->text && !map_get(&check->staged, name->text))
		bind(check, name, BINDING_VALUE)->binding.type = &TYPE_OF_ANY;
}

static bool
is_builtin_call(struct check *check, const struct ast_expr *e)
{
	static const char *const names[] = { "len", "range", "secret", "env" };

	for (size_t i = 0; e->a && e->a->kind == AST_NAME && i < ARRAY_LEN(names); i++)
		if (!strcmp(e->a->name.text, names[i]))
			return !check_lookup(check, names[i]);
	return false;
}

void
check_action(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	const struct ast_expr *e = stmt->expr;
	size_t errors = check->diags->n_errors;

	if (!e || !may_bind(check, &stmt->name))
		return;
	if (e->kind == AST_CALL && !is_builtin_call(check, e)) {
		if (!check_input(check, stmt, list))
			check_call(check, stmt, list);
	} else {
		check_value(check, stmt, list);
	}
	if (check->diags->n_errors > errors || e->kind == AST_POISON)
		bind_poison(check, &stmt->name);
}
