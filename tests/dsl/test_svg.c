/* What the SVG promises for any text: nothing of it is markup, nothing turns direction, all of it is there in words. That it is
 * well-formed is for svg_wellformed.py, which has a parser. */
#include "config.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "dsl/bundle.h"
#include "dsl/graph_text.h"
#include "dsl/svg.h"
#include "tests/dsl/graph_plan.h"
#include "tests/tap.h"

static const char program[] =
	"component a(x: String = \"\") -> (out: String, ok: Boolean) { script sh \"\"\"true\"\"\" }\n"
	"pipeline p() {\n"
	"    first = a() with gpu 1\n"
	"    if first.ok { second = a(x: first.out) }\n"
	"    third = a() after first\n"
	"}\n";

#define RLO "\xE2\x80\xAE"
#define REPLACEMENT "\xEF\xBF\xBD"

static const struct {
	const char *name, *text, *shown;
} hostile[] = {
	{ "a tag", "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;" },
	{ "the end of a CDATA section", "]]>", "]]&gt;" },
	{ "an entity", "&lt;&#60;&bogus;", "&amp;lt;&amp;#60;&amp;bogus;" },
	{ "quotes", "\" onload=\"x' y", "&quot; onload=&quot;x&#39; y" },
	{ "control characters", "a\001\033[31m\177z", "a" REPLACEMENT REPLACEMENT "[31m" REPLACEMENT "z" },
	{ "blanks", "a\tb\nc", "a b c" },
	{ "an override of direction", "abc" RLO "def", "abc" REPLACEMENT "def" },
	{ "invalid bytes", "a\xFF\xC3z", "a" REPLACEMENT REPLACEMENT "z" },
	{ "characters that are none", "\xEF\xBF\xBE\xEF\xBF\xBF", REPLACEMENT REPLACEMENT },
	{ "Hebrew", "שלום", "שלום" },
	{ "an emoji with joiners", "👩‍🚀", "👩‍🚀" },
};

static void
test_hostile(void)
{
	struct arena *arena = arena_new();
	struct plan *plan = graph_plan(program, sizeof program - 1);

	for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
		struct graph *graph = graph_new(arena, plan, graph_run_from(arena, plan, "Failed first=Failed/1/1//m"));
		struct buf buf = { 0 }, want = { 0 };

		for (size_t n = 0; n < graph->n_nodes; n++) {
			graph->nodes[n].label = graph->nodes[n].sublabel = hostile[i].text;
			graph->nodes[n].state.message = hostile[i].text;
		}
		svg_write(&buf, graph, svg_layout(arena, graph), SVG_AUTO);
		buf_printf(&want, "<title>%s</title>", hostile[i].shown);
		contains(buf_text(&buf), buf_text(&want), "%s is text", hostile[i].name);
		ok(!strstr(buf_text(&buf), "<script") && !strstr(buf_text(&buf), RLO) && utf8_valid(buf_text(&buf), buf.len),
			"%s does no harm", hostile[i].name);
		buf_release(&buf);
		buf_release(&want);
	}
	plan_unref(plan);
	arena_free(arena);
}

static void
test_words(void)
{
	struct arena *arena = arena_new();
	struct plan *plan = graph_plan(program, sizeof program - 1);
	struct graph *graph = graph_new(arena, plan, NULL);
	struct layout *layout = svg_layout(arena, graph);
	struct buf buf = { 0 }, svg = { 0 }, later = { 0 };

	svg_describe(&buf, graph);
	is_str(buf_text(&buf), "Pipeline p: 3 steps and 1 branch or loop.", "a plan in words");
	buf_clear(&buf);
	svg_write(&svg, graph, layout, SVG_AUTO);
	contains(buf_text(&svg), "role=\"img\"", "the root is a picture");
	contains(buf_text(&svg), "<desc>Pipeline p: 3 steps", "with a description");
	contains(buf_text(&svg), "@media (prefers-color-scheme:dark)", "in light and dark");
	ok(!strstr(buf_text(&svg), "http://") || strstr(buf_text(&svg), "http://") == strstr(buf_text(&svg), "http://www.w3.org/2000/svg"),
		"it refers to nothing outside");
	graph_update(arena, graph, graph_run_from(arena, plan, "Failed/9 first=Succeeded/1 second=Skipped third=Failed/2/1//exit_code_1"));
	svg_describe(&buf, graph);
	is_str(buf_text(&buf),
		"Pipeline p: 3 steps and 1 branch or loop. The run is Failed. Steps: 1 Succeeded, 1 Failed, 1 Skipped. Failed: third (exit code 1).",
		"a run in words");
	svg_write(&later, graph, layout, SVG_DARK);
	contains(buf_text(&later), "#lt-gFailed", "a failed step has its glyph");
	contains(buf_text(&later), "url(#lt-pFailed)", "and its pattern");
	ok(!strstr(buf_text(&later), "@media"), "dark alone asks nobody");
	graph->nodes[1].label = "שלום";
	graph->nodes[1].state.phase = GRAPH_FAILED;
	buf_clear(&buf);
	svg_describe(&buf, graph);
	contains(buf_text(&buf), "\xE2\x81\xA8שלום\xE2\x81\xA9", "what runs from right to left is isolated");
	buf_clear(&later);
	graph_update(arena, graph, graph_run_from(arena, plan, "Running/9 first=Pending////no_GPU"));
	svg_write(&later, graph, layout, SVG_DARK);
	contains(buf_text(&later), ">no GPU</tspan>", "a step that waits says why");
	buf_clear(&later);
	bundle_write_html(&later, graph, layout);
	contains(buf_text(&later), "<details>", "which is enough when it is short");
	buf_clear(&later);
	graph_update(arena, graph, graph_run_from(arena, plan, "Running/9 first=Pending////no_node_has_a_GPU_that_is_free;_ask_for_less,_or_wait"));
	bundle_write_html(&later, graph, layout);
	contains(buf_text(&later), "<details open>", "and in full below the picture, in sight");
	buf_clear(&later);
	graph_update(arena, graph, graph_run_from(arena, plan, "Running/9 first=Running/2/1"));
	bundle_write_html(&later, graph, layout);
	contains(buf_text(&later), "<details>", "as long as one waits");
	buf_release(&buf);
	buf_release(&svg);
	buf_release(&later);
	plan_unref(plan);
	arena_free(arena);
}

static void
test_text(void)
{
	static const struct {
		double seconds;
		const char *want;
	} durations[] = { { 0, "0.0s" }, { 4.24, "4.2s" }, { 9.96, "10s" }, { 59.7, "59s" }, { 60, "1m 0s" }, { 3725, "1h 2m" },
		{ 90000, "1d 1h" }, { -5, "0.0s" }, { 1e300, "11574d 1h" } };
	static const char family[] = "👩‍🚀👩‍🚀👩‍🚀", marks[] = "e\xCC\x81\x65\xCC\x81\x65\xCC\x81\x65\xCC\x81";

	for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
		struct buf buf = { 0 };

		graph_text_duration(&buf, durations[i].seconds);
		is_str(buf_text(&buf), durations[i].want, "%g seconds", durations[i].seconds);
		buf_release(&buf);
	}
	is_int((int64_t)graph_text_fit("short", 5, 100, 13, TEXT_BOLD), 5, "what fits is not cut");
	ok(graph_text_fit("a rather long text", 18, 60, 13, TEXT_PLAIN) < 18, "what does not is");
	is_int((int64_t)(graph_text_fit(family, sizeof family - 1, 50, 13, TEXT_PLAIN) % 11), 0, "joined characters stay together");
	is_int((int64_t)(graph_text_fit(marks, sizeof marks - 1, 30, 13, TEXT_PLAIN) % 3), 0, "marks stay with their letter");
	is_int((int64_t)graph_text_fit("abc", 3, 0, 13, TEXT_PLAIN), 0, "no room, no text");
	ok(graph_text_width("写真", 6, 10, TEXT_PLAIN) >= 20, "wide characters are wide");
}

/* A pipeline of more steps than a picture has room for is drawn without texts, and stays small. */
static void
test_large(void)
{
	struct arena *arena = arena_new();
	struct buf text = { 0 }, svg = { 0 };
	struct graph *graph;
	struct plan *plan;

	buf_puts(&text, "component a(x: String = \"\") -> (out: String) { script sh \"\"\"true\"\"\" }\npipeline p() {\n s0 = a()\n");
	for (int i = 1; i <= SVG_NODES_MAX; i++)
		buf_printf(&text, " s%d = a(x: s%d.out)\n", i, i / 3);
	buf_puts(&text, "}\n");
	plan = graph_plan(buf_text(&text), text.len);
	graph = graph_fold(arena, graph_new(arena, plan, NULL), SVG_NODES_MAX);
	svg_write(&svg, graph, svg_layout(arena, graph), SVG_AUTO);
	ok(!strstr(buf_text(&svg), "lt-box\" x") && svg.len < 100 * SVG_NODES_MAX, "%d steps in %zu bytes", SVG_NODES_MAX + 1, svg.len);
	buf_release(&text);
	buf_release(&svg);
	plan_unref(plan);
	arena_free(arena);
}

int
main(void)
{
	test_hostile();
	test_words();
	test_text();
	test_large();
	return done_testing();
}
