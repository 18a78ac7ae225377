/* BLEU (Papineni 2002), the numbers of sacrebleu's defaults: one reference, n-grams up to 4, its tokenizer `13a`, case as it
 * is, exponential smoothing. Of a corpus: add up the counts of its sentences, then take the score. */
#ifndef RUNTIME_TRAIN_BLEU_H
#define RUNTIME_TRAIN_BLEU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/train/ngrams.h"

enum { BLEU_ORDER = 4 };

struct bleu {
	uint64_t matches[BLEU_ORDER], totals[BLEU_ORDER]; /* of n-grams of 1 to 4 tokens */
	uint64_t prediction_len, reference_len; /* tokens */
};

/* Appends the tokens of mteval-v13a: what is white space to Python parts them, most punctuation stands alone, full stops
 * and commas do unless digits are around them, hyphens behind a digit do. */
void bleu_tokenize(struct tokens *ret, const char *text, size_t len);
/* Adds a sentence's counts. -1 if it has more than NGRAMS_TOKENS_MAX tokens. */
int bleu_add(struct bleu *bleu, const struct tokens *reference, const struct tokens *prediction, struct error *err);
/* From 0 to 100. effective_order leaves out n-grams longer than the predictions; for single sentences. */
double bleu_score(const struct bleu *bleu, bool effective_order);

#endif
