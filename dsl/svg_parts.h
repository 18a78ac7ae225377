/* What dsl/svg.c is made of: sizes that the layout and the drawing agree on, and the pieces of the document. Not for others. */
#ifndef DSL_SVG_PARTS_H
#define DSL_SVG_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "dsl/graph.h"
#include "dsl/graph_text.h"
#include "dsl/layout.h"
#include "dsl/svg.h"

/* Pixels. Of a box: its mark and glyph stand left of TEXT_LEFT, its text right of it, and STATE_ROOM is kept for how long it
 * took, so that a box has one size from the plan to the end of the run. */
enum {
	LABEL_SIZE = 13, SUBLABEL_SIZE = 11, BADGE_SIZE = 10, TITLE_SIZE = 11, NAME_SIZE = 16, DISPLAY_SIZE = 12,
	BOX_HEIGHT = 56, BOX_HEIGHT_BADGES = 80, BOX_LEAST = 156, BOX_MOST = 300, TEXT_LEFT = 46, TEXT_RIGHT = 14, STATE_ROOM = 74,
	BADGE_PAD = 7, BADGE_APART = 6,
	TITLE_HEIGHT = 30, TITLE_LEFT = 24, TITLE_RIGHT = 6, TITLE_MOST = 340, TITLE_ITEMS_ROOM = 46,
	HEADER_HEIGHT = 52, HEADER_STATE_ROOM = 210, HEADER_MOST = 600,
	MARGIN = 4,
};

/* A loop: its title has room for how many items have ended. */
bool svg_is_loop(const struct graph_node *node);
/* Too many boxes for texts. */
bool svg_is_crowded(const struct graph *graph);

void svg_style(struct buf *buf, enum svg_theme theme);
void svg_defs(struct buf *buf, const struct graph *graph);
void svg_edges(struct buf *buf, const struct graph *graph, const struct layout *layout);
void svg_group(struct buf *buf, const struct graph *graph, size_t node, const struct layout_node *box);
void svg_box(struct buf *buf, const struct graph *graph, size_t node, const struct layout_node *box);
/* All boxes of a graph without texts. */
void svg_plain_boxes(struct buf *buf, const struct graph *graph, const struct layout *layout);

struct svg_text {
	const char *class;
	double x, y, room, size;
	enum text_face face;
};

/* One line of text from a program: cut to its room, escaped, isolated. */
void svg_put_text(struct buf *buf, const struct svg_text *style, const char *text);

#endif
