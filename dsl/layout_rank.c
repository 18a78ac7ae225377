#include "config.h"

#include "dsl/layout_layers.h"

#include <stdlib.h>
#include <string.h>

/* Bends that all long edges together may have, for each node and edge: what keeps the whole linear. Past it the longest edges
 * go round. */
enum { BENDS_PER_ITEM = 5, BENDS_LEAST = 4000 };

/* Edges by node. */
struct adjacency {
	uint32_t *in, *out; /* edge numbers */
	uint32_t *first_in, *first_out; /* n + 1 */
};

static void
adjacency_init(struct adjacency *a, struct layers *l)
{
	uint32_t n = l->n_given;

	a->in = arena_alloc(l->arena, l->n_edges * sizeof *a->in);
	a->out = arena_alloc(l->arena, l->n_edges * sizeof *a->out);
	a->first_in = arena_alloc(l->arena, (n + 2) * sizeof *a->first_in);
	a->first_out = arena_alloc(l->arena, (n + 2) * sizeof *a->first_out);
	/* Counted two places up, so that filling moves each start to where it belongs. */
	for (uint32_t e = 0; e < l->n_edges; e++) {
		a->first_in[l->edges[e].to + 2]++;
		a->first_out[l->edges[e].from + 2]++;
	}
	for (uint32_t v = 1; v <= n; v++) {
		a->first_in[v + 1] += a->first_in[v];
		a->first_out[v + 1] += a->first_out[v];
	}
	for (uint32_t e = 0; e < l->n_edges; e++) {
		a->in[a->first_in[l->edges[e].to + 1]++] = e;
		a->out[a->first_out[l->edges[e].from + 1]++] = e;
	}
}

static void
turn(struct layers_edge *edge)
{
	uint32_t from = edge->from;

	edge->from = edge->to;
	edge->to = from;
	edge->turned = true;
	/* What was given for the one border says nothing about the other. */
	edge->from_slot = edge->to_slot = 0;
	edge->from_dx = edge->to_dx = 0;
}

/* Turns every edge that leads back to a node on the way to it. Plans have none; other callers may. */
static void
break_cycles(struct layers *l)
{
	enum { NEW, OPEN, DONE };
	struct adjacency a;
	uint32_t n = l->n_given, *stack = arena_alloc(l->arena, n * sizeof *stack), depth = 0;
	uint32_t *next = arena_alloc(l->arena, n * sizeof *next);
	unsigned char *mark = arena_alloc(l->arena, n);

	adjacency_init(&a, l);
	for (uint32_t v = 0; v < n; v++)
		next[v] = a.first_out[v];
	for (uint32_t root = 0; root < n; root++) {
		if (mark[root] != NEW)
			continue;
		mark[root] = OPEN;
		stack[depth++] = root;
		while (depth) {
			uint32_t v = stack[depth - 1], w;
			struct layers_edge *edge;

			if (next[v] == a.first_out[v + 1]) {
				mark[v] = DONE;
				depth--;
				continue;
			}
			edge = &l->edges[a.out[next[v]++]];
			w = edge->to;
			if (mark[w] == OPEN) {
				turn(edge);
			} else if (mark[w] == NEW) {
				mark[w] = OPEN;
				stack[depth++] = w;
			}
		}
	}
}

/* Nodes so that every edge goes forwards; ranks by the longest way from above. */
static uint32_t *
longest_path(struct layers *l, const struct adjacency *a)
{
	uint32_t n = l->n_given, *topo = arena_alloc(l->arena, n * sizeof *topo), head = 0, tail = 0;
	uint32_t *missing = arena_alloc(l->arena, n * sizeof *missing);

	for (uint32_t v = 0; v < n; v++) {
		missing[v] = a->first_in[v + 1] - a->first_in[v];
		l->nodes[v].rank = l->nodes[v].kind == LAYERS_ENTRY ? 0 : 1;
		if (!missing[v])
			topo[tail++] = v;
	}
	while (head < tail) {
		uint32_t v = topo[head++];

		for (uint32_t i = a->first_out[v]; i < a->first_out[v + 1]; i++) {
			uint32_t w = l->edges[a->out[i]].to, rank = l->nodes[v].rank + l->nodes[v].span;

			if (l->nodes[w].rank < rank)
				l->nodes[w].rank = rank;
			if (!--missing[w])
				topo[tail++] = w;
		}
	}
	return topo;
}

/* Pulls a node towards its successors (down) or predecessors where at least as many lines are there. */
static void
tighten_node(struct layers *l, const struct adjacency *a, uint32_t v, bool down)
{
	struct layers_node *node = &l->nodes[v];
	uint32_t n_in = a->first_in[v + 1] - a->first_in[v], n_out = a->first_out[v + 1] - a->first_out[v];
	uint32_t bound = down ? UINT32_MAX : 0;

	if (node->kind != LAYERS_BOX || (down ? !n_out || n_out < n_in : !n_in || n_in < n_out))
		return;
	for (uint32_t i = 0; down && i < n_out; i++) {
		uint32_t rank = l->nodes[l->edges[a->out[a->first_out[v] + i]].to].rank;

		bound = rank < bound ? rank : bound;
	}
	for (uint32_t i = 0; !down && i < n_in; i++) {
		const struct layers_node *from = &l->nodes[l->edges[a->in[a->first_in[v] + i]].from];

		bound = from->rank + from->span > bound ? from->rank + from->span : bound;
	}
	node->rank = down ? bound - node->span : bound;
}

/* Edges as short as single moves make them: first everything down to what uses it, then back up what loses nothing by it,
 * so that only what hangs free of a start has moved. */
static void
tighten(struct layers *l, const struct adjacency *a, const uint32_t *topo)
{
	uint32_t n = l->n_given, last = 0;

	for (uint32_t v = 0; v < n; v++)
		if (l->nodes[v].kind != LAYERS_EXIT && l->nodes[v].rank + l->nodes[v].span - 1 > last)
			last = l->nodes[v].rank + l->nodes[v].span - 1;
	for (uint32_t v = 0; v < n; v++)
		if (l->nodes[v].kind == LAYERS_EXIT)
			l->nodes[v].rank = last + 1;
	for (uint32_t i = n; i-- > 0;)
		tighten_node(l, a, topo[i], true);
	for (uint32_t i = 0; i < n; i++)
		tighten_node(l, a, topo[i], false);
}

/* Layers in which no box begins go, and with them what high boxes take of them; ranks count from 0. */
static void
squeeze(struct layers *l)
{
	uint32_t last = 0, *before, used = 0;

	for (uint32_t v = 0; v < l->n_given; v++)
		last = l->nodes[v].rank + l->nodes[v].span > last ? l->nodes[v].rank + l->nodes[v].span : last;
	before = arena_alloc(l->arena, (last + 2) * sizeof *before);
	for (uint32_t v = 0; v < l->n_given; v++)
		before[l->nodes[v].rank] = 1;
	for (uint32_t r = 0; r <= last; r++) {
		uint32_t here = before[r];

		before[r] = used;
		used += here;
	}
	for (uint32_t v = 0; v < l->n_given; v++) {
		struct layers_node *node = &l->nodes[v];
		uint32_t end = before[node->rank + node->span];

		node->rank = before[node->rank];
		node->span = end - node->rank;
		l->slabs |= node->span > 1;
	}
	l->n_layers = used;
}

/* Layers from where the edge leaves its box to where it comes to the other. */
static uint32_t
length(const struct layers *l, const struct layers_edge *edge)
{
	return l->nodes[edge->to].rank - l->nodes[edge->from].rank - l->nodes[edge->from].span + 1;
}

/* The longest edge that may still pass through the layers, by how many of each length there are. */
static uint32_t
longest_allowed(struct layers *l)
{
	uint64_t budget = BENDS_LEAST + BENDS_PER_ITEM * ((uint64_t)l->n_given + l->n_edges), used = 0;
	uint32_t *count = arena_alloc(l->arena, (l->n_layers + 1) * sizeof *count);

	for (uint32_t e = 0; e < l->n_edges; e++)
		count[length(l, &l->edges[e])]++;
	for (uint32_t len = 2; len < l->n_layers; len++) {
		used += (uint64_t)count[len] * (len - 1);
		if (used > budget)
			return len - 1;
	}
	return l->n_layers;
}

static void
add_link(struct layers *l, const struct layers_edge *edge, uint32_t i, uint32_t from, uint32_t to)
{
	l->links[l->n_links++] = (struct layers_link){
		.from = from,
		.to = to,
		.from_slot = i ? 0 : edge->from_slot,
		.from_dx = i ? 0 : edge->from_dx,
		.to_slot = i + 1 < edge->n_links ? 0 : edge->to_slot,
		.to_dx = i + 1 < edge->n_links ? 0 : edge->to_dx,
	};
}

static uint32_t
add_bend(struct layers *l, uint32_t edge, uint32_t rank)
{
	l->nodes[l->n_nodes] = (struct layers_node){
		.kind = LAYERS_BEND, .id = edge, .rank = rank, .span = 1, .bottom = l->n_nodes, .in_slots = 1, .out_slots = 1,
	};
	return l->n_nodes++;
}

/* A node and a rigid link for each further layer of a high box. The last one has its lower border. */
static void
add_slabs(struct layers *l, uint32_t v)
{
	uint32_t at = v;

	l->nodes[v].bottom = v + (l->nodes[v].span > 1 ? l->n_nodes + l->nodes[v].span - 2 - v : 0);
	for (uint32_t i = 1; i < l->nodes[v].span; i++) {
		struct layers_node *slab = &l->nodes[l->n_nodes];

		*slab = (struct layers_node){ .kind = LAYERS_SLAB, .ports_given = true, .id = v, .width = l->nodes[v].width, .span = 1,
			.rank = l->nodes[v].rank + i, .bottom = l->n_nodes, .in_slots = 1, .out_slots = l->nodes[v].out_slots };
		if (i + 1 < l->nodes[v].span)
			slab->out_slots = 1;
		l->links[l->n_links++] = (struct layers_link){ .from = at, .to = l->n_nodes, .rigid = true };
		at = l->n_nodes++;
	}
	if (l->nodes[v].span > 1)
		l->nodes[v].out_slots = 1;
}

/* Makes the links, with a bend in every layer that an edge passes. */
static void
split(struct layers *l)
{
	uint32_t allowed = longest_allowed(l), n_links = 0, n_bends = 0, n_slabs = 0;
	struct layers_node *given = l->nodes;

	for (uint32_t e = 0; e < l->n_edges; e++) {
		struct layers_edge *edge = &l->edges[e];

		edge->lane = length(l, edge) > allowed;
		l->lanes |= edge->lane;
		edge->n_links = edge->lane ? 0 : length(l, edge);
		n_links += edge->n_links;
		n_bends += edge->n_links ? edge->n_links - 1 : 0;
	}
	for (uint32_t v = 0; v < l->n_given; v++)
		n_slabs += given[v].span - 1;
	l->nodes = arena_alloc(l->arena, ((size_t)l->n_given + n_slabs + n_bends) * sizeof *l->nodes);
	memcpy(l->nodes, given, l->n_given * sizeof *l->nodes);
	l->n_nodes = l->n_given;
	l->links = arena_alloc(l->arena, ((size_t)n_links + n_slabs) * sizeof *l->links);
	for (uint32_t v = 0; v < l->n_given; v++)
		add_slabs(l, v);
	for (uint32_t e = 0; e < l->n_edges; e++) {
		struct layers_edge *edge = &l->edges[e];
		uint32_t at = l->nodes[edge->from].bottom;

		edge->first_link = l->n_links;
		for (uint32_t i = 0; i < edge->n_links; i++) {
			uint32_t to = i + 1 < edge->n_links ? add_bend(l, e, l->nodes[at].rank + 1) : edge->to;

			add_link(l, edge, i, at, to);
			at = to;
		}
	}
}

/* A link of a node, to be sorted by its slot there. */
struct slot_item {
	uint32_t slot, link;
};

static int
by_slot(const void *pa, const void *pb)
{
	const struct slot_item *a = pa, *b = pb;

	if (a->slot != b->slot)
		return a->slot < b->slot ? -1 : 1;
	return a->link < b->link ? -1 : a->link > b->link;
}

static void
sort_by_slot(struct layers *l, uint32_t *links, uint32_t n, bool in)
{
	struct slot_item *items = arena_alloc(l->arena, n * sizeof *items);

	for (uint32_t k = 0; k < n; k++)
		items[k] = (struct slot_item){ in ? l->links[links[k]].to_slot : l->links[links[k]].from_slot, links[k] };
	qsort(items, n, sizeof *items, by_slot);
	for (uint32_t k = 0; k < n; k++)
		links[k] = items[k].link;
}

/* Room for the links of each node, and the links in it. */
static void
index_links(struct layers *l)
{
	uint32_t in = 0, out = 0;

	l->in_links = arena_alloc(l->arena, l->n_links * sizeof *l->in_links);
	l->out_links = arena_alloc(l->arena, l->n_links * sizeof *l->out_links);
	for (uint32_t k = 0; k < l->n_links; k++) {
		l->nodes[l->links[k].to].n_in++;
		l->nodes[l->links[k].from].n_out++;
	}
	for (uint32_t v = 0; v < l->n_nodes; v++) {
		struct layers_node *node = &l->nodes[v];

		node->first_in = in;
		node->first_out = out;
		in += node->n_in;
		out += node->n_out;
		node->n_in = node->n_out = 0;
	}
	for (uint32_t k = 0; k < l->n_links; k++) {
		struct layers_node *from = &l->nodes[l->links[k].from], *to = &l->nodes[l->links[k].to];

		l->in_links[to->first_in + to->n_in++] = k;
		l->out_links[from->first_out + from->n_out++] = k;
	}
	for (uint32_t v = 0; v < l->n_nodes; v++) {
		struct layers_node *node = &l->nodes[v];

		if (node->in_slots > 1)
			sort_by_slot(l, l->in_links + node->first_in, node->n_in, true);
		if (node->out_slots > 1)
			sort_by_slot(l, l->out_links + node->first_out, node->n_out, false);
	}
}

void
layout_rank(struct layers *layers)
{
	struct adjacency a;
	uint32_t *topo;

	break_cycles(layers);
	adjacency_init(&a, layers);
	topo = longest_path(layers, &a);
	tighten(layers, &a, topo);
	squeeze(layers);
	split(layers);
	index_links(layers);
}
