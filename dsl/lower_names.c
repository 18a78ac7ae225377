#include "config.h"

#include "dsl/lower.h"

#include <stdint.h>
#include <string.h>

static bool
sees(const struct lower *l, size_t group, size_t declared_in)
{
	while (group > declared_in)
		group = l->groups.items[group].group.parent;
	return group == declared_in;
}

/* Candidates for near names cost a walk over all names; past the ceiling nobody would read them. */
static const char *const *
names_seen(struct lower *l, size_t group, bool steps_only, size_t *ret_n)
{
	const char **names = NULL;
	const struct map_entry *e;
	size_t at = 0, n = 0;

	*ret_n = 0;
	if (l->check->diags->n_errors > DIAGS_MAX)
		return NULL;
	names = arena_alloc(l->check->arena, (l->locals.n + 1) * sizeof(*names));
	while ((e = map_next(&l->locals, &at))) {
		const struct local *local = e->value;

		if (steps_only ? local->kind == LOCAL_STEP : sees(l, group, local->group))
			names[n++] = local->name;
	}
	*ret_n = n;
	return names;
}

/* ---- names that mean nothing here ---- */

static const struct expr *
unknown(struct lower *l, size_t group, const struct ast_name *name)
{
	struct diags *diags = l->check->diags;
	const struct decl *outside = check_lookup(l->check, name->text);
	const struct ast_stmt *bind = map_get(&l->check->binds, name->text);
	const char *const *names;
	struct diag *d;
	size_t n;

	if (bind || (outside && (outside->binding.kind == BINDING_VALUE || outside->binding.kind == BINDING_RUN ||
				outside->binding.kind == BINDING_STEP))) {
		d = diags_add(diags, DIAG_L0208, name->span, "a pipeline does not see the notebook's `%s`", name->text);
		diag_label(diags, d, bind ? bind->name.span : outside->binding.span, "bound here");
		diag_help(diags, d, "give the pipeline a parameter, and `%s` when it is called", name->text);
		return NULL;
	}
	if (outside) {
		d = diags_add(diags, DIAG_L0216, name->span, "`%s` is a %s, not a value", name->text,
			outside->binding.kind == BINDING_COMPONENT ? "component" :
				outside->binding.kind == BINDING_PIPELINE ? "pipeline" :
				outside->binding.kind == BINDING_CLUSTER ? "cluster" : "type");
		if (outside->binding.kind == BINDING_COMPONENT)
			diag_help(diags, d, "a step that calls it has outputs: `x = %s(…)`", name->text);
		return NULL;
	}
	if (l->check->torn)
		return NULL;
	d = diags_add(diags, DIAG_L0202, name->span, "nothing named `%s` is known in this pipeline", name->text);
	names = names_seen(l, group, false, &n);
	diag_near(diags, d, "value", name->span, name->text, names, n);
	return NULL;
}

static const struct expr *
not_seen(struct lower *l, const struct local *local, const struct ast_name *name)
{
	size_t at = local->group;
	struct diag *d;

	for (; at; at = l->groups.items[at].group.parent) {
		if (l->groups.items[at].group.kind != GROUP_FOR)
			continue;
		if (local->kind != LOCAL_STEP)
			break;
		check_later(l->check, name->span, "the outputs of a loop's step as a List outside the loop");
		return NULL;
	}
	d = diags_add(l->check->diags, DIAG_L0207, name->span, "`%s` is not seen from here", name->text);
	diag_label(l->check->diags, d, local->span, "declared within this %s",
		l->groups.items[local->group].group.kind == GROUP_FOR ? "loop" : "branch");
	return NULL;
}

/* ---- what names mean ---- */

static const struct expr *
fact(struct expr_check *x, const struct ast_name *names, size_t n, struct span span)
{
	static const enum fact facts[] = { FACT_RUN_ID, FACT_RUN_NAME, FACT_RUN_NAMESPACE, FACT_RUN_STATUS, FACT_STEP_NAME,
		FACT_STEP_ATTEMPT };
	static const char *const run_facts[] = { "id", "name", "namespace", "status" }, *const step_facts[] = { "name", "attempt" };
	bool run = !strcmp(names[0].text, "run");
	struct expr *e;
	struct diag *d;

	for (size_t i = 0; n == 2 && i < ARRAY_LEN(facts); i++) {
		if (strncmp(expr_fact_text(facts[i]), names[0].text, strlen(names[0].text)) ||
			strcmp(expr_fact_text(facts[i]) + strlen(names[0].text) + 1, names[1].text))
			continue;
		if (facts[i] == FACT_RUN_STATUS) {
			diags_add(x->check->diags, DIAG_L0215, span, "`run.status` is known in `on exit` only");
			return NULL;
		}
		e = expr_new(x->arena, EXPR_FACT, facts[i] == FACT_STEP_ATTEMPT ? &TYPE_OF_INTEGER : &TYPE_OF_STRING, span);
		e->fact = facts[i];
		return e;
	}
	d = diags_add(x->check->diags, DIAG_L0215, n > 1 ? names[1].span : span, "`%s` has %s", names[0].text,
		run ? "`run.id`, `run.name`, `run.namespace` and `run.status`" : "`step.name` and `step.attempt`");
	if (n > 1)
		diag_near(x->check->diags, d, "fact", names[1].span, names[1].text, run ? run_facts : step_facts,
			run ? ARRAY_LEN(run_facts) : ARRAY_LEN(step_facts));
	return NULL;
}

static const struct expr *
unknown_output(struct expr_check *x, const struct lower_step *s, const struct ast_name *name)
{
	static const char *const states[] = { "failed", "skipped", "succeeded", "errored", "omitted", "status" };
	const struct component *c = s->step.component;
	const char **outputs = arena_alloc(x->check->arena, (c->n_outputs + 1) * sizeof(*outputs));
	struct diag *d;

	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		if (!strcmp(name->text, states[i])) {
			check_later(x->check, name->span, "the state of a step (`%s.%s`)", s->step.name, name->text);
			return NULL;
		}
	}
	d = diags_add(x->check->diags, DIAG_L0206, name->span, "step `%s` has no output `%s`", s->step.name, name->text);
	diag_label(x->check->diags, d, s->step.name_span, "it calls `%s`", c->name);
	for (size_t i = 0; i < c->n_outputs; i++)
		outputs[i] = c->outputs[i].id;
	diag_near(x->check->diags, d, "output", name->span, name->text, outputs, c->n_outputs);
	if (!c->n_outputs)
		diag_note(x->check->diags, d, "`%s` has no outputs", c->name);
	return NULL;
}

static const struct expr *
which_output(struct expr_check *x, const struct lower_step *s, struct span span)
{
	const struct component *c = s->step.component;
	struct diag *d;

	if (!c->n_outputs) {
		d = diags_add(x->check->diags, DIAG_L0219, span, "step `%s` has no output and so no value", s->step.name);
		diag_help(x->check->diags, d, "to wait for it, write `after %s`", s->step.name);
		return NULL;
	}
	d = diags_add(x->check->diags, DIAG_L0219, span, "step `%s` has %zu outputs", s->step.name, c->n_outputs);
	for (size_t i = 0; i < c->n_outputs && i < 4; i++)
		diag_help(x->check->diags, d, "write `%s.%s`", s->step.name, c->outputs[i].id);
	return NULL;
}

static const struct expr *
output_of(struct expr_check *x, const struct lower_step *s, const struct ast_name *names, size_t n, struct span span)
{
	const struct component *c = s->step.component;
	size_t output = 0;
	struct expr *e;

	if (!c)
		return NULL;
	if (s->original) {
		output = lower_replaced_output(((struct place_in *)x->context)->lower, s, names, n, span);
		if (output == SIZE_MAX)
			return NULL;
	} else if (n == 1 && c->n_outputs != 1) {
		return which_output(x, s, span);
	} else if (n > 1 && (output = component_output(c, names[1].text)) == SIZE_MAX) {
		return unknown_output(x, s, &names[1]);
	}
	if (n > 2) {
		diags_add(x->check->diags, DIAG_L0215, names[2].span, "an output has no member `%s`", names[2].text);
		return NULL;
	}
	e = expr_new(x->arena, EXPR_OUTPUT, c->outputs[output].type, span);
	e->index = (size_t)(s - ((struct place_in *)x->context)->lower->steps.items);
	e->output = output;
	e->origin = c->outputs[output].span;
	return e;
}

static const struct expr *
no_member(struct expr_check *x, const struct expr *e, const struct ast_name *names)
{
	struct diag *d = diags_add(x->check->diags, DIAG_L0215, names[1].span, "`%s` is %s and has no member `%s`", names[0].text,
		type_text(x->check->arena, e->type), names[1].text);

	if (e->type->kind == TYPE_DICT || e->type->kind == TYPE_ANY)
		diag_help(x->check->diags, d, "a value of a Dict is read as `%s[\"%s\"]`", names[0].text, names[1].text);
	return NULL;
}

/* The value with the place of its use, for messages; the nodes below are shared. */
static const struct expr *
used_here(struct expr_check *x, const struct expr *value, const struct local *local, struct span span)
{
	struct expr *e = arena_new_struct(x->arena, struct expr);

	*e = *value;
	e->span = span;
	e->origin = local->span;
	return e;
}

static const struct expr *
named_value(struct expr_check *x, struct local *local)
{
	struct place_in *here = x->context, there = { here->lower, local->group };
	struct expr_check inner = { .check = x->check, .arena = x->arena, .path = lower_path, .context = &there };
	struct diag *d;

	if (local->state == LOCAL_BUSY) {
		d = diags_add(x->check->diags, DIAG_L0210, local->span, "the value `%s` is defined by itself", local->name);
		diag_primary(x->check->diags, d, "its own value is needed to compute it");
		return NULL;
	}
	if (local->state == LOCAL_FRESH) {
		local->state = LOCAL_BUSY;
		local->value = check_expr(&inner, local->ast);
		local->state = LOCAL_DONE;
	}
	return local->value;
}

static const struct expr *
param(struct expr_check *x, const struct lower *l, const struct local *local, struct span span)
{
	const struct plan_param *p = &l->params[local->index];
	struct expr *e;

	if (!p->type)
		return NULL;
	e = expr_new(x->arena, EXPR_PARAM, p->type, span);
	e->index = local->index;
	e->origin = p->span;
	e->secret = p->secret;
	return e;
}

static const struct expr *
item(struct expr_check *x, const struct lower *l, const struct local *local, struct span span)
{
	const struct expr *items = l->groups.items[local->index].group.items;
	struct expr *e;

	if (!items)
		return NULL;
	e = expr_new(x->arena, EXPR_ITEM, items->type->item ? items->type->item : &TYPE_OF_ANY, span);
	e->index = local->index;
	e->origin = local->span;
	return e;
}

static const struct expr *
meaning(struct expr_check *x, struct local *local, const struct ast_name *names, size_t n, struct span span)
{
	struct lower *l = ((struct place_in *)x->context)->lower;
	const struct expr *e = NULL;

	switch (local->kind) {
	case LOCAL_POISON:
		return NULL;
	case LOCAL_STEP:
		return output_of(x, &l->steps.items[local->index], names, n, span);
	case LOCAL_PARAM:
		e = param(x, l, local, span);
		break;
	case LOCAL_ITEM:
		e = item(x, l, local, span);
		break;
	case LOCAL_VALUE:
		e = named_value(x, local);
		e = e ? used_here(x, e, local, span) : NULL;
		break;
	}
	if (e && n > 1)
		return no_member(x, e, names);
	return e;
}

static bool
is_ambiguous(struct lower *l, const struct local *local, const struct ast_name *name)
{
	const struct bare_count *count = map_get(&l->bare, name->text);
	struct diag *d;

	if (!count || count->n < 2 || local->kind != LOCAL_STEP || !l->steps.items[local->index].bare)
		return false;
	d = diags_add(l->check->diags, DIAG_L0209, name->span, "`%s` could be any of %zu steps", name->text, count->n);
	diag_label(l->check->diags, d, local->span, "one of them");
	diag_help(l->check->diags, d, "name the steps: `first = %s(…)`", name->text);
	return true;
}

const struct expr *
lower_path(struct expr_check *x, const struct ast_name *names, size_t n, struct span span)
{
	struct place_in *here = x->context;
	struct local *local = map_get(&here->lower->locals, names[0].text);

	if (!local && (!strcmp(names[0].text, "run") || !strcmp(names[0].text, "step")))
		return fact(x, names, n, span);
	if (!local)
		return unknown(here->lower, here->group, &names[0]);
	if (local->kind == LOCAL_POISON || is_ambiguous(here->lower, local, &names[0]))
		return NULL;
	if (!sees(here->lower, here->group, local->group))
		return not_seen(here->lower, local, &names[0]);
	return meaning(x, local, names, n, span);
}

/* Who names a step by its component, or nearly so, is told the step's name. */
static void
near_component(struct lower *l, struct diag *d, const struct ast_name *name)
{
	for (size_t i = 0; i < l->steps.n; i++) {
		const struct lower_step *s = &l->steps.items[i];

		if (s->bare || !s->decl || !s->step.name || !diag_is_near(name->text, s->decl->name))
			continue;
		diag_help(l->check->diags, d, "the step of `%s` is named `%s`", s->decl->name, s->step.name);
		diag_fix(l->check->diags, d, name->span, FIX_LIKELY, s->step.name);
		return;
	}
}

struct lower_step *
lower_find_step(struct lower *l, const struct ast_name *name)
{
	struct local *local = name->text ? map_get(&l->locals, name->text) : NULL;
	const char *const *names;
	struct diag *d;
	size_t n;

	if (!name->text || (local && (local->kind == LOCAL_POISON || is_ambiguous(l, local, name))))
		return NULL;
	if (local && local->kind == LOCAL_STEP)
		return &l->steps.items[local->index];
	if (!local && l->check->torn)
		return NULL;
	d = diags_add(l->check->diags, DIAG_L0204, name->span, "no step named `%s`", name->text);
	if (local) {
		diag_primary(l->check->diags, d, "not a step");
		diag_label(l->check->diags, d, local->span, "`%s` is a %s", name->text,
			local->kind == LOCAL_PARAM ? "parameter" : local->kind == LOCAL_ITEM ? "loop variable" : "named value");
		return NULL;
	}
	diag_primary(l->check->diags, d, "not declared in this pipeline");
	names = names_seen(l, 0, true, &n);
	diag_near(l->check->diags, d, "step", name->span, name->text, names, n);
	if (!d->n_helps)
		near_component(l, d, name);
	return NULL;
}

void
lower_values(struct lower *l)
{
	const struct map_entry *e;
	size_t at = 0;

	while ((e = map_next(&l->locals, &at))) {
		struct local *local = e->value;
		struct place_in here = { l, local->group };
		struct expr_check x = { .check = l->check, .arena = l->arena, .path = lower_path, .context = &here };

		if (local->kind == LOCAL_VALUE && local->state == LOCAL_FRESH)
			named_value(&x, local);
	}
}
