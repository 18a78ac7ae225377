#include "config.h"

#include "dsl/complete.h"

#include <stdlib.h>
#include <string.h>

#include "dsl/cursor.h"
#include "dsl/inspect.h"
#include "dsl/token.h"
#include "dsl/verb.h"

struct completer {
	struct cursor cursor;
	struct completions *out;
	struct map seen;
	const char *prefix;
	size_t prefix_len;
	bool backticks; /* what is offered is a name and may need them */
};

static void
add(struct completer *c, const char *text, const char *type, const char *signature)
{
	struct completion item = { .type = type };
	const char *shown = text;

	if (!text || c->out->n >= COMPLETIONS_MAX || strncmp(text, c->prefix, c->prefix_len) || map_has(&c->seen, text))
		return;
	map_set(&c->seen, text, NULL);
	if (c->backticks && (!token_is_identifier(text, strlen(text)) || token_keyword(text, strlen(text)) != TOKEN_NAME))
		shown = arena_printf(c->out->arena, "`%s`", text);
	item.text = arena_strdup(c->out->arena, shown);
	item.signature = signature ? arena_strdup(c->out->arena, signature) : NULL;
	vec_push(c->out, item);
}

static void
add_words(struct completer *c, const char *const *words, size_t n, const char *type)
{
	for (size_t i = 0; i < n; i++)
		add(c, words[i], type, NULL);
}

static const char *
component_signature(struct completer *c, const struct component *component)
{
	CLEANUP(buf_release) struct buf text = { .max = 2000 };

	inspect_component_signature(&text, component);
	return arena_strdup(c->out->arena, buf_text(&text));
}

static const char *
plan_signature(struct completer *c, const struct plan *plan)
{
	CLEANUP(buf_release) struct buf text = { .max = 2000 };

	if (!plan)
		return NULL;
	inspect_plan_signature(&text, plan);
	return arena_strdup(c->out->arena, buf_text(&text));
}

/* ---- names of the scope ---- */

static void
add_binding(struct completer *c, const struct binding *b, const char *name)
{
	switch (b->kind) {
	case BINDING_COMPONENT:
		add(c, name, "function", component_signature(c, b->component));
		break;
	case BINDING_PIPELINE:
		add(c, name, "function", plan_signature(c, b->plan));
		break;
	case BINDING_TYPE:
		add(c, name, "class", b->type->base->name);
		break;
	case BINDING_VALUE:
		add(c, name, "instance", type_text(c->out->arena, b->type));
		break;
	case BINDING_RUN:
		add(c, name, "instance", "run");
		break;
	case BINDING_STEP:
		add(c, name, "instance", "step");
		break;
	case BINDING_CLUSTER:
		add(c, name, "instance", "cluster");
		break;
	}
}

static void
add_scope(struct completer *c, unsigned kinds)
{
	const struct map_entry *e;
	const struct binding *b;
	size_t at = 0;

	while ((e = map_next(&c->cursor.check.staged, &at))) {
		const struct decl *d = e->value;

		if (kinds & (1U << d->binding.kind))
			add_binding(c, &d->binding, d->name);
	}
	at = 0;
	while ((b = scope_next(c->cursor.scope, &at)))
		if (kinds & (1U << b->kind))
			add_binding(c, b, b->name);
}

static const unsigned all_values = 1U << BINDING_VALUE | 1U << BINDING_RUN | 1U << BINDING_STEP;

static void
add_callables(struct completer *c, bool pipelines)
{
	add_scope(c, pipelines ? 1U << BINDING_COMPONENT | 1U << BINDING_PIPELINE : 1U << BINDING_COMPONENT);
	add(c, "std", "module", NULL);
}

/* ---- names of the pipeline ---- */

static void
visit_name(void *context, const struct cursor_name *name)
{
	struct completer *c = context;
	const struct decl *d = name->callee;

	add(c, name->name, "instance", name->type ? name->type :
		d && d->binding.kind == BINDING_COMPONENT ? component_signature(c, d->binding.component) : NULL);
}

static void
visit_step_name(void *context, const struct cursor_name *name)
{
	if (name->is_step)
		visit_name(context, name);
}

static void
add_values(struct completer *c)
{
	static const char *const builtins[] = { "len", "range", "secret", "env" };
	static const char *const words[] = { "true", "false", "null", "not" };

	if (c->cursor.in_pipeline) {
		cursor_names(&c->cursor, visit_name, c);
		add(c, "run", "module", NULL);
		add(c, "step", "module", NULL);
	} else {
		add_scope(c, all_values);
	}
	add_words(c, builtins, ARRAY_LEN(builtins), "function");
	c->backticks = false;
	add_words(c, words, ARRAY_LEN(words), "keyword");
}

/* ---- members ---- */

static void
add_outputs(struct completer *c, const struct component *component)
{
	for (size_t i = 0; component && i < component->n_outputs; i++)
		add(c, component->outputs[i].id, "property", type_text(c->out->arena, component->outputs[i].type));
}

static void
add_std(struct completer *c)
{
	const struct binding *b;
	size_t at = 0;

	while ((b = scope_std_next(c->cursor.scope, &at)))
		if (b->kind == BINDING_COMPONENT)
			add_binding(c, b, b->name + strlen("std."));
}

static void
add_run_members(struct completer *c, const struct plan *plan)
{
	for (size_t i = 0; plan && i < plan->n_outputs; i++)
		add(c, plan->outputs[i].name, "property", type_text(c->out->arena, plan->outputs[i].value->type));
	for (size_t i = 0; plan && i < plan->n_steps; i++)
		add(c, plan->steps[i].name, "instance", component_signature(c, plan->steps[i].component));
	if (plan && plan->n_outputs == 1 && type_is_file(plan->outputs[0].value->type))
		add(c, "path", "property", "String");
	add(c, "status", "property", "String");
	add(c, "id", "property", "String");
}

static void
add_members_of_binding(struct completer *c, const struct decl *d)
{
	const struct ast_name *path = c->cursor.path;
	const struct plan *plan = d->binding.plan;
	size_t step;

	if (d->binding.kind == BINDING_VALUE && c->cursor.n_path == 1 && type_is_file(d->binding.type))
		add(c, "path", "property", "String");
	if (d->binding.kind == BINDING_STEP && c->cursor.n_path == 1 && plan) {
		add_outputs(c, plan->steps[d->step].component);
		add(c, "status", "property", "String");
	}
	if (d->binding.kind != BINDING_RUN)
		return;
	if (c->cursor.n_path == 1) {
		add_run_members(c, plan);
		return;
	}
	step = plan ? plan_step_index(plan, path[1].text) : SIZE_MAX;
	if (c->cursor.n_path == 2 && step != SIZE_MAX) {
		add_outputs(c, plan->steps[step].component);
		add(c, "status", "property", "String");
	}
}

static void
visit_member(void *context, const struct cursor_name *name)
{
	struct completer *c = context;
	const struct decl *d = name->callee;

	if (name->is_step && !strcmp(name->name, c->cursor.path[0].text) && d && d->binding.kind == BINDING_COMPONENT)
		add_outputs(c, d->binding.component);
}

static void
add_members(struct completer *c)
{
	static const char *const run[] = { "id", "name", "namespace" }, *const step[] = { "name", "attempt" };
	const char *first = c->cursor.path[0].text;
	const struct decl *d;

	if (c->cursor.n_path == 1 && !strcmp(first, "std")) {
		add_std(c);
		return;
	}
	if (c->cursor.in_pipeline) {
		if (c->cursor.n_path == 1)
			cursor_names(&c->cursor, visit_member, c);
		if (c->cursor.n_path == 1 && !strcmp(first, "run"))
			add_words(c, run, ARRAY_LEN(run), "property");
		if (c->cursor.n_path == 1 && !strcmp(first, "step"))
			add_words(c, step, ARRAY_LEN(step), "property");
		return;
	}
	d = check_lookup(&c->cursor.check, first);
	if (d)
		add_members_of_binding(c, d);
}

/* ---- places ---- */

static void
add_settings(struct completer *c, enum setting_place place)
{
	size_t n;
	const struct setting_info *table = setting_table(&n);

	for (size_t i = 0; i < n; i++)
		if (table[i].places & place)
			add(c, table[i].word, "property", table[i].arguments);
}

static void
add_inputs(struct completer *c, const struct callee_input *inputs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		CLEANUP(buf_release) struct buf text = {0};

		/* an input is written `name:`; a bare name that equals it will do as well, and is among the values */
		buf_printf(&text, token_is_identifier(inputs[i].id, strlen(inputs[i].id)) ? "%s:" : "`%s`:", inputs[i].id);
		add(c, buf_text(&text), "param", type_text(c->out->arena, inputs[i].type));
	}
}

static void
add_arguments(struct completer *c)
{
	const struct decl *d = check_lookup(&c->cursor.check, c->cursor.callee);
	struct callee callee;
	bool backticks = c->backticks;

	c->backticks = false;
	if (d && d->binding.kind == BINDING_COMPONENT) {
		callee_of_component(c->out->arena, d->name, d->binding.component, &callee);
		add_inputs(c, callee.inputs, callee.n_inputs);
	} else if (d && d->binding.kind == BINDING_PIPELINE && d->binding.plan) {
		callee_of_plan(c->out->arena, d->binding.plan, &callee);
		add_inputs(c, callee.inputs, callee.n_inputs);
	}
	c->backticks = backticks;
	add_values(c);
}

static void
add_types(struct completer *c)
{
	const char *const *names = type_predeclared_names();

	add_scope(c, 1U << BINDING_TYPE);
	for (size_t i = 0; names[i]; i++)
		add(c, names[i], "class", NULL);
}

static void
add_verbs(struct completer *c)
{
	size_t n;
	const struct verb *table = verb_table(&n);

	for (size_t i = 0; i < n; i++)
		add(c, table[i].word, "keyword", table[i].usage);
}

static void
add_top(struct completer *c)
{
	static const char *const words[] = { "use", "type", "component", "pipeline", "cluster", "experiment", "for", "start", "input" };

	add_callables(c, true);
	add_scope(c, all_values);
	c->backticks = false;
	add_words(c, words, ARRAY_LEN(words), "keyword");
	add_verbs(c);
}

static void
add_statement(struct completer *c)
{
	static const char *const words[] = { "if", "for", "while", "settings", "return", "on exit", "else", "with", "after", "approve" };

	add_callables(c, true);
	c->backticks = false;
	add_words(c, words, ARRAY_LEN(words), "keyword");
}

static void
add_fields(struct completer *c)
{
	static const char *const words[] = { "command", "args", "script", "output", "manifest" };

	c->backticks = false;
	add_words(c, words, ARRAY_LEN(words), "keyword");
	add_settings(c, SETTING_IN_COMPONENT);
}

/* May the name of a cluster stand there: behind `on` or `to`, or first? */
static bool
names_cluster(const struct verb *verb, bool first)
{
	const char *at = verb->clauses, *word;
	size_t len;
	char value;

	if (first)
		return !strcmp(verb->word, "prepare") || !strcmp(verb->word, "cleanup");
	while ((word = verb_next_clause(&at, &len, &value, NULL)))
		if (value == 'V' && len == 2)
			return true;
	return false;
}

static void
add_verb_arguments(struct completer *c)
{
	const struct verb *verb = verb_lookup(c->cursor.verb, strlen(c->cursor.verb));
	const char *at = verb->clauses, *word;
	size_t len;
	char value;

	if (c->cursor.verb_first && (strchr(verb->args, 'P') || strchr(verb->args, 'C')))
		add_scope(c, 1U << BINDING_PIPELINE);
	if (c->cursor.verb_first && (strchr(verb->args, 'T') || strchr(verb->args, 'A')))
		add_scope(c, !strcmp(verb->word, "upload") ? 1U << BINDING_PIPELINE : all_values);
	if (strchr(verb->args, 'E'))
		add_values(c);
	c->backticks = false;
	while (!c->cursor.verb_first && (word = verb_next_clause(&at, &len, &value, NULL)))
		add(c, arena_strndup(c->out->arena, word, len), "keyword", NULL);
	if (!strcmp(verb->word, "compile") && !c->cursor.verb_first) {
		add(c, "argo", "keyword", NULL);
		add(c, "kfp", "keyword", NULL);
	}
	if (names_cluster(verb, c->cursor.verb_first)) {
		add_scope(c, 1U << BINDING_CLUSTER);
		add(c, "auto", "instance", "cluster");
	}
	if (!strcmp(verb->word, "help")) {
		add_verbs(c);
		add_settings(c, SETTING_IN_STEP | SETTING_IN_COMPONENT | SETTING_IN_PIPELINE | SETTING_IN_CLUSTER);
	}
}

static void
add_expression(struct completer *c)
{
	add_callables(c, !c->cursor.in_pipeline);
	add_values(c);
}

static void
offer(struct completer *c)
{
	if (c->cursor.place == CURSOR_NOWHERE || c->cursor.place == CURSOR_DECLARED)
		return;
	if (c->cursor.n_path) {
		add_members(c);
		return;
	}
	switch (c->cursor.place) {
	case CURSOR_TOP:
		add_top(c);
		break;
	case CURSOR_STATEMENT:
		add_statement(c);
		break;
	case CURSOR_FIELD:
		add_fields(c);
		break;
	case CURSOR_SETTING:
		add_settings(c, SETTING_IN_STEP);
		break;
	case CURSOR_PIPELINE_SETTING:
		add_settings(c, SETTING_IN_PIPELINE);
		break;
	case CURSOR_CLUSTER_SETTING:
		add_settings(c, SETTING_IN_CLUSTER);
		break;
	case CURSOR_ARGUMENT:
		add_arguments(c);
		break;
	case CURSOR_TYPE:
		add_types(c);
		break;
	case CURSOR_STEP_NAME:
		cursor_names(&c->cursor, visit_step_name, c);
		break;
	case CURSOR_VERB:
		add_verb_arguments(c);
		break;
	case CURSOR_EXPRESSION:
		add_expression(c);
		break;
	case CURSOR_NOWHERE:
	case CURSOR_DECLARED:
		break;
	}
}

/* What belongs to the place comes before what is known everywhere. */
static int
rank(const struct completion *item)
{
	static const char *const order[] = { "param", "property", "instance", "function", "class", "module", "keyword" };

	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		if (!strcmp(item->type, order[i]))
			return (int)i;
	return (int)ARRAY_LEN(order);
}

static int
by_rank(const void *a, const void *b)
{
	const struct completion *x = a, *y = b;
	int order = rank(x) - rank(y);

	return order ? order : strcmp(x->text, y->text);
}

void
complete(struct completions *ret, struct scope *scope, const char *code, size_t len, size_t cursor)
{
	struct completer c = { .out = ret, .backticks = true };

	*ret = (struct completions){ .arena = arena_new(), .start = cursor, .end = cursor };
	if (len > SOURCE_MAX)
		return;
	cursor_open(&c.cursor, scope, code, len, cursor);
	ret->start = c.cursor.word;
	ret->end = c.cursor.at;
	c.prefix = c.cursor.source->text + c.cursor.word;
	c.prefix_len = c.cursor.at - c.cursor.word;
	offer(&c);
	if (ret->n)
		qsort(ret->items, ret->n, sizeof(*ret->items), by_rank);
	map_release(&c.seen);
	cursor_close(&c.cursor);
}

void
completions_release(struct completions *completions)
{
	arena_free(completions->arena);
	vec_release(completions);
	*completions = (struct completions){0};
}
