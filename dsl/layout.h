/* Where the boxes and lines of a graph go: a layered drawing, top to bottom, of nested groups.
 *
 * Promises: boxes do not overlap; a group's box holds its members' boxes and its title strip; no line touches a box that is
 * neither its end nor around its end, and none crosses a title; lines go down only, except those that had to be turned round
 * because the edges had a cycle (their pieces need not join where they enter groups); the same input gives the same output. Time grows as
 * the number of nodes and edges does. All
 * numbers are pixels; y grows downwards. */
#ifndef DSL_LAYOUT_H
#define DSL_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

enum {
	LAYOUT_NODES_MAX = 4000000, /* more than a source of SOURCE_MAX bytes can name */
	LAYOUT_EDGES_MAX = 2000000,
	LAYOUT_SIZE_MAX = 2000, /* of one box's width or height that is given; more is cut */
	LAYOUT_DEPTH_MAX = 64, /* of groups; deeper ones are drawn beside each other */
};

struct layout_node {
	/* given */
	bool group;
	uint32_t parent; /* a group with a smaller index; of node 0, the outermost group: 0 */
	int32_t width, height; /* of a box; of a group the size of its title, 0 for none */
	/* set: the box in the picture */
	int32_t x, y, w, h;
	int32_t title_x; /* of a group: the left end of its title */
};

struct layout_point {
	int32_t x, y;
};

/* A piece of one or more edges within one group. It begins at a node's bottom or at a group's upper border, and ends at a
 * node's top or a group's lower border; from point to point it goes straight. */
struct layout_line {
	struct layout_point *points;
	uint32_t n;
};

struct layout_edge {
	/* given */
	uint32_t from, to;
	/* set: pieces from `from` to `to`; edges with one source share those that they have in common. None for an edge of a node
	 * to itself or to a group around it, and for a second edge between the same nodes. */
	const uint32_t *lines;
	uint32_t n_lines;
};

struct layout {
	struct layout_node *nodes;
	uint32_t n_nodes;
	struct layout_edge *edges;
	uint32_t n_edges;
	/* set */
	struct layout_line *lines;
	uint32_t n_lines;
	int32_t width, height;
};

/* Fills in what is set. Results live in the arena. Node indices out of range and parents that are no group are BUG()s. */
void layout_run(struct arena *arena, struct layout *layout);

#endif
