#include "config.h"

#include "runtime/train/bleu.h"

#include <math.h>
#include <string.h>

#include "base/macros.h"
#include "base/utf8.h"

/* What Python's str.isspace() says yes to. */
static bool
is_space(uint32_t c)
{
	return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
		(c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/* The length without white space at the end. */
static size_t
trimmed(const char *text, size_t len)
{
	size_t end = 0;
	uint32_t c;

	for (size_t at = 0; at < len;) {
		at += utf8_decode(text + at, len - at, &c);
		if (!is_space(c))
			end = at;
	}
	return end;
}

static void
replace_all(struct buf *text, const char *from, const char *to)
{
	size_t from_len = strlen(from), to_len = strlen(to), at = 0;
	const char *found = text->len ? memmem(text->data, text->len, from, from_len) : NULL;
	struct buf result = { 0 };

	if (!found)
		return;
	for (; found; found = memmem(text->data + at, text->len - at, from, from_len)) {
		buf_add(&result, text->data + at, (size_t)(found - text->data) - at);
		buf_add(&result, to, to_len);
		at = (size_t)(found - text->data) + from_len;
	}
	buf_add(&result, text->data + at, text->len - at);
	buf_release(text);
	*text = result;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_stop(char c)
{
	return c == '.' || c == ',';
}

/* ASCII punctuation but for ' , - . */
static bool
is_mark(char c)
{
	return (c >= ' ' && c <= '&') || (c >= '(' && c <= '+') || c == '/' || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
		(c >= '{' && c <= '~');
}

/* A pass over pairs of bytes: where `matches` says so, the pair is written with blanks and both bytes are taken. */
struct pass {
	bool (*matches)(char a, char b);
	const char *format; /* of the two */
};

static bool
stop_behind_no_digit(char a, char b)
{
	return !is_digit(a) && is_stop(b);
}

static bool
stop_before_no_digit(char a, char b)
{
	return is_stop(a) && !is_digit(b);
}

static bool
hyphen_behind_digit(char a, char b)
{
	return is_digit(a) && b == '-';
}

static void
run_pass(struct buf *text, const struct pass *pass)
{
	struct buf result = { 0 };

	for (size_t i = 0; i < text->len; i++) {
		const char *at = text->data + i;

		if (i + 1 == text->len || !pass->matches(at[0], at[1])) {
			buf_putc(&result, *at);
			continue;
		}
		for (const char *f = pass->format; *f; f++)
			buf_putc(&result, *f == 'a' ? at[0] : *f == 'b' ? at[1] : ' ');
		i++;
	}
	buf_release(text);
	*text = result;
}

static void
part_marks(struct buf *text)
{
	struct buf result = { 0 };

	for (size_t i = 0; i < text->len; i++) {
		bool alone = is_mark(text->data[i]);

		if (alone)
			buf_putc(&result, ' ');
		buf_putc(&result, text->data[i]);
		if (alone)
			buf_putc(&result, ' ');
	}
	buf_release(text);
	*text = result;
}

static void
split(struct tokens *ret, const char *text, size_t len)
{
	size_t begin = 0, at = 0;
	uint32_t c;

	while (at < len) {
		size_t size = utf8_decode(text + at, len - at, &c);

		if (is_space(c)) {
			if (at > begin)
				tokens_add(ret, text + begin, at - begin);
			begin = at + size;
		}
		at += size;
	}
	if (at > begin)
		tokens_add(ret, text + begin, at - begin);
}

void
bleu_tokenize(struct tokens *ret, const char *text, size_t len)
{
	/* In this order: what one makes, the next may find. */
	static const char *const replaced[][2] = { { "<skipped>", "" }, { "-\n", "" }, { "\n", " " }, { "&quot;", "\"" },
		{ "&amp;", "&" }, { "&lt;", "<" }, { "&gt;", ">" } };
	static const struct pass passes[] = { { stop_behind_no_digit, "a b " }, { stop_before_no_digit, " a b" },
		{ hyphen_behind_digit, "a b " } };
	struct buf line = { 0 };

	/* Blanks around it: a full stop at either end has a neighbour. */
	buf_putc(&line, ' ');
	buf_add(&line, text, trimmed(text, len));
	for (size_t i = 0; i < ARRAY_LEN(replaced); i++)
		replace_all(&line, replaced[i][0], replaced[i][1]);
	buf_putc(&line, ' ');
	part_marks(&line);
	for (size_t i = 0; i < ARRAY_LEN(passes); i++)
		run_pass(&line, &passes[i]);
	split(ret, buf_text(&line), line.len);
	buf_release(&line);
}

int
bleu_add(struct bleu *bleu, const struct tokens *reference, const struct tokens *prediction, struct error *err)
{
	struct ngrams ngrams;

	if (ngrams_init(&ngrams, reference, prediction, err))
		return -1;
	bleu->prediction_len += prediction->n;
	bleu->reference_len += reference->n;
	for (int i = 0; i < BLEU_ORDER; i++) {
		bleu->matches[i] += ngrams_shared(&ngrams);
		bleu->totals[i] += ngrams_count(&ngrams, 1);
		ngrams_longer(&ngrams);
	}
	ngrams_release(&ngrams);
	return 0;
}

/* 1, or less for predictions that are shorter than the references. */
static double
brevity(const struct bleu *bleu)
{
	if (bleu->prediction_len >= bleu->reference_len)
		return 1;
	return bleu->prediction_len ? exp(1 - (double)bleu->reference_len / (double)bleu->prediction_len) : 0;
}

double
bleu_score(const struct bleu *bleu, bool effective_order)
{
	double sum = 0, halved = 1;
	int order = BLEU_ORDER;

	if (!bleu->matches[0])
		return 0;
	for (int i = 0; i < BLEU_ORDER; i++) {
		double total = (double)bleu->totals[i], matches = (double)bleu->matches[i];

		if (!bleu->totals[i]) {
			/* The product has a factor 0 unless the order is cut. */
			if (!effective_order)
				return 0;
			order = i;
			break;
		}
		halved *= bleu->matches[i] ? 1 : 2;
		sum += log(bleu->matches[i] ? 100 * matches / total : 100 / (halved * total));
	}
	return brevity(bleu) * exp(sum / order);
}
