/* The texts of a table made even: blanks, case; rows that are too short left out. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/macros.h"
#include "base/utf8.h"
#include "runtime/step/fields.h"
#include "runtime/step/step.h"
#include "runtime/train/unicode_class.h"

enum { WORDS_MAX = 1000000, SHOWN_MAX = 3 };

struct cleaning {
	struct good_rows rows;
	struct fields fields;
	struct buf *texts; /* of the fields, cleaned */
	bool lower;
	int64_t min_words, short_rows, percent;
};

/* Runs of spaces become one blank, none at the ends. Returns the number of words. */
static int64_t
clean_text(const char *text, bool lower, struct buf *ret)
{
	size_t len = strlen(text);
	bool in_word = false;
	int64_t words = 0;

	buf_clear(ret);
	for (size_t at = 0; at < len;) {
		char character[4];
		uint32_t code_point;

		at += utf8_decode(text + at, len - at, &code_point);
		if (unicode_class_of(code_point) == UNICODE_SPACE) {
			in_word = false;
			continue;
		}
		if (!in_word && words++)
			buf_putc(ret, ' ');
		in_word = true;
		if (lower)
			code_point = (uint32_t)utf8proc_tolower((utf8proc_int32_t)code_point);
		buf_add(ret, character, utf8_encode(code_point, character));
	}
	return words;
}

/* Whether the row's fields all have the words that they must. */
static bool
clean_fields(struct cleaning *c, const char *const *texts)
{
	bool enough = true;

	for (uint32_t i = 0; i < c->fields.n; i++) {
		int64_t words = clean_text(texts[c->fields.columns[i]], c->lower, &c->texts[i]);

		if (words >= c->min_words || !enough)
			continue;
		enough = false;
		if (c->short_rows++ < SHOWN_MAX)
			printf("left out: row %llu has %lld words in `%s`\n", (unsigned long long)(c->rows.good + c->rows.bad),
				(long long)words, c->fields.names[i]);
	}
	return enough;
}

static void
write_row(const struct cleaning *c, const char *const *texts, struct buf *ret)
{
	const char *const *names;
	size_t n = rows_columns(c->rows.rows, &names);

	buf_putc(ret, '{');
	for (size_t column = 0; column < n; column++) {
		const char *text = texts[column];

		for (uint32_t i = 0; i < c->fields.n; i++)
			if (c->fields.columns[i] == column)
				text = buf_text(&c->texts[i]);
		step_write_pair(ret, names[column], text, strlen(text));
	}
	buf_puts(ret, "}\n");
}

static int
check_share(const struct cleaning *c, struct error *err)
{
	uint64_t all = c->rows.good + c->rows.bad, dropped = c->rows.bad + (uint64_t)c->short_rows;

	if (dropped * 100 <= all * (uint64_t)c->percent)
		return 0;
	return error_set(err, "%llu of %llu rows would be left out, more than %lld in a hundred", (unsigned long long)dropped,
		(unsigned long long)all, (long long)c->percent);
}

static int
clean_rows(const struct step_call *call, struct cleaning *c, struct error *err)
{
	struct step_output output;
	const char *const *texts;
	int more;

	if (step_output_open(&output, step_text(call, "output"), err))
		return -1;
	while ((more = good_rows_next(&c->rows, &texts, err)) > 0) {
		if (!clean_fields(c, texts))
			continue;
		write_row(c, texts, &output.buf);
		if (step_output_flush(&output, false, err))
			return -1;
	}
	if (more < 0 || check_share(c, err)) {
		step_output_abandon(&output);
		return -1;
	}
	return step_output_flush(&output, true, err);
}

static int
report(const struct step_call *call, const struct cleaning *c, struct error *err)
{
	long long dropped = (long long)c->rows.bad + c->short_rows;
	struct buf text = { 0 };
	int result = 0;

	printf("%lld rows, %lld left out\n", (long long)c->rows.good - c->short_rows, dropped);
	buf_printf(&text, "%lld\n", dropped);
	if (*step_text(call, "dropped"))
		result = step_write(step_text(call, "dropped"), &text, err);
	buf_release(&text);
	return result;
}

int
step_clean(const struct step_call *call, struct error *err)
{
	struct cleaning c = { .texts = xcalloc(SHARD_FIELDS_MAX, sizeof(*c.texts)) };
	int result = -1;

	c.rows.fields = &c.fields;
	if (!step_boolean(call, "lower", &c.lower, err) && !step_number(call, "min-words", WORDS_MAX, &c.min_words, err) &&
	    !step_number(call, "max-bad", 100, &c.percent, err) && !fields_read(&c.fields, step_text(call, "fields"), err) &&
	    (c.rows.rows = rows_open(step_text(call, "input"), err)) && !fields_find(&c.fields, c.rows.rows, err) &&
	    !clean_rows(call, &c, err))
		result = report(call, &c, err);
	rows_close(c.rows.rows);
	fields_release(&c.fields);
	for (size_t i = 0; i < SHARD_FIELDS_MAX; i++)
		buf_release(&c.texts[i]);
	free(c.texts);
	return result;
}
