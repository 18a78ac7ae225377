/* The picture as text: a tree of groups and steps in the order of the program, for terminals and text/plain.
 *
 * Columns are display columns, so that wide characters line up. Control characters and characters that turn the direction
 * of text are shown as U+FFFD. */
#ifndef DSL_TREE_H
#define DSL_TREE_H

#include "base/buf.h"
#include "dsl/graph.h"

enum tree_flags {
	TREE_ASCII = 1, /* lines and glyphs in ASCII; names stay as they are */
	TREE_COLOUR = 2, /* ANSI colours */
};

enum { TREE_STEPS_MAX = 1000 }; /* more are counted only, in their place */

/* Lines that end in newlines. */
void tree_write(struct buf *buf, const struct graph *graph, unsigned flags);

#endif
