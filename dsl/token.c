#include "config.h"

#include "dsl/token.h"

#include <string.h>

#include "base/macros.h"

static const char *const TEXTS[] = {
#define TOKEN(kind, text) text,
#define KEYWORD(kind, word) "`" word "`",
#include "dsl/token.def"
#undef TOKEN
#undef KEYWORD
};

static const char *const KEYWORDS[] = {
#define TOKEN(kind, text)
#define KEYWORD(kind, word) word,
#include "dsl/token.def"
#undef TOKEN
#undef KEYWORD
	NULL,
};

static const unsigned FIRST_KEYWORD = TOKEN_AND;

const char *
token_text(enum token_kind kind)
{
	if ((size_t)kind >= ARRAY_LEN(TEXTS))
		BUG("token kind %d", (int)kind);
	return TEXTS[kind];
}

bool
token_is_keyword(enum token_kind kind)
{
	return (unsigned)kind >= FIRST_KEYWORD && kind < TOKEN_KIND_MAX;
}

enum token_kind
token_keyword(const char *word, size_t len)
{
	if (len < 2 || len > 9)
		return TOKEN_NAME;
	for (size_t i = 0; KEYWORDS[i]; i++)
		if (KEYWORDS[i][0] == word[0] && strlen(KEYWORDS[i]) == len && !memcmp(KEYWORDS[i], word, len))
			return (enum token_kind)(FIRST_KEYWORD + i);
	return TOKEN_NAME;
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool
token_is_identifier(const char *text, size_t len)
{
	if (!len || !is_letter(text[0]))
		return false;
	for (size_t i = 1; i < len; i++)
		if (!is_letter(text[i]) && !(text[i] >= '0' && text[i] <= '9'))
			return false;
	return true;
}

const char *const *
token_keywords(void)
{
	return KEYWORDS;
}
