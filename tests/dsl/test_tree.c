/* Trees as golden text. A case's parts: `program`, `run` (words for graph_run_from; none: no run), `tree`, `ascii`, `colour`
 * (with ESC written as `^`). */
#include "config.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "dsl/tree.h"
#include "tests/cases.h"
#include "tests/dsl/graph_plan.h"
#include "tests/tap.h"

static void
check(struct case_file *file, struct test_case *test, const struct graph *graph, const char *part, unsigned flags)
{
	struct buf buf = { 0 };

	if (!case_text(test, part))
		return;
	tree_write(&buf, graph, flags);
	for (size_t i = 0; i < buf.len; i++)
		buf.data[i] = buf.data[i] == '\033' ? '^' : buf.data[i];
	case_is(file, test, part, buf_text(&buf), buf.len);
	buf_release(&buf);
}

static void
run_case(struct case_file *file, struct test_case *test)
{
	struct arena *arena = arena_new();
	const char *program = case_text(test, "program"), *words = case_text(test, "run");
	struct plan *plan = graph_plan(program, strlen(program));
	char *line = words ? arena_strndup(arena, words, strcspn(words, "\n")) : NULL;
	struct graph *graph = graph_new(arena, plan, line ? graph_run_from(arena, plan, line) : NULL);

	check(file, test, graph, "tree", 0);
	check(file, test, graph, "ascii", TREE_ASCII);
	check(file, test, graph, "colour", TREE_COLOUR);
	plan_unref(plan);
	arena_free(arena);
}

/* Names that no program can have, but a plan from elsewhere might. */
static void
test_hostile(void)
{
	static const char program[] = "component a() -> (x: String) { script sh \"\"\"true\"\"\" }\npipeline p() {\n one = a()\n two = a() after one\n}\n";
	struct arena *arena = arena_new();
	struct plan *plan = graph_plan(program, sizeof program - 1);
	struct graph *graph = graph_new(arena, plan, NULL);
	struct buf buf = { 0 };

	graph->nodes[1].label = "\033[31mred\033[0m\nnext line \xE2\x80\xAEturned\xFF";
	graph->nodes[2].label = "n";
	tree_write(&buf, graph, 0);
	ok(!strchr(buf_text(&buf), '\033'), "no escape of a name reaches the terminal");
	contains(buf_text(&buf), "\xEF\xBF\xBD[31mred", "it shows as U+FFFD");
	ok(!strstr(buf_text(&buf), "\xE2\x80\xAE"), "nothing turns the text");
	ok(utf8_valid(buf_text(&buf), buf.len), "the text is valid UTF-8");
	buf_release(&buf);
	plan_unref(plan);
	arena_free(arena);
}

static void
test_many(void)
{
	struct arena *arena = arena_new();
	struct buf program = { 0 }, buf = { 0 };
	struct plan *plan;

	buf_puts(&program, "component a() -> (x: String) { script sh \"\"\"true\"\"\" }\npipeline p() {\n");
	for (int i = 0; i < TREE_STEPS_MAX + 25; i++)
		buf_printf(&program, "s%d = a()\n", i);
	buf_puts(&program, "}\n");
	plan = graph_plan(buf_text(&program), program.len);
	tree_write(&buf, graph_new(arena, plan, NULL), TREE_ASCII);
	contains(buf_text(&buf), "... and 25 more steps\n", "a long tree is cut");
	buf_release(&buf);
	buf_release(&program);
	plan_unref(plan);
	arena_free(arena);
}

int
main(void)
{
	struct case_file file;

	cases_open(&file, "tests/dsl/tree.cases");
	for (size_t i = 0; i < file.n_cases; i++)
		run_case(&file, &file.cases[i]);
	cases_close(&file);
	test_hostile();
	test_many();
	return done_testing();
}
