/* Expressions: operators, paths, values of settings. */
#include "config.h"

#include <string.h>

#include "dsl/parser.h"

struct ast_expr *
parser_new_expr(struct parser *p, enum ast_expr_kind kind, uint32_t start)
{
	struct ast_expr *expr = arena_new_struct(p->arena, struct ast_expr);

	expr->kind = kind;
	expr->span = parser_span_from(p, start);
	p->height = 1;
	return expr;
}

struct ast_expr *
parser_poison(struct parser *p, uint32_t start)
{
	return parser_new_expr(p, AST_POISON, start);
}

static unsigned
max(unsigned a, unsigned b)
{
	return a > b ? a : b;
}

struct ast_expr *
parser_finish(struct parser *p, struct ast_expr *expr, unsigned height)
{
	expr->span = parser_span_from(p, expr->span.start);
	p->height = height + 1;
	if (p->height > AST_DEPTH_MAX && !p->panic) {
		struct diag *diag = parser_complain(p, DIAG_L0114, expr->span, "this is nested too deeply");

		if (diag)
			diag_note(p->diags, diag, "an expression may be nested %d deep; each operator of a chain counts",
				AST_DEPTH_MAX);
	}
	return p->panic ? parser_poison(p, expr->span.start) : expr;
}

/* ---- paths ---- */

static struct ast_expr *
parse_name(struct parser *p, const char *what)
{
	uint32_t start = parser_start(p);
	struct ast_name name = parser_name(p, false, what);
	struct ast_expr *expr = parser_new_expr(p, name.text ? AST_NAME : AST_POISON, start);

	expr->name = name;
	return expr;
}

static struct ast_expr *
parse_member(struct parser *p, struct ast_expr *path, unsigned height)
{
	struct ast_expr *member = parser_new_expr(p, AST_MEMBER, path->span.start);

	parser_next(p);
	parser_pass_newline(p);
	member->a = path;
	member->name = parser_name(p, true, "a name behind `.`");
	return parser_finish(p, member, height);
}

static struct ast_expr *
parse_index(struct parser *p, struct ast_expr *path, unsigned height)
{
	struct ast_expr *index = parser_new_expr(p, AST_INDEX, path->span.start);
	struct bracket bracket;

	if (!parser_open(p, TOKEN_LBRACKET, false, "", &bracket))
		return parser_poison(p, path->span.start);
	index->a = path;
	index->b = parser_expr(p);
	height = max(height, p->height);
	parser_close(p, &bracket, "`]`");
	return parser_finish(p, index, height);
}

/* In a setting, values follow each other with nothing but a blank between: there an index stands close to its path. */
static struct ast_expr *
parse_path_tail(struct parser *p, struct ast_expr *path)
{
	unsigned height = 1;

	while (!p->panic) {
		enum token_kind kind = parser_peek(p);

		if (p->quantities && parser_token(p)->blank && !p->free)
			break;
		if (kind == TOKEN_DOT)
			path = parse_member(p, path, height);
		else if (kind == TOKEN_LBRACKET)
			path = parse_index(p, path, height);
		else
			break;
		height = p->height;
	}
	p->height = height;
	return path;
}

struct ast_expr *
parser_path(struct parser *p)
{
	return parse_path_tail(p, parse_name(p, "a name"));
}

struct ast_expr *
parser_names_path(struct parser *p, const char *what)
{
	struct ast_expr *path = parse_name(p, what);
	unsigned height = 1;

	while (!p->panic && parser_peek(p) == TOKEN_DOT) {
		path = parse_member(p, path, height);
		height = p->height;
	}
	return path;
}

bool
parser_is_builtin(const struct ast_expr *call)
{
	static const char *const NAMES[] = { "len", "range", "secret", "env" };

	for (size_t i = 0; i < ARRAY_LEN(NAMES); i++)
		if (call->a && call->a->kind == AST_NAME && !strcmp(call->a->name.text, NAMES[i]))
			return true;
	return false;
}

/* A call inside an expression: fine when it is built in. */
static struct ast_expr *
nested_call(struct parser *p, struct ast_expr *path)
{
	struct ast_expr *call;
	struct diag *diag;

	if (!parser_enter(p))
		return parser_poison(p, path->span.start);
	call = parser_call(p, path);
	parser_leave(p);
	if (call->kind != AST_CALL || parser_is_builtin(call))
		return call;
	diag = parser_report(p, DIAG_L0115, call->span, "a call cannot stand inside an expression");
	if (diag)
		diag_help(p->diags, diag, "give the step a name in a line before, `name = …(…)`, and use the name here");
	return parser_poison(p, call->span.start);
}

static struct ast_expr *
parse_path_or_builtin(struct parser *p)
{
	struct ast_expr *path = parser_path(p);

	if (p->panic || parser_peek(p) != TOKEN_LPAREN || path->kind == AST_INDEX)
		return path;
	if (p->quantities && !p->free && parser_token(p)->blank)
		return path;
	return nested_call(p, path);
}

/* ---- operators ---- */

static struct ast_expr *
parse_group(struct parser *p)
{
	struct ast_expr *group = parser_new_expr(p, AST_GROUP, parser_start(p));
	bool quantities = p->quantities;
	struct bracket bracket;
	unsigned height;

	if (!parser_open(p, TOKEN_LPAREN, false, "", &bracket))
		return parser_poison(p, group->span.start);
	p->quantities = false;
	group->a = parser_expr(p);
	height = p->height;
	p->quantities = quantities;
	parser_close(p, &bracket, "`)`");
	return parser_finish(p, group, height);
}

static struct ast_expr *
parse_word(struct parser *p, enum ast_expr_kind kind, bool boolean)
{
	uint32_t start = parser_start(p);
	struct ast_expr *expr;

	parser_next(p);
	expr = parser_new_expr(p, kind, start);
	expr->boolean = boolean;
	return expr;
}

static struct ast_expr *
no_value(struct parser *p)
{
	uint32_t start = parser_start(p);
	enum token_kind kind = parser_peek(p);
	struct diag *diag;

	if (kind == TOKEN_IF) {
		diag = parser_complain(p, DIAG_L0118, parser_span_of(p, parser_token(p)), "`if` cannot stand inside an expression");
		if (diag)
			diag_help(p->diags, diag, "a choice is a line of its own: `name = if … { … } else { … }`");
	} else if (token_is_keyword(kind) && kind != TOKEN_AND && kind != TOKEN_OR && kind != TOKEN_ELSE) {
		parser_name(p, false, "a name");
	} else {
		diag = parser_unexpected(p, "a value");
		if (diag && kind == TOKEN_DOT && parser_peek_second(p) == TOKEN_INTEGER)
			diag_help(p->diags, diag, "a number begins with a digit: `0.5`");
	}
	return parser_poison(p, start);
}

static struct ast_expr *
parse_primary(struct parser *p)
{
	switch (p->panic ? TOKEN_ERROR : parser_peek(p)) {
	case TOKEN_INTEGER:
		return parser_integer(p);
	case TOKEN_FLOAT:
		return parser_float(p);
	case TOKEN_QUANTITY:
		return parser_quantity(p);
	case TOKEN_STRING:
		return parser_string(p);
	case TOKEN_RAW:
		return parser_raw(p);
	case TOKEN_TRUE:
		return parse_word(p, AST_BOOLEAN, true);
	case TOKEN_FALSE:
		return parse_word(p, AST_BOOLEAN, false);
	case TOKEN_NULL:
		return parse_word(p, AST_NULL, false);
	case TOKEN_LBRACKET:
		return parser_list(p, false);
	case TOKEN_LBRACE:
		return parser_dict(p);
	case TOKEN_LPAREN:
		return parse_group(p);
	case TOKEN_NAME:
	case TOKEN_QUOTED_NAME:
		return parse_path_or_builtin(p);
	default:
		return no_value(p);
	}
}

static struct ast_expr *
parse_prefix(struct parser *p, enum ast_op op, struct ast_expr *(*operand)(struct parser *))
{
	struct ast_expr *expr;
	uint32_t start = parser_start(p);

	if (!parser_enter(p))
		return parser_poison(p, start);
	parser_next(p);
	parser_pass_newline(p);
	expr = parser_new_expr(p, AST_UNARY, start);
	expr->op = op;
	expr->a = operand(p);
	parser_leave(p);
	return parser_finish(p, expr, p->height);
}

static struct ast_expr *
parse_unary(struct parser *p)
{
	if (!p->panic && parser_peek(p) == TOKEN_MINUS)
		return parse_prefix(p, AST_OP_NEGATE, parse_unary);
	return parse_primary(p);
}

/* The levels of binary operators, the loosest first. `not` as a prefix stands between LEVEL_AND and LEVEL_COMPARE. */
enum level { LEVEL_COALESCE, LEVEL_OR, LEVEL_AND, LEVEL_COMPARE, LEVEL_SUM, LEVEL_TERM, LEVEL_UNARY };

struct operator {
	uint8_t token, op, level;
};

static const struct operator OPERATORS[] = {
	{ TOKEN_COALESCE, AST_OP_COALESCE, LEVEL_COALESCE }, { TOKEN_OR, AST_OP_OR, LEVEL_OR },
	{ TOKEN_AND, AST_OP_AND, LEVEL_AND }, { TOKEN_EQ, AST_OP_EQ, LEVEL_COMPARE },
	{ TOKEN_NE, AST_OP_NE, LEVEL_COMPARE }, { TOKEN_LT, AST_OP_LT, LEVEL_COMPARE },
	{ TOKEN_LE, AST_OP_LE, LEVEL_COMPARE }, { TOKEN_GT, AST_OP_GT, LEVEL_COMPARE },
	{ TOKEN_GE, AST_OP_GE, LEVEL_COMPARE }, { TOKEN_IN, AST_OP_IN, LEVEL_COMPARE },
	{ TOKEN_PLUS, AST_OP_ADD, LEVEL_SUM }, { TOKEN_MINUS, AST_OP_SUB, LEVEL_SUM },
	{ TOKEN_STAR, AST_OP_MUL, LEVEL_TERM }, { TOKEN_SLASH, AST_OP_DIV, LEVEL_TERM },
	{ TOKEN_PERCENT, AST_OP_MOD, LEVEL_TERM },
};

static const struct operator *
operator_at(const struct parser *p)
{
	static const struct operator NOT_IN = { TOKEN_NOT, AST_OP_NOT_IN, LEVEL_COMPARE };
	enum token_kind kind = p->panic ? TOKEN_ERROR : parser_peek(p);

	if (kind == TOKEN_NOT)
		return parser_peek_second(p) == TOKEN_IN ? &NOT_IN : NULL;
	for (size_t i = 0; i < ARRAY_LEN(OPERATORS); i++)
		if (OPERATORS[i].token == kind)
			return &OPERATORS[i];
	return NULL;
}

/* `path??` at the end of a line asks for help; it is no operator. */
static bool
asks_for_help(const struct parser *p, const struct operator *op)
{
	enum token_kind second = parser_peek_second(p);

	return p->help_ok && op->op == AST_OP_COALESCE &&
	       (second == TOKEN_NEWLINE || second == TOKEN_EOF || second == TOKEN_RBRACE);
}

static struct ast_expr *parse_binary(struct parser *p, enum level least, struct ast_expr *left);

static struct ast_expr *
parse_not(struct parser *p)
{
	if (!p->panic && parser_peek(p) == TOKEN_NOT)
		return parse_prefix(p, AST_OP_NOT, parse_not);
	return parse_binary(p, LEVEL_COMPARE, NULL);
}

static struct ast_expr *
parse_operand(struct parser *p, enum level least)
{
	if (least <= LEVEL_COMPARE && !p->panic && parser_peek(p) == TOKEN_NOT)
		return parse_not(p);
	return parse_unary(p);
}

/* `??` groups to the right, the others to the left. */
static struct ast_expr *
parse_right(struct parser *p, const struct operator *op)
{
	struct ast_expr *right;

	if (op->level != LEVEL_COALESCE)
		return parse_binary(p, (enum level)(op->level + 1), NULL);
	if (!parser_enter(p))
		return parser_poison(p, parser_start(p));
	right = parse_binary(p, LEVEL_COALESCE, NULL);
	parser_leave(p);
	return right;
}

static bool
is_comparison(const struct ast_expr *expr)
{
	return expr->kind == AST_BINARY && expr->op >= AST_OP_EQ && expr->op <= AST_OP_NOT_IN;
}

static void
check_chain(struct parser *p, const struct operator *op, const struct ast_expr *left)
{
	struct diag *diag;

	if (op->level != LEVEL_COMPARE || !is_comparison(left))
		return;
	diag = parser_report(p, DIAG_L0116, parser_span_of(p, parser_token(p)), "comparisons do not chain");
	if (diag)
		diag_help(p->diags, diag, "compare twice and join with `and`, or put one comparison in parentheses");
}

/* Operators that bind at least so tightly. `left` is what was read already, or NULL. */
static struct ast_expr *
parse_binary(struct parser *p, enum level least, struct ast_expr *left)
{
	const struct operator *op;
	unsigned height;

	left = left ? left : parse_operand(p, least);
	height = p->height;
	while ((op = operator_at(p)) && op->level >= least && !asks_for_help(p, op)) {
		struct ast_expr *binary = parser_new_expr(p, AST_BINARY, left->span.start);

		check_chain(p, op, left);
		parser_next(p);
		if (op->op == AST_OP_NOT_IN)
			parser_next(p);
		parser_pass_newline(p);
		binary->op = (enum ast_op)op->op;
		binary->a = left;
		binary->b = parse_right(p, op);
		left = parser_finish(p, binary, max(height, p->height));
		height = p->height;
	}
	p->height = height;
	return left;
}

struct ast_expr *
parser_expr(struct parser *p)
{
	struct ast_expr *expr;
	bool help_ok = p->help_ok;

	if (p->panic || !parser_enter(p))
		return parser_poison(p, parser_start(p));
	p->help_ok = false;
	expr = parse_binary(p, LEVEL_COALESCE, NULL);
	p->help_ok = help_ok;
	parser_leave(p);
	return expr;
}

/* An operator behind a call, or before one: the call would be part of an expression. */
static struct ast_expr *
call_in_expr(struct parser *p, struct ast_expr *call)
{
	const struct operator *op = operator_at(p);
	struct diag *diag;

	if (!op)
		return call;
	diag = parser_report(p, DIAG_L0115, call->span, "a call cannot stand inside an expression");
	if (diag)
		diag_help(p->diags, diag, "give the step a name in a line before, `name = …(…)`, and use the name here");
	parse_binary(p, LEVEL_COALESCE, call);
	return parser_poison(p, call->span.start);
}

struct ast_expr *
parser_expr_or_call(struct parser *p)
{
	enum token_kind kind = parser_peek(p);
	struct ast_expr *left;

	if (p->panic || (kind != TOKEN_NAME && kind != TOKEN_QUOTED_NAME))
		return parser_expr(p);
	left = parser_path(p);
	if (p->panic)
		return left;
	if (parser_peek(p) == TOKEN_LPAREN && left->kind != AST_INDEX) {
		left = parser_call(p, left);
		if (!parser_is_builtin(left))
			return call_in_expr(p, left);
	}
	return parse_binary(p, LEVEL_COALESCE, left);
}

/* ---- values of settings ---- */

static bool
ends_setting(enum token_kind kind)
{
	return kind == TOKEN_WITH || kind == TOKEN_AFTER || kind == TOKEN_USING || kind == TOKEN_ON || kind == TOKEN_ELSE;
}

/* A bare word: any but those that end the setting. */
static struct ast_expr *
parse_bare_word(struct parser *p)
{
	uint32_t start = parser_start(p);
	struct ast_name name = parser_name(p, true, "a word");
	struct ast_expr *expr = parser_new_expr(p, AST_NAME, start);

	expr->name = name;
	return expr;
}

static struct ast_expr *
parse_value(struct parser *p)
{
	enum token_kind kind = parser_peek(p);

	switch (kind) {
	case TOKEN_MINUS:
	case TOKEN_INTEGER:
	case TOKEN_FLOAT:
	case TOKEN_QUANTITY:
		return parse_unary(p);
	case TOKEN_STRING:
	case TOKEN_RAW:
	case TOKEN_LBRACKET:
	case TOKEN_LBRACE:
	case TOKEN_LPAREN:
	case TOKEN_TRUE:
	case TOKEN_FALSE:
	case TOKEN_NULL:
	case TOKEN_NAME:
	case TOKEN_QUOTED_NAME:
		return parse_primary(p);
	default:
		return token_is_keyword(kind) && !ends_setting(kind) ? parse_bare_word(p) : NULL;
	}
}

struct ast_expr *
parser_value(struct parser *p)
{
	bool quantities = p->quantities;
	struct ast_expr *value;

	if (p->panic)
		return NULL;
	p->quantities = true;
	value = parse_value(p);
	p->quantities = quantities;
	return value;
}
