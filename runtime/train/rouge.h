/* ROUGE-1, ROUGE-2 and ROUGE-L of two texts (Lin 2004), the numbers of Google's rouge_score: tokens are runs of [a-z0-9]
 * of the text in lower case, stemmed if asked for (words of more than three characters), ROUGE-L is over the whole text.
 * Texts in other scripts have no such token and score 0. ROUGE-Lsum, over sentences, is not here. */
#ifndef RUNTIME_TRAIN_ROUGE_H
#define RUNTIME_TRAIN_ROUGE_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/train/ngrams.h"

/* Each from 0 to 1; f is the harmonic mean of the two others, 0 if both are 0. */
struct rouge_score {
	double precision, recall, f;
};

struct rouge {
	struct rouge_score of_1, of_2, of_l;
};

/* Appends the text's tokens. */
void rouge_tokenize(struct tokens *ret, const char *text, size_t len, bool stem);
/* -1 if a text has more than NGRAMS_TOKENS_MAX tokens. */
int rouge_compare(struct rouge *ret, const struct tokens *target, const struct tokens *prediction, struct error *err);

#endif
