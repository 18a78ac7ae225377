#include "config.h"

#include "dsl/scope.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dsl/check.h"
#include "dsl/parse.h"

/* The components that ship with Lateen: read when a program first says `std.`, for most never do. */
struct std {
	bool tried;
	struct map decls; /* "std.train" → struct decl, owned */
	char *error;
};

struct scope {
	struct resolver *resolver;
	struct map decls; /* name → struct decl, owned */
	struct std *std;
};

static void
free_decls(struct map *decls)
{
	const struct map_entry *e;
	size_t at = 0;

	while ((e = map_next(decls, &at)))
		decl_free(e->value);
	map_release(decls);
}

struct scope *
scope_new(struct resolver *resolver)
{
	struct scope *scope = xcalloc(1, sizeof(*scope));

	scope->resolver = resolver;
	scope->std = xcalloc(1, sizeof(*scope->std));
	return scope;
}

void
scope_free(struct scope *scope)
{
	if (!scope)
		return;
	free_decls(&scope->decls);
	free_decls(&scope->std->decls);
	free(scope->std->error);
	free(scope->std);
	free(scope);
}

/* ---- std ---- */

static void
declare_std(struct std *std, struct map *staged)
{
	const struct map_entry *e;
	size_t at = 0;

	while ((e = map_next(staged, &at))) {
		struct decl *d = e->value;
		CLEANUP(buf_release) struct buf name = {0};

		buf_printf(&name, "std.%s", d->name);
		free(d->name);
		d->name = buf_detach(&name, NULL);
		d->binding.name = d->name;
		d->in_this_cell = false;
		map_set(&std->decls, d->name, d);
	}
	map_release(staged);
}

static void
check_std(struct scope *scope, struct source *source)
{
	struct diags diags;
	struct check check = { .scope = scope, .diags = &diags, .arena = arena_new() };

	diags_init(&diags);
	check.unit = parse(source, NULL, &diags);
	for (size_t i = 0; i < check.unit->n_stmts; i++) {
		const struct ast_stmt *s = check.unit->stmts[i];

		if (s->kind == AST_TYPE)
			check_declare_type(&check, s);
		else if (s->kind == AST_COMPONENT)
			check_declare_component(&check, s);
	}
	if (diags.n_errors) {
		scope->std->error = xstrdup(diags.n ? diags.items[0]->message : "it has errors");
		free_decls(&check.staged);
	} else {
		declare_std(scope->std, &check.staged);
	}
	unit_unref(check.unit);
	arena_free(check.arena);
	diags_release(&diags);
}

static void
load_std(struct scope *scope)
{
	CLEANUP(buf_release) struct buf text = { .max = SOURCE_MAX };
	CLEANUP(freep) char *name = NULL;
	struct resolver *r = scope->resolver;
	struct source *source;
	struct error err = { "no library was given" };

	scope->std->tried = true;
	if (!r || r->load(r, "std:", NULL, NULL, &text, &name, &err) < 0) {
		scope->std->error = xstrdup(err.text);
		return;
	}
	source = source_new(name ? name : "std", buf_text(&text), text.len);
	check_std(scope, source);
	source_unref(source);
}

const char *
scope_std_error(const struct scope *scope)
{
	return scope->std->error;
}

/* ---- what is known ---- */

static const struct decl *
find(struct scope *scope, const char *name)
{
	if (strncmp(name, "std.", 4))
		return map_get(&scope->decls, name);
	if (!scope->std->tried)
		load_std(scope);
	return map_get(&scope->std->decls, name);
}

const struct decl *
scope_decl(struct scope *scope, struct check *check, const char *name)
{
	(void)check;
	return find(scope, name);
}

const struct binding *
scope_lookup(const struct scope *scope, const char *name)
{
	struct scope lasting = *scope; /* what is loaded on the way goes to scope->std */
	const struct decl *d = find(&lasting, name);

	return d ? &d->binding : NULL;
}

const struct binding *
scope_next(const struct scope *scope, size_t *at)
{
	const struct map_entry *e = map_next(&scope->decls, at);

	return e ? &((const struct decl *)e->value)->binding : NULL;
}

void
scope_forget(struct scope *scope, const char *name)
{
	if (name) {
		decl_free(map_remove(&scope->decls, name));
		return;
	}
	free_decls(&scope->decls);
	scope->decls = (struct map){0};
}

void
scope_learn_run(struct scope *scope, const char *name, struct plan *plan)
{
	struct decl *d = map_get(&scope->decls, name);

	if (d && d->binding.kind == BINDING_RUN && !d->binding.plan)
		d->binding.plan = plan_ref(plan);
}

struct source *
scope_load(struct check *check, const char *location, const struct source *from, const char *sha256, struct span span)
{
	CLEANUP(buf_release) struct buf text = { .max = SOURCE_MAX };
	CLEANUP(freep) char *name = NULL;
	struct resolver *r = check->scope->resolver;
	struct error err = { "nothing can be read here" };

	if (!r || r->load(r, location, from, sha256, &text, &name, &err) < 0) {
		diags_add(check->diags, DIAG_L0520, span, "%s", err.text);
		return NULL;
	}
	if (text.overflow) {
		diags_add(check->diags, DIAG_L0520, span, "`%s` is longer than 8 MiB", location);
		return NULL;
	}
	return source_new(name ? name : location, buf_text(&text), text.len);
}

/* ---- redefinitions ---- */

static void
warn_of_broken(struct check *check, const struct decl *pipeline, const struct decl *cause, const struct diags *why)
{
	struct diag *d = diags_add(check->diags, DIAG_L0217, cause->binding.span, "the pipeline `%s` does not fit the new `%s`",
		pipeline->name, cause->name);

	diag_label(check->diags, d, pipeline->binding.span, "declared here; it cannot be used until it is mended");
	if (why->n)
		diag_note(check->diags, d, "%s", why->items[0]->message);
	if (why->n && why->items[0]->span.source)
		diag_label(check->diags, d, why->items[0]->span, "%s", why->items[0]->label ? why->items[0]->label : "here");
}

static void
lower_again(struct check *check, const struct decl *old, const struct decl *cause)
{
	struct decl *d = decl_new(BINDING_PIPELINE, old->name, old->binding.unit, old->binding.span);
	struct diags diags, *own = check->diags;
	bool torn = check->torn;

	diags_init(&diags);
	check->diags = &diags;
	check->torn = false;
	d->stmt = old->stmt;
	d->binding.doc = old->binding.doc;
	d->binding.plan = lower_pipeline(check, d->binding.unit, d->stmt, &d->uses);
	check->diags = own;
	check->torn = torn;
	if (!d->binding.plan && old->binding.plan)
		warn_of_broken(check, old, cause, &diags);
	diags_release(&diags);
	check_stage(check, d);
}

/* Pipelines of earlier cells that use a name which this cell has given a new meaning. `from`: entries of the staged map
 * that were looked at already. */
static void
lower_users(struct check *check, size_t *from)
{
	const struct map_entry *e;
	size_t end = check->staged.n;

	for (size_t at = *from; at < end && (e = map_next(&check->staged, &at)) && at <= end;) {
		const struct decl *cause = e->value;
		const struct map_entry *known;
		size_t k = 0;

		if (cause->binding.kind == BINDING_PIPELINE && !map_has(&check->scope->decls, cause->name))
			continue;
		while ((known = map_next(&check->scope->decls, &k))) {
			const struct decl *old = known->value;

			if (old->binding.kind == BINDING_PIPELINE && map_has(&old->uses, cause->name) &&
				!map_has(&check->staged, old->name))
				lower_again(check, old, cause);
		}
	}
	*from = check->staged.n;
}

/* ---- a cell ---- */

static bool
is_bound(void *context, const char *word)
{
	const struct scope *scope = context;

	return map_has(&scope->decls, word);
}

/* Has the parser dropped something? Some of its errors leave the tree whole. */
static bool
is_torn(const struct diags *diags, size_t from)
{
	static const enum diag_code harmless[] = { DIAG_L0103, DIAG_L0107, DIAG_L0108, DIAG_L0110, DIAG_L0111, DIAG_L0115, DIAG_L0125 };

	for (size_t i = from; i < diags->n; i++) {
		bool known = diags->items[i]->severity != SEVERITY_ERROR;

		for (size_t k = 0; k < ARRAY_LEN(harmless); k++)
			known = known || diags->items[i]->code == harmless[k];
		if (!known)
			return true;
	}
	return diags->n >= DIAGS_MAX;
}

/* Declarations first, so that a pipeline may stand before what it uses. */
static void
check_declarations(struct check *check, const struct unit *unit)
{
	static const struct {
		enum ast_stmt_kind kind;
		void (*declare)(struct check *check, const struct ast_stmt *stmt);
	} passes[] = {
		{ AST_TYPE, check_declare_type }, { AST_USE, check_declare_use }, { AST_COMPONENT, check_declare_component },
		{ AST_PIPELINE, check_declare_pipeline }, { AST_CLUSTER, check_declare_cluster },
	};

	for (size_t i = 0; i < unit->n_stmts; i++)
		if ((unit->stmts[i]->kind == AST_ACTION || unit->stmts[i]->kind == AST_VERB) && unit->stmts[i]->name.text)
			map_set(&check->binds, unit->stmts[i]->name.text, unit->stmts[i]);
	for (size_t i = 0; i < unit->n_stmts; i++)
		if (unit->stmts[i]->kind == AST_FOR)
			check_sweep_names(check, unit->stmts[i]);
	for (size_t p = 0; p < ARRAY_LEN(passes); p++)
		for (size_t i = 0; i < unit->n_stmts; i++)
			if (unit->stmts[i]->kind == passes[p].kind)
				passes[p].declare(check, unit->stmts[i]);
}

static void
check_help(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	struct ast_name names[PATH_MAX_NAMES];
	size_t n = stmt->expr ? path_names(stmt->expr, names, PATH_MAX_NAMES) : 0;
	const char *text = n ? names[0].text : NULL;
	struct action *a;

	for (size_t i = 1; i < n; i++)
		text = arena_printf(check->arena, "%s.%s", text, names[i].text);
	if (!text)
		return;
	a = add_action(list, ACTION_INSPECT, stmt->span);
	a->text = text;
	a->flag = stmt->detail;
}

static void
check_experiment(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	const char *text = stmt->text ? check_text(check, check->arena, stmt->text, "experiment") : NULL;

	if (text && !*text)
		diags_add(check->diags, DIAG_L0406, stmt->text->span, "the experiment's name is empty");
	else if (text)
		add_action(list, ACTION_EXPERIMENT, stmt->span)->text = text;
}

static void
check_doing(struct check *check, const struct ast_stmt *stmt, struct action_list *list)
{
	struct action *a;

	switch (stmt->kind) {
	case AST_ACTION:
		check_action(check, stmt, list);
		break;
	case AST_VERB:
		check_verb(check, stmt, list);
		break;
	case AST_SHELL:
		add_action(list, ACTION_SHELL, stmt->span)->text = stmt->raw;
		break;
	case AST_MAGIC:
		a = add_action(list, ACTION_MAGIC, stmt->span);
		a->text = stmt->name.text;
		a->text2 = stmt->raw;
		break;
	case AST_HELP:
		check_help(check, stmt, list);
		break;
	case AST_EXPERIMENT:
		check_experiment(check, stmt, list);
		break;
	case AST_FOR:
		check_sweep(check, stmt, list);
		break;
	case AST_TYPE:
	case AST_USE:
	case AST_COMPONENT:
	case AST_PIPELINE:
	case AST_CLUSTER:
		break;
	default:
		diags_add(check->diags, DIAG_L0316, stmt->span, "this stands in a pipeline only");
	}
}

static void
hold_declared(struct check *check, const struct unit *unit, struct action_list *list)
{
	for (size_t i = 0; i < unit->n_stmts; i++) {
		const struct ast_stmt *s = unit->stmts[i];
		const struct decl *d = s->kind == AST_PIPELINE && s->name.text ? map_get(&check->staged, s->name.text) : NULL;

		if (d && d->binding.plan)
			hold_plan(list, d->binding.plan);
	}
}

static void
commit(struct check *check)
{
	const struct map_entry *e;
	size_t at = 0;

	while ((e = map_next(&check->staged, &at))) {
		struct decl *d = e->value;

		d->in_this_cell = false;
		decl_free(map_get(&check->scope->decls, d->name));
		map_set(&check->scope->decls, d->name, d);
	}
	map_release(&check->staged);
	map_release(&check->binds);
}

static struct program *
make_program(struct check *check, struct action_list *list)
{
	struct program *p = xcalloc(1, sizeof(*p));

	p->unit = check->unit;
	p->arena = check->arena;
	p->actions = arena_copy(p->arena, list->items, list->n * sizeof(*list->items));
	p->n_actions = list->n;
	p->plans = list->plans;
	p->n_plans = list->n_plans;
	vec_release(list);
	return p;
}

void
program_free(struct program *program)
{
	if (!program)
		return;
	for (size_t i = 0; i < program->n_plans; i++)
		plan_unref(program->plans[i]);
	free(program->plans);
	arena_free(program->arena);
	unit_unref(program->unit);
	free(program);
}

static void
discard(struct check *check, struct action_list *list)
{
	for (size_t i = 0; i < list->n_plans; i++)
		plan_unref(list->plans[i]);
	free(list->plans);
	vec_release(list);
	free_decls(&check->staged);
	map_release(&check->binds);
	arena_free(check->arena);
	unit_unref(check->unit);
}

void
scope_peek(struct scope *scope, struct source *source, struct check *ret, struct diags *diags)
{
	struct parse_options options = { .is_bound = is_bound, .context = scope };
	struct action_list list = {0};

	*ret = (struct check){ .scope = scope, .diags = diags, .arena = arena_new() };
	ret->unit = parse(source, &options, diags);
	check_declarations(ret, ret->unit);
	for (size_t i = 0; i < ret->unit->n_stmts; i++)
		check_doing(ret, ret->unit->stmts[i], &list);
	for (size_t i = 0; i < list.n_plans; i++)
		plan_unref(list.plans[i]);
	free(list.plans);
	vec_release(&list);
}

void
scope_peek_end(struct check *check)
{
	free_decls(&check->staged);
	map_release(&check->binds);
	arena_free(check->arena);
	unit_unref(check->unit);
}

const struct binding *
scope_std_next(struct scope *scope, size_t *at)
{
	const struct map_entry *e;

	if (!scope->std->tried)
		load_std(scope);
	e = map_next(&scope->std->decls, at);
	return e ? &((const struct decl *)e->value)->binding : NULL;
}

struct program *
scope_check(struct scope *scope, struct source *source, struct diags *diags)
{
	struct parse_options options = { .is_bound = is_bound, .context = scope };
	struct check check = { .scope = scope, .diags = diags, .arena = arena_new() };
	struct action_list list = {0};
	size_t errors = diags->n_errors, before = diags->n, seen = 0;

	check.unit = parse(source, &options, diags);
	check.torn = is_torn(diags, before);
	check_declarations(&check, check.unit);
	lower_users(&check, &seen);
	hold_declared(&check, check.unit, &list);
	for (size_t i = 0; i < check.unit->n_stmts; i++)
		check_doing(&check, check.unit->stmts[i], &list);
	lower_users(&check, &seen);
	diags_sort(diags);
	if (diags->n_errors > errors) {
		discard(&check, &list);
		return NULL;
	}
	commit(&check);
	return make_program(&check, &list);
}
