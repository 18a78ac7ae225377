/* The pieces of a corpus, each once, with how often it stands there: what training is made of. */
#ifndef RUNTIME_TRAIN_BPE_CORPUS_H
#define RUNTIME_TRAIN_BPE_CORPUS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "runtime/train/bpe_private.h"

/* Bytes of different pieces, and how many of them. */
#define BPE_CORPUS_MAX ((size_t)2 << 30)
enum { BPE_PIECES_MAX = 1 << 28 };

struct bpe_corpus {
	struct bpe_split split;
	struct buf bytes;
	struct bpe_counted {
		size_t start; /* in bytes */
		uint32_t len;
		int64_t count;
	} *pieces;
	size_t n, cap;
	uint32_t *slots; /* bytes to piece + 1; 0 is free */
	size_t slot_mask;
};

void bpe_corpus_init(struct bpe_corpus *corpus);
void bpe_corpus_release(struct bpe_corpus *corpus);
/* Counts the pieces of a text, of any bytes; an error past the ceilings. */
int bpe_corpus_add(struct bpe_corpus *corpus, const char *text, size_t len, struct error *err);
/* Counts one piece, for who cuts texts in another way; -1 past the ceilings, of which bpe_corpus_full is the error. */
int bpe_corpus_count(struct bpe_corpus *corpus, const char *piece, size_t len);
int bpe_corpus_full(struct error *err);

#endif
