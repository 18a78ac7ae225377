/* Two texts, token by token, and what they have in common: n-grams of any order, and the longest common subsequence.
 * What a token is, is for the caller to say. */
#ifndef RUNTIME_TRAIN_NGRAMS_H
#define RUNTIME_TRAIN_NGRAMS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* Of one text. GitHub ends an issue's body at 65,536 characters, so none has more. */
enum { NGRAMS_TOKENS_MAX = 65536 };

struct token {
	size_t at, len; /* in the tokens' text */
};

/* Zero-initialise, fill with tokens_add, release. */
struct tokens {
	struct buf text;
	struct token *items;
	size_t n, cap;
};

void tokens_release(struct tokens *tokens);
void tokens_add(struct tokens *tokens, const char *text, size_t len);

/* The n-grams of two texts, as numbers: equal ones have equal numbers. They begin as the tokens themselves (order 1). */
struct ngrams {
	size_t order;
	size_t n[2]; /* tokens of the left text and of the right one */
	uint32_t *words[2]; /* their numbers */
	uint32_t *ids[2]; /* of the n-gram that begins at each token */
	size_t n_words, n_ids; /* different ones */
};

/* -1 if one of them has more than NGRAMS_TOKENS_MAX tokens; there is nothing to release then. */
int ngrams_init(struct ngrams *ngrams, const struct tokens *left, const struct tokens *right, struct error *err);
void ngrams_release(struct ngrams *ngrams);
/* Goes on to the n-grams that are one token longer. */
void ngrams_longer(struct ngrams *ngrams);
/* How many n-grams a side has: 0 left, 1 right. */
size_t ngrams_count(const struct ngrams *ngrams, int side);
/* How many the two share, each as often as the side that has it less often. */
size_t ngrams_shared(const struct ngrams *ngrams);
/* The length of the longest common subsequence of tokens, whatever the order at hand. */
size_t ngrams_lcs(const struct ngrams *ngrams);

#endif
