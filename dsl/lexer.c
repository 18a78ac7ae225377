#include "config.h"

#include "dsl/lexer.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

static const char *
text_at(const struct lexer *lexer)
{
	return lexer->source->text + lexer->at;
}

/* The byte `ahead` of the place, 0 behind the end. */
static char
peek(const struct lexer *lexer, uint32_t ahead)
{
	return ahead < lexer->end - lexer->at ? lexer->source->text[lexer->at + ahead] : '\0';
}

static struct span
span_of(const struct lexer *lexer, uint32_t start, uint32_t end)
{
	return (struct span){ lexer->source, start, end };
}

static void
note_error(struct lexer *lexer, uint32_t at)
{
	if (lexer->errors.n && lexer->errors.items[lexer->errors.n - 1] >= at)
		return;
	vec_push(&lexer->errors, at);
}

static void
add_token(struct lexer *lexer, enum token_kind kind, uint32_t start)
{
	struct token token = {
		.start = start,
		.end = lexer->at,
		.kind = (uint8_t)kind,
		.newline = lexer->newline,
		.blank = lexer->blank,
	};

	vec_push(&lexer->tokens, token);
	lexer->newline = lexer->blank = false;
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_control(char c)
{
	return ((unsigned char)c < 0x20 && c != '\t' && c != '\n') || c == 0x7F;
}

/* Is there a line's end here? A carriage return counts with the line feed behind it only. */
static bool
at_line_end(const struct lexer *lexer)
{
	return lexer->at == lexer->end || peek(lexer, 0) == '\n' || (peek(lexer, 0) == '\r' && peek(lexer, 1) == '\n');
}

/* ---- characters that must not be where they are ---- */

/* Complains about invalid bytes, NUL, stray control characters and writing-direction marks in strings, comments and rest-of-line
 * texts, once for each run. */
static void
check_run(struct lexer *lexer, uint32_t start, uint32_t end, const char *what)
{
	const char *text = lexer->source->text;
	bool bad_before = false;

	for (uint32_t i = start; i < end;) {
		uint32_t cp;
		uint32_t n = (uint32_t)utf8_decode(text + i, end - i, &cp);
		bool invalid = n == 1 && cp == UTF8_REPLACEMENT;
		struct span span = span_of(lexer, i, i + n);

		if (invalid && !bad_before)
			diags_add(lexer->diags, DIAG_L0105, span, "this is not UTF-8 text: byte 0x%02X", (unsigned char)text[i]);
		else if (!cp && !bad_before)
			diags_add(lexer->diags, DIAG_L0106, span, "a NUL character in a %s", what);
		else if (utf8_is_bidi_control(cp))
			diags_add(lexer->diags, DIAG_L0108, span, "a %s holds the invisible character U+%04X, which changes the "
				"direction of the text around it", what, cp);
		if ((invalid || !cp) && !bad_before)
			note_error(lexer, i);
		bad_before = invalid || !cp;
		i += n;
	}
}

/* Plain text needs no second look; this asks eight bytes at a time whether there is any byte outside ASCII, and any NUL. */
static bool
is_plain(const char *text, size_t len)
{
	uint64_t word, all = 0;
	size_t i = 0;

	for (; i + 8 <= len; i += 8) {
		memcpy(&word, text + i, 8);
		all |= word;
		if ((word - UINT64_C(0x0101010101010101)) & ~word & UINT64_C(0x8080808080808080))
			return false;
	}
	for (; i < len; i++) {
		if (!text[i])
			return false;
		all |= (unsigned char)text[i];
	}
	return !(all & UINT64_C(0x8080808080808080));
}

static void
check_text(struct lexer *lexer, uint32_t start, uint32_t end, const char *what)
{
	if (!is_plain(lexer->source->text + start, end - start))
		check_run(lexer, start, end, what);
}

struct mistake {
	const char *text;
	const char *instead;
};

/* What people write who come from other languages. */
static const struct mistake MISTAKES[] = {
	{ "&&", "and" }, { "||", "or" }, { "!", "not " },
};

static bool
bad_habit(struct lexer *lexer)
{
	for (size_t i = 0; i < ARRAY_LEN(MISTAKES); i++) {
		const struct mistake *m = &MISTAKES[i];
		size_t len = strlen(m->text);
		struct span span = span_of(lexer, lexer->at, lexer->at + (uint32_t)len);
		struct diag *diag;

		if (len > lexer->end - lexer->at || memcmp(text_at(lexer), m->text, len))
			continue;
		diag = diags_add(lexer->diags, DIAG_L0109, span, "`%s` is not an operator of the language", m->text);
		diag_help(lexer->diags, diag, "write `%s`", *m->text == '!' ? "not" : m->instead);
		diag_fix(lexer->diags, diag, span, FIX_CERTAIN, m->instead);
		lexer->at += (uint32_t)len;
		return true;
	}
	return false;
}

/* 'text' in single quotes is one mistake, not two stray characters. */
static bool
single_quoted(struct lexer *lexer)
{
	uint32_t start = lexer->at, at = start + 1;
	const char *text = lexer->source->text;
	struct diag *diag;

	if (text[start] != '\'')
		return false;
	while (at < lexer->end && text[at] != '\n' && text[at] != '\'')
		at++;
	if (at == lexer->end || text[at] != '\'')
		return false;
	lexer->at = at + 1;
	diag = diags_add(lexer->diags, DIAG_L0109, span_of(lexer, start, lexer->at), "strings stand in double quotes");
	if (!memchr(text + start, '"', at - start) && lexer->diags->n < DIAGS_MAX) {
		char *fixed = arena_printf(lexer->diags->arena, "\"%.*s\"", (int)(at - start - 1), text + start + 1);

		diag_help(lexer->diags, diag, "write `\"…\"`");
		diag_fix(lexer->diags, diag, span_of(lexer, start, lexer->at), FIX_CERTAIN, fixed);
	}
	return true;
}

static void
name_character(struct lexer *lexer, uint32_t cp, struct span span)
{
	struct diag *diag;

	if (utf8_is_bidi_control(cp)) {
		diag = diags_add(lexer->diags, DIAG_L0107, span, "the invisible character U+%04X changes the direction of the "
			"text around it", cp);
		diag_help(lexer->diags, diag, "remove it; in a string it can be written as `\\u{%X}`", cp);
		diag_fix(lexer->diags, diag, span, FIX_CERTAIN, "");
	} else if (cp < 0x20 || cp == 0x7F) {
		diags_add(lexer->diags, DIAG_L0106, span, "the control character U+%04X stands between the words", cp);
	} else if (cp < 0x80) {
		diag = diags_add(lexer->diags, DIAG_L0109, span, "`%c` is not part of the language", (int)cp);
		if (cp == ';')
			diag_help(lexer->diags, diag, "a statement ends with its line");
	} else {
		diag = diags_add(lexer->diags, DIAG_L0109, span, "`%.*s` (U+%04X) is not part of the language",
			(int)(span.end - span.start), lexer->source->text + span.start, cp);
		diag_help(lexer->diags, diag, "names with other letters than `a` to `z` stand in backticks");
	}
}

/* Anything that begins no token: reported once for a run of equal trouble. */
static void
bad_character(struct lexer *lexer)
{
	uint32_t start = lexer->at, cp;
	uint32_t n = (uint32_t)utf8_decode(text_at(lexer), lexer->end - lexer->at, &cp);
	bool invalid = n == 1 && cp == UTF8_REPLACEMENT;

	note_error(lexer, start);
	if (bad_habit(lexer) || single_quoted(lexer)) {
		add_token(lexer, TOKEN_ERROR, start);
		return;
	}
	lexer->at += n;
	if (invalid) {
		diags_add(lexer->diags, DIAG_L0105, span_of(lexer, start, lexer->at), "this is not UTF-8 text: byte 0x%02X",
			(unsigned char)lexer->source->text[start]);
		while (lexer->at < lexer->end && utf8_decode(text_at(lexer), lexer->end - lexer->at, &cp) == 1 &&
		       cp == UTF8_REPLACEMENT)
			lexer->at++;
	} else {
		name_character(lexer, cp, span_of(lexer, start, lexer->at));
		while (lexer->at < lexer->end && cp >= 0x80 && (unsigned char)peek(lexer, 0) >= 0x80)
			lexer->at++;
	}
	add_token(lexer, TOKEN_ERROR, start);
}

/* ---- tokens ---- */

static void
read_name(struct lexer *lexer)
{
	uint32_t start = lexer->at;

	while (is_letter(peek(lexer, 0)) || is_digit(peek(lexer, 0)))
		lexer->at++;
	add_token(lexer, token_keyword(lexer->source->text + start, lexer->at - start), start);
}

static void
read_quoted_name(struct lexer *lexer)
{
	uint32_t start = lexer->at++;
	struct diag *diag;

	while (lexer->at < lexer->end && peek(lexer, 0) != '`' && peek(lexer, 0) != '\n')
		lexer->at++;
	if (peek(lexer, 0) != '`') {
		note_error(lexer, start);
		diag = diags_add(lexer->diags, DIAG_L0124, span_of(lexer, start, start + 1), "this backtick is never closed");
		diag_help(lexer->diags, diag, "a name in backticks ends on its line");
		add_token(lexer, TOKEN_ERROR, start);
		return;
	}
	lexer->at++;
	if (lexer->at - start == 2) {
		note_error(lexer, start);
		diags_add(lexer->diags, DIAG_L0124, span_of(lexer, start, lexer->at), "a name cannot be empty");
		add_token(lexer, TOKEN_ERROR, start);
		return;
	}
	check_text(lexer, start, lexer->at, "name");
	add_token(lexer, TOKEN_QUOTED_NAME, start);
}

/* 3e-4: an exponent is digits behind `e`, with a sign or not; otherwise the letter begins a unit. */
static bool
read_exponent(struct lexer *lexer)
{
	uint32_t n = 1;

	if (peek(lexer, 0) != 'e' && peek(lexer, 0) != 'E')
		return false;
	if (peek(lexer, n) == '+' || peek(lexer, n) == '-')
		n++;
	if (!is_digit(peek(lexer, n)))
		return false;
	lexer->at += n;
	while (is_digit(peek(lexer, 0)))
		lexer->at++;
	return true;
}

static void
read_number(struct lexer *lexer)
{
	uint32_t start = lexer->at;
	enum token_kind kind = TOKEN_INTEGER;

	while (is_digit(peek(lexer, 0)))
		lexer->at++;
	if (peek(lexer, 0) == '.' && is_digit(peek(lexer, 1))) {
		kind = TOKEN_FLOAT;
		for (lexer->at++; is_digit(peek(lexer, 0));)
			lexer->at++;
	}
	if (read_exponent(lexer))
		kind = TOKEN_FLOAT;
	if (is_letter(peek(lexer, 0))) {
		kind = TOKEN_QUANTITY;
		while (is_letter(peek(lexer, 0)) || is_digit(peek(lexer, 0)))
			lexer->at++;
	}
	add_token(lexer, kind, start);
}

static void
read_string(struct lexer *lexer)
{
	uint32_t start = lexer->at++;
	struct diag *diag;

	while (!at_line_end(lexer) && peek(lexer, 0) != '"')
		lexer->at += peek(lexer, 0) == '\\' && lexer->at + 1 < lexer->end && peek(lexer, 1) != '\n' ? 2 : 1;
	if (peek(lexer, 0) == '"') {
		lexer->at++;
		check_text(lexer, start, lexer->at, "string");
		add_token(lexer, TOKEN_STRING, start);
		return;
	}
	note_error(lexer, start);
	diag = diags_add(lexer->diags, DIAG_L0101, span_of(lexer, start, lexer->at), "this string is never closed");
	diag_primary(lexer->diags, diag, "the line ends before the closing quote");
	diag_help(lexer->diags, diag, "close it with `\"`; text of several lines stands between `\"\"\"` and `\"\"\"`");
	add_token(lexer, TOKEN_ERROR, start);
}

static uint32_t
quotes_ahead(const struct lexer *lexer)
{
	uint32_t n = 0;

	while (peek(lexer, n) == '"')
		n++;
	return n;
}

/* A run of as many quotes or more closes; those before its last ones belong to the text. */
static void
read_raw(struct lexer *lexer, uint32_t quotes)
{
	uint32_t start = lexer->at;
	struct diag *diag;

	for (lexer->at += quotes; lexer->at < lexer->end;) {
		const char *quote = memchr(text_at(lexer), '"', lexer->end - lexer->at);
		uint32_t n;

		lexer->at = quote ? (uint32_t)(quote - lexer->source->text) : lexer->end;
		n = quotes_ahead(lexer);
		lexer->at += n;
		if (n >= quotes) {
			check_text(lexer, start, lexer->at, "raw block");
			add_token(lexer, TOKEN_RAW, start);
			return;
		}
	}
	note_error(lexer, start);
	lexer->open = true;
	diag = diags_add(lexer->diags, DIAG_L0102, span_of(lexer, start, start + quotes), "this raw block is never closed");
	diag_help(lexer->diags, diag, "it ends with as many quotes as it began with, %u", quotes);
	add_token(lexer, TOKEN_ERROR, start);
}

static void
read_comment(struct lexer *lexer)
{
	uint32_t start = lexer->at;
	struct ast_comment comment;

	while (!at_line_end(lexer))
		lexer->at++;
	check_text(lexer, start, lexer->at, "comment");
	comment = (struct ast_comment){ span_of(lexer, start, lexer->at), lexer->newline };
	vec_push(&lexer->comments, comment);
}

static void
read_rest_of_line(struct lexer *lexer, enum token_kind kind)
{
	uint32_t start = lexer->at;

	while (!at_line_end(lexer))
		lexer->at++;
	check_text(lexer, start, lexer->at, "line");
	add_token(lexer, kind, start);
}

struct punctuation {
	char text[3];
	uint8_t kind;
};

/* Longer ones first. */
static const struct punctuation PUNCTUATION[] = {
	{ "->", TOKEN_ARROW }, { "==", TOKEN_EQ }, { "!=", TOKEN_NE }, { "<=", TOKEN_LE }, { ">=", TOKEN_GE },
	{ "??", TOKEN_COALESCE }, { "(", TOKEN_LPAREN }, { ")", TOKEN_RPAREN }, { "[", TOKEN_LBRACKET },
	{ "]", TOKEN_RBRACKET }, { "{", TOKEN_LBRACE }, { "}", TOKEN_RBRACE }, { ",", TOKEN_COMMA }, { ":", TOKEN_COLON },
	{ ".", TOKEN_DOT }, { "=", TOKEN_ASSIGN }, { "+", TOKEN_PLUS }, { "-", TOKEN_MINUS }, { "*", TOKEN_STAR },
	{ "/", TOKEN_SLASH }, { "%", TOKEN_PERCENT }, { "<", TOKEN_LT }, { ">", TOKEN_GT }, { "?", TOKEN_QUESTION },
};

static bool
read_punctuation(struct lexer *lexer)
{
	for (size_t i = 0; i < ARRAY_LEN(PUNCTUATION); i++) {
		const struct punctuation *p = &PUNCTUATION[i];
		uint32_t len = p->text[1] ? 2 : 1;
		uint32_t start = lexer->at;

		if (peek(lexer, 0) != p->text[0] || (p->text[1] && peek(lexer, 1) != p->text[1]))
			continue;
		lexer->at += len;
		if (p->kind == TOKEN_LPAREN || p->kind == TOKEN_LBRACKET || p->kind == TOKEN_LBRACE)
			lexer->depth++;
		else if ((p->kind == TOKEN_RPAREN || p->kind == TOKEN_RBRACKET || p->kind == TOKEN_RBRACE) && lexer->depth)
			lexer->depth--;
		add_token(lexer, (enum token_kind)p->kind, start);
		return true;
	}
	return false;
}

/* Blanks, line ends and comments before the next token. A byte order mark at the start of the text is a blank. */
static void
skip_blanks(struct lexer *lexer)
{
	for (; lexer->at < lexer->end; lexer->blank = true) {
		char c = peek(lexer, 0);

		if (c == '#' && !lexer->inner) {
			read_comment(lexer);
		} else if (at_line_end(lexer)) {
			lexer->at += c == '\r' ? 2 : 1;
			lexer->newline = true;
		} else if (c == ' ' || c == '\t') {
			lexer->at++;
		} else if (!lexer->at && lexer->end >= 3 && !memcmp(text_at(lexer), "\xEF\xBB\xBF", 3)) {
			lexer->at += 3;
		} else {
			return;
		}
	}
}

/* A declaration at the very start of a line: whatever bracket is still open was forgotten. */
static void
forget_brackets(struct lexer *lexer)
{
	static const char *const WORDS[] = { "pipeline ", "component ", "use " };

	if (lexer->at && lexer->source->text[lexer->at - 1] != '\n')
		return;
	for (size_t i = 0; i < ARRAY_LEN(WORDS); i++)
		if (lexer->end - lexer->at > strlen(WORDS[i]) && !memcmp(text_at(lexer), WORDS[i], strlen(WORDS[i])))
			lexer->depth = 0;
}

static bool
takes_line(const struct lexer *lexer, char c)
{
	if (!lexer->newline || lexer->inner)
		return false;
	return c == '!' ? !lexer->depth || peek(lexer, 1) != '=' : c == '%' && !lexer->depth;
}

static void
read_token(struct lexer *lexer)
{
	char c = peek(lexer, 0);

	if (lexer->newline && lexer->depth)
		forget_brackets(lexer);
	if (takes_line(lexer, c))
		read_rest_of_line(lexer, c == '!' ? TOKEN_SHELL : TOKEN_MAGIC);
	else if (is_letter(c))
		read_name(lexer);
	else if (is_digit(c))
		read_number(lexer);
	else if (c == '`')
		read_quoted_name(lexer);
	else if (c == '"' && quotes_ahead(lexer) >= 3)
		read_raw(lexer, quotes_ahead(lexer));
	else if (c == '"')
		read_string(lexer);
	else if (is_control(c) || !read_punctuation(lexer))
		bad_character(lexer);
}

static void
read_all(struct lexer *lexer)
{
	for (skip_blanks(lexer); lexer->at < lexer->end; skip_blanks(lexer))
		read_token(lexer);
	add_token(lexer, TOKEN_EOF, lexer->at);
}

void
lexer_read(struct lexer *lexer, struct source *source, struct diags *diags)
{
	*lexer = (struct lexer){ .source = source, .diags = diags, .end = (uint32_t)source->len, .newline = true };
	read_all(lexer);
}

void
lexer_read_inner(struct lexer *lexer, struct source *source, struct diags *diags, uint32_t start, uint32_t end)
{
	*lexer = (struct lexer){ .source = source, .diags = diags, .at = start, .end = end, .inner = true };
	read_all(lexer);
}

void
lexer_release(struct lexer *lexer)
{
	vec_release(&lexer->tokens);
	vec_release(&lexer->comments);
	vec_release(&lexer->errors);
}
