/* The parser: one cell or file to its syntax tree. Never stops at the first mistake: it reports, skips to where a statement may
 * start, and goes on, so that all mistakes are told at once; one mistake gives one message. Linear in the text. */
#ifndef DSL_PARSE_H
#define DSL_PARSE_H

#include <stdbool.h>

#include "dsl/ast.h"
#include "dsl/diag.h"

/* `is_bound` says whether the user has bound a word, which then is no verb at the start of a line; NULL: none is. */
struct parse_options {
	bool (*is_bound)(void *context, const char *word);
	void *context;
};

/* Never NULL. Errors are in diags; the tree then lacks what could not be read. */
struct unit *parse(struct source *source, const struct parse_options *options, struct diags *diags);

enum parse_completeness { PARSE_COMPLETE, PARSE_INCOMPLETE, PARSE_INVALID };

/* Could the text be run, or does it want more lines? *ret_indent: blanks to begin the next line with. */
enum parse_completeness parse_completeness(const char *text, size_t len, unsigned *ret_indent);

#endif
