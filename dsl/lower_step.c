#include "config.h"

#include "dsl/lower.h"

#include <string.h>

/* ---- arguments ---- */

static const struct expr *
secret_expr(struct arena *arena, const struct secret *secret, bool optional, struct span span)
{
	struct expr *e = expr_new(arena, EXPR_SECRET, &TYPE_OF_SECRET, span);
	struct secret *copy = arena_new_struct(arena, struct secret);

	*copy = *secret;
	copy->optional = secret->optional || optional;
	e->secret = copy;
	return e;
}

static const struct expr *
fallback_of(struct arena *arena, const struct port *port)
{
	struct expr *e;

	if (port->secret_fallback)
		return secret_expr(arena, port->secret_fallback, port->optional, port->span);
	if (!port->fallback)
		return NULL;
	e = expr_new(arena, EXPR_VALUE, type_of_value(port->fallback), port->span);
	e->value = port->fallback;
	return e;
}

static void
lower_args(struct lower *l, struct expr_check *x, struct lower_step *s)
{
	const struct component *c = s->step.component;
	const struct expr **args = arena_alloc(l->arena, (c->n_inputs + 1) * sizeof(*args));
	struct callee callee;

	if (s->original) {
		lower_replaced_args(l, x, s, args);
	} else {
		callee_of_component(l->check->arena, c->name, c, &callee);
		check_args(x, &callee, s->call, false, args);
	}
	for (size_t i = 0; i < c->n_inputs; i++) {
		if (!args[i])
			args[i] = fallback_of(l->arena, &c->inputs[i]);
		else if (args[i]->kind == EXPR_SECRET && c->inputs[i].optional)
			args[i] = secret_expr(l->arena, args[i]->secret, true, args[i]->span);
	}
	s->step.args = args;
}

/* What is wrong with the arguments of an unknown component cannot be said, but what is wrong within them can. */
static void
check_args_alone(struct expr_check *x, const struct ast_expr *call)
{
	for (size_t i = 0; i < call->n_entries; i++) {
		const struct ast_expr *value = call->entries[i].value;

		if (value && (call->entries[i].key.text || value->kind != AST_NAME))
			check_expr(x, value);
	}
}

/* ---- settings ---- */

static void
lower_with(struct lower *l, struct expr_check *x, struct lower_step *s)
{
	const struct settings *under = s->step.component ? s->step.component->settings : NULL;
	struct settings *own = NULL;
	struct map seen = {0};

	for (size_t i = 0; i < s->stmt->n_with; i++) {
		if (!own)
			own = arena_new_struct(l->arena, struct settings);
		check_setting(x, &s->stmt->with[i], SETTING_IN_STEP, own, &seen);
	}
	map_release(&seen);
	s->step.settings = settings_merge(l->arena, under, own);
}

/* ---- after ---- */

struct marker {
	struct lower *l;
	size_t stamp;
};

static void
mark_step(const struct expr *e, void *context)
{
	struct marker *m = context;

	if (e->kind == EXPR_OUTPUT)
		m->l->stamps[e->index] = m->stamp;
}

/* Marks the steps that data makes this one wait for. */
static void
mark_data(struct lower *l, const struct lower_step *s, size_t stamp)
{
	struct marker m = { l, stamp };

	for (size_t i = 0; s->step.args && i < s->step.component->n_inputs; i++)
		if (s->step.args[i] && l->nodes <= LOWER_NODES_MAX)
			expr_walk(s->step.args[i], mark_step, &m);
}

static void
lower_after(struct lower *l, struct lower_step *s)
{
	size_t stamp = (size_t)(s - l->steps.items) + 1;
	size_t *after;

	if (!s->stmt->n_after)
		return;
	after = arena_alloc(l->arena, s->stmt->n_after * sizeof(*after));
	mark_data(l, s, stamp);
	for (size_t i = 0; i < s->stmt->n_after; i++) {
		const struct lower_step *other = lower_find_step(l, &s->stmt->after[i]);
		size_t index;

		if (!other)
			continue;
		index = (size_t)(other - l->steps.items);
		lower_depend(l, s->step.group, s->place, index, s->stmt->after[i].span);
		if (l->stamps[index] != stamp)
			after[s->step.n_after++] = index;
		l->stamps[index] = stamp;
	}
	s->step.after = after;
}

/* ---- edges ---- */

static void
depend_on_pairs(struct lower *l, const struct lower_step *s, const struct setting_pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		lower_depend_on_expr(l, s->step.group, s->place, pairs[i].value);
}

static void
depend_on_data(struct lower *l, const struct lower_step *s)
{
	const struct settings *set = s->step.settings;

	for (size_t i = 0; s->step.args && i < s->step.component->n_inputs; i++)
		lower_depend_on_expr(l, s->step.group, s->place, s->step.args[i]);
	lower_depend_on_expr(l, s->step.group, s->place, set->gpu);
	lower_depend_on_expr(l, s->step.group, s->place, set->cpu);
	lower_depend_on_expr(l, s->step.group, s->place, set->memory);
	depend_on_pairs(l, s, set->env, set->n_env);
	depend_on_pairs(l, s, set->labels, set->n_labels);
	depend_on_pairs(l, s, set->annotations, set->n_annotations);
	depend_on_pairs(l, s, set->node_selector, set->n_node_selector);
}

void
lower_steps(struct lower *l)
{
	l->stamps = xcalloc(l->steps.n + 1, sizeof(*l->stamps));
	for (size_t i = 0; i < l->steps.n; i++) {
		struct lower_step *s = &l->steps.items[i];
		struct place_in here = { l, s->step.group };
		struct expr_check x = { .check = l->check, .arena = l->arena, .path = lower_path, .context = &here };

		if (s->step.component)
			lower_args(l, &x, s);
		else
			check_args_alone(&x, s->call);
		lower_with(l, &x, s);
		depend_on_data(l, s);
		lower_after(l, s);
	}
	freep(&l->stamps);
}

/* ---- conditions and items ---- */

static void
help_with_comparison(struct lower *l, struct diag *d, struct span span, const char *what, const char *comparison)
{
	const char *text = span.source->text + span.start;
	int len = (int)(span.end - span.start);

	if (len > 60 || memchr(text, '\n', (size_t)len)) {
		diag_help(l->check->diags, d, "compare the %s: `… %s`", what, comparison);
		return;
	}
	diag_help(l->check->diags, d, "compare the %s: `%.*s %s`", what, len, text, comparison);
	diag_fix(l->check->diags, d, span, FIX_LIKELY, arena_printf(l->check->arena, "%.*s %s", len, text, comparison));
}

static const struct expr *
lower_condition(struct lower *l, struct expr_check *x, const struct ast_expr *ast)
{
	const struct expr *e = check_expr(x, ast);
	struct diag *d;

	if (!e || !check_is_value(l->check, e))
		return NULL;
	if (e->type->kind == TYPE_BOOLEAN || e->type->kind == TYPE_ANY)
		return e;
	d = diags_add(l->check->diags, DIAG_L0308, e->span, "a condition must be a Boolean, not %s",
		type_text(l->check->arena, e->type));
	if (e->origin.source)
		diag_label(l->check->diags, d, e->origin, "declared here: %s", type_text(l->check->arena, e->type));
	if (e->type->kind == TYPE_STRING || e->type->kind == TYPE_OPAQUE)
		help_with_comparison(l, d, e->span, "text", "== \"true\"");
	else if (type_is_number(e->type))
		help_with_comparison(l, d, e->span, "number", "> 0");
	return NULL;
}

static const struct expr *
make_op(struct lower *l, enum expr_op op, const struct expr *a, const struct expr *b)
{
	struct expr *e = expr_new(l->arena, b ? EXPR_BINARY : EXPR_UNARY, &TYPE_OF_BOOLEAN, b ? b->span : a->span);

	e->op = op;
	return expr_make(l->check, l->arena, e, a, b);
}

/* The condition of an arm that stands behind others holds only when theirs do not. `before` is theirs, joined by `or`, and
 * becomes that of the arms up to this one; NULL after a complaint. */
static const struct expr *
whole_condition(struct lower *l, const struct expr *own, bool is_else, const struct expr **before, bool *ret_good)
{
	const struct expr *not_before = *before ? make_op(l, OP_NOT, *before, NULL) : NULL;

	if ((*before && !not_before) || (!own && !is_else)) {
		*ret_good = false;
		return NULL;
	}
	if (is_else)
		return not_before;
	if (!*before) {
		*before = own;
		return own;
	}
	*before = make_op(l, OP_OR, *before, own);
	*ret_good = *before != NULL;
	return make_op(l, OP_AND, not_before, own);
}

static void
lower_if(struct lower *l, size_t index, const struct expr **before, bool *good)
{
	struct lower_group *g = &l->groups.items[index];
	struct place_in here = { l, g->group.parent };
	struct expr_check x = { .check = l->check, .arena = l->arena, .path = lower_path, .context = &here };
	const struct expr *own = NULL;

	if (!g->group.is_else)
		own = lower_condition(l, &x, g->arm->condition);
	if (*good)
		g->group.condition = whole_condition(l, own, g->group.is_else, before, good);
	/* the arms of one `if` stand at the same level and wait for the same */
	if (g->group.condition)
		lower_depend_on_expr(l, g->group.parent, g->place, g->group.condition);
}

struct later_items {
	struct check *check;
	bool found;
};

static void
find_later_items(const struct expr *e, void *context)
{
	struct later_items *later = context;
	const char *what = NULL;

	if (e->kind == EXPR_OUTPUT)
		what = "a loop over another step's output";
	else if (e->kind == EXPR_RANGE)
		what = "a loop over `range(…)`";
	else if (e->kind == EXPR_FACT)
		what = "a loop over facts of the run";
	if (!what || later->found)
		return;
	later->found = true;
	check_later(later->check, e->span, "%s", what);
}

static void
lower_for(struct lower *l, size_t index)
{
	struct lower_group *g = &l->groups.items[index];
	struct place_in here = { l, g->group.parent };
	struct expr_check x = { .check = l->check, .arena = l->arena, .path = lower_path, .context = &here };
	struct later_items later = { .check = l->check };
	const struct expr *e = check_expr(&x, g->stmt->expr);
	struct diag *d;

	if (!e || !check_is_value(l->check, e))
		return;
	expr_walk(e, find_later_items, &later);
	if (later.found)
		return;
	if (e->type->kind != TYPE_LIST) {
		d = diags_add(l->check->diags, DIAG_L0309, e->span, "a loop goes over a List, not %s",
			type_text(l->check->arena, e->type));
		if (e->origin.source)
			diag_label(l->check->diags, d, e->origin, "declared here");
		return;
	}
	if (e->kind != EXPR_VALUE && e->kind != EXPR_PARAM && e->kind != EXPR_LIST) {
		check_later(l->check, e->span, "a loop over a List that is computed as the pipeline runs");
		return;
	}
	g->group.items = e;
}

/* The arms of the `if` whose first arm is this group: they are neighbours among its parent's children. */
static void
lower_chain(struct lower *l, size_t first)
{
	const struct lower_group *parent = &l->groups.items[l->groups.items[first].group.parent];
	const struct expr *before = NULL;
	bool good = true;

	for (size_t p = l->groups.items[first].place; p < parent->children.n; p++) {
		const struct lower_child *child = &parent->children.items[p];
		const struct lower_group *g = &l->groups.items[child->index];

		if (!child->is_group || g->group.kind != GROUP_IF || g->group.chain != first)
			break;
		lower_if(l, child->index, &before, &good);
	}
}

void
lower_groups(struct lower *l)
{
	/* loops first, for conditions may ask for the type of an item */
	for (size_t i = 1; i < l->groups.n; i++)
		if (l->groups.items[i].group.kind == GROUP_FOR)
			lower_for(l, i);
	for (size_t i = 1; i < l->groups.n; i++)
		if (l->groups.items[i].group.kind == GROUP_IF && l->groups.items[i].group.arm == 0)
			lower_chain(l, i);
}
