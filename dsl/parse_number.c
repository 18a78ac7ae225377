/* Numbers and quantities. */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "dsl/parser.h"

static char *
token_copy(struct parser *p, const struct token *token, size_t *ret_len)
{
	const char *text = parser_text(p, token, ret_len);

	return arena_strndup(p->arena, text, *ret_len);
}

struct ast_expr *
parser_integer(struct parser *p)
{
	const struct token *token = parser_next(p);
	struct ast_expr *expr = parser_new_expr(p, AST_INTEGER, token->start);
	struct diag *diag;

	expr->text = token_copy(p, token, &expr->len);
	errno = 0;
	expr->integer = strtoll(expr->text, NULL, 10);
	if (errno == ERANGE) {
		diag = parser_report(p, DIAG_L0110, expr->span, "this number is too large for an Integer");
		if (diag)
			diag_note(p->diags, diag, "the largest is 9223372036854775807");
		expr->kind = AST_POISON;
	} else if (expr->len > 1 && expr->text[0] == '0') {
		diag = parser_report(p, DIAG_L0110, expr->span, "a number does not begin with `0`");
		if (diag)
			diag_fix(p->diags, diag, expr->span, FIX_LIKELY, arena_printf(p->arena, "%lld", (long long)expr->integer));
		expr->kind = AST_POISON;
	}
	return expr;
}

struct ast_expr *
parser_float(struct parser *p)
{
	const struct token *token = parser_next(p);
	struct ast_expr *expr = parser_new_expr(p, AST_FLOAT, token->start);

	expr->text = token_copy(p, token, &expr->len);
	expr->number = strtod(expr->text, NULL);
	if (!isfinite(expr->number)) {
		parser_report(p, DIAG_L0110, expr->span, "this number is too large for a Float");
		expr->kind = AST_POISON;
	}
	return expr;
}

struct ast_expr *
parser_quantity(struct parser *p)
{
	const struct token *token = parser_next(p);
	struct ast_expr *expr = parser_new_expr(p, AST_QUANTITY, token->start);
	struct diag *diag;

	expr->text = token_copy(p, token, &expr->len);
	if (p->quantities)
		return expr;
	diag = parser_report(p, DIAG_L0111, expr->span, "`%s` is not a number", expr->len > 60 ? "this" : expr->text);
	if (diag)
		diag_note(p->diags, diag, "quantities such as `16Gi`, `500m` and `90s` stand in settings only; elsewhere they are text, in quotes");
	expr->kind = AST_POISON;
	return expr;
}

struct ast_expr *
parser_number(struct parser *p, const char *what)
{
	struct ast_expr *expr;

	if (!p->panic && parser_peek(p) == TOKEN_INTEGER) {
		expr = parser_integer(p);
		return expr->kind == AST_INTEGER ? expr : NULL;
	}
	parser_unexpected(p, what);
	return NULL;
}
