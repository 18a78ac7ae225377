/* The picture as data: the document `application/vnd.lateen.pipeline.v1+json`, which docs/graph-json.md describes.
 * Compact, the same bytes each time, with the coordinates of the layout. */
#ifndef DSL_GRAPH_JSON_H
#define DSL_GRAPH_JSON_H

#include "base/buf.h"
#include "dsl/graph.h"
#include "dsl/layout.h"

#define GRAPH_JSON_MIME "application/vnd.lateen.pipeline.v1+json"

/* Appends one JSON object. The layout is svg_layout's of this graph; NULL leaves the coordinates out. */
void graph_json_write(struct buf *buf, const struct graph *graph, const struct layout *layout);

#endif
