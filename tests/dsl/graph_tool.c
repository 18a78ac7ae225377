/* Draws the last pipeline of a program on standard input, for tests and for looking at.
 *
 *     graph_tool svg|light|dark|json|tree|ascii|colour|html|bundle [RUN] < FILE      RUN: see graph_plan.h */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "dsl/bundle.h"
#include "dsl/graph_json.h"
#include "dsl/svg.h"
#include "dsl/tree.h"
#include "tests/dsl/graph_plan.h"

static int
draw(struct buf *out, const char *format, const struct graph *graph, const struct layout *layout)
{
	if (!strcmp(format, "svg"))
		svg_write(out, graph, layout, SVG_AUTO);
	else if (!strcmp(format, "light"))
		svg_write(out, graph, layout, SVG_LIGHT);
	else if (!strcmp(format, "dark"))
		svg_write(out, graph, layout, SVG_DARK);
	else if (!strcmp(format, "json"))
		graph_json_write(out, graph, layout);
	else if (!strcmp(format, "tree"))
		tree_write(out, graph, 0);
	else if (!strcmp(format, "ascii"))
		tree_write(out, graph, TREE_ASCII);
	else if (!strcmp(format, "colour"))
		tree_write(out, graph, TREE_COLOUR);
	else if (!strcmp(format, "html"))
		bundle_write_html(out, graph, layout);
	else if (!strcmp(format, "bundle"))
		bundle_write_graph(out, graph, layout);
	else
		return -1;
	return 0;
}

int
main(int argc, char **argv)
{
	struct buf text = { 0 }, out = { 0 };
	struct arena *arena = arena_new();
	struct graph *graph;
	struct plan *plan;
	char part[4096];
	size_t n;
	int status = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: graph_tool svg|light|dark|json|tree|ascii|colour|html|bundle [RUN] < FILE\n");
		return 2;
	}
	while ((n = fread(part, 1, sizeof part, stdin)) > 0)
		buf_add(&text, part, n);
	plan = graph_plan(buf_text(&text), text.len);
	graph = graph_new(arena, plan, argc > 2 ? graph_run_from(arena, plan, argv[2]) : NULL);
	graph = graph_fold(arena, graph, SVG_NODES_MAX);
	if (draw(&out, argv[1], graph, svg_layout(arena, graph)))
		status = 2;
	fwrite(buf_text(&out), 1, out.len, stdout);
	plan_unref(plan);
	arena_free(arena);
	buf_release(&text);
	buf_release(&out);
	return status;
}
