#include "config.h"

#include "dsl/lower.h"

#include <ctype.h>
#include <string.h>

void
lower_hold(struct lower *l, struct unit *unit)
{
	if (!unit)
		return;
	for (size_t i = l->units.n; i-- > 0;)
		if (l->units.items[i] == unit)
			return;
	vec_push(&l->units, unit_ref(unit));
}

/* NULL after a complaint. */
static struct local *
declare(struct lower *l, enum local_kind kind, const char *name, struct span span, size_t index, size_t group)
{
	struct local *local = map_get(&l->locals, name);
	struct diag *d;

	if (!check_name_length(l->check, name, span))
		return NULL;
	if (local) {
		d = diags_add(l->check->diags, DIAG_L0201, span, "`%s` is declared twice in this pipeline", name);
		diag_label(l->check->diags, d, local->span, "first declared here");
		return NULL;
	}
	local = arena_new_struct(l->arena, struct local);
	*local = (struct local){ .kind = kind, .name = name, .index = index, .group = group, .span = span };
	map_set(&l->locals, name, local);
	return local;
}

/* ---- groups ---- */

static size_t
add_group(struct lower *l, enum group_kind kind, size_t parent, struct span span)
{
	struct lower_group g = { .group = { .kind = kind, .parent = parent, .span = span } };
	size_t index = l->groups.n;

	if (index) {
		struct lower_group *p = &l->groups.items[parent];

		g.depth = p->depth + 1;
		g.place = p->children.n;
		vec_push(&p->children, ((struct lower_child){ .is_group = true, .index = index }));
	}
	vec_push(&l->groups, g);
	return index;
}

static bool
is_too_deep(struct lower *l, size_t parent, struct span span)
{
	if (l->groups.items[parent].depth < PLAN_GROUP_DEPTH_MAX)
		return false;
	diags_add(l->check->diags, DIAG_L0412, span, "branches and loops nest at most %d deep", PLAN_GROUP_DEPTH_MAX);
	return true;
}

/* ---- what is called ---- */

static void
complain_of_callee(struct lower *l, const struct ast_expr *callee, const char *text, const struct decl *d)
{
	struct diags *diags = l->check->diags;
	struct diag *diag;

	if (d && d->binding.kind == BINDING_PIPELINE) {
		check_later(l->check, callee->span, "a pipeline called in a pipeline (`%s`)", text);
		return;
	}
	if (d) {
		diag = diags_add(diags, DIAG_L0216, callee->span, "`%s` is not a component", text);
		diag_label(diags, diag, d->binding.span, "declared here");
		return;
	}
	unknown_callee(l->check, callee->span, text, "component", 1U << BINDING_COMPONENT);
}

static const struct decl *
find_callee(struct lower *l, const struct ast_expr *call, const char **ret_base)
{
	struct ast_name names[PATH_MAX_NAMES];
	size_t n = call->a ? path_names(call->a, names, PATH_MAX_NAMES) : 0;
	const struct decl *d;
	const char *text;

	*ret_base = n ? names[n - 1].text : "step";
	if (!n) {
		if (call->a && call->a->kind != AST_POISON)
			diags_add(l->check->diags, DIAG_L0203, call->a->span, "this cannot be called");
		return NULL;
	}
	d = check_lookup_path(l->check, l->check->arena, names, n, &text);
	if (!map_has(l->uses, text))
		map_set(l->uses, text, NULL);
	if (d && d->binding.kind == BINDING_COMPONENT)
		return d->is_poison ? NULL : d;
	complain_of_callee(l, call->a, text, d);
	return NULL;
}

static bool
is_builtin(struct lower *l, const struct ast_expr *call)
{
	static const char *const names[] = { "len", "range", "secret", "env" };

	for (size_t i = 0; call->a && call->a->kind == AST_NAME && i < ARRAY_LEN(names); i++)
		if (!strcmp(call->a->name.text, names[i]))
			return !check_lookup(l->check, names[i]);
	return false;
}

/* ---- steps ---- */

static bool
is_implemented(struct lower *l, const struct decl *d, const struct ast_expr *call)
{
	if (!d || d->binding.component->kind != COMPONENT_GRAPH)
		return d != NULL;
	check_later(l->check, call->a->span, "a component with a graph implementation (`%s`)", d->binding.component->name);
	return false;
}

static void
collect_step(struct lower *l, const struct ast_stmt *stmt, size_t group)
{
	struct lower_step s = { .stmt = stmt, .call = stmt->expr };
	struct lower_group *g = &l->groups.items[group];
	const char *base;

	if (l->steps.n >= PLAN_STEPS_MAX) {
		if (l->steps.n == PLAN_STEPS_MAX)
			diags_add(l->check->diags, DIAG_L0412, stmt->span, "a pipeline has at most %d steps", PLAN_STEPS_MAX);
		return;
	}
	s.decl = find_callee(l, stmt->expr, &base);
	s.step.component = is_implemented(l, s.decl, stmt->expr) ? s.decl->binding.component : NULL;
	lower_replace(l, &s);
	s.step.doc = stmt->doc;
	s.step.group = group;
	s.step.span = stmt->span;
	s.bare = !stmt->name.text;
	s.step.name = s.bare ? base : stmt->name.text;
	s.step.name_span = s.bare ? (stmt->expr->a ? stmt->expr->a->span : stmt->span) : stmt->name.span;
	s.place = g->children.n;
	if (!s.bare)
		declare(l, LOCAL_STEP, s.step.name, s.step.name_span, l->steps.n, group);
	if (s.decl) {
		lower_hold(l, s.decl->binding.unit);
		lower_hold(l, s.decl->cell);
	}
	vec_push(&g->children, ((struct lower_child){ .index = l->steps.n }));
	vec_push(&l->steps, s);
}

static void
collect_value(struct lower *l, const struct ast_stmt *stmt, size_t group)
{
	struct local *local = stmt->name.text ? declare(l, LOCAL_VALUE, stmt->name.text, stmt->name.span, 0, group) : NULL;

	if (local)
		local->ast = stmt->expr;
}

/* ---- what is not carried out ---- */

/* Declares the names of statements that are passed over, so that their uses are not complained about as well. */
static void
poison_block(struct lower *l, const struct ast_block *block, size_t group)
{
	for (size_t i = 0; i < block->n; i++) {
		const struct ast_stmt *s = block->stmts[i];
		struct ast_name names[PATH_MAX_NAMES];
		size_t n = s->kind == AST_STEP && s->expr && s->expr->a ? path_names(s->expr->a, names, PATH_MAX_NAMES) : 0;
		const char *name = s->name.text ? s->name.text : n ? names[n - 1].text : NULL;

		if (name && !map_has(&l->locals, name))
			declare(l, LOCAL_POISON, name, s->span, 0, 0);
		for (size_t k = 0; k < s->n_arms; k++)
			poison_block(l, &s->arms[k].block, group);
		poison_block(l, &s->body, group);
	}
}

static void
pass_over(struct lower *l, const struct ast_stmt *stmt, size_t group, const char *what)
{
	check_later(l->check, stmt->span, "%s", what);
	if (stmt->name.text)
		declare(l, LOCAL_POISON, stmt->name.text, stmt->name.span, 0, 0);
	for (size_t k = 0; k < stmt->n_arms; k++)
		poison_block(l, &stmt->arms[k].block, group);
	poison_block(l, &stmt->body, group);
}

/* ---- all statements ---- */

static void collect_block(struct lower *l, const struct ast_block *block, size_t group);

static void
need_a_step(struct lower *l, size_t group, const struct ast_block *block, size_t errors_before, const char *what)
{
	struct diag *d;

	if (l->groups.items[group].children.n || l->check->diags->n_errors > errors_before)
		return;
	d = diags_add(l->check->diags, DIAG_L0411, block->span, "this %s has no step in it", what);
	if (!strcmp(what, "branch"))
		diag_help(l->check->diags, d, "leave the branch out; `if not …` turns a condition round");
}

static void
collect_if(struct lower *l, const struct ast_stmt *stmt, size_t parent)
{
	size_t chain = l->groups.n, errors;

	if (is_too_deep(l, parent, stmt->span))
		return;
	for (size_t i = 0; i < stmt->n_arms; i++) {
		const struct ast_arm *arm = &stmt->arms[i];
		size_t g = add_group(l, GROUP_IF, parent, arm->span);

		l->groups.items[g].group.chain = chain;
		l->groups.items[g].group.arm = i;
		l->groups.items[g].group.is_else = !arm->condition;
		l->groups.items[g].arm = arm;
		errors = l->check->diags->n_errors;
		collect_block(l, &arm->block, g);
		need_a_step(l, g, &arm->block, errors, "branch");
	}
}

static void
collect_for(struct lower *l, const struct ast_stmt *stmt, size_t parent)
{
	size_t g, errors = l->check->diags->n_errors;

	if (l->loop) {
		pass_over(l, stmt, parent, "a loop within a loop");
		return;
	}
	if (is_too_deep(l, parent, stmt->span))
		return;
	if (stmt->parallel)
		check_later(l->check, stmt->parallel->span, "a loop's `parallel`");
	g = add_group(l, GROUP_FOR, parent, stmt->expr ? span_join(stmt->span, stmt->expr->span) : stmt->span);
	l->groups.items[g].stmt = stmt;
	l->groups.items[g].group.variable = stmt->name.text;
	if (stmt->name.text)
		declare(l, LOCAL_ITEM, stmt->name.text, stmt->name.span, g, g);
	l->loop = true;
	collect_block(l, &stmt->body, g);
	l->loop = false;
	need_a_step(l, g, &stmt->body, errors, "loop");
}

static void
collect_settings(struct lower *l, const struct ast_stmt *stmt)
{
	struct place_in here = { l, 0 };
	struct expr_check x = { .check = l->check, .arena = l->arena, .path = lower_path, .context = &here };
	struct map seen = {0};

	if (l->settings) {
		diags_add(l->check->diags, DIAG_L0401, stmt->span, "`settings` stands twice in this pipeline");
		return;
	}
	l->settings = arena_new_struct(l->arena, struct settings);
	for (size_t i = 0; i < stmt->n_fields; i++)
		check_setting(&x, &stmt->fields[i].setting, SETTING_IN_PIPELINE, l->settings, &seen);
	map_release(&seen);
}

static void
collect_stmt(struct lower *l, const struct ast_stmt *stmt, size_t group)
{
	switch (stmt->kind) {
	case AST_SETTINGS:
		collect_settings(l, stmt);
		break;
	case AST_STEP:
		if (!stmt->expr || stmt->expr->kind != AST_CALL)
			break;
		if (stmt->name.text && is_builtin(l, stmt->expr))
			collect_value(l, stmt, group);
		else
			collect_step(l, stmt, group);
		break;
	case AST_VALUE:
		collect_value(l, stmt, group);
		break;
	case AST_IF:
		collect_if(l, stmt, group);
		break;
	case AST_FOR:
		collect_for(l, stmt, group);
		break;
	case AST_CHOICE:
		pass_over(l, stmt, group, "`x = if …`, which joins two branches");
		break;
	case AST_APPROVE:
		pass_over(l, stmt, group, "`approve`");
		break;
	case AST_WHILE:
		pass_over(l, stmt, group, "`while`");
		break;
	case AST_EXIT:
		pass_over(l, stmt, group, "`on exit`");
		break;
	case AST_RETURN:
		check_later(l->check, stmt->span, "`return`, the outputs of a pipeline");
		break;
	default:
		diags_add(l->check->diags, DIAG_L0316, stmt->span, "this cannot stand in a pipeline");
	}
}

static void
collect_block(struct lower *l, const struct ast_block *block, size_t group)
{
	struct lower_group *g = &l->groups.items[group];

	/* Most statements are steps. */
	vec_reserve((void **)&l->steps.items, &l->steps.cap, l->steps.n + block->n, sizeof *l->steps.items);
	vec_reserve((void **)&g->children.items, &g->children.cap, g->children.n + block->n, sizeof *g->children.items);
	for (size_t i = 0; i < block->n; i++)
		collect_stmt(l, block->stmts[i], group);
}

/* ---- names of bare calls ---- */

/* Explicit names have been declared by now; a bare call takes what is free. */
static void
name_bare_step(struct lower *l, size_t index)
{
	struct lower_step *s = &l->steps.items[index];
	const char *base = s->step.name, *name = base;
	struct bare_count *count = map_get(&l->bare, base);

	if (!count) {
		count = arena_new_struct(l->arena, struct bare_count);
		count->next = 2;
		map_set(&l->bare, base, count);
	}
	count->n++;
	while (map_has(&l->locals, name))
		name = arena_printf(l->arena, "%s_%zu", base, count->next++);
	s->step.name = name;
	declare(l, LOCAL_STEP, name, s->step.name_span, index, s->step.group);
}

/* On clusters names are lower case with `-` for `_`, and two steps need two names there. */
static void
check_cluster_name(struct lower *l, const struct lower_step *s)
{
	char *name = arena_strdup(l->check->arena, s->step.name);
	const struct lower_step *other;
	struct diag *d;

	for (char *p = name; *p; p++)
		*p = isalnum((unsigned char)*p) ? (char)tolower((unsigned char)*p) : '-';
	other = map_get(&l->cluster_names, name);
	if (!other) {
		map_set(&l->cluster_names, name, l->steps.items + (s - l->steps.items));
		return;
	}
	if (!strcmp(other->step.name, s->step.name))
		return; /* declared twice: said already */
	d = diags_add(l->check->diags, DIAG_L0212, s->step.name_span, "the steps `%s` and `%s` have one name on a cluster: `%s`",
		other->step.name, s->step.name, name);
	diag_label(l->check->diags, d, other->step.name_span, "`%s`", other->step.name);
}

void
lower_collect(struct lower *l)
{
	for (size_t i = 0; i < l->n_params; i++)
		if (l->params[i].name)
			declare(l, LOCAL_PARAM, l->params[i].name, l->params[i].span, i, 0);
	add_group(l, GROUP_ROOT, 0, l->stmt->span);
	collect_block(l, &l->stmt->body, 0);
	for (size_t i = 0; i < l->steps.n; i++)
		if (l->steps.items[i].bare)
			name_bare_step(l, i);
	for (size_t i = 0; i < l->steps.n; i++)
		check_cluster_name(l, &l->steps.items[i]);
}
