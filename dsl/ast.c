#include "config.h"

#include "dsl/ast.h"

#include "base/macros.h"

static const char *const OP_TEXTS[] = {
	[AST_OP_OR] = "or", [AST_OP_AND] = "and", [AST_OP_NOT] = "not", [AST_OP_EQ] = "==", [AST_OP_NE] = "!=",
	[AST_OP_LT] = "<", [AST_OP_LE] = "<=", [AST_OP_GT] = ">", [AST_OP_GE] = ">=", [AST_OP_IN] = "in",
	[AST_OP_NOT_IN] = "not in", [AST_OP_ADD] = "+", [AST_OP_SUB] = "-", [AST_OP_MUL] = "*", [AST_OP_DIV] = "/",
	[AST_OP_MOD] = "%", [AST_OP_NEGATE] = "-", [AST_OP_COALESCE] = "??",
};

const char *
ast_op_text(enum ast_op op)
{
	if ((size_t)op >= ARRAY_LEN(OP_TEXTS))
		BUG("operator %d", (int)op);
	return OP_TEXTS[op];
}
