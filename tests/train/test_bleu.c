#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/train/bleu.h"
#include "tests/tap.h"

static void
test_tokens(void)
{
	static const char *const cases[][2] = {
		{ "", "" },
		{ " \t\r\n", "" },
		{ "Hello, world!", "Hello|,|world|!" },
		{ "1,000.5 and 3.", "1,000.5|and|3|." },
		{ ".5 5.", ".|5|5|." },
		{ "x..y", "x|.|.|y" },
		{ "a...b,,", "a|.|.|.|b|,|," },
		{ "5-6 a-b -1", "5|-|6|a-b|-1" },
		{ "don't (it's)", "don't|(|it's|)" },
		{ "a_b`c|d", "a|_|b|`|c|||d" },
		{ "&lt;b&gt; &quot;x&quot; &amp;lt;", "<|b|>|\"|x|\"|<" },
		{ "over-\nflow a\nb", "overflow|a|b" },
		{ "<skipped>x", "x" },
		/* No-break space, ideographic space, next line, unit separator: white space to Python. Zero width space is none. */
		{ "a\xC2\xA0" "b\xE3\x80\x80" "c\xC2\x85" "d\x1F" "e\xE2\x80\x8B" "f", "a|b|c|d|e\xE2\x80\x8B" "f" },
		{ "\xC3\xA9.\xC3\xA9,5", "\xC3\xA9|.|\xC3\xA9|,|5" },
		{ "bad\xFF\xFE. \xE2\x82", "bad\xFF\xFE|.|\xE2\x82" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tokens tokens = { 0 };
		struct buf got = { 0 };

		bleu_tokenize(&tokens, cases[i][0], strlen(cases[i][0]));
		for (size_t k = 0; k < tokens.n; k++) {
			buf_puts(&got, k ? "|" : "");
			buf_add(&got, tokens.text.data + tokens.items[k].at, tokens.items[k].len);
		}
		is_str(buf_text(&got), cases[i][1], "tokens of \"%s\"", cases[i][0]);
		buf_release(&got);
		tokens_release(&tokens);
	}
}

static void
add(struct bleu *bleu, const char *reference, const char *prediction)
{
	struct tokens left = { 0 }, right = { 0 };

	bleu_tokenize(&left, reference, strlen(reference));
	bleu_tokenize(&right, prediction, strlen(prediction));
	is_int(bleu_add(bleu, &left, &right, NULL), 0, "\"%s\" and \"%s\"", reference, prediction);
	tokens_release(&left);
	tokens_release(&right);
}

static void
is_near(double got, double want, const char *what)
{
	if (ok(fabs(got - want) < 1e-9, "%s", what))
		return;
	tap_note(" got: %.17g", got);
	tap_note("want: %.17g", want);
}

static void
test_counts(void)
{
	struct bleu bleu = { 0 };

	add(&bleu, "the cat sat on the mat", "the the the cat sat");
	is_int((int64_t)bleu.matches[0], 4, "words, no more often than the reference has them");
	is_int((int64_t)bleu.matches[1], 2, "pairs");
	is_int((int64_t)bleu.matches[2], 1, "threes");
	is_int((int64_t)bleu.matches[3], 0, "fours");
	is_int((int64_t)bleu.totals[0], 5, "of words");
	is_int((int64_t)bleu.totals[3], 2, "of fours");
	is_int((int64_t)bleu.prediction_len, 5, "the prediction's length");
	is_int((int64_t)bleu.reference_len, 6, "the reference's length");
	/* 4/5, 2/4, 1/3, and half of 1/2 for none of two; e^(1 - 6/5) for one word less. */
	is_near(bleu_score(&bleu, false), 100 * exp(1 - 6. / 5) * pow(4. / 5 * 2 / 4 * 1 / 3 * 1 / 4, .25), "its score");
	add(&bleu, "a b c d e", "a b c d e");
	is_near(bleu_score(&bleu, false), 100 * exp(1 - 11. / 10) * pow(9. / 10 * 6 / 8 * 4 / 6 * 2 / 4, .25), "of two sentences: of their sums");
}

static void
test_edges(void)
{
	static const struct {
		const char *reference, *prediction;
		double plain, effective;
	} cases[] = {
		{ "a b c d", "a b c d", 100, 100 },
		{ "A b c d", "a b c d", 59.460355750136046, 59.460355750136046 }, /* (3/4 * 2/3 * 1/2 * 1/2)^(1/4) */
		{ "a b", "a b", 0, 100 },
		{ "", "", 0, 0 },
		{ "a", "", 0, 0 },
		{ "", "a", 0, 0 },
		{ "a b c", "x y z", 0, 0 },
		{ "a b c d", "a x b", 0, 24.840753130578644 }, /* e^(1 - 4/3) * (2/3 * 1/4 * 1/4)^(1/3): none of two, halved once, and none of one, halved twice */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bleu bleu = { 0 };

		add(&bleu, cases[i].reference, cases[i].prediction);
		is_near(bleu_score(&bleu, false), cases[i].plain, "of a corpus");
		is_near(bleu_score(&bleu, true), cases[i].effective, "of a sentence");
	}
}

static void
test_ceiling(void)
{
	struct bleu bleu = { 0 };
	struct tokens many = { 0 }, none = { 0 };
	CLEANUP(freep) char *text = xmalloc(NGRAMS_TOKENS_MAX + 1);
	struct error err;

	memset(text, '!', NGRAMS_TOKENS_MAX + 1);
	bleu_tokenize(&many, text, NGRAMS_TOKENS_MAX + 1);
	is_int((int64_t)many.n, NGRAMS_TOKENS_MAX + 1, "each mark is a token");
	is_int(bleu_add(&bleu, &none, &many, &err), -1, "too many are refused");
	is_int((int64_t)bleu.prediction_len, 0, "and nothing is counted");
	tokens_release(&many);
}

int
main(void)
{
	test_tokens();
	test_counts();
	test_edges();
	test_ceiling();
	return done_testing();
}
