/* Any bytes as a graph: laid out without harm, and with the promises of layout.h kept.
 *
 * A byte pair makes a node or an edge: the first byte's low bits say which, the rest where. */
#include "config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/macros.h"
#include "dsl/layout.h"
#include "tests/dsl/layout_check.h"

enum { NODES_MAX = 120, EDGES_MAX = 240 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t
group_at(const struct layout_node *nodes, uint32_t n, uint32_t wish)
{
	for (wish %= n; !nodes[wish].group; wish--)
		;
	return wish;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int32_t widths[] = { 160, 0, 2, 37, 500, -1, INT32_MAX, INT32_MIN };
	struct layout_node nodes[NODES_MAX] = { { .group = true } };
	struct layout_edge edges[EDGES_MAX];
	struct layout layout = { .nodes = nodes, .n_nodes = 1, .edges = edges };
	struct arena *arena = arena_new();
	struct buf problems = { 0 };

	for (size_t i = 0; i + 2 < size; i += 3) {
		unsigned kind = data[i] & 7, a = data[i + 1], b = data[i + 2];

		if (kind < 3 && layout.n_nodes < NODES_MAX) {
			nodes[layout.n_nodes] = (struct layout_node){
				.group = kind == 0,
				.parent = group_at(nodes, layout.n_nodes, a),
				.width = widths[b & 7],
				.height = kind == 0 ? (b & 8 ? 24 : 0) : widths[b >> 4 & 7],
			};
			layout.n_nodes++;
		} else if (layout.n_edges < EDGES_MAX) {
			edges[layout.n_edges++] = (struct layout_edge){ .from = a, .to = b };
		}
	}
	for (uint32_t i = 0; i < layout.n_edges; i++) {
		edges[i].from %= layout.n_nodes;
		edges[i].to %= layout.n_nodes;
	}
	layout_run(arena, &layout);
	if (layout_check(&layout, &problems))
		BUG("%s", buf_text(&problems));
	buf_release(&problems);
	arena_free(arena);
	return 0;
}
