/* Text as JSON, without a tree. */
#include "config.h"

#include <string.h>

#include "kernel/json_text.h"
#include "tests/tap.h"

static const struct {
	const char *text, *json;
} cases[] = {
	{ "", "\"\"" },
	{ "plain", "\"plain\"" },
	{ "a\"b\\c/d", "\"a\\\"b\\\\c/d\"" },
	{ "\b\f\n\r\t\x01\x1f\x7f", "\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"" },
	{ "é漢🙂", "\"é漢🙂\"" },
	{ "a\xff" "b", "\"a\xef\xbf\xbd" "b\"" },
	{ "cut \xe6\xbc", NULL },
};

int
main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf buf = { 0 };
		json_t *value, *parsed;

		json_text_string(&buf, cases[i].text);
		if (cases[i].json)
			is_str(buf_text(&buf), cases[i].json, "case %zu", i);
		parsed = json_loads(buf_text(&buf), JSON_DECODE_ANY, NULL);
		ok(parsed, "%s is JSON", buf_text(&buf));
		value = json_text_new(cases[i].text);
		is_str(json_string_value(value), json_string_value(parsed), "both ways give the same text");
		json_decref(value);
		json_decref(parsed);
		buf_release(&buf);
	}
	return done_testing();
}
