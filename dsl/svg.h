/* The picture as SVG: one document that needs nothing else, for an <img>, a file or a page.
 *
 * Light and dark by prefers-color-scheme, or one of the two. A phase shows by glyph and pattern as well as by colour. Every text
 * from a program is escaped, cut to its room (its whole is in a <title>) and isolated from the direction of the text around it;
 * characters that XML forbids become U+FFFD. The root has role="img", a <title> and a <desc> that say what svg_describe says.
 * No script, no reference to anything outside. */
#ifndef DSL_SVG_H
#define DSL_SVG_H

#include "base/buf.h"
#include "dsl/graph.h"
#include "dsl/layout.h"

enum { SVG_NODES_MAX = 2000 }; /* a bigger graph is folded first; still bigger, it is drawn without texts */

enum svg_theme { SVG_AUTO, SVG_LIGHT, SVG_DARK };

/* The layout of a graph with boxes as large as the drawing needs them; lives in the arena. Node i of the one is node i of the
 * other. It depends on no state of a run. */
struct layout *svg_layout(struct arena *arena, const struct graph *graph);
/* Appends the document. The layout is svg_layout's of this graph (or of the one that it was before graph_update). */
void svg_write(struct buf *buf, const struct graph *graph, const struct layout *layout, enum svg_theme theme);
/* What there is to see, in words, as plain text: the pipeline's name, how many steps, phases, which ones failed. */
void svg_describe(struct buf *buf, const struct graph *graph);

#endif
