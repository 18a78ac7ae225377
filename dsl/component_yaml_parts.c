#include "config.h"

#include <stdint.h>
#include <string.h>

#include "dsl/component_yaml_load.h"
#include "dsl/resolve.h"

/* What stands behind a placeholder's key. */
enum takes { TAKES_INPUT, TAKES_OUTPUT, TAKES_NOTHING, TAKES_LIST, TAKES_CHOICE };

struct placeholder {
	const char *key;
	enum part_kind kind;
	enum takes takes;
};

static const struct placeholder placeholders[] = {
	{ "inputValue", PART_INPUT, TAKES_INPUT },
	{ "inputPath", PART_INPUT_PATH, TAKES_INPUT },
	{ "inputUri", PART_INPUT_URI, TAKES_INPUT },
	{ "inputMetadata", PART_RAW_PLACEHOLDER, TAKES_INPUT },
	{ "inputOutputPortName", PART_RAW_PLACEHOLDER, TAKES_INPUT },
	{ "isPresent", PART_IS_PRESENT, TAKES_INPUT },
	{ "outputPath", PART_OUTPUT_PATH, TAKES_OUTPUT },
	{ "outputUri", PART_OUTPUT_URI, TAKES_OUTPUT },
	{ "outputMetadata", PART_RAW_PLACEHOLDER, TAKES_NOTHING },
	{ "executorInput", PART_RAW_PLACEHOLDER, TAKES_NOTHING },
	{ "concat", PART_CONCAT, TAKES_LIST },
	{ "if", PART_IF, TAKES_CHOICE },
};

static const char *const choice_keys[] = { "cond", "then", "else" };

static void load_part(struct loading *l, const struct yaml_node *node, struct part *ret);
static void load_list(struct loading *l, const struct yaml_node *list, const struct part **ret, size_t *ret_n);

/* What stands for a part that is wrong, so that loading can go on. */
static void
poison(struct part *part)
{
	part->kind = PART_TEXT;
	part->text = "";
}

static void
load_text(struct loading *l, const struct yaml_node *node, struct part *ret)
{
	ret->kind = PART_TEXT;
	ret->text = loading_scalar_text(l, node);
}

static void
report_not_a_placeholder(struct loading *l, const struct yaml_node *node)
{
	enum value_kind kind = node->value->kind;
	const char *names[ARRAY_LEN(placeholders)];
	struct diag *diag;

	if (kind != VALUE_DICT) {
		diag = diags_add(l->diags, DIAG_L0506, node->span, "an argument is a text or a placeholder, not %s",
			loading_kind_name(kind));
		diag_help(l->diags, diag, kind == VALUE_NULL ? "for the empty text write `''`" :
				"write its elements where the list stands");
		return;
	}
	if (node->n != 1) {
		diags_add(l->diags, DIAG_L0506, node->span, "a placeholder is a map with one key, not with %zu", node->n);
		return;
	}
	diag = diags_add(l->diags, DIAG_L0506, node->keys[0], "no placeholder named `%.100s`", node->value->dict.keys[0]);
	for (size_t i = 0; i < ARRAY_LEN(placeholders); i++)
		names[i] = placeholders[i].key;
	diag_near(l->diags, diag, "placeholder", node->keys[0], node->value->dict.keys[0], names, ARRAY_LEN(names));
}

static const struct placeholder *
find_placeholder(const struct yaml_node *node)
{
	if (node->value->kind != VALUE_DICT || node->n != 1)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(placeholders); i++)
		if (!strcmp(placeholders[i].key, node->value->dict.keys[0]))
			return &placeholders[i];
	return NULL;
}

/* Remembers how the port is used: that decides how it is passed. */
static void
note_use(struct loading *l, const struct placeholder *placeholder, const struct part *part)
{
	switch (placeholder->kind) {
	case PART_INPUT:
		l->by_value[part->index] = true;
		break;
	case PART_INPUT_PATH:
	case PART_INPUT_URI:
		l->by_path[part->index] = true;
		break;
	case PART_OUTPUT_PATH:
	case PART_OUTPUT_URI:
		if (!l->written[part->index].source)
			l->written[part->index] = part->span;
		break;
	default:
		break;
	}
}

static void
load_port_placeholder(struct loading *l, const struct placeholder *placeholder, const struct yaml_node *item,
		      struct part *ret)
{
	const char *name = loading_text(l, item, "the name in a placeholder");

	ret->index = SIZE_MAX;
	if (name)
		ret->index = loading_find_port(l, placeholder->takes == TAKES_OUTPUT, name, item->span);
	if (ret->index == SIZE_MAX) {
		poison(ret);
		return;
	}
	ret->kind = placeholder->kind;
	if (ret->kind == PART_RAW_PLACEHOLDER)
		ret->text = arena_printf(l->arena, "{%s: %s}", placeholder->key, name);
	note_use(l, placeholder, ret);
}

static void
load_bare_placeholder(struct loading *l, const struct placeholder *placeholder, const struct yaml_node *item,
		      struct part *ret)
{
	l->executor = l->executor || !strcmp(placeholder->key, "executorInput");
	ret->kind = PART_RAW_PLACEHOLDER;
	ret->text = arena_printf(l->arena, "{%s}", placeholder->key);
	ret->index = SIZE_MAX;
	if (loading_has(item))
		diags_add(l->diags, DIAG_L0506, item->span, "`%s` takes nothing: write `{%s: null}`", placeholder->key,
			placeholder->key);
}

/* ---- if ---- */

static bool
is_condition_part(const struct part *part)
{
	bool holds;

	if (part->kind == PART_TEXT)
		return !*part->text || !resolve_strtobool(part->text, &holds);
	return part->kind == PART_IS_PRESENT || part->kind == PART_INPUT;
}

static const struct part *
load_condition(struct loading *l, const struct yaml_node *node)
{
	struct part *part = arena_new_struct(l->arena, struct part);
	size_t errors = l->diags->n_errors;

	load_part(l, node, part);
	if (is_condition_part(part))
		return part;
	if (errors == l->diags->n_errors)
		diags_add(l->diags, DIAG_L0514, node->span, "an `if` cannot be decided by this");
	poison(part);
	return part;
}

/* `then` and `else` are a list or a single element. */
static void
load_arm(struct loading *l, const struct yaml_node *node, const struct part **ret, size_t *ret_n)
{
	struct part *part;

	if (!loading_has(node))
		return;
	if (node->value->kind == VALUE_LIST) {
		load_list(l, node, ret, ret_n);
		return;
	}
	part = arena_new_struct(l->arena, struct part);
	load_part(l, node, part);
	*ret = part;
	*ret_n = 1;
}

static void
load_choice(struct loading *l, const struct yaml_node *choice, struct part *ret)
{
	const struct yaml_node *condition, *then;

	poison(ret);
	if (!loading_is(l, choice, VALUE_DICT, "`if`"))
		return;
	loading_check_keys(l, choice, choice_keys, ARRAY_LEN(choice_keys), "an `if`");
	condition = yaml_get(choice, "cond");
	then = yaml_get(choice, "then");
	if (!condition || !then) {
		diags_add(l->diags, DIAG_L0505, choice->span, "an `if` without `%s`", condition ? "then" : "cond");
		return;
	}
	ret->kind = PART_IF;
	ret->text = NULL;
	/* `cond: null` is what never holds. */
	ret->condition = load_condition(l, condition);
	load_arm(l, then, &ret->parts, &ret->n_parts);
	load_arm(l, yaml_get(choice, "else"), &ret->else_parts, &ret->n_else_parts);
}

/* ---- all kinds ---- */

static void
load_placeholder(struct loading *l, const struct placeholder *placeholder, const struct yaml_node *item, struct part *ret)
{
	switch (placeholder->takes) {
	case TAKES_INPUT:
	case TAKES_OUTPUT:
		load_port_placeholder(l, placeholder, item, ret);
		break;
	case TAKES_NOTHING:
		load_bare_placeholder(l, placeholder, item, ret);
		break;
	case TAKES_LIST:
		ret->kind = PART_CONCAT;
		if (loading_is(l, item, VALUE_LIST, "`concat`"))
			load_list(l, item, &ret->parts, &ret->n_parts);
		break;
	case TAKES_CHOICE:
		load_choice(l, item, ret);
		break;
	}
}

static void
load_part(struct loading *l, const struct yaml_node *node, struct part *ret)
{
	const struct placeholder *placeholder = find_placeholder(node);

	*ret = (struct part){ .kind = PART_TEXT, .span = node->span };
	if (placeholder) {
		load_placeholder(l, placeholder, node->items[0], ret);
		return;
	}
	if (node->value->kind != VALUE_NULL && node->value->kind < VALUE_LIST) {
		load_text(l, node, ret);
		return;
	}
	report_not_a_placeholder(l, node);
	poison(ret);
}

static void
load_list(struct loading *l, const struct yaml_node *list, const struct part **ret, size_t *ret_n)
{
	struct part *parts = arena_alloc(l->arena, list->n * sizeof *parts);

	for (size_t i = 0; i < list->n; i++)
		load_part(l, list->items[i], &parts[i]);
	*ret = parts;
	*ret_n = list->n;
}

void
loading_parts(struct loading *l, const struct yaml_node *list, const char *what, const struct part **ret, size_t *ret_n)
{
	if (loading_is(l, list, VALUE_LIST, what))
		load_list(l, list, ret, ret_n);
}
