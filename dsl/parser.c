#include "config.h"

#include "dsl/parser.h"

#include <stdio.h>
#include <string.h>

enum { NEAR_MAX = 400 }; /* bytes between brackets that may belong together */

/* ---- the place ---- */

const struct token *
parser_token(const struct parser *p)
{
	return &p->tokens[p->at];
}

enum token_kind
parser_peek_over(const struct parser *p)
{
	return (enum token_kind)p->tokens[p->at].kind;
}

enum token_kind
parser_peek(const struct parser *p)
{
	const struct token *token = &p->tokens[p->at];

	if (token->newline && !p->free && p->passed != p->at + 1 && token->kind != TOKEN_EOF)
		return TOKEN_NEWLINE;
	return (enum token_kind)token->kind;
}

enum token_kind
parser_peek_second(const struct parser *p)
{
	const struct token *token = &p->tokens[p->at];

	if (token->kind == TOKEN_EOF)
		return TOKEN_EOF;
	return token[1].newline && !p->free ? TOKEN_NEWLINE : (enum token_kind)token[1].kind;
}

const struct token *
parser_next(struct parser *p)
{
	const struct token *token = &p->tokens[p->at];

	if (token->kind != TOKEN_EOF)
		p->at++;
	return token;
}

bool
parser_accept(struct parser *p, enum token_kind kind)
{
	if (p->panic || parser_peek(p) != kind)
		return false;
	parser_next(p);
	return true;
}

void
parser_pass_newline(struct parser *p)
{
	p->passed = p->at + 1;
}

bool
parser_at_end(const struct parser *p)
{
	enum token_kind kind = parser_peek(p);

	return kind == TOKEN_NEWLINE || kind == TOKEN_EOF || kind == TOKEN_RBRACE;
}

const char *
parser_text(const struct parser *p, const struct token *token, size_t *ret_len)
{
	*ret_len = token->end - token->start;
	return p->source->text + token->start;
}

bool
parser_is_word(const struct parser *p, const char *word)
{
	const struct token *token = parser_token(p);
	enum token_kind kind = parser_peek(p);
	size_t len;
	const char *text = parser_text(p, token, &len);

	if (kind != TOKEN_NAME && !token_is_keyword(kind))
		return false;
	return strlen(word) == len && !memcmp(text, word, len);
}

bool
parser_accept_word(struct parser *p, const char *word)
{
	if (p->panic || !parser_is_word(p, word))
		return false;
	parser_next(p);
	return true;
}

uint32_t
parser_start(const struct parser *p)
{
	return p->tokens[p->at].start;
}

struct span
parser_span_of(const struct parser *p, const struct token *token)
{
	return (struct span){ p->source, token->start, token->end };
}

struct span
parser_span_from(const struct parser *p, uint32_t start)
{
	uint32_t end = p->at ? p->tokens[p->at - 1].end : start;

	return (struct span){ p->source, start, end > start ? end : start };
}

/* ---- complaints ---- */

/* A line of which the lexer could not read something is not judged by its grammar too. */
static bool
lexer_complained(const struct parser *p, uint32_t at)
{
	const struct lexer_errors *errors = p->lexer_errors;
	const char *text = p->source->text;
	size_t low = 0, high = errors->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (errors->items[mid] < at)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < errors->n && !memchr(text + at, '\n', errors->items[low] - at))
		return true;
	return low > 0 && !memchr(text + errors->items[low - 1], '\n', at - errors->items[low - 1]);
}

static PRINTF_LIKE(4, 0) struct diag *
complain(struct parser *p, enum diag_code code, struct span span, const char *format, va_list args)
{
	char *message;

	if (p->panic || lexer_complained(p, span.start))
		return NULL;
	if (p->diags->n == DIAGS_MAX)
		return diags_add(p->diags, code, span, "%s", "");
	message = arena_vprintf(p->diags->arena, format, args);
	return diags_add(p->diags, code, span, "%s", message);
}

struct diag *
parser_complain(struct parser *p, enum diag_code code, struct span span, const char *format, ...)
{
	struct diag *diag;
	va_list args;

	va_start(args, format);
	diag = complain(p, code, span, format, args);
	va_end(args);
	p->panic = true;
	return diag;
}

struct diag *
parser_report(struct parser *p, enum diag_code code, struct span span, const char *format, ...)
{
	struct diag *diag;
	va_list args;

	va_start(args, format);
	diag = complain(p, code, span, format, args);
	va_end(args);
	return diag;
}

/* What a message calls the token at the place. */
static const char *
describe(const struct parser *p, enum token_kind kind, const struct token *token)
{
	size_t len;
	const char *text = parser_text(p, token, &len);

	if (kind == TOKEN_NAME || kind == TOKEN_INTEGER || kind == TOKEN_FLOAT || kind == TOKEN_QUANTITY)
		return arena_printf(p->diags->arena, "`%.*s`%s", len > 60 ? 60 : (int)len, text, len > 60 ? "…" : "");
	if (kind == TOKEN_EOF && p->inner)
		return "`}`";
	if (kind == TOKEN_QUOTED_NAME && len <= 60)
		return arena_strndup(p->diags->arena, text, len);
	return token_text(kind);
}

/* A line's end is shown behind the last token, not at the start of the next line. */
static struct span
place(const struct parser *p, enum token_kind kind)
{
	struct span span = parser_span_of(p, parser_token(p));

	if ((kind == TOKEN_NEWLINE || kind == TOKEN_EOF) && p->at && p->tokens[p->at - 1].end > p->statement)
		span.start = span.end = p->tokens[p->at - 1].end;
	return span;
}

/* Only the first time: later on brackets are given up. */
static void
wants_more(struct parser *p)
{
	if (p->end->wants_more || p->inner)
		return;
	p->end->wants_more = true;
	p->end->open_at = p->open.n ? p->open.items[p->open.n - 1].start : p->statement;
}

struct diag *
parser_unexpected(struct parser *p, const char *what)
{
	enum token_kind kind = parser_peek(p);
	struct diag *diag;

	if (p->panic)
		return NULL;
	if (kind == TOKEN_EOF && (p->free || p->passed == p->at + 1))
		wants_more(p);
	if (p->diags->n == DIAGS_MAX)
		return parser_complain(p, DIAG_L0100, place(p, kind), "%s", "");
	diag = parser_complain(p, DIAG_L0100, place(p, kind), "expected %s, found %s", what,
		describe(p, kind, parser_token(p)));
	return diag;
}

struct ast_stmt *
parser_misplaced(struct parser *p, const char *message)
{
	size_t len;
	const char *word = parser_text(p, parser_token(p), &len);

	parser_complain(p, DIAG_L0118, parser_span_of(p, parser_token(p)), "`%.*s` %s", (int)len, word, message);
	return NULL;
}

bool
parser_expect(struct parser *p, enum token_kind kind, const char *where)
{
	char what[80];

	if (parser_accept(p, kind))
		return true;
	snprintf(what, sizeof(what), "%s%s%s", token_text(kind), *where ? " " : "", where);
	parser_unexpected(p, what);
	return false;
}

bool
parser_enter(struct parser *p)
{
	struct diag *diag;

	if (p->depth < AST_DEPTH_MAX - 1) {
		p->depth++;
		return true;
	}
	diag = parser_complain(p, DIAG_L0114, parser_span_of(p, parser_token(p)), "this is nested too deeply");
	if (diag)
		diag_note(p->diags, diag, "expressions and blocks may be nested %d deep", AST_DEPTH_MAX);
	return false;
}

void
parser_leave(struct parser *p)
{
	p->depth--;
}

/* ---- brackets ---- */

static void
push_bracket(struct parser *p, const struct token *token, bool block)
{
	struct open_bracket open = { token->start, token->kind, block };

	vec_push(&p->open, open);
}

bool
parser_open(struct parser *p, enum token_kind kind, bool block, const char *where, struct bracket *ret)
{
	*ret = (struct bracket){ p->open.n, p->free };
	if (!parser_expect(p, kind, where))
		return false;
	push_bracket(p, &p->tokens[p->at - 1], block);
	p->free = !block;
	return true;
}

static enum token_kind
closing(uint8_t kind)
{
	return kind == TOKEN_LPAREN ? TOKEN_RPAREN : kind == TOKEN_LBRACKET ? TOKEN_RBRACKET : TOKEN_RBRACE;
}

static void
never_closed(struct parser *p, struct open_bracket open)
{
	struct span span = { p->source, open.start, open.start + 1 };
	const struct token *token = parser_token(p);
	bool known = token->kind == TOKEN_EOF && (p->end->in_raw || p->end->wants_more);
	struct diag *diag;

	if (token->kind == TOKEN_EOF)
		wants_more(p);
	if (p->shaky || known) {
		p->panic = true;
		return;
	}
	p->told = true;
	diag = parser_complain(p, DIAG_L0112, span, "this %s is never closed", token_text((enum token_kind)open.kind));
	if (diag && token->kind != TOKEN_EOF)
		diag_label(p->diags, diag, parser_span_of(p, token), "expected %s before this",
			token_text(closing(open.kind)));
}

void
parser_close(struct parser *p, struct bracket *bracket, const char *what)
{
	struct open_bracket open = p->open.items[bracket->level];
	struct span opened = { p->source, open.start, open.start + 1 };
	struct diag *diag;

	/* What the place is in while in panic, parser_statement_ends finds out: the brackets stay on the stack for it. */
	if (p->panic)
		return;
	if (parser_peek_over(p) == closing(open.kind)) {
		parser_next(p);
	} else if (parser_peek_over(p) == TOKEN_EOF || parser_forgot_to_close(p)) {
		never_closed(p, open);
	} else {
		diag = parser_unexpected(p, what);
		if (diag && source_place(p->source, open.start).line != source_place(p->source, parser_start(p)).line)
			diag_label(p->diags, diag, opened, "opened here");
	}
	if (p->panic)
		return;
	p->open.n = bracket->level;
	p->free = bracket->free;
}

/* Column in bytes, which is enough to compare the indentation of lines. */
static size_t
indentation(const struct parser *p, uint32_t at)
{
	const struct source *source = p->source;

	return at - source_line_start(source, source_place(source, at).line);
}

/* A line that can only be the start of a new statement, whatever is open. */
static bool
begins_statement(const struct parser *p, size_t at)
{
	const struct token *token = &p->tokens[at];

	if (!token->newline || token->kind == TOKEN_EOF)
		return false;
	switch (token->kind) {
	case TOKEN_SHELL:
		return true;
	case TOKEN_PIPELINE:
	case TOKEN_COMPONENT:
	case TOKEN_USE:
		return indentation(p, token->start) == 0 && (token[1].kind == TOKEN_NAME || token[1].kind == TOKEN_QUOTED_NAME) &&
		       !token[1].newline;
	case TOKEN_NAME:
	case TOKEN_QUOTED_NAME:
		return token[1].kind == TOKEN_ASSIGN && !token[1].newline &&
		       indentation(p, token->start) <= indentation(p, p->statement);
	default:
		return false;
	}
}

bool
parser_forgot_to_close(const struct parser *p)
{
	return begins_statement(p, p->at);
}

/* ---- recovery ---- */

static bool
is_opening(uint8_t kind)
{
	return kind == TOKEN_LPAREN || kind == TOKEN_LBRACKET || kind == TOKEN_LBRACE;
}

static bool
is_closing(uint8_t kind)
{
	return kind == TOKEN_RPAREN || kind == TOKEN_RBRACKET || kind == TOKEN_RBRACE;
}

/* On the line of the place, and not far from it. */
static bool
is_near(const struct parser *p, uint32_t start)
{
	uint32_t end = parser_start(p);

	return end - start <= NEAR_MAX && !memchr(p->source->text + start, '\n', end - start);
}

/* Closes what this token closes, down to `level`; false when nothing above it matches. */
static bool
pop_bracket(struct parser *p, size_t level, uint8_t kind)
{
	for (size_t i = p->open.n; i > level; i--) {
		if (closing(p->open.items[i - 1].kind) == kind) {
			p->shaky = p->shaky || i < p->open.n;
			p->open.n = i - 1;
			return true;
		}
		/* `}` closes what stands open in it; `)` and `]` close a forgotten `{` of their own line only. */
		if (kind != TOKEN_RBRACE && !is_near(p, p->open.items[i - 1].start))
			break;
	}
	p->shaky = true;
	return false;
}

/* In panic: may a new statement begin at this token, with the brackets that are open above `level`? */
static bool
can_resume(const struct parser *p, size_t level)
{
	const struct token *token = parser_token(p);
	const struct open_bracket *top = p->open.n > level ? &p->open.items[p->open.n - 1] : NULL;

	if (!token->newline || is_closing(token->kind))
		return false;
	if (!top)
		return true;
	if (top->kind == TOKEN_LBRACE)
		return begins_statement(p, p->at) && token->kind != TOKEN_NAME && token->kind != TOKEN_QUOTED_NAME;
	return begins_statement(p, p->at) || indentation(p, token->start) <= indentation(p, p->statement);
}

/* Skips to where the next statement of the block with that level begins, or to the block's end. */
static void
skip_statement(struct parser *p, size_t level, bool commas)
{
	for (;; parser_next(p)) {
		const struct token *token = parser_token(p);

		/* Where nothing of the statement was consumed, at least its first token is skipped. */
		if (token->kind == TOKEN_EOF || (token->start > p->statement && can_resume(p, level)))
			break;
		if (commas && token->kind == TOKEN_COMMA && p->open.n <= level)
			break;
		if (is_opening(token->kind))
			push_bracket(p, token, token->kind == TOKEN_LBRACE);
		else if (is_closing(token->kind) && !pop_bracket(p, level, token->kind) && token->kind == TOKEN_RBRACE && level)
			break;
	}
	p->shaky = p->shaky || (p->open.n > level && !p->told);
	p->told = false;
	p->open.n = level;
}

static void
too_much(struct parser *p, bool commas)
{
	const struct token *token = parser_token(p);
	struct diag *diag = NULL;

	if (token->kind == TOKEN_RPAREN || token->kind == TOKEN_RBRACKET) {
		parser_complain(p, DIAG_L0113, parser_span_of(p, token), "this %s closes nothing",
			token_text((enum token_kind)token->kind));
	} else if (token->kind == TOKEN_ASSIGN) {
		diag = parser_unexpected(p, "the end of the line");
		if (diag)
			diag_help(p->diags, diag, "equality is tested with `==`");
	} else {
		parser_unexpected(p, commas ? "`,` or the end of the line" : "the end of the line");
	}
}

static void
recover(struct parser *p, size_t level, bool commas)
{
	p->lost = false;
	skip_statement(p, level, commas);
	/* A declaration inside a block means that the block was not closed: the panic goes on, and the block ends with it. */
	p->panic = level && token_is_keyword(parser_peek_over(p)) && begins_statement(p, p->at);
}

void
parser_statement_ends(struct parser *p, size_t level, bool commas)
{
	p->free = false;
	if (!p->panic && !parser_at_end(p) && !(commas && parser_peek(p) == TOKEN_COMMA))
		too_much(p, commas);
	if (p->panic)
		recover(p, level, commas);
	if (!level)
		p->shaky = false;
}

/* Skips to the comma or bracket that ends the item, as long as it is plain where that is. */
static void
skip_item(struct parser *p, const struct bracket *bracket)
{
	size_t level = bracket->level + 1;
	size_t start = p->at, n_open = p->open.n;

	for (; parser_token(p)->kind != TOKEN_EOF; parser_next(p)) {
		uint8_t kind = parser_token(p)->kind;

		if (begins_statement(p, p->at) || can_resume(p, bracket->level)) {
			p->lost = true;
			break;
		}
		if (p->open.n <= level && (kind == TOKEN_COMMA || kind == closing(p->open.items[level - 1].kind))) {
			p->open.n = level;
			p->free = true;
			p->panic = false;
			return;
		}
		if (is_opening(kind))
			push_bracket(p, parser_token(p), kind == TOKEN_LBRACE);
		else if (is_closing(kind) && !pop_bracket(p, level, kind))
			break;
	}
	if (parser_token(p)->kind == TOKEN_EOF)
		p->lost = true;
	/* Not found: the statement's own recovery starts again from here. */
	p->at = start;
	p->open.n = n_open;
}

bool
parser_item_ends(struct parser *p, const struct bracket *bracket, enum token_kind close, const char *what)
{
	if (!p->panic && parser_peek_over(p) != close && parser_peek_over(p) != TOKEN_COMMA) {
		if (parser_peek_over(p) == TOKEN_EOF || parser_forgot_to_close(p))
			never_closed(p, p->open.items[bracket->level]);
		else
			parser_unexpected(p, what);
	}
	if (p->panic && !p->lost)
		skip_item(p, bracket);
	return parser_accept(p, TOKEN_COMMA) && parser_peek_over(p) != close;
}

struct ast_stmt *
parser_new_stmt(struct parser *p, enum ast_stmt_kind kind)
{
	struct ast_stmt *stmt = arena_new_struct(p->arena, struct ast_stmt);

	stmt->kind = kind;
	stmt->span = parser_span_of(p, parser_token(p));
	stmt->doc = parser_doc(p);
	return stmt;
}
