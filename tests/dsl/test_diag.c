#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/value.h"
#include "dsl/diag.h"
#include "tests/tap.h"

/* The place of the first `part` in the source. */
static struct span
at(struct source *source, const char *part)
{
	const char *found = strstr(source->text, part);
	uint32_t start = found ? (uint32_t)(found - source->text) : 0;

	return (struct span){ source, start, start + (uint32_t)strlen(part) };
}

static struct source *
source_of(const char *name, const char *text)
{
	return source_new(name, text, strlen(text));
}

static void
text_is(struct diags *diags, const char *want, const char *name)
{
	struct buf buf = { 0 };

	diags_write_text(&buf, diags, NULL);
	is_str(buf_text(&buf), want, "%s", name);
	buf_release(&buf);
}

/* ---- text ---- */

struct line_case {
	const char *name, *line, *part, *want; /* the two lines that are shown */
};

static const struct line_case LINES[] = {
	{ "plain", "ab cd", "cd", "1 | ab cd\n  |    ^^\n" },
	{ "\xC3\xA9", "\xC3\xA9\xC3\xA9 cd", "cd", "1 | \xC3\xA9\xC3\xA9 cd\n  |    ^^\n" },
	{ "a tab", "\ta\tcd", "cd", "1 |     a   cd\n  |         ^^\n" },
	{ "a tab that is marked", "a\tb", "\t", "1 | a   b\n  |  ^^^\n" },
	{ "CJK", "\xE6\x97\xA5\xE6\x9C\xAC cd", "cd", "1 | \xE6\x97\xA5\xE6\x9C\xAC cd\n  |      ^^\n" },
	{ "CJK that is marked", "a\xE6\x97\xA5\xE6\x9C\xAC", "\xE6\x97\xA5\xE6\x9C\xAC", "1 | a\xE6\x97\xA5\xE6\x9C\xAC\n  |  ^^^^\n" },
	{ "an emoji", "\xF0\x9F\x98\x80 cd", "cd", "1 | \xF0\x9F\x98\x80 cd\n  |    ^^\n" },
	{ "a combining mark", "e\xCC\x81 cd", "cd", "1 | e\xCC\x81 cd\n  |   ^^\n" },
	{ "Hebrew", "\xD7\xA9\xD7\x9C cd", "cd", "1 | \xD7\xA9\xD7\x9C cd\n  |    ^^\n" },
	{ "a direction override", "\xE2\x80\xAE cd", "cd", "1 | <U+202E> cd\n  |          ^^\n" },
	{ "an escape character", "\033[2J cd", "cd", "1 | <U+001B>[2J cd\n  |             ^^\n" },
	{ "an invalid byte", "\xFF cd", "cd", "1 | \xEF\xBF\xBD cd\n  |   ^^\n" },
	{ "nothing wide", "ab", "", "1 | ab\n  | ^\n" },
};

static void
test_lines(void)
{
	for (size_t i = 0; i < ARRAY_LEN(LINES); i++) {
		struct source *source = source_of("-", LINES[i].line);
		struct diags diags;
		struct buf buf = { 0 };
		const char *shown;

		diags_init(&diags);
		diags_add(&diags, DIAG_L0100, at(source, LINES[i].part), "x");
		diags_write_text(&buf, &diags, NULL);
		shown = strstr(buf_text(&buf), "  |\n");
		is_str(shown ? shown + 4 : "", LINES[i].want, "%s", LINES[i].name);
		buf_release(&buf);
		diags_release(&diags);
		source_unref(source);
	}
}

static void
test_whole(void)
{
	struct source *source = source_of("In[3]", "pipeline p() {\n    a = f()\n\n\n    b = g(a)\n    c = h(b) after trian\n}\n");
	struct source *other = source_of("x.yaml", "inputs:\n- {name: a}\n");
	struct diags diags;
	struct diag *diag;

	diags_init(&diags);
	diag = diags_add(&diags, DIAG_L0100, at(source, "trian"), "no step named `%s`", "trian");
	diag_primary(&diags, diag, "not declared in this pipeline");
	diag_label(&diags, diag, at(source, "a = f()"), "a step");
	diag_label(&diags, diag, at(source, "g(a)"), "%s", "");
	diag_label(&diags, diag, at(other, "name: a"), "declared here");
	diag_note(&diags, diag, "one line\nand another");
	diag_near(&diags, diag, "step", at(source, "trian"), "trian", (const char *const[]){ "a", "train", "b" }, 3);
	diags_add(&diags, DIAG_L0108, (struct span){ 0 }, "nowhere");
	text_is(&diags,
		"error[L0100]: no step named `trian`\n"
		" --> In[3]:6:20\n"
		"  |\n"
		"2 |     a = f()\n"
		"  |     ------- a step\n"
		"...\n"
		"5 |     b = g(a)\n"
		"  |         ----\n"
		"6 |     c = h(b) after trian\n"
		"  |                    ^^^^^ not declared in this pipeline\n"
		" ::: x.yaml:2:4\n"
		"  |\n"
		"2 | - {name: a}\n"
		"  |    ------- declared here\n"
		"  = note: one line\n"
		"          and another\n"
		"  = help: a step with a similar name exists: `train`\n"
		"\n"
		"warning[L0108]: nowhere\n",
		"labels before and in another text, a note of two lines, a near name");
	is_int((int64_t)diags.n_errors, 1, "errors are counted");
	is_int((int64_t)diags.n_warnings, 1, "and warnings");
	diags_release(&diags);
	source_unref(source);
	source_unref(other);
}

static void
test_several_lines(void)
{
	struct source *source = source_of("-", "a = f(\n    b,\n    c)\nd\n");
	struct diags diags;
	struct diag *diag;

	diags_init(&diags);
	diag = diags_add(&diags, DIAG_L0100, at(source, "f(\n    b,\n    c)"), "too long");
	diag_primary(&diags, diag, "this");
	diag_fix(&diags, diag, at(source, "b"), FIX_LIKELY, "e");
	text_is(&diags,
		"error[L0100]: too long\n --> -:1:5\n  |\n1 | a = f(\n  |     ^^\n2 |     b,\n3 |     c)\n  |     ^^ this\n"
		"  = help: write `e`\n",
		"a span of several lines");
	diags_release(&diags);
	source_unref(source);
}

static void
test_long_line(void)
{
	size_t len = 100 * 1000;
	char *text = xmalloc(len + 1);
	struct source *source;
	struct diags diags;
	struct buf buf = { 0 };

	memset(text, 'x', len);
	text[50000] = 'Y';
	text[len] = '\0';
	source = source_new("-", text, len);
	diags_init(&diags);
	diags_add(&diags, DIAG_L0100, at(source, "Y"), "far");
	diags_write_text(&buf, &diags, NULL);
	ok(buf.len < 1000, "a line of 100,000 characters is shown in part");
	contains(buf_text(&buf), "-:1:50001", "with the right column");
	contains(buf_text(&buf), "xY", "around the place");
	buf_clear(&buf);
	diags_write_html(&buf, &diags);
	ok(buf.len < 10000, "and so it is in HTML");
	buf_release(&buf);
	diags_release(&diags);
	source_unref(source);
	free(text);
}

static void
test_colour(void)
{
	struct source *source = source_of("-", "ab");
	struct diags diags;
	struct buf buf = { 0 };

	diags_init(&diags);
	diags_add(&diags, DIAG_L0100, at(source, "b"), "x");
	diags_write_text(&buf, &diags, &(struct diag_style){ .colour = true });
	contains(buf_text(&buf), "\033[1;38;5;196merror[L0100]\033[0m", "colours are ANSI, of the fixed palette: the named red was dark on JupyterLab's dark red");
	contains(buf_text(&buf), "\033[1;38;5;196m^\033[0m", "under the place too");
	buf_release(&buf);
	diags_release(&diags);
	source_unref(source);
}

/* ---- HTML, JSON ---- */

static void
test_html(void)
{
	struct source *source = source_of("<b>", "x <script>\xE2\x80\xAE" "y & \"z\"");
	struct diags diags;
	struct buf buf = { 0 };
	struct diag *diag;

	diags_init(&diags);
	diag = diags_add(&diags, DIAG_L0100, at(source, "<script>"), "no `<script>` and an odd ` here");
	diag_help(&diags, diag, "write `\xD7\xA9<i>`");
	diags_write_html(&buf, &diags);
	ok(!strstr(buf_text(&buf), "<script>") && !strstr(buf_text(&buf), "<i>") && !strstr(buf_text(&buf), "<b>:"),
	   "the user's text is escaped");
	ok(!strstr(buf_text(&buf), "\xE2\x80\xAE"), "what turns the direction of text is not in it");
	contains(buf_text(&buf), "&lt;U+202E&gt;y &amp; &quot;z&quot;", "but is named");
	contains(buf_text(&buf), "<code><bdi>&lt;script&gt;</bdi></code>", "words in backticks are isolated code");
	contains(buf_text(&buf), "an odd ` here", "a lone backtick stays");
	contains(buf_text(&buf), "<bdi>&lt;b&gt;</bdi>:1:3", "the place is named");
	buf_release(&buf);
	diags_release(&diags);
	source_unref(source);
}

static void
test_json(void)
{
	struct source *source = source_of("f.lateen", "\xC3\xA9\xF0\x9F\x98\x80 b\nc");
	struct arena *arena = arena_new();
	struct diags diags;
	struct buf buf = { 0 };
	struct diag *diag;
	struct error err;

	diags_init(&diags);
	diag = diags_add(&diags, DIAG_L0100, at(source, "b"), "a \"b\"");
	diag_primary(&diags, diag, "here");
	diag_label(&diags, diag, at(source, "c"), "there");
	diag_note(&diags, diag, "n");
	diag_help(&diags, diag, "h");
	diag_fix(&diags, diag, at(source, "b"), FIX_CERTAIN, "d");
	diags_write_json(&buf, &diags);
	is_str(buf_text(&buf),
		"[{\"code\":\"L0100\",\"severity\":\"error\",\"message\":\"a \\\"b\\\"\",\"file\":\"f.lateen\","
		"\"start\":{\"line\":1,\"column\":4},\"end\":{\"line\":1,\"column\":5},\"labels\":["
		"{\"start\":{\"line\":1,\"column\":4},\"end\":{\"line\":1,\"column\":5},\"text\":\"here\"},"
		"{\"start\":{\"line\":2,\"column\":1},\"end\":{\"line\":2,\"column\":2},\"text\":\"there\"}],"
		"\"notes\":[\"n\"],\"helps\":[\"h\"],\"fixes\":[{\"start\":{\"line\":1,\"column\":4},"
		"\"end\":{\"line\":1,\"column\":5},\"replacement\":\"d\",\"certainty\":\"certain\"}]}]\n",
		"columns are code points");
	ok(value_read_json(arena, buf.data, buf.len, &err) != NULL, "it is JSON");
	buf_release(&buf);
	diags_release(&diags);
	arena_free(arena);
	source_unref(source);
}

/* ---- near names ---- */

struct near_case {
	const char *word;
	const char *candidates[6];
	const char *help; /* NULL: none */
};

static const struct near_case NEARS[] = {
	{ "trian", { "train", "brain", "serve" }, "a step with a similar name exists: `train`" },
	{ "TRAIN", { "train" }, "a step with a similar name exists: `train`" },
	{ "train", { "train" }, NULL },
	{ "tain", { "train", "tin", "main", "gain", "rain", "pain" }, "steps with similar names exist: `train`, `tin`, `main`, `gain`" },
	{ "ab", { "ac", "xy", "abcdef" }, "a step with a similar name exists: `ac`" },
	{ "a", { "b", "c" }, NULL },
	{ "x", { "X" }, "a step with a similar name exists: `X`" },
	{ "evaluate", { "evaluat", "evalaute", "serve" }, "steps with similar names exist: `evaluat`, `evalaute`" },
	{ "copydata", { "serve", "train" }, NULL },
	{ "train_outpt", { "train_output_path", "launch_server" }, "a step with a similar name exists: `train_output_path`" },
	{ "", { "a" }, NULL },
};

static void
test_near(void)
{
	for (size_t i = 0; i < ARRAY_LEN(NEARS); i++) {
		struct diags diags;
		struct diag *diag;

		diags_init(&diags);
		diag = diags_add(&diags, DIAG_L0100, (struct span){ 0 }, "x");
		diag_near(&diags, diag, "step", (struct span){ 0 }, NEARS[i].word, NEARS[i].candidates, 6);
		is_str(diag->n_helps ? diag->helps[0] : NULL, NEARS[i].help, "near `%s`", NEARS[i].word);
		diags_release(&diags);
	}
}

/* ---- the list ---- */

static void
test_ceiling(void)
{
	struct source *source = source_of("-", "ab");
	struct diags diags;
	struct buf buf = { 0 };

	diags_init(&diags);
	for (int i = 0; i < DIAGS_MAX + 5; i++) {
		struct diag *diag = diags_add(&diags, i % 2 ? DIAG_L0108 : DIAG_L0100, at(source, "b"), "%d", i);

		diag_help(&diags, diag, "h%d", i);
		diag_label(&diags, diag, at(source, "a"), "l");
		diag_note(&diags, diag, "n");
		diag_primary(&diags, diag, "p");
		diag_fix(&diags, diag, at(source, "a"), FIX_LIKELY, "f");
	}
	is_int((int64_t)diags.n, DIAGS_MAX, "so many are kept");
	is_int((int64_t)(diags.n_errors + diags.n_warnings), DIAGS_MAX + 5, "and all are counted");
	diags_write_text(&buf, &diags, NULL);
	contains(buf_text(&buf), "\n5 more problems are not shown\n", "and the rest is told");
	buf_release(&buf);
	diags_release(&diags);
	source_unref(source);
}

static void
test_sort(void)
{
	struct source *source = source_of("-", "a b c");
	struct diags diags;
	struct buf order = { 0 };

	diags_init(&diags);
	diags_add(&diags, DIAG_L0100, at(source, "c"), "3");
	diags_add(&diags, DIAG_L0100, at(source, "b"), "2");
	diags_add(&diags, DIAG_L0100, at(source, "c"), "4");
	diags_add(&diags, DIAG_L0100, at(source, "a"), "1");
	diags_add(&diags, DIAG_L0100, (struct span){ 0 }, "0");
	diags_sort(&diags);
	for (size_t i = 0; i < diags.n; i++)
		buf_puts(&order, diags.items[i]->message);
	is_str(buf_text(&order), "01234", "by place, then as they came");
	buf_release(&order);
	diags_release(&diags);
	source_unref(source);
}

static void
test_table(void)
{
	ok(diag_info_by_name("l0100") == diag_info(DIAG_L0100), "codes are found in any case");
	ok(!diag_info_by_name("L9999"), "and only those that there are");
	for (int i = 0; i < DIAG_CODE_MAX; i++) {
		const struct diag_info *info = diag_info((enum diag_code)i);

		ok(strlen(info->code) == 5 && info->code[0] == 'L' && strspn(info->code + 1, "0123456789") == 4, "%s is a code",
		   info->code);
		ok(strlen(info->title) > 5 && strlen(info->explanation) > 40, "%s is explained", info->code);
		ok(i == 0 || strcmp(diag_info((enum diag_code)(i - 1))->code, info->code) < 0, "%s stands in order", info->code);
	}
}

int
main(void)
{
	test_lines();
	test_whole();
	test_several_lines();
	test_long_line();
	test_colour();
	test_html();
	test_json();
	test_near();
	test_ceiling();
	test_sort();
	test_table();
	return done_testing();
}
