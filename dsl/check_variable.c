#include "config.h"

#include "dsl/check.h"

#include <stdint.h>
#include <string.h>

#include "base/buf.h"

enum { MEMBERS_SHOWN = 16 };

/* Types of what is no value; nothing fits them but what asks for a handle. */
static const struct type type_of_run = { .kind = TYPE_OPAQUE, .name = "run" };
static const struct type type_of_step = { .kind = TYPE_OPAQUE, .name = "step" };

static const struct expr *
variable(struct expr_check *x, const struct ast_name *names, size_t n, const char *last, const struct type *type, struct span span,
	 const struct binding *b)
{
	struct expr *e = expr_new(x->arena, EXPR_VARIABLE, type, span);
	const char **path = arena_alloc(x->arena, (n + 1) * sizeof(*path));

	for (size_t i = 0; i < n; i++)
		path[i] = arena_strdup(x->arena, names[i].text);
	if (last)
		path[n++] = arena_strdup(x->arena, last);
	e->path = path;
	e->n_items = n;
	e->origin = b->span;
	return e;
}

static size_t
plan_output_index(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->n_outputs; i++)
		if (!strcmp(plan->outputs[i].name, name))
			return i;
	return SIZE_MAX;
}

/* What there is, where no name was near. */
static void
help_members(struct diags *diags, struct diag *d, const char *const *members, size_t n)
{
	struct buf names = { 0 };

	for (size_t i = 0; i < n && i < MEMBERS_SHOWN; i++)
		buf_printf(&names, "%s`%s`", i ? ", " : "", members[i]);
	if (n > MEMBERS_SHOWN)
		buf_printf(&names, " and %zu more", n - MEMBERS_SHOWN);
	diag_help(diags, d, "it has %s", buf_text(&names));
	buf_release(&names);
}

static const struct expr *
no_member(struct expr_check *x, const struct ast_name *name, const char *of, const char *const *members, size_t n)
{
	struct diag *d = diags_add(x->check->diags, DIAG_L0215, name->span, "%s has no member `%s`", of, name->text);

	diag_near(x->check->diags, d, "member", name->span, name->text, members, n);
	if (n && !d->n_helps)
		help_members(x->check->diags, d, members, n);
	return NULL;
}

/* ---- steps of runs ---- */

static const struct expr *
no_step_member(struct expr_check *x, const struct plan_step *step, const struct ast_name *name)
{
	const struct component *c = step->component;
	const char **names = arena_alloc(x->arena, (c->n_outputs + 1) * sizeof(*names));

	for (size_t i = 0; i < c->n_outputs; i++)
		names[i] = c->outputs[i].id;
	names[c->n_outputs] = "status";
	return no_member(x, name, arena_printf(x->arena, "the step `%s`", step->name), names, c->n_outputs + 1);
}

static const struct expr *
step_member(struct expr_check *x, const struct decl *d, const struct plan_step *step, const struct ast_name *names, size_t at,
	    size_t n, struct span span)
{
	const struct component *c = step->component;
	size_t output = component_output(c, names[at].text);
	const struct type *type;
	bool path;

	if (output == SIZE_MAX && !strcmp(names[at].text, "status") && at + 1 == n)
		return variable(x, names, n, NULL, &TYPE_OF_STRING, span, &d->binding);
	/* A file's path on this machine; a step with one file may be asked for it directly. */
	if (output == SIZE_MAX && !strcmp(names[at].text, "path") && at + 1 == n && c->n_outputs == 1 &&
		type_is_file(c->outputs[0].type))
		return variable(x, names, n - 1, "path", &TYPE_OF_STRING, span, &d->binding);
	if (output == SIZE_MAX)
		return no_step_member(x, step, &names[at]);
	type = c->outputs[output].type;
	path = at + 2 == n && type_is_file(type) && !strcmp(names[at + 1].text, "path");
	if (at + 1 < n && !path)
		return no_member(x, &names[at + 1], arena_printf(x->arena, "the output `%s`", names[at].text), NULL, 0);
	return variable(x, names, n, NULL, path ? &TYPE_OF_STRING : type, span, &d->binding);
}

static const struct expr *
only_output(struct expr_check *x, const struct decl *d, const char *what, const struct ast_name *names, size_t n,
	    const char *const *outputs, const struct type *const *types, size_t n_outputs, struct span span)
{
	struct diag *diag;

	if (n_outputs == 1)
		return variable(x, names, n, outputs[0], types[0], span, &d->binding);
	diag = diags_add(x->check->diags, DIAG_L0219, span, "%s `%s` has %s, so it is no value by itself", what, names[n - 1].text,
		n_outputs ? "several outputs" : "no output");
	for (size_t i = 0; i < n_outputs && i < 4; i++)
		diag_help(x->check->diags, diag, "write `.%s` behind it", outputs[i]);
	return NULL;
}

static const struct expr *
step_itself(struct expr_check *x, const struct decl *d, const struct plan *plan, size_t step, const struct ast_name *names,
	    size_t n, struct span span)
{
	const struct component *c = plan->steps[step].component;
	const char **outputs = arena_alloc(x->arena, (c->n_outputs + 1) * sizeof(*outputs));
	const struct type **types = arena_alloc(x->arena, (c->n_outputs + 1) * sizeof(*types));
	struct handle *handle = x->context;

	if (handle) {
		*handle = (struct handle){ HANDLE_STEP, d->binding.plan, step };
		return variable(x, names, n, NULL, &type_of_step, span, &d->binding);
	}
	for (size_t i = 0; i < c->n_outputs; i++) {
		outputs[i] = c->outputs[i].id;
		types[i] = c->outputs[i].type;
	}
	return only_output(x, d, "the step", names, n, outputs, types, c->n_outputs, span);
}

/* ---- runs ---- */

/* What the run is of is not known yet: whether it has the member is seen when it is looked at. */
static const struct expr *
unknown_run(struct expr_check *x, const struct decl *d, const struct ast_name *names, size_t n, struct span span)
{
	struct handle *handle = x->context;
	bool text = n == 2 && (!strcmp(names[1].text, "status") || !strcmp(names[1].text, "id"));
	struct diag *diag;

	if (handle && n <= 2 && !text) {
		*handle = (struct handle){ n == 1 ? HANDLE_RUN : HANDLE_STEP, NULL, 0 };
		return variable(x, names, n, NULL, n == 1 ? &type_of_run : &TYPE_OF_ANY, span, &d->binding);
	}
	if (n > 1)
		return variable(x, names, n, NULL, text ? &TYPE_OF_STRING : &TYPE_OF_ANY, span, &d->binding);
	diag = diags_add(x->check->diags, DIAG_L0219, span, "the run `%s` is no value by itself", names[0].text);
	diag_help(x->check->diags, diag, "write `.STEP.OUTPUT` behind it");
	return NULL;
}

static const struct expr *
run_itself(struct expr_check *x, const struct decl *d, const struct ast_name *names, struct span span)
{
	const struct plan *plan = d->binding.plan;
	const char **outputs = arena_alloc(x->arena, (plan->n_outputs + 1) * sizeof(*outputs));
	const struct type **types = arena_alloc(x->arena, (plan->n_outputs + 1) * sizeof(*types));
	struct handle *handle = x->context;

	if (handle) {
		*handle = (struct handle){ HANDLE_RUN, d->binding.plan, 0 };
		return variable(x, names, 1, NULL, &type_of_run, span, &d->binding);
	}
	for (size_t i = 0; i < plan->n_outputs; i++) {
		outputs[i] = plan->outputs[i].name;
		types[i] = plan->outputs[i].value->type;
	}
	return only_output(x, d, "the run", names, 1, outputs, types, plan->n_outputs, span);
}

static const struct expr *
no_run_member(struct expr_check *x, const struct plan *plan, const struct ast_name *names)
{
	const char **members = arena_alloc(x->arena, (plan->n_outputs + plan->n_steps + 2) * sizeof(*members));
	size_t n = 0;

	for (size_t i = 0; i < plan->n_outputs; i++)
		members[n++] = plan->outputs[i].name;
	for (size_t i = 0; i < plan->n_steps; i++)
		members[n++] = plan->steps[i].name;
	members[n++] = "status";
	members[n++] = "id";
	return no_member(x, &names[1], arena_printf(x->arena, "the run `%s`", names[0].text), members, n);
}

static const struct expr *
run_member(struct expr_check *x, const struct decl *d, const struct ast_name *names, size_t n, struct span span)
{
	const struct plan *plan = d->binding.plan;
	size_t output = plan_output_index(plan, names[1].text), step = plan_step_index(plan, names[1].text);

	if (output != SIZE_MAX && n == 2)
		return variable(x, names, n, NULL, plan->outputs[output].value->type, span, &d->binding);
	if (output != SIZE_MAX && n == 3 && type_is_file(plan->outputs[output].value->type) && !strcmp(names[2].text, "path"))
		return variable(x, names, n, NULL, &TYPE_OF_STRING, span, &d->binding);
	if (step != SIZE_MAX)
		return n == 2 ? step_itself(x, d, plan, step, names, n, span) :
			step_member(x, d, &plan->steps[step], names, 2, n, span);
	if (n == 2 && (!strcmp(names[1].text, "status") || !strcmp(names[1].text, "id")))
		return variable(x, names, n, NULL, &TYPE_OF_STRING, span, &d->binding);
	if (n == 2 && !strcmp(names[1].text, "path") && plan->n_outputs == 1 && type_is_file(plan->outputs[0].value->type)) {
		struct ast_name whole[3] = { names[0], { plan->outputs[0].name, names[1].span }, names[1] };

		return variable(x, whole, 3, NULL, &TYPE_OF_STRING, span, &d->binding);
	}
	return no_run_member(x, plan, names);
}

/* ---- names ---- */

static const struct expr *
value_itself(struct expr_check *x, const struct decl *d, const struct ast_name *names, size_t n, struct span span)
{
	const struct type *type = d->binding.type;

	if (n == 2 && type_is_file(type) && !strcmp(names[1].text, "path"))
		return variable(x, names, n, NULL, &TYPE_OF_STRING, span, &d->binding);
	if (n > 1) {
		struct diag *diag = diags_add(x->check->diags, DIAG_L0215, names[1].span, "`%s` is %s and has no member `%s`",
			names[0].text, type_text(x->arena, type), names[1].text);

		if (type->kind == TYPE_DICT || type->kind == TYPE_ANY)
			diag_help(x->check->diags, diag, "a value of a Dict is read as `%s[\"%s\"]`", names[0].text, names[1].text);
		return NULL;
	}
	return variable(x, names, n, NULL, type, span, &d->binding);
}

static const struct expr *
unknown(struct expr_check *x, const struct ast_name *name)
{
	const unsigned kinds = 1U << BINDING_VALUE | 1U << BINDING_RUN | 1U << BINDING_STEP;
	const char *const *known;
	struct diag *d;
	size_t n;

	if (x->check->torn)
		return NULL;
	d = diags_add(x->check->diags, DIAG_L0202, name->span, "nothing named `%s` is known", name->text);
	known = check_known(x->check, x->context ? kinds | 1U << BINDING_COMPONENT | 1U << BINDING_PIPELINE : kinds, &n);
	diag_near(x->check->diags, d, "name", name->span, name->text, known, n);
	return NULL;
}

static const struct expr *
variable_path(struct expr_check *x, const struct ast_name *names, size_t n, struct span span)
{
	const struct decl *d = check_lookup(x->check, names[0].text);
	struct diag *diag;

	if (!d && !strcmp(names[0].text, "std")) {
		diags_add(x->check->diags, DIAG_L0216, span, "`std` holds components, `std.NAME`, and is no value");
		return NULL;
	}
	if (!d)
		return unknown(x, &names[0]);
	switch (d->binding.kind) {
	case BINDING_VALUE:
		return value_itself(x, d, names, n, span);
	case BINDING_RUN:
		if (!d->binding.plan)
			return unknown_run(x, d, names, n, span);
		return n == 1 ? run_itself(x, d, names, span) : run_member(x, d, names, n, span);
	case BINDING_STEP:
		return n == 1 ? step_itself(x, d, d->binding.plan, d->step, names, n, span) :
			step_member(x, d, &d->binding.plan->steps[d->step], names, 1, n, span);
	default:
		break;
	}
	diag = diags_add(x->check->diags, DIAG_L0216, names[0].span, "`%s` is a %s, not a value", names[0].text,
		d->binding.kind == BINDING_COMPONENT ? "component" : d->binding.kind == BINDING_PIPELINE ? "pipeline" :
		d->binding.kind == BINDING_CLUSTER ? "cluster" : "type");
	diag_label(x->check->diags, diag, d->binding.span, "declared here");
	return NULL;
}

void
variable_context(struct expr_check *x, struct check *check)
{
	*x = (struct expr_check){ .check = check, .arena = check->arena, .path = variable_path };
}

const struct expr *
check_variable_expr(struct check *check, const struct ast_expr *ast, struct handle *ret_handle)
{
	struct expr_check x;
	bool alone = ast && (ast->kind == AST_NAME || ast->kind == AST_MEMBER);

	variable_context(&x, check);
	if (ret_handle)
		*ret_handle = (struct handle){ HANDLE_NONE, NULL, 0 };
	/* within an operator, a text or a List a run cannot stand for itself */
	x.context = alone ? ret_handle : NULL;
	return check_expr(&x, ast);
}
