#include "config.h"

#include "runtime/train/tokenizer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/sha256.h"
#include "runtime/train/bpe.h"
#include "runtime/train/subword.h"

struct tokenizer {
	struct bpe *bpe; /* or NULL, and */
	struct subword *subword;
	unsigned char digest[SHARD_TOKENIZER];
};

static int
read_whole(const char *path, struct buf *ret, struct error *err)
{
	FILE *file = fopen(path, "rbe");
	int result = 0;

	if (!file)
		return error_errno(err, errno, "cannot open `%s`", path);
	while (!feof(file) && !ferror(file)) {
		char *space = buf_space(ret, 64 * 1024);

		if (!space)
			break;
		buf_commit(ret, fread(space, 1, 64 * 1024, file));
	}
	if (ret->overflow)
		result = error_set(err, "`%s` is larger than %d bytes", path, BPE_FILE_MAX);
	else if (ferror(file))
		result = error_errno(err, errno, "cannot read `%s`", path);
	fclose(file);
	return result;
}

static unsigned
hex_digit(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static int
read_tokenizer(struct tokenizer *tokenizer, const struct buf *text, struct error *err)
{
	char hex[SHA256_HEX];

	sha256_hex(buf_text(text), text->len, hex);
	for (size_t i = 0; i < SHARD_TOKENIZER; i++)
		tokenizer->digest[i] = (unsigned char)(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
	if (buf_text(text)[strspn(buf_text(text), " \t\r\n")] == '{') {
		tokenizer->bpe = bpe_read(buf_text(text), text->len, err);
	} else {
		tokenizer->subword = subword_read(buf_text(text), text->len, err);
		if (!tokenizer->subword)
			error_prefix(err, "as it does not begin with `{`, it is read as a subword vocabulary");
	}
	return tokenizer->bpe || tokenizer->subword ? 0 : -1;
}

struct tokenizer *
tokenizer_open(const char *path, struct error *err)
{
	CLEANUP(buf_release) struct buf text = { .max = BPE_FILE_MAX };
	struct tokenizer *tokenizer;

	if (read_whole(path, &text, err))
		return NULL;
	tokenizer = xcalloc(1, sizeof(*tokenizer));
	if (!read_tokenizer(tokenizer, &text, err))
		return tokenizer;
	error_prefix(err, "`%s`", path);
	tokenizer_free(tokenizer);
	return NULL;
}

void
tokenizer_free(struct tokenizer *tokenizer)
{
	if (!tokenizer)
		return;
	bpe_free(tokenizer->bpe);
	subword_free(tokenizer->subword);
	free(tokenizer);
}

uint32_t
tokenizer_size(const struct tokenizer *tokenizer)
{
	return tokenizer->bpe ? bpe_size(tokenizer->bpe) : subword_size(tokenizer->subword);
}

const unsigned char *
tokenizer_digest(const struct tokenizer *tokenizer)
{
	return tokenizer->digest;
}

int
tokenizer_encode(struct tokenizer *tokenizer, const char *text, size_t len, struct token_ids *ret, struct error *err)
{
	if (tokenizer->bpe)
		return bpe_encode(tokenizer->bpe, text, len, false, ret, err);
	subword_encode(tokenizer->subword, text, len, ret);
	return 0;
}

int
tokenizer_decode(const struct tokenizer *tokenizer, const uint32_t *ids, size_t n, struct buf *ret, struct error *err)
{
	if (tokenizer->bpe)
		return bpe_decode(tokenizer->bpe, ids, n, false, ret, err);
	return subword_decode(tokenizer->subword, ids, n, ret, err);
}
