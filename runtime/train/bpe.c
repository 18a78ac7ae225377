#include "config.h"

#include "runtime/train/bpe.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/utf8.h"
#include "runtime/train/bpe_private.h"
#include "runtime/train/unicode_class.h"

void
bpe_free(struct bpe *bpe)
{
	if (!bpe)
		return;
	bpe_split_release(&bpe->split);
	buf_release(&bpe->bytes);
	for (size_t i = 0; i < bpe->added.n; i++)
		free(bpe->added.items[i].text);
	vec_release(&bpe->added);
	vec_release(&bpe->tokens);
	vec_release(&bpe->merges);
	free(bpe->token_slots);
	free(bpe->pair_slots);
	free(bpe->cache);
	free(bpe->post_processor);
	free(bpe);
}

uint32_t
bpe_size(const struct bpe *bpe)
{
	return (uint32_t)bpe->tokens.n;
}

size_t
bpe_merges(const struct bpe *bpe)
{
	return bpe->merges.n;
}

uint32_t
bpe_id(const struct bpe *bpe, const char *bytes, size_t len)
{
	for (size_t i = 0; i < bpe->added.n; i++)
		if (bpe->added.items[i].len == len && !memcmp(bpe->added.items[i].text, bytes, len))
			return bpe->added.items[i].id;
	return bpe_find_token(bpe, bytes, len);
}

/* ---- encoding ---- */

struct encoding {
	struct bpe *bpe;
	struct token_ids *ids;
	struct error *err;
};

static int
encode_piece(void *context, const char *piece, size_t len)
{
	struct encoding *e = context;

	bpe_encode_piece(e->bpe, piece, len, e->ids);
	return 0;
}

static bool
ends_with_word(const char *text, size_t len)
{
	size_t back = 1;
	uint32_t code_point;

	while (back < len && back < 4 && ((unsigned char)text[len - back] & 0xC0) == 0x80)
		back++;
	utf8_decode(text + len - back, back, &code_point);
	return unicode_is_word(code_point);
}

static bool
begins_with_word(const char *text, size_t len)
{
	uint32_t code_point;

	utf8_decode(text, len, &code_point);
	return unicode_is_word(code_point);
}

/* The longest added token that stands at this place; NULL if none does. */
static const struct bpe_added *
added_at(const struct bpe *bpe, bool normalized, const char *text, size_t len)
{
	if (!bpe->added_begins[(unsigned char)*text])
		return NULL;
	for (size_t i = 0; i < bpe->added.n; i++) {
		const struct bpe_added *added = &bpe->added.items[i];

		if (added->normalized == normalized && added->len <= len && !memcmp(added->text, text, added->len))
			return added;
	}
	return NULL;
}

static bool
stands_alone(const struct bpe_added *added, const char *text, size_t len, size_t at)
{
	size_t end = at + added->len;

	return !added->single_word ||
	       ((!at || !ends_with_word(text, at)) && (end == len || !begins_with_word(text + end, len - end)));
}

/* Where the spaces before `at` begin, at the earliest at `from`. */
static size_t
spaces_before(const char *text, size_t from, size_t at)
{
	while (at > from) {
		size_t back = 1, n;

		while (back < at - from && back < 4 && ((unsigned char)text[at - back] & 0xC0) == 0x80)
			back++;
		if (unicode_class_at(text + at - back, back, &n) != UNICODE_SPACE || n != back)
			break;
		at -= back;
	}
	return at;
}

static size_t
spaces_after(const char *text, size_t at, size_t len)
{
	size_t n;

	while (at < len && unicode_class_at(text + at, len - at, &n) == UNICODE_SPACE)
		at += n;
	return at;
}

static int encode_between(struct encoding *e, bool normalized, const char *text, size_t len);

/* Added tokens that normalisation does not touch come first; within what they leave, the others. */
static int
encode_added(struct encoding *e, bool normalized, const char *text, size_t len)
{
	size_t from = 0, at = 0;

	while (at < len) {
		const struct bpe_added *added = added_at(e->bpe, normalized, text + at, len - at);
		size_t start = at, end;

		if (!added || !stands_alone(added, text, len, at)) {
			at += added ? added->len : 1;
			continue;
		}
		end = at + added->len;
		if (added->lstrip)
			start = spaces_before(text, from, at);
		if (added->rstrip)
			end = spaces_after(text, end, len);
		if (start > from && encode_between(e, normalized, text + from, start - from))
			return -1;
		vec_push(e->ids, added->id);
		from = at = end;
	}
	return from < len ? encode_between(e, normalized, text + from, len - from) : 0;
}

static int
encode_between(struct encoding *e, bool normalized, const char *text, size_t len)
{
	if (!normalized)
		return encode_added(e, true, text, len);
	return bpe_split_text(&e->bpe->split, text, len, encode_piece, e, e->err);
}

int
bpe_encode(struct bpe *bpe, const char *text, size_t len, bool added, struct token_ids *ret, struct error *err)
{
	struct encoding e = { bpe, ret, err };

	if (added && bpe->added.n)
		return encode_added(&e, false, text, len);
	return bpe_split_text(&bpe->split, text, len, encode_piece, &e, err);
}

/* ---- decoding ---- */

int
bpe_decode(const struct bpe *bpe, const uint32_t *ids, size_t n, bool skip_special, struct buf *ret, struct error *err)
{
	for (size_t i = 0; i < n; i++) {
		const struct bpe_token *token = ids[i] < bpe->tokens.n ? &bpe->tokens.items[ids[i]] : NULL;

		if (!token || !token->used)
			return error_set(err, "the tokenizer has no token %u", ids[i]);
		if (!skip_special || !token->special)
			buf_add(ret, bpe->bytes.data + token->start, token->len);
	}
	return ret->overflow ? error_set(err, "the text of the tokens is too long") : 0;
}
