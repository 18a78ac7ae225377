#include "config.h"

#include "base/value.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

/* How a JSON text is laid out. */
struct style {
	const char *comma, *colon;
	int indent; /* -1: all on one line */
	bool sorted, ascii;
};

static const struct style compact = { ",", ":", -1, false, false };
static const struct style python = { ", ", ": ", -1, true, true };

static void
write_escape(struct buf *buf, uint32_t cp)
{
	if (cp >= 0x10000) {
		buf_printf(buf, "\\u%04x\\u%04x", 0xD800 + ((cp - 0x10000) >> 10), 0xDC00 + ((cp - 0x10000) & 0x3FF));
		return;
	}
	buf_printf(buf, "\\u%04x", cp);
}

static const char *
short_escape(uint32_t cp)
{
	switch (cp) {
	case '"':
		return "\\\"";
	case '\\':
		return "\\\\";
	case '\n':
		return "\\n";
	case '\r':
		return "\\r";
	case '\t':
		return "\\t";
	case '\b':
		return "\\b";
	case '\f':
		return "\\f";
	default:
		return NULL;
	}
}

/* How many of the bytes stand for themselves in any style. */
static size_t
plain_run(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && text[n] >= 0x20 && text[n] < 0x7F && text[n] != '"' && text[n] != '\\')
		n++;
	return n;
}

/* The first character of the text; returns its bytes. */
static size_t
write_character(struct buf *buf, const char *text, size_t len, bool ascii)
{
	uint32_t cp;
	size_t n = utf8_decode(text, len, &cp);
	const char *escape = short_escape(cp);

	if (escape)
		buf_puts(buf, escape);
	else if (cp < 0x20 || cp == 0x7F || (ascii && cp > 0x7F))
		write_escape(buf, cp);
	else if (n == 1 && cp == UTF8_REPLACEMENT)
		buf_puts(buf, "\xEF\xBF\xBD");
	else
		buf_add(buf, text, n);
	return n;
}

static void
write_string(struct buf *buf, const char *text, size_t len, bool ascii)
{
	size_t plain = plain_run(text, len);
	char *space = plain == len ? buf_space(buf, len + 2) : NULL;

	if (space) {
		*space = space[len + 1] = '"';
		memcpy(space + 1, text, len);
		buf_commit(buf, len + 2);
		return;
	}
	buf_putc(buf, '"');
	for (size_t i = 0; i < len;) {
		size_t n = plain_run(text + i, len - i);

		buf_add(buf, text + i, n);
		i += n;
		if (i < len)
			i += write_character(buf, text + i, len - i, ascii);
	}
	buf_putc(buf, '"');
}

/* The shortest of 15 to 17 digits that reads back to the same bits. JSON has no NaN or infinity: null. */
static void
write_float(struct buf *buf, double number)
{
	char text[40];

	if (!isfinite(number)) {
		buf_puts(buf, "null");
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	buf_puts(buf, text);
	if (!strpbrk(text, ".e"))
		buf_puts(buf, ".0");
}

static void
line_break(struct buf *buf, const struct style *style, int depth)
{
	if (style->indent < 0)
		return;
	buf_putc(buf, '\n');
	buf_repeat(buf, ' ', (size_t)(style->indent * depth));
}

static void write(struct buf *buf, const struct value *value, const struct style *style, int depth);

static void
write_list(struct buf *buf, const struct value *list, const struct style *style, int depth)
{
	buf_putc(buf, '[');
	for (size_t i = 0; i < list->list.n; i++) {
		if (i)
			buf_puts(buf, style->comma);
		line_break(buf, style, depth + 1);
		write(buf, list->list.items[i], style, depth + 1);
	}
	if (list->list.n)
		line_break(buf, style, depth);
	buf_putc(buf, ']');
}

static int
compare_keys(const void *a, const void *b, void *dict)
{
	const struct value *d = dict;

	return strcmp(d->dict.keys[*(const size_t *)a], d->dict.keys[*(const size_t *)b]);
}

/* The dict's items by their keys, to be freed. */
static size_t *
sorted_order(const struct value *dict)
{
	size_t *order = xcalloc(dict->dict.n, sizeof *order);

	for (size_t i = 0; i < dict->dict.n; i++)
		order[i] = i;
	qsort_r(order, dict->dict.n, sizeof *order, compare_keys, (void *)(uintptr_t)dict);
	return order;
}

static void
write_dict(struct buf *buf, const struct value *dict, const struct style *style, int depth)
{
	CLEANUP(freep) size_t *order = style->sorted ? sorted_order(dict) : NULL;

	buf_putc(buf, '{');
	for (size_t i = 0; i < dict->dict.n; i++) {
		size_t at = order ? order[i] : i;
		const char *key = dict->dict.keys[at];

		if (i)
			buf_puts(buf, style->comma);
		line_break(buf, style, depth + 1);
		write_string(buf, key, strlen(key), style->ascii);
		buf_puts(buf, style->colon);
		write(buf, dict->dict.items[at], style, depth + 1);
	}
	if (dict->dict.n)
		line_break(buf, style, depth);
	buf_putc(buf, '}');
}

static void
write(struct buf *buf, const struct value *value, const struct style *style, int depth)
{
	switch (value->kind) {
	case VALUE_NULL:
		buf_puts(buf, "null");
		break;
	case VALUE_BOOLEAN:
		buf_puts(buf, value->boolean ? "true" : "false");
		break;
	case VALUE_INTEGER:
		buf_printf(buf, "%lld", (long long)value->integer);
		break;
	case VALUE_FLOAT:
		write_float(buf, value->number);
		break;
	case VALUE_STRING:
		write_string(buf, value->string.text, value->string.len, style->ascii);
		break;
	case VALUE_LIST:
		write_list(buf, value, style, depth);
		break;
	case VALUE_DICT:
		write_dict(buf, value, style, depth);
		break;
	}
}

void
value_write_json(struct buf *buf, const struct value *value)
{
	write(buf, value, &compact, 0);
}

void
value_write_json_pretty(struct buf *buf, const struct value *value, int indent)
{
	struct style style = { ",", ": ", indent, false, false };

	write(buf, value, &style, 0);
}

void
value_write_json_python(struct buf *buf, const struct value *value)
{
	write(buf, value, &python, 0);
}

void
value_write_json_string(struct buf *buf, const char *text, size_t len)
{
	write_string(buf, text, len, false);
}

void
value_write_plain(struct buf *buf, const struct value *value)
{
	if (value->kind == VALUE_STRING)
		buf_add(buf, value->string.text, value->string.len);
	else
		value_write_json(buf, value);
}

static const struct value *from_json(struct arena *arena, json_t *json, int depth, struct error *err);

static const struct value *
list_from_json(struct arena *arena, json_t *json, int depth, struct error *err)
{
	size_t n = json_array_size(json);
	CLEANUP(freep) const struct value **items = xcalloc(n, sizeof *items);

	for (size_t i = 0; i < n; i++) {
		items[i] = from_json(arena, json_array_get(json, i), depth + 1, err);
		if (!items[i])
			return NULL;
	}
	return value_list(arena, items, n);
}

static const struct value *
dict_from_json(struct arena *arena, json_t *json, int depth, struct error *err)
{
	size_t n = json_object_size(json), i = 0;
	CLEANUP(freep) const struct value **items = xcalloc(n, sizeof *items);
	CLEANUP(freep) const char **keys = xcalloc(n, sizeof *keys);
	const char *key;
	json_t *item;

	json_object_foreach(json, key, item) {
		keys[i] = arena_strdup(arena, key);
		items[i] = from_json(arena, item, depth + 1, err);
		if (!items[i++])
			return NULL;
	}
	return value_dict(arena, keys, items, n);
}

static const struct value *
from_json(struct arena *arena, json_t *json, int depth, struct error *err)
{
	if (depth > VALUE_DEPTH_MAX) {
		error_set(err, "JSON nests deeper than %d levels", VALUE_DEPTH_MAX);
		return NULL;
	}
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return dict_from_json(arena, json, depth, err);
	case JSON_ARRAY:
		return list_from_json(arena, json, depth, err);
	case JSON_STRING:
		return value_stringn(arena, json_string_value(json), json_string_length(json));
	case JSON_INTEGER:
		return value_integer(arena, json_integer_value(json));
	case JSON_REAL:
		return value_float(arena, json_real_value(json));
	case JSON_TRUE:
	case JSON_FALSE:
		return value_boolean(json_is_true(json));
	case JSON_NULL:
		break;
	}
	return &VALUE_OF_NULL;
}

const struct value *
value_read_json(struct arena *arena, const char *text, size_t len, struct error *err)
{
	json_error_t problem;
	json_t *json = json_loadb(text, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &problem);
	const struct value *value;

	if (!json) {
		error_set(err, "not JSON: %s (line %d, column %d)", problem.text, problem.line, problem.column);
		return NULL;
	}
	value = from_json(arena, json, 0, err);
	json_decref(json);
	return value;
}
