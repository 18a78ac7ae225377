#include "config.h"

#include "dsl/layout_layers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Between two layers: so much, and more where lines go far sideways, so that they do not lie flat. */
enum {
	CHANNEL = 44, CHANNEL_BESIDE_PORTS = 16, CHANNEL_MORE_MOST = 90, CHANNEL_SLOPE = 14,
	PORT_APART = 16, PORT_FROM_CORNER = 16, /* ends of lines on a box */
	LANE_APART = 10, LANES_MOST = 64, LANE_FROM_LAYER = 8, /* for what goes round the layers */
};

/* ---- where lines end on a box ---- */

static double
other_end(const struct layers *l, const struct layers_link *link, bool above)
{
	return above ? l->nodes[link->from].x + link->from_dx : l->nodes[link->to].x + link->to_dx;
}

/* Spreads the ends of a box's links along its border, in their order. A link that can be upright keeps the middle. */
static void
spread(struct layers *l, const struct layers_node *node, bool above)
{
	const uint32_t *links = above ? l->in_links + node->first_in : l->out_links + node->first_out;
	uint32_t n = above ? node->n_in : node->n_out;
	double room = node->width - 2 * PORT_FROM_CORNER, apart = PORT_APART, centre = n ? (n - 1) / 2.0 : 0, far;

	if (n < 2 || room <= 0)
		return;
	for (uint32_t i = 0; i < n; i++)
		if (fabs(other_end(l, &l->links[links[i]], above) - node->x) < 1)
			centre = i;
	far = centre > n - 1 - centre ? centre : n - 1 - centre;
	if (far * apart > room / 2)
		apart = room / 2 / far;
	for (uint32_t i = 0; i < n; i++) {
		struct layers_link *link = &l->links[links[i]];

		if (above)
			link->to_dx = (i - centre) * apart;
		else
			link->from_dx = (i - centre) * apart;
	}
}

static void
spread_all(struct layers *l)
{
	for (uint32_t v = 0; v < l->n_given; v++) {
		const struct layers_node *node = &l->nodes[v];

		if (node->kind != LAYERS_BOX || node->ports_given)
			continue;
		spread(l, node, true);
		spread(l, node, false);
	}
}

/* ---- y ---- */

static double
channel_below(const struct layers *l, uint32_t r)
{
	double most = 0, more;
	bool ports = true;

	for (uint32_t i = l->starts[r]; i < l->starts[r + 1]; i++) {
		const struct layers_node *node = &l->nodes[l->order[i]];

		for (uint32_t k = 0; k < node->n_out; k++) {
			const struct layers_link *link = &l->links[l->out_links[node->first_out + k]];
			double dx = fabs(node->x + link->from_dx - l->nodes[link->to].x - link->to_dx);

			most = dx > most ? dx : most;
			ports &= node->kind == LAYERS_ENTRY || l->nodes[link->to].kind == LAYERS_EXIT;
		}
	}
	/* Nothing but upright lines to the border of the group. */
	if (ports && most < 1)
		return CHANNEL_BESIDE_PORTS;
	more = most / CHANNEL_SLOPE;
	return CHANNEL + (more > CHANNEL_MORE_MOST ? CHANNEL_MORE_MOST : more);
}

static uint32_t
last_layer(const struct layers *l, const struct layers_node *node)
{
	return l->nodes[node->bottom].rank;
}

static double
layer_bottom(const struct layers *l, uint32_t r)
{
	return l->tops[r] + l->heights[r];
}

/* Makes a layer higher where a high box ends in it that has not found its room so far. */
static void
make_room(struct layers *l, uint32_t r)
{
	for (uint32_t i = l->starts[r]; i < l->starts[r + 1]; i++) {
		const struct layers_node *slab = &l->nodes[l->order[i]], *box;
		double missing;

		if (slab->kind != LAYERS_SLAB)
			continue;
		box = &l->nodes[slab->id];
		missing = box->height - (layer_bottom(l, r) - l->tops[box->rank]);
		if (last_layer(l, box) == r && missing > 0)
			l->heights[r] += missing;
	}
}

static void
place_layers(struct layers *l)
{
	double y = 0;

	l->tops = arena_alloc(l->arena, (l->n_layers + 1) * sizeof *l->tops);
	l->heights = arena_alloc(l->arena, (l->n_layers + 1) * sizeof *l->heights);
	for (uint32_t v = 0; v < l->n_nodes; v++)
		if (l->nodes[v].span == 1 && l->nodes[v].height > l->heights[l->nodes[v].rank])
			l->heights[l->nodes[v].rank] = l->nodes[v].height;
	for (uint32_t r = 0; r < l->n_layers; r++) {
		l->tops[r] = y;
		make_room(l, r);
		y += l->heights[r];
		if (r + 1 < l->n_layers)
			y += round(channel_below(l, r));
	}
	for (uint32_t v = 0; v < l->n_nodes; v++) {
		struct layers_node *node = &l->nodes[v];

		node->y = l->tops[node->rank] + floor((layer_bottom(l, last_layer(l, node)) - l->tops[node->rank] - node->height) / 2);
	}
	l->height = y;
}

/* ---- lines ---- */

static void
add_point(struct layers_edge *edge, double x, double y)
{
	struct layout_point point = { (int32_t)lround(x), (int32_t)lround(y) };
	struct layout_point *p = edge->points + edge->n_points;

	if (edge->n_points && p[-1].x == point.x && p[-1].y == point.y)
		return;
	/* On along the same upright line: the point between goes. */
	if (edge->n_points > 1 && p[-1].x == point.x && p[-2].x == point.x) {
		p[-1] = point;
		return;
	}
	*p = point;
	edge->n_points++;
}

static void
route_through(struct layers *l, struct layers_edge *edge)
{
	const struct layers_node *from = &l->nodes[edge->from], *to = &l->nodes[edge->to];
	const struct layers_link *first = &l->links[edge->first_link], *last = first + edge->n_links - 1;

	edge->points = arena_alloc(l->arena, (2 * (size_t)edge->n_links + 2) * sizeof *edge->points);
	add_point(edge, from->x + first->from_dx, from->y + from->height);
	add_point(edge, from->x + first->from_dx, layer_bottom(l, last_layer(l, from)));
	for (const struct layers_link *link = first; link < last; link++) {
		const struct layers_node *bend = &l->nodes[link->to];

		add_point(edge, bend->x, l->tops[bend->rank]);
		add_point(edge, bend->x, l->tops[bend->rank] + l->heights[bend->rank]);
	}
	add_point(edge, to->x + last->to_dx, l->tops[to->rank]);
	add_point(edge, to->x + last->to_dx, to->y);
}

/* Out to the right of everything, down there, and in again, with all that goes sideways between two layers. */
static void
route_round(struct layers *l, struct layers_edge *edge)
{
	const struct layers_node *from = &l->nodes[edge->from], *to = &l->nodes[edge->to];
	double from_x = from->x + edge->from_dx, to_x = to->x + edge->to_dx;
	double out = layer_bottom(l, last_layer(l, from)) + LANE_FROM_LAYER, in = l->tops[to->rank] - LANE_FROM_LAYER;
	double lane = l->width + LANE_APART * (1 + edge->to % LANES_MOST);

	edge->points = arena_alloc(l->arena, 6 * sizeof *edge->points);
	add_point(edge, from_x, from->y + from->height);
	add_point(edge, from_x, out);
	add_point(edge, lane, out);
	add_point(edge, lane, in);
	add_point(edge, to_x, in);
	add_point(edge, to_x, to->y);
}

static void
turn_back(struct layers_edge *edge)
{
	for (uint32_t i = 0, j = edge->n_points - 1; i < j; i++, j--) {
		struct layout_point t = edge->points[i];

		edge->points[i] = edge->points[j];
		edge->points[j] = t;
	}
}

void
layout_route(struct layers *layers)
{
	bool lanes = false;

	/* Whole pixels from here on: what stands above each other to the pixel is drawn upright. */
	for (uint32_t v = 0; v < layers->n_nodes; v++)
		layers->nodes[v].x = round(layers->nodes[v].x);
	spread_all(layers);
	place_layers(layers);
	for (uint32_t e = 0; e < layers->n_edges; e++) {
		struct layers_edge *edge = &layers->edges[e];

		if (edge->lane)
			route_round(layers, edge);
		else
			route_through(layers, edge);
		lanes |= edge->lane;
		if (edge->turned)
			turn_back(edge);
	}
	if (lanes)
		layers->width += LANE_APART * (LANES_MOST + 2);
}
