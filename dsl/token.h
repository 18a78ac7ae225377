/* The tokens of the language: the table dsl/token.def, and what one token is. */
#ifndef DSL_TOKEN_H
#define DSL_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum token_kind {
#define TOKEN(kind, text) TOKEN_##kind,
#define KEYWORD(kind, word) TOKEN_##kind,
#include "dsl/token.def"
#undef TOKEN
#undef KEYWORD
	TOKEN_KIND_MAX
};

/* Bytes start to end of the source. A TOKEN_NEWLINE is never stored: a token knows whether a line ended before it. */
struct token {
	uint32_t start, end;
	uint8_t kind; /* enum token_kind */
	bool newline; /* a line ended between the token before and this one, or this one is the first */
	bool blank; /* blanks, a comment or a line's end stand before it */
};

const char *token_text(enum token_kind kind); /* "a name", "`(`", "`with`" */
bool token_is_keyword(enum token_kind kind);
/* The keyword's kind, or TOKEN_NAME. */
enum token_kind token_keyword(const char *word, size_t len);
/* Letters, digits and `_`, not beginning with a digit. Reserved words are identifiers too. */
bool token_is_identifier(const char *text, size_t len);
/* The keywords in order, NULL behind them; for completion. */
const char *const *token_keywords(void);

#endif
