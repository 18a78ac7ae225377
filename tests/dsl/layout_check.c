#include "config.h"

#include "tests/dsl/layout_check.h"

enum { PROBLEMS_SHOWN = 10 };

struct box {
	int32_t left, top, right, bottom;
};

struct checker {
	const struct layout *layout;
	struct buf *problems;
	unsigned n;
};

#define PROBLEM(checker, ...) \
	do { \
		if ((checker)->n++ < PROBLEMS_SHOWN) \
			buf_printf((checker)->problems, __VA_ARGS__); \
	} while (0)

static struct box
box_of(const struct layout_node *node)
{
	return (struct box){ node->x, node->y, node->x + node->w, node->y + node->h };
}

static bool
overlap(struct box a, struct box b)
{
	return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

static bool
inside(struct box in, struct box around)
{
	return in.left >= around.left && in.right <= around.right && in.top >= around.top && in.bottom <= around.bottom;
}

/* Is group a around node b, or b itself? */
static bool
is_around(const struct layout *layout, uint32_t a, uint32_t b)
{
	while (b > a)
		b = layout->nodes[b].parent;
	return a == b;
}

static struct box
title_of(const struct layout_node *node)
{
	int32_t width = node->width > LAYOUT_SIZE_MAX ? LAYOUT_SIZE_MAX : node->width;
	int32_t height = node->height > LAYOUT_SIZE_MAX ? LAYOUT_SIZE_MAX : node->height;

	return (struct box){ node->title_x, node->y, node->title_x + width, node->y + height };
}

static void
check_boxes(struct checker *c)
{
	const struct layout *l = c->layout;

	for (uint32_t i = 1; i < l->n_nodes; i++) {
		struct box box = box_of(&l->nodes[i]);

		if (!inside(box, box_of(&l->nodes[l->nodes[i].parent])))
			PROBLEM(c, "box %u leaves its group\n", (unsigned)i);
		if (l->nodes[i].group && l->nodes[i].width > 0 && !inside(title_of(&l->nodes[i]), box))
			PROBLEM(c, "the title of %u leaves its box\n", (unsigned)i);
		for (uint32_t k = 1; k < i; k++)
			if (!is_around(l, k, i) && overlap(box, box_of(&l->nodes[k])))
				PROBLEM(c, "boxes %u and %u overlap\n", (unsigned)k, (unsigned)i);
		for (uint32_t k = i; l->nodes[i].group && l->nodes[i].width > 0 && k < l->n_nodes; k++)
			if (k != i && is_around(l, i, k) && overlap(title_of(&l->nodes[i]), box_of(&l->nodes[k])))
				PROBLEM(c, "box %u lies on the title of %u\n", (unsigned)k, (unsigned)i);
	}
}

/* Does the segment go through the inside of the box? By clipping it to the box. */
static bool
through(struct layout_point a, struct layout_point b, struct box box)
{
	double t0 = 0, t1 = 1, d[2] = { b.x - a.x, b.y - a.y }, at[2] = { a.x, a.y };
	double low[2] = { box.left, box.top }, high[2] = { box.right, box.bottom };

	for (int axis = 0; axis < 2; axis++) {
		double u, v;

		if (d[axis] == 0.0) {
			if (at[axis] <= low[axis] || at[axis] >= high[axis])
				return false;
			continue;
		}
		u = (low[axis] - at[axis]) / d[axis];
		v = (high[axis] - at[axis]) / d[axis];
		t0 = (u < v ? u : v) > t0 ? (u < v ? u : v) : t0;
		t1 = (u < v ? v : u) < t1 ? (u < v ? v : u) : t1;
	}
	/* Half a pixel may be lost to rounding. */
	return (t1 - t0) * (d[0] < 0 ? -d[0] : d[0]) > 0.5 || (t1 - t0) * (d[1] < 0 ? -d[1] : d[1]) > 0.5;
}

static void
check_segment(struct checker *c, uint32_t e, struct layout_point a, struct layout_point b)
{
	const struct layout *l = c->layout;
	const struct layout_edge *edge = &l->edges[e];

	for (uint32_t i = 1; i < l->n_nodes; i++) {
		const struct layout_node *node = &l->nodes[i];

		/* Ends may touch a box; groups around an end may be crossed, but for their titles. */
		if (!is_around(l, i, edge->from) && !is_around(l, i, edge->to) && through(a, b, box_of(node)))
			PROBLEM(c, "edge %u>%u goes through box %u\n", (unsigned)edge->from, (unsigned)edge->to, (unsigned)i);
		else if (!node->group && through(a, b, box_of(node)))
			PROBLEM(c, "edge %u>%u goes through its end %u\n", (unsigned)edge->from, (unsigned)edge->to, (unsigned)i);
		if (node->group && node->width > 0 && through(a, b, title_of(node)))
			PROBLEM(c, "edge %u>%u goes through the title of %u\n", (unsigned)edge->from, (unsigned)edge->to, (unsigned)i);
	}
}

/* Is the point on the upper or lower border of the box? */
static bool
on_border(struct layout_point p, const struct layout_node *node)
{
	return p.x >= node->x && p.x <= node->x + node->w && (p.y == node->y || p.y == node->y + node->h);
}

static void
check_edge(struct checker *c, uint32_t e)
{
	const struct layout *l = c->layout;
	const struct layout_edge *edge = &l->edges[e];
	struct layout_point last = { 0, 0 };
	bool up = false; /* it was turned round: its pieces lie at the other borders */

	for (uint32_t i = 0; i < edge->n_lines; i++)
		up |= l->lines[edge->lines[i]].points[0].y > l->lines[edge->lines[i]].points[l->lines[edge->lines[i]].n - 1].y;
	if (edge->from != edge->to && !is_around(l, edge->from, edge->to) && !is_around(l, edge->to, edge->from) && !edge->n_lines) {
		for (uint32_t k = 0; k < l->n_edges; k++)
			if (k != e && l->edges[k].from == edge->from && l->edges[k].to == edge->to && l->edges[k].n_lines)
				return;
		PROBLEM(c, "edge %u>%u is not drawn\n", (unsigned)edge->from, (unsigned)edge->to);
	}
	for (uint32_t i = 0; i < edge->n_lines; i++) {
		const struct layout_line *line = &l->lines[edge->lines[i]];

		if (line->n < 2 || (i && !up && (line->points[0].x != last.x || line->points[0].y != last.y)))
			PROBLEM(c, "piece %u of edge %u>%u does not join on\n", (unsigned)i, (unsigned)edge->from, (unsigned)edge->to);
		if (!i && !on_border(line->points[0], &l->nodes[edge->from]))
			PROBLEM(c, "edge %u>%u does not begin at its box\n", (unsigned)edge->from, (unsigned)edge->to);
		for (uint32_t k = 0; k + 1 < line->n; k++)
			check_segment(c, e, line->points[k], line->points[k + 1]);
		last = line->points[line->n - 1];
	}
	if (edge->n_lines && !on_border(last, &l->nodes[edge->to]))
		PROBLEM(c, "edge %u>%u does not end at its box\n", (unsigned)edge->from, (unsigned)edge->to);
}

unsigned
layout_check(const struct layout *layout, struct buf *problems)
{
	struct checker c = { .layout = layout, .problems = problems };

	check_boxes(&c);
	for (uint32_t e = 0; e < layout->n_edges; e++)
		check_edge(&c, e);
	return c.n;
}

/* ---- crossings ---- */

static int64_t
side(struct layout_point a, struct layout_point b, struct layout_point c)
{
	return (int64_t)(b.x - a.x) * (c.y - a.y) - (int64_t)(b.y - a.y) * (c.x - a.x);
}

static bool
segments_cross(const struct layout_point *a, const struct layout_point *b)
{
	int64_t s1 = side(a[0], a[1], b[0]), s2 = side(a[0], a[1], b[1]), s3 = side(b[0], b[1], a[0]), s4 = side(b[0], b[1], a[1]);

	return ((s1 < 0 && s2 > 0) || (s1 > 0 && s2 < 0)) && ((s3 < 0 && s4 > 0) || (s3 > 0 && s4 < 0));
}

static unsigned
lines_cross(const struct layout_line *a, const struct layout_line *b)
{
	unsigned n = 0;

	for (uint32_t i = 0; i + 1 < a->n; i++)
		for (uint32_t k = 0; k + 1 < b->n; k++)
			n += segments_cross(a->points + i, b->points + k);
	return n;
}

unsigned
layout_count_crossings(const struct layout *layout)
{
	unsigned n = 0;

	for (uint32_t e = 0; e < layout->n_edges; e++)
		for (uint32_t f = 0; f < e; f++) {
			const struct layout_edge *a = &layout->edges[e], *b = &layout->edges[f];

			if (a->from == b->from || a->to == b->to || a->from == b->to || a->to == b->from)
				continue;
			for (uint32_t i = 0; i < a->n_lines; i++)
				for (uint32_t k = 0; k < b->n_lines; k++)
					n += lines_cross(&layout->lines[a->lines[i]], &layout->lines[b->lines[k]]);
		}
	return n;
}
