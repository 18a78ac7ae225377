#include "config.h"

#include "dsl/argo.h"

void
object_put(struct object *object, const char *key, const struct value *value)
{
	if (!value)
		return;
	vec_push(&object->keys, key);
	vec_push(&object->items, value);
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
	const struct value *value = NULL;

	if (object->keys.n)
		value = value_dict(object->arena, object->keys.items, object->items.items, object->keys.n);
	vec_release(&object->keys);
	vec_release(&object->items);
	return value;
}

void
rows_add(struct rows *rows, const struct value *value)
{
	if (value)
		vec_push(&rows->items, value);
}

void
rows_add_text(struct rows *rows, const char *text)
{
	rows_add(rows, value_string(rows->arena, text));
}

const struct value *
rows_take(struct rows *rows)
{
	const struct value *value = NULL;

	if (rows->items.n)
		value = value_list(rows->arena, rows->items.items, rows->items.n);
	vec_release(&rows->items);
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
