/* `for x in LIST { … }` at the top level: a sweep, whose lines are carried out once for each item. */
#include "config.h"

#include "dsl/check.h"

#include <stdlib.h>

static const struct expr *
items_of(struct check *check, const struct ast_expr *ast)
{
	const struct expr *e = check_variable_expr(check, ast, NULL);
	struct diag *d;

	if (!e || e->type->kind == TYPE_LIST || e->type->kind == TYPE_ANY)
		return e;
	d = diags_add(check->diags, DIAG_L0309, e->span, "a sweep goes over a List, not %s", type_text(check->arena, e->type));
	if (e->origin.source)
		diag_label(check->diags, d, e->origin, "declared here");
	return NULL;
}

/* The name of the item is bound like any other, and has the last item in the end. */
static void
bind_item(struct check *check, const struct ast_name *name, const struct expr *items)
{
	const struct type *type = items && items->type->item ? items->type->item : &TYPE_OF_ANY;
	struct decl *d;

	if (!name->text || !check_new_name(check, name))
		return;
	d = decl_new(BINDING_VALUE, name->text, check->unit, name->span);
	d->binding.type = type_clone(check->unit->arena, type);
	check_stage(check, d);
}

static void
check_line(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	struct diag *d;

	if (stmt->start) {
		d = diags_add(check->diags, DIAG_L0118, stmt->span, "`start` cannot stand in a sweep");
		diag_help(check->diags, d, "a sweep runs one after the other, and waits for each: leave `start` out");
		return;
	}
	check_action(check, stmt, list);
}

void
check_sweep(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	const struct expr *items = items_of(check, stmt->expr);
	struct action_list body = { 0 };
	struct action *a;

	bind_item(check, &stmt->name, items);
	for (size_t i = 0; i < stmt->body.n; i++)
		check_line(check, stmt->body.stmts[i], &body);
	if (!stmt->body.n && !check->torn)
		diags_add(check->diags, DIAG_L0411, stmt->body.span, "this sweep has nothing in it");
	for (size_t i = 0; i < body.n_plans; i++) {
		hold_plan(list, body.plans[i]);
		plan_unref(body.plans[i]);
	}
	a = add_action(list, ACTION_SWEEP, stmt->span);
	a->bind = stmt->name.text;
	a->expr = items;
	a->body = arena_copy(check->arena, body.items, body.n * sizeof(*body.items));
	a->n_body = body.n;
	free(body.plans);
	vec_release(&body);
}

void
check_sweep_names(struct check *check, struct ast_stmt *stmt)
{
	for (size_t i = 0; i < stmt->body.n; i++)
		if (stmt->body.stmts[i]->name.text)
			map_set(&check->binds, stmt->body.stmts[i]->name.text, stmt->body.stmts[i]);
	if (stmt->name.text)
		map_set(&check->binds, stmt->name.text, stmt);
}
