#include "config.h"

#include "runtime/cluster/quantity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *suffix;
	double factor; /* of a thousandth */
} suffixes[] = {
	{ "", 1e3 }, { "n", 1e-6 }, { "u", 1e-3 }, { "m", 1 }, { "k", 1e6 }, { "M", 1e9 }, { "G", 1e12 }, { "T", 1e15 }, { "P", 1e18 },
	{ "E", 1e21 }, { "Ki", 1024e3 }, { "Mi", 1048576e3 }, { "Gi", 1073741824e3 }, { "Ti", 1099511627776e3 },
	{ "Pi", 1125899906842624e3 }, { "Ei", 1152921504606846976e3 },
};

bool
quantity_read(const char *text, int64_t *ret_milli)
{
	char *end;
	double number;

	/* strtod knows more than a quantity: hexadecimal numbers, "inf", blanks. */
	if (!*text || strspn(text, "+.0123456789eE") == 0 || strpbrk(text, "xX"))
		return false;
	number = strtod(text, &end);
	if (end == text || !(number >= 0))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		if (strcmp(suffixes[i].suffix, end) != 0)
			continue;
		number = ceil(number * suffixes[i].factor);
		*ret_milli = number < 9.2e18 ? (int64_t)number : INT64_MAX;
		return true;
	}
	return false;
}

bool
quantity_of(const struct value *value, int64_t *ret_milli)
{
	const char *text = value_text(value);

	if (text)
		return quantity_read(text, ret_milli);
	if (value && value->kind == VALUE_INTEGER && value->integer >= 0) {
		*ret_milli = value->integer < INT64_MAX / 1000 ? value->integer * 1000 : INT64_MAX;
		return true;
	}
	if (value && value->kind == VALUE_FLOAT && value->number >= 0 && value->number < 9e15) {
		*ret_milli = (int64_t)ceil(value->number * 1e3);
		return true;
	}
	return false;
}

const char *
quantity_text(struct arena *arena, int64_t milli, bool bytes)
{
	static const char *const words[] = { "", "Ki", "Mi", "Gi", "Ti" };
	double number = (double)milli / 1e3;
	size_t at = 0;

	if (!bytes)
		return milli % 1000 ? arena_printf(arena, "%lldm", (long long)milli) : arena_printf(arena, "%lld", (long long)(milli / 1000));
	for (; number >= 1024 && at + 1 < ARRAY_LEN(words); at++)
		number /= 1024;
	return arena_printf(arena, "%.4g%s", number, words[at]);
}
