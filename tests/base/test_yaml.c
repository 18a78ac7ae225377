/* YAML texts and what is read of them, as JSON, or the problem and its place (tests/base/yaml.cases). */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/yaml.h"
#include "tests/cases.h"
#include "tests/tap.h"

static void
write_problem(struct buf *buf, const struct yaml_problem *problem)
{
	struct place start = source_place(problem->span.source, problem->span.start);
	struct place other;

	buf_printf(buf, "%u:%u: %s\n", start.line, start.column, problem->error.text);
	if (!problem->other.source)
		return;
	other = source_place(problem->other.source, problem->other.start);
	buf_printf(buf, "%u:%u: first\n", other.line, other.column);
}

static void
read_text(struct buf *ret, const char *text, size_t len)
{
	struct arena *arena = arena_new();
	struct source *source = source_new("x.yaml", text, len);
	struct yaml yaml;
	struct yaml_problem problem;

	if (yaml_read(arena, source, &yaml, &problem)) {
		write_problem(ret, &problem);
	} else {
		for (size_t i = 0; i < yaml.n; i++) {
			value_write_json(ret, yaml.documents[i]->value);
			buf_putc(ret, '\n');
		}
		if (!yaml.n)
			buf_puts(ret, "nothing\n");
	}
	source_unref(source);
	arena_free(arena);
}

static void
check_cases(void)
{
	struct case_file file;

	cases_open(&file, "tests/base/yaml.cases");
	for (size_t i = 0; i < file.n_cases; i++) {
		CLEANUP(buf_release) struct buf got = { 0 };
		const char *text = case_text(&file.cases[i], "yaml");

		read_text(&got, text, strlen(text));
		case_is(&file, &file.cases[i], "expected", got.data, got.len);
	}
	cases_close(&file);
}

/* What cannot stand in a file of cases. */
static void
check_bytes(void)
{
	static const struct {
		const char *name, *text;
		size_t len;
		const char *want;
	} cases[] = {
		{ "a byte order mark", "\xEF\xBB\xBF" "a: 1", 7, "{\"a\":1}\n" },
		{ "CRLF", "a: 1\r\nb:\r\n- x\r\n", 15, "{\"a\":1,\"b\":[\"x\"]}\n" },
		{ "not UTF-8", "a: \xFF", 4, "1:4: the text is not UTF-8\n" },
		{ "UTF-16", "\xFF\xFE" "a\0", 4, "1:1: the text is not UTF-8\n" },
		{ "a NUL byte", "a: \0b", 5, "1:4: control characters are not allowed\n" },
		{ "a control character", "a: b\nc: \x01", 9, "2:4: control characters are not allowed\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(buf_release) struct buf got = { 0 };

		read_text(&got, cases[i].text, cases[i].len);
		is_str(buf_text(&got), cases[i].want, "%s", cases[i].name);
	}
}

static void
repeat(struct buf *buf, const char *text, int count)
{
	for (int i = 0; i < count; i++)
		buf_puts(buf, text);
}

/* Texts that are large, or would be. */
static void
check_ceilings(void)
{
	CLEANUP(buf_release) struct buf deep = { 0 }, allowed = { 0 }, wide = { 0 }, bomb = { 0 }, merges = { 0 }, texts = { 0 };
	CLEANUP(buf_release) struct buf got = { 0 };

	repeat(&deep, "[", 5000);
	read_text(&got, deep.data, deep.len);
	is_str(buf_text(&got), "1:101: lists and maps nest deeper than 100 levels\n", "deep");

	repeat(&allowed, "[", 100);
	repeat(&allowed, "]", 100);
	buf_clear(&got);
	read_text(&got, allowed.data, allowed.len);
	is_mem(got.data, got.len - 1, allowed.data, allowed.len, "as deep as allowed");

	repeat(&wide, "- a\n", 250001);
	buf_clear(&got);
	read_text(&got, wide.data, wide.len);
	contains(buf_text(&got), "more than 250000 nodes", "wide");

	buf_puts(&bomb, "a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 12; i++)
		buf_printf(&bomb, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1, i - 1, i - 1, i - 1, i - 1,
			i - 1, i - 1);
	buf_clear(&got);
	read_text(&got, bomb.data, bomb.len);
	contains(buf_text(&got), "more than 250000 nodes", "a bomb of aliases");

	buf_puts(&merges, "a0: &a0 {k0: 1, l0: 1}\n");
	for (int i = 1; i < 3000; i++)
		buf_printf(&merges, "a%d: &a%d {<<: *a%d, k%d: 1, l%d: 2}\n", i, i, i - 1, i, i);
	buf_clear(&got);
	read_text(&got, merges.data, merges.len);
	contains(buf_text(&got), "more than 250000 nodes", "a bomb of merges");

	buf_puts(&texts, "a: &a ");
	repeat(&texts, "0123456789", 100000);
	buf_puts(&texts, "\nb:\n");
	repeat(&texts, "- *a\n", 40);
	buf_clear(&got);
	read_text(&got, texts.data, texts.len);
	contains(buf_text(&got), "longer than 32 MiB", "a bomb of text");
}

static void
check_spans(void)
{
	static const char text[] = "# é\nnamé: {été: 'a b',   c: [1, \"日本\"] }\nlast:\n- x\n\n# end\n";
	struct arena *arena = arena_new();
	struct source *source = source_new("x.yaml", text, sizeof text - 1);
	struct yaml yaml;
	struct yaml_problem problem;
	const struct yaml_node *node, *list;

	if (!is_int(yaml_read(arena, source, &yaml, &problem), 0, "the text is read"))
		return;
	node = yaml_get(yaml.documents[0], "namé");
	is_mem(text + node->span.start, node->span.end - node->span.start, text + 12, 35, "a map's place");
	list = yaml_get(node, "c");
	is_mem(text + list->items[1]->span.start, list->items[1]->span.end - list->items[1]->span.start, "\"日本\"", 8,
		"a text's place");
	is_mem(text + node->keys[0].start, node->keys[0].end - node->keys[0].start, "été", 5, "a key's place");
	ok(list->items[0]->plain && !list->items[1]->plain, "plain or quoted");
	node = yaml_get(yaml.documents[0], "last");
	is_mem(text + node->span.start, node->span.end - node->span.start, "- x", 3, "a block's place ends with its text");
	ok(!yaml_get(node, "x") && !yaml_get(NULL, "x"), "no item of what is no map");
	source_unref(source);
	arena_free(arena);
}

int
main(void)
{
	check_cases();
	check_bytes();
	check_ceilings();
	check_spans();
	return done_testing();
}
