#include "config.h"

#include <math.h>
#include <string.h>

#include "base/value.h"
#include "tests/tap.h"

/* JSON that is read and written again: compact, and as Python's json.dumps(sort_keys=True) has it. */
static const struct {
	const char *json, *compact, *python;
} texts[] = {
	{ "null", "null", "null" },
	{ " [ true , false ] ", "[true,false]", "[true, false]" },
	{ "9223372036854775807", "9223372036854775807", "9223372036854775807" },
	{ "0.1", "0.1", "0.1" },
	{ "1e3", "1000.0", "1000.0" },
	{ "-2.5e-7", "-2.5e-07", "-2.5e-07" },
	{ "{\"b\":1,\"a\":{}}", "{\"b\":1,\"a\":{}}", "{\"a\": {}, \"b\": 1}" },
	{ "\"é\\u0041\\n\\\"\"", "\"éA\\n\\\"\"", "\"\\u00e9A\\n\\\"\"" },
	{ "\"🚀\"", "\"🚀\"", "\"\\ud83d\\ude80\"" },
};

static const struct {
	const char *json, *error;
} refused[] = {
	{ "", "not JSON" },
	{ "[1,]", "not JSON" },
	{ "{\"a\":1,\"a\":2}", "duplicate" },
	{ "\"\\u0000\"", "not JSON" },
	{ "1 2", "not JSON" },
	{ "[99999999999999999999,3]", "too big integer" },
};

static void
test_json(void)
{
	struct arena *arena = arena_new();
	struct error err;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const struct value *v = value_read_json(arena, texts[i].json, strlen(texts[i].json), &err);
		struct buf compact = { 0 }, python = { 0 };

		if (!ok(v != NULL, "%s is read", texts[i].json))
			continue;
		value_write_json(&compact, v);
		value_write_json_python(&python, v);
		is_str(buf_text(&compact), texts[i].compact, "%s in compact form", texts[i].json);
		is_str(buf_text(&python), texts[i].python, "%s in Python's form", texts[i].json);
		ok(value_equal(v, value_clone(arena, v)), "%s equals its copy", texts[i].json);
		buf_release(&compact);
		buf_release(&python);
	}
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		ok(!value_read_json(arena, refused[i].json, strlen(refused[i].json), &err), "`%s` is refused", refused[i].json);
		contains(err.text, refused[i].error, "with a reason");
	}
	arena_free(arena);
}

static void
test_depth(void)
{
	char deep[2 * (VALUE_DEPTH_MAX + 3)];
	size_t n = VALUE_DEPTH_MAX + 2;
	struct arena *arena = arena_new();
	struct error err = { "" };

	memset(deep, '[', n);
	memset(deep + n, ']', n);
	ok(!value_read_json(arena, deep, 2 * n, &err), "nesting past the ceiling is refused");
	contains(err.text, "nests deeper", "with a reason");
	ok(value_read_json(arena, deep + 2, 2 * n - 4, &err) != NULL, "nesting up to the ceiling is read");
	arena_free(arena);
}

static void
test_numbers(void)
{
	struct arena *arena = arena_new();
	struct buf text = { 0 };

	ok(value_equal(value_integer(arena, 1), value_float(arena, 1.0)), "1 equals 1.0");
	ok(!value_equal(value_integer(arena, INT64_MAX), value_integer(arena, INT64_MAX - 1)), "large Integers are not compared as Floats");
	value_write_json(&text, value_float(arena, (double)NAN));
	is_str(buf_text(&text), "null", "JSON has no NaN");
	buf_clear(&text);
	value_write_plain(&text, value_string(arena, "as it is \"quoted\""));
	is_str(buf_text(&text), "as it is \"quoted\"", "a String's plain text is itself");
	buf_release(&text);
	arena_free(arena);
}

int
main(void)
{
	test_json();
	test_depth();
	test_numbers();
	return done_testing();
}
