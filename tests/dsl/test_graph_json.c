/* The document application/vnd.lateen.pipeline.v1+json, and the bundle that carries it. */
#include "config.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/value.h"
#include "dsl/bundle.h"
#include "dsl/graph_json.h"
#include "dsl/svg.h"
#include "tests/dsl/graph_plan.h"
#include "tests/tap.h"

static const char program[] =
	"component a(x: String = \"\") -> (out: String, ok: Boolean) { script sh \"\"\"true\"\"\" }\n"
	"pipeline p(n: Integer = 1, key: Secret = secret(\"store\", \"entry\")) {\n"
	"    settings { display \"<b>\\\"quoted\\\"</b>\" }\n"
	"    first = a() with gpu 1\n"
	"    if first.ok { second = a(x: first.out) }\n"
	"}\n";

static const struct value *
at(const struct value *list, size_t i)
{
	return list && list->kind == VALUE_LIST && i < list->list.n ? list->list.items[i] : &VALUE_OF_NULL;
}

static void
is_json(const struct value *value, const char *want, const char *what)
{
	struct buf buf = { 0 };

	if (value)
		value_write_json(&buf, value);
	is_str(buf_text(&buf), want, "%s", what);
	buf_release(&buf);
}

static void
test_document(struct arena *arena, const struct plan *plan)
{
	struct graph_run *run = graph_run_from(arena, plan, "Running/3.25 first=Succeeded/1.5/2 second=Running/0.25/1/3:8/x\"y");
	struct graph *graph = graph_new(arena, plan, run);
	struct layout *layout = svg_layout(arena, graph);
	struct buf buf = { 0 }, again = { 0 };
	struct error err;
	const struct value *doc, *nodes, *edges, *lines;

	graph_json_write(&buf, graph, layout);
	graph_json_write(&again, graph, layout);
	is_mem(again.data, again.len, buf.data, buf.len, "the same bytes again");
	doc = value_read_json(arena, buf_text(&buf), buf.len, &err);
	if (!ok(doc != NULL, "it is JSON: %s", doc ? "" : err.text))
		return;
	is_json(value_get(doc, "v"), "1", "version");
	is_json(value_get(doc, "name"), "\"p\"", "name");
	is_json(value_get(doc, "params"),
		"[{\"name\":\"n\",\"type\":\"Integer\",\"default\":1},{\"name\":\"key\",\"type\":\"Secret\",\"secret\":[\"store\",\"entry\"]}]", "parameters");
	is_json(value_get(doc, "run"),
		"{\"phase\":\"Running\",\"id\":\"r-7f3a\",\"seconds\":3.25,\"phases\":{\"Running\":1,\"Succeeded\":1}}", "run");
	nodes = value_get(doc, "nodes");
	is_json(value_get(at(nodes, 1), "at"), "[\"In[3]\",4,5]", "place of a step");
	is_json(value_get(at(nodes, 1), "badges"), "[\"gpu 1\"]", "badges");
	is_json(value_get(at(nodes, 1), "attempts"), "2", "attempts");
	is_json(value_get(at(nodes, 2), "kind"), "\"if\"", "kind of a group");
	is_json(value_get(at(nodes, 2), "label"), "\"if first.ok\"", "its head");
	is_json(value_get(at(nodes, 3), "parent"), "2", "parent");
	is_json(value_get(at(nodes, 3), "items"), "[3,8]", "items of a loop");
	is_json(value_get(at(nodes, 3), "message"), "\"x\\\"y\"", "message");
	is_json(value_get(doc, "roots"), "[1]", "roots");
	edges = value_get(doc, "edges");
	is_json(value_get(at(edges, 0), "kind"), "\"condition\"", "kind of an edge");
	is_json(value_get(at(edges, 1), "ports"), "[[\"out\",\"x\"]]", "ports of an edge");
	lines = value_get(at(edges, 1), "lines");
	is_int((int64_t)lines->list.n, 2, "an edge into a group has two pieces");
	ok(at(value_get(doc, "lines"), 0)->list.n >= 4, "a line has points");
	is_int((int64_t)at(value_get(at(nodes, 3), "box"), 2)->integer, layout->nodes[3].w, "a box has its width");
	buf_release(&buf);
	buf_release(&again);
}

static void
test_without_layout(struct arena *arena, const struct plan *plan)
{
	struct buf buf = { 0 };
	const struct value *doc;

	graph_json_write(&buf, graph_new(arena, plan, NULL), NULL);
	doc = value_read_json(arena, buf_text(&buf), buf.len, NULL);
	ok(doc && !value_get(doc, "lines") && !value_get(doc, "size") && !value_get(doc, "run"), "without layout and run there is less");
	ok(doc && !value_get(at(value_get(doc, "nodes"), 1), "phase"), "and no phases");
	buf_release(&buf);
}

static void
test_bundle(struct arena *arena, const struct plan *plan)
{
	struct graph_run *run = graph_run_from(arena, plan, "Failed first=Failed/1.5/2//<script>alert(1)</script> second=Omitted");
	struct buf buf = { 0 };
	const struct value *bundle;
	const char *html;
	struct error err;

	bundle_write(&buf, plan, run);
	bundle = value_read_json(arena, buf_text(&buf), buf.len, &err);
	if (!ok(bundle != NULL, "the bundle is JSON: %s", bundle ? "" : err.text))
		return;
	is_int((int64_t)bundle->dict.n, 4, "four types");
	is_json(value_get(value_get(bundle, GRAPH_JSON_MIME), "v"), "1", "the document is an object");
	html = value_text(value_get(bundle, "text/html"));
	ok(html && !strstr(html, "<script"), "no tag of a message is one in HTML");
	contains(html, "<bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi>", "it stands there as text");
	contains(html, "<img alt=\"Pipeline p (&lt;b&gt;&quot;quoted&quot;&lt;/b&gt;): 2 steps", "the picture has words");
	contains(html, "src=\"data:image/svg+xml;base64,PHN2Zy", "and data");
	contains(html, "<caption>Steps of <bdi>p</bdi> in run <bdi>r-7f3a</bdi></caption>", "the table has a caption");
	contains(value_text(value_get(bundle, "text/plain")), "first", "the tree is there");
	contains(value_text(value_get(bundle, "image/svg+xml")), "<svg ", "a small SVG is there by itself");
	buf_release(&buf);
}

int
main(void)
{
	struct arena *arena = arena_new();
	struct plan *plan = graph_plan(program, sizeof program - 1);

	test_document(arena, plan);
	test_without_layout(arena, plan);
	test_bundle(arena, plan);
	plan_unref(plan);
	arena_free(arena);
	return done_testing();
}
