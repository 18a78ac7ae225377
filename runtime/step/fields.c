#include "config.h"

#include "runtime/step/fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

enum { SHOWN_MAX = 3 };

void
fields_release(struct fields *fields)
{
	for (uint32_t i = 0; i < fields->n; i++)
		free(fields->names[i]);
	fields->n = 0;
}

static int
check_name(const struct fields *fields, const char *name, const char *text, struct error *err)
{
	if (!*name)
		return error_set(err, "`%s` has an empty name of a column", text);
	for (uint32_t i = 0; i + 1 < fields->n; i++)
		if (!strcmp(fields->names[i], name))
			return error_set(err, "`%s` names the column `%s` twice", text, name);
	return 0;
}

int
fields_read(struct fields *fields, const char *text, struct error *err)
{
	for (const char *at = text;; at++) {
		size_t len = strcspn(at, ",");

		if (fields->n == SHARD_FIELDS_MAX)
			return error_set(err, "`%s` names more than %d columns", text, SHARD_FIELDS_MAX);
		fields->names[fields->n++] = xstrndup(at, len);
		if (check_name(fields, fields->names[fields->n - 1], text, err))
			return -1;
		at += len;
		if (!*at)
			return 0;
	}
}

int
fields_find(struct fields *fields, const struct rows *rows, struct error *err)
{
	for (uint32_t i = 0; i < fields->n; i++)
		if (rows_need_column(rows, fields->names[i], &fields->columns[i], err))
			return -1;
	return 0;
}

/* The first field that the row does not have; NULL if it has all. */
static const char *
missing_field(const struct good_rows *rows, const char *const *texts)
{
	const struct fields *fields = rows->fields;

	for (uint32_t i = 0; i < fields->n; i++)
		if (rows->may_be_empty ? !rows_has(rows->rows, fields->columns[i]) : !*texts[fields->columns[i]])
			return fields->names[i];
	return NULL;
}

int
good_rows_next(struct good_rows *rows, const char *const **ret_texts, struct error *err)
{
	for (;;) {
		struct error why;
		int more = rows_next(rows->rows, ret_texts, &why);
		const char *missing = more > 0 ? missing_field(rows, *ret_texts) : NULL;

		if (more < 0 && !rows_is_bad_row(rows->rows))
			return error_set(err, "%s", why.text);
		if (!more || (more > 0 && !missing)) {
			rows->good += more > 0;
			return more;
		}
		if (missing)
			error_set(&why, "row %llu has no `%s`", (unsigned long long)(rows->good + rows->bad + 1), missing);
		if (rows->bad++ < SHOWN_MAX)
			printf("left out: %s\n", why.text);
	}
}

int
good_rows_check(const struct good_rows *rows, int64_t percent, struct error *err)
{
	uint64_t all = rows->good + rows->bad;

	if (rows->bad * 100 <= all * (uint64_t)percent)
		return 0;
	return error_set(err, "%llu of %llu rows cannot be used, more than %lld in a hundred", (unsigned long long)rows->bad,
		(unsigned long long)all, (long long)percent);
}
