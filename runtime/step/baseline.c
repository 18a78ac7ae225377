#include "config.h"

#include <stdio.h>
#include <string.h>

#include "runtime/step/rows.h"
#include "runtime/step/score.h"

enum { WORDS_MAX = 1000000 };

struct columns {
	const char *key_name;
	size_t field, key; /* key is SIZE_MAX where none is taken along */
};

void
score_first_words(struct buf *buf, const char *text, size_t n)
{
	static const char space[] = " \t\n\v\f\r";

	for (size_t i = 0; i < n; i++) {
		size_t len;

		text += strspn(text, space);
		len = strcspn(text, space);
		if (!len)
			break;
		if (i)
			buf_putc(buf, ' ');
		buf_add(buf, text, len);
		text += len;
	}
}

static int
copy_titles(struct rows *rows, const struct columns *columns, size_t words, struct step_output *output, size_t *ret_n, struct error *err)
{
	const char *const *texts;
	struct buf title = { 0 };
	int more;

	for (*ret_n = 0; (more = rows_next(rows, &texts, err)) > 0; ++*ret_n) {
		buf_clear(&title);
		score_first_words(&title, texts[columns->field], words);
		buf_putc(&output->buf, '{');
		if (columns->key != SIZE_MAX)
			step_write_pair(&output->buf, columns->key_name, texts[columns->key], strlen(texts[columns->key]));
		step_write_pair(&output->buf, "title", buf_text(&title), title.len);
		buf_puts(&output->buf, "}\n");
		if (step_output_flush(output, false, err)) {
			buf_release(&title);
			return -1;
		}
	}
	buf_release(&title);
	if (more) {
		step_output_abandon(output);
		return -1;
	}
	return step_output_flush(output, true, err);
}

static int
write_titles(const struct step_call *call, struct rows *rows, size_t words, struct error *err)
{
	struct columns columns = { .key_name = step_text(call, "key"), .key = SIZE_MAX };
	struct step_output output;
	size_t n;

	if (!strcmp(columns.key_name, "title"))
		return error_set(err, "--key cannot be `title`, which the first words are written to");
	if (rows_need_column(rows, step_text(call, "field"), &columns.field, err) ||
	    (*columns.key_name && rows_need_column(rows, columns.key_name, &columns.key, err)) ||
	    step_output_open(&output, step_text(call, "output"), err) || copy_titles(rows, &columns, words, &output, &n, err))
		return -1;
	printf("%zu titles, the first %zu words of `%s`\n", n, words, step_text(call, "field"));
	return 0;
}

int
step_baseline(const struct step_call *call, struct error *err)
{
	struct rows *rows;
	int64_t words;
	int result;

	if (step_number(call, "words", WORDS_MAX, &words, err) || !(rows = rows_open(step_text(call, "input"), err)))
		return -1;
	result = write_titles(call, rows, (size_t)words, err);
	rows_close(rows);
	return result;
}
