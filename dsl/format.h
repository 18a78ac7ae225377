/* The canonical layout of a program. The text depends on the tree and the comments alone, never on how it was laid out before,
 * except that a blank line between statements stays (one of them). Formatting what was formatted changes nothing, and the
 * formatted text parses to the same tree. Every comment is kept; one from the middle of a statement moves behind it. */
#ifndef DSL_FORMAT_H
#define DSL_FORMAT_H

#include "base/buf.h"
#include "dsl/ast.h"

enum { FORMAT_WIDTH = 100, FORMAT_INDENT = 4 }; /* columns; what cannot be broken may be longer */

/* The unit was parsed without errors. */
void format_unit(struct buf *buf, const struct unit *unit);

#endif
