#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/step/rows.h"
#include "runtime/step/step.h"

/* Two keys are nearly equal if they have the same words but for one that is missing, more, or another, in lower case. Each
 * key has a hash of all its words and one for each word left out; nearly equal keys share one. Keys of few words share
 * too much: below NEAR_LEAST words only the whole counts. */
enum { NEAR_LEAST = 4, NEAR_WORDS_MAX = 64, HELD_MAX = 1024 * 1024 * 1024 };

struct mark {
	uint64_t hash;
	size_t dev; /* whose: index into dev_keys */
};

struct dev_key {
	char *text;
	bool is_near; /* one of the first part has been found */
};

struct split {
	const struct step_call *call;
	struct rows *rows;
	size_t key;
	double share;
	struct step_output output;
	struct buf near;
	VEC(struct dev_key) dev_keys;
	VEC(struct mark) marks; /* by hash, once all of them are there */
	size_t held_bytes, n_train, n_near;
};

/* ---- hashes: of the words, the same on every machine ---- */

static uint64_t
mix(uint64_t hash)
{
	hash = (hash ^ hash >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	hash = (hash ^ hash >> 27) * UINT64_C(0x94D049BB133111EB);
	return hash ^ hash >> 31;
}

static uint64_t
hash_bytes(const char *text, size_t len)
{
	uint64_t hash = UINT64_C(0xCBF29CE484222325);

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001B3);
	return mix(hash);
}

static uint64_t
hash_words(const uint64_t *words, size_t n, size_t left_out)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < n; i++)
		if (i != left_out)
			hash = mix(hash + words[i] + UINT64_C(0x9E3779B97F4A7C15));
	return hash;
}

/* How many words the text has, at most NEAR_WORDS_MAX of them in `words`; the hash of all, or of a text without any. */
static size_t
hash_text(const char *text, uint64_t words[NEAR_WORDS_MAX], uint64_t *ret_whole)
{
	char word[STEP_WORD_MAX + 8];
	size_t len = strlen(text), at = 0, n = 0;
	uint64_t whole = 0;

	while (step_next_word(text, len, &at, word)) {
		uint64_t hash = hash_bytes(word, strlen(word));

		whole = mix(whole + hash + UINT64_C(0x9E3779B97F4A7C15));
		if (n < NEAR_WORDS_MAX)
			words[n++] = hash;
	}
	*ret_whole = n ? whole : hash_bytes(text, len);
	return n;
}

/* Does this share of all hashes hold it? */
static bool
is_dev(const struct split *split, uint64_t hash)
{
	return (double)(hash >> 11) * 0x1p-53 < split->share;
}

/* The hashes that nearly equal texts share, into marks; returns how many. */
static size_t
near_hashes(const uint64_t *words, size_t n, uint64_t marks[NEAR_WORDS_MAX + 1])
{
	size_t n_marks = 0;

	if (n + 1 < NEAR_LEAST)
		return 0;
	marks[n_marks++] = hash_words(words, n, SIZE_MAX);
	for (size_t i = 0; n >= NEAR_LEAST && i < n; i++)
		marks[n_marks++] = hash_words(words, n, i);
	return n_marks;
}

/* ---- the second part, then the first ---- */

static void
write_row(struct buf *buf, const struct rows *rows, const char *const *texts)
{
	const char *const *names;
	size_t n = rows_columns(rows, &names);

	buf_putc(buf, '{');
	for (size_t i = 0; i < n; i++)
		step_write_pair(buf, names[i], texts[i], strlen(texts[i]));
	buf_puts(buf, "}\n");
}

static int
add_dev(struct split *split, const char *key, const uint64_t *words, size_t n_words, struct error *err)
{
	uint64_t hashes[NEAR_WORDS_MAX + 1];
	size_t n = near_hashes(words, n_words, hashes);
	struct dev_key dev = { .text = NULL };

	split->held_bytes += strlen(key) + n * sizeof(struct mark) + sizeof(dev);
	if (split->held_bytes > HELD_MAX)
		return error_set(err, "the second part is too large: its keys hold more than %d bytes", HELD_MAX);
	for (size_t i = 0; i < n; i++) {
		struct mark mark = { hashes[i], split->dev_keys.n };

		vec_push(&split->marks, mark);
	}
	dev.text = xstrdup(key);
	vec_push(&split->dev_keys, dev);
	return 0;
}

static int
compare_marks(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->dev > y->dev) - (x->dev < y->dev);
}

static size_t
first_mark(const struct split *split, uint64_t hash)
{
	size_t from = 0, to = split->marks.n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (split->marks.items[middle].hash < hash)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static void
note_near(struct split *split, const char *key, const uint64_t *words, size_t n_words)
{
	uint64_t hashes[NEAR_WORDS_MAX + 1];
	size_t n = near_hashes(words, n_words, hashes);

	for (size_t i = 0; i < n; i++) {
		for (size_t m = first_mark(split, hashes[i]); m < split->marks.n && split->marks.items[m].hash == hashes[i]; m++) {
			struct dev_key *dev = &split->dev_keys.items[split->marks.items[m].dev];

			if (dev->is_near)
				continue;
			dev->is_near = true;
			split->n_near++;
			buf_putc(&split->near, '{');
			step_write_pair(&split->near, "dev", dev->text, strlen(dev->text));
			step_write_pair(&split->near, "train", key, strlen(key));
			buf_puts(&split->near, "}\n");
		}
	}
}

/* One way through the table, for the rows of one part. */
static int
pass(struct split *split, bool dev, struct error *err)
{
	uint64_t words[NEAR_WORDS_MAX], whole;
	const char *const *texts;
	int more;

	while ((more = rows_next(split->rows, &texts, err)) > 0) {
		const char *key = texts[split->key];
		size_t n = hash_text(key, words, &whole);

		if (is_dev(split, whole) != dev)
			continue;
		split->n_train += !dev;
		if (!dev)
			note_near(split, key, words, n);
		else if (add_dev(split, key, words, n, err))
			return -1;
		write_row(&split->output.buf, split->rows, texts);
		if (step_output_flush(&split->output, false, err))
			return -1;
	}
	return more < 0 ? -1 : step_output_flush(&split->output, true, err);
}

static int
write_part(struct split *split, bool dev, struct error *err)
{
	int result = -1;

	split->rows = rows_open(step_text(split->call, "input"), err);
	if (split->rows && !rows_need_column(split->rows, step_text(split->call, "key"), &split->key, err) &&
	    !step_output_open(&split->output, step_text(split->call, dev ? "dev" : "train"), err)) {
		result = pass(split, dev, err);
		if (result && split->output.file)
			step_output_abandon(&split->output);
	}
	rows_close(split->rows);
	split->rows = NULL;
	return result;
}

static int
write_parts(struct split *split, struct error *err)
{
	const char *near = step_text(split->call, "near");

	if (write_part(split, true, err))
		return -1;
	if (split->marks.n)
		qsort(split->marks.items, split->marks.n, sizeof(*split->marks.items), compare_marks);
	if (write_part(split, false, err) || (*near && step_write(near, &split->near, err)))
		return -1;
	printf("%zu rows in the first part, %zu in the second; equal keys are in the same part\n", split->n_train, split->dev_keys.n);
	if (split->n_near)
		printf("%zu keys of the second part are nearly equal to one of the first (all words but one the same)\n", split->n_near);
	return 0;
}

int
step_split(const struct step_call *call, struct error *err)
{
	struct split split = { .call = call };
	int result;

	if (step_real(call, "share", 1, &split.share, err))
		return -1;
	result = write_parts(&split, err);
	for (size_t i = 0; i < split.dev_keys.n; i++)
		free(split.dev_keys.items[i].text);
	vec_release(&split.dev_keys);
	vec_release(&split.marks);
	buf_release(&split.near);
	return result;
}
