/* A value as the language and JSON know it: null, Boolean, Integer, Float, String, List, Dict.
 *
 * Values are immutable and live in an arena; they point into nothing but that arena. Integers have 64 bits
 * and are never turned into Floats; a JSON integer outside that range is an error. Dicts keep the order
 * of their keys; keys are unique (the last one wins when a file repeats one). Strings are valid UTF-8 and
 * hold no NUL. Nesting is at most VALUE_DEPTH_MAX. */
#ifndef BASE_VALUE_H
#define BASE_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

enum { VALUE_DEPTH_MAX = 128 };

enum value_kind { VALUE_NULL, VALUE_BOOLEAN, VALUE_INTEGER, VALUE_FLOAT, VALUE_STRING, VALUE_LIST, VALUE_DICT };

struct value {
	enum value_kind kind;
	union {
		bool boolean;
		int64_t integer;
		double number;
		struct {
			const char *text;
			size_t len;
		} string;
		struct {
			const struct value **items;
			size_t n;
		} list;
		struct {
			const char **keys;
			const struct value **items;
			size_t n;
		} dict;
	};
};

extern const struct value VALUE_OF_NULL, VALUE_OF_TRUE, VALUE_OF_FALSE;

const struct value *value_boolean(bool boolean);
const struct value *value_integer(struct arena *arena, int64_t integer);
const struct value *value_float(struct arena *arena, double number);
const struct value *value_string(struct arena *arena, const char *text);
const struct value *value_stringn(struct arena *arena, const char *text, size_t len);
/* Copy the arrays, borrow the items. */
const struct value *value_list(struct arena *arena, const struct value *const *items, size_t n);
const struct value *value_dict(struct arena *arena, const char *const *keys, const struct value *const *items, size_t n);

const struct value *value_get(const struct value *dict, const char *key); /* NULL if absent, or not a Dict */
const char *value_text(const struct value *value); /* of a String, else NULL */
const char *value_text_at(const struct value *dict, const char *key); /* the same of dict.key, and NULL for "" */
/* How many items a List has, 0 of what is none; one of them, NULL past the end. */
size_t value_count(const struct value *list);
const struct value *value_item(const struct value *list, size_t at);
bool value_equal(const struct value *a, const struct value *b); /* 1 and 1.0 are equal; Dicts in any order */
const struct value *value_clone(struct arena *arena, const struct value *value);

/* Compact JSON: no blanks, keys in the value's order; a Float always holds a `.` or an exponent and reads back
 * to the same bits. */
void value_write_json(struct buf *buf, const struct value *value);
/* The same with a newline and `indent` blanks a level. */
void value_write_json_pretty(struct buf *buf, const struct value *value, int indent);
/* Python's json.dumps(sort_keys=True) form (", " and ": ", ASCII escapes), which Kubeflow's annotations use. */
void value_write_json_python(struct buf *buf, const struct value *value);
/* A JSON string literal with its quotes. Invalid UTF-8 becomes U+FFFD. */
void value_write_json_string(struct buf *buf, const char *text, size_t len);
/* One whole JSON text. Duplicate keys, NUL characters and nesting past VALUE_DEPTH_MAX are errors. */
const struct value *value_read_json(struct arena *arena, const char *text, size_t len, struct error *err);

/* The text that a step sees: a String as it is, Integers in decimal, Booleans true/false, null "null", Lists and
 * Dicts compact JSON. */
void value_write_plain(struct buf *buf, const struct value *value);

#endif
