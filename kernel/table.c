#include "config.h"

#include "kernel/table.h"

#include <string.h>

#include "base/markup.h"
#include "base/utf8.h"
#include "base/value.h"

enum { CELL_MAX = 120 }; /* code points shown of one cell */

/* ---- CSV ---- */

/* One field from *at on; a quoted one may hold separators, newlines and doubled quotes. */
static const char *
read_field(struct arena *arena, const char **at, const char *end, char separator)
{
	struct buf field = { 0 };
	const char *p = *at;
	const char *text;

	if (p < end && *p == '"') {
		for (p++; p < end && (*p != '"' || (p + 1 < end && p[1] == '"')); p++) {
			buf_putc(&field, *p);
			p += *p == '"';
		}
		p += p < end;
	}
	for (; p < end && *p != separator && *p != '\n'; p++)
		if (*p != '\r' || (p + 1 < end && p[1] != '\n'))
			buf_putc(&field, *p);
	*at = p;
	text = arena_strndup(arena, buf_text(&field), field.len);
	buf_release(&field);
	return text;
}

/* The fields of one record, at most max of them; the rest of the record is passed over. Returns how many there were. */
static size_t
read_record(struct table *table, const char **at, const char *end, char separator, const char **fields, size_t max)
{
	size_t n = 0;

	for (;;) {
		const char *field = read_field(table->arena, at, end, separator);

		if (n < max)
			fields[n] = field;
		n++;
		if (*at >= end || **at == '\n')
			break;
		(*at)++;
	}
	*at += *at < end;
	return n;
}

bool
table_read_csv(struct table *table, const char *text, size_t len, char separator, size_t max_rows, size_t max_columns)
{
	const char *at = text, *end = text + len;
	const char **head = arena_alloc(table->arena, max_columns * sizeof *head);
	size_t n;

	if (len >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3))
		at += 3;
	n = read_record(table, &at, end, separator, head, max_columns);
	if (n < 2)
		return false;
	table->n_columns = n < max_columns ? n : max_columns;
	table->cells = arena_alloc(table->arena, (max_rows + 1) * table->n_columns * sizeof *table->cells);
	memcpy(table->cells, head, table->n_columns * sizeof *head);
	table->n_rows = 1;
	while (at < end && table->n_rows <= max_rows) {
		const char **row = table->cells + table->n_rows * table->n_columns;
		size_t fields = read_record(table, &at, end, separator, row, table->n_columns);

		if (fields != n && table->n_rows <= 3)
			return false; /* prose with commas */
		for (size_t i = fields; i < table->n_columns; i++)
			row[i] = "";
		table->n_rows++;
	}
	table->more = at < end;
	return true;
}

/* ---- JSON lines ---- */

static const char *
plain_text(struct arena *arena, const struct value *value)
{
	struct buf text = { 0 };
	const char *copy;

	if (value)
		value_write_plain(&text, value);
	copy = arena_strndup(arena, buf_text(&text), text.len);
	buf_release(&text);
	return copy;
}

static void
set_head(struct table *table, const struct value *first, size_t max_rows, size_t max_columns)
{
	table->n_columns = first->dict.n < max_columns ? first->dict.n : max_columns;
	table->cells = arena_alloc(table->arena, (max_rows + 1) * table->n_columns * sizeof *table->cells);
	for (size_t i = 0; i < table->n_columns; i++)
		table->cells[i] = first->dict.keys[i];
	table->n_rows = 1;
}

bool
table_read_json_lines(struct table *table, const char *text, size_t len, size_t max_rows, size_t max_columns)
{
	const char *at = text, *end = text + len;

	table->n_rows = 0;
	while (at < end && table->n_rows <= max_rows) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((newline ? newline : end) - at);
		const struct value *row = value_read_json(table->arena, at, n, NULL);

		if (!row || row->kind != VALUE_DICT || !row->dict.n)
			return !newline && table->n_rows > 1; /* the last line may be cut */
		if (!table->n_rows)
			set_head(table, row, max_rows, max_columns);
		for (size_t i = 0; i < table->n_columns; i++)
			table->cells[table->n_rows * table->n_columns + i] = plain_text(table->arena, value_get(row, table->cells[i]));
		table->n_rows++;
		at = newline ? newline + 1 : end;
	}
	table->more = at < end;
	return table->n_rows > 1;
}

/* ---- out ---- */

/* The cell on one line, cut, without what could turn or break the line. */
static void
write_cell(struct buf *buf, const char *text)
{
	size_t len = strlen(text), shown = 0, i = 0;

	for (; i < len && shown < CELL_MAX; shown++) {
		uint32_t cp;
		size_t n = utf8_decode(text + i, len - i, &cp);

		if (cp == '\n' || cp == '\r' || cp == '\t')
			buf_putc(buf, ' ');
		else if (cp < 0x20 || cp == 0x7F || cp == UTF8_REPLACEMENT || utf8_is_bidi_control(cp))
			buf_puts(buf, "\xEF\xBF\xBD");
		else
			buf_add(buf, text + i, n);
		i += n;
	}
	if (i < len)
		buf_puts(buf, "…");
}

static size_t
cell_width(const char *text)
{
	struct buf cell = { 0 };
	size_t width;

	write_cell(&cell, text);
	width = utf8_width(buf_text(&cell), cell.len);
	buf_release(&cell);
	return width;
}

enum { TEXT_COLUMN_MAX = 60 };

static void
text_row(struct buf *buf, const struct table *table, size_t row, const size_t *widths)
{
	for (size_t c = 0; c < table->n_columns; c++) {
		const char *text = table->cells[row * table->n_columns + c];
		size_t width = cell_width(text);

		write_cell(buf, text);
		if (c + 1 < table->n_columns)
			buf_repeat(buf, ' ', width < widths[c] ? widths[c] - width + 2 : 2);
	}
	buf_putc(buf, '\n');
}

void
table_write_text(struct buf *buf, const struct table *table)
{
	size_t *widths = arena_alloc(table->arena, table->n_columns * sizeof *widths);

	for (size_t i = 0; i < table->n_rows * table->n_columns; i++) {
		size_t width = cell_width(table->cells[i]);

		width = width < TEXT_COLUMN_MAX ? width : TEXT_COLUMN_MAX;
		if (width > widths[i % table->n_columns])
			widths[i % table->n_columns] = width;
	}
	for (size_t r = 0; r < table->n_rows; r++)
		text_row(buf, table, r, widths);
	if (table->more)
		buf_puts(buf, "…\n");
}

static void
html_row(struct buf *buf, const struct table *table, size_t row, const char *tag)
{
	struct buf cell = { 0 };

	buf_puts(buf, "<tr>");
	for (size_t c = 0; c < table->n_columns; c++) {
		buf_clear(&cell);
		write_cell(&cell, table->cells[row * table->n_columns + c]);
		buf_printf(buf, "<%s style=\"text-align:left\">", tag);
		markup_isolate(buf, buf_text(&cell), cell.len);
		buf_printf(buf, "</%s>", tag);
	}
	buf_puts(buf, "</tr>");
	buf_release(&cell);
}

void
table_write_html(struct buf *buf, const struct table *table, const char *caption)
{
	buf_puts(buf, "<table><caption style=\"text-align:left;white-space:nowrap\">");
	markup_isolate(buf, caption, strlen(caption));
	buf_puts(buf, "</caption><thead>");
	html_row(buf, table, 0, "th");
	buf_puts(buf, "</thead><tbody>");
	for (size_t r = 1; r < table->n_rows; r++)
		html_row(buf, table, r, "td");
	buf_puts(buf, "</tbody></table>");
}
