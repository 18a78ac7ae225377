/* Source text with a name, and places in it. Refcounted, because spans outlive the cell they point into.
 *
 * Offsets are bytes. Lines and columns are 1-based; columns count Unicode code points (an invalid byte
 * counts as one). Source text is valid UTF-8 or not; nobody here assumes that it is. */
#ifndef BASE_SOURCE_H
#define BASE_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

enum { SOURCE_MAX = 8 * 1024 * 1024 }; /* bytes in one cell or file; longer text is refused by whoever reads it */

struct source {
	unsigned refs;
	char *name; /* "In[3]", "gh_summ.lateen", "-" */
	char *text; /* NUL behind it */
	size_t len;
	uint32_t *line_starts; /* byte offset of each line's first byte; n_lines of them, at least one */
	size_t n_lines;
	unsigned first_line; /* number of the first line: 1, or where this part of a file begins */
};

/* Bytes start (included) to end (not). `source` is borrowed; NULL means "no place". */
struct span {
	struct source *source;
	uint32_t start, end;
};

struct place {
	unsigned line, column;
};

struct source *source_new(const char *name, const char *text, size_t len); /* copies both */
/* A part of a file, whose lines keep their numbers in it. */
struct source *source_new_part(const char *name, const char *text, size_t len, unsigned first_line);
struct source *source_ref(struct source *source);
void source_unref(struct source *source); /* NULL is fine */

struct place source_place(const struct source *source, uint32_t offset);
/* Where the line starts, as an offset; line as source_place numbers it, and must exist. */
uint32_t source_line_start(const struct source *source, unsigned line);
/* The line's text without its newline; line as above. */
const char *source_line(const struct source *source, unsigned line, size_t *ret_len);
/* From the start of a to the end of b, which stand in one source. */
struct span span_join(struct span a, struct span b);

#endif
