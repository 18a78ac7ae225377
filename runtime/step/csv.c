#include "config.h"

#include "runtime/step/csv.h"

#include <string.h>

enum { READ_SIZE = 64 * 1024 };

void
csv_init(struct csv *csv, csv_source source, void *context)
{
	memset(csv, 0, sizeof(*csv));
	csv->source = source;
	csv->context = context;
	csv->line = 1;
	csv->separator = ',';
	csv->record.max = CSV_RECORD_MAX;
}

void
csv_release(struct csv *csv)
{
	buf_release(&csv->input);
	buf_release(&csv->record);
}

/* More bytes behind those that are there. */
static int
fill(struct csv *csv, struct error *err)
{
	char *space;
	long n;

	if (csv->at_end)
		return 0;
	buf_consume(&csv->input, csv->at);
	csv->at = 0;
	space = buf_space(&csv->input, READ_SIZE);
	if (!space)
		return error_set(err, "line %llu is too long", (unsigned long long)csv->line);
	n = csv->source(csv->context, space, READ_SIZE, err);
	if (n < 0)
		return -1;
	buf_commit(&csv->input, (size_t)n);
	csv->at_end = n == 0;
	return 0;
}

/* The next byte without taking it; -1 at the end, -2 on failure. */
static int
peek(struct csv *csv, struct error *err)
{
	if (csv->at >= csv->input.len && fill(csv, err))
		return -2;
	return csv->at < csv->input.len ? (unsigned char)csv->input.data[csv->at] : -1;
}

/* The separator that the first line has most of, outside of quotes. */
static char
guess_separator(const char *text, size_t len)
{
	static const char candidates[] = { ',', '\t', ';' };
	size_t counts[sizeof(candidates)] = { 0 };
	size_t best = 0;
	bool quoted = false;

	for (size_t i = 0; i < len && (quoted || (text[i] != '\n' && text[i] != '\r')); i++) {
		quoted ^= text[i] == '"';
		for (size_t j = 0; j < sizeof(candidates); j++)
			counts[j] += !quoted && text[i] == candidates[j];
	}
	for (size_t j = 1; j < sizeof(candidates); j++)
		if (counts[j] > counts[best])
			best = j;
	return candidates[best];
}

static int
begin(struct csv *csv, struct error *err)
{
	csv->begun = true;
	do {
		if (fill(csv, err))
			return -1;
	} while (!csv->at_end && csv->input.len < READ_SIZE && !strchr(buf_text(&csv->input), '\n'));
	if (csv->input.len >= 3 && !memcmp(csv->input.data, "\xEF\xBB\xBF", 3))
		csv->at = 3;
	csv->separator = guess_separator(buf_text(&csv->input) + csv->at, csv->input.len - csv->at);
	return 0;
}

static int
end_field(struct csv *csv, struct error *err)
{
	if (csv->n_fields == CSV_FIELDS_MAX)
		return error_set(err, "line %llu has more than %d fields", (unsigned long long)csv->line, CSV_FIELDS_MAX);
	csv->ends[csv->n_fields++] = csv->record.len;
	return 0;
}

/* A line's end of any kind, taken whole. */
static void
take_newline(struct csv *csv, int c, struct error *err)
{
	csv->at++;
	csv->line++;
	if (c == '\r' && peek(csv, err) == '\n')
		csv->at++;
}

/* Behind the opening quote, up to the closing one. */
static int
read_quoted(struct csv *csv, struct error *err)
{
	uint64_t began = csv->line;

	for (;;) {
		int c = peek(csv, err);
		const char *text, *quote;
		size_t len;

		if (c == -1)
			return error_set(err, "the quote that line %llu opens is never closed", (unsigned long long)began);
		if (c < 0)
			return -1;
		if (c == '"') {
			csv->at++;
			if (peek(csv, err) != '"')
				return 0;
			buf_putc(&csv->record, '"');
			csv->at++;
			continue;
		}
		text = csv->input.data + csv->at;
		len = csv->input.len - csv->at;
		quote = memchr(text, '"', len);
		len = quote ? (size_t)(quote - text) : len;
		for (size_t i = 0; i < len; i++)
			csv->line += text[i] == '\n';
		buf_add(&csv->record, text, len);
		if (csv->record.overflow)
			return error_set(err, "the quote that line %llu opens is not closed within %d bytes", (unsigned long long)began,
				CSV_RECORD_MAX);
		csv->at += len;
	}
}

/* One field; *ret_c is what ended it: the separator, a newline character, or -1. */
static int
read_field(struct csv *csv, int *ret_c, struct error *err)
{
	size_t start = csv->record.len;

	for (;;) {
		int c = peek(csv, err);

		if (c == -2)
			return -1;
		if (c == -1 || c == csv->separator || c == '\n' || c == '\r') {
			*ret_c = c;
			return 0;
		}
		csv->at++;
		if (c != '"' || csv->record.len != start)
			buf_putc(&csv->record, (char)c);
		else if (read_quoted(csv, err))
			return -1;
	}
}

static int
read_record(struct csv *csv, struct error *err)
{
	int c;

	do {
		if (read_field(csv, &c, err) || end_field(csv, err))
			return -1;
		if (csv->record.overflow)
			return error_set(err, "the record that ends in line %llu is longer than %d bytes",
				(unsigned long long)csv->line, CSV_RECORD_MAX);
		if (c == csv->separator)
			csv->at++;
	} while (c == csv->separator);
	if (c >= 0)
		take_newline(csv, c, err);
	return 0;
}

int
csv_next(struct csv *csv, struct error *err)
{
	int c;

	if (!csv->begun && begin(csv, err))
		return -1;
	while ((c = peek(csv, err)) == '\n' || c == '\r')
		take_newline(csv, c, err);
	if (c < 0)
		return c == -1 ? 0 : -1;
	buf_clear(&csv->record);
	csv->n_fields = 0;
	csv->record_line = csv->line;
	if (read_record(csv, err))
		return -1;
	for (size_t i = 0, start = 0; i < csv->n_fields; i++) {
		csv->fields[i] = (struct csv_field){ buf_text(&csv->record) + start, csv->ends[i] - start };
		start = csv->ends[i];
	}
	return 1;
}

void
csv_write_field(struct buf *buf, const char *text, size_t len)
{
	bool quoted = false;

	for (size_t i = 0; i < len && !quoted; i++)
		quoted = text[i] == ',' || text[i] == '"' || text[i] == '\n' || text[i] == '\r' || text[i] == '\t' || text[i] == ';';
	if (!quoted && len && (*text == ' ' || text[len - 1] == ' '))
		quoted = true;
	if (!quoted) {
		buf_add(buf, text, len);
		return;
	}
	buf_putc(buf, '"');
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"')
			buf_putc(buf, '"');
		buf_putc(buf, text[i]);
	}
	buf_putc(buf, '"');
}
