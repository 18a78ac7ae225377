#include "config.h"

#include "runtime/step/rows.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/utf8.h"
#include "base/value.h"
#include "runtime/step/csv.h"
#include "runtime/step/packed.h"

struct rows {
	char *path;
	struct packed *file;
	bool is_json;
	struct csv *csv;
	struct buf line; /* of JSON lines: bytes not yet taken */
	size_t line_at;
	uint64_t line_number;
	bool at_end;
	bool bad_row;
	struct arena *names_arena;
	const char **names;
	size_t n_names;
	struct arena *arena; /* of the row at hand */
	const char **texts;
	bool *has;
	const struct value *first; /* the object that the names came from, still to be given */
};

static const char *
clean(struct arena *arena, const char *text, size_t len)
{
	struct buf buf = { 0 };
	char *copy;

	utf8_sanitise(&buf, text, len);
	copy = arena_strndup(arena, buf_text(&buf), buf.len);
	for (size_t i = 0; i < buf.len; i++)
		if (!copy[i])
			copy[i] = ' ';
	buf_release(&buf);
	return copy;
}

/* ---- JSON lines ---- */

/* 1: a line without its newline; empty ones are left out. */
static int
next_line(struct rows *rows, char **ret, size_t *ret_len, struct error *err)
{
	for (;;) {
		char *text = rows->line.data + rows->line_at;
		size_t len = rows->line.len - rows->line_at;
		char *end = len ? memchr(text, '\n', len) : NULL;
		char *space;
		long n;

		if (end || (rows->at_end && len)) {
			*ret = text;
			*ret_len = end ? (size_t)(end - text) : len;
			rows->line_at += *ret_len + (end != NULL);
			rows->line_number++;
			if (strspn(text, " \t\r") >= *ret_len)
				continue;
			return 1;
		}
		if (rows->at_end)
			return 0;
		buf_consume(&rows->line, rows->line_at);
		rows->line_at = 0;
		space = buf_space(&rows->line, 64 * 1024);
		if (!space)
			return error_set(err, "`%s`: line %llu is longer than %d bytes", rows->path,
				(unsigned long long)rows->line_number + 1, ROWS_LINE_MAX);
		n = packed_read(rows->file, space, 64 * 1024, err);
		if (n < 0)
			return error_prefix(err, "`%s`", rows->path);
		buf_commit(&rows->line, (size_t)n);
		rows->at_end = n == 0;
	}
}

/* NUL, which is no text, becomes a blank: in a CSV and spelt out. */
static void
blank_nuls(char *text, size_t len)
{
	for (size_t at = 0; at + 6 <= len; at++)
		if (text[at] == '\\') {
			if (!memcmp(text + at, "\\u0000", 6))
				memcpy(text + at, "\\u0020", 6);
			at++;
		}
}

static int
next_object(struct rows *rows, struct arena *arena, const struct value **ret, struct error *err)
{
	char *text = NULL;
	size_t len = 0;
	int more = next_line(rows, &text, &len, err);

	if (more <= 0)
		return more;
	rows->bad_row = true;
	blank_nuls(text, len);
	*ret = value_read_json(arena, text, len, err);
	if (!*ret)
		return error_prefix(err, "`%s`, line %llu", rows->path, (unsigned long long)rows->line_number);
	if ((*ret)->kind != VALUE_DICT)
		return error_set(err, "`%s`, line %llu: not a JSON object", rows->path, (unsigned long long)rows->line_number);
	rows->bad_row = false;
	return 1;
}

static const char *
text_of(struct arena *arena, const struct value *value)
{
	struct buf buf = { 0 };
	const char *copy;

	if (value->kind == VALUE_NULL)
		return "";
	value_write_plain(&buf, value);
	copy = arena_strndup(arena, buf_text(&buf), buf.len);
	buf_release(&buf);
	return copy;
}

static int
begin_json(struct rows *rows, struct error *err)
{
	int more = next_object(rows, rows->names_arena, &rows->first, err);

	if (more <= 0)
		return more;
	rows->n_names = rows->first->dict.n;
	rows->names = rows->first->dict.keys;
	return 0;
}

static int
next_json(struct rows *rows, struct error *err)
{
	const struct value *object = rows->first;
	int more = object ? 1 : next_object(rows, rows->arena, &object, err);

	rows->first = NULL;
	for (size_t i = 0; more > 0 && i < rows->n_names; i++) {
		const struct value *value = value_get(object, rows->names[i]);

		rows->has[i] = value != NULL;
		rows->texts[i] = value ? text_of(rows->arena, value) : "";
	}
	return more;
}

/* ---- CSV ---- */

static int
begin_csv(struct rows *rows, struct error *err)
{
	int more;

	rows->csv = xmalloc(sizeof(*rows->csv));
	csv_init(rows->csv, packed_read, rows->file);
	/* What was read to find out what the file is. */
	buf_add(&rows->csv->input, buf_text(&rows->line), rows->line.len);
	more = csv_next(rows->csv, err);
	if (more <= 0)
		return more < 0 ? error_prefix(err, "`%s`", rows->path) : 0;
	rows->n_names = rows->csv->n_fields;
	rows->names = arena_alloc(rows->names_arena, rows->n_names * sizeof(*rows->names));
	for (size_t i = 0; i < rows->n_names; i++)
		rows->names[i] = clean(rows->names_arena, rows->csv->fields[i].text, rows->csv->fields[i].len);
	return 0;
}

/* Separators at the end of a line make fields too, which mean nothing. */
static int
check_csv_row(struct rows *rows, struct error *err)
{
	const struct csv *csv = rows->csv;

	for (size_t i = rows->n_names; i < csv->n_fields; i++)
		rows->bad_row |= csv->fields[i].len > 0;
	if (!rows->bad_row)
		return 0;
	return error_set(err, "`%s`, line %llu: %zu fields, and there are %zu columns", rows->path, (unsigned long long)csv->record_line,
		csv->n_fields, rows->n_names);
}

static int
next_csv(struct rows *rows, struct error *err)
{
	int more = csv_next(rows->csv, err);

	if (more < 0)
		return error_prefix(err, "`%s`", rows->path);
	if (more && check_csv_row(rows, err))
		return -1;
	for (size_t i = 0; more > 0 && i < rows->n_names; i++) {
		const struct csv_field *field = &rows->csv->fields[i];

		rows->has[i] = i < rows->csv->n_fields;
		rows->texts[i] = rows->has[i] ? clean(rows->arena, field->text, field->len) : "";
	}
	return more;
}

/* ---- both ---- */

/* As much as tells CSV from JSON lines. */
static int
read_beginning(struct rows *rows, size_t *ret_at, struct error *err)
{
	size_t at = 0;

	while (!rows->at_end && at == rows->line.len) {
		char *space = buf_space(&rows->line, 64 * 1024);
		long n;

		if (!space)
			return error_set(err, "`%s` begins with %d bytes of nothing", rows->path, ROWS_LINE_MAX);
		n = packed_read(rows->file, space, 64 * 1024, err);
		if (n < 0)
			return error_prefix(err, "`%s`", rows->path);
		buf_commit(&rows->line, (size_t)n);
		rows->at_end = n == 0;
		/* A byte order mark may come in pieces. */
		if (rows->line.len < 3 && !rows->at_end)
			continue;
		if (rows->line.len >= 3 && !memcmp(rows->line.data, "\xEF\xBB\xBF", 3))
			at = 3;
		at += strspn(buf_text(&rows->line) + at, " \t\r\n");
	}
	*ret_at = at;
	return 0;
}

static int
begin(struct rows *rows, struct error *err)
{
	const char *text;
	size_t at = 0;

	if (read_beginning(rows, &at, err))
		return -1;
	text = buf_text(&rows->line) + at;
	if (*text == '[' && text[1 + strspn(text + 1, " \t\r\n")] == '{')
		return error_set(err, "`%s` is one JSON array, which is not read here: write each object into a line of its own", rows->path);
	rows->is_json = *text == '{';
	if (!rows->is_json)
		return begin_csv(rows, err);
	for (size_t i = 0; i < at; i++)
		rows->line_number += rows->line.data[i] == '\n';
	rows->line_at = at;
	return begin_json(rows, err);
}

struct rows *
rows_open(const char *path, struct error *err)
{
	struct rows *rows = xcalloc(1, sizeof(*rows));

	rows->path = xstrdup(path);
	rows->names_arena = arena_new();
	rows->arena = arena_new();
	rows->line.max = ROWS_LINE_MAX;
	rows->file = packed_open(path, err);
	if (!rows->file || begin(rows, err)) {
		rows_close(rows);
		return NULL;
	}
	rows->texts = xcalloc(rows->n_names, sizeof(*rows->texts));
	rows->has = xcalloc(rows->n_names, sizeof(*rows->has));
	return rows;
}

void
rows_close(struct rows *rows)
{
	if (!rows)
		return;
	packed_close(rows->file);
	if (rows->csv)
		csv_release(rows->csv);
	free(rows->csv);
	free(rows->texts);
	free(rows->has);
	free(rows->path);
	buf_release(&rows->line);
	arena_free(rows->names_arena);
	arena_free(rows->arena);
	free(rows);
}

size_t
rows_columns(const struct rows *rows, const char *const **ret_names)
{
	*ret_names = rows->names;
	return rows->n_names;
}

size_t
rows_column(const struct rows *rows, const char *name)
{
	for (size_t i = 0; i < rows->n_names; i++)
		if (!strcmp(rows->names[i], name))
			return i;
	return SIZE_MAX;
}

void
rows_write_columns(const struct rows *rows, struct buf *buf)
{
	for (size_t i = 0; i < rows->n_names && i < 20; i++)
		buf_printf(buf, "%s`%s`", i ? ", " : "", rows->names[i]);
}

int
rows_need_column(const struct rows *rows, const char *name, size_t *ret, struct error *err)
{
	struct buf all = { 0 };

	*ret = rows_column(rows, name);
	if (*ret != SIZE_MAX || !rows->n_names)
		return 0;
	rows_write_columns(rows, &all);
	error_set(err, "there is no column `%s`; there are %s", name, buf_text(&all));
	buf_release(&all);
	return -1;
}

bool
rows_has(const struct rows *rows, size_t column)
{
	return rows->has[column];
}

bool
rows_is_bad_row(const struct rows *rows)
{
	return rows->bad_row;
}

int
rows_next(struct rows *rows, const char *const **ret_texts, struct error *err)
{
	int more;

	arena_free(rows->arena);
	rows->arena = arena_new();
	rows->bad_row = false;
	more = rows->is_json ? next_json(rows, err) : next_csv(rows, err);
	*ret_texts = rows->texts;
	return more;
}
