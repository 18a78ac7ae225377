#include "config.h"

#include "dsl/verb.h"

#include <string.h>

#include "base/macros.h"

static const struct verb VERBS[] = {
#define VERB(word, usage, args, clauses, works, doc) { #word, usage, args, clauses, works, doc },
#include "dsl/verb.def"
#undef VERB
};

const struct verb *
verb_lookup(const char *word, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(VERBS); i++)
		if (VERBS[i].word[0] == word[0] && strlen(VERBS[i].word) == len && !memcmp(VERBS[i].word, word, len))
			return &VERBS[i];
	return NULL;
}

const struct verb *
verb_table(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(VERBS);
	return VERBS;
}

const char *
verb_next_clause(const char **at, size_t *ret_len, char *ret_value, bool *ret_needed)
{
	const char *word = *at + strspn(*at, " ");
	size_t len = strcspn(word, " =");

	if (!len)
		return NULL;
	*ret_len = len;
	*ret_value = word[len] == '=' ? word[len + 1] : '\0';
	*at = word + strcspn(word, " ");
	if (ret_needed)
		*ret_needed = (*at)[-1] == '!';
	return word;
}
