/* The first rows of a table as text and as HTML. Cells are UTF-8 of any content; they are cut, escaped and isolated here. */
#ifndef KERNEL_TABLE_H
#define KERNEL_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"

struct table {
	struct arena *arena; /* borrowed */
	const char **cells; /* n_rows * n_columns of them, row by row; the first row is the head */
	size_t n_rows, n_columns;
	bool more; /* there are further rows */
};

/* Reads at most max_rows rows besides the head. False when the text is not a table of that kind. */
bool table_read_csv(struct table *table, const char *text, size_t len, char separator, size_t max_rows, size_t max_columns);
bool table_read_json_lines(struct table *table, const char *text, size_t len, size_t max_rows, size_t max_columns);

void table_write_text(struct buf *buf, const struct table *table);
void table_write_html(struct buf *buf, const struct table *table, const char *caption);

#endif
