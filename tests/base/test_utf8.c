#include "config.h"

#include <string.h>

#include "base/utf8.h"
#include "tests/tap.h"

static const struct {
	const char *text;
	bool valid;
	size_t count, width, partial;
	const char *clean, *why;
} texts[] = {
	{ "", true, 0, 0, 0, "", "nothing" },
	{ "abc", true, 3, 3, 0, "abc", "ASCII" },
	{ "é", true, 1, 1, 0, "é", "two bytes" },
	{ "e\xCC\x81", true, 2, 1, 0, "e\xCC\x81", "a combining mark has no width" },
	{ "漢字", true, 2, 4, 0, "漢字", "East Asian characters are two columns wide" },
	{ "🚀", true, 1, 2, 0, "🚀", "so are emoji" },
	{ "שלום", true, 4, 4, 0, "שלום", "Hebrew" },
	{ "a\xFFz", false, 3, 3, 0, "a\xEF\xBF\xBDz", "a byte that is never UTF-8" },
	{ "\xC0\x80", false, 2, 2, 0, "\xEF\xBF\xBD\xEF\xBF\xBD", "an overlong form" },
	{ "\xED\xA0\x80", false, 3, 3, 0, "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD", "a surrogate" },
	{ "\xF4\x90\x80\x80", false, 4, 4, 0, "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD", "past U+10FFFF" },
	{ "ab\xE6\xBC", false, 4, 4, 2, "ab\xEF\xBF\xBD\xEF\xBF\xBD", "the start of a character at the end" },
	{ "ab\xF0\x9F\x9A", false, 5, 5, 3, "ab\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD", "three bytes of four" },
};

static void
test_texts(void)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *text = texts[i].text;
		size_t len = strlen(text);
		struct buf clean = { 0 };

		ok(utf8_valid(text, len) == texts[i].valid, "%s: is it valid", texts[i].why);
		is_int((int64_t)utf8_count(text, len), (int64_t)texts[i].count, "%s: code points", texts[i].why);
		is_int((int64_t)utf8_width(text, len), (int64_t)texts[i].width, "%s: columns", texts[i].why);
		is_int((int64_t)utf8_partial_tail(text, len), (int64_t)texts[i].partial, "%s: unfinished bytes", texts[i].why);
		utf8_sanitise(&clean, text, len);
		is_str(buf_text(&clean), texts[i].clean, "%s: with replacements", texts[i].why);
		buf_release(&clean);
	}
}

static void
test_offsets(void)
{
	static const char text[] = "aé漢🚀b";
	static const size_t starts[] = { 0, 1, 3, 6, 10, 11, 11 };

	for (size_t i = 0; i < ARRAY_LEN(starts); i++)
		is_int((int64_t)utf8_offset(text, sizeof text - 1, i), (int64_t)starts[i], "code point %zu starts there", i);
	ok(utf8_is_bidi_control(0x202E), "right-to-left override turns text");
	ok(!utf8_is_bidi_control(0x05D0), "a Hebrew letter does not");
}

int
main(void)
{
	test_texts();
	test_offsets();
	return done_testing();
}
