/* Byte-level BPE: text to token ids and back, as the files tokenizer.json of Hugging Face describe it.
 *
 * Every text has ids, whatever bytes it is made of, and the ids give the same bytes back: all 256 bytes are tokens. An invalid
 * byte of UTF-8 is a character that is neither letter, number nor space. Equal to PyPI's `tokenizers` for what this reader
 * accepts: no normalizer; a pre-tokenizer ByteLevel, alone or behind a Split by a pattern; a model without dropout, prefixes and
 * suffixes of words, and byte fallback; added tokens with all their flags. What a post-processor would add around a text is
 * left to the caller. Anything else in a file is refused with its name, never ignored.
 *
 * A tokenizer remembers words that it met: one thread at a time may use it. */
#ifndef RUNTIME_TRAIN_BPE_H
#define RUNTIME_TRAIN_BPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "runtime/train/token_ids.h"

enum {
	BPE_FILE_MAX = 128 * 1024 * 1024, /* bytes of a tokenizer.json */
	BPE_IDS_MAX = 1 << 20, /* ids are below */
	BPE_TOKEN_MAX = 1 << 16, /* bytes of one token */
};

struct bpe;

/* NULL with *err set. */
struct bpe *bpe_read(const char *json, size_t len, struct error *err);
void bpe_free(struct bpe *bpe); /* NULL is fine */
/* Appends the file: a fixed order, so that equal tokenizers are equal bytes. */
void bpe_write(const struct bpe *bpe, struct buf *buf);

/* One more than the largest id. */
uint32_t bpe_size(const struct bpe *bpe);
size_t bpe_merges(const struct bpe *bpe);
/* The added token with this text, else the token that is these bytes; UINT32_MAX if there is none. */
uint32_t bpe_id(const struct bpe *bpe, const char *bytes, size_t len);

/* Appends the ids of the text. `added`: whether the text's mentions of added tokens (`<EOS>`) mean them; off for texts of
 * strangers. Fails only where a pattern of the file runs into PCRE2's limits. */
int bpe_encode(struct bpe *bpe, const char *text, size_t len, bool added, struct token_ids *ret, struct error *err);
/* Appends the bytes of the ids, which need not be valid UTF-8; an id that the tokenizer has not is an error.
 * `skip_special`: leaves out added tokens that are special. */
int bpe_decode(const struct bpe *bpe, const uint32_t *ids, size_t n, bool skip_special, struct buf *ret, struct error *err);

#endif
