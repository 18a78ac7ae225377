/* Scores of any two texts (parted at the first NUL byte): they lie in their range, are the mirror image when the texts change
 * places, and a text agrees with itself; what stands in order in both is no more than what stands in both. */
#include "config.h"

#include <stdint.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/train/bleu.h"
#include "runtime/train/rouge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool held, const char *what)
{
	if (!held)
		BUG("%s", what);
}

static void
check_score(const struct rouge_score *a, const struct rouge_score *b)
{
	check(a->precision >= 0 && a->precision <= 1 && a->recall >= 0 && a->recall <= 1 && a->f >= 0 && a->f <= 1.000001, "ROUGE is a share");
	/* Equal bits: both are the same division. */
	check(!memcmp(&a->precision, &b->recall, sizeof(double)) && !memcmp(&a->recall, &b->precision, sizeof(double)),
		"precision is the recall of the other way round");
}

static void
check_tokens(const struct tokens *tokens)
{
	for (size_t i = 0; i < tokens->n; i++)
		check(tokens->items[i].len && tokens->items[i].at + tokens->items[i].len <= tokens->text.len, "a token lies in its text");
}

static void
check_rouge(const char *a, size_t a_len, const char *b, size_t b_len, bool stem)
{
	struct tokens left = { 0 }, right = { 0 };
	struct rouge there, back, self;

	rouge_tokenize(&left, a, a_len, stem);
	rouge_tokenize(&right, b, b_len, stem);
	check_tokens(&left);
	check_tokens(&right);
	if (!rouge_compare(&there, &left, &right, NULL) && !rouge_compare(&back, &right, &left, NULL)) {
		check_score(&there.of_1, &back.of_1);
		check_score(&there.of_2, &back.of_2);
		check_score(&there.of_l, &back.of_l);
		check(there.of_l.recall <= there.of_1.recall, "a common subsequence is common");
	}
	if (!rouge_compare(&self, &left, &left, NULL))
		check(left.n ? self.of_1.recall >= 1 && self.of_l.recall >= 1 : self.of_1.recall <= 0, "a text agrees with itself");
	tokens_release(&left);
	tokens_release(&right);
}

static void
check_bleu(const char *a, size_t a_len, const char *b, size_t b_len)
{
	struct tokens left = { 0 }, right = { 0 };
	struct bleu bleu = { 0 }, self = { 0 };

	bleu_tokenize(&left, a, a_len);
	bleu_tokenize(&right, b, b_len);
	check_tokens(&left);
	if (!bleu_add(&bleu, &left, &right, NULL))
		check(bleu_score(&bleu, true) >= 0 && bleu_score(&bleu, false) <= 100.000001, "BLEU is from 0 to 100");
	if (!bleu_add(&self, &left, &left, NULL))
		check(left.n ? bleu_score(&self, true) > 99.999999 : bleu_score(&self, true) <= 0, "a text agrees with itself");
	tokens_release(&left);
	tokens_release(&right);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *a = (const char *)data, *nul = size ? memchr(a, '\0', size) : NULL;
	size_t a_len = nul ? (size_t)(nul - a) : size;
	const char *b = nul ? nul + 1 : a + size;

	check_rouge(a, a_len, b, size - (size_t)(b - a), false);
	check_rouge(a, a_len, b, size - (size_t)(b - a), true);
	check_bleu(a, a_len, b, size - (size_t)(b - a));
	return 0;
}
