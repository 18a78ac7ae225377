/* The verbs: the words that do something at the start of a line. The table dsl/verb.def says what may follow each. */
#ifndef DSL_VERB_H
#define DSL_VERB_H

#include <stdbool.h>
#include <stddef.h>

struct verb {
	const char *word;
	const char *usage; /* as documentation writes it */
	const char *args, *clauses; /* see dsl/verb.def */
	bool works; /* in this version */
	const char *doc; /* one sentence */
};

const struct verb *verb_lookup(const char *word, size_t len); /* NULL: no verb */
const struct verb *verb_table(size_t *ret_n); /* in the order of the alphabet */
/* One after the other: *at starts as verb->clauses; the word's length, the letter of its value (0: none) and,
 * if asked for, whether it must be there come back. NULL at the end. */
const char *verb_next_clause(const char **at, size_t *ret_len, char *ret_value, bool *ret_needed);

#endif
