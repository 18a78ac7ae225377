/* Kubernetes' quantities, as texts and back. */
#include "config.h"

#include "runtime/cluster/quantity.h"
#include "tests/tap.h"

static const struct {
	const char *text;
	int64_t milli; /* -1: it is none */
} cases[] = {
	{ "1", 1000 }, { "500m", 500 }, { "0.5", 500 }, { "1.0001", 1001 }, { "0", 0 }, { "1e3", 1000000 }, { "2E", INT64_MAX }, { "1k", 1000000 },
	{ "48G", 48000000000000 }, { "48Gi", 51539607552000 }, { "12698956Ki", 13003730944000 }, { "100n", 1 }, { "1Ei", INT64_MAX },
	{ "9e99", INT64_MAX }, { "", -1 }, { "x", -1 }, { "1x", -1 }, { "-1", -1 }, { "0x10", -1 }, { "inf", -1 }, { "nan", -1 }, { " 1", -1 },
	{ "1 Gi", -1 }, { "1gi", -1 }, { "m", -1 },
};

int
main(void)
{
	struct arena *arena = arena_new();
	int64_t milli;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		milli = -1;
		ok(quantity_read(cases[i].text, &milli) == (cases[i].milli >= 0), "`%s` is %s quantity", cases[i].text, cases[i].milli >= 0 ? "a" : "no");
		is_int(milli, cases[i].milli, "`%s` in thousandths", cases[i].text);
	}
	ok(quantity_of(value_integer(arena, 3), &milli) && milli == 3000, "a number of JSON is a quantity: %lld", (long long)milli);
	ok(!quantity_of(value_integer(arena, -3), &milli), "a negative one is not");
	ok(!quantity_of(NULL, &milli), "nothing is none");
	is_str(quantity_text(arena, 2500, false), "2500m", "of CPUs");
	is_str(quantity_text(arena, 16000, false), "16", "whole ones");
	is_str(quantity_text(arena, 51539607552000, true), "48Gi", "of bytes");
	is_str(quantity_text(arena, 1000, true), "1", "one byte");
	arena_free(arena);
	return done_testing();
}
