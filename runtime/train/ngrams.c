#include "config.h"

#include "runtime/train/ngrams.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

void
tokens_release(struct tokens *tokens)
{
	buf_release(&tokens->text);
	vec_release(tokens);
}

void
tokens_add(struct tokens *tokens, const char *text, size_t len)
{
	struct token token = { tokens->text.len, len };

	buf_add(&tokens->text, text, len);
	vec_push(tokens, token);
}

/* ---- tokens and n-grams as numbers ---- */

struct word {
	const char *text;
	size_t len;
	uint32_t *number; /* where its number goes */
};

static int
compare_words(const void *a, const void *b)
{
	const struct word *x = a, *y = b;

	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return memcmp(x->text, y->text, x->len);
}

static size_t
list_words(struct word *words, size_t n, const struct tokens *tokens, uint32_t *numbers)
{
	const char *text = buf_text(&tokens->text);

	for (size_t i = 0; i < tokens->n; i++)
		words[n++] = (struct word){ text + tokens->items[i].at, tokens->items[i].len, &numbers[i] };
	return n;
}

static void
number_words(struct ngrams *ngrams, const struct tokens *left, const struct tokens *right)
{
	CLEANUP(freep) struct word *words = xcalloc(left->n + right->n + 1, sizeof(*words));
	size_t n = list_words(words, 0, left, ngrams->words[0]);
	uint32_t number = 0;

	n = list_words(words, n, right, ngrams->words[1]);
	qsort(words, n, sizeof(*words), compare_words);
	for (size_t i = 0; i < n; i++) {
		number += i && compare_words(&words[i - 1], &words[i]) != 0;
		*words[i].number = number;
	}
	ngrams->n_words = n ? number + 1 : 0;
}

int
ngrams_init(struct ngrams *ngrams, const struct tokens *left, const struct tokens *right, struct error *err)
{
	size_t longest = left->n > right->n ? left->n : right->n;

	if (longest > NGRAMS_TOKENS_MAX || left->text.overflow || right->text.overflow)
		return error_set(err, "a text has %zu tokens; at most %d can be compared", longest, NGRAMS_TOKENS_MAX);
	*ngrams = (struct ngrams){ .order = 1, .n = { left->n, right->n } };
	for (int side = 0; side < 2; side++) {
		ngrams->words[side] = xcalloc(ngrams->n[side] + 1, sizeof(uint32_t));
		ngrams->ids[side] = xcalloc(ngrams->n[side] + 1, sizeof(uint32_t));
	}
	number_words(ngrams, left, right);
	for (int side = 0; side < 2; side++)
		memcpy(ngrams->ids[side], ngrams->words[side], ngrams->n[side] * sizeof(uint32_t));
	ngrams->n_ids = ngrams->n_words;
	return 0;
}

void
ngrams_release(struct ngrams *ngrams)
{
	for (int side = 0; side < 2; side++) {
		freep(&ngrams->words[side]);
		freep(&ngrams->ids[side]);
	}
}

size_t
ngrams_count(const struct ngrams *ngrams, int side)
{
	return ngrams->n[side] >= ngrams->order ? ngrams->n[side] - ngrams->order + 1 : 0;
}

struct longer {
	uint64_t key; /* the n-gram's number, then its next token's */
	uint32_t *number;
};

static int
compare_longer(const void *a, const void *b)
{
	const struct longer *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

void
ngrams_longer(struct ngrams *ngrams)
{
	CLEANUP(freep) struct longer *list = xcalloc(ngrams->n[0] + ngrams->n[1] + 1, sizeof(*list));
	uint32_t number = 0;
	size_t n = 0;

	ngrams->order++;
	for (int side = 0; side < 2; side++) {
		for (size_t i = 0; i < ngrams_count(ngrams, side); i++) {
			uint32_t *id = &ngrams->ids[side][i];

			list[n++] = (struct longer){ (uint64_t)*id << 32 | ngrams->words[side][i + ngrams->order - 1], id };
		}
	}
	qsort(list, n, sizeof(*list), compare_longer);
	for (size_t i = 0; i < n; i++) {
		number += i && list[i - 1].key != list[i].key;
		*list[i].number = number;
	}
	ngrams->n_ids = n ? number + 1 : 0;
}

size_t
ngrams_shared(const struct ngrams *ngrams)
{
	CLEANUP(freep) uint32_t *counts = xcalloc(ngrams->n_ids + 1, sizeof(*counts));
	size_t shared = 0;

	for (size_t i = 0; i < ngrams_count(ngrams, 0); i++)
		counts[ngrams->ids[0][i]]++;
	for (size_t i = 0; i < ngrams_count(ngrams, 1); i++) {
		uint32_t *count = &counts[ngrams->ids[1][i]];

		shared += *count > 0;
		*count -= *count > 0;
	}
	return shared;
}

/* ---- the longest common subsequence: 64 cells of the table at a time (Hyyrö 2004) ---- */

/* Where each token stands in the left text: of token w, places[starts[w]] up to places[starts[w + 1]]. */
static void
list_places(const struct ngrams *ngrams, uint32_t *starts, uint32_t *places)
{
	const uint32_t *words = ngrams->words[0];

	for (size_t i = 0; i < ngrams->n[0]; i++)
		starts[words[i] + 1]++;
	for (size_t w = 0; w < ngrams->n_words; w++)
		starts[w + 1] += starts[w];
	for (size_t i = ngrams->n[0]; i-- > 0;)
		places[--starts[words[i] + 1]] = (uint32_t)i;
	/* Each start has moved from its end to its beginning, one place behind where it is looked for. */
	memmove(starts, starts + 1, ngrams->n_words * sizeof(*starts));
	starts[ngrams->n_words] = (uint32_t)ngrams->n[0];
}

/* row is a row of the table, one bit a column: clear where the length grows. match has the columns that hold the token. */
static void
next_row(uint64_t *row, const uint64_t *match, size_t n)
{
	uint64_t carry = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t both = row[i] & match[i], sum = row[i] + both, all = sum + carry;

		carry = (sum < both) | (all < sum);
		row[i] = all | (row[i] & ~match[i]);
	}
}

static size_t
clear_bits(const uint64_t *row, size_t n_bits)
{
	size_t n = 0;

	for (size_t i = 0; i < n_bits; i++)
		n += !(row[i / 64] >> i % 64 & 1);
	return n;
}

size_t
ngrams_lcs(const struct ngrams *ngrams)
{
	size_t n = ngrams->n[0] / 64 + 1;
	CLEANUP(freep) uint32_t *starts = xcalloc(ngrams->n_words + 2, sizeof(*starts));
	CLEANUP(freep) uint32_t *places = xcalloc(ngrams->n[0] + 1, sizeof(*places));
	CLEANUP(freep) uint64_t *row = xcalloc(n, sizeof(*row)), *match = xcalloc(n, sizeof(*match));

	list_places(ngrams, starts, places);
	memset(row, 0xFF, n * sizeof(*row));
	for (size_t i = 0; i < ngrams->n[1]; i++) {
		uint32_t word = ngrams->words[1][i];

		for (size_t p = starts[word]; p < starts[word + 1]; p++)
			match[places[p] / 64] |= UINT64_C(1) << places[p] % 64;
		next_row(row, match, n);
		for (size_t p = starts[word]; p < starts[word + 1]; p++)
			match[places[p] / 64] = 0;
	}
	return clear_bits(row, ngrams->n[0]);
}
