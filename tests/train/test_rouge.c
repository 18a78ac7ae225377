#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/train/porter.h"
#include "runtime/train/rouge.h"
#include "tests/tap.h"

static void
describe_tokens(struct buf *buf, const struct tokens *tokens)
{
	for (size_t i = 0; i < tokens->n; i++) {
		buf_puts(buf, i ? "|" : "");
		buf_add(buf, tokens->text.data + tokens->items[i].at, tokens->items[i].len);
	}
}

static void
test_tokens(void)
{
	static const struct {
		const char *text;
		bool stem;
		const char *want;
	} cases[] = {
		{ "", false, "" },
		{ " \t--", false, "" },
		{ "The APP, v2.0: crashes!", false, "the|app|v2|0|crashes" },
		{ "snake_case don't", false, "snake|case|don|t" },
		{ "caf\xC3\xA9s", false, "caf|s" },
		/* The Kelvin sign and the dotted capital I are a k and an i in lower case, the latter with a mark behind it. */
		{ "\xE2\x84\xAA" "elvin \xC4\xB0zmir", false, "kelvin|i|zmir" },
		{ "bad \xFF\xC3 bytes\xE2\x84", false, "bad|bytes" },
		{ "\xE4\xB8\xAD\xE6\x96\x87", false, "" },
		{ "crashing crashes crash ran was", true, "crash|crash|crash|ran|was" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tokens tokens = { 0 };
		struct buf got = { 0 };

		rouge_tokenize(&tokens, cases[i].text, strlen(cases[i].text), cases[i].stem);
		describe_tokens(&got, &tokens);
		is_str(buf_text(&got), cases[i].want, "tokens of \"%s\"", cases[i].text);
		buf_release(&got);
		tokens_release(&tokens);
	}
}

/* The examples of Porter's paper, and where NLTK goes its own way. */
static void
test_stems(void)
{
	static const char *const cases[][2] = { { "caresses", "caress" }, { "ponies", "poni" }, { "cats", "cat" }, { "feed", "feed" },
		{ "agreed", "agre" }, { "plastered", "plaster" }, { "bled", "bled" }, { "motoring", "motor" }, { "sing", "sing" },
		{ "conflated", "conflat" }, { "troubled", "troubl" }, { "sized", "size" }, { "hopping", "hop" }, { "falling", "fall" },
		{ "hissing", "hiss" }, { "failing", "fail" }, { "filing", "file" }, { "happy", "happi" }, { "relational", "relat" },
		{ "vietnamization", "vietnam" }, { "sensibiliti", "sensibl" }, { "triplicate", "triplic" }, { "hopefulness", "hope" },
		{ "revival", "reviv" }, { "replacement", "replac" }, { "adoption", "adopt" }, { "probate", "probat" }, { "cease", "ceas" },
		{ "controll", "control" }, { "roll", "roll" },
		{ "enjoy", "enjoy" }, { "spied", "spi" }, { "died", "die" }, { "flies", "fli" }, { "dies", "die" }, { "dying", "die" },
		{ "skies", "sky" }, { "geology", "geolog" }, { "hopefully", "hope" }, { "syzygy", "syzygi" }, { "yyyy", "yyyi" },
		{ "11ing", "11ing" }, { "a11ed", "a1" } };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf word = { 0 };

		buf_puts(&word, cases[i][0]);
		porter_stem(&word);
		is_str(buf_text(&word), cases[i][1], "the stem of %s", cases[i][0]);
		is_int((int64_t)word.len, (int64_t)strlen(cases[i][1]), "and its length");
		buf_release(&word);
	}
}

static int
compare(struct rouge *ret, const char *target, const char *prediction, struct error *err)
{
	struct tokens left = { 0 }, right = { 0 };
	int result;

	rouge_tokenize(&left, target, strlen(target), false);
	rouge_tokenize(&right, prediction, strlen(prediction), false);
	result = rouge_compare(ret, &left, &right, err);
	tokens_release(&left);
	tokens_release(&right);
	return result;
}

static bool
is_near(double got, double want, const char *what)
{
	if (ok(fabs(got - want) < 1e-12, "%s", what))
		return true;
	tap_note(" got: %.17g", got);
	tap_note("want: %.17g", want);
	return false;
}

static void
test_scores(void)
{
	/* Shared and counts, by hand: of_x is {shared, of the target, of the prediction}. */
	static const struct {
		const char *target, *prediction;
		int of_1[3], of_2[3], of_l[3];
	} cases[] = {
		{ "", "", { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 } },
		{ "a", "", { 0, 1, 0 }, { 0, 0, 0 }, { 0, 1, 0 } },
		{ "", "a b", { 0, 0, 2 }, { 0, 0, 1 }, { 0, 0, 2 } },
		{ "a", "a", { 1, 1, 1 }, { 0, 0, 0 }, { 1, 1, 1 } },
		{ "the cat sat on the mat", "the the the cat", { 3, 6, 4 }, { 1, 5, 3 }, { 2, 6, 4 } },
		{ "a b c d", "d c b a", { 4, 4, 4 }, { 0, 3, 3 }, { 1, 4, 4 } },
		{ "a b c d e f g", "x b d y f g", { 4, 7, 6 }, { 1, 6, 5 }, { 4, 7, 6 } },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const int *const want[] = { cases[i].of_1, cases[i].of_2, cases[i].of_l };
		struct rouge got;
		const struct rouge_score *const scores[] = { &got.of_1, &got.of_2, &got.of_l };
		static const char *const names[] = { "ROUGE-1", "ROUGE-2", "ROUGE-L" };

		is_int(compare(&got, cases[i].target, cases[i].prediction, NULL), 0, "\"%s\" and \"%s\"", cases[i].target, cases[i].prediction);
		for (size_t k = 0; k < ARRAY_LEN(want); k++) {
			double recall = want[k][1] ? (double)want[k][0] / want[k][1] : 0;
			double precision = want[k][2] ? (double)want[k][0] / want[k][2] : 0;

			is_near(scores[k]->recall, recall, names[k]);
			is_near(scores[k]->precision, precision, "its precision");
			is_near(scores[k]->f, want[k][0] ? 2 * precision * recall / (precision + recall) : 0, "its F");
		}
	}
}

static void
fill(struct tokens *tokens, size_t n, unsigned *seed, unsigned kinds)
{
	for (size_t i = 0; i < n; i++) {
		char word[16];
		int len;

		*seed = *seed * 1103515245u + 12345u;
		len = snprintf(word, sizeof(word), "w%u", (*seed >> 16) % kinds);
		tokens_add(tokens, word, (size_t)len);
	}
}

/* The plain table, one row at a time. */
static size_t
plain_lcs(const struct ngrams *ngrams)
{
	size_t columns = ngrams->n[1];
	CLEANUP(freep) size_t *row = xcalloc(columns + 1, sizeof(*row));

	for (size_t i = 0; i < ngrams->n[0]; i++) {
		size_t corner = 0;

		for (size_t j = 0; j < columns; j++) {
			size_t above = row[j + 1];

			if (ngrams->words[0][i] == ngrams->words[1][j])
				row[j + 1] = corner + 1;
			else if (row[j] > above)
				row[j + 1] = row[j];
			corner = above;
		}
	}
	return row[columns];
}

/* 64 columns are a word of the table: lengths around its ends. */
static void
test_lcs(void)
{
	static const size_t lengths[] = { 0, 1, 2, 63, 64, 65, 127, 128, 129, 300 };
	unsigned seed = 5;

	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		for (size_t j = 0; j < ARRAY_LEN(lengths); j++) {
			struct tokens left = { 0 }, right = { 0 };
			struct ngrams ngrams;

			fill(&left, lengths[i], &seed, 2 + (unsigned)(i + j) % 9);
			fill(&right, lengths[j], &seed, 2 + (unsigned)(i + j) % 9);
			if (is_int(ngrams_init(&ngrams, &left, &right, NULL), 0, "%zu and %zu tokens", lengths[i], lengths[j])) {
				is_int((int64_t)ngrams_lcs(&ngrams), (int64_t)plain_lcs(&ngrams), "their longest common subsequence");
				ngrams_release(&ngrams);
			}
			tokens_release(&left);
			tokens_release(&right);
		}
	}
}

static void
test_ceiling(void)
{
	struct tokens many = { 0 }, one = { 0 };
	struct rouge rouge;
	struct error err;

	tokens_add(&one, "a", 1);
	for (int i = 0; i < NGRAMS_TOKENS_MAX; i++)
		tokens_add(&many, "a", 1);
	is_int(rouge_compare(&rouge, &one, &many, &err), 0, "as many tokens as may be");
	is_near(rouge.of_l.recall, 1, "are compared");
	tokens_add(&many, "a", 1);
	is_int(rouge_compare(&rouge, &many, &one, &err), -1, "one more is refused");
	is_str(err.text, "a text has 65537 tokens; at most 65536 can be compared", "in words");
	tokens_release(&many);
	tokens_release(&one);
}

int
main(void)
{
	test_tokens();
	test_stems();
	test_scores();
	test_lcs();
	test_ceiling();
	return done_testing();
}
