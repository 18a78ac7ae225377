/* Training of Tensor2Tensor's subword vocabularies, to the same file, byte for byte, as its SubwordTextEncoder (1.11) builds of the same
 * texts.
 *
 * Each word is escaped and cut by the vocabulary of the round before (the first is single characters). Strings that begin where a piece
 * begins are counted; those that stand there `least` times become pieces, long ones first, which takes their number from the strings that
 * they begin with. Four rounds; `least` is found by halving 1 to 1000, until the size is within one in a hundred of what was
 * asked for, or as near as it gets.
 *
 * Where the texts have newlines, a newline is a piece that no text is written with, and the file has a line more than there are pieces:
 * so it is in Tensor2Tensor's, which reads it back as two empty ones. */
#ifndef RUNTIME_TRAIN_SUBWORD_TRAIN_H
#define RUNTIME_TRAIN_SUBWORD_TRAIN_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "runtime/train/bpe_corpus.h"
#include "runtime/train/subword.h"

enum {
	SUBWORD_LENGTH_MAX = SUBWORD_MAX / 4, /* of subword_train_options.length */
	SUBWORD_CHARACTERS_MAX = 1 << 27, /* of all different words */
};

struct subword_train_options {
	uint32_t size; /* subwords, about */
	uint32_t length; /* a subword has fewer characters than this, as Tensor2Tensor's max_subtoken_length has it; single ones are always there */
};

struct subword_trained {
	uint32_t size; /* subwords that there are */
	uint32_t least;
};

/* Counts the words of a text. */
int subword_corpus_add(struct bpe_corpus *corpus, const char *text, size_t len, struct error *err);
/* Appends the vocabulary's file. */
int subword_train(const struct bpe_corpus *corpus, const struct subword_train_options *options, struct buf *file, struct subword_trained *ret,
	struct error *err);

#endif
