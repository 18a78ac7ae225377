/* `P(…) using a = b`: the pipeline lowered again with other components; the plan that it has stays as it is. */
#include "config.h"

#include "dsl/check.h"

#include <string.h>

#include "dsl/parse.h"

enum { LABELS_MAX = 4 };

/* Is there a component of that name among those that the pipeline's steps call? */
static bool
is_called(struct check *check, const struct decl *pipeline, const char *name)
{
	const struct decl *d = map_has(&pipeline->uses, name) ? check_lookup(check, name) : NULL;

	return d && d->binding.kind == BINDING_COMPONENT;
}

/* "train" also means `std.train`, which stands on the left of no `=`. */
static const char *
called_name(struct check *check, const struct decl *pipeline, const char *name)
{
	const char *std = arena_printf(check->arena, "std.%s", name);

	if (is_called(check, pipeline, name))
		return name;
	return is_called(check, pipeline, std) ? std : NULL;
}

static void
not_called(struct check *check, const struct decl *pipeline, const struct plan *plan, const struct ast_name *name)
{
	struct diag *d = diags_add(check->diags, DIAG_L0419, name->span, "no step of the pipeline `%s` calls `%s`", pipeline->name, name->text);
	const char **names = arena_alloc(check->arena, (pipeline->uses.n + 1) * sizeof(*names));
	size_t step = plan_step_index(plan, name->text), at = 0, n = 0;
	const struct map_entry *e;

	diag_label(check->diags, d, pipeline->binding.span, "declared here");
	if (step < plan->n_steps) {
		diag_help(check->diags, d, "the step `%s` calls `%s`, and that is the name to write", name->text, plan->steps[step].component->name);
		diag_fix(check->diags, d, name->span, FIX_LIKELY, plan->steps[step].component->name);
		return;
	}
	while ((e = map_next(&pipeline->uses, &at)))
		if (is_called(check, pipeline, e->key))
			names[n++] = strncmp(e->key, "std.", 4) ? e->key : e->key + 4;
	diag_near(check->diags, d, "component", name->span, name->text, names, n);
}

/* What stands in the place of another; NULL after a complaint. */
static const struct decl *
component_of(struct check *check, const struct ast_expr *path)
{
	struct ast_name names[PATH_MAX_NAMES];
	size_t n = path ? path_names(path, names, PATH_MAX_NAMES) : 0;
	const struct decl *d;
	const char *text;
	struct diag *diag;

	if (!n)
		return NULL;
	d = check_lookup_path(check, check->arena, names, n, &text);
	if (!d) {
		unknown_callee(check, path->span, text, "component", 1U << BINDING_COMPONENT);
		return NULL;
	}
	if (d->is_poison)
		return NULL;
	if (d->binding.kind != BINDING_COMPONENT) {
		diag = diags_add(check->diags, DIAG_L0216, path->span, "`%s` is not a component", text);
		diag_label(check->diags, diag, d->binding.span, "declared here");
		return NULL;
	}
	if (d->binding.component->kind == COMPONENT_GRAPH) {
		check_later(check, path->span, "a component with a graph implementation (`%s`)", text);
		return NULL;
	}
	return d;
}

static bool
is_replaced(struct check *check, const struct replacement *before, size_t n, const struct ast_using *using_, const char *name)
{
	struct diag *d;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(before[i].name, name))
			continue;
		d = diags_add(check->diags, DIAG_L0419, using_->name.span, "`%s` is replaced twice", using_->name.text);
		diag_label(check->diags, d, before[i].span, "by this already");
		return true;
	}
	return false;
}

static size_t
read_all(struct check *check, const struct decl *pipeline, const struct plan *plan, const struct ast_stmt *call, struct replacement *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < call->n_using; i++) {
		const struct ast_using *u = &call->using_[i];
		const char *name = u->name.text ? called_name(check, pipeline, u->name.text) : NULL;
		const struct decl *with = component_of(check, u->path);

		if (!name && u->name.text)
			not_called(check, pipeline, plan, &u->name);
		else if (name && with && !is_replaced(check, ret, n, u, name))
			ret[n++] = (struct replacement){ name, with, u->path->span };
	}
	return n;
}

/* A misfit that is found within the pipeline comes of `using`, for without it there was none. */
static void
label_all(struct check *check, size_t from, const struct replacements *replacements)
{
	for (size_t i = from; i < check->diags->n; i++) {
		struct diag *d = check->diags->items[i];
		bool points_there = d->code == DIAG_L0420 || d->code == DIAG_L0421 || d->code == DIAG_L0422;

		for (size_t k = 0; k < replacements->n && k < LABELS_MAX && !points_there; k++)
			diag_label(check->diags, d, replacements->items[k].span, "with this in place of `%s`", replacements->items[k].name);
	}
}

struct plan *
check_using(struct check *check, const struct decl *decl, const struct ast_stmt *call)
{
	struct replacement *items = arena_alloc(check->arena, (call->n_using + 1) * sizeof(*items));
	struct replacements replacements = { .items = items };
	size_t errors = check->diags->n_errors, before = check->diags->n;
	struct map uses = { 0 };
	struct plan *plan;

	if (!decl->binding.plan)
		return NULL;
	replacements.n = read_all(check, decl, decl->binding.plan, call, items);
	if (check->diags->n_errors > errors)
		return NULL;
	plan = lower_pipeline_using(check, decl->binding.unit, decl->stmt, &uses, &replacements);
	label_all(check, before, &replacements);
	map_release(&uses);
	return plan;
}

/* ---- from elsewhere than a cell ---- */

static const struct ast_stmt *
only_call(struct check *check)
{
	const struct ast_stmt *stmt = check->unit->n_stmts == 1 ? check->unit->stmts[0] : NULL;
	bool good = stmt && stmt->kind == AST_ACTION && stmt->n_using && !stmt->target.text && !stmt->n_with;

	if (!good && !check->diags->n_errors)
		diags_add(check->diags, DIAG_L0419, (struct span){ 0 }, "what `using` takes is of the form `a = b, c = d`");
	return good ? stmt : NULL;
}

struct plan *
scope_using(struct scope *scope, const char *pipeline, const char *text, struct diags *diags)
{
	struct check check = { .scope = scope, .diags = diags, .arena = arena_new() };
	const char *line = arena_printf(check.arena, "`%s`() using %s", pipeline, text);
	struct source *source = source_new("using", line, strlen(line));
	const struct decl *decl = scope_decl(scope, &check, pipeline);
	const struct ast_stmt *call;
	struct plan *plan = NULL;

	check.unit = parse(source, NULL, diags);
	call = only_call(&check);
	if (call && !diags->n_errors && decl && decl->binding.kind == BINDING_PIPELINE)
		plan = check_using(&check, decl, call);
	diags_sort(diags);
	unit_unref(check.unit);
	source_unref(source);
	arena_free(check.arena);
	return plan;
}
