#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/value.h"
#include "runtime/step/csv.h"
#include "tests/cases.h"
#include "tests/tap.h"
#include "tests/text.h"

/* A text that comes in pieces of `piece` bytes. */
struct text_source {
	const char *text;
	size_t len, at, piece;
};

static long
give(void *context, char *bytes, size_t len, struct error *err UNUSED)
{
	struct text_source *source = context;
	size_t n = source->len - source->at;

	n = n < source->piece ? n : source->piece;
	n = n < len ? n : len;
	memcpy(bytes, source->text + source->at, n);
	source->at += n;
	return (long)n;
}

/* Each record a line of JSON strings. */
static void
describe(const char *text, size_t len, size_t piece, struct buf *buf)
{
	struct text_source source = { text, len, 0, piece };
	struct csv *csv = xmalloc(sizeof(*csv));
	struct error err;
	int more;

	csv_init(csv, give, &source);
	while ((more = csv_next(csv, &err)) > 0) {
		for (size_t i = 0; i < csv->n_fields; i++) {
			buf_puts(buf, i ? " " : "");
			value_write_json_string(buf, csv->fields[i].text, csv->fields[i].len);
		}
		buf_putc(buf, '\n');
	}
	if (more < 0)
		buf_printf(buf, "error: %s\n", err.text);
	csv_release(csv);
	free(csv);
}

static void
test_case(struct case_file *file, struct test_case *test)
{
	static const size_t pieces[] = { 1, 2, 3, 7, 100000 };
	struct buf input = { 0 }, first = { 0 }, got = { 0 };

	text_unescape(&input, case_text(test, "csv"));
	describe(buf_text(&input), input.len, 100000, &first);
	case_is(file, test, "records", buf_text(&first), first.len);
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		buf_clear(&got);
		describe(buf_text(&input), input.len, pieces[i], &got);
		is_str(buf_text(&got), buf_text(&first), "%s, %zu bytes at a time", test->name, pieces[i]);
	}
	buf_release(&input);
	buf_release(&first);
	buf_release(&got);
}

static void
test_limits(void)
{
	struct buf text = { 0 }, got = { 0 };

	buf_repeat(&text, ',', CSV_FIELDS_MAX);
	describe(buf_text(&text), text.len, 1000, &got);
	contains(buf_text(&got), "more than 4096 fields", "too many fields");
	buf_clear(&text);
	buf_clear(&got);
	buf_putc(&text, '"');
	buf_repeat(&text, 'x', CSV_RECORD_MAX + 10);
	buf_putc(&text, '"');
	describe(buf_text(&text), text.len, 100000, &got);
	contains(buf_text(&got), "the quote that line 1 opens is not closed within", "too long a text in quotes");
	buf_clear(&text);
	buf_clear(&got);
	buf_repeat(&text, 'x', CSV_RECORD_MAX + 10);
	describe(buf_text(&text), text.len, 100000, &got);
	contains(buf_text(&got), "longer than", "too long a record");
	buf_release(&text);
	buf_release(&got);
}

/* What is written as a field is read as it was. */
static void
test_round(void)
{
	static const char *const texts[] = { "", "plain", "a,b", "say \"hi\"", "two\nlines", "tab\there", " blank ", ";", "\r\n", "é日🙂" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct buf text = { 0 }, want = { 0 }, got = { 0 };

		buf_puts(&text, "x,");
		csv_write_field(&text, texts[i], strlen(texts[i]));
		buf_putc(&text, '\n');
		describe(buf_text(&text), text.len, 5, &got);
		buf_puts(&want, "\"x\" ");
		value_write_json_string(&want, texts[i], strlen(texts[i]));
		buf_putc(&want, '\n');
		is_str(buf_text(&got), buf_text(&want), "written and read, text %zu", i);
		buf_release(&text);
		buf_release(&want);
		buf_release(&got);
	}
}

int
main(void)
{
	struct case_file file;

	cases_open(&file, "tests/step/csv.cases");
	for (size_t i = 0; i < file.n_cases; i++)
		test_case(&file, &file.cases[i]);
	cases_close(&file);
	test_limits();
	test_round();
	return done_testing();
}
