#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/json_scan.h"
#include "base/json_tree.h"
#include "tests/tap.h"

/* What is told, as a line: `{ k:a s:x n:1 }`. Members that begin with "skip", "raw" and "piece" are wanted so. */
struct log {
	struct buf text;
	bool open; /* the last thing in it is a piece that goes on */
};

static void
add(struct log *log, const char *kind, const char *text, size_t len, bool goes_on)
{
	if (!log->open)
		buf_printf(&log->text, " %s", kind);
	buf_add(&log->text, text, len);
	log->open = goes_on;
}

static enum json_way
way_of(const char *key, size_t len)
{
	return len >= 4 && !memcmp(key, "skip", 4) ? JSON_SKIP : len >= 3 && !memcmp(key, "raw", 3) ? JSON_AS_WRITTEN :
	       len >= 5 && !memcmp(key, "piece", 5) ? JSON_IN_PIECES : JSON_TELL;
}

static int
told(void *context, struct json_scan *scan, enum json_event event, const char *text, size_t len, struct error *err)
{
	static const char *const kinds[] = { "{", "}", "[", "]", "k:", "s:", "n:", "l:", "p:", "r:", "" };
	struct log *log = context;

	if (event == JSON_RAW && scan->depth != 1)
		return error_set(err, "a piece at depth %zu of a value at depth 1", scan->depth);
	if (event == JSON_KEY)
		scan->next = way_of(text, len);
	if ((event == JSON_STRING || event == JSON_RAW_END) && log->open)
		log->open = false;
	else if (event != JSON_RAW_END)
		add(log, kinds[event], text, len, event == JSON_PIECE || event == JSON_RAW);
	return len == 4 && !memcmp(text, "stop", 4) ? error_set(err, "stopped at depth %zu", scan->depth) : 0;
}

/* Feeds the text with cuts behind `a` and `b` bytes. */
static void
scan_in_three(const char *text, size_t len, size_t a, size_t b, bool many, struct buf *ret)
{
	struct log log = { 0 };
	struct json_scan scan = { .told = told, .context = &log, .many = many };
	struct error err;

	if (json_scan_feed(&scan, text, a, &err) || json_scan_feed(&scan, text + a, b - a, &err) ||
	    json_scan_feed(&scan, text + b, len - b, &err) || json_scan_end(&scan, &err)) {
		buf_puts(ret, err.text);
		if (!json_scan_feed(&scan, " ", 1, &err))
			buf_puts(ret, "; and forgot it");
	} else {
		buf_puts(ret, buf_text(&log.text));
	}
	json_scan_release(&scan);
	buf_release(&log.text);
}

struct text_case {
	const char *text, *want;
};

static const struct text_case texts[] = {
	{ "{}", " { }" },
	{ " [ ] ", " [ ]" },
	{ "{\"a\": [1, -0.5e+3, true, null, \"x\"], \"b\": {}}", " { k:a [ n:1 n:-0.5e+3 l:true l:null s:x ] k:b { } }" },
	{ "12", " n:12" },
	{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", " s:\"\\/\b\f\n\r\t" },
	{ "\"a\\u00e9\xc3\xa9\\u4e2d\\ud83d\\ude00\xf0\x9f\x98\x80z\"", " s:aéé中😀😀z" },
	{ "[\"\\u0000\",\"\\ud800\",\"\\ud800x\",\"\\ud800\\n\",\"\\ud800\\ud83d\\ude00\",\"\\udc00\"]",
	  " [ s:\uFFFD s:\uFFFD s:\uFFFDx s:\uFFFD\n s:\uFFFD😀 s:\uFFFD ]" },
	{ "{\"skip\": [{\"a\": [1]}, \"]\\\"\"], \"b\": 1, \"skip2\": 3, \"c\": 2}", " { k:skip k:b n:1 k:skip2 k:c n:2 }" },
	{ "{\"raw\": {\"a\": [ 1,\"}\\u0041\" ] }, \"raw2\":17, \"raw3\": \"\\n\" , \"b\": null}",
	  " { k:raw r:{\"a\": [ 1,\"}\\u0041\" ] } k:raw2 r:17 k:raw3 r:\"\\n\" k:b l:null }" },
	{ "{\"piece\": \"ab\\ncd\\u00e9\", \"piece2\": [\"x\"], \"c\": \"d\"}", " { k:piece p:ab\ncdé k:piece2 [ s:x ] k:c s:d }" },
	{ "{\"raw\": {\"skip\": 1, \"raw\": [2]}, \"skip\": {\"raw\": 1}}", " { k:raw r:{\"skip\": 1, \"raw\": [2]} k:skip }" },
	{ "", "not JSON: the text ends at byte 0, before the value does" },
	{ "{\"a\": 1", "not JSON: the text ends at byte 7, before the value does" },
	{ "{\"a\" 1}", "not JSON: no colon at byte 6" },
	{ "{\"a\": 1,}", "not JSON: no key at byte 9" },
	{ "[1,]", "not JSON: no value at byte 4" },
	{ "[1 2]", "not JSON: no comma at byte 4" },
	{ "[1}", "not JSON: unexpected `}` at byte 3" },
	{ "{\"a\":1]", "not JSON: unexpected `]` at byte 7" },
	{ "{a: 1}", "not JSON: no key at byte 2" },
	{ "[01]", "not JSON: no comma at byte 3" },
	{ "[-]", "not JSON: half a number at byte 3" },
	{ "[1.]", "not JSON: half a number at byte 4" },
	{ "[1e+]", "not JSON: half a number at byte 5" },
	{ "[.5]", "not JSON: no value at byte 2" },
	{ "[trve]", "not JSON: no value at byte 4" },
	{ "[\"\\x\"]", "not JSON: an unknown escape at byte 4" },
	{ "[\"\\u12g4\"]", "not JSON: no hexadecimal digit in an escape at byte 7" },
	{ "[\"a\nb\"]", "not JSON: a control character in a text at byte 4" },
	{ "[\"\xff\"]", "not JSON: invalid UTF-8 at byte 3" },
	{ "[\"\xc0\x80\"]", "not JSON: invalid UTF-8 at byte 3" },
	{ "[\"\xed\xa0\x80\"]", "not JSON: invalid UTF-8 at byte 4" },
	{ "[\"\xe4\xb8\"]", "not JSON: invalid UTF-8 at byte 5" },
	{ "{\"skip\": \"\xff\"}", "not JSON: invalid UTF-8 at byte 11" },
	{ "{\"raw\": [1,]}", "not JSON: no value at byte 12" },
	{ "{} {}", "not JSON: text behind the end at byte 4" },
	{ "{\"a\": [\"stop\"]}", "stopped at depth 2" },
};

static void
check_text(const struct text_case *c, bool many)
{
	size_t len = strlen(c->text);
	size_t wrong = 0;

	for (size_t a = 0; a <= len; a++)
		for (size_t b = a; b <= len; b++) {
			struct buf got = { 0 };

			scan_in_three(c->text, len, a, b, many, &got);
			if (strcmp(buf_text(&got), c->want) != 0 && !wrong++)
				is_str(buf_text(&got), c->want, "%s, cut at %zu and %zu", c->text, a, b);
			buf_release(&got);
		}
	is_int((int64_t)wrong, 0, "however it is cut: %s", c->text);
}

static void
test_depth(void)
{
	struct buf text = { 0 }, got = { 0 };

	buf_repeat(&text, '[', JSON_SCAN_DEPTH_MAX);
	buf_repeat(&text, ']', JSON_SCAN_DEPTH_MAX);
	scan_in_three(text.data, text.len, 100, 300, false, &got);
	is_int((int64_t)got.len, 4 * JSON_SCAN_DEPTH_MAX, "the deepest nesting");
	buf_clear(&text);
	buf_clear(&got);
	buf_puts(&text, "{\"skip\":");
	buf_repeat(&text, '[', JSON_SCAN_DEPTH_MAX);
	scan_in_three(text.data, text.len, 100, 200, false, &got);
	is_str(buf_text(&got), "not JSON: nesting is too deep at byte 264", "one more, though nobody wants it");
	buf_release(&text);
	buf_release(&got);
}

static void
test_tree(void)
{
	static const struct text_case cases[] = {
		{ "{\"a\":[1,2.5,{\"b\":null}],\"c\":\"x\",\"d\":{},\"e\":[]}", NULL },
		{ "[9223372036854775807,-9223372036854775808,9223372036854775808]",
		  "[9223372036854775807,-9223372036854775808,9.223372036854776e+18]" },
		{ "{\"a\":1,\"b\":2,\"a\":3}", "not a value: the key `a` stands twice" },
		{ "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9,\"j\":1,\"k\":2,\"l\":3,\"m\":4,\"n\":5,\"o\":6,"
		  "\"p\":7,\"q\":8,\"b\":0}", "not a value: the key `b` stands twice" },
		{ "[1e999]", "not a value: the number `1e999` is out of range" },
		{ "17", NULL },
		{ "[", "not JSON: the text ends at byte 1, before the value does" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena *arena = arena_new();
		struct buf got = { 0 };
		struct error err;
		const struct value *value = json_tree_read(arena, cases[i].text, strlen(cases[i].text), &err);

		if (value)
			value_write_json(&got, value);
		is_str(value ? buf_text(&got) : err.text, cases[i].want ? cases[i].want : cases[i].text, "as a value: %s", cases[i].text);
		buf_release(&got);
		arena_free(arena);
	}
}

int
main(void)
{
	static const struct text_case many = { "{\"a\":1}\n{\"raw\":[2]}\n", " { k:a n:1 } { k:raw r:[2] }" };
	static const struct text_case half = { "{\"a\":1}\n{\"raw\"", "not JSON: the text ends at byte 14, before the value does" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		check_text(&texts[i], false);
	check_text(&many, true);
	check_text(&half, true);
	test_depth();
	test_tree();
	return done_testing();
}
