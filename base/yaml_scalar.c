#include "config.h"

#include "base/yaml_scalar.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_TEXT_MAX = 512 }; /* bytes of a number; longer text is a String */

/* A cursor over a scalar. Each `take_` moves over what it names and says how many bytes that was. */
struct cursor {
	const char *at, *end;
};

static size_t
take_any_of(struct cursor *c, const char *set)
{
	const char *start = c->at;

	while (c->at < c->end && *c->at && strchr(set, *c->at))
		c->at++;
	return (size_t)(c->at - start);
}

static bool
take_one_of(struct cursor *c, const char *set)
{
	if (c->at == c->end || !*c->at || !strchr(set, *c->at))
		return false;
	c->at++;
	return true;
}

static bool
is_one_of(const char *text, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(text, words[i]))
			return true;
	return false;
}

static bool
is_true(const char *text)
{
	static const char *const words[] = { "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON" };

	return is_one_of(text, words, ARRAY_LEN(words));
}

static bool
is_false(const char *text)
{
	static const char *const words[] = { "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF" };

	return is_one_of(text, words, ARRAY_LEN(words));
}

static bool
is_null(const char *text)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL" };

	return is_one_of(text, words, ARRAY_LEN(words));
}

/* (:[0-5]?[0-9])+ up to `end` or a point. */
static bool
take_sixties(struct cursor *c)
{
	size_t n = 0;

	for (; take_one_of(c, ":"); n++) {
		const char *digits = c->at;
		size_t len = take_any_of(c, "0123456789");

		if (len < 1 || len > 2 || (len == 2 && digits[0] > '5'))
			return false;
	}
	return n > 0;
}

static bool
is_prefixed(struct cursor c, const char *prefix, const char *digits)
{
	size_t len = strlen(prefix);

	if ((size_t)(c.end - c.at) <= len || strncmp(c.at, prefix, len))
		return false;
	c.at += len;
	return take_any_of(&c, digits) && c.at == c.end;
}

static bool
is_integer(struct cursor c)
{
	take_one_of(&c, "-+");
	if (c.at == c.end)
		return false;
	if (*c.at == '0')
		return c.end - c.at == 1 || is_prefixed(c, "0", "01234567_") || is_prefixed(c, "0b", "01_") ||
		       is_prefixed(c, "0x", "0123456789abcdefABCDEF_");
	if (!take_one_of(&c, "123456789"))
		return false;
	take_any_of(&c, "0123456789_");
	return c.at == c.end || (take_sixties(&c) && c.at == c.end);
}

/* ([eE][-+][0-9]+)? and then the end; the sign is not optional in YAML 1.1. */
static bool
is_exponent(struct cursor c)
{
	if (c.at == c.end)
		return true;
	return take_one_of(&c, "eE") && take_one_of(&c, "-+") && take_any_of(&c, "0123456789") && c.at == c.end;
}

static bool
is_infinity(struct cursor c)
{
	return !strcmp(c.at, ".inf") || !strcmp(c.at, ".Inf") || !strcmp(c.at, ".INF");
}

static bool
is_nan(const char *text)
{
	return !strcmp(text, ".nan") || !strcmp(text, ".NaN") || !strcmp(text, ".NAN");
}

static bool
is_float(struct cursor c)
{
	bool signed_ = false;

	if (is_nan(c.at))
		return true;
	signed_ = take_one_of(&c, "-+");
	if (is_infinity(c))
		return true;
	if (take_one_of(&c, ".")) {
		if (signed_ || !take_one_of(&c, "0123456789"))
			return false;
		take_any_of(&c, "0123456789_");
		return is_exponent(c);
	}
	if (!take_one_of(&c, "0123456789"))
		return false;
	take_any_of(&c, "0123456789_");
	if (c.at < c.end && *c.at == ':')
		return take_sixties(&c) && take_one_of(&c, ".") && (take_any_of(&c, "0123456789_"), c.at == c.end);
	if (!take_one_of(&c, "."))
		return false;
	take_any_of(&c, "0123456789_");
	return is_exponent(c);
}

enum value_kind
yaml_scalar_kind(const char *text, size_t len)
{
	struct cursor c = { text, text + len };

	if (is_null(text))
		return VALUE_NULL;
	if (is_true(text) || is_false(text))
		return VALUE_BOOLEAN;
	if (len > NUMBER_TEXT_MAX)
		return VALUE_STRING;
	if (is_float(c))
		return VALUE_FLOAT;
	return is_integer(c) ? VALUE_INTEGER : VALUE_STRING;
}

/* Copies without underscores and sign. */
static void
plain_digits(const char *text, size_t len, char *ret, bool *ret_negative)
{
	size_t n = 0;

	*ret_negative = len && text[0] == '-';
	for (size_t i = len && (text[0] == '-' || text[0] == '+'); i < len; i++)
		if (text[i] != '_')
			ret[n++] = text[i];
	ret[n] = '\0';
}

static int
base_of(const char *digits)
{
	if (digits[0] != '0')
		return 10;
	if (digits[1] == 'x')
		return 16;
	return digits[1] == 'b' ? 2 : 8;
}

/* "1:30" is 90. */
static double
sixties(const char *digits)
{
	double number = 0;

	for (const char *p = digits; p; p = strchr(p, ':')) {
		if (*p == ':')
			p++;
		number = number * 60 + strtod(p, NULL);
	}
	return number;
}

static const struct value *
read_integer(struct arena *arena, const char *text, size_t len)
{
	char digits[NUMBER_TEXT_MAX + 1];
	const char *start = digits;
	bool negative;
	int base;
	double number = 0;

	plain_digits(text, len, digits, &negative);
	base = base_of(digits);
	if (strchr(digits, ':')) {
		number = sixties(digits);
	} else {
		if (base == 2 || base == 16)
			start += 2;
		/* `0x_` has no digits at all. */
		if (!*start)
			return NULL;
		for (; *start; start++)
			number = number * base + (*start <= '9' ? *start - '0' : (*start | 0x20) - 'a' + 10);
	}
	if (number < 0x1p53)
		return value_integer(arena, (int64_t)(negative ? -number : number));
	/* Exactly, where 64 bits can hold it. */
	if (!strchr(digits, ':') && number < 0x1p64) {
		unsigned long long exact = strtoull(digits + (base == 2 || base == 16 ? 2 : 0), NULL, base);

		if (exact <= (unsigned long long)INT64_MAX)
			return value_integer(arena, negative ? -(int64_t)exact : (int64_t)exact);
		if (negative && exact == (unsigned long long)INT64_MAX + 1)
			return value_integer(arena, INT64_MIN);
	}
	if (base == 10 && !strchr(digits, ':'))
		number = strtod(digits, NULL);
	return value_float(arena, negative ? -number : number);
}

static const struct value *
read_float(struct arena *arena, const char *text, size_t len)
{
	char digits[NUMBER_TEXT_MAX + 1];
	bool negative;
	double number;

	if (is_nan(text))
		return value_float(arena, (double)NAN);
	plain_digits(text, len, digits, &negative);
	if (is_infinity((struct cursor){ digits, digits + strlen(digits) }))
		number = (double)INFINITY;
	else
		number = strchr(digits, ':') ? sixties(digits) : strtod(digits, NULL);
	return value_float(arena, negative ? -number : number);
}

const struct value *
yaml_scalar_value(struct arena *arena, enum value_kind kind, const char *text, size_t len)
{
	struct cursor c = { text, text + len };

	switch (kind) {
	case VALUE_NULL:
		return is_null(text) ? &VALUE_OF_NULL : NULL;
	case VALUE_BOOLEAN:
		return is_true(text) || is_false(text) ? value_boolean(is_true(text)) : NULL;
	case VALUE_INTEGER:
		return len <= NUMBER_TEXT_MAX && is_integer(c) ? read_integer(arena, text, len) : NULL;
	case VALUE_FLOAT:
		return len <= NUMBER_TEXT_MAX && (is_float(c) || is_integer(c)) ? read_float(arena, text, len) : NULL;
	case VALUE_STRING:
		return value_stringn(arena, text, len);
	case VALUE_LIST:
	case VALUE_DICT:
		break;
	}
	return NULL;
}
