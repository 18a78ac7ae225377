/* A file of a tokenizer, a NUL, and a text. Whatever the file is: it is refused, or every text comes back from its ids, and what is
 * written is read as the same tokenizer. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/utf8.h"
#include "runtime/train/bpe.h"
#include "runtime/train/subword.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_bpe(struct bpe *bpe, const char *text, size_t len, bool added)
{
	struct token_ids ids = { 0 };
	struct buf back = { 0 };

	/* Added tokens may take spaces along, a tokenizer may put one before: then the text is another. */
	if (!bpe_encode(bpe, text, len, added, &ids, NULL)) {
		if (bpe_decode(bpe, ids.items, ids.n, false, &back, NULL))
			BUG("ids of a text have no text");
		if (!added && back.len != len + (back.len && len && text[0] != ' ' && back.data[0] == ' '))
			BUG("%zu bytes came back as %zu", len, back.len);
		if (!added && len && memcmp(back.data + (back.len - len), text, len) != 0)
			BUG("a text came back as another");
	}
	buf_release(&back);
	vec_release(&ids);
}

static void
write_and_read(const struct bpe *bpe)
{
	struct buf first = { 0 }, second = { 0 };
	struct bpe *again;

	bpe_write(bpe, &first);
	again = bpe_read(buf_text(&first), first.len, NULL);
	if (!again)
		BUG("what was written is refused");
	bpe_write(again, &second);
	if (first.len != second.len || memcmp(first.data, second.data, first.len) != 0)
		BUG("what was written is read as another tokenizer");
	bpe_free(again);
	buf_release(&first);
	buf_release(&second);
}

static void
try_subword(const struct subword *subword, const char *text, size_t len)
{
	struct token_ids ids = { 0 };
	struct buf back = { 0 };

	subword_encode(subword, text, len, &ids);
	if (subword_decode(subword, ids.items, ids.n, &back, NULL))
		BUG("ids of a text have no text");
	if (utf8_valid(text, len) && (back.len != len || (len && memcmp(back.data, text, len) != 0)))
		BUG("a text came back as another");
	buf_release(&back);
	vec_release(&ids);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size ? memchr(data, 0, size) : NULL;
	size_t file_len = nul ? (size_t)(nul - data) : size, len = nul ? size - file_len - 1 : 0;
	char *file = xmalloc(file_len + 1), *text = xmalloc(len + 1);
	struct subword *subword;
	struct bpe *bpe;

	if (size)
		memcpy(file, data, file_len);
	file[file_len] = '\0';
	if (len)
		memcpy(text, nul + 1, len);
	text[len] = '\0';
	bpe = bpe_read(file, file_len, NULL);
	if (bpe) {
		try_bpe(bpe, text, len, false);
		try_bpe(bpe, text, len, true);
		write_and_read(bpe);
	}
	subword = subword_read(file, file_len, NULL);
	if (subword)
		try_subword(subword, text, len);
	bpe_free(bpe);
	subword_free(subword);
	free(file);
	free(text);
	return 0;
}
