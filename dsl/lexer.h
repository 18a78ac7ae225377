/* The lexer: text to tokens and comments. It never fails: what cannot be read is reported and becomes a TOKEN_ERROR or a blank,
 * and reading goes on behind it. Every byte is looked at once or twice, whatever the text holds.
 *
 * Strings and raw blocks are single tokens with their quotes; what is in a string is read by the parser. `!` and `%` at
 * the start of a line outside all brackets take the rest of the line. */
#ifndef DSL_LEXER_H
#define DSL_LEXER_H

#include "dsl/ast.h"
#include "dsl/diag.h"
#include "dsl/token.h"

struct lexer_tokens {
	struct token *items; /* the last one is a TOKEN_EOF */
	size_t n, cap;
};

struct lexer_comments {
	struct ast_comment *items;
	size_t n, cap;
};

/* Where the lexer has complained, in order. */
struct lexer_errors {
	uint32_t *items;
	size_t n, cap;
};

struct lexer {
	struct source *source;
	struct diags *diags;
	uint32_t at, end;
	unsigned depth; /* open brackets */
	bool inner; /* inside a string's braces: no lines, no comments, no strings */
	bool newline, blank; /* before the token that comes next */
	bool open; /* the text ended inside a raw block */
	struct lexer_tokens tokens;
	struct lexer_comments comments;
	struct lexer_errors errors;
};

/* Reads bytes start to end of the source; all arrays belong to the caller, who releases them with lexer_release. */
void lexer_read(struct lexer *lexer, struct source *source, struct diags *diags);
void lexer_read_inner(struct lexer *lexer, struct source *source, struct diags *diags, uint32_t start, uint32_t end);
void lexer_release(struct lexer *lexer);

#endif
