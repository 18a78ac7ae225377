#include "config.h"

#include "dsl/layout_groups.h"

#include <math.h>

enum { PART_APART_X = 48, PART_APART_Y = 36, SPAN_LAYER = 110 /* about what a layer and the room below it take */ };

static uint32_t
local_of(const struct drawer *d, struct end end)
{
	return end.member == NONE ? d->port_local[end.port] : d->local[end.member];
}

static void
number_locals(struct drawer *d, struct group *g)
{
	uint32_t n = 0;

	for (; n < g->n_members; n++)
		d->local[g->members[n]] = n;
	g->local_ports = arena_alloc(d->arena, g->n_ports * sizeof *g->local_ports);
	for (uint32_t i = 0; i < g->n_ports; i++) {
		if (d->ports.items[g->ports[i]].border)
			continue;
		g->local_ports[n - g->n_members] = g->ports[i];
		d->port_local[g->ports[i]] = n++;
	}
	g->n_locals = n;
}

static uint32_t
find(uint32_t *up, uint32_t i)
{
	while (up[i] != i)
		i = up[i] = up[up[i]];
	return i;
}

/* Parts in the order of their first locals. */
static void
find_parts(struct drawer *d, struct group *g)
{
	uint32_t *up = arena_alloc(d->arena, g->n_locals * sizeof *up), *locals, *first;

	for (uint32_t i = 0; i < g->n_locals; i++)
		up[i] = i;
	for (uint32_t i = 0; i < g->n_pieces; i++) {
		const struct piece *piece = &d->pieces.items[g->pieces[i]];
		uint32_t a = find(up, local_of(d, piece->from)), b = find(up, local_of(d, piece->to));

		up[a > b ? a : b] = a > b ? b : a;
	}
	g->part_of = arena_alloc(d->arena, g->n_locals * sizeof *g->part_of);
	for (uint32_t i = 0; i < g->n_locals; i++)
		g->part_of[i] = find(up, i) == i ? g->n_parts++ : g->part_of[find(up, i)];
	layout_bucket(d->arena, g->part_of, g->n_locals, g->n_parts, &locals, &first);
	g->parts = arena_alloc(d->arena, g->n_parts * sizeof *g->parts);
	for (uint32_t p = 0; p < g->n_parts; p++)
		g->parts[p] = (struct part){ .locals = locals + first[p], .n = first[p + 1] - first[p] };
}

static struct layers_node
layers_node_of(const struct drawer *d, const struct group *g, uint32_t local, bool spans)
{
	struct layers_node node = { .id = local, .span = 1, .in_slots = 1, .out_slots = 1 };
	uint32_t member;

	if (local >= g->n_members) {
		const struct port *port = &d->ports.items[g->local_ports[local - g->n_members]];

		node.kind = port->entry ? LAYERS_ENTRY : LAYERS_EXIT;
		node.outside = port->outside;
		return node;
	}
	member = g->members[local];
	node.kind = LAYERS_BOX;
	node.width = d->layout->nodes[member].w;
	node.height = d->layout->nodes[member].h;
	node.ports_given = d->layout->nodes[member].group;
	if (spans && node.ports_given)
		node.span = 1 + (uint32_t)(node.height / SPAN_LAYER);
	node.in_slots = d->ports_in[member] ? d->ports_in[member] : 1;
	node.out_slots = d->ports_out[member] ? d->ports_out[member] : 1;
	return node;
}

static void
port_of_end(const struct drawer *d, struct end end, uint32_t *ret_slot, double *ret_dx)
{
	const struct port *port;

	*ret_slot = 0;
	*ret_dx = 0;
	if (end.member == NONE || end.port == NONE)
		return;
	port = &d->ports.items[end.port];
	*ret_slot = port->slot;
	*ret_dx = port->x - d->layout->nodes[end.member].w / 2.0;
}

/* The part as a graph for the steps of the layout. With `spans`, a group takes as many layers as it is high. */
static struct layers *
layers_of(const struct drawer *d, const struct group *g, struct part *part, const uint32_t *pieces, uint32_t *place, bool spans)
{
	struct layers *l = arena_new_struct(d->arena, struct layers);

	*l = (struct layers){
		.arena = d->arena,
		.outside = d->again,
		.nodes = arena_alloc(d->arena, part->n * sizeof *l->nodes),
		.n_nodes = part->n,
		.n_given = part->n,
		.edges = arena_alloc(d->arena, part->n_pieces * sizeof *l->edges),
		.n_edges = part->n_pieces,
	};
	for (uint32_t i = 0; i < part->n; i++) {
		place[part->locals[i]] = i;
		l->nodes[i] = layers_node_of(d, g, part->locals[i], spans);
		part->ports |= l->nodes[i].kind != LAYERS_BOX;
	}
	for (uint32_t i = 0; i < part->n_pieces; i++) {
		const struct piece *piece = &d->pieces.items[pieces[i]];
		struct layers_edge *edge = &l->edges[i];

		edge->id = pieces[i];
		edge->from = place[local_of(d, piece->from)];
		edge->to = place[local_of(d, piece->to)];
		port_of_end(d, piece->from, &edge->from_slot, &edge->from_dx);
		port_of_end(d, piece->to, &edge->to_slot, &edge->to_dx);
	}
	return l;
}

static void
lay_part(struct drawer *d, struct group *g, struct part *part, const uint32_t *pieces, uint32_t *place)
{
	struct layers *l = layers_of(d, g, part, pieces, place, true);

	layout_rank(l);
	if (!l->slabs || !l->lanes)
		layout_order(l);
	/* No line may cross a high box on its way between two of its layers; where one would have to, each box has one layer. */
	if (l->slabs && (l->lanes || l->cut)) {
		l = layers_of(d, g, part, pieces, place, false);
		layout_rank(l);
		layout_order(l);
	}
	layout_place(l);
	layout_route(l);
	part->layers = l;
	part->width = ceil(l->width);
	part->height = ceil(l->height);
	d->crossings += l->crossings;
}

static void
lay_parts(struct drawer *d, struct group *g)
{
	uint32_t *keys = arena_alloc(d->arena, g->n_pieces * sizeof *keys), *sorted, *first;
	uint32_t *place = arena_alloc(d->arena, g->n_locals * sizeof *place), *pieces;

	for (uint32_t i = 0; i < g->n_pieces; i++)
		keys[i] = g->part_of[local_of(d, d->pieces.items[g->pieces[i]].from)];
	layout_bucket(d->arena, keys, g->n_pieces, g->n_parts, &sorted, &first);
	pieces = arena_alloc(d->arena, g->n_pieces * sizeof *pieces);
	for (uint32_t i = 0; i < g->n_pieces; i++)
		pieces[i] = g->pieces[sorted[i]];
	for (uint32_t p = 0; p < g->n_parts; p++) {
		struct part *part = &g->parts[p];

		part->n_pieces = first[p + 1] - first[p];
		if (part->n_pieces) {
			lay_part(d, g, part, pieces + first[p], place);
			continue;
		}
		part->width = d->layout->nodes[g->members[part->locals[0]]].w;
		part->height = d->layout->nodes[g->members[part->locals[0]]].h;
	}
}

/* Parts that touch the border stand in one row, so that their ports reach it; the others fill shelves beside it. */
static void
pack_parts(struct group *g)
{
	double row = 0, area = 0, widest = 0, x = 0, y = 0, shelf = 0, limit;

	for (uint32_t p = 0; p < g->n_parts; p++) {
		struct part *part = &g->parts[p];

		if (part->ports) {
			part->x = row;
			row += part->width + PART_APART_X;
			g->height = part->height > g->height ? part->height : g->height;
			continue;
		}
		area += (part->width + PART_APART_X) * (part->height + PART_APART_Y);
		widest = part->width > widest ? part->width : widest;
	}
	g->width = row > 0 ? row - PART_APART_X : 0;
	limit = sqrt(area * 2.2);
	limit = limit > widest ? limit : widest;
	for (uint32_t p = 0; p < g->n_parts; p++) {
		struct part *part = &g->parts[p];

		if (part->ports)
			continue;
		if (x > 0 && x + part->width > limit) {
			y += shelf + PART_APART_Y;
			x = shelf = 0;
		}
		part->x = row + x;
		part->y = y;
		x += part->width + PART_APART_X;
		shelf = part->height > shelf ? part->height : shelf;
		g->width = part->x + part->width > g->width ? part->x + part->width : g->width;
		g->height = y + shelf > g->height ? y + shelf : g->height;
	}
}

void
layout_group_parts(struct drawer *d, struct group *g)
{
	number_locals(d, g);
	find_parts(d, g);
	lay_parts(d, g);
	pack_parts(g);
}
