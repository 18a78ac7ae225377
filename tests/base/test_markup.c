#include "config.h"

#include <string.h>

#include "base/markup.h"
#include "tests/tap.h"

static const struct {
	const char *text, *want;
} cases[] = {
	{ "", "" },
	{ "plain", "plain" },
	{ "<script>alert(\"1\" & '2')</script>", "&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;" },
	{ "]]>", "]]&gt;" },
	{ "a\tb\nc\rd", "a\tb\nc\rd" },
	{ "bell\a, escape\x1b, delete\x7f", "bell\xEF\xBF\xBD, escape\xEF\xBF\xBD, delete\xEF\xBF\xBD" },
	{ "bad \xFF byte", "bad \xEF\xBF\xBD byte" },
	{ "\xEF\xBF\xBE", "\xEF\xBF\xBD" },
	{ "שלום 漢字 🚀 é", "שלום 漢字 🚀 é" },
};

int
main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf buf = { 0 };

		markup_escape(&buf, cases[i].text, strlen(cases[i].text));
		is_str(buf_text(&buf), cases[i].want, "case %zu", i);
		buf_clear(&buf);
		markup_isolate(&buf, cases[i].text, strlen(cases[i].text));
		contains(buf_text(&buf), cases[i].want, "case %zu, isolated", i);
		contains(buf_text(&buf), "<bdi>", "within <bdi>");
		buf_release(&buf);
	}
	return done_testing();
}
