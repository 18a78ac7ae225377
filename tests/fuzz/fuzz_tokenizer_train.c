/* Two bytes that say how, then texts with NUL between them. Whatever they are: the tokenizers trained of them, BPE and subwords, are read again
 * from what they write, and every text comes back from its ids. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/utf8.h"
#include "runtime/train/bpe_train.h"
#include "runtime/train/subword_train.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef int (*each_text)(void *context, const char *text, size_t len);

static void
walk(const char *texts, size_t len, each_text each, void *context)
{
	for (size_t at = 0; at < len;) {
		const char *nul = memchr(texts + at, 0, len - at);
		size_t n = nul ? (size_t)(nul - texts) - at : len - at;

		if (each(context, texts + at, n))
			BUG("a text is refused");
		at += n + 1;
	}
}

static int
add_to_bpe(void *corpus, const char *text, size_t len)
{
	return bpe_corpus_add(corpus, text, len, NULL);
}

static int
add_to_subword(void *corpus, const char *text, size_t len)
{
	return subword_corpus_add(corpus, text, len, NULL);
}

static int
try_bpe(void *bpe, const char *text, size_t len)
{
	struct token_ids ids = { 0 };
	struct buf back = { 0 };

	if (bpe_encode(bpe, text, len, false, &ids, NULL) || bpe_decode(bpe, ids.items, ids.n, false, &back, NULL) || back.len != len ||
	    (len && memcmp(back.data, text, len) != 0))
		BUG("a text came back from BPE as another");
	buf_release(&back);
	vec_release(&ids);
	return 0;
}

static int
try_subword(void *subword, const char *text, size_t len)
{
	struct token_ids ids = { 0 };
	struct buf back = { 0 };

	subword_encode(subword, text, len, &ids);
	if (subword_decode(subword, ids.items, ids.n, &back, NULL))
		BUG("ids of a text have no text");
	if (utf8_valid(text, len) && (back.len != len || (len && memcmp(back.data, text, len) != 0)))
		BUG("a text came back from subwords as another");
	buf_release(&back);
	vec_release(&ids);
	return 0;
}

static void
train_bpe(const char *texts, size_t len, const uint8_t *how)
{
	struct bpe_train_options options = { .size = 256 + how[0], .min_frequency = how[1] & 7 };
	struct buf file = { 0 };
	struct bpe_corpus corpus;
	struct bpe *bpe, *again;

	bpe_corpus_init(&corpus);
	walk(texts, len, add_to_bpe, &corpus);
	bpe = bpe_train(&corpus, &options, NULL);
	if (!bpe || bpe_size(bpe) > options.size)
		BUG("BPE of %u tokens is not trained", options.size);
	bpe_write(bpe, &file);
	again = bpe_read(buf_text(&file), file.len, NULL);
	if (!again)
		BUG("what was written is refused");
	walk(texts, len, try_bpe, again);
	bpe_free(again);
	bpe_free(bpe);
	buf_release(&file);
	bpe_corpus_release(&corpus);
}

static void
train_subword(const char *texts, size_t len, const uint8_t *how)
{
	struct subword_train_options options = { .size = 1 + how[0] * 4u, .length = 2 + (how[1] & 31) };
	struct subword_trained trained;
	struct buf file = { 0 };
	struct bpe_corpus corpus;
	struct subword *subword;

	bpe_corpus_init(&corpus);
	walk(texts, len, add_to_subword, &corpus);
	if (subword_train(&corpus, &options, &file, &trained, NULL))
		BUG("%u subwords are not trained", options.size);
	subword = subword_read(buf_text(&file), file.len, NULL);
	if (!subword)
		BUG("what was written is refused");
	walk(texts, len, try_subword, subword);
	subword_free(subword);
	buf_release(&file);
	bpe_corpus_release(&corpus);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3 || size > 4096)
		return 0;
	train_bpe((const char *)data + 2, size - 2, data);
	train_subword((const char *)data + 2, size - 2, data);
	return 0;
}
