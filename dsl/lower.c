#include "config.h"

#include "dsl/lower.h"

#include <stdint.h>
#include <string.h>

/* ---- parameters ---- */

static void
lower_fallback(struct lower *l, const struct ast_input *in, struct plan_param *p)
{
	struct check *check = l->check;
	const struct expr *e = check_constant(check, l->arena, in->fallback, "a default");
	struct diag *d;

	if (!e || !p->type)
		return;
	if (p->type->kind == TYPE_SECRET && e->kind == EXPR_SECRET) {
		p->secret = e->secret;
		return;
	}
	if (type_is_file(p->type)) {
		diags_add(check->diags, DIAG_L0301, e->span, "the file `%s` cannot have a default", p->name);
		return;
	}
	if (p->type->kind == TYPE_SECRET) {
		d = diags_add(check->diags, DIAG_L0311, e->span, "the default of the Secret `%s` must be a secret", p->name);
		diag_help(check->diags, d, "write `secret(\"name\", \"key\")`");
		return;
	}
	if (e->kind != EXPR_VALUE || e->type->kind == TYPE_NULL || !expr_fits(e, p->type)) {
		d = diags_add(check->diags, DIAG_L0301, e->span, "the default of `%s` is %s, not %s", p->name,
			type_text(check->arena, e->type), type_text(check->arena, p->type));
		diag_label(check->diags, d, in->type.span, "%s is wanted here", type_text(check->arena, p->type));
		return;
	}
	p->fallback = e->value;
}

static void
lower_params(struct lower *l)
{
	const struct ast_stmt *stmt = l->stmt;

	l->params = arena_alloc(l->arena, (stmt->n_inputs + 1) * sizeof(*l->params));
	for (size_t i = 0; i < stmt->n_inputs; i++) {
		const struct ast_input *in = &stmt->inputs[i];
		struct plan_param *p = &l->params[l->n_params];

		if (!in->name.text || !check_name_length(l->check, in->name.text, in->name.span))
			continue;
		p->name = in->name.text;
		p->doc = in->doc;
		p->span = in->span;
		p->type = check_type(l->check, l->arena, &in->type);
		if (in->type.name.text && !map_has(l->uses, in->type.name.text))
			map_set(l->uses, in->type.name.text, NULL);
		if (in->fallback)
			lower_fallback(l, in, p);
		l->n_params++;
	}
}

/* ---- the whole pipeline ---- */

static void
lower_release(struct lower *l)
{
	for (size_t g = 0; g < l->groups.n; g++) {
		struct lower_group *group = &l->groups.items[g];

		for (size_t i = 0; i < group->children.n; i++)
			vec_release(&group->children.items[i].edges);
		vec_release(&group->children);
	}
	vec_release(&l->groups);
	vec_release(&l->steps);
	map_release(&l->locals);
	map_release(&l->bare);
	map_release(&l->cluster_names);
}

static struct plan *
make_plan(struct lower *l)
{
	static const struct settings none;
	struct plan *plan = arena_new_struct(l->arena, struct plan);

	plan->refs = 1;
	plan->arena = l->arena;
	plan->name = l->stmt->name.text;
	plan->doc = l->stmt->doc;
	plan->span = l->stmt->name.span;
	plan->params = l->params;
	plan->n_params = l->n_params;
	plan->settings = l->settings ? l->settings : &none;
	plan->display = plan->settings->display;
	lower_finish(l, plan);
	plan->units = arena_copy(l->arena, l->units.items, l->units.n * sizeof(*l->units.items));
	plan->n_units = l->units.n;
	vec_release(&l->units);
	return plan;
}

static void
discard(struct lower *l)
{
	for (size_t i = 0; i < l->units.n; i++)
		unit_unref(l->units.items[i]);
	vec_release(&l->units);
	arena_free(l->arena);
}

struct plan *
lower_pipeline(struct check *check, struct unit *unit, const struct ast_stmt *stmt, struct map *uses)
{
	return lower_pipeline_using(check, unit, stmt, uses, NULL);
}

struct plan *
lower_pipeline_using(struct check *check, struct unit *unit, const struct ast_stmt *stmt, struct map *uses,
		     const struct replacements *replacements)
{
	struct lower l = { .check = check, .unit = unit, .arena = arena_new(), .stmt = stmt, .uses = uses,
			   .replacements = replacements };
	size_t errors = check->diags->n_errors;
	struct plan *plan = NULL;

	lower_hold(&l, unit);
	lower_params(&l);
	lower_collect(&l);
	if (!l.steps.n && check->diags->n_errors == errors)
		diags_add(check->diags, DIAG_L0411, stmt->name.span, "the pipeline `%s` has no steps", stmt->name.text);
	lower_groups(&l);
	lower_values(&l);
	lower_steps(&l);
	lower_check_cycles(&l);
	if (check->diags->n_errors == errors && !check->torn)
		plan = make_plan(&l);
	else
		discard(&l);
	lower_release(&l);
	return plan;
}

void
check_declare_pipeline(struct check *check, const struct ast_stmt *stmt)
{
	struct decl *d;

	if (!stmt->name.text || !check_new_name(check, &stmt->name))
		return;
	d = decl_new(BINDING_PIPELINE, stmt->name.text, check->unit, stmt->name.span);
	d->stmt = stmt;
	d->binding.doc = stmt->doc;
	d->in_this_cell = true;
	d->binding.plan = lower_pipeline(check, check->unit, stmt, &d->uses);
	check_stage(check, d);
}

/* ---- a component called alone ---- */

static const struct expr *
constants_only(struct expr_check *x, const struct ast_name *names, size_t n, struct span span)
{
	(void)n;
	diags_add(x->check->diags, DIAG_L0313, span, "a setting must be a constant here; `%s` is not", names[0].text);
	return NULL;
}

static const struct settings *
settings_of_call(struct check *check, struct arena *arena, const struct component *c, const struct ast_stmt *stmt)
{
	struct expr_check x = { .check = check, .arena = arena, .path = constants_only };
	struct settings *own = stmt->n_with ? arena_new_struct(arena, struct settings) : NULL;
	struct map seen = {0};

	for (size_t i = 0; i < stmt->n_with; i++)
		check_setting(&x, &stmt->with[i], SETTING_IN_STEP, own, &seen);
	map_release(&seen);
	return settings_merge(arena, c->settings, own);
}

static size_t
params_of_component(struct arena *arena, const struct component *c, const bool *given, size_t *param_of, struct plan_param *params,
		    const struct expr **args)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_inputs; i++) {
		const struct port *in = &c->inputs[i];
		struct expr *e;

		param_of[i] = SIZE_MAX;
		if (!given[i] && !in->fallback && !in->secret_fallback)
			continue;
		params[n] = (struct plan_param){
			.name = in->id, .type = in->type, .doc = in->doc, .fallback = in->fallback,
			.secret = in->secret_fallback, .span = in->span,
		};
		e = expr_new(arena, EXPR_PARAM, in->type, in->span);
		e->index = param_of[i] = n++;
		args[i] = e;
	}
	return n;
}

static const struct plan_output *
outputs_of_component(struct arena *arena, const struct component *c)
{
	struct plan_output *outputs = arena_alloc(arena, (c->n_outputs + 1) * sizeof(*outputs));

	for (size_t i = 0; i < c->n_outputs; i++) {
		struct expr *e = expr_new(arena, EXPR_OUTPUT, c->outputs[i].type, c->outputs[i].span);

		e->output = i;
		outputs[i] = (struct plan_output){ c->outputs[i].id, e, c->outputs[i].span };
	}
	return outputs;
}

static void
add_only_step(struct plan *plan, const struct component *c, const struct ast_stmt *stmt, const struct settings *settings,
	      const struct expr *const *args)
{
	struct plan_step *step = arena_new_struct(plan->arena, struct plan_step);
	struct plan_group *root = arena_new_struct(plan->arena, struct plan_group);

	*step = (struct plan_step){
		.name = plan->name, .doc = c->doc, .component = c, .args = args, .settings = settings,
		.span = stmt->span, .name_span = stmt->expr->a->span,
	};
	root->kind = GROUP_ROOT;
	root->children = arena_new_struct(plan->arena, struct plan_child);
	root->n_children = 1;
	root->span = stmt->span;
	plan->steps = step;
	plan->groups = root;
	plan->n_steps = plan->n_groups = 1;
}

static void
hold_units(struct plan *plan, struct unit *a, struct unit *b, struct unit *c)
{
	struct unit *all[] = { a, b, c }, **units = arena_alloc(plan->arena, sizeof(all));

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (all[i])
			units[plan->n_units++] = unit_ref(all[i]);
	plan->units = units;
}

/* "std.train" is the step `train`. */
static const char *
base_name(const char *name)
{
	return strncmp(name, "std.", 4) ? name : name + 4;
}

struct plan *
lower_component(struct check *check, const struct decl *decl, const struct ast_stmt *stmt, const bool *given, size_t *ret_param_of)
{
	static const struct settings none;
	const struct component *c = decl->binding.component;
	struct arena *arena = arena_new();
	struct plan *plan = arena_new_struct(arena, struct plan);
	struct plan_param *params = arena_alloc(arena, (c->n_inputs + 1) * sizeof(*params));
	const struct expr **args = arena_alloc(arena, (c->n_inputs + 1) * sizeof(*args));
	const struct settings *settings = settings_of_call(check, arena, c, stmt);

	plan->refs = 1;
	plan->arena = arena;
	plan->name = base_name(decl->name);
	plan->name = arena_strdup(arena, plan->name);
	plan->display = c->display;
	plan->doc = c->doc;
	plan->settings = &none;
	plan->span = stmt->span;
	plan->n_params = params_of_component(arena, c, given, ret_param_of, params, args);
	plan->params = params;
	plan->outputs = outputs_of_component(arena, c);
	plan->n_outputs = c->n_outputs;
	add_only_step(plan, c, stmt, settings, args);
	hold_units(plan, check->unit, decl->binding.unit, decl->cell);
	return plan;
}
