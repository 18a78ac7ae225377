#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "dsl/parse.h"
#include "tests/cases.h"
#include "tests/dsl/ast_dump.h"
#include "tests/tap.h"

static bool
is_bound(void *context, const char *word)
{
	return !strcmp(word, context);
}

/* A case may name one word as bound by another cell. */
static void
run_case(struct case_file *file, struct test_case *test)
{
	const char *program = case_text(test, "program"), *bound = case_text(test, "bound");
	CLEANUP(freep) char *word = xstrndup(bound ? bound : "", bound ? strcspn(bound, "\n") : 0);
	struct parse_options options = { bound ? is_bound : NULL, word };
	struct source *source = source_new("In[3]", program, strlen(program));
	struct diags diags;
	struct unit *unit;
	struct buf tree = { 0 }, problems = { 0 };

	diags_init(&diags);
	unit = parse(source, &options, &diags);
	diags_sort(&diags);
	ast_dump(&tree, unit);
	diags_write_text(&problems, &diags, NULL);
	if (case_text(test, "tree") || !problems.len)
		case_is(file, test, "tree", buf_text(&tree), tree.len);
	case_is(file, test, "problems", buf_text(&problems), problems.len);
	buf_release(&tree);
	buf_release(&problems);
	unit_unref(unit);
	diags_release(&diags);
	source_unref(source);
}

static void
run_file(const char *name)
{
	struct case_file file;

	cases_open(&file, name);
	for (size_t i = 0; i < file.n_cases; i++)
		run_case(&file, &file.cases[i]);
	cases_close(&file);
}

/* Texts that data files cannot hold or show well. */
struct bytes_case {
	const char *name;
	const char *text;
	size_t len;
	const char *problem; /* what the first line of the problems holds; NULL: none is reported */
};

#define TEXT(literal) literal, sizeof(literal) - 1

static const struct bytes_case BYTES[] = {
	{ "the empty text", TEXT(""), NULL },
	{ "blanks only", TEXT(" \t\r\n\n"), NULL },
	{ "a byte order mark and CRLF", TEXT("\xEF\xBB\xBF" "a = 1\r\nb = 2\r\n"), NULL },
	{ "invalid UTF-8 between words", TEXT("a = \xFF\xFE 1\n"), "error[L0105]: this is not UTF-8 text: byte 0xFF" },
	{ "invalid UTF-8 in a string", TEXT("a = \"x\xC3\"\n"), "error[L0105]: this is not UTF-8 text: byte 0xC3" },
	{ "invalid UTF-8 in a comment", TEXT("a = 1 # \xC0\x80\n"), "error[L0105]: this is not UTF-8 text: byte 0xC0" },
	{ "NUL between words", TEXT("a = 1\0 2\n"), "error[L0106]: the control character U+0000" },
	{ "NUL in a string", TEXT("a = \"x\0y\"\n"), "error[L0106]: a NUL character in a string" },
	{ "NUL in a raw block", TEXT("a = \"\"\"x\0y\"\"\"\n"), "error[L0106]: a NUL character in a raw block" },
	{ "NUL in a shell line", TEXT("!ls \0\n"), "error[L0106]: a NUL character in a line" },
	{ "a lone carriage return", TEXT("a = 1\rb = 2\n"), "error[L0106]: the control character U+000D" },
	{ "an escape character in a string", TEXT("a = \"\033[31m\"\n"), "error[L0106]: the control character U+001B in a string" },
	{ "bidi control between words", TEXT("a = \xE2\x80\xAE" "1\n"), "error[L0107]: the invisible character U+202E" },
	{ "bidi control in a string", TEXT("a = \"\xE2\x80\xAE\"\n"), "warning[L0108]: a string holds the invisible character U+202E" },
	{ "bidi control in a comment", TEXT("# \xE2\x81\xA6\n"), "warning[L0108]: a comment holds the invisible character U+2066" },
	{ "bidi control in a name", TEXT("`a\xE2\x80\x8F` = 1\n"), "warning[L0108]: a name holds the invisible character U+200F" },
	{ "the largest Integer", TEXT("a = 9223372036854775807\n"), NULL },
	{ "one more", TEXT("a = 9223372036854775808\n"), "error[L0110]: this number is too large for an Integer" },
	{ "the largest Float and one more digit", TEXT("a = 1e309\n"), "error[L0110]: this number is too large for a Float" },
	{ "the end in a string", TEXT("a = \"x"), "error[L0101]: this string is never closed" },
	{ "the end behind a backslash", TEXT("a = \"x\\"), "error[L0101]: this string is never closed" },
	{ "the end in a raw block", TEXT("a = \"\"\"x\"\""), "error[L0102]: this raw block is never closed" },
	{ "the end in a name", TEXT("`a"), "error[L0124]: this backtick is never closed" },
	{ "an empty name", TEXT("`` = 1"), "error[L0124]: a name cannot be empty" },
};

static void
test_bytes(void)
{
	for (size_t i = 0; i < ARRAY_LEN(BYTES); i++) {
		const struct bytes_case *c = &BYTES[i];
		struct source *source = source_new("In[3]", c->text, c->len);
		struct buf problems = { 0 };
		struct diags diags;
		struct unit *unit;

		diags_init(&diags);
		unit = parse(source, NULL, &diags);
		diags_write_text(&problems, &diags, NULL);
		if (c->problem) {
			contains(buf_text(&problems), c->problem, "%s", c->name);
			is_int((int64_t)(diags.n_errors + diags.n_warnings), 1, "%s: one problem", c->name);
		} else {
			is_str(buf_text(&problems), "", "%s", c->name);
		}
		buf_release(&problems);
		unit_unref(unit);
		diags_release(&diags);
		source_unref(source);
	}
}

/* Nesting: text before, what is repeated, text in the middle, what is repeated behind. */
struct nesting {
	const char *name, *before, *open, *middle, *close;
	int deep; /* so many are fine */
};

static const struct nesting NESTINGS[] = {
	{ "parentheses", "a = ", "(", "1", ")", 98 },
	{ "lists", "a = ", "[", "1", "]", 98 },
	{ "dicts", "a = ", "{a: ", "1", "}", 98 },
	{ "not", "a = ", "not ", "b", "", 98 },
	{ "minus", "a = ", "- ", "b", "", 98 },
	{ "??", "a = ", "b ?? ", "c", "", 98 },
	{ "members", "a = b", ".c", "", "", 98 },
	{ "sums", "a = b", " + c", "", "", 98 },
	{ "indexes", "a = ", "b[", "1", "]", 98 },
	{ "blocks", "pipeline p() {\n", "if true {\n", "x = 1\n", "}\n", 97 },
};

static size_t
errors_at(const struct nesting *n, int depth, bool ends_block)
{
	struct buf text = { 0 };
	struct source *source;
	struct diags diags;
	size_t errors;

	buf_puts(&text, n->before);
	for (int i = 0; i < depth; i++)
		buf_puts(&text, n->open);
	buf_puts(&text, n->middle);
	for (int i = 0; i < depth; i++)
		buf_puts(&text, n->close);
	buf_puts(&text, ends_block ? "}\n" : "\n");
	source = source_new("In[3]", text.data, text.len);
	diags_init(&diags);
	unit_unref(parse(source, NULL, &diags));
	errors = diags.n_errors;
	diags_release(&diags);
	source_unref(source);
	buf_release(&text);
	return errors;
}

static void
test_nesting(void)
{
	for (size_t i = 0; i < ARRAY_LEN(NESTINGS); i++) {
		const struct nesting *n = &NESTINGS[i];
		bool block = strstr(n->before, "pipeline");

		is_int((int64_t)errors_at(n, n->deep, block), 0, "%s, %d deep", n->name, n->deep);
		is_int((int64_t)errors_at(n, AST_DEPTH_MAX + 1, block), 1, "%s, too deep: one problem", n->name);
		is_int((int64_t)errors_at(n, 100 * 1000, block), 1, "%s, a hundred thousand: one problem", n->name);
	}
}

static void
test_length(void)
{
	size_t len = SOURCE_MAX + 1;
	char *text = xmalloc(len);
	struct source *source;
	struct diags diags;
	struct unit *unit;

	memset(text, ' ', len);
	source = source_new("In[3]", text, len);
	diags_init(&diags);
	unit = parse(source, NULL, &diags);
	is_int((int64_t)diags.n_errors, 1, "a text past the ceiling is one problem");
	is_int((int64_t)unit->n_stmts, 0, "and has no statements");
	unit_unref(unit);
	diags_release(&diags);
	source_unref(source);
	free(text);
}

int
main(void)
{
	run_file("tests/dsl/cases/parse.cases");
	run_file("tests/dsl/cases/parse_errors.cases");
	test_bytes();
	test_nesting();
	test_length();
	return done_testing();
}
