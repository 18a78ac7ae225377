/* One connected part of one group, laid out by itself in layers: what the steps of the layout (layout_rank.c, layout_order.c,
 * layout_place.c, layout_route.c) hand from one to the next. Not for others than them and layout.c.
 *
 * The caller fills in the boxes and edges; then layout_rank, layout_order, layout_place and layout_route in this order. */
#ifndef DSL_LAYOUT_LAYERS_H
#define DSL_LAYOUT_LAYERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "dsl/layout.h"

enum layers_kind {
	LAYERS_BOX,
	LAYERS_ENTRY, /* where lines come into the group: above all boxes */
	LAYERS_EXIT, /* where lines leave it: below all boxes */
	LAYERS_BEND, /* where a long edge passes a layer */
	LAYERS_SLAB, /* what a high box takes of each further layer */
};

struct layers_node {
	/* given for all but bends */
	enum layers_kind kind;
	bool ports_given; /* a group: its links have their places on the border already */
	uint32_t id; /* the caller's; of a bend its edge, of a slab its box */
	uint32_t span; /* at least 1: how many layers it may take; layout_rank makes it what it takes */
	double width, height;
	uint32_t in_slots, out_slots; /* at least 1: places on the upper and lower border, left to right */
	double outside; /* of entries and exits, if layers->outside: x of what the line joins outside the group */
	/* layout_rank */
	uint32_t rank; /* its first layer */
	uint32_t bottom; /* its last slab, or itself: where lines leave it */
	uint32_t first_in, n_in, first_out, n_out; /* of in_links and out_links */
	/* layout_order */
	uint32_t pos; /* in its layer */
	uint32_t outside_place; /* of entries and exits: their order by x outside */
	uint32_t in_base, out_base; /* number of the first slot, counted along the layer */
	/* layout_place */
	double x; /* of its middle */
	/* layout_route */
	double y; /* of its top */
};

struct layers_edge {
	/* given */
	uint32_t id; /* the caller's */
	uint32_t from, to;
	uint32_t from_slot, to_slot;
	double from_dx, to_dx; /* from the middle of the box; set by layout_route where ports are not given */
	/* layout_rank */
	bool turned; /* from and to have changed places to break a cycle */
	bool lane; /* too long to pass through the layers: goes round them */
	uint32_t first_link, n_links;
	/* layout_route */
	struct layout_point *points;
	uint32_t n_points;
};

/* A piece of an edge from one layer to the next. */
struct layers_link {
	uint32_t from, to;
	uint32_t from_slot, to_slot;
	double from_dx, to_dx;
	bool rigid; /* from slab to slab: nothing may cross it */
};

struct layers {
	struct arena *arena;
	bool outside; /* it is known where entries and exits lead: to cross there counts as well */
	bool slabs, lanes; /* there are some */
	struct layers_node *nodes; /* the given ones, then slabs and bends */
	uint32_t n_nodes, n_given;
	struct layers_edge *edges;
	uint32_t n_edges;
	struct layers_link *links;
	uint32_t n_links;
	/* Links by node: by slot, and after layout_order in the order of the other ends' slots. */
	uint32_t *in_links, *out_links;
	uint32_t *order; /* nodes, layer by layer, left to right */
	uint32_t *starts; /* n_layers + 1 places in order */
	uint32_t n_layers;
	uint64_t crossings; /* of links in here */
	bool cut; /* a line crosses a slab: this drawing may not be used, and has to be made again with all spans 1 */
	double *tops, *heights; /* of the layers */
	double width, height;
};

/* Ranks, then cuts edges into links with bends between them. */
void layout_rank(struct layers *layers);
/* An order in each layer with few crossings. */
void layout_order(struct layers *layers);
/* x of every node, 0 at the left end of the leftmost box; the width. */
void layout_place(struct layers *layers);
/* Moves x closer together (part of layout_place). */
void layout_relax(struct layers *layers);
/* Moves nodes by at most that much to where a link of theirs is upright, if there is room (part of layout_place). */
void layout_straighten(struct layers *layers, double most);
/* y of every node, the points of every edge, the height. */
void layout_route(struct layers *layers);

/* The least room between two neighbours in a layer. */
double layout_gap(const struct layers_node *left, const struct layers_node *right);

#endif
