/* What stands between brackets: lists, their conditional parts, dicts, the arguments of calls. */
#include "config.h"

#include "dsl/parser.h"

static unsigned
max(unsigned a, unsigned b)
{
	return a > b ? a : b;
}

static struct ast_expr *parse_part(struct parser *p);

/* Items up to the closing bracket, which is consumed. */
static void
parse_items(struct parser *p, struct bracket *bracket, enum token_kind close, struct ast_expr *(*item)(struct parser *),
	const char *what, struct ast_expr ***ret_items, size_t *ret_n)
{
	VEC(struct ast_expr *) items = { 0 };
	unsigned height = 0;

	if (!p->panic && parser_peek_over(p) != close) {
		do {
			struct ast_expr *expr = item(p);

			vec_push(&items, expr);
			height = max(height, p->height);
		} while (parser_item_ends(p, bracket, close, what));
	}
	parser_close(p, bracket, what);
	parser_settle(p, &items, ret_items, ret_n);
	p->height = height;
}

struct ast_expr *
parser_list(struct parser *p, bool parts)
{
	struct ast_expr *list = parser_new_expr(p, AST_LIST, parser_start(p));
	bool outer = p->parts;
	struct bracket bracket;

	if (!parser_open(p, TOKEN_LBRACKET, false, "", &bracket))
		return parser_poison(p, list->span.start);
	p->parts = parts;
	parse_items(p, &bracket, TOKEN_RBRACKET, parts ? parse_part : parser_expr, "`,` or `]`", &list->items, &list->n_items);
	p->parts = outer;
	return parser_finish(p, list, p->height);
}

/* `{ part, part }` of a conditional part. */
static unsigned
parse_parts(struct parser *p, struct ast_expr ***ret_items, size_t *ret_n)
{
	struct bracket bracket;

	if (!parser_open(p, TOKEN_LBRACE, false, "", &bracket))
		return 0;
	parse_items(p, &bracket, TOKEN_RBRACE, parse_part, "`,` or `}`", ret_items, ret_n);
	return p->height;
}

static struct ast_expr *
parse_part(struct parser *p)
{
	struct ast_expr *expr;
	uint32_t start = parser_start(p);
	unsigned height;

	if (p->panic || parser_peek(p) != TOKEN_IF)
		return parser_expr(p);
	if (!parser_enter(p))
		return parser_poison(p, start);
	parser_next(p);
	expr = parser_new_expr(p, AST_PARTS, start);
	expr->a = parser_expr(p);
	height = p->height;
	height = max(height, parse_parts(p, &expr->items, &expr->n_items));
	if (parser_accept(p, TOKEN_ELSE))
		height = max(height, parse_parts(p, &expr->items2, &expr->n_items2));
	parser_leave(p);
	return parser_finish(p, expr, height);
}

static bool
at_word(const struct parser *p)
{
	enum token_kind kind = parser_peek(p);

	return kind == TOKEN_NAME || kind == TOKEN_QUOTED_NAME || token_is_keyword(kind);
}

/* `key: value` of a dict; the key may be text without braces in it. */
static struct ast_entry
parse_pair(struct parser *p)
{
	struct ast_entry entry = { 0 };
	struct ast_expr *text;

	if (!p->panic && parser_peek(p) == TOKEN_STRING) {
		text = parser_string(p);
		entry.key_quoted = true;
		entry.key = (struct ast_name){ "", text->span };
		if (text->n_parts == 1 && text->parts[0].text)
			entry.key.text = text->parts[0].text;
		else if (text->n_parts)
			parser_report(p, DIAG_L0104, text->span, "the key of a dict is plain text, without expressions in it");
	} else if (at_word(p)) {
		entry.key = parser_name(p, true, "a key");
	} else {
		parser_unexpected(p, "a key");
	}
	parser_expect(p, TOKEN_COLON, "behind the key");
	entry.value = parser_expr(p);
	return entry;
}

struct ast_expr *
parser_dict(struct parser *p)
{
	struct ast_expr *dict = parser_new_expr(p, AST_DICT, parser_start(p));
	VEC(struct ast_entry) entries = { 0 };
	struct bracket bracket;
	unsigned height = 0;

	if (!parser_open(p, TOKEN_LBRACE, false, "", &bracket))
		return parser_poison(p, dict->span.start);
	if (parser_peek(p) != TOKEN_RBRACE) {
		do {
			struct ast_entry entry = parse_pair(p);

			vec_push(&entries, entry);
			height = max(height, p->height);
		} while (parser_item_ends(p, &bracket, TOKEN_RBRACE, "`,` or `}`"));
	}
	parser_close(p, &bracket, "`,` or `}`");
	parser_settle(p, &entries, &dict->entries, &dict->n_entries);
	return parser_finish(p, dict, height);
}

/* `steps = 5` is what other languages write. */
static void
named_with_equals(struct parser *p)
{
	struct span span = parser_span_of(p, parser_token(p));
	struct diag *diag = parser_report(p, DIAG_L0123, span, "an argument is given by name with `:`, not `=`");

	if (diag)
		diag_fix(p->diags, diag, span, FIX_CERTAIN, ":");
	parser_next(p);
}

static struct ast_entry
parse_argument(struct parser *p)
{
	struct ast_entry entry = { 0 };
	enum token_kind second = parser_peek_second(p);

	entry.key.span = (struct span){ p->source, parser_start(p), parser_start(p) };
	if (!p->panic && at_word(p) && second == TOKEN_COLON) {
		entry.key = parser_name(p, true, "a name");
		parser_next(p);
	} else if (!p->panic && second == TOKEN_ASSIGN && at_word(p) && !parser_forgot_to_close(p)) {
		entry.key = parser_name(p, true, "a name");
		named_with_equals(p);
	}
	entry.value = parser_expr(p);
	return entry;
}

/* At the `(` behind the path. */
struct ast_expr *
parser_call(struct parser *p, struct ast_expr *path)
{
	struct ast_expr *call = parser_new_expr(p, AST_CALL, path->span.start);
	VEC(struct ast_entry) entries = { 0 };
	struct bracket bracket;
	unsigned height = 1;

	call->a = path;
	if (!parser_open(p, TOKEN_LPAREN, false, "", &bracket))
		return parser_poison(p, path->span.start);
	if (parser_peek(p) != TOKEN_RPAREN) {
		do {
			struct ast_entry entry = parse_argument(p);

			vec_push(&entries, entry);
			height = max(height, p->height);
		} while (parser_item_ends(p, &bracket, TOKEN_RPAREN, "`,` or `)`"));
	}
	parser_close(p, &bracket, "`,` or `)`");
	parser_settle(p, &entries, &call->entries, &call->n_entries);
	return parser_finish(p, call, height);
}
