#include "config.h"

#include <string.h>

#include "base/macros.h"
#include "runtime/train/bpe_private.h"
#include "runtime/train/unicode_class.h"

/* ---- GPT-2's pattern ----
 *
 * 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *
 * is scanned by hand: most of the time of encoding goes by here, and PCRE2's Unicode is two versions older. */

static enum unicode_class
class_at(const char *text, size_t len, size_t *ret_len)
{
	unsigned char c = (unsigned char)*text;

	*ret_len = 1;
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		return UNICODE_LETTER;
	if (c == ' ' || (c >= '\t' && c <= '\r'))
		return UNICODE_SPACE;
	if (c >= '0' && c <= '9')
		return UNICODE_NUMBER;
	return c < 0x80 ? UNICODE_OTHER : unicode_class_at(text, len, ret_len);
}

static size_t
contraction(const char *text, size_t len)
{
	if (len < 2 || text[0] != '\'')
		return 0;
	if (memchr("stmd", text[1], 4))
		return 2;
	if (len < 3)
		return 0;
	return !memcmp(text + 1, "re", 2) || !memcmp(text + 1, "ve", 2) || !memcmp(text + 1, "ll", 2) ? 3 : 0;
}

/* Spaces, but for the last one when something follows: that one belongs to what follows, if it is a blank, or stands alone. */
static size_t
spaces(const char *text, size_t len)
{
	size_t at = 0, last = 0, n;

	while (at < len && class_at(text + at, len - at, &n) == UNICODE_SPACE) {
		last = at;
		at += n;
	}
	return at < len && last ? last : at;
}

size_t
bpe_gpt2_piece(const char *text, size_t len)
{
	size_t at = contraction(text, len), n;
	enum unicode_class class;

	if (at)
		return at;
	at = text[0] == ' ' && len > 1;
	class = class_at(text + at, len - at, &n);
	if (class == UNICODE_SPACE)
		return spaces(text, len);
	do
		at += n;
	while (at < len && class_at(text + at, len - at, &n) == class);
	return at;
}

static int
split_gpt2(const char *text, size_t len, bpe_piece each, void *context)
{
	for (size_t at = 0; at < len;) {
		size_t n = bpe_gpt2_piece(text + at, len - at);

		if (each(context, text + at, n))
			return -1;
		at += n;
	}
	return 0;
}

/* ---- any pattern ---- */

int
bpe_split_pattern(struct bpe_split *split, const char *pattern, struct error *err)
{
	char why[256];
	PCRE2_SIZE offset;
	int code;

	split->cut = BPE_CUT_PATTERN;
	split->code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF |
		PCRE2_NEVER_BACKSLASH_C, &code, &offset, NULL);
	if (!split->code) {
		pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof(why));
		return error_set(err, "the pattern of the pre-tokenizer does not compile at its byte %zu: %s", (size_t)offset, why);
	}
	/* Where there is no JIT, matching is slower and the same. */
	pcre2_jit_compile(split->code, PCRE2_JIT_COMPLETE);
	split->match = pcre2_match_data_create_from_pattern(split->code, NULL);
	split->pattern = xstrdup(pattern);
	return 0;
}

void
bpe_split_release(struct bpe_split *split)
{
	pcre2_match_data_free(split->match);
	pcre2_code_free(split->code);
	freep(&split->pattern);
}

/* Both the matches and what lies between them are pieces; a match of nothing is none. */
static int
split_pattern(const struct bpe_split *split, const char *text, size_t len, bpe_piece each, void *context, struct error *err)
{
	const PCRE2_SIZE *match = pcre2_get_ovector_pointer(split->match);
	size_t from = 0, at = 0;

	while (at <= len) {
		int n = pcre2_match(split->code, (PCRE2_SPTR)text, len, at, 0, split->match, NULL);

		if (n == PCRE2_ERROR_JIT_STACKLIMIT)
			n = pcre2_match(split->code, (PCRE2_SPTR)text, len, at, PCRE2_NO_JIT, split->match, NULL);
		if (n == PCRE2_ERROR_NOMATCH)
			break;
		if (n < 0)
			return error_set(err, "the pattern of the pre-tokenizer cannot be matched (PCRE2's error %d)", n);
		if (match[1] <= match[0]) {
			at = (match[0] > at ? match[0] : at) + 1;
			continue;
		}
		if ((match[0] > from && each(context, text + from, match[0] - from)) ||
		    each(context, text + match[0], match[1] - match[0]))
			return -1;
		from = at = match[1];
	}
	return from < len ? each(context, text + from, len - from) : 0;
}

static int
split_bare(const struct bpe_split *split, const char *text, size_t len, bpe_piece each, void *context, struct error *err)
{
	if (split->cut == BPE_CUT_GPT2)
		return split_gpt2(text, len, each, context);
	if (split->cut == BPE_CUT_PATTERN)
		return split_pattern(split, text, len, each, context, err);
	return each(context, text, len);
}

int
bpe_split_text(const struct bpe_split *split, const char *text, size_t len, bpe_piece each, void *context, struct error *err)
{
	struct buf copy = { .max = SIZE_MAX };
	int result;

	if (!len)
		return 0;
	if (!split->add_prefix_space || text[0] == ' ')
		return split_bare(split, text, len, each, context, err);
	buf_putc(&copy, ' ');
	buf_add(&copy, text, len);
	result = split_bare(split, copy.data, copy.len, each, context, err);
	buf_release(&copy);
	return result;
}
