#include "config.h"

#include "dsl/component_yaml_load.h"

#include <math.h>
#include <string.h>

bool
loading_has(const struct yaml_node *node)
{
	return node && node->value->kind != VALUE_NULL;
}

const char *
loading_kind_name(enum value_kind kind)
{
	static const char *const names[] = {
		[VALUE_NULL] = "nothing",   [VALUE_BOOLEAN] = "a Boolean", [VALUE_INTEGER] = "a number", [VALUE_FLOAT] = "a number",
		[VALUE_STRING] = "a text",  [VALUE_LIST] = "a list",	   [VALUE_DICT] = "a map",
	};

	return names[kind];
}

bool
loading_is(struct loading *l, const struct yaml_node *node, enum value_kind kind, const char *what)
{
	struct diag *diag;
	enum value_kind got = node->value->kind;

	if (got == kind)
		return true;
	diag = diags_add(l->diags, DIAG_L0503, node->span, "%s must be %s", what, loading_kind_name(kind));
	diag_primary(l->diags, diag, "this is %s", loading_kind_name(got));
	if (kind == VALUE_STRING && got < VALUE_STRING && node->plain && node->span.end > node->span.start)
		diag_help(l->diags, diag, "put it in quotes: `'%.*s'`", (int)(node->span.end - node->span.start),
			node->span.source->text + node->span.start);
	if (kind == VALUE_LIST && got == VALUE_STRING)
		diag_help(l->diags, diag, "write `[…]` around it, one element for each argument");
	return false;
}

const char *
loading_text(struct loading *l, const struct yaml_node *node, const char *what)
{
	return loading_is(l, node, VALUE_STRING, what) ? value_text(node->value) : NULL;
}

static const char *
float_text(struct arena *arena, const struct value *value)
{
	CLEANUP(buf_release) struct buf text = { 0 };

	if (isnan(value->number))
		return "nan";
	if (isinf(value->number))
		return value->number < 0 ? "-inf" : "inf";
	value_write_plain(&text, value);
	return arena_strndup(arena, buf_text(&text), text.len);
}

const char *
loading_scalar_text(struct loading *l, const struct yaml_node *node)
{
	switch (node->value->kind) {
	case VALUE_STRING:
		return node->value->string.text;
	case VALUE_BOOLEAN:
		return node->value->boolean ? "True" : "False";
	case VALUE_INTEGER:
		return arena_printf(l->arena, "%lld", (long long)node->value->integer);
	case VALUE_FLOAT:
		return float_text(l->arena, node->value);
	case VALUE_NULL:
	case VALUE_LIST:
	case VALUE_DICT:
		break;
	}
	return NULL;
}

static bool
is_one_of(const char *key, const char *const *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(key, keys[i]))
			return true;
	return false;
}

void
loading_check_keys(struct loading *l, const struct yaml_node *dict, const char *const *keys, size_t n, const char *what)
{
	for (size_t i = 0; i < dict->n; i++) {
		const char *key = dict->value->dict.keys[i];
		struct diag *diag;

		if (is_one_of(key, keys, n))
			continue;
		diag = diags_add(l->diags, DIAG_L0504, dict->keys[i], "%s has no field `%.100s`", what, key);
		diag_near(l->diags, diag, "field", dict->keys[i], key, keys, n);
	}
}
