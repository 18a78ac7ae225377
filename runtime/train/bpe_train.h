/* Training of byte-level BPE: the merges that PyPI's `tokenizers` (BpeTrainer with the whole byte alphabet) finds for the same texts,
 * ties included, whatever the order of the texts. */
#ifndef RUNTIME_TRAIN_BPE_TRAIN_H
#define RUNTIME_TRAIN_BPE_TRAIN_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "runtime/train/bpe.h"
#include "runtime/train/bpe_corpus.h"

struct bpe_train_options {
	uint32_t size; /* ids at most; at least one for each special token and byte */
	int64_t min_frequency; /* a pair that is rarer is not merged */
	const char *const *special; /* take the first ids; printable ASCII */
	size_t n_special;
};

/* NULL with *err set for options that cannot be. A corpus may be too small to reach the size. */
struct bpe *bpe_train(const struct bpe_corpus *corpus, const struct bpe_train_options *options, struct error *err);

#endif
