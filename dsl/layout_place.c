/* x coordinates after U. Brandes and B. Köpf, "Fast and simple horizontal coordinate assignment" (2001): four layouts, each of
 * which lines nodes up with their median neighbours from one corner, and of the four the mean of the two middle ones. Blocks of
 * aligned nodes are packed by longest ways in the graph of blocks, which has none of the original's trouble with classes. */
#include "config.h"

#include "dsl/layout_layers.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

enum { GAP_BOXES = 36, GAP_BOX_BEND = 24, GAP_BENDS = 16 };

/* Wider than this many times what it needs, straight lines cost too much. */
static const double WIDE = 1.6;
/* A lean of so few pixels looks like a mistake. */
static const double ALMOST_UPRIGHT = 12;

struct placer {
	struct layers *l;
	bool up, right; /* which corner: sweeps go up, and from the right with x negated */
	bool *conflict; /* by link: it crosses a piece of a long edge, which goes before */
	uint32_t *root, *align; /* the block's first node, and the next node of the block */
	double *inner; /* of a node, from its block's x */
	double *x; /* of a block */
	double *result[4]; /* by node */
	/* the graph of blocks */
	uint32_t *first, *to, *missing, *topo;
	double *apart;
};

double
layout_gap(const struct layers_node *left, const struct layers_node *right)
{
	bool a = left->kind == LAYERS_BOX || left->kind == LAYERS_SLAB, b = right->kind == LAYERS_BOX || right->kind == LAYERS_SLAB;

	return a && b ? GAP_BOXES : a || b ? GAP_BOX_BEND : GAP_BENDS;
}

static uint32_t
layer_size(const struct layers *l, uint32_t r)
{
	return l->starts[r + 1] - l->starts[r];
}

/* ---- conflicts ---- */

/* The node above a bend when that is a bend too, or above a slab: what has to be upright. UINT32_MAX otherwise. */
static uint32_t
upright_above(const struct layers *l, uint32_t v)
{
	const struct layers_link *link;

	if (l->nodes[v].kind != LAYERS_BEND && l->nodes[v].kind != LAYERS_SLAB)
		return UINT32_MAX;
	link = &l->links[l->in_links[l->nodes[v].first_in]];
	return link->rigid || l->nodes[link->from].kind == LAYERS_BEND ? link->from : UINT32_MAX;
}

static void
mark_node(struct placer *p, uint32_t v, uint32_t least, uint32_t most)
{
	struct layers *l = p->l;
	const struct layers_node *node = &l->nodes[v];

	for (uint32_t k = 0; k < node->n_in; k++) {
		uint32_t link = l->in_links[node->first_in + k], u = l->links[link].from;

		if (l->nodes[u].pos < least || l->nodes[u].pos > most)
			p->conflict[link] = upright_above(l, v) == UINT32_MAX;
	}
}

static void
mark_conflicts(struct placer *p)
{
	struct layers *l = p->l;

	for (uint32_t r = 1; r < l->n_layers; r++) {
		uint32_t least = 0, next = 0, size = layer_size(l, r);

		for (uint32_t i = 0; i < size; i++) {
			uint32_t above = upright_above(l, l->order[l->starts[r] + i]), most;

			if (above == UINT32_MAX && i + 1 < size)
				continue;
			most = above == UINT32_MAX ? layer_size(l, r - 1) : l->nodes[above].pos;
			for (; next <= i; next++)
				mark_node(p, l->order[l->starts[r] + next], least, most);
			least = most;
		}
	}
}

/* ---- blocks ---- */

/* The node at a place as this corner sees it. */
static uint32_t
node_at(const struct placer *p, uint32_t layer, uint32_t i)
{
	const struct layers *l = p->l;
	uint32_t r = p->up ? l->n_layers - 1 - layer : layer;

	return l->order[p->right ? l->starts[r + 1] - 1 - i : l->starts[r] + i];
}

static uint32_t
place_of(const struct placer *p, uint32_t v)
{
	const struct layers_node *node = &p->l->nodes[v];

	return p->right ? layer_size(p->l, node->rank) - 1 - node->pos : node->pos;
}

static uint32_t
link_at(const struct placer *p, const struct layers_node *node, uint32_t i)
{
	uint32_t n = p->up ? node->n_out : node->n_in, k = p->right ? n - 1 - i : i;

	return p->up ? p->l->out_links[node->first_out + k] : p->l->in_links[node->first_in + k];
}

/* Hangs v below its neighbour u, so that the link is upright. */
static void
join(struct placer *p, uint32_t v, const struct layers_link *link)
{
	uint32_t u = p->up ? link->to : link->from;
	double shift = p->up ? link->to_dx - link->from_dx : link->from_dx - link->to_dx;

	p->align[u] = v;
	p->root[v] = p->root[u];
	p->align[v] = p->root[v];
	p->inner[v] = p->inner[u] + (p->right ? -shift : shift);
}

static void
align_node(struct placer *p, uint32_t v, uint32_t *ret_free)
{
	const struct layers_node *node = &p->l->nodes[v];
	uint32_t n = p->up ? node->n_out : node->n_in;

	for (uint32_t m = n ? (n - 1) / 2 : 0; m < n && m <= n / 2 && p->align[v] == v; m++) {
		uint32_t number = link_at(p, node, m);
		const struct layers_link *link = &p->l->links[number];
		uint32_t place = place_of(p, p->up ? link->to : link->from);

		if (p->conflict[number] || place < *ret_free)
			continue;
		join(p, v, link);
		*ret_free = place + 1;
	}
}

static void
align_all(struct placer *p)
{
	struct layers *l = p->l;

	for (uint32_t v = 0; v < l->n_nodes; v++) {
		p->root[v] = p->align[v] = v;
		p->inner[v] = 0;
	}
	for (uint32_t layer = 1; layer < l->n_layers; layer++) {
		uint32_t size = layer_size(l, p->up ? l->n_layers - 1 - layer : layer), free_from = 0;

		for (uint32_t i = 0; i < size; i++)
			align_node(p, node_at(p, layer, i), &free_from);
	}
}

/* ---- packing ---- */

/* Calls for each pair of neighbours; fills in edges of the block graph when `fill`, counts them otherwise. */
static void
block_edges(struct placer *p, bool fill)
{
	struct layers *l = p->l;

	for (uint32_t layer = 0; layer < l->n_layers; layer++) {
		uint32_t size = layer_size(l, p->up ? l->n_layers - 1 - layer : layer);

		for (uint32_t i = 1; i < size; i++) {
			uint32_t a = node_at(p, layer, i - 1), b = node_at(p, layer, i), at;
			const struct layers_node *na = &l->nodes[a], *nb = &l->nodes[b];

			if (!fill) {
				p->first[p->root[a] + 2]++;
				continue;
			}
			at = p->first[p->root[a] + 1]++;
			p->to[at] = p->root[b];
			p->apart[at] = (na->width + nb->width) / 2 + layout_gap(na, nb) + p->inner[a] - p->inner[b];
			p->missing[p->root[b]]++;
		}
	}
}

static void
block_graph(struct placer *p)
{
	uint32_t n = p->l->n_nodes;

	memset(p->first, 0, ((size_t)n + 2) * sizeof *p->first);
	memset(p->missing, 0, n * sizeof *p->missing);
	block_edges(p, false);
	for (uint32_t v = 1; v <= n; v++)
		p->first[v + 1] += p->first[v];
	block_edges(p, true);
}

/* As far left as they go, then as far right again as the blocks to the right allow. */
static void
pack(struct placer *p)
{
	uint32_t n = p->l->n_nodes, head = 0, tail = 0;

	block_graph(p);
	for (uint32_t v = 0; v < n; v++) {
		p->x[v] = 0;
		if (p->root[v] == v && !p->missing[v])
			p->topo[tail++] = v;
	}
	while (head < tail) {
		uint32_t v = p->topo[head++];

		for (uint32_t k = p->first[v]; k < p->first[v + 1]; k++) {
			uint32_t w = p->to[k];

			if (p->x[w] < p->x[v] + p->apart[k])
				p->x[w] = p->x[v] + p->apart[k];
			if (!--p->missing[w])
				p->topo[tail++] = w;
		}
	}
	while (tail--) {
		uint32_t v = p->topo[tail];
		double most = DBL_MAX;

		for (uint32_t k = p->first[v]; k < p->first[v + 1]; k++)
			if (p->x[p->to[k]] - p->apart[k] < most)
				most = p->x[p->to[k]] - p->apart[k];
		if (most < DBL_MAX && most > p->x[v])
			p->x[v] = most;
	}
}

static void
place_from(struct placer *p, unsigned corner)
{
	p->up = corner & 2;
	p->right = corner & 1;
	align_all(p);
	pack(p);
	for (uint32_t v = 0; v < p->l->n_nodes; v++) {
		double x = p->x[p->root[v]] + p->inner[v];

		p->result[corner][v] = p->right ? -x : x;
	}
}

/* ---- balance ---- */

static void
extent(const struct placer *p, unsigned corner, double *ret_left, double *ret_right)
{
	*ret_left = DBL_MAX;
	*ret_right = -DBL_MAX;
	for (uint32_t v = 0; v < p->l->n_nodes; v++) {
		double x = p->result[corner][v], half = p->l->nodes[v].width / 2;

		*ret_left = x - half < *ret_left ? x - half : *ret_left;
		*ret_right = x + half > *ret_right ? x + half : *ret_right;
	}
}

/* Moves the four over the narrowest: those from the left to its left end, the others to its right end. */
static void
line_up(struct placer *p)
{
	double left[4], right[4];
	unsigned narrowest = 0;

	for (unsigned c = 0; c < 4; c++) {
		extent(p, c, &left[c], &right[c]);
		if (right[c] - left[c] < right[narrowest] - left[narrowest])
			narrowest = c;
	}
	for (unsigned c = 0; c < 4; c++) {
		double shift = c & 1 ? right[narrowest] - right[c] : left[narrowest] - left[c];

		for (uint32_t v = 0; v < p->l->n_nodes; v++)
			p->result[c][v] += shift;
	}
}

static double
middle(const struct placer *p, uint32_t v)
{
	double least = p->result[0][v], most = least, sum = least;

	for (unsigned c = 1; c < 4; c++) {
		double x = p->result[c][v];

		least = x < least ? x : least;
		most = x > most ? x : most;
		sum += x;
	}
	return (sum - least - most) / 2;
}

/* The width of the layer that needs most. */
static double
width_needed(const struct layers *l)
{
	double most = 0;

	for (uint32_t r = 0; r < l->n_layers; r++) {
		double width = 0;

		for (uint32_t i = l->starts[r]; i < l->starts[r + 1]; i++) {
			const struct layers_node *node = &l->nodes[l->order[i]];

			width += node->width + (i > l->starts[r] ? layout_gap(&l->nodes[l->order[i - 1]], node) : 0);
		}
		most = width > most ? width : most;
	}
	return most;
}

/* Puts the left end at 0; the width. */
static void
move_to_left(struct layers *l)
{
	double left = DBL_MAX, right = -DBL_MAX;

	for (uint32_t v = 0; v < l->n_nodes; v++) {
		const struct layers_node *node = &l->nodes[v];

		left = node->x - node->width / 2 < left ? node->x - node->width / 2 : left;
		right = node->x + node->width / 2 > right ? node->x + node->width / 2 : right;
	}
	for (uint32_t v = 0; v < l->n_nodes; v++)
		l->nodes[v].x -= left;
	l->width = right - left;
}

static void
balance(struct placer *p)
{
	struct layers *l = p->l;

	line_up(p);
	for (uint32_t v = 0; v < l->n_nodes; v++)
		l->nodes[v].x = middle(p, v);
	move_to_left(l);
	if (l->width > WIDE * width_needed(l) && !l->slabs)
		layout_relax(l);
	else
		layout_straighten(l, ALMOST_UPRIGHT);
	move_to_left(l);
}

void
layout_place(struct layers *layers)
{
	struct arena *arena = layers->arena;
	size_t n = (size_t)layers->n_nodes + 2;
	struct placer p = {
		.l = layers,
		.conflict = arena_alloc(arena, layers->n_links * sizeof *p.conflict),
		.root = arena_alloc(arena, n * sizeof *p.root),
		.align = arena_alloc(arena, n * sizeof *p.align),
		.inner = arena_alloc(arena, n * sizeof *p.inner),
		.x = arena_alloc(arena, n * sizeof *p.x),
		.first = arena_alloc(arena, n * sizeof *p.first),
		.to = arena_alloc(arena, n * sizeof *p.to),
		.missing = arena_alloc(arena, n * sizeof *p.missing),
		.topo = arena_alloc(arena, n * sizeof *p.topo),
		.apart = arena_alloc(arena, n * sizeof *p.apart),
	};

	for (unsigned c = 0; c < 4; c++)
		p.result[c] = arena_alloc(arena, n * sizeof *p.result[c]);
	mark_conflicts(&p);
	for (unsigned c = 0; c < 4; c++)
		place_from(&p, c);
	balance(&p);
}
