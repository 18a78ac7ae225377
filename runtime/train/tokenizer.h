/* A tokenizer of either kind, by what its file holds: byte-level BPE (a tokenizer.json), or else a
 * subword vocabulary of Tensor2Tensor. */
#ifndef RUNTIME_TRAIN_TOKENIZER_H
#define RUNTIME_TRAIN_TOKENIZER_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "runtime/train/shard.h"
#include "runtime/train/token_ids.h"

struct tokenizer;

struct tokenizer *tokenizer_open(const char *path, struct error *err);
void tokenizer_free(struct tokenizer *tokenizer); /* NULL is fine */
/* Ids are below. */
uint32_t tokenizer_size(const struct tokenizer *tokenizer);
/* The first bytes of the file's SHA-256. */
const unsigned char *tokenizer_digest(const struct tokenizer *tokenizer);
/* Appends the ids of a text; what the text says of added tokens is text. */
int tokenizer_encode(struct tokenizer *tokenizer, const char *text, size_t len, struct token_ids *ret, struct error *err);
/* Appends the text of the ids. */
int tokenizer_decode(const struct tokenizer *tokenizer, const uint32_t *ids, size_t n, struct buf *ret, struct error *err);

#endif
