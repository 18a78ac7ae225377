/* Tensor2Tensor's subword vocabularies (SubwordTextEncoder, version 1.11): text to ids and back.
 *
 * The file has a token a line, in quotes; its line is its id, `<pad>` 0 and `<EOS>` 1 by custom. A text is cut where letters and
 * numbers meet other characters; one blank between two such tokens is left out; `\` is written `\\`, `_` is `\u`, and a newline or a
 * character that the vocabulary has not is `\` with its number and `;`; behind each token stands `_`; then the longest subword that
 * fits is taken. Every text of valid UTF-8 comes back as it was; an invalid byte comes back as U+FFFD. */
#ifndef RUNTIME_TRAIN_SUBWORD_H
#define RUNTIME_TRAIN_SUBWORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "runtime/train/token_ids.h"

enum { SUBWORD_IDS_MAX = 1 << 20, SUBWORD_MAX = 1024 /* bytes of a subword */ };

struct subword;

/* NULL with *err set: for what is no UTF-8, too large, or lacks a character that escapes are made of. */
struct subword *subword_read(const char *text, size_t len, struct error *err);
void subword_free(struct subword *subword); /* NULL is fine */
/* Appends the file. */
void subword_write(const struct subword *subword, struct buf *buf);
/* Ids are below. */
uint32_t subword_size(const struct subword *subword);
/* Gives each word of the text to the function, until it returns something other than 0, which is then returned. */
typedef int (*subword_word)(void *context, const char *word, size_t len);
int subword_words(const char *text, size_t len, subword_word each, void *context);
/* Appends the ids of the text, no <EOS> behind them. */
void subword_encode(const struct subword *subword, const char *text, size_t len, struct token_ids *ret);
/* Appends the text of the ids, a `<pad>` among them as its letters; an id that there is not is an error. */
int subword_decode(const struct subword *subword, const uint32_t *ids, size_t n, struct buf *ret, struct error *err);

#endif
