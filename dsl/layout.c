/* Groups are laid out from the inside to the outside: each as a graph of its own, whose result is a box in its parent. An edge
 * that goes into or out of groups is cut at their borders into pieces; where a piece meets a border there is a port. All
 * edges from one node share the ports, and so the pieces, that they have in common. */
#include "config.h"

#include "dsl/layout.h"

#include <stdlib.h>
#include <string.h>

#include "dsl/layout_groups.h"

void
layout_bucket(struct arena *arena, const uint32_t *keys, uint32_t n, uint32_t n_keys, uint32_t **ret_items,
	      uint32_t **ret_first)
{
	uint32_t *items = arena_alloc(arena, n * sizeof *items), *first = arena_alloc(arena, ((size_t)n_keys + 2) * sizeof *first);

	for (uint32_t i = 0; i < n; i++)
		first[keys[i] + 2]++;
	for (uint32_t k = 1; k <= n_keys; k++)
		first[k + 1] += first[k];
	for (uint32_t i = 0; i < n; i++)
		items[first[keys[i] + 1]++] = i;
	*ret_items = items;
	*ret_first = first;
}

int32_t
layout_clamp(int32_t size)
{
	return size < 0 ? 0 : size > LAYOUT_SIZE_MAX ? LAYOUT_SIZE_MAX : size + (size & 1);
}

static void
check(const struct layout *layout)
{
	if (!layout->n_nodes || layout->n_nodes > LAYOUT_NODES_MAX || layout->n_edges > LAYOUT_EDGES_MAX)
		BUG("a layout of %u nodes and %u edges", (unsigned)layout->n_nodes, (unsigned)layout->n_edges);
	for (uint32_t i = 0; i < layout->n_nodes; i++) {
		const struct layout_node *node = &layout->nodes[i];

		if (i ? node->parent >= i || !layout->nodes[node->parent].group : !node->group)
			BUG("node %u of a layout has no group for a parent", (unsigned)i);
	}
	for (uint32_t e = 0; e < layout->n_edges; e++)
		if (layout->edges[e].from >= layout->n_nodes || layout->edges[e].to >= layout->n_nodes)
			BUG("edge %u of a layout leads nowhere", (unsigned)e);
}

static void
find_parents(struct drawer *d)
{
	for (uint32_t i = 1; i < d->layout->n_nodes; i++) {
		uint32_t parent = d->layout->nodes[i].parent;

		while (d->depths[parent] >= LAYOUT_DEPTH_MAX)
			parent = d->parents[parent];
		d->parents[i] = parent;
		d->depths[i] = d->depths[parent] + 1;
	}
}

static void
lay_group(struct drawer *d, uint32_t number)
{
	struct group g = {
		.number = number,
		.members = d->members + d->first_member[number],
		.n_members = d->first_member[number + 1] - d->first_member[number],
		.ports = d->port_list + d->first_port[number],
		.n_ports = d->first_port[number + 1] - d->first_port[number],
		.pieces = d->piece_list + d->first_piece[number],
		.n_pieces = d->first_piece[number + 1] - d->first_piece[number],
	};

	layout_group_parts(d, &g);
	layout_frame(d, &g);
}

static void
index_groups(struct drawer *d)
{
	uint32_t n_ports = (uint32_t)d->ports.n, n_pieces = (uint32_t)d->pieces.n, n = d->layout->n_nodes;
	uint32_t *ports = arena_alloc(d->arena, n_ports * sizeof *ports), *pieces = arena_alloc(d->arena, n_pieces * sizeof *pieces);

	for (uint32_t i = 0; i < n_ports; i++)
		ports[i] = d->ports.items[i].group;
	for (uint32_t i = 0; i < n_pieces; i++)
		pieces[i] = d->pieces.items[i].group;
	/* The outermost group is no member of any. */
	d->parents[0] = n;
	layout_bucket(d->arena, d->parents, n, n + 1, &d->members, &d->first_member);
	layout_bucket(d->arena, ports, n_ports, n, &d->port_list, &d->first_port);
	layout_bucket(d->arena, pieces, n_pieces, n, &d->piece_list, &d->first_piece);
	d->parents[0] = 0;
	d->port_local = arena_alloc(d->arena, n_ports * sizeof *d->port_local);
}

/* From places in groups to places in the picture. */
static void
finish(struct drawer *d, struct arena *arena)
{
	struct layout *layout = d->layout;

	layout->nodes[0].x = layout->nodes[0].y = 0;
	for (uint32_t i = 1; i < layout->n_nodes; i++) {
		layout->nodes[i].x += layout->nodes[d->parents[i]].x;
		layout->nodes[i].y += layout->nodes[d->parents[i]].y;
	}
	for (uint32_t i = 0; i < layout->n_nodes; i++)
		layout->nodes[i].title_x += layout->nodes[i].group ? layout->nodes[i].x : 0;
	layout->n_lines = (uint32_t)d->pieces.n;
	layout->lines = arena_alloc(arena, layout->n_lines * sizeof *layout->lines);
	for (uint32_t i = 0; i < layout->n_lines; i++) {
		const struct piece *piece = &d->pieces.items[i];
		const struct layout_node *group = &layout->nodes[piece->group];
		struct layout_line *line = &layout->lines[i];

		line->n = piece->n_points;
		line->points = arena_copy(arena, piece->points, piece->n_points * sizeof *piece->points);
		for (uint32_t k = 0; k < line->n; k++) {
			line->points[k].x += group->x;
			line->points[k].y += group->y;
		}
	}
	layout->width = layout->nodes[0].w;
	layout->height = layout->nodes[0].h;
}

static void
drawer_init(struct drawer *d, struct layout *layout)
{
	struct arena *arena = arena_new();
	uint32_t n = layout->n_nodes;

	*d = (struct drawer){
		.arena = arena,
		.layout = layout,
		.parents = arena_alloc(arena, n * sizeof *d->parents),
		.depths = arena_alloc(arena, n * sizeof *d->depths),
		.ports_in = arena_alloc(arena, n * sizeof *d->ports_in),
		.ports_out = arena_alloc(arena, n * sizeof *d->ports_out),
		.borders = arena_alloc(arena, n * sizeof *d->borders),
		.entries = arena_alloc(arena, n * sizeof *d->entries),
		.exits = arena_alloc(arena, n * sizeof *d->exits),
		.local = arena_alloc(arena, n * sizeof *d->local),
	};
}

static void
run_pass(struct drawer *d)
{
	struct layout *layout = d->layout;

	d->crossings = 0;
	for (uint32_t i = layout->n_nodes; i-- > 0;) {
		if (layout->nodes[i].group) {
			lay_group(d, i);
		} else {
			layout->nodes[i].w = layout_clamp(layout->nodes[i].width);
			layout->nodes[i].h = layout_clamp(layout->nodes[i].height);
		}
	}
}

/* x where a piece comes from (or goes to) before it runs straight to the port at its end. */
static double
x_outside(const struct drawer *d, const struct piece *piece, bool entry)
{
	uint32_t i = entry ? piece->n_points - 1 : 0;
	int32_t x = piece->points[i].x, at = 0;

	while (piece->points[i].x == x && (entry ? i > 0 : i + 1 < piece->n_points))
		i += entry ? UINT32_MAX : 1;
	for (uint32_t g = piece->group; g; g = d->parents[g])
		at += d->layout->nodes[g].x;
	return at + piece->points[i].x;
}

/* Tells each port where it leads; says whether that can matter for any group. */
static bool
look_outside(struct drawer *d)
{
	uint32_t *count = arena_alloc(d->arena, d->ports.n * sizeof *count);
	bool matters = false;

	for (size_t i = 0; i < d->pieces.n; i++) {
		const struct piece *piece = &d->pieces.items[i];

		if (piece->to.member != NONE && piece->to.port != NONE) {
			d->ports.items[piece->to.port].outside += x_outside(d, piece, true);
			count[piece->to.port]++;
		}
		if (piece->from.member != NONE && piece->from.port != NONE) {
			d->ports.items[piece->from.port].outside += x_outside(d, piece, false);
			count[piece->from.port]++;
		}
	}
	for (size_t i = 0; i < d->ports.n; i++)
		if (count[i])
			d->ports.items[i].outside /= count[i];
	for (uint32_t i = 0; i < d->layout->n_nodes; i++)
		matters |= d->ports_in[i] > 1 || d->ports_out[i] > 1;
	return matters;
}

/* Groups are laid out before it is known from where lines come to them, so ports may stand in an order that makes the lines
 * cross outside. A second pass knows where they led in the first; it is kept if it is better. */
static void
run_again(struct drawer *d)
{
	struct layout *layout = d->layout;
	size_t nodes_size = layout->n_nodes * sizeof *layout->nodes, pieces_size = d->pieces.n * sizeof *d->pieces.items;
	struct layout_node *nodes = arena_copy(d->arena, layout->nodes, nodes_size);
	struct piece *pieces = arena_copy(d->arena, d->pieces.items, pieces_size);
	uint64_t crossings = d->crossings;

	d->again = true;
	run_pass(d);
	if (d->crossings < crossings)
		return;
	memcpy(layout->nodes, nodes, nodes_size);
	memcpy(d->pieces.items, pieces, pieces_size);
}

void
layout_run(struct arena *arena, struct layout *layout)
{
	struct drawer d;

	check(layout);
	drawer_init(&d, layout);
	d.out = arena;
	find_parents(&d);
	layout_cut_edges(&d);
	index_groups(&d);
	run_pass(&d);
	if (d.crossings && look_outside(&d))
		run_again(&d);
	finish(&d, arena);
	vec_release(&d.ports);
	vec_release(&d.pieces);
	arena_free(d.arena);
}
