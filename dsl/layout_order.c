#include "config.h"

#include "dsl/layout_layers.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

/* How long to look for a better order. A round is a sweep over all layers with its swaps; small graphs get many rounds from
 * several starts, large ones a few from one, so that the work stays linear in the links. */
enum { WORK = 400000, ROUNDS_LEAST = 10, ROUNDS_MOST = 1000, PATIENCE = 6, SWAP_PASSES = 8, STARTS_MOST = 100, SHAKEN = 5 };

/* A crossing counts as the product of its links' weights: one with a rigid link is worse than all others together. */
enum { RIGID = 1 << 20 };

struct orderer {
	struct layers *l;
	uint32_t *best; /* order of the best so far */
	uint64_t best_crossings;
	double *key; /* by node */
	struct sort_item {
		double key;
		uint32_t node, place;
	} *sorted;
	uint64_t *tree; /* weights by slot, as a Fenwick tree */
	uint32_t *bucket; /* for counting */
	struct end_item {
		uint32_t slot, weight;
	} *sequence;
	uint32_t *fill;
	struct end_item *up, *down; /* the other ends, sorted, laid out as in_links and out_links */
	uint64_t random;
};

/* xorshift64*: the same numbers everywhere. */
static uint32_t
random_below(struct orderer *o, uint32_t n)
{
	o->random ^= o->random >> 12;
	o->random ^= o->random << 25;
	o->random ^= o->random >> 27;
	return (uint32_t)((o->random * 0x2545F4914F6CDD1Du) >> 33) % n;
}

static uint32_t
layer_size(const struct layers *l, uint32_t r)
{
	return l->starts[r + 1] - l->starts[r];
}

/* Numbers nodes and slots of a layer after its order has changed. */
static void
number_layer(struct layers *l, uint32_t r)
{
	uint32_t in = 0, out = 0;

	for (uint32_t i = l->starts[r]; i < l->starts[r + 1]; i++) {
		struct layers_node *node = &l->nodes[l->order[i]];

		node->pos = i - l->starts[r];
		node->in_base = in;
		node->out_base = out;
		in += node->in_slots;
		out += node->out_slots;
	}
}

static uint32_t
upper_slot(const struct layers *l, const struct layers_link *link)
{
	return l->nodes[link->from].out_base + link->from_slot;
}

static uint32_t
lower_slot(const struct layers *l, const struct layers_link *link)
{
	return l->nodes[link->to].in_base + link->to_slot;
}

static uint32_t
weight_of(const struct layers_link *link)
{
	return link->rigid ? RIGID : 1;
}

/* ---- counting ---- */

/* The lower ends of the links between layers r and r + 1, by upper end and then lower end: sorted by counting. */
static uint32_t
link_sequence(struct orderer *o, uint32_t r)
{
	struct layers *l = o->l;
	const struct layers_node *last = &l->nodes[l->order[l->starts[r + 1] - 1]];
	uint32_t n_slots = last->out_base + last->out_slots, n = 0;

	memset(o->bucket, 0, (n_slots + 1) * sizeof *o->bucket);
	for (uint32_t i = l->starts[r + 1]; i < l->starts[r + 2]; i++) {
		const struct layers_node *node = &l->nodes[l->order[i]];

		for (uint32_t k = 0; k < node->n_in; k++, n++)
			o->bucket[upper_slot(l, &l->links[l->in_links[node->first_in + k]]) + 1]++;
	}
	for (uint32_t s = 0; s < n_slots; s++)
		o->bucket[s + 1] += o->bucket[s];
	for (uint32_t i = l->starts[r + 1]; i < l->starts[r + 2]; i++) {
		const struct layers_node *node = &l->nodes[l->order[i]];

		for (uint32_t k = 0; k < node->n_in; k++) {
			const struct layers_link *link = &l->links[l->in_links[node->first_in + k]];

			o->sequence[o->bucket[upper_slot(l, link)]++] = (struct end_item){ lower_slot(l, link), weight_of(link) };
		}
	}
	return n;
}

/* Pairs of links that cross: inversions of that sequence. in_links are kept sorted by slot within a node, so links of one
 * lower node to several of its slots come in order. */
static uint64_t
crossings_below(struct orderer *o, uint32_t r)
{
	struct layers *l = o->l;
	const struct layers_node *last = &l->nodes[l->order[l->starts[r + 2] - 1]];
	uint32_t n_slots = last->in_base + last->in_slots, n = link_sequence(o, r);
	uint64_t crossings = 0, all = 0;

	memset(o->tree, 0, (n_slots + 1) * sizeof *o->tree);
	for (uint32_t i = 0; i < n; i++) {
		uint64_t not_right = 0, weight = o->sequence[i].weight;

		for (uint32_t s = o->sequence[i].slot + 1; s; s -= s & -s)
			not_right += o->tree[s];
		crossings += weight * (all - not_right);
		for (uint32_t s = o->sequence[i].slot + 1; s <= n_slots; s += s & -s)
			o->tree[s] += weight;
		all += weight;
	}
	return crossings;
}

static uint64_t
inside_crossings(struct orderer *o)
{
	uint64_t crossings = 0;

	for (uint32_t r = 0; r + 1 < o->l->n_layers; r++)
		crossings += crossings_below(o, r);
	return crossings;
}

/* Lines that cross on their way from the border of the group to where they lead, above or below. */
static uint64_t
outside_crossings(struct orderer *o, uint32_t r, enum layers_kind kind)
{
	struct layers *l = o->l;
	uint32_t n = l->starts[r + 1] - l->starts[r];
	uint64_t crossings = 0, before = 0;

	memset(o->tree, 0, (n + 1) * sizeof *o->tree);
	for (uint32_t i = l->starts[r]; i < l->starts[r + 1]; i++) {
		const struct layers_node *node = &l->nodes[l->order[i]];

		if (node->kind != kind)
			continue;
		crossings += before++;
		for (uint32_t s = node->outside_place + 1; s; s -= s & -s)
			crossings -= o->tree[s];
		for (uint32_t s = node->outside_place + 1; s <= n; s += s & -s)
			o->tree[s]++;
	}
	return crossings;
}

static uint64_t
all_crossings(struct orderer *o)
{
	uint64_t crossings = inside_crossings(o);

	if (o->l->outside) {
		crossings += outside_crossings(o, 0, LAYERS_ENTRY);
		crossings += outside_crossings(o, o->l->n_layers - 1, LAYERS_EXIT);
	}
	return crossings;
}

/* ---- starts ---- */

/* Layers in the order in which a walk along the links meets their nodes: a tree comes out without a crossing. */
static void
walk_start(struct orderer *o, bool both_ways, bool from_below)
{
	struct layers *l = o->l;
	uint32_t *stack = xmalloc((2 * (size_t)l->n_links + l->n_nodes + 1) * sizeof *stack), depth = 0;
	unsigned char *seen = xcalloc(l->n_nodes + 1, 1);
	uint32_t *fill = xcalloc(l->n_layers + 1, sizeof *fill);

	for (uint32_t i = 0; i < l->n_nodes; i++) {
		uint32_t root = from_below ? l->n_nodes - 1 - i : i;

		if (seen[root] || (!both_ways && (from_below ? l->nodes[root].n_out : l->nodes[root].n_in)))
			continue;
		stack[depth++] = root;
		while (depth) {
			uint32_t v = stack[--depth];
			const struct layers_node *node = &l->nodes[v];

			if (seen[v])
				continue;
			seen[v] = 1;
			l->order[l->starts[node->rank] + fill[node->rank]++] = v;
			for (uint32_t k = node->n_in; (both_ways || from_below) && k-- > 0;)
				stack[depth++] = l->links[l->in_links[node->first_in + k]].from;
			for (uint32_t k = node->n_out; (both_ways || !from_below) && k-- > 0;)
				stack[depth++] = l->links[l->out_links[node->first_out + k]].to;
		}
	}
	free(stack);
	free(seen);
	free(fill);
}

/* The best order so far, shaken: in some layers a stretch of nodes in another order. */
static void
shaken_start(struct orderer *o)
{
	struct layers *l = o->l;

	memcpy(l->order, o->best, l->n_nodes * sizeof *o->best);
	for (uint32_t i = 0; i < 1 + l->n_layers / 4; i++) {
		uint32_t r = random_below(o, l->n_layers), size = layer_size(l, r), n = size < SHAKEN ? size : SHAKEN;
		uint32_t *at = &l->order[l->starts[r] + random_below(o, size - n + 1)];

		for (; n > 1; n--) {
			uint32_t j = random_below(o, n), t = at[n - 1];

			at[n - 1] = at[j];
			at[j] = t;
		}
	}
}

/* ---- sweeps ---- */

static int
by_key(const void *pa, const void *pb)
{
	const struct sort_item *a = pa, *b = pb;

	if (a->key < b->key || a->key > b->key)
		return a->key < b->key ? -1 : 1;
	return a->place < b->place ? -1 : a->place > b->place;
}

static int
by_key_backwards(const void *pa, const void *pb)
{
	const struct sort_item *a = pa, *b = pb;

	if (a->key < b->key || a->key > b->key)
		return a->key < b->key ? -1 : 1;
	return a->place > b->place ? -1 : a->place < b->place;
}

/* Where a node's neighbours above (or below) stand on average; negative when it has none. */
static double
barycentre(const struct layers *l, const struct layers_node *node, bool from_above)
{
	uint32_t n = from_above ? node->n_in : node->n_out;
	double sum = 0;

	if (l->outside && node->kind == (from_above ? LAYERS_ENTRY : LAYERS_EXIT))
		return node->outside_place;
	for (uint32_t k = 0; k < n; k++) {
		const struct layers_link *link =
			&l->links[from_above ? l->in_links[node->first_in + k] : l->out_links[node->first_out + k]];

		sum += from_above ? upper_slot(l, link) : lower_slot(l, link);
	}
	return n ? sum / n : -1;
}

/* Orders a layer by its neighbours; nodes without any stay where they are. */
static void
order_layer(struct orderer *o, uint32_t r, bool from_above, bool backwards)
{
	struct layers *l = o->l;
	uint32_t *at = &l->order[l->starts[r]], size = layer_size(l, r), n = 0, next = 0;

	for (uint32_t i = 0; i < size; i++) {
		double key = barycentre(l, &l->nodes[at[i]], from_above);

		o->key[at[i]] = key;
		if (key >= 0)
			o->sorted[n++] = (struct sort_item){ .key = key, .node = at[i], .place = i };
	}
	qsort(o->sorted, n, sizeof *o->sorted, backwards ? by_key_backwards : by_key);
	for (uint32_t i = 0; i < size; i++)
		if (o->key[at[i]] >= 0)
			at[i] = o->sorted[next++].node;
	number_layer(l, r);
}

/* ---- swaps of neighbours ---- */

/* For the nodes of layer r, the slots of their neighbours above and below, each list sorted. */
static void
gather_slots(struct orderer *o, uint32_t r)
{
	struct layers *l = o->l;

	for (uint32_t i = l->starts[r]; i < l->starts[r + 1]; i++) {
		struct layers_node *node = &l->nodes[l->order[i]];

		o->bucket[l->order[i]] = node->first_in;
		o->fill[l->order[i]] = node->first_out;
	}
	for (uint32_t i = r ? l->starts[r - 1] : 0; r && i < l->starts[r]; i++) {
		const struct layers_node *node = &l->nodes[l->order[i]];

		for (uint32_t k = 0; k < node->n_out; k++) {
			const struct layers_link *link = &l->links[l->out_links[node->first_out + k]];

			o->up[o->bucket[link->to]++] = (struct end_item){ upper_slot(l, link), weight_of(link) };
		}
	}
	for (uint32_t i = l->starts[r + 1]; r + 1 < l->n_layers && i < l->starts[r + 2]; i++) {
		const struct layers_node *node = &l->nodes[l->order[i]];

		for (uint32_t k = 0; k < node->n_in; k++) {
			const struct layers_link *link = &l->links[l->in_links[node->first_in + k]];

			o->down[o->fill[link->from]++] = (struct end_item){ lower_slot(l, link), weight_of(link) };
		}
	}
}

/* How many crossings are saved when two sorted lists of ends change sides. */
static int64_t
gain(const struct end_item *a, uint32_t n_a, const struct end_item *b, uint32_t n_b)
{
	int64_t saved = 0, left = 0, not_right = 0, all = 0;
	uint32_t i_left = 0, i_not_right = 0;

	for (uint32_t k = 0; k < n_b; k++)
		all += b[k].weight;
	/* Now a crosses what is left of it in b; then it would cross what is right of it. */
	for (uint32_t i = 0; i < n_a; i++) {
		for (; i_left < n_b && b[i_left].slot < a[i].slot; i_left++)
			left += b[i_left].weight;
		for (; i_not_right < n_b && b[i_not_right].slot <= a[i].slot; i_not_right++)
			not_right += b[i_not_right].weight;
		saved += (int64_t)a[i].weight * (left - (all - not_right));
	}
	return saved;
}

static int64_t
swap_gain(const struct orderer *o, uint32_t left, uint32_t right)
{
	const struct layers_node *a = &o->l->nodes[left], *b = &o->l->nodes[right];

	int64_t outside = 0;

	if (o->l->outside && a->kind == b->kind && (a->kind == LAYERS_ENTRY || a->kind == LAYERS_EXIT))
		outside = a->outside_place > b->outside_place ? 1 : -1;
	return gain(o->up + a->first_in, a->n_in, o->up + b->first_in, b->n_in) +
	       gain(o->down + a->first_out, a->n_out, o->down + b->first_out, b->n_out) + outside;
}

/* Swaps neighbours where that saves crossings (or costs none, when `loose`); says whether any were saved. */
static bool
swap_layer(struct orderer *o, uint32_t r, bool loose)
{
	struct layers *l = o->l;
	uint32_t *at = &l->order[l->starts[r]], size = layer_size(l, r);
	bool saved = false, moved = false;

	gather_slots(o, r);
	for (uint32_t i = 0; i + 1 < size; i++) {
		int64_t g = swap_gain(o, at[i], at[i + 1]);

		if (g > 0 || (loose && g == 0)) {
			uint32_t t = at[i];

			at[i] = at[i + 1];
			at[i + 1] = t;
			moved = true;
			saved |= g > 0;
		}
	}
	if (moved)
		number_layer(l, r);
	return saved;
}

static void
swap_all(struct orderer *o, bool loose)
{
	for (int pass = 0; pass < SWAP_PASSES; pass++) {
		bool saved = false;

		for (uint32_t r = 0; r < o->l->n_layers; r++)
			saved |= swap_layer(o, r, loose && pass == 0);
		if (!saved)
			return;
	}
}

/* ---- all together ---- */

/* Takes the order that is there as the best if it is; returns its crossings. */
static uint64_t
keep_if_best(struct orderer *o)
{
	uint64_t crossings = all_crossings(o);

	if (crossings < o->best_crossings) {
		o->best_crossings = crossings;
		memcpy(o->best, o->l->order, o->l->n_nodes * sizeof *o->best);
	}
	return crossings;
}

static void
number_all(struct layers *l)
{
	for (uint32_t r = 0; r < l->n_layers; r++)
		number_layer(l, r);
}

/* Sweeps down and up from the order that is there until it gets no better; returns the rounds it took. */
static uint32_t
improve(struct orderer *o, uint32_t rounds)
{
	struct layers *l = o->l;
	uint32_t since = 0, round = 0;
	uint64_t reached = UINT64_MAX;

	for (; round < rounds && since < PATIENCE && o->best_crossings; round++) {
		bool down = round % 2 == 0, backwards = round / 2 % 2 == 1;
		uint64_t crossings;

		for (uint32_t i = l->outside ? 0 : 1; i < l->n_layers; i++)
			order_layer(o, down ? i : l->n_layers - 1 - i, down, backwards);
		swap_all(o, backwards);
		crossings = keep_if_best(o);
		since = crossings < reached ? 0 : since + 1;
		reached = crossings < reached ? crossings : reached;
	}
	return round ? round : 1;
}

static void
orderer_init(struct orderer *o, struct layers *l)
{
	uint32_t slots = 1;

	for (uint32_t v = 0; v < l->n_nodes; v++)
		slots += l->nodes[v].in_slots > l->nodes[v].out_slots ? l->nodes[v].in_slots : l->nodes[v].out_slots;
	*o = (struct orderer){
		.l = l,
		.best = xmalloc((l->n_nodes + 1) * sizeof *o->best),
		.best_crossings = UINT64_MAX,
		.key = xmalloc((l->n_nodes + 1) * sizeof *o->key),
		.sorted = xmalloc((l->n_nodes + 1) * sizeof *o->sorted),
		.tree = xmalloc((slots + 1) * sizeof *o->tree),
		.bucket = xmalloc((slots + l->n_nodes + 1) * sizeof *o->bucket),
		.sequence = xmalloc((l->n_links + 1) * sizeof *o->sequence),
		.fill = xmalloc((l->n_nodes + 1) * sizeof *o->fill),
		.up = xmalloc((l->n_links + 1) * sizeof *o->up),
		.down = xmalloc((l->n_links + 1) * sizeof *o->down),
		.random = 0x9E3779B97F4A7C15u,
	};
}

static void
orderer_release(struct orderer *o)
{
	free(o->best);
	free(o->key);
	free(o->sorted);
	free(o->tree);
	free(o->bucket);
	free(o->sequence);
	free(o->fill);
	free(o->up);
	free(o->down);
}

static void
make_layers(struct layers *l)
{
	l->order = arena_alloc(l->arena, l->n_nodes * sizeof *l->order);
	l->starts = arena_alloc(l->arena, (l->n_layers + 2) * sizeof *l->starts);
	for (uint32_t v = 0; v < l->n_nodes; v++)
		l->starts[l->nodes[v].rank + 1]++;
	for (uint32_t r = 0; r < l->n_layers; r++)
		l->starts[r + 1] += l->starts[r];
}

/* Numbers entries or exits by where they lead. */
static void
order_outside(struct orderer *o, enum layers_kind kind)
{
	uint32_t n = 0;

	for (uint32_t v = 0; v < o->l->n_given; v++)
		if (o->l->nodes[v].kind == kind)
			o->sorted[n++] = (struct sort_item){ .key = o->l->nodes[v].outside, .node = v, .place = v };
	qsort(o->sorted, n, sizeof *o->sorted, by_key);
	for (uint32_t i = 0; i < n; i++)
		o->l->nodes[o->sorted[i].node].outside_place = i;
}

static void
search(struct orderer *o)
{
	uint32_t rounds = WORK / (o->l->n_links * 4 + 1), start = 0;

	rounds = rounds < ROUNDS_LEAST ? ROUNDS_LEAST : rounds > ROUNDS_MOST ? ROUNDS_MOST : rounds;
	for (; rounds && start < STARTS_MOST && o->best_crossings; start++) {
		uint32_t used;

		if (start < 4)
			walk_start(o, start % 2 == 1, start >= 2);
		else
			shaken_start(o);
		number_all(o->l);
		keep_if_best(o);
		used = improve(o, rounds);
		rounds -= used < rounds ? used : rounds;
	}
}

/* in_links and out_links of each node in the order of the other ends' slots, as placing and routing want them. */
static void
sort_links(struct layers *l)
{
	uint32_t *in = arena_alloc(l->arena, l->n_links * sizeof *in), *out = arena_alloc(l->arena, l->n_links * sizeof *out);
	uint32_t *fill_in = xcalloc(l->n_nodes + 1, sizeof *fill_in), *fill_out = xcalloc(l->n_nodes + 1, sizeof *fill_out);

	for (uint32_t i = 0; i < l->n_nodes; i++) {
		const struct layers_node *node = &l->nodes[l->order[i]];

		for (uint32_t k = 0; k < node->n_out; k++) {
			uint32_t link = l->out_links[node->first_out + k], to = l->links[link].to;

			in[l->nodes[to].first_in + fill_in[to]++] = link;
		}
		for (uint32_t k = 0; k < node->n_in; k++) {
			uint32_t link = l->in_links[node->first_in + k], from = l->links[link].from;

			out[l->nodes[from].first_out + fill_out[from]++] = link;
		}
	}
	free(fill_in);
	free(fill_out);
	l->in_links = in;
	l->out_links = out;
}

void
layout_order(struct layers *layers)
{
	struct orderer o;

	make_layers(layers);
	orderer_init(&o, layers);
	order_outside(&o, LAYERS_ENTRY);
	order_outside(&o, LAYERS_EXIT);
	search(&o);
	memcpy(layers->order, o.best, layers->n_nodes * sizeof *o.best);
	number_all(layers);
	layers->crossings = inside_crossings(&o);
	layers->cut = layers->crossings >= RIGID;
	sort_links(layers);
	orderer_release(&o);
}
