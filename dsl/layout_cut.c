#include "config.h"

#include "dsl/layout_groups.h"

/* The node, or what is around it, at that depth. */
static uint32_t
at_depth(const struct drawer *d, uint32_t node, uint32_t depth)
{
	while (d->depths[node] > depth)
		node = d->parents[node];
	return node;
}

static uint32_t
common_group(const struct drawer *d, uint32_t a, uint32_t b)
{
	uint32_t depth = d->depths[a] < d->depths[b] ? d->depths[a] : d->depths[b];

	a = at_depth(d, a, depth);
	b = at_depth(d, b, depth);
	while (a != b) {
		a = d->parents[a];
		b = d->parents[b];
	}
	return a;
}

static uint32_t
add_port(struct drawer *d, uint32_t group, bool entry, bool border)
{
	vec_push(&d->ports, ((struct port){ .group = group, .entry = entry, .border = border }));
	return (uint32_t)d->ports.n - 1;
}

static uint32_t
add_piece(struct drawer *d, uint32_t group, struct end from, struct end to)
{
	vec_push(&d->pieces, ((struct piece){ .group = group, .from = from, .to = to }));
	return (uint32_t)d->pieces.n - 1;
}

/* The path of one edge as piece numbers. */
struct path {
	uint32_t pieces[2 * LAYOUT_DEPTH_MAX + 4];
	uint32_t n;
};

/* Out of the groups between the node and `around`; returns where that leaves the edge in `around`. */
static struct end
go_out(struct drawer *d, uint32_t node, uint32_t around, uint32_t stamp, struct path *path)
{
	struct end at = { node, NONE };

	for (uint32_t g = d->parents[node]; g != around; g = d->parents[g]) {
		struct crossing *c = &d->exits[g];

		if (c->stamp != stamp) {
			c->stamp = stamp;
			c->port = add_port(d, g, false, false);
			c->piece = add_piece(d, g, at, (struct end){ NONE, c->port });
		}
		path->pieces[path->n++] = c->piece;
		at = (struct end){ g, c->port };
	}
	return at;
}

/* Into the groups from `around` to the node. */
static void
go_in(struct drawer *d, struct end at, uint32_t around, uint32_t node, uint32_t stamp, struct path *path)
{
	struct end last = { node, NONE };
	uint32_t in = around;

	for (uint32_t depth = d->depths[around] + 1; depth < d->depths[node]; depth++) {
		uint32_t g = at_depth(d, node, depth);
		struct crossing *c = &d->entries[g];

		if (c->stamp != stamp) {
			c->stamp = stamp;
			c->port = add_port(d, g, true, false);
			c->piece = add_piece(d, in, at, (struct end){ g, c->port });
		}
		path->pieces[path->n++] = c->piece;
		at = (struct end){ NONE, c->port };
		in = g;
	}
	if (d->layout->nodes[node].group) {
		if (!d->borders[node])
			d->borders[node] = add_port(d, node, true, true) + 1;
		last.port = d->borders[node] - 1;
	}
	path->pieces[path->n++] = add_piece(d, in, at, last);
}

static void
cut_edge(struct drawer *d, struct layout_edge *edge, uint32_t stamp)
{
	uint32_t around = common_group(d, edge->from, edge->to);
	struct path path = { .n = 0 };
	struct end at;

	edge->lines = NULL;
	edge->n_lines = 0;
	/* One of them is around the other. */
	if (around == edge->from || around == edge->to)
		return;
	at = go_out(d, edge->from, around, stamp, &path);
	go_in(d, at, around, edge->to, stamp, &path);
	edge->lines = arena_copy(d->out, path.pieces, path.n * sizeof *path.pieces);
	edge->n_lines = path.n;
}

void
layout_cut_edges(struct drawer *d)
{
	struct layout *layout = d->layout;
	uint32_t *keys = arena_alloc(d->arena, layout->n_edges * sizeof *keys), *edges, *first;
	uint32_t *seen = arena_alloc(d->arena, layout->n_nodes * sizeof *seen);

	for (uint32_t e = 0; e < layout->n_edges; e++)
		keys[e] = layout->edges[e].from;
	layout_bucket(d->arena, keys, layout->n_edges, layout->n_nodes, &edges, &first);
	for (uint32_t i = 0; i < layout->n_edges; i++) {
		struct layout_edge *edge = &layout->edges[edges[i]];
		uint32_t stamp = edge->from + 1;

		edge->lines = NULL;
		edge->n_lines = 0;
		if (seen[edge->to] == stamp)
			continue;
		seen[edge->to] = stamp;
		cut_edge(d, edge, stamp);
	}
}
