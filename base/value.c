#include "config.h"

#include "base/value.h"

#include <string.h>

const struct value VALUE_OF_NULL = { .kind = VALUE_NULL };
const struct value VALUE_OF_TRUE = { .kind = VALUE_BOOLEAN, .boolean = true };
const struct value VALUE_OF_FALSE = { .kind = VALUE_BOOLEAN, .boolean = false };

const struct value *
value_boolean(bool boolean)
{
	return boolean ? &VALUE_OF_TRUE : &VALUE_OF_FALSE;
}

static struct value *
new_value(struct arena *arena, enum value_kind kind)
{
	struct value *v = arena_new_struct(arena, struct value);

	v->kind = kind;
	return v;
}

const struct value *
value_integer(struct arena *arena, int64_t integer)
{
	struct value *v = new_value(arena, VALUE_INTEGER);

	v->integer = integer;
	return v;
}

const struct value *
value_float(struct arena *arena, double number)
{
	struct value *v = new_value(arena, VALUE_FLOAT);

	v->number = number;
	return v;
}

const struct value *
value_stringn(struct arena *arena, const char *text, size_t len)
{
	struct value *v = new_value(arena, VALUE_STRING);

	v->string.text = arena_strndup(arena, text, len);
	v->string.len = len;
	return v;
}

const struct value *
value_string(struct arena *arena, const char *text)
{
	return value_stringn(arena, text, strlen(text));
}

const struct value *
value_list(struct arena *arena, const struct value *const *items, size_t n)
{
	struct value *v = new_value(arena, VALUE_LIST);

	v->list.items = arena_copy(arena, items, n * sizeof(*items));
	v->list.n = n;
	return v;
}

const struct value *
value_dict(struct arena *arena, const char *const *keys, const struct value *const *items, size_t n)
{
	struct value *v = new_value(arena, VALUE_DICT);

	v->dict.keys = arena_copy(arena, keys, n * sizeof(*keys));
	v->dict.items = arena_copy(arena, items, n * sizeof(*items));
	v->dict.n = n;
	return v;
}

const struct value *
value_get(const struct value *dict, const char *key)
{
	if (!dict || dict->kind != VALUE_DICT)
		return NULL;
	for (size_t i = 0; i < dict->dict.n; i++)
		if (!strcmp(dict->dict.keys[i], key))
			return dict->dict.items[i];
	return NULL;
}

const char *
value_text(const struct value *value)
{
	return value && value->kind == VALUE_STRING ? value->string.text : NULL;
}

const char *
value_text_at(const struct value *dict, const char *key)
{
	const char *text = value_text(value_get(dict, key));

	return text && *text ? text : NULL;
}

size_t
value_count(const struct value *list)
{
	return list && list->kind == VALUE_LIST ? list->list.n : 0;
}

const struct value *
value_item(const struct value *list, size_t at)
{
	return at < value_count(list) ? list->list.items[at] : NULL;
}

static bool
numbers_equal(const struct value *a, const struct value *b)
{
	if (a->kind == VALUE_INTEGER && b->kind == VALUE_INTEGER)
		return a->integer == b->integer;
	return (a->kind == VALUE_INTEGER ? (double)a->integer : a->number) ==
	       (b->kind == VALUE_INTEGER ? (double)b->integer : b->number);
}

static bool
is_number(const struct value *v)
{
	return v->kind == VALUE_INTEGER || v->kind == VALUE_FLOAT;
}

static bool
lists_equal(const struct value *a, const struct value *b)
{
	if (a->list.n != b->list.n)
		return false;
	for (size_t i = 0; i < a->list.n; i++)
		if (!value_equal(a->list.items[i], b->list.items[i]))
			return false;
	return true;
}

static bool
dicts_equal(const struct value *a, const struct value *b)
{
	if (a->dict.n != b->dict.n)
		return false;
	for (size_t i = 0; i < a->dict.n; i++) {
		const struct value *other = value_get(b, a->dict.keys[i]);

		if (!other || !value_equal(a->dict.items[i], other))
			return false;
	}
	return true;
}

bool
value_equal(const struct value *a, const struct value *b)
{
	if (is_number(a) && is_number(b))
		return numbers_equal(a, b);
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case VALUE_BOOLEAN:
		return a->boolean == b->boolean;
	case VALUE_STRING:
		return a->string.len == b->string.len && !memcmp(a->string.text, b->string.text, a->string.len);
	case VALUE_LIST:
		return lists_equal(a, b);
	case VALUE_DICT:
		return dicts_equal(a, b);
	case VALUE_NULL:
	case VALUE_INTEGER:
	case VALUE_FLOAT:
		break;
	}
	return true;
}

static const struct value **
clone_items(struct arena *arena, const struct value **items, size_t n)
{
	const struct value **copy = arena_alloc(arena, n * sizeof(*items));

	for (size_t i = 0; i < n; i++)
		copy[i] = value_clone(arena, items[i]);
	return copy;
}

const struct value *
value_clone(struct arena *arena, const struct value *value)
{
	struct value *v = new_value(arena, value->kind);

	*v = *value;
	switch (value->kind) {
	case VALUE_STRING:
		v->string.text = arena_strndup(arena, value->string.text, value->string.len);
		break;
	case VALUE_LIST:
		v->list.items = clone_items(arena, value->list.items, value->list.n);
		break;
	case VALUE_DICT:
		v->dict.items = clone_items(arena, value->dict.items, value->dict.n);
		v->dict.keys = arena_alloc(arena, value->dict.n * sizeof(*v->dict.keys));
		for (size_t i = 0; i < value->dict.n; i++)
			v->dict.keys[i] = arena_strdup(arena, value->dict.keys[i]);
		break;
	case VALUE_NULL:
	case VALUE_BOOLEAN:
	case VALUE_INTEGER:
	case VALUE_FLOAT:
		break;
	}
	return v;
}
