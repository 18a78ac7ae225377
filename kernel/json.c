#include "config.h"

#include "kernel/interp_internal.h"

#include <jansson.h>

#include "base/utf8.h"

static json_t *
json_of_list(const struct value *list)
{
	json_t *json = json_array();

	for (size_t i = 0; i < list->list.n; i++)
		json_array_append_new(json, json_of_value(list->list.items[i]));
	return json;
}

static json_t *
json_of_dict(const struct value *dict)
{
	json_t *json = json_object();

	for (size_t i = 0; i < dict->dict.n; i++)
		json_object_set_new(json, dict->dict.keys[i], json_of_value(dict->dict.items[i]));
	return json;
}

json_t *
json_of_text(const char *text, size_t len)
{
	struct buf clean = { 0 };
	json_t *json;

	utf8_sanitise(&clean, text, len);
	json = json_stringn(buf_text(&clean), clean.len);
	buf_release(&clean);
	return json;
}

json_t *
json_of_value(const struct value *value)
{
	switch (value->kind) {
	case VALUE_NULL:
		break;
	case VALUE_BOOLEAN:
		return json_boolean(value->boolean);
	case VALUE_INTEGER:
		return json_integer(value->integer);
	case VALUE_FLOAT:
		return json_real(value->number); /* NULL for NaN and infinity, which JSON lacks */
	case VALUE_STRING:
		return json_of_text(value->string.text, value->string.len);
	case VALUE_LIST:
		return json_of_list(value);
	case VALUE_DICT:
		return json_of_dict(value);
	}
	return json_null();
}
