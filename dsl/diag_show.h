/* How a place in the source is shown: characters made safe for a terminal, lines, marks under them. Shared by the renderers. */
#ifndef DSL_DIAG_SHOW_H
#define DSL_DIAG_SHOW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/source.h"
#include "dsl/diag.h"

enum { SHOW_TAB = 4 }; /* columns */

/* Appends the character at the text as it is shown in that column (0-based): tabs as blanks, control characters and those that
 * turn the direction of text as `<U+202E>`, invalid bytes as U+FFFD. Returns its bytes (at least 1; len > 0). */
size_t show_char(struct buf *buf, const char *text, size_t len, size_t column, size_t *ret_width);
/* A whole text on one line, in the same way. */
void show_text(struct buf *buf, const char *text);
/* Width of the first `len` bytes, as shown from column 0. */
size_t show_width(const char *text, size_t len);

/* What is to be marked on one line. */
struct show_mark {
	struct source *source;
	unsigned line; /* 1-based */
	size_t start, end; /* bytes into the line; equal for a place between characters */
	bool primary;
	const char *text; /* behind the mark; NULL or "" for none */
};

/* The marks of a problem, in the order in which they are shown: by source (the primary one first), line, primary first, place.
 * A span of several lines is marked on its first line and its last. At most SHOW_MARKS_MAX. */
enum { SHOW_MARKS_MAX = 32 };
size_t show_marks(const struct diag *diag, struct show_mark *ret);

#endif
