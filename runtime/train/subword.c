#include "config.h"

#include "runtime/train/subword.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/utf8.h"
#include "runtime/train/bpe_private.h"
#include "runtime/train/unicode_class.h"

struct piece {
	size_t start; /* in bytes */
	uint32_t len;
};

struct subword {
	struct buf bytes;
	VEC(struct piece) pieces; /* by id */
	uint32_t *slots; /* bytes to id + 1; 0 is free */
	size_t mask;
	size_t longest; /* characters */
};

void
subword_free(struct subword *subword)
{
	if (!subword)
		return;
	buf_release(&subword->bytes);
	vec_release(&subword->pieces);
	free(subword->slots);
	free(subword);
}

uint32_t
subword_size(const struct subword *subword)
{
	return (uint32_t)subword->pieces.n;
}

/* ---- the file ---- */

/* The place of these bytes: taken by them, or free. */
static size_t
slot_of(const struct subword *subword, const char *bytes, size_t len)
{
	size_t at = bpe_hash(bytes, len) & subword->mask;

	for (; subword->slots[at]; at = (at + 1) & subword->mask) {
		const struct piece *piece = &subword->pieces.items[subword->slots[at] - 1];

		if (piece->len == len && !memcmp(subword->bytes.data + piece->start, bytes, len))
			break;
	}
	return at;
}

static bool
has(const struct subword *subword, const char *bytes, size_t len)
{
	return subword->slots[slot_of(subword, bytes, len)] != 0;
}

static int
add_line(struct subword *subword, const char *line, size_t len, struct error *err)
{
	while (len && memchr(" \t\r\f\v", line[len - 1], 5))
		len--;
	if (len && (line[0] == '\'' || line[0] == '"') && line[len - 1] == line[0]) {
		line++;
		len -= len > 1 ? 2 : 1;
	}
	if (subword->pieces.n == SUBWORD_IDS_MAX)
		return error_set(err, "the vocabulary has more than %d lines", SUBWORD_IDS_MAX);
	if (len > SUBWORD_MAX || !utf8_valid(line, len) || memchr(line, '\0', len))
		return error_set(err, "line %zu is longer than %d bytes, holds NUL, or is not UTF-8", subword->pieces.n + 1, SUBWORD_MAX);
	vec_push(&subword->pieces, ((struct piece){ subword->bytes.len, (uint32_t)len }));
	buf_add(&subword->bytes, line, len);
	if (utf8_count(line, len) > subword->longest)
		subword->longest = utf8_count(line, len);
	return 0;
}

/* Of lines that are equal the last one counts. */
static int
index_pieces(struct subword *subword, struct error *err)
{
	size_t slots = 16;

	while (slots < 2 * subword->pieces.n)
		slots *= 2;
	subword->slots = xcalloc(slots, sizeof(*subword->slots));
	subword->mask = slots - 1;
	for (uint32_t id = 0; id < subword->pieces.n; id++) {
		const struct piece *piece = &subword->pieces.items[id];

		if (piece->len)
			subword->slots[slot_of(subword, subword->bytes.data + piece->start, piece->len)] = id + 1;
	}
	for (const char *c = "\\_u;0123456789"; *c; c++)
		if (!has(subword, c, 1))
			return error_set(err, "the vocabulary has no subword `%c`, without which not every text can be written", *c);
	return 0;
}

struct subword *
subword_read(const char *text, size_t len, struct error *err)
{
	struct subword *subword = xcalloc(1, sizeof(*subword));

	for (size_t at = 0; at < len;) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t n = end ? (size_t)(end - text) - at : len - at;

		if (add_line(subword, text + at, n, err)) {
			subword_free(subword);
			return NULL;
		}
		at += n + (end != NULL);
	}
	if (!index_pieces(subword, err))
		return subword;
	subword_free(subword);
	return NULL;
}

void
subword_write(const struct subword *subword, struct buf *buf)
{
	for (size_t i = 0; i < subword->pieces.n; i++) {
		buf_putc(buf, '\'');
		buf_add(buf, subword->bytes.data + subword->pieces.items[i].start, subword->pieces.items[i].len);
		buf_puts(buf, "'\n");
	}
}

/* ---- encoding ---- */

static bool
is_alnum(const char *text, size_t len, size_t *ret_len)
{
	enum unicode_class class = unicode_class_at(text, len, ret_len);

	return class == UNICODE_LETTER || class == UNICODE_NUMBER;
}

static void
escape(const struct subword *subword, const char *token, size_t len, struct buf *ret)
{
	for (size_t at = 0, n; at < len; at += n) {
		char character[4];
		uint32_t code_point;
		size_t own;

		n = utf8_decode(token + at, len - at, &code_point);
		own = utf8_encode(code_point, character);
		if (code_point == '\\')
			buf_puts(ret, "\\\\");
		else if (code_point == '_')
			buf_puts(ret, "\\u");
		else if (code_point != '\n' && has(subword, character, own))
			buf_add(ret, character, own);
		else
			buf_printf(ret, "\\%u;", code_point);
	}
	buf_putc(ret, '_');
}

/* The longest subword that the text begins with: there is one, for each character of an escaped token is one. */
static uint32_t
longest_at(const struct subword *subword, const char *text, size_t len, size_t *ret_len)
{
	uint32_t best = 0, ignored;
	size_t end = 0;

	for (size_t n = 0; n < subword->longest && end < len; n++) {
		uint32_t id;

		end += utf8_decode(text + end, len - end, &ignored);
		id = subword->slots[slot_of(subword, text, end)];
		if (id) {
			best = id;
			*ret_len = end;
		}
	}
	if (!best)
		BUG("an escaped token has a character that is no subword");
	return best - 1;
}

int
subword_words(const char *text, size_t len, subword_word each, void *context)
{
	size_t start = 0, n = 0;
	bool before;
	int result = 0;

	if (!len)
		return 0;
	before = is_alnum(text, len, &n);
	for (size_t at = n; at < len && !result; at += n) {
		bool alnum = is_alnum(text + at, len - at, &n);

		if (alnum != before) {
			if (start == 0 || at - start != 1 || text[start] != ' ')
				result = each(context, text + start, at - start);
			start = at;
		}
		before = alnum;
	}
	return result ? result : each(context, text + start, len - start);
}

struct encoding {
	const struct subword *subword;
	struct buf escaped;
	struct token_ids *ids;
};

static int
encode_word(void *context, const char *word, size_t len)
{
	struct encoding *e = context;

	buf_clear(&e->escaped);
	escape(e->subword, word, len, &e->escaped);
	for (size_t at = 0, n = 0; at < e->escaped.len; at += n)
		vec_push(e->ids, longest_at(e->subword, e->escaped.data + at, e->escaped.len - at, &n));
	return 0;
}

void
subword_encode(const struct subword *subword, const char *text, size_t len, struct token_ids *ret)
{
	struct encoding e = { subword, { .max = SIZE_MAX }, ret };

	subword_words(text, len, encode_word, &e);
	buf_release(&e.escaped);
}

/* ---- decoding ---- */

/* `\` and what follows it; the bytes taken are 0 when that is no escape. */
static size_t
unescape_one(const char *text, size_t len, uint32_t *ret)
{
	uint64_t number = 0;
	size_t at = 1;

	if (len > 1 && (text[1] == 'u' || text[1] == '\\')) {
		*ret = text[1] == 'u' ? '_' : '\\';
		return 2;
	}
	for (; at < len && text[at] >= '0' && text[at] <= '9'; at++)
		if (number <= 0x10FFFF)
			number = 10 * number + (uint64_t)(text[at] - '0');
	if (at == 1 || at == len || text[at] != ';')
		return 0;
	/* What is no character is shown as Tensor2Tensor shows it, by a geta mark. */
	*ret = number > 0x10FFFF || (number >= 0xD800 && number < 0xE000) ? 0x3013 : (uint32_t)number;
	return at + 1;
}

static void
unescape(const char *text, size_t len, struct buf *ret)
{
	for (size_t at = 0; at < len;) {
		uint32_t code_point;
		size_t n = text[at] == '\\' ? unescape_one(text + at, len - at, &code_point) : 0;
		char character[4];

		if (n)
			buf_add(ret, character, utf8_encode(code_point, character));
		else
			buf_putc(ret, text[at]);
		at += n ? n : 1;
	}
}

/* Tokens stand between `_`; between two of letters or numbers there was a blank. */
static void
join(const struct buf *all, struct buf *ret)
{
	struct buf token = { .max = SIZE_MAX };
	bool before = false, first = true;
	size_t n;

	for (size_t at = 0; at < all->len;) {
		const char *text = all->data + at, *end = memchr(text, '_', all->len - at);
		size_t len = end ? (size_t)(end - text) : all->len - at;

		buf_clear(&token);
		unescape(text, len, &token);
		if (token.len) {
			bool alnum = is_alnum(token.data, token.len, &n);

			if (!first && before && alnum)
				buf_putc(ret, ' ');
			buf_add(ret, token.data, token.len);
			before = alnum;
			first = false;
		}
		at += len + 1;
	}
	buf_release(&token);
}

int
subword_decode(const struct subword *subword, const uint32_t *ids, size_t n, struct buf *ret, struct error *err)
{
	CLEANUP(buf_release) struct buf all = { 0 };

	for (size_t i = 0; i < n; i++) {
		if (ids[i] >= subword->pieces.n)
			return error_set(err, "the vocabulary has no token %u", ids[i]);
		buf_add(&all, subword->bytes.data + subword->pieces.items[ids[i]].start, subword->pieces.items[ids[i]].len);
	}
	join(&all, ret);
	return all.overflow || ret->overflow ? error_set(err, "the text of the tokens is too long") : 0;
}
