/* The one evaluator of expressions: pure, for the local engine, for constants at compile time, and for actions. */
#ifndef DSL_EVAL_H
#define DSL_EVAL_H

#include "base/arena.h"
#include "base/error.h"
#include "base/value.h"
#include "dsl/expr.h"

enum { EVAL_TEXT_MAX = 16 * 1024 * 1024, EVAL_RANGE_MAX = 1000000 };

/* Where names get their values. A lookup answers EXPR_PARAM, EXPR_OUTPUT, EXPR_ITEM, EXPR_FACT, EXPR_STATE and EXPR_VARIABLE; it
 * returns NULL with *err set when there is none. A value that is not there by rule (an output of a skipped step) is
 * VALUE_OF_NULL, which `??` replaces. Values are allocated in the arena given. */
struct eval_env {
	const struct value *(*lookup)(void *context, struct arena *arena, const struct expr *expr, struct error *err);
	void *context;
};

/* The value, or NULL with *err set (division by zero, index out of range, wrong kind of operand, too large). `and`, `or` and
 * `??` look at their right side only if they must. Integer overflow is an error. EXPR_SECRET is never evaluated: an error. */
const struct value *eval_expr(struct arena *arena, const struct expr *expr, const struct eval_env *env, struct error *err);
/* Text from outside (a step's output) as a value of the type: "42" as Integer 42. An error if it is not one. */
const struct value *eval_parse(struct arena *arena, const char *text, size_t len, const struct type *type, struct error *err);

#endif
