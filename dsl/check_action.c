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

static void
bind_run(struct check *check, const struct ast_name *name, struct plan *plan)
{
	if (name->text)
		bind(check, name, BINDING_RUN)->binding.plan = plan_ref(plan);
}

static void
bind_expr(struct check *check, const struct ast_name *name, const struct expr *e, const struct handle *handle)
{
	struct plan *plan = handle->kind == HANDLE_NONE ? NULL : plan_ref(handle->plan);
	struct decl *d = bind(check, name, plan ? (handle->kind == HANDLE_RUN ? BINDING_RUN : BINDING_STEP) : BINDING_VALUE);

	d->binding.plan = plan;
	d->step = handle->step;
	d->binding.type = type_clone(check->unit->arena, e->type);
}

/* ---- calls ---- */

static bool
is_later(struct check *check, const struct ast_stmt *stmt)
{
	bool later = stmt->start || stmt->n_using || stmt->target.text;

	if (stmt->start)
		check_later(check, stmt->span, "`start`, a run in the background");
	if (stmt->n_using)
		check_later(check, stmt->using_[0].name.span, "`using`, other components in place of a pipeline's own");
	if (stmt->target.text)
		check_later(check, stmt->target.span, "a run on a cluster (`on %s`)", stmt->target.text);
	return later;
}

static void
call_component(struct check *check, const struct ast_stmt *stmt, const struct decl *decl, struct action_list *list)
{
	const struct component *c = decl->binding.component;
	const struct expr **given = arena_alloc(check->arena, (c->n_inputs + 1) * sizeof(*given));
	const struct expr **args = arena_alloc(check->arena, (c->n_inputs + 1) * sizeof(*args));
	size_t *param_of = arena_alloc(check->arena, (c->n_inputs + 1) * sizeof(*param_of));
	bool *is_given = arena_alloc(check->arena, c->n_inputs + 1);
	size_t errors = check->diags->n_errors;
	struct callee callee;
	struct expr_check x;
	struct action *a;
	struct plan *plan;

	variable_context(&x, check);
	callee_of_component(check->arena, decl->name, c, &callee);
	check_args(&x, &callee, stmt->expr, true, given);
	for (size_t i = 0; i < c->n_inputs; i++)
		is_given[i] = given[i] != NULL;
	plan = lower_component(check, decl, stmt, is_given, param_of);
	bind_run(check, &stmt->name, plan);
	if (check->diags->n_errors == errors) {
		for (size_t i = 0; i < c->n_inputs; i++)
			if (param_of[i] != SIZE_MAX)
				args[param_of[i]] = given[i];
		a = add_action(list, ACTION_RUN, stmt->span);
		a->plan = hold_plan(list, plan);
		a->component = c;
		a->args = args;
		a->bind = stmt->name.text;
	}
	plan_unref(plan);
}

static void
call_pipeline(struct check *check, const struct ast_stmt *stmt, const struct decl *decl, struct action_list *list)
{
	struct plan *plan = plan_of(check, decl, stmt->expr->a->span);
	const struct expr **args;
	struct callee callee;
	struct expr_check x;
	struct action *a;

	if (stmt->n_with)
		diags_add(check->diags, DIAG_L0407, stmt->with[0].span, "`with` belongs to a step; a pipeline has `settings { … }`");
	if (!plan)
		return;
	args = arena_alloc(check->arena, (plan->n_params + 1) * sizeof(*args));
	variable_context(&x, check);
	callee_of_plan(check->arena, plan, &callee);
	bind_run(check, &stmt->name, plan);
	if (!check_args(&x, &callee, stmt->expr, true, args) || stmt->n_with)
		return;
	a = add_action(list, ACTION_RUN, stmt->span);
	a->plan = hold_plan(list, plan);
	a->args = args;
	a->bind = stmt->name.text;
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
	bool later = is_later(check, stmt);

	if (!e || !may_bind(check, &stmt->name))
		return;
	if (e->kind == AST_CALL && !is_builtin_call(check, e)) {
		if (!later && !check_input(check, stmt, list))
			check_call(check, stmt, list);
	} else {
		check_value(check, stmt, list);
	}
	if (check->diags->n_errors > errors || e->kind == AST_POISON)
		bind_poison(check, &stmt->name);
}
