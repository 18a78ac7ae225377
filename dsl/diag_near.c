#include "config.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/macros.h"
#include "dsl/diag.h"

enum {
	NEAR_MAX = 4, /* names in one help */
	NEAR_LENGTH_MAX = 64, /* bytes; longer words are compared by equality without case only */
};

struct near {
	const char *name;
	unsigned distance;
	size_t index;
};

static unsigned
min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/* Optimal string alignment: insert, delete, replace, and swap of neighbours cost one each; case is free. */
static unsigned
edit_distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
	unsigned rows[3][NEAR_LENGTH_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *row = rows[2];

	for (size_t j = 0; j <= n_b; j++)
		last[j] = (unsigned)j;
	for (size_t i = 1; i <= n_a; i++) {
		unsigned *spare;
		int ca = tolower((unsigned char)a[i - 1]);

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= n_b; j++) {
			int cb = tolower((unsigned char)b[j - 1]);

			row[j] = min3(last[j] + 1, row[j - 1] + 1, last[j - 1] + (ca != cb));
			if (i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) &&
			    cb == tolower((unsigned char)a[i - 2]) && before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		spare = before;
		before = last;
		last = row;
		row = spare;
	}
	return last[n_b];
}

static size_t
common_prefix(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] && tolower((unsigned char)a[n]) == tolower((unsigned char)b[n]))
		n++;
	return n;
}

/* A third of the word may be wrong, and one letter of a short one; half of it when it begins well (`train_outpt`). */
static bool
is_near(const char *word, const char *candidate, unsigned *ret_distance)
{
	size_t n_word = strlen(word), n_candidate = strlen(candidate);
	size_t longer = n_word > n_candidate ? n_word : n_candidate;
	size_t shorter = n_word < n_candidate ? n_word : n_candidate;
	bool begins_well = shorter > 3 && common_prefix(word, candidate) * 3 >= shorter * 2;
	size_t most = longer < 3 ? 1 : begins_well ? longer / 2 : longer / 3;

	*ret_distance = 0;
	if (!strcasecmp(word, candidate))
		return true;
	if (!shorter || longer > NEAR_LENGTH_MAX || longer - shorter > most || longer < 2)
		return false;
	*ret_distance = edit_distance(word, n_word, candidate, n_candidate);
	return *ret_distance <= most && *ret_distance < longer;
}

bool
diag_is_near(const char *word, const char *candidate)
{
	unsigned distance;

	return is_near(word, candidate, &distance);
}

static int
by_distance(const void *a, const void *b)
{
	const struct near *x = a, *y = b;

	if (x->distance != y->distance)
		return x->distance < y->distance ? -1 : 1;
	return x->index < y->index ? -1 : 1;
}

static bool
is_listed(const struct near *found, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(found[i].name, name))
			return true;
	return false;
}

/* Keeps the NEAR_MAX best in order. */
static size_t
keep(struct near *found, size_t n, struct near near)
{
	if (is_listed(found, n, near.name))
		return n;
	found[n++] = near;
	qsort(found, n, sizeof(*found), by_distance);
	return n > NEAR_MAX ? NEAR_MAX : n;
}

void
diag_near(struct diags *diags, struct diag *diag, const char *kind, struct span span, const char *word,
	  const char *const *candidates, size_t n)
{
	struct near found[NEAR_MAX + 1];
	struct buf names = { 0 };
	size_t n_found = 0;
	const char *rest; /* of a kind of two words: " or output" */

	for (size_t i = 0; i < n; i++) {
		unsigned distance;

		if (candidates[i] && strcmp(word, candidates[i]) && is_near(word, candidates[i], &distance))
			n_found = keep(found, n_found, (struct near){ candidates[i], distance, i });
	}
	if (!n_found)
		return;
	for (size_t i = 0; i < n_found; i++)
		buf_printf(&names, "%s`%s`", i ? ", " : "", found[i].name);
	if (n_found == 1)
		diag_help(diags, diag, "%s %s with a similar name exists: %s", strchr("aeiou", *kind) ? "an" : "a", kind,
			buf_text(&names));
	else if ((rest = strstr(kind, " or ")))
		diag_help(diags, diag, "%.*ss%ss with similar names exist: %s", (int)(rest - kind), kind, rest, buf_text(&names));
	else
		diag_help(diags, diag, "%ss with similar names exist: %s", kind, buf_text(&names));
	buf_release(&names);
	if (span.source)
		diag_fix(diags, diag, span, found[0].distance ? FIX_LIKELY : FIX_CERTAIN, found[0].name);
}
