#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "runtime/step/rows.h"
#include "runtime/step/step.h"

enum { ROWS_MAX = 100000, CELL_MAX = 80 };

int
step_count(const struct step_call *call, struct error *err)
{
	struct rows *rows = rows_open(step_text(call, "input"), err);
	const char *const *texts;
	struct buf text = { 0 };
	long long n = 0;
	int more;

	if (!rows)
		return -1;
	while ((more = rows_next(rows, &texts, err)) > 0)
		n++;
	rows_close(rows);
	if (more)
		return -1;
	buf_printf(&text, "%lld\n", n);
	more = step_write(step_text(call, "output"), &text, err);
	printf("%lld rows\n", n);
	buf_release(&text);
	return more;
}

/* A cell of a Markdown table: on one line, cut, and nothing in it means anything. */
static void
write_cell(struct buf *buf, const char *text)
{
	static const char special[] = "\\`*_{}[]#|<>&";
	size_t len = strlen(text), shown = utf8_offset(text, len, CELL_MAX);

	for (size_t i = 0; i < shown; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '<' || c == '>' || c == '&')
			buf_puts(buf, c == '<' ? "&lt;" : c == '>' ? "&gt;" : "&amp;");
		else if (c < ' ' || c == 0x7F)
			buf_putc(buf, ' ');
		else
			buf_printf(buf, "%s%c", strchr(special, c) ? "\\" : "", c);
	}
	if (shown < len)
		buf_puts(buf, "…");
}

static void
write_row(struct buf *buf, const char *const *texts, size_t n)
{
	buf_putc(buf, '|');
	for (size_t i = 0; i < n; i++) {
		buf_putc(buf, ' ');
		write_cell(buf, texts[i]);
		buf_puts(buf, " |");
	}
	buf_putc(buf, '\n');
}

int
step_table(const struct step_call *call, struct error *err)
{
	struct buf table = { 0 };
	const char *const *texts;
	struct rows *rows;
	int64_t limit, n = 0;
	size_t columns;
	int more = 0;

	if (step_number(call, "rows", ROWS_MAX, &limit, err) || !(rows = rows_open(step_text(call, "input"), err)))
		return -1;
	columns = rows_columns(rows, &texts);
	if (columns) {
		write_row(&table, texts, columns);
		buf_putc(&table, '|');
		for (size_t i = 0; i < columns; i++)
			buf_puts(&table, " --- |");
		buf_putc(&table, '\n');
	}
	for (; n < limit && (more = rows_next(rows, &texts, err)) > 0; n++)
		write_row(&table, texts, columns);
	if (!columns)
		buf_puts(&table, "*an empty table*\n");
	if (more >= 0)
		more = step_write(step_text(call, "output"), &table, err);
	buf_release(&table);
	rows_close(rows);
	return more;
}
