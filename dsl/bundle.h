/* What a notebook shows for a pipeline or a run of one: a MIME bundle with the document, HTML, plain text, and SVG when small.
 *
 * The HTML is what survives untrusted notebooks and nbconvert: the SVG in an <img> with an alt text, and a captioned table of
 * the steps in <details>, which are open while one says at length why it waits. All user text in it is escaped. */
#ifndef DSL_BUNDLE_H
#define DSL_BUNDLE_H

#include "base/buf.h"
#include "dsl/graph.h"
#include "dsl/layout.h"

enum { BUNDLE_SVG_MAX = 200 * 1024 }; /* bytes of SVG that also go into the bundle by themselves */

/* Appends the bundle as one JSON object { MIME type: string, or object for JSON types }. run may be NULL. */
void bundle_write(struct buf *buf, const struct plan *plan, const struct graph_run *run);
/* The same from a graph and svg_layout's layout of it, which a live display makes once and updates. `graph` and
 * `layout` of a graph that was folded are fine. */
void bundle_write_graph(struct buf *buf, const struct graph *graph, const struct layout *layout);
/* The HTML alone. */
void bundle_write_html(struct buf *buf, const struct graph *graph, const struct layout *layout);

#endif
