/* A second look at x. The four corners of layout_place.c keep straight what can be straight, at the price of wide gaps in dense
 * graphs. Here every layer is moved towards its neighbours, as far as its own order lets it: the least squares of a whole
 * layer at once (isotonic regression by pooling adjacent violators), up and down a few times. Then what stands nearly
 * above each other is put exactly there where there is room. */
#include "config.h"

#include "dsl/layout_layers.h"

#include <math.h>
#include <stdlib.h>

#include "base/macros.h"

enum { SWEEPS = 24, STRAIGHTEN_SWEEPS = 4, STRAIGHTEN_MOST = 24, WEIGHT_BENDS = 8, WEIGHT_BEND = 2 };

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

/* The x nearest to the node's, at most `most` away, at which its heaviest link on that side is upright; its own if there is none. */
static double
upright(const struct layers *l, const struct layers_node *node, bool above, double most)
{
	uint32_t n = above ? node->n_in : node->n_out;
	double best = node->x, best_weight = 0;

	for (uint32_t k = 0; k < n; k++) {
		const struct layers_link *link =
			&l->links[above ? l->in_links[node->first_in + k] : l->out_links[node->first_out + k]];
		double x = above ? l->nodes[link->from].x + link->from_dx - link->to_dx : l->nodes[link->to].x + link->to_dx - link->from_dx;
		double weight = link_weight(l, link), away = fabs(x - node->x);

		if (away > most || weight < best_weight || (weight <= best_weight && away >= fabs(best - node->x)))
			continue;
		best = x;
		best_weight = weight;
	}
	return best;
}

/* Is there room for the node at x between its neighbours in the layer? */
static bool
fits(const struct layers *l, const struct layers_node *node, double x)
{
	const uint32_t *order = l->order + l->starts[node->rank];
	uint32_t size = l->starts[node->rank + 1] - l->starts[node->rank];
	const struct layers_node *left = node->pos ? &l->nodes[order[node->pos - 1]] : NULL;
	const struct layers_node *right = node->pos + 1 < size ? &l->nodes[order[node->pos + 1]] : NULL;

	return (!left || x >= left->x + (left->width + node->width) / 2 + layout_gap(left, node)) &&
	       (!right || x <= right->x - (right->width + node->width) / 2 - layout_gap(node, right));
}

void
layout_straighten(struct layers *layers, double most)
{
	for (int sweep = 0; sweep < STRAIGHTEN_SWEEPS; sweep++) {
		for (uint32_t i = 0; i < layers->n_nodes; i++) {
			uint32_t v = layers->order[sweep % 2 ? layers->n_nodes - 1 - i : i];
			struct layers_node *node = &layers->nodes[v];
			double x = upright(layers, node, sweep % 2 == 0, most);

			/* The layers of a high box stay above each other. */
			if (node->kind != LAYERS_SLAB && node->span == 1 && fits(layers, node, x))
				node->x = x;
		}
	}
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
	layout_straighten(layers, STRAIGHTEN_MOST);
	free(r.offset);
	free(r.pools);
}
