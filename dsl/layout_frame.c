#include "config.h"

#include "dsl/layout_groups.h"

#include <math.h>
#include <stdlib.h>

enum { PAD = 20, PAD_BELOW_TITLE = 12, TITLE_FROM_CORNER = 12, TITLE_FROM_PORT = 10 };

struct port_place {
	double x;
	uint32_t port;
};

static int
by_x(const void *pa, const void *pb)
{
	const struct port_place *a = pa, *b = pb;

	if (a->x < b->x || a->x > b->x)
		return a->x < b->x ? -1 : 1;
	return a->port < b->port ? -1 : a->port > b->port;
}

/* x of each port in the parts, sorted; border ports are not among them. */
static uint32_t
collect_ports(const struct group *g, bool entry, struct port_place *places)
{
	uint32_t n = 0;

	for (uint32_t p = 0; p < g->n_parts; p++) {
		const struct layers *l = g->parts[p].layers;

		for (uint32_t i = 0; g->parts[p].ports && i < l->n_given; i++)
			if (l->nodes[i].kind == (entry ? LAYERS_ENTRY : LAYERS_EXIT))
				places[n++] = (struct port_place){
					.x = g->parts[p].x + l->nodes[i].x,
					.port = g->local_ports[l->nodes[i].id - g->n_members],
				};
	}
	qsort(places, n, sizeof *places, by_x);
	return n;
}

/* Room for the title between the ports on the upper border, from the left or from the right; negative if there is none. */
static double
title_gap(double title, const struct port_place *ports, uint32_t n, double width, bool from_right)
{
	double found = -1;

	for (uint32_t i = 0; i <= n; i++) {
		double left = i ? ports[i - 1].x + TITLE_FROM_PORT : TITLE_FROM_CORNER;
		double right = i < n ? ports[i].x - TITLE_FROM_PORT : width - TITLE_FROM_CORNER;

		if (left + title > right)
			continue;
		if (!from_right)
			return left;
		found = right - title;
	}
	return found;
}

/* Where the title goes, so that it meets no port. Where it finds no room the frame becomes wider; if that is on the left, the
 * parts move right by *ret_shift. */
static double
place_title(double title, const struct port_place *ports, uint32_t n, bool from_right, double *width, double *ret_shift)
{
	double gap = title_gap(title, ports, n, *width, from_right), left, right;

	if (gap >= 0)
		return floor(gap);
	if (!n) {
		double wider = title + 2 * TITLE_FROM_CORNER;

		*ret_shift = floor((wider - *width) / 2);
		*width = wider;
		return TITLE_FROM_CORNER;
	}
	/* Left of the first port, or right of the last: what takes less, or the side that is wanted. */
	left = ceil(TITLE_FROM_CORNER + title + TITLE_FROM_PORT - ports[0].x);
	right = ports[n - 1].x + TITLE_FROM_PORT + title + TITLE_FROM_CORNER - *width;
	if (!from_right && left <= right) {
		*ret_shift = left;
		*width += left;
		return TITLE_FROM_CORNER;
	}
	*width = ceil(*width + right);
	return ports[n - 1].x + TITLE_FROM_PORT;
}

/* Does what leads to the group itself come from further right than what leads into it? */
static bool
title_right(const struct drawer *d, const struct group *g, const struct port_place *places, uint32_t n)
{
	double sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += d->ports.items[places[i].port].outside;
	return d->again && n && d->borders[g->number] && d->ports.items[d->borders[g->number] - 1].outside > sum / n;
}

/* Numbers a border's ports from the left; returns how many. */
static uint32_t
set_slots(struct drawer *d, struct port_place *places, uint32_t n)
{
	qsort(places, n, sizeof *places, by_x);
	for (uint32_t i = 0; i < n; i++) {
		struct port *port = &d->ports.items[places[i].port];

		port->x = places[i].x;
		port->slot = i;
	}
	return n;
}

/* Points of the group's pieces, from its corner. Lines from and to its ports go on to the border. */
static void
keep_points(struct drawer *d, const struct part *part, double x, double y, int32_t bottom)
{
	for (uint32_t e = 0; part->layers && e < part->layers->n_edges; e++) {
		const struct layers_edge *edge = &part->layers->edges[e];
		struct piece *piece = &d->pieces.items[edge->id];
		uint32_t n = 0;
		int32_t dx = (int32_t)(x + part->x), dy = (int32_t)(y + part->y);

		piece->points = arena_alloc(d->arena, ((size_t)edge->n_points + 2) * sizeof *piece->points);
		if (piece->from.member == NONE && edge->n_points)
			piece->points[n++] = (struct layout_point){ edge->points[0].x + dx, 0 };
		for (uint32_t i = 0; i < edge->n_points; i++) {
			struct layout_point p = { edge->points[i].x + dx, edge->points[i].y + dy };

			/* The border's port stands above the first point: one upright line. */
			if (n > 1 && piece->points[n - 1].x == p.x && piece->points[n - 2].x == p.x)
				n--;
			piece->points[n++] = p;
		}
		if (piece->to.member == NONE && edge->n_points) {
			if (n > 1 && piece->points[n - 1].x == piece->points[n - 2].x)
				n--;
			piece->points[n++] = (struct layout_point){ edge->points[edge->n_points - 1].x + dx, bottom };
		}
		piece->n_points = n;
	}
}

/* Where the members stand in the frame. */
static void
place_members(struct drawer *d, const struct group *g, double left, double top)
{
	for (uint32_t p = 0; p < g->n_parts; p++) {
		const struct part *part = &g->parts[p];

		for (uint32_t i = 0; i < part->n; i++) {
			struct layout_node *member;

			if (part->locals[i] >= g->n_members)
				continue;
			member = &d->layout->nodes[g->members[part->locals[i]]];
			member->x = (int32_t)(left + part->x);
			member->y = (int32_t)(top + part->y);
			if (part->layers) {
				member->x += (int32_t)part->layers->nodes[i].x - member->w / 2;
				member->y += (int32_t)part->layers->nodes[i].y;
			}
		}
	}
}

static void
move_ports(struct port_place *places, uint32_t n, double by)
{
	for (uint32_t i = 0; i < n; i++)
		places[i].x += by;
}

void
layout_frame(struct drawer *d, struct group *g)
{
	struct layout_node *node = &d->layout->nodes[g->number];
	struct port_place *places = arena_alloc(d->arena, ((size_t)g->n_ports + 1) * sizeof *places);
	double title = layout_clamp(node->width), title_height = layout_clamp(node->height);
	double width = g->width + 2 * PAD, top = title_height > 0 ? title_height + PAD_BELOW_TITLE : PAD, shift = 0;
	uint32_t n = collect_ports(g, true, places);

	move_ports(places, n, PAD);
	node->title_x = (int32_t)place_title(title, places, n, title_right(d, g, places, n), &width, &shift);
	move_ports(places, n, shift);
	node->w = (int32_t)ceil(width / 2) * 2;
	node->h = (int32_t)ceil((top + g->height + (g->height > 0 ? PAD : 0)) / 2) * 2;
	if (d->borders[g->number])
		places[n++] = (struct port_place){ node->title_x + title / 2, d->borders[g->number] - 1 };
	d->ports_in[g->number] = set_slots(d, places, n);
	n = collect_ports(g, false, places);
	move_ports(places, n, PAD + shift);
	d->ports_out[g->number] = set_slots(d, places, n);
	place_members(d, g, PAD + shift, top);
	for (uint32_t p = 0; p < g->n_parts; p++)
		keep_points(d, &g->parts[p], PAD + shift, top, node->h);
}
