/* The columns of a table that an option names: "body,title". */
#ifndef RUNTIME_STEP_FIELDS_H
#define RUNTIME_STEP_FIELDS_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/step/rows.h"
#include "runtime/train/shard.h"

struct fields {
	char *names[SHARD_FIELDS_MAX];
	size_t columns[SHARD_FIELDS_MAX]; /* once they are found */
	uint32_t n;
};

/* Names between commas, none empty, none twice. */
int fields_read(struct fields *fields, const char *text, struct error *err);
int fields_find(struct fields *fields, const struct rows *rows, struct error *err);
void fields_release(struct fields *fields);

/* The rows of a table that can be used: all of their fields have text, or are there at least. The others are counted, and the first few told on standard
 * output. */
struct good_rows {
	struct rows *rows;
	const struct fields *fields;
	bool may_be_empty; /* a field is there when the row has it, text or none */
	uint64_t good, bad;
};

/* As rows_next, for rows that can be used. */
int good_rows_next(struct good_rows *rows, const char *const **ret_texts, struct error *err);
/* An error when more than so many of a hundred rows were bad. */
int good_rows_check(const struct good_rows *rows, int64_t percent, struct error *err);

#endif
