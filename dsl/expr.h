/* Checked expressions: names resolved, types known. Plans, components and actions hold them; the evaluator
 * (dsl/eval.h) computes them here, the back ends write them in the words of their target. Immutable. */
#ifndef DSL_EXPR_H
#define DSL_EXPR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/source.h"
#include "base/value.h"
#include "dsl/type.h"

enum expr_kind {
	EXPR_VALUE, /* value: a literal or what was folded to one */
	EXPR_PARAM, /* index: of the plan's parameters */
	EXPR_OUTPUT, /* index: of the plan's steps; output: of its component's outputs */
	EXPR_ITEM, /* index: of the plan's groups (a loop); the current item */
	EXPR_FACT, /* fact */
	EXPR_STATE, /* index: of the plan's steps; state. Boolean */
	EXPR_VARIABLE, /* path: what the notebook bound, and members of it; only in actions */
	EXPR_SECRET, /* secret: a reference */
	EXPR_CONCAT, /* items: a String of their plain texts */
	EXPR_LIST, /* items */
	EXPR_DICT, /* keys, items */
	EXPR_UNARY, /* op items[0] */
	EXPR_BINARY, /* items[0] op items[1] */
	EXPR_INDEX, /* items[0][items[1]] */
	EXPR_LEN, /* len(items[0]) */
	EXPR_RANGE, /* range(items…): 1 to 3 Integers */
	EXPR_CHOICE, /* items: condition, result, condition, result, …, else-result */
};

enum expr_op {
	OP_OR, OP_AND, OP_NOT, OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_IN, OP_NOT_IN, OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_MOD,
	OP_NEGATE, OP_COALESCE,
};

enum fact { FACT_RUN_ID, FACT_RUN_NAME, FACT_RUN_NAMESPACE, FACT_RUN_STATUS, FACT_STEP_NAME, FACT_STEP_ATTEMPT };

enum state_test { STATE_SUCCEEDED, STATE_FAILED, STATE_SKIPPED };

enum secret_source { SECRET_STORE, SECRET_ENV };

/* secret("name", "key") or env("VAR"). */
struct secret {
	enum secret_source source;
	const char *name; /* of the Secret, or the variable */
	const char *key; /* NULL for env */
	bool optional;
};

const struct secret *secret_clone(struct arena *arena, const struct secret *secret); /* NULL is fine */

/* Named values are put in where they are used, so an expression may be far larger than its text: readers may recurse
 * and may walk it whole, for these ceilings hold. */
enum { EXPR_NODES_MAX = 100000, EXPR_DEPTH_MAX = 400 };

struct expr {
	enum expr_kind kind;
	enum expr_op op;
	unsigned nodes, depth; /* itself included; of a value that was folded too */
	const struct type *type;
	struct span span;
	struct span origin; /* where what a name means was declared; source NULL for all else */
	const struct value *value;
	size_t index, output;
	enum fact fact;
	enum state_test state;
	const struct secret *secret; /* also of an EXPR_PARAM of type Secret that has a default */
	const char *const *path; /* n_items names */
	const char *const *keys;
	const struct expr *const *items;
	size_t n_items;
};

const char *expr_op_text(enum expr_op op); /* "==", "not in" */
const char *expr_fact_text(enum fact fact); /* "run.id" */
/* Calls visit for the expression and everything in it, parents first. */
void expr_walk(const struct expr *expr, void (*visit)(const struct expr *expr, void *context), void *context);

#endif
