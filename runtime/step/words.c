#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/macros.h"
#include "base/map.h"
#include "base/utf8.h"
#include "runtime/step/csv.h"
#include "runtime/step/rows.h"
#include "runtime/step/step.h"

enum { TOP_MAX = 1000000, LENGTH_MAX = 10000 };

static const char *const english[] = {
	"a", "about", "after", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "could",
	"did", "do", "does", "doesn't", "don't", "for", "from", "get", "had", "has", "have", "how", "i", "if", "in", "into", "is",
	"isn't", "it", "it's", "its", "just", "like", "me", "my", "no", "not", "of", "on", "one", "only", "or", "other", "our", "out",
	"should", "so", "some", "such", "than", "that", "the", "their", "them", "then", "there", "these", "they", "this", "to", "too",
	"up", "was", "we", "were", "what", "when", "where", "which", "while", "who", "why", "will", "with", "would", "you", "your",
};

/* A letter, mark or digit of any script; an apostrophe within a word. */
static bool
is_word_char(uint32_t c)
{
	utf8proc_category_t category;

	if (c < 0x80)
		return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
	category = utf8proc_category((utf8proc_int32_t)c);
	return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
		(category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_NO);
}

bool
step_next_word(const char *text, size_t len, size_t *at, char ret[STEP_WORD_MAX + 8])
{
	size_t n = 0;

	while (*at < len) {
		uint32_t c;
		size_t size = utf8_decode(text + *at, len - *at, &c);
		bool inside = is_word_char(c) || (n && c == '\'' && *at + 1 < len && is_word_char((unsigned char)text[*at + 1]));

		if (!inside && n)
			break;
		*at += size;
		if (inside && n < STEP_WORD_MAX)
			n += utf8_encode((uint32_t)utf8proc_tolower((utf8proc_int32_t)c), ret + n);
	}
	ret[n] = '\0';
	return n > 0;
}

static int
compare_text(const void *a, const void *b)
{
	return strcmp(a, *(const char *const *)b);
}

static bool
is_small(const char *word)
{
	return bsearch(word, english, ARRAY_LEN(english), sizeof(*english), compare_text) != NULL;
}

/* By count, then by word. */
static int
compare_entries(const void *a, const void *b)
{
	const struct map_entry *x = *(const struct map_entry *const *)a, *y = *(const struct map_entry *const *)b;
	uintptr_t nx = (uintptr_t)x->value, ny = (uintptr_t)y->value;

	return nx != ny ? (nx < ny ? 1 : -1) : strcmp(x->key, y->key);
}

static void
count_words(struct map *counts, const char *text, bool drop_small)
{
	char word[STEP_WORD_MAX + 8];
	size_t at = 0, len = strlen(text);

	while (step_next_word(text, len, &at, word)) {
		if (drop_small && (!word[1] || is_small(word)))
			continue;
		map_set(counts, word, (void *)((uintptr_t)map_get(counts, word) + 1));
	}
}

static void
write_top(struct buf *buf, const struct map *counts, size_t top)
{
	const struct map_entry **order = xcalloc(counts->n, sizeof(*order));
	const struct map_entry *entry;
	size_t n = 0, at = 0;

	while ((entry = map_next(counts, &at)))
		order[n++] = entry;
	qsort(order, n, sizeof(*order), compare_entries);
	buf_puts(buf, "word,count\n");
	for (size_t i = 0; i < n && i < top; i++) {
		csv_write_field(buf, order[i]->key, strlen(order[i]->key));
		buf_printf(buf, ",%llu\n", (unsigned long long)(uintptr_t)order[i]->value);
	}
	free(order);
}

static struct rows *
open_column(const struct step_call *call, size_t *ret_column, struct error *err)
{
	struct rows *rows = rows_open(step_text(call, "input"), err);

	if (!rows || !rows_need_column(rows, step_text(call, "field"), ret_column, err))
		return rows;
	rows_close(rows);
	return NULL;
}

int
step_words(const struct step_call *call, struct error *err)
{
	bool drop_small = !strcmp(step_text(call, "stop"), "english");
	struct map counts = { 0 };
	struct buf table = { 0 };
	const char *const *texts;
	struct rows *rows;
	size_t column = 0;
	int64_t top;
	int more;

	if (!drop_small && strcmp(step_text(call, "stop"), "none") != 0)
		return error_set(err, "--stop wants `english` or `none`, not `%s`", step_text(call, "stop"));
	if (step_number(call, "top", TOP_MAX, &top, err) || !(rows = open_column(call, &column, err)))
		return -1;
	while ((more = rows_next(rows, &texts, err)) > 0)
		count_words(&counts, texts[column], drop_small);
	if (!more) {
		write_top(&table, &counts, (size_t)top);
		more = step_write(step_text(call, "output"), &table, err);
		printf("%zu different words\n", counts.live);
	}
	buf_release(&table);
	map_release(&counts);
	rows_close(rows);
	return more;
}

static size_t
words_in(const char *text)
{
	char word[STEP_WORD_MAX + 8];
	size_t at = 0, n = 0, len = strlen(text);

	while (n < LENGTH_MAX && step_next_word(text, len, &at, word))
		n++;
	return n;
}

static int
count_lengths(struct rows *rows, size_t column, size_t *counts, size_t *ret_longest, struct error *err)
{
	const char *const *texts;
	int more;

	while ((more = rows_next(rows, &texts, err)) > 0) {
		size_t n = words_in(texts[column]);

		counts[n]++;
		if (n > *ret_longest)
			*ret_longest = n;
	}
	return more;
}

static void
write_lengths(struct buf *buf, const size_t *counts, size_t longest, size_t width)
{
	buf_puts(buf, "words,count\n");
	for (size_t from = 0; from <= longest; from += width) {
		size_t n = 0;

		for (size_t i = from; i < from + width && i <= LENGTH_MAX; i++)
			n += counts[i];
		if (width == 1)
			buf_printf(buf, "%zu,%zu\n", from, n);
		else
			buf_printf(buf, "%zu-%zu,%zu\n", from, from + width - 1, n);
	}
}

int
step_lengths(const struct step_call *call, struct error *err)
{
	CLEANUP(freep) size_t *counts = xcalloc(LENGTH_MAX + 1, sizeof(*counts));
	struct buf table = { 0 };
	struct rows *rows;
	size_t column = 0, longest = 0;
	int64_t width;
	int result;

	if (step_number(call, "width", LENGTH_MAX, &width, err) || !(rows = open_column(call, &column, err)))
		return -1;
	result = rows_columns(rows, &(const char *const *){ NULL }) ? count_lengths(rows, column, counts, &longest, err) : 0;
	if (!result) {
		write_lengths(&table, counts, longest, width ? (size_t)width : 1);
		result = step_write(step_text(call, "output"), &table, err);
	}
	buf_release(&table);
	rows_close(rows);
	return result;
}
