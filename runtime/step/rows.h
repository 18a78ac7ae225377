/* A table row by row, from CSV or from JSON lines, whichever the file is, packed or not (packed.h). Every text that comes out is valid
 * UTF-8 without NUL. A row of a CSV that has more fields than there are columns, and not empty ones, is bad: a quote before it is
 * likely to be the reason. One that has fewer lacks the others. */
#ifndef RUNTIME_STEP_ROWS_H
#define RUNTIME_STEP_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

enum { ROWS_LINE_MAX = 16 * 1024 * 1024, ROWS_COLUMNS_MAX = 4096 };

struct rows;

struct rows *rows_open(const char *path, struct error *err);
void rows_close(struct rows *rows); /* NULL is fine */
/* The columns' names: a CSV's first record, the keys of the first object. */
size_t rows_columns(const struct rows *rows, const char *const **ret_names);
/* The column with that name; SIZE_MAX if there is none. */
size_t rows_column(const struct rows *rows, const char *name);
/* The same; -1 and a sentence that names the columns that there are. A file without any column has no row either: *ret
 * is SIZE_MAX then. */
int rows_need_column(const struct rows *rows, const char *name, size_t *ret, struct error *err);
/* The names, as a sentence goes on behind "there are". */
void rows_write_columns(const struct rows *rows, struct buf *buf);
/* 1: a row, one text for each column ("" where it has none) until the next call; 0: the end; -1 with *err set. */
int rows_next(struct rows *rows, const char *const **ret_texts, struct error *err);
/* Whether the row at hand has a text there at all, be it empty. */
bool rows_has(const struct rows *rows, size_t column);
/* After rows_next gave -1: only that row is bad, and the next call goes on behind it. */
bool rows_is_bad_row(const struct rows *rows);

#endif
