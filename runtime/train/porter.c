#include "config.h"

#include "runtime/train/porter.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/macros.h"

/* ---- what the rules ask of a stem, the first len bytes of the word ---- */

static bool
is_plain_vowel(char c)
{
	return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u';
}

/* A y is a consonant at the beginning and behind a vowel. */
static bool
is_consonant(const char *word, size_t i)
{
	size_t y = 0;

	while (y < i && word[i - y] == 'y')
		y++;
	return is_plain_vowel(word[i - y]) == (y % 2 == 1);
}

/* How often a consonant follows a vowel: m of [C](VC){m}[V]. */
static size_t
measure(const char *word, size_t len)
{
	bool vowel = false, was_vowel;
	size_t m = 0;

	for (size_t i = 0; i < len; i++) {
		was_vowel = vowel;
		vowel = is_plain_vowel(word[i]) || (word[i] == 'y' && i && !was_vowel);
		m += was_vowel && !vowel;
	}
	return m;
}

static bool
has_vowel(const char *word, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (is_plain_vowel(word[i]) || (word[i] == 'y' && i && is_consonant(word, i - 1)))
			return true;
	return false;
}

static bool
ends_double_consonant(const char *word, size_t len)
{
	return len >= 2 && word[len - 1] == word[len - 2] && is_consonant(word, len - 1);
}

/* Consonant, vowel, consonant, the last none of w, x, y; NLTK: or no more than vowel, consonant. */
static bool
ends_cvc(const char *word, size_t len)
{
	if (len < 2 || !is_consonant(word, len - 1) || is_consonant(word, len - 2))
		return false;
	return len == 2 || (is_consonant(word, len - 3) && !strchr("wxy", word[len - 1]));
}

/* ---- rules ---- */

struct rule {
	const char *suffix, *replacement;
	size_t kept; /* bytes of the suffix that count as the stem's when it is measured */
};

static bool
ends(const struct buf *word, const char *suffix)
{
	size_t len = strlen(suffix);

	return word->len >= len && !memcmp(word->data + word->len - len, suffix, len);
}

static void
cut(struct buf *word, size_t n)
{
	word->len -= n;
	word->data[word->len] = '\0';
}

static void
replace(struct buf *word, size_t n, const char *replacement)
{
	cut(word, n);
	buf_puts(word, replacement);
}

/* The first rule whose suffix the word has decides: it is taken if the stem's measure is at least that, else none is. */
static bool
apply(struct buf *word, const struct rule *rules, size_t n, size_t least)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(rules[i].suffix);

		if (!ends(word, rules[i].suffix))
			continue;
		if (measure(word->data, word->len - len + rules[i].kept) < least)
			return false;
		replace(word, len, rules[i].replacement);
		return true;
	}
	return false;
}

static void
step_1a(struct buf *word)
{
	static const struct rule rules[] = { { "sses", "ss", 0 }, { "ies", "i", 0 }, { "ss", "ss", 0 }, { "s", "", 0 } };

	if (word->len == 4 && ends(word, "ies"))
		cut(word, 1);
	else
		apply(word, rules, ARRAY_LEN(rules), 0);
}

/* Behind a stem that lost -ed or -ing. */
static void
mend(struct buf *word)
{
	static const struct rule rules[] = { { "at", "ate", 0 }, { "bl", "ble", 0 }, { "iz", "ize", 0 } };

	if (apply(word, rules, ARRAY_LEN(rules), 0))
		return;
	if (ends_double_consonant(word->data, word->len)) {
		if (!strchr("lsz", word->data[word->len - 1]))
			cut(word, 1);
	} else if (measure(word->data, word->len) == 1 && ends_cvc(word->data, word->len)) {
		buf_putc(word, 'e');
	}
}

static void
step_1b(struct buf *word)
{
	if (ends(word, "ied")) {
		cut(word, word->len == 4 ? 1 : 2);
	} else if (ends(word, "eed")) {
		if (measure(word->data, word->len - 3))
			cut(word, 1);
	} else if (ends(word, "ed") && has_vowel(word->data, word->len - 2)) {
		cut(word, 2);
		mend(word);
	} else if (ends(word, "ing") && has_vowel(word->data, word->len - 3)) {
		cut(word, 3);
		mend(word);
	}
}

/* NLTK: enjoy stays, spy becomes spi. */
static void
step_1c(struct buf *word)
{
	if (word->len > 2 && ends(word, "y") && is_consonant(word->data, word->len - 2))
		word->data[word->len - 1] = 'i';
}

static void
step_2(struct buf *word)
{
	static const struct rule rules[] = {
		{ "ational", "ate", 0 }, { "tional", "tion", 0 }, { "enci", "ence", 0 }, { "anci", "ance", 0 }, { "izer", "ize", 0 },
		{ "bli", "ble", 0 }, { "alli", "al", 0 }, { "entli", "ent", 0 }, { "eli", "e", 0 }, { "ousli", "ous", 0 },
		{ "ization", "ize", 0 }, { "ation", "ate", 0 }, { "ator", "ate", 0 }, { "alism", "al", 0 }, { "iveness", "ive", 0 },
		{ "fulness", "ful", 0 }, { "ousness", "ous", 0 }, { "aliti", "al", 0 }, { "iviti", "ive", 0 }, { "biliti", "ble", 0 },
		/* NLTK's; the l of -logi belongs to the stem, so that geo- and theo- are long enough. */
		{ "fulli", "ful", 0 }, { "logi", "log", 1 },
	};

	/* NLTK: -alli first, then whatever stands before it. */
	while (ends(word, "alli") && measure(word->data, word->len - 4))
		cut(word, 2);
	apply(word, rules, ARRAY_LEN(rules), 1);
}

static void
step_3(struct buf *word)
{
	static const struct rule rules[] = { { "icate", "ic", 0 }, { "ative", "", 0 }, { "alize", "al", 0 }, { "iciti", "ic", 0 },
		{ "ical", "ic", 0 }, { "ful", "", 0 }, { "ness", "", 0 } };

	apply(word, rules, ARRAY_LEN(rules), 1);
}

static void
step_4(struct buf *word)
{
	static const struct rule rules[] = { { "al", "", 0 }, { "ance", "", 0 }, { "ence", "", 0 }, { "er", "", 0 }, { "ic", "", 0 },
		{ "able", "", 0 }, { "ible", "", 0 }, { "ant", "", 0 }, { "ement", "", 0 }, { "ment", "", 0 }, { "ent", "", 0 },
		{ "ou", "", 0 }, { "ism", "", 0 }, { "ate", "", 0 }, { "iti", "", 0 }, { "ous", "", 0 }, { "ive", "", 0 },
		{ "ize", "", 0 }, { "sion", "s", 1 }, { "tion", "t", 1 } };

	apply(word, rules, ARRAY_LEN(rules), 2);
}

static void
step_5(struct buf *word)
{
	if (ends(word, "e")) {
		size_t m = measure(word->data, word->len - 1);

		if (m > 1 || (m == 1 && !ends_cvc(word->data, word->len - 1)))
			cut(word, 1);
	}
	if (ends(word, "ll") && measure(word->data, word->len - 1) > 1)
		cut(word, 1);
}

static bool
is_irregular(struct buf *word)
{
	static const char *const forms[][2] = { { "sky", "sky" }, { "skies", "sky" }, { "dying", "die" }, { "lying", "lie" },
		{ "tying", "tie" }, { "news", "news" }, { "innings", "inning" }, { "inning", "inning" }, { "outings", "outing" },
		{ "outing", "outing" }, { "cannings", "canning" }, { "canning", "canning" }, { "howe", "howe" },
		{ "proceed", "proceed" }, { "exceed", "exceed" }, { "succeed", "succeed" } };

	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (!strcmp(buf_text(word), forms[i][0])) {
			replace(word, word->len, forms[i][1]);
			return true;
		}
	return false;
}

void
porter_stem(struct buf *word)
{
	if (is_irregular(word) || word->len <= 2)
		return;
	step_1a(word);
	step_1b(word);
	step_1c(word);
	step_2(word);
	step_3(word);
	step_4(word);
	step_5(word);
}
