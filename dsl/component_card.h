/* A component as people look at it: what it takes, what it gives, what it runs.
 *
 * Text is for a terminal: one fact a line, control characters and those that turn the direction of text made visible. HTML is a
 * self-contained fragment without script or style sheet; user text is escaped and isolated (<bdi>). Long texts, such as a
 * program within `args`, are cut. */
#ifndef DSL_COMPONENT_CARD_H
#define DSL_COMPONENT_CARD_H

#include "base/buf.h"
#include "dsl/component.h"

enum {
	CARD_WORD_MAX = 80, /* bytes of one argument that are shown */
	CARD_DOC_MAX = 2000, /* bytes of a description */
	CARD_LINE_MAX = 1000, /* bytes of all arguments, and of a line of a script */
	CARD_SCRIPT_LINES = 30,
};

void component_card_text(struct buf *buf, const struct component *component);
void component_card_html(struct buf *buf, const struct component *component);
/* A MIME bundle as one JSON object: text/plain and text/html. */
void component_write_bundle(struct buf *buf, const struct component *component);

#endif
