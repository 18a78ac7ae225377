#include "config.h"

#include "dsl/argo.h"

#include <string.h>

enum { FIRST_ITEMS = 4 };

/* The array with room for `cap` pointers in place of those that it holds. The old one stays in the arena: twice the memory of
 * the largest, and no malloc for each of ten thousand small objects. */
static void *
grow(struct arena *arena, const void *old, size_t n, size_t cap)
{
	void *new = arena_alloc(arena, cap * sizeof(void *));

	if (n)
		memcpy(new, old, n * sizeof(void *));
	return new;
}

void
object_put(struct object *object, const char *key, const struct value *value)
{
	if (!value)
		return;
	if (object->n == object->cap) {
		object->cap = object->cap ? object->cap * 2 : FIRST_ITEMS;
		object->keys = grow(object->arena, object->keys, object->n, object->cap);
		object->items = grow(object->arena, object->items, object->n, object->cap);
	}
	object->keys[object->n] = key;
	object->items[object->n++] = value;
}

void
object_put_text(struct object *object, const char *key, const char *text)
{
	if (text)
		object_put(object, key, value_string(object->arena, text));
}

void
object_put_integer(struct object *object, const char *key, int64_t integer)
{
	object_put(object, key, value_integer(object->arena, integer));
}

const struct value *
object_take(struct object *object)
{
	struct value *value = NULL;

	if (object->n) {
		value = arena_new_struct(object->arena, struct value);
		*value = (struct value){ .kind = VALUE_DICT, .dict = { object->keys, object->items, object->n } };
	}
	*object = (struct object){ .arena = object->arena };
	return value;
}

void
rows_add(struct rows *rows, const struct value *value)
{
	if (!value)
		return;
	if (rows->n == rows->cap) {
		rows->cap = rows->cap ? rows->cap * 2 : FIRST_ITEMS;
		rows->items = grow(rows->arena, rows->items, rows->n, rows->cap);
	}
	rows->items[rows->n++] = value;
}

void
rows_add_text(struct rows *rows, const char *text)
{
	rows_add(rows, value_string(rows->arena, text));
}

const struct value *
rows_take(struct rows *rows)
{
	struct value *value = NULL;

	if (rows->n) {
		value = arena_new_struct(rows->arena, struct value);
		*value = (struct value){ .kind = VALUE_LIST, .list = { rows->items, rows->n } };
	}
	*rows = (struct rows){ .arena = rows->arena };
	return value;
}

const struct value *
argo_pair(struct arena *arena, const char *name, const char *text)
{
	const char *keys[] = { "name", "value" };
	const struct value *items[] = { value_string(arena, name), value_string(arena, text) };

	return value_dict(arena, keys, items, ARRAY_LEN(keys));
}

const struct value *
argo_nest(struct arena *arena, const char *key, const struct value *value)
{
	return value ? value_dict(arena, &key, &value, 1) : NULL;
}
