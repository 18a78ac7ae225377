/* A second look at x. The four corners of layout_place.c keep straight what can be straight, at the price of wide gaps in dense
 * graphs. Here every layer is moved towards its neighbours, as far as its own order lets it: the least squares of a whole
 * layer at once (isotonic regression by pooling adjacent violators), up and down a few times. Then what stands nearly
 * above each other is put exactly there where there is room. */
#include "config.h"

#include "dsl/layout_layers.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/macros.h"

enum { SWEEPS = 24, SNAP_SWEEPS = 4, SNAP = 24, WEIGHT_BENDS = 8, WEIGHT_BEND = 2 };

/* A run of nodes that touch each other and move as one. */
struct pool {
	double wish, weight; /* of its first node */
	uint32_t n;
};

struct relaxer {
	struct layers *l;
	double *offset; /* of each node of a layer, from its first when all touch */
	struct pool *pools;
};

static double
link_weight(const struct layers *l, const struct layers_link *link)
{
	bool a = l->nodes[link->from].kind == LAYERS_BEND, b = l->nodes[link->to].kind == LAYERS_BEND;

	return a && b ? WEIGHT_BENDS : a || b ? WEIGHT_BEND : 1;
}

/* Where the neighbours on both sides want the node; its weight is 0 when it has none. */
static double
wish_of(const struct layers *l, uint32_t v, double *ret_weight)
{
	const struct layers_node *node = &l->nodes[v];
	double sum = 0, weight = 0;

	for (uint32_t k = 0; k < node->n_in; k++) {
		const struct layers_link *link = &l->links[l->in_links[node->first_in + k]];
		double w = link_weight(l, link);

		sum += w * (l->nodes[link->from].x + link->from_dx - link->to_dx);
		weight += w;
	}
	for (uint32_t k = 0; k < node->n_out; k++) {
		const struct layers_link *link = &l->links[l->out_links[node->first_out + k]];
		double w = link_weight(l, link);

		sum += w * (l->nodes[link->to].x + link->to_dx - link->from_dx);
		weight += w;
	}
	*ret_weight = weight;
	return weight > 0 ? sum / weight : node->x;
}

static void
relax_layer(struct relaxer *r, uint32_t layer)
{
	struct layers *l = r->l;
	const uint32_t *order = l->order + l->starts[layer];
	uint32_t size = l->starts[layer + 1] - l->starts[layer], n = 0, at = 0;

	for (uint32_t i = 0; i < size; i++) {
		const struct layers_node *node = &l->nodes[order[i]], *left = i ? &l->nodes[order[i - 1]] : NULL;
		double weight, wish = wish_of(l, order[i], &weight);

		r->offset[i] = left ? r->offset[i - 1] + (left->width + node->width) / 2 + layout_gap(left, node) : 0;
		r->pools[n++] = (struct pool){ wish - r->offset[i], weight > 0 ? weight : 0.01, 1 };
		while (n > 1 && r->pools[n - 2].wish > r->pools[n - 1].wish) {
			struct pool *a = &r->pools[n - 2], *b = &r->pools[n - 1];

			a->wish = (a->wish * a->weight + b->wish * b->weight) / (a->weight + b->weight);
			a->weight += b->weight;
			a->n += b->n;
			n--;
		}
	}
	for (uint32_t p = 0; p < n; p++)
		for (uint32_t i = 0; i < r->pools[p].n; i++, at++)
			l->nodes[order[at]].x = r->pools[p].wish + r->offset[at];
}

/* Moves a node by at most SNAP to where its heaviest link is upright, if its neighbours leave room. */
static void
snap(struct layers *l, uint32_t v, bool above)
{
	struct layers_node *node = &l->nodes[v];
	uint32_t n = above ? node->n_in : node->n_out;
	const uint32_t *order = l->order + l->starts[node->rank];
	double best = DBL_MAX, best_weight = 0;

	for (uint32_t k = 0; k < n; k++) {
		const struct layers_link *link =
			&l->links[above ? l->in_links[node->first_in + k] : l->out_links[node->first_out + k]];
		double x = above ? l->nodes[link->from].x + link->from_dx - link->to_dx : l->nodes[link->to].x + link->to_dx - link->from_dx;
		double weight = link_weight(l, link);

		if (fabs(x - node->x) <= SNAP && (weight > best_weight || (weight >= best_weight && fabs(x - node->x) < fabs(best - node->x)))) {
			best = x;
			best_weight = weight;
		}
	}
	if (best_weight <= 0)
		return;
	if (node->pos) {
		const struct layers_node *left = &l->nodes[order[node->pos - 1]];

		if (best < left->x + (left->width + node->width) / 2 + layout_gap(left, node))
			return;
	}
	if (node->rank + 1u <= l->n_layers && node->pos + 1 < l->starts[node->rank + 1] - l->starts[node->rank]) {
		const struct layers_node *right = &l->nodes[order[node->pos + 1]];

		if (best > right->x - (right->width + node->width) / 2 - layout_gap(node, right))
			return;
	}
	node->x = best;
}

static void
snap_layer(struct layers *l, uint32_t layer, bool above)
{
	for (uint32_t i = l->starts[layer]; i < l->starts[layer + 1]; i++)
		snap(l, l->order[i], above);
}

void
layout_relax(struct layers *layers)
{
	uint32_t n = layers->n_layers;
	struct relaxer r = {
		.l = layers,
		.offset = xmalloc((layers->n_nodes + 1) * sizeof *r.offset),
		.pools = xmalloc((layers->n_nodes + 1) * sizeof *r.pools),
	};

	for (int sweep = 0; sweep < SWEEPS; sweep++)
		for (uint32_t i = 0; i < n; i++)
			relax_layer(&r, sweep % 2 ? n - 1 - i : i);
	for (int sweep = 0; sweep < SNAP_SWEEPS; sweep++)
		for (uint32_t i = 0; i < n; i++)
			snap_layer(layers, sweep % 2 ? n - 1 - i : i, sweep % 2 == 0);
	free(r.offset);
	free(r.pools);
}
