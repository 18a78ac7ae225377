/* The promises of layout.h on twelve graphs and on some larger ones; what depends on no picture. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "dsl/layout.h"
#include "tests/dsl/graph_fixtures.h"
#include "tests/dsl/layout_check.h"
#include "tests/tap.h"

static void
check_fixture(const char *name)
{
	struct arena *arena = arena_new();
	struct layout *layout = graph_fixture(arena, name), *again = graph_fixture(arena, name);
	struct buf problems = { 0 };

	layout_run(arena, layout);
	ok(layout_check(layout, &problems) == 0, "%s: %u boxes, %u edges, %u crossings, %d × %d", name, (unsigned)layout->n_nodes - 1,
		(unsigned)layout->n_edges, layout_count_crossings(layout), layout->width, layout->height);
	if (problems.len)
		tap_note("%s", buf_text(&problems));
	layout_run(arena, again);
	is_mem(again->nodes, again->n_nodes * sizeof *again->nodes, layout->nodes, layout->n_nodes * sizeof *layout->nodes,
		"%s: the same again", name);
	buf_release(&problems);
	arena_free(arena);
}

/* What the pictures of the fixtures must at least have: few crossings, and a shape that is known. */
static void
test_shapes(void)
{
	static const struct {
		const char *name;
		unsigned crossings;
	} most[] = { { "chain", 0 }, { "diamond", 0 }, { "fan", 0 }, { "layered", 45 }, { "ifs", 0 }, { "loops", 1 },
		{ "codelab", 0 }, { "two", 1 }, { "long", 5 }, { "bipartite", 27 } };
	struct arena *arena = arena_new();
	struct layout *chain = graph_fixture(arena, "chain"), *diamond = graph_fixture(arena, "diamond");
	struct layout *loose = graph_fixture(arena, "loose-100");

	for (size_t i = 0; i < ARRAY_LEN(most); i++) {
		struct layout *layout = graph_fixture(arena, most[i].name);

		layout_run(arena, layout);
		ok(layout_count_crossings(layout) <= most[i].crossings, "%s: at most %u crossings (%u)", most[i].name, most[i].crossings,
			layout_count_crossings(layout));
	}
	layout_run(arena, chain);
	for (uint32_t i = 0; i < chain->n_lines; i++)
		is_int(chain->lines[i].n, 2, "a chain's line %u is straight", (unsigned)i);
	layout_run(arena, diamond);
	is_int(2 * diamond->nodes[1].x, diamond->nodes[2].x + diamond->nodes[3].x, "the top of a diamond stands over the middle");
	layout_run(arena, loose);
	ok(loose->width < 6 * loose->height && loose->height < 6 * loose->width, "a hundred boxes without edges fill a page (%d × %d)",
		loose->width, loose->height);
	arena_free(arena);
}

/* Edges that a plan never has: to itself, twice, round in a circle, into a group around its start. */
static void
test_odd_edges(void)
{
	struct layout_node nodes[] = {
		{ .group = true }, { .parent = 0, .width = 100, .height = 50 }, { .parent = 0, .group = true, .width = 80, .height = 24 },
		{ .parent = 2, .width = -5, .height = 1000000 }, { .parent = 2, .width = 101, .height = 51 },
		{ .parent = 0, .group = true, .width = 3000, .height = 24 },
	};
	struct layout_edge edges[] = { { 1, 1, NULL, 0 }, { 1, 3, NULL, 0 }, { 1, 3, NULL, 0 }, { 3, 4, NULL, 0 }, { 4, 3, NULL, 0 },
		{ 4, 1, NULL, 0 }, { 3, 2, NULL, 0 }, { 2, 4, NULL, 0 }, { 2, 1, NULL, 0 }, { 0, 4, NULL, 0 }, { 5, 1, NULL, 0 } };
	struct layout layout = { .nodes = nodes, .n_nodes = ARRAY_LEN(nodes), .edges = edges, .n_edges = ARRAY_LEN(edges) };
	struct arena *arena = arena_new();
	struct buf problems = { 0 };

	layout_run(arena, &layout);
	is_int(edges[0].n_lines, 0, "no line from a node to itself");
	ok(edges[1].n_lines == 2 && edges[2].n_lines == 0, "a second edge is not drawn");
	is_int(edges[6].n_lines, 0, "no line to the group around");
	is_int(layout.nodes[5].w, LAYOUT_SIZE_MAX + 24, "a long title is cut");
	is_int(nodes[3].h, LAYOUT_SIZE_MAX, "so is a high box");
	layout_check(&layout, &problems);
	is_str(buf_text(&problems), "", "the promises hold");
	buf_release(&problems);
	arena_free(arena);
}

static void
test_depth(void)
{
	enum { DEPTH = 200 };
	struct layout_node *nodes = xcalloc(DEPTH + 2, sizeof *nodes);
	struct layout_edge edge = { .from = DEPTH, .to = DEPTH + 1 };
	struct layout layout = { .nodes = nodes, .n_nodes = DEPTH + 2, .edges = &edge, .n_edges = 1 };
	struct arena *arena = arena_new();

	for (uint32_t i = 0; i < DEPTH; i++)
		nodes[i] = (struct layout_node){ .group = true, .parent = i ? i - 1 : 0, .width = 50, .height = 24 };
	nodes[DEPTH] = (struct layout_node){ .parent = DEPTH - 1, .width = 50, .height = 24 };
	nodes[DEPTH + 1] = (struct layout_node){ .parent = 0, .width = 50, .height = 24 };
	layout_run(arena, &layout);
	ok(edge.n_lines > LAYOUT_DEPTH_MAX / 2 && layout.width < 10000, "groups nested without end are cut short (%u pieces)",
		(unsigned)edge.n_lines);
	arena_free(arena);
	free(nodes);
}

int
main(void)
{
	static const char *const larger[] = { "layered-200", "groups-300", "loose-90", "long-40", "fan-150", "chain-300", "long-400" };

	for (size_t i = 0; i < GRAPH_FIXTURES; i++)
		check_fixture(graph_fixture_names[i]);
	for (size_t i = 0; i < ARRAY_LEN(larger); i++)
		check_fixture(larger[i]);
	test_shapes();
	test_odd_edges();
	test_depth();
	return done_testing();
}
