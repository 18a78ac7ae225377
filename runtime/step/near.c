#include "config.h"

#include "runtime/step/near.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/step/step.h"

enum { BAND = 4, TEXT_MAX = NEAR_WORDS_MAX * (STEP_WORD_MAX + 8) };

#define GOLDEN UINT64_C(0x9E3779B97F4A7C15)

struct runs {
	uint64_t hashes[TEXT_MAX]; /* in order, each once */
	size_t n;
};

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
hash_all_but(const uint64_t *words, size_t n, size_t left_out)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < n; i++)
		if (i != left_out)
			hash = mix(hash + words[i] + GOLDEN);
	return hash;
}

uint64_t
near_hash_words(const char *text)
{
	char word[STEP_WORD_MAX + 8];
	size_t len = strlen(text), at = 0, n = 0;
	uint64_t hash = 0;

	for (; step_next_word(text, len, &at, word); n++)
		hash = mix(hash + hash_bytes(word, strlen(word)) + GOLDEN);
	return n ? hash : hash_bytes(text, len);
}

/* Each run of digits becomes one 0. */
static size_t
level_digits(char *word)
{
	size_t n = 0;

	for (size_t i = 0; word[i]; i++) {
		bool digit = word[i] >= '0' && word[i] <= '9';

		if (!digit || !n || word[n - 1] != '0')
			word[n++] = digit ? '0' : word[i];
	}
	word[n] = '\0';
	return n;
}

static int
compare_hashes(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Of words with a blank between them. */
static void
find_runs(const char *text, size_t len, struct runs *runs)
{
	size_t kept = 0;

	runs->n = 0;
	for (size_t i = 0; i + NEAR_RUN <= len; i++)
		runs->hashes[runs->n++] = hash_bytes(text + i, NEAR_RUN);
	if (runs->n)
		qsort(runs->hashes, runs->n, sizeof(*runs->hashes), compare_hashes);
	for (size_t i = 0; i < runs->n; i++)
		if (!kept || runs->hashes[i] != runs->hashes[kept - 1])
			runs->hashes[kept++] = runs->hashes[i];
	runs->n = kept;
}

static void
add_word(char text[TEXT_MAX], size_t *len, const char *word, size_t word_len)
{
	if (*len)
		text[(*len)++] = ' ';
	memcpy(text + *len, word, word_len);
	*len += word_len;
}

static void
read_runs(const char *from, struct runs *runs)
{
	char text[TEXT_MAX], word[STEP_WORD_MAX + 8];
	size_t from_len = strlen(from), len = 0, at = 0;

	for (size_t n = 0; n < NEAR_WORDS_MAX && step_next_word(from, from_len, &at, word); n++)
		add_word(text, &len, word, level_digits(word));
	find_runs(text, len, runs);
}

/* MinHash: of BAND orders of all runs there are, which run comes first. */
static uint64_t
hash_band(const struct runs *runs, size_t band)
{
	uint64_t hash = band;

	for (size_t i = 0; i < BAND; i++) {
		uint64_t order = GOLDEN * (band * BAND + i + 1), least = UINT64_MAX;

		for (size_t j = 0; j < runs->n; j++) {
			uint64_t place = mix(runs->hashes[j] ^ order);

			least = place < least ? place : least;
		}
		hash = mix(hash ^ least) + GOLDEN;
	}
	return hash;
}

void
near_read(const char *text, struct near_key *ret)
{
	uint64_t words[NEAR_WORDS_MAX], whole = 0;
	char word[STEP_WORD_MAX + 8];
	size_t len = strlen(text), at = 0, n = 0;
	struct runs runs;

	for (; step_next_word(text, len, &at, word); n++) {
		uint64_t hash = hash_bytes(word, level_digits(word));

		whole = mix(whole + hash + GOLDEN);
		if (n < NEAR_WORDS_MAX)
			words[n] = hash;
	}
	*ret = (struct near_key){ .n = 0 };
	if (!n)
		return;
	ret->hashes[ret->n++] = whole;
	n = n < NEAR_WORDS_MAX ? n : NEAR_WORDS_MAX;
	for (size_t i = 0; n >= NEAR_LEAST && i < n; i++)
		ret->hashes[ret->n++] = hash_all_but(words, n, i);
	ret->n_sure = ret->n;
	read_runs(text, &runs);
	for (size_t i = 0; runs.n >= NEAR_RUNS_LEAST && i < NEAR_BANDS; i++)
		ret->hashes[ret->n++] = hash_band(&runs, i);
}

bool
near_runs(const char *a, const char *b)
{
	struct runs x, y;
	size_t i = 0, j = 0, both = 0;

	read_runs(a, &x);
	read_runs(b, &y);
	while (i < x.n && j < y.n) {
		uint64_t left = x.hashes[i], right = y.hashes[j];

		both += left == right;
		i += left <= right;
		j += right <= left;
	}
	return both && both * 100 >= (x.n + y.n - both) * NEAR_PERCENT;
}
