/* CSV as it is found: RFC 4180, and what people write instead. A field in quotes may hold separators, newlines and doubled
 * quotes; lines end with LF, CRLF or CR; a byte order mark is skipped; a quote inside an unquoted field is a character; text
 * behind a closing quote belongs to the field. The separator is the one of `,`, tab and `;` that the first line has most of.
 * An empty line is no record. Only a quote that is never closed and a record past CSV_RECORD_MAX are errors. */
#ifndef RUNTIME_STEP_CSV_H
#define RUNTIME_STEP_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

enum { CSV_RECORD_MAX = 16 * 1024 * 1024, CSV_FIELDS_MAX = 4096 };

struct csv_field {
	const char *text; /* not ended by NUL; may hold any byte */
	size_t len;
};

/* Where bytes come from: fills up to len of them, returns how many; 0 at the end, -1 with *err set. */
typedef long (*csv_source)(void *context, char *bytes, size_t len, struct error *err);

struct csv {
	csv_source source;
	void *context;
	struct buf input; /* read, not yet taken */
	size_t at; /* in input */
	bool at_end, begun;
	char separator;
	uint64_t line; /* 1-based, of the next byte */
	uint64_t record_line; /* where the record at hand begins */
	struct buf record; /* the fields' text, one behind the other */
	size_t ends[CSV_FIELDS_MAX];
	struct csv_field fields[CSV_FIELDS_MAX];
	size_t n_fields;
};

/* Large: allocate it. */
void csv_init(struct csv *csv, csv_source source, void *context);
void csv_release(struct csv *csv);
/* 1: a record, in csv->fields until the next call; 0: the end; -1 with *err set. */
int csv_next(struct csv *csv, struct error *err);

/* Appends the text as a field: in quotes when it must be. */
void csv_write_field(struct buf *buf, const char *text, size_t len);

#endif
