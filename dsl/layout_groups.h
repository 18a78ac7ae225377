/* A layout while it is made: what layout.c, layout_cut.c, layout_group.c and layout_frame.c share. Not for others. */
#ifndef DSL_LAYOUT_GROUPS_H
#define DSL_LAYOUT_GROUPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"
#include "dsl/layout.h"
#include "dsl/layout_layers.h"

enum { NONE = -1 };

/* Where a line meets the border of a group. */
struct port {
	uint32_t group;
	bool entry; /* the upper border */
	bool border; /* lines to the group itself end here; nothing goes on inside */
	double x; /* from the group's left; known when the group is laid out */
	uint32_t slot; /* its place among the ports of that border */
	double outside; /* in the second pass: x of what it joins outside the group, in the picture */
};

/* An end of a piece, in a group: a member, perhaps at one of its ports; or (member NONE) a port of the group itself. */
struct end {
	int64_t member, port;
};

struct piece {
	uint32_t group; /* in which it runs */
	struct end from, to;
	struct layout_point *points; /* from the group's upper left corner */
	uint32_t n_points;
};

/* What joins on to a node or a port, per group, while the edges of one node are cut up. Valid if stamp is that node's. */
struct crossing {
	uint32_t stamp;
	uint32_t port, piece;
};

struct drawer {
	struct arena *arena; /* freed at the end */
	struct arena *out; /* of the results */
	struct layout *layout;
	uint32_t *parents, *depths;
	VEC(struct port) ports;
	VEC(struct piece) pieces;
	uint32_t *ports_in, *ports_out, *borders; /* of each group: how many, and its border port + 1 */
	struct crossing *entries, *exits; /* by group */
	uint32_t *members, *first_member; /* by group */
	uint32_t *port_list, *first_port;
	uint32_t *piece_list, *first_piece;
	bool again; /* the second pass, which knows where lines lead outside the groups */
	uint64_t crossings; /* of the pass */
	uint32_t *local; /* of each node in the group that is being laid out */
	uint32_t *port_local;
};

/* A connected part of a group. */
struct part {
	uint32_t *locals; /* of the group */
	uint32_t n, n_pieces;
	struct layers *layers; /* NULL: a single box */
	bool ports; /* something of it is tied to the border */
	double x, y, width, height;
};

/* A group while it is laid out. Locals are its members, then its ports. */
struct group {
	uint32_t number;
	uint32_t *members, n_members;
	uint32_t *ports, n_ports;
	uint32_t *pieces, n_pieces;
	uint32_t n_locals;
	uint32_t *local_ports; /* ports of the locals after the members */
	uint32_t *part_of; /* of each local */
	struct part *parts;
	uint32_t n_parts;
	double width, height; /* of all parts */
};

/* Cuts all edges into pieces, with the ports between them; sets the edges' lines. */
void layout_cut_edges(struct drawer *d);
/* Lays out the parts of a group whose members have their sizes. */
void layout_group_parts(struct drawer *d, struct group *g);
/* The group's own size, its title and ports, and where in it members and pieces are. */
void layout_frame(struct drawer *d, struct group *g);

/* Sorts 0 … n-1 by a key below n_keys, keeping the order of equals: the items, and where each key's begin. */
void layout_bucket(struct arena *arena, const uint32_t *keys, uint32_t n, uint32_t n_keys, uint32_t **ret_items,
		   uint32_t **ret_first);
/* A size that was given, within bounds and even, so that a middle is a whole pixel. */
int32_t layout_clamp(int32_t size);

#endif
