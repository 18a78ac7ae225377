#include "config.h"

#include "dsl/expr.h"

const char *
expr_op_text(enum expr_op op)
{
	static const char *const texts[] = {
		[OP_OR] = "or", [OP_AND] = "and", [OP_NOT] = "not", [OP_EQ] = "==", [OP_NE] = "!=", [OP_LT] = "<",
		[OP_LE] = "<=", [OP_GT] = ">", [OP_GE] = ">=", [OP_IN] = "in", [OP_NOT_IN] = "not in", [OP_ADD] = "+",
		[OP_SUB] = "-", [OP_MUL] = "*", [OP_DIV] = "/", [OP_MOD] = "%", [OP_NEGATE] = "-", [OP_COALESCE] = "??",
	};

	return texts[op];
}

const char *
expr_fact_text(enum fact fact)
{
	static const char *const texts[] = {
		[FACT_RUN_ID] = "run.id", [FACT_RUN_NAME] = "run.name", [FACT_RUN_NAMESPACE] = "run.namespace",
		[FACT_RUN_STATUS] = "run.status", [FACT_STEP_NAME] = "step.name", [FACT_STEP_ATTEMPT] = "step.attempt",
	};

	return texts[fact];
}

void
expr_walk(const struct expr *expr, void (*visit)(const struct expr *expr, void *context), void *context)
{
	visit(expr, context);
	for (size_t i = 0; i < expr->n_items; i++)
		if (expr->items && expr->items[i])
			expr_walk(expr->items[i], visit, context);
}

const struct secret *
secret_clone(struct arena *arena, const struct secret *secret)
{
	struct secret *copy;

	if (!secret)
		return NULL;
	copy = arena_copy(arena, secret, sizeof(*copy));
	copy->name = arena_strdup(arena, secret->name);
	copy->key = secret->key ? arena_strdup(arena, secret->key) : NULL;
	return copy;
}
