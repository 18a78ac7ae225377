#include "config.h"

#include "dsl/check_parts.h"

#include <stdint.h>
#include <string.h>

struct parts {
	struct check *check;
	struct arena *arena;
	const struct component *component;
};

static bool read_part(struct parts *p, const struct ast_expr *ast, bool within_text, struct part *ret);

static bool
fact_of(const struct ast_name *names, size_t n, enum fact *ret)
{
	static const enum fact facts[] = { FACT_RUN_ID, FACT_RUN_NAME, FACT_RUN_NAMESPACE, FACT_RUN_STATUS, FACT_STEP_NAME,
		FACT_STEP_ATTEMPT };

	for (size_t i = 0; n == 2 && i < ARRAY_LEN(facts); i++) {
		const char *text = expr_fact_text(facts[i]), *dot = strchr(text, '.');

		if (!strncmp(text, names[0].text, (size_t)(dot - text)) && strlen(names[0].text) == (size_t)(dot - text) &&
			!strcmp(dot + 1, names[1].text)) {
			*ret = facts[i];
			return true;
		}
	}
	return false;
}

static void
unknown_name(struct parts *p, const struct ast_name *name)
{
	const struct component *c = p->component;
	const char **names = arena_alloc(p->check->arena, (c->n_inputs + c->n_outputs + 1) * sizeof(*names));
	struct diag *d = diags_add(p->check->diags, DIAG_L0202, name->span, "`%s` has no input or output named `%s`", c->name,
		name->text);
	size_t n = 0;

	for (size_t i = 0; i < c->n_inputs; i++)
		names[n++] = c->inputs[i].name;
	for (size_t i = 0; i < c->n_outputs; i++)
		names[n++] = c->outputs[i].name;
	diag_near(p->check->diags, d, "input or output", name->span, name->text, names, n);
}

static bool
read_name(struct parts *p, const struct ast_expr *ast, bool within_text, struct part *ret)
{
	struct ast_name names[PATH_MAX_NAMES];
	size_t n = path_names(ast, names, PATH_MAX_NAMES), i;
	struct diag *d;

	if (!n)
		return false;
	if (n == 1 && (i = component_input(p->component, names[0].text)) != SIZE_MAX) {
		if (within_text && p->component->inputs[i].type->kind == TYPE_SECRET) {
			d = diags_add(p->check->diags, DIAG_L0310, ast->span, "the Secret `%s` cannot be put into a text", names[0].text);
			diag_help(p->check->diags, d, "give it as an element of its own");
			return false;
		}
		*ret = (struct part){ .kind = PART_INPUT, .index = i, .span = ast->span };
		return true;
	}
	if (n == 1 && (i = component_output(p->component, names[0].text)) != SIZE_MAX) {
		*ret = (struct part){ .kind = PART_OUTPUT_PATH, .index = i, .span = ast->span };
		return true;
	}
	if (fact_of(names, n, &ret->fact)) {
		if (ret->fact == FACT_RUN_STATUS) {
			diags_add(p->check->diags, DIAG_L0215, ast->span, "`run.status` is known in `on exit` only");
			return false;
		}
		ret->kind = PART_FACT;
		ret->span = ast->span;
		return true;
	}
	unknown_name(p, &names[0]);
	return false;
}

static bool
read_text(struct parts *p, const struct ast_expr *ast, struct part *ret)
{
	struct part *parts = arena_alloc(p->arena, (ast->n_parts + 1) * sizeof(*parts));
	bool good = true;

	check_argo_tags(p->check, ast);
	*ret = (struct part){ .kind = PART_TEXT, .text = "", .span = ast->span };
	for (size_t i = 0; i < ast->n_parts; i++) {
		const struct ast_string_part *s = &ast->parts[i];

		if (s->expr)
			good = read_part(p, s->expr, true, &parts[i]) && good;
		else
			parts[i] = (struct part){ .kind = PART_TEXT, .text = s->text, .span = s->span };
	}
	if (ast->n_parts == 1) {
		*ret = parts[0];
	} else if (ast->n_parts) {
		ret->kind = PART_CONCAT;
		ret->text = NULL;
		ret->parts = parts;
		ret->n_parts = ast->n_parts;
	}
	return good;
}

static bool
read_literal(struct parts *p, const struct ast_expr *ast, struct part *ret)
{
	CLEANUP(buf_release) struct buf text = {0};
	const struct expr *e = check_constant(p->check, p->arena, ast, "an element");

	if (!e)
		return false;
	if (e->kind != EXPR_VALUE) {
		diags_add(p->check->diags, DIAG_L0310, ast->span, "a secret cannot stand here");
		return false;
	}
	value_write_plain(&text, e->value);
	*ret = (struct part){ .kind = PART_TEXT, .text = arena_strdup(p->arena, buf_text(&text)), .span = ast->span };
	return true;
}

static bool
names_something(const struct ast_expr *ast)
{
	if (!ast)
		return false;
	if (ast->kind == AST_NAME || ast->kind == AST_MEMBER || ast->kind == AST_STRING)
		return ast->kind != AST_STRING || ast->n_parts > 1 || (ast->n_parts && ast->parts[0].expr);
	for (size_t i = 0; i < ast->n_items; i++)
		if (names_something(ast->items[i]))
			return true;
	for (size_t i = 0; i < ast->n_entries; i++)
		if (names_something(ast->entries[i].value))
			return true;
	return names_something(ast->a) || names_something(ast->b);
}

static bool
read_part(struct parts *p, const struct ast_expr *ast, bool within_text, struct part *ret)
{
	struct diag *d;

	if (!ast || ast->kind == AST_POISON)
		return false;
	if (ast->kind == AST_GROUP)
		return read_part(p, ast->a, within_text, ret);
	if (ast->kind == AST_NAME || ast->kind == AST_MEMBER)
		return read_name(p, ast, within_text, ret);
	if (ast->kind == AST_STRING)
		return read_text(p, ast, ret);
	if (ast->kind != AST_CALL && !names_something(ast))
		return read_literal(p, ast, ret);
	d = diags_add(p->check->diags, DIAG_L0413, ast->span, "nothing can be computed within `command`, `args` and `env`");
	diag_help(p->check->diags, d, "compute it in the pipeline and give it as an input");
	return false;
}

/* ---- items under a condition ---- */

static const struct part *read_list(struct parts *p, struct ast_expr *const *items, size_t n, size_t *ret_n);

static bool
read_condition(struct parts *p, const struct ast_expr *ast, bool *negated, struct part *ret)
{
	struct diag *d;

	while (ast && (ast->kind == AST_GROUP || (ast->kind == AST_UNARY && ast->op == AST_OP_NOT))) {
		*negated = *negated != (ast->kind == AST_UNARY);
		ast = ast->a;
	}
	if (!ast || ast->kind == AST_POISON || !read_part(p, ast, false, ret))
		return false;
	if (ret->kind == PART_INPUT && p->component->inputs[ret->index].optional) {
		ret->kind = PART_IS_PRESENT;
		return true;
	}
	if (ret->kind == PART_INPUT && p->component->inputs[ret->index].type->kind == TYPE_BOOLEAN)
		return true;
	if (ret->kind == PART_TEXT && ast->kind == AST_BOOLEAN)
		return true;
	if (ret->kind == PART_INPUT && p->component->inputs[ret->index].type->kind == TYPE_ANY)
		return false; /* its type was not known, and that was said */
	d = diags_add(p->check->diags, DIAG_L0308, ast->span, "a condition here is an optional input or a Boolean input");
	if (ret->kind == PART_INPUT)
		diag_help(p->check->diags, d, "`%s` is %s; declare it as `%s?` to ask whether it is given",
			p->component->inputs[ret->index].id, type_text(p->check->arena, p->component->inputs[ret->index].type),
			p->component->inputs[ret->index].type->name);
	return false;
}

static bool
read_conditional(struct parts *p, const struct ast_expr *ast, struct part *ret)
{
	struct part *condition = arena_new_struct(p->arena, struct part);
	const struct part *yes, *no;
	size_t n_yes, n_no;
	bool negated = false, good = read_condition(p, ast->a, &negated, condition);

	yes = read_list(p, ast->items, ast->n_items, &n_yes);
	no = read_list(p, ast->items2, ast->n_items2, &n_no);
	*ret = (struct part){
		.kind = PART_IF,
		.span = ast->span,
		.condition = condition,
		.parts = negated ? no : yes,
		.n_parts = negated ? n_no : n_yes,
		.else_parts = negated ? yes : no,
		.n_else_parts = negated ? n_yes : n_no,
	};
	return good;
}

static const struct part *
read_list(struct parts *p, struct ast_expr *const *items, size_t n, size_t *ret_n)
{
	struct part *parts;
	size_t kept = 0;

	if (n > CHECK_PARTS_MAX) {
		diags_add(p->check->diags, DIAG_L0412, items[0]->span, "a command line has at most %d elements", CHECK_PARTS_MAX);
		n = 0;
	}
	parts = arena_alloc(p->arena, (n + 1) * sizeof(*parts));
	for (size_t i = 0; i < n; i++) {
		bool conditional = items[i] && items[i]->kind == AST_PARTS;

		if (conditional ? read_conditional(p, items[i], &parts[kept]) : read_part(p, items[i], false, &parts[kept]))
			kept++;
	}
	*ret_n = kept;
	return parts;
}

const struct part *
check_parts(struct check *check, const struct component *component, const struct ast_expr *list, size_t *ret_n)
{
	struct parts p = { .check = check, .arena = check->unit->arena, .component = component };

	*ret_n = 0;
	if (!list || list->kind == AST_POISON)
		return NULL;
	if (list->kind != AST_LIST) {
		diags_add(check->diags, DIAG_L0406, list->span, "a command line is a list: `[\"--flag\", value]`");
		return NULL;
	}
	return read_list(&p, list->items, list->n_items, ret_n);
}

/* ---- env ---- */

static bool
read_variable(struct parts *p, const struct ast_entry *entry, struct map *seen, struct component_env *ret)
{
	const char *key = arena_printf(p->arena, "env.%s", entry->key.text);
	struct diag *d;

	if (map_has(seen, key)) {
		diags_add(p->check->diags, DIAG_L0401, entry->key.span, "`%s` is given twice in `env`", entry->key.text);
		return false;
	}
	map_set(seen, key, NULL);
	if (!setting_is_variable(entry->key.text)) {
		diags_add(p->check->diags, DIAG_L0406, entry->key.span, "`%s` cannot be the name of a variable", entry->key.text);
		return false;
	}
	ret->name = entry->key.text;
	if (!read_part(p, entry->value, false, &ret->value))
		return false;
	if (ret->value.kind != PART_INPUT || p->component->inputs[ret->value.index].type->kind != TYPE_SECRET)
		return true;
	d = diags_add(p->check->diags, DIAG_L0409, entry->value->span, "a Secret in `env` would be seen by everyone");
	diag_help(p->check->diags, d, "write `secret_env {%s: secret(…)}`, or give the Secret in `args`", entry->key.text);
	return false;
}

void
check_component_env(struct check *check, struct component *component, const struct ast_setting *setting, struct map *seen)
{
	struct parts p = { .check = check, .arena = check->unit->arena, .component = component };
	const struct ast_expr *dict = setting->n_args == 1 ? setting->args[0] : NULL;
	struct component_env *all;

	if (!dict || dict->kind != AST_DICT) {
		if (!dict || dict->kind != AST_POISON)
			diags_add(check->diags, DIAG_L0406, setting->span, "`env` wants names and values in braces");
		return;
	}
	if (!setting_has_room(check, "env", component->n_env + dict->n_entries, setting->span))
		return;
	all = arena_alloc(p.arena, (component->n_env + dict->n_entries + 1) * sizeof(*all));
	for (size_t i = 0; i < component->n_env; i++)
		all[i] = component->env[i];
	for (size_t i = 0; i < dict->n_entries; i++)
		if (dict->entries[i].key.text && read_variable(&p, &dict->entries[i], seen, &all[component->n_env]))
			component->n_env++;
	component->env = all;
}

/* ---- what is named ---- */

static bool
names_output(const struct part *part, size_t output)
{
	if (part->kind == PART_OUTPUT_PATH || part->kind == PART_OUTPUT_URI)
		return part->index == output;
	for (size_t i = 0; i < part->n_parts; i++)
		if (names_output(&part->parts[i], output))
			return true;
	for (size_t i = 0; i < part->n_else_parts; i++)
		if (names_output(&part->else_parts[i], output))
			return true;
	return false;
}

bool
part_names_output(const struct component *c, size_t output)
{
	for (size_t i = 0; i < c->n_command; i++)
		if (names_output(&c->command[i], output))
			return true;
	for (size_t i = 0; i < c->n_args; i++)
		if (names_output(&c->args[i], output))
			return true;
	for (size_t i = 0; i < c->n_env; i++)
		if (names_output(&c->env[i].value, output))
			return true;
	return false;
}
