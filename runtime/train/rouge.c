#include "config.h"

#include "runtime/train/rouge.h"

#include <string.h>

#include "base/utf8.h"
#include "runtime/train/porter.h"

enum { KELVIN = 0x212A, I_WITH_DOT = 0x130 };

/* The ASCII letter or digit that the character has first in lower case; 0 if it has none. Of all of Unicode two
 * characters outside ASCII have one. */
static char
plain_of(uint32_t c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
		return (char)c;
	return c == KELVIN ? 'k' : c == I_WITH_DOT ? 'i' : 0;
}

static void
end_token(struct tokens *ret, struct buf *token, bool stem)
{
	if (stem && token->len > 3)
		porter_stem(token);
	if (token->len)
		tokens_add(ret, buf_text(token), token->len);
	buf_clear(token);
}

void
rouge_tokenize(struct tokens *ret, const char *text, size_t len, bool stem)
{
	struct buf token = { 0 };
	uint32_t c;

	for (size_t at = 0; at < len;) {
		char plain;

		at += utf8_decode(text + at, len - at, &c);
		plain = plain_of(c);
		if (plain)
			buf_putc(&token, plain);
		/* The dot of I_WITH_DOT becomes a mark of its own. */
		if (!plain || c == I_WITH_DOT)
			end_token(ret, &token, stem);
	}
	end_token(ret, &token, stem);
	buf_release(&token);
}

static struct rouge_score
score_of(size_t shared, size_t of_target, size_t of_prediction)
{
	struct rouge_score score = { 0 };

	score.precision = (double)shared / (double)(of_prediction ? of_prediction : 1);
	score.recall = (double)shared / (double)(of_target ? of_target : 1);
	if (score.precision + score.recall > 0)
		score.f = 2 * score.precision * score.recall / (score.precision + score.recall);
	return score;
}

int
rouge_compare(struct rouge *ret, const struct tokens *target, const struct tokens *prediction, struct error *err)
{
	struct ngrams ngrams;

	if (ngrams_init(&ngrams, target, prediction, err))
		return -1;
	ret->of_1 = score_of(ngrams_shared(&ngrams), ngrams_count(&ngrams, 0), ngrams_count(&ngrams, 1));
	ret->of_l = score_of(ngrams_lcs(&ngrams), target->n, prediction->n);
	ngrams_longer(&ngrams);
	ret->of_2 = score_of(ngrams_shared(&ngrams), ngrams_count(&ngrams, 0), ngrams_count(&ngrams, 1));
	ngrams_release(&ngrams);
	return 0;
}
