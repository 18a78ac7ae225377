#include "config.h"

#include "dsl/svg_parts.h"

#include <stdlib.h>

#include "base/macros.h"

enum { HEAD_LENGTH = 8, HEAD_HALF = 4 };

/* A piece as it is drawn: once, however many edges share it. */
struct stroke {
	bool used, ends; /* ends: an arrow head */
	enum graph_edge_kind kind;
};

static void
put_point(struct buf *buf, char command, struct layout_point p)
{
	buf_printf(buf, "%c%d %d", command, p.x, p.y);
}

/* From point to point; where the line leans, as a curve that leaves and comes upright. */
static void
put_segment(struct buf *buf, struct layout_point a, struct layout_point b)
{
	int32_t half = (b.y - a.y) / 2;

	if (a.x == b.x)
		buf_printf(buf, "V%d", b.y);
	else if (a.y == b.y)
		buf_printf(buf, "H%d", b.x);
	else
		buf_printf(buf, "C%d %d %d %d %d %d", a.x, a.y + half, b.x, b.y - half, b.x, b.y);
}

static void
put_line(struct buf *buf, const struct layout_line *line, bool head)
{
	put_point(buf, 'M', line->points[0]);
	for (uint32_t i = 1; i < line->n; i++) {
		struct layout_point to = line->points[i];

		if (head && i + 1 == line->n)
			to.y += to.y > line->points[i - 1].y ? -HEAD_LENGTH + 2 : HEAD_LENGTH - 2;
		put_segment(buf, line->points[i - 1], to);
	}
}

static void
put_head(struct buf *buf, const struct layout_line *line)
{
	struct layout_point tip = line->points[line->n - 1];
	bool up = line->n > 1 && line->points[line->n - 2].y > tip.y;

	put_point(buf, 'M', tip);
	buf_printf(buf, "l%d %dh%dz", -HEAD_HALF, up ? HEAD_LENGTH : -HEAD_LENGTH, 2 * HEAD_HALF);
}

static struct stroke *
find_strokes(const struct graph *graph, const struct layout *layout)
{
	struct stroke *strokes = xcalloc((size_t)layout->n_lines + 1, sizeof *strokes);

	for (uint32_t e = 0; e < layout->n_edges; e++) {
		const struct layout_edge *edge = &layout->edges[e];

		for (uint32_t i = 0; i < edge->n_lines; i++) {
			struct stroke *stroke = &strokes[edge->lines[i]];

			/* Where edges of several kinds share a piece, data shows. */
			if (!stroke->used || graph->edges[e].kind < stroke->kind)
				stroke->kind = graph->edges[e].kind;
			stroke->used = true;
			stroke->ends |= i + 1 == edge->n_lines;
		}
	}
	return strokes;
}

static void
put_kind(struct buf *buf, const struct layout *layout, const struct stroke *strokes, enum graph_edge_kind kind, const char *line,
	 const char *head)
{
	bool any = false;

	for (uint32_t i = 0; i < layout->n_lines; i++) {
		if (!strokes[i].used || strokes[i].kind != kind || layout->lines[i].n < 2)
			continue;
		if (!any)
			buf_printf(buf, "<path class=\"%s\" d=\"", line);
		any = true;
		put_line(buf, &layout->lines[i], strokes[i].ends);
	}
	if (!any)
		return;
	buf_printf(buf, "\"/><path class=\"%s\" d=\"", head);
	for (uint32_t i = 0; i < layout->n_lines; i++)
		if (strokes[i].used && strokes[i].kind == kind && strokes[i].ends && layout->lines[i].n > 1)
			put_head(buf, &layout->lines[i]);
	buf_puts(buf, "\"/>");
}

void
svg_edges(struct buf *buf, const struct graph *graph, const struct layout *layout)
{
	struct stroke *strokes = find_strokes(graph, layout);

	put_kind(buf, layout, strokes, GRAPH_CONDITION, "lt-cond", "lt-condhead");
	put_kind(buf, layout, strokes, GRAPH_AFTER, "lt-line lt-after", "lt-head");
	put_kind(buf, layout, strokes, GRAPH_DATA, "lt-line", "lt-head");
	free(strokes);
}
