/* Names, strings with their escapes and braces, raw blocks. */
#include "config.h"

#include <string.h>

#include "base/utf8.h"
#include "dsl/parser.h"

/* ---- names ---- */

struct ast_name
parser_name_of(struct parser *p, const struct token *token)
{
	size_t len;
	const char *text = parser_text(p, token, &len);
	struct buf clean = { 0 };
	struct ast_name name = { .span = parser_span_of(p, token) };

	if (token->kind == TOKEN_QUOTED_NAME) {
		utf8_sanitise(&clean, text + 1, len - 2);
		name.text = arena_strndup(p->arena, buf_text(&clean), clean.len);
		buf_release(&clean);
	} else {
		name.text = arena_strndup(p->arena, text, len);
	}
	return name;
}

struct ast_name
parser_name(struct parser *p, bool any, const char *what)
{
	const struct token *token = parser_token(p);
	enum token_kind kind = parser_peek(p);
	struct diag *diag;
	size_t len;
	const char *text;

	if (!p->panic && (kind == TOKEN_NAME || kind == TOKEN_QUOTED_NAME || (any && token_is_keyword(kind))))
		return parser_name_of(p, parser_next(p));
	if (token_is_keyword(kind)) {
		text = parser_text(p, token, &len);
		diag = parser_complain(p, DIAG_L0117, parser_span_of(p, token), "`%.*s` is a word of the language, not %s",
			(int)len, text, what);
		if (diag)
			diag_help(p->diags, diag, "in backticks any word is a name");
	} else {
		parser_unexpected(p, what);
	}
	return (struct ast_name){ .span = parser_span_of(p, token) };
}

/* ---- strings ---- */

struct string_reader {
	struct parser *p;
	uint32_t at, end; /* inside the quotes */
	struct buf text; /* the literal part so far */
	uint32_t part_start;
	VEC(struct ast_string_part) parts;
	unsigned height;
};

static char
char_at(const struct string_reader *r, uint32_t at)
{
	return at < r->end ? r->p->source->text[at] : '\0';
}

static struct span
span_at(const struct string_reader *r, uint32_t start, uint32_t end)
{
	return (struct span){ r->p->source, start, end < r->end ? end : r->end };
}

static void
end_literal(struct string_reader *r)
{
	struct ast_string_part part = { .len = r->text.len, .span = span_at(r, r->part_start, r->at) };

	if (r->at == r->part_start)
		return;
	part.text = arena_strndup(r->p->arena, buf_text(&r->text), r->text.len);
	buf_clear(&r->text);
	vec_push(&r->parts, part);
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* \u{1F600}: one to six digits. */
static void
read_code_point(struct string_reader *r)
{
	uint32_t start = r->at, at = start + 2, cp = 0;
	unsigned digits = 0;
	char bytes[4];

	if (char_at(r, at) == '{')
		for (at++; hex_digit(char_at(r, at)) >= 0 && digits < 7; at++, digits++)
			cp = cp * 16 + (uint32_t)hex_digit(char_at(r, at));
	if (!digits || digits > 6 || char_at(r, at) != '}') {
		struct diag *diag = parser_report(r->p, DIAG_L0103, span_at(r, start, at + 1), "`\\u` without its digits");

		if (diag)
			diag_help(r->p->diags, diag, "one to six hexadecimal digits stand in braces: `\\u{1F600}`");
		r->at = start + 2;
		return;
	}
	r->at = at + 1;
	if (!cp || cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF))
		parser_report(r->p, DIAG_L0103, span_at(r, start, r->at), "U+%04X is not a character that text can hold", cp);
	else
		buf_add(&r->text, bytes, utf8_encode(cp, bytes));
}

static void
read_escape(struct string_reader *r)
{
	static const char LETTERS[] = "ntr\"\\", VALUES[] = "\n\t\r\"\\";
	char c = char_at(r, r->at + 1);
	const char *letter = c ? strchr(LETTERS, c) : NULL;
	struct diag *diag;
	uint32_t cp = 0;
	uint32_t n = 0;

	if (letter) {
		buf_putc(&r->text, VALUES[letter - LETTERS]);
		r->at += 2;
		return;
	}
	if (c == 'u') {
		read_code_point(r);
		return;
	}
	if (r->at + 1 < r->end)
		n = (uint32_t)utf8_decode(r->p->source->text + r->at + 1, r->end - r->at - 1, &cp);
	diag = parser_report(r->p, DIAG_L0103, span_at(r, r->at, r->at + 1 + n), "`\\%.*s` is not an escape", (int)n,
		r->p->source->text + r->at + 1);
	if (diag)
		diag_help(r->p->diags, diag, "a backslash is written `\\\\`; the escapes are `\\n`, `\\t`, `\\r`, `\\\"`, `\\\\` and "
			"`\\u{…}`");
	r->at += 1 + n;
}

/* The expression between braces has tokens of its own; for a while they are the parser's. */
static struct ast_expr *
parse_inner(struct parser *p, uint32_t start, uint32_t end)
{
	struct parser saved = *p;
	struct lexer lexer;
	struct ast_expr *expr;

	lexer_read_inner(&lexer, p->source, p->diags, start, end);
	p->tokens = lexer.tokens.items;
	p->lexer_errors = &lexer.errors;
	p->at = p->passed = 0;
	p->free = p->inner = true;
	p->quantities = p->parts = p->help_ok = false;
	expr = parser_expr(p);
	if (!p->panic && parser_token(p)->kind != TOKEN_EOF)
		parser_unexpected(p, "`}`");
	saved.height = p->height;
	saved.open.items = p->open.items;
	saved.open.cap = p->open.cap;
	*p = saved;
	lexer_release(&lexer);
	return expr;
}

static void
read_braces(struct string_reader *r)
{
	struct parser *p = r->p;
	uint32_t start = r->at, at = start + 1;
	struct ast_string_part part = { 0 };
	struct diag *diag;

	while (at < r->end && char_at(r, at) != '}' && char_at(r, at) != '{' && char_at(r, at) != '\\')
		at++;
	if (char_at(r, at) != '}') {
		diag = parser_report(p, DIAG_L0104, span_at(r, start, start + 1), "this `{` opens an expression that is never closed");
		if (diag) {
			diag_help(p->diags, diag, "a brace that is text is doubled: `{{`");
			diag_fix(p->diags, diag, span_at(r, start, start + 1), FIX_LIKELY, "{{");
		}
		r->at = at;
		return;
	}
	end_literal(r);
	r->at = r->part_start = at + 1;
	part.span = span_at(r, start, at + 1);
	if (strspn(p->source->text + start + 1, " \t") == at - start - 1) {
		diag = parser_report(p, DIAG_L0104, part.span, "there is no expression in these braces");
		if (diag)
			diag_help(p->diags, diag, "braces that are text are doubled: `{{}}`");
		return;
	}
	part.expr = parse_inner(p, start + 1, at);
	r->height = p->height > r->height ? p->height : r->height;
	vec_push(&r->parts, part);
}

static void
stray_brace(struct string_reader *r)
{
	struct span span = span_at(r, r->at, r->at + 1);
	struct diag *diag = parser_report(r->p, DIAG_L0104, span, "this `}` closes nothing");

	if (diag) {
		diag_help(r->p->diags, diag, "a brace that is text is doubled: `}}`");
		diag_fix(r->p->diags, diag, span, FIX_LIKELY, "}}");
	}
	r->at++;
}

static void
control_in_string(struct string_reader *r, unsigned char c)
{
	struct span span = span_at(r, r->at, r->at + 1);
	struct diag *diag = parser_report(r->p, DIAG_L0106, span, "the control character U+%04X in a string", c);

	if (diag)
		diag_help(r->p->diags, diag, "write it as `\\u{%X}`", c);
	r->at++;
}

static void
read_char(struct string_reader *r)
{
	uint32_t at = r->at;
	unsigned char c = (unsigned char)char_at(r, at);
	uint32_t cp;
	size_t n;

	if (c == '\\') {
		read_escape(r);
	} else if ((c == '{' || c == '}') && char_at(r, at + 1) == (char)c) {
		buf_putc(&r->text, (char)c);
		r->at += 2;
	} else if (c == '{') {
		read_braces(r);
	} else if (c == '}') {
		stray_brace(r);
	} else if ((c < 0x20 && c != '\t') || c == 0x7F) {
		control_in_string(r, c);
	} else {
		n = utf8_decode(r->p->source->text + at, r->end - at, &cp);
		if (n == 1 && cp == UTF8_REPLACEMENT)
			buf_puts(&r->text, "\xEF\xBF\xBD");
		else
			buf_add(&r->text, r->p->source->text + at, n);
		r->at += (uint32_t)n;
	}
}

/* What stands for itself, in one piece. */
static void
read_plain(struct string_reader *r)
{
	const char *text = r->p->source->text;
	uint32_t start = r->at;

	for (; r->at < r->end; r->at++) {
		unsigned char c = (unsigned char)text[r->at];

		if (c < 0x20 || c >= 0x7F || c == '\\' || c == '{' || c == '}')
			break;
	}
	if (r->at > start)
		buf_add(&r->text, text + start, r->at - start);
}

struct ast_expr *
parser_string(struct parser *p)
{
	const struct token *token = parser_next(p);
	struct ast_expr *expr = parser_new_expr(p, AST_STRING, token->start);
	struct string_reader r = {
		.p = p, .at = token->start + 1, .end = token->end - 1, .part_start = token->start + 1,
	};
	bool entered = parser_enter(p);

	while (r.at < r.end && entered) {
		read_plain(&r);
		if (r.at < r.end)
			read_char(&r);
	}
	end_literal(&r);
	if (entered)
		parser_leave(p);
	buf_release(&r.text);
	parser_settle(p, &r.parts, &expr->parts, &expr->n_parts);
	p->height = r.height + 1;
	return expr;
}

/* ---- raw blocks ---- */

struct lines {
	struct line {
		const char *text;
		size_t len;
	} *items;
	size_t n, cap;
};

static void
split_lines(struct lines *lines, const char *text, size_t len)
{
	const char *end = text + len;

	for (;;) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		struct line line = { text, (size_t)((newline ? newline : end) - text) };

		while (line.len && text[line.len - 1] == '\r')
			line.len--;
		vec_push(lines, line);
		if (!newline)
			return;
		text = newline + 1;
	}
}

static size_t
count_blanks(struct line line)
{
	size_t n = 0;

	while (n < line.len && (line.text[n] == ' ' || line.text[n] == '\t'))
		n++;
	return n;
}

static bool
is_blank(struct line line)
{
	return count_blanks(line) == line.len;
}

static void
trim(struct line *line)
{
	size_t n = count_blanks(*line);

	line->text += n;
	line->len -= n;
	while (line->len && (line->text[line->len - 1] == ' ' || line->text[line->len - 1] == '\t'))
		line->len--;
}

/* The blanks that all lines but the blank ones begin with, byte for byte. */
static size_t
common_indent(const struct line *lines, size_t n)
{
	const struct line *model = NULL;
	size_t indent = 0;

	for (size_t i = 0; i < n; i++) {
		size_t same = 0;

		if (is_blank(lines[i]))
			continue;
		if (!model) {
			model = &lines[i];
			indent = count_blanks(lines[i]);
			continue;
		}
		while (same < indent && same < lines[i].len && lines[i].text[same] == model->text[same])
			same++;
		indent = same;
	}
	return indent;
}

/* Several lines: blanks behind the opening quotes and before the closing ones go, with their line ends; what the other
 * lines have in common as indentation goes; text that follows the opening quotes at once loses its own. */
static void
dedent(struct buf *buf, struct line *lines, size_t n)
{
	bool first_blank = is_blank(lines[0]);
	size_t indent;

	if (is_blank(lines[n - 1]))
		n--;
	if (first_blank) {
		lines++;
		n = n ? n - 1 : 0;
	} else {
		trim(&lines[0]);
	}
	indent = first_blank ? common_indent(lines, n) : common_indent(lines + 1, n - 1);
	for (size_t i = 0; i < n; i++) {
		size_t skip = !i && !first_blank ? 0 : indent;

		if (i)
			buf_putc(buf, '\n');
		if (!is_blank(lines[i]))
			utf8_sanitise(buf, lines[i].text + skip, lines[i].len - skip);
	}
}

struct ast_expr *
parser_raw(struct parser *p)
{
	const struct token *token = parser_next(p);
	struct ast_expr *expr = parser_new_expr(p, AST_RAW, token->start);
	size_t quotes = 0, len;
	const char *text = parser_text(p, token, &len);
	struct lines lines = { 0 };
	struct buf buf = { 0 };

	while (text[quotes] == '"')
		quotes++;
	split_lines(&lines, text + quotes, len - 2 * quotes);
	if (lines.n == 1) {
		trim(&lines.items[0]);
		utf8_sanitise(&buf, lines.items[0].text, lines.items[0].len);
	} else {
		dedent(&buf, lines.items, lines.n);
	}
	expr->text = arena_strndup(p->arena, buf_text(&buf), buf.len);
	expr->len = buf.len;
	p->height = 1;
	buf_release(&buf);
	vec_release(&lines);
	return expr;
}

struct ast_expr *
parser_text_literal(struct parser *p, const char *what)
{
	enum token_kind kind = parser_peek(p);

	if (!p->panic && kind == TOKEN_STRING)
		return parser_string(p);
	if (!p->panic && kind == TOKEN_RAW)
		return parser_raw(p);
	parser_unexpected(p, what);
	return NULL;
}
