#include "config.h"

#include "dsl/eval.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

struct eval {
	struct arena *arena;
	const struct eval_env *env;
	struct error *err;
};

static const struct value *eval(struct eval *e, const struct expr *expr);

static const char *
kind_name(const struct value *value)
{
	return type_of_value(value)->name;
}

static const struct value *fail(struct eval *e, const char *format, ...) PRINTF_LIKE(2, 3);

static const struct value *
fail(struct eval *e, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	error_set(e->err, "%s", text);
	return NULL;
}

static bool
is_number(const struct value *v)
{
	return v->kind == VALUE_INTEGER || v->kind == VALUE_FLOAT;
}

static double
number_of(const struct value *v)
{
	return v->kind == VALUE_INTEGER ? (double)v->integer : v->number;
}

static const struct value *
wrong_operands(struct eval *e, enum expr_op op, const struct value *a, const struct value *b)
{
	if (a->kind == VALUE_NULL || b->kind == VALUE_NULL)
		return fail(e, "an operand of `%s` has no value; `??` gives one", expr_op_text(op));
	return fail(e, "`%s` does not work on %s and %s", expr_op_text(op), kind_name(a), kind_name(b));
}

static const struct value *
integer_arithmetic(struct eval *e, enum expr_op op, int64_t a, int64_t b)
{
	int64_t result = 0;
	bool overflow = false;

	if (op == OP_MOD) {
		if (!b)
			return fail(e, "division by zero");
		result = b == -1 ? 0 : a % b;
	} else if (op == OP_ADD) {
		overflow = __builtin_add_overflow(a, b, &result);
	} else if (op == OP_SUB) {
		overflow = __builtin_sub_overflow(a, b, &result);
	} else {
		overflow = __builtin_mul_overflow(a, b, &result);
	}
	if (overflow)
		return fail(e, "the result of `%s` does not fit an Integer of 64 bits", expr_op_text(op));
	return value_integer(e->arena, result);
}

static const struct value *
float_arithmetic(struct eval *e, enum expr_op op, double a, double b)
{
	double result;

	if (op == OP_DIV && b == 0)
		return fail(e, "division by zero");
	result = op == OP_ADD ? a + b : op == OP_SUB ? a - b : op == OP_MUL ? a * b : a / b;
	if (!isfinite(result))
		return fail(e, "the result of `%s` is too large for a Float", expr_op_text(op));
	return value_float(e->arena, result);
}

static const struct value *
add_texts(struct eval *e, const struct value *a, const struct value *b)
{
	char *text;

	if (a->string.len + b->string.len > EVAL_TEXT_MAX)
		return fail(e, "the text would be longer than 16 MiB");
	text = arena_alloc(e->arena, a->string.len + b->string.len + 1);
	memcpy(text, a->string.text, a->string.len);
	memcpy(text + a->string.len, b->string.text, b->string.len);
	return value_stringn(e->arena, text, a->string.len + b->string.len);
}

static const struct value *
add_lists(struct eval *e, const struct value *a, const struct value *b)
{
	size_t n = a->list.n + b->list.n;
	const struct value **items;

	if (n > EVAL_RANGE_MAX)
		return fail(e, "the List would have more than 1000000 items");
	if (!n)
		return a;
	items = arena_alloc(e->arena, n * sizeof(*items));
	for (size_t i = 0; i < n; i++)
		items[i] = i < a->list.n ? a->list.items[i] : b->list.items[i - a->list.n];
	return value_list(e->arena, items, n);
}

static const struct value *
arithmetic(struct eval *e, enum expr_op op, const struct value *a, const struct value *b)
{
	if (op == OP_ADD && a->kind == VALUE_STRING && b->kind == VALUE_STRING)
		return add_texts(e, a, b);
	if (op == OP_ADD && a->kind == VALUE_LIST && b->kind == VALUE_LIST)
		return add_lists(e, a, b);
	if (!is_number(a) || !is_number(b))
		return wrong_operands(e, op, a, b);
	if (op != OP_DIV && a->kind == VALUE_INTEGER && b->kind == VALUE_INTEGER)
		return integer_arithmetic(e, op, a->integer, b->integer);
	if (op == OP_MOD)
		return wrong_operands(e, op, a, b);
	return float_arithmetic(e, op, number_of(a), number_of(b));
}

static int
compare_texts(const struct value *a, const struct value *b)
{
	size_t len = a->string.len < b->string.len ? a->string.len : b->string.len;
	int order = memcmp(a->string.text, b->string.text, len);

	if (order)
		return order;
	return a->string.len < b->string.len ? -1 : a->string.len > b->string.len;
}

static const struct value *
compare(struct eval *e, enum expr_op op, const struct value *a, const struct value *b)
{
	int order;

	if (a->kind == VALUE_STRING && b->kind == VALUE_STRING)
		order = compare_texts(a, b);
	else if (a->kind == VALUE_INTEGER && b->kind == VALUE_INTEGER)
		order = a->integer < b->integer ? -1 : a->integer > b->integer;
	else if (is_number(a) && is_number(b))
		order = number_of(a) < number_of(b) ? -1 : number_of(a) > number_of(b);
	else
		return wrong_operands(e, op, a, b);
	return value_boolean(op == OP_LT ? order < 0 : op == OP_LE ? order <= 0 : op == OP_GT ? order > 0 : order >= 0);
}

static const struct value *
contains(struct eval *e, enum expr_op op, const struct value *item, const struct value *in)
{
	bool found = false;

	if (in->kind == VALUE_LIST) {
		for (size_t i = 0; i < in->list.n && !found; i++)
			found = value_equal(item, in->list.items[i]);
	} else if (in->kind == VALUE_DICT && item->kind == VALUE_STRING) {
		found = value_get(in, item->string.text) != NULL;
	} else if (in->kind == VALUE_STRING && item->kind == VALUE_STRING) {
		found = strstr(in->string.text, item->string.text) != NULL;
	} else {
		return wrong_operands(e, op, item, in);
	}
	return value_boolean(found == (op == OP_IN));
}

static const struct value *
need_boolean(struct eval *e, enum expr_op op, const struct value *v)
{
	if (v && v->kind != VALUE_BOOLEAN) {
		if (v->kind == VALUE_NULL)
			return fail(e, "an operand of `%s` has no value; `??` gives one", expr_op_text(op));
		return fail(e, "`%s` wants a Boolean, not %s", expr_op_text(op), kind_name(v));
	}
	return v;
}

/* and, or, ??: the right side only if it must be. */
static const struct value *
eval_lazy(struct eval *e, const struct expr *expr)
{
	const struct value *a = eval(e, expr->items[0]);

	if (!a)
		return NULL;
	if (expr->op == OP_COALESCE)
		return a->kind == VALUE_NULL ? eval(e, expr->items[1]) : a;
	if (!need_boolean(e, expr->op, a))
		return NULL;
	if (a->boolean == (expr->op == OP_OR))
		return a;
	return need_boolean(e, expr->op, eval(e, expr->items[1]));
}

static const struct value *
eval_binary(struct eval *e, const struct expr *expr)
{
	const struct value *a, *b;

	if (expr->op == OP_AND || expr->op == OP_OR || expr->op == OP_COALESCE)
		return eval_lazy(e, expr);
	a = eval(e, expr->items[0]);
	b = a ? eval(e, expr->items[1]) : NULL;
	if (!b)
		return NULL;
	switch (expr->op) {
	case OP_EQ:
	case OP_NE:
		return value_boolean(value_equal(a, b) == (expr->op == OP_EQ));
	case OP_LT:
	case OP_LE:
	case OP_GT:
	case OP_GE:
		return compare(e, expr->op, a, b);
	case OP_IN:
	case OP_NOT_IN:
		return contains(e, expr->op, a, b);
	default:
		return arithmetic(e, expr->op, a, b);
	}
}

static const struct value *
eval_unary(struct eval *e, const struct expr *expr)
{
	const struct value *a = eval(e, expr->items[0]);

	if (!a)
		return NULL;
	if (expr->op == OP_NOT)
		return need_boolean(e, OP_NOT, a) ? value_boolean(!a->boolean) : NULL;
	if (a->kind == VALUE_INTEGER)
		return integer_arithmetic(e, OP_SUB, 0, a->integer);
	if (a->kind == VALUE_FLOAT)
		return value_float(e->arena, -a->number);
	return fail(e, "`-` does not work on %s", kind_name(a));
}

static const struct value *
eval_concat(struct eval *e, const struct expr *expr)
{
	struct buf buf = { .max = EVAL_TEXT_MAX };
	const struct value *result = NULL;

	for (size_t i = 0; i < expr->n_items; i++) {
		const struct value *v = eval(e, expr->items[i]);

		if (v && v->kind == VALUE_NULL)
			v = fail(e, "a text cannot be made of something that has no value; `??` gives one");
		if (!v)
			goto out;
		value_write_plain(&buf, v);
	}
	if (buf.overflow)
		fail(e, "the text would be longer than 16 MiB");
	else
		result = value_stringn(e->arena, buf_text(&buf), buf.len);
out:
	buf_release(&buf);
	return result;
}

static const struct value *
eval_items(struct eval *e, const struct expr *expr)
{
	const struct value **items = arena_alloc(e->arena, (expr->n_items + 1) * sizeof(*items));

	for (size_t i = 0; i < expr->n_items; i++) {
		items[i] = eval(e, expr->items[i]);
		if (!items[i])
			return NULL;
	}
	return expr->kind == EXPR_LIST ? value_list(e->arena, items, expr->n_items) :
		value_dict(e->arena, expr->keys, items, expr->n_items);
}

static const struct value *
eval_index(struct eval *e, const struct expr *expr)
{
	const struct value *a = eval(e, expr->items[0]), *b = a ? eval(e, expr->items[1]) : NULL;
	const struct value *found;

	if (!b)
		return NULL;
	if (a->kind == VALUE_DICT && b->kind == VALUE_STRING) {
		found = value_get(a, b->string.text);
		return found ? found : &VALUE_OF_NULL;
	}
	if (a->kind != VALUE_LIST || b->kind != VALUE_INTEGER) {
		return fail(e, "%s cannot be indexed by %s", kind_name(a), kind_name(b));
	}
	if (b->integer < 0 || (uint64_t)b->integer >= a->list.n) {
		return fail(e, "index %lld is outside a List of %zu", (long long)b->integer, a->list.n);
	}
	return a->list.items[b->integer];
}

static const struct value *
eval_len(struct eval *e, const struct expr *expr)
{
	const struct value *a = eval(e, expr->items[0]);

	if (!a)
		return NULL;
	if (a->kind == VALUE_LIST)
		return value_integer(e->arena, (int64_t)a->list.n);
	if (a->kind == VALUE_DICT)
		return value_integer(e->arena, (int64_t)a->dict.n);
	if (a->kind == VALUE_STRING)
		return value_integer(e->arena, (int64_t)utf8_count(a->string.text, a->string.len));
	return fail(e, "%s has no length", kind_name(a));
}

/* range(end), range(start, end), range(start, end, step), as Python's. */
static const struct value *
eval_range(struct eval *e, const struct expr *expr)
{
	int64_t bounds[3] = { 0, 0, 1 };
	const struct value **items;
	uint64_t width, stride, n;

	for (size_t i = 0; i < expr->n_items; i++) {
		const struct value *v = eval(e, expr->items[i]);

		if (!v)
			return NULL;
		if (v->kind != VALUE_INTEGER)
			return fail(e, "`range` wants Integers, not %s", kind_name(v));
		bounds[expr->n_items == 1 ? 1 : i] = v->integer;
	}
	if (!bounds[2])
		return fail(e, "the step of `range` is zero");
	if (bounds[2] > 0 ? bounds[0] >= bounds[1] : bounds[0] <= bounds[1])
		return value_list(e->arena, NULL, 0);
	/* unsigned, for the distance may not fit a signed integer */
	width = bounds[2] > 0 ? (uint64_t)bounds[1] - (uint64_t)bounds[0] : (uint64_t)bounds[0] - (uint64_t)bounds[1];
	stride = bounds[2] > 0 ? (uint64_t)bounds[2] : 0 - (uint64_t)bounds[2];
	n = (width - 1) / stride + 1;
	if (n > EVAL_RANGE_MAX)
		return fail(e, "`range` would have more than 1000000 items");
	items = arena_alloc(e->arena, n * sizeof(*items));
	for (uint64_t i = 0; i < n; i++)
		items[i] = value_integer(e->arena, (int64_t)((uint64_t)bounds[0] + i * (uint64_t)bounds[2]));
	return value_list(e->arena, items, n);
}

static const struct value *
eval_choice(struct eval *e, const struct expr *expr)
{
	size_t i;

	for (i = 0; i + 1 < expr->n_items; i += 2) {
		const struct value *condition = eval(e, expr->items[i]);

		if (!condition)
			return NULL;
		if (condition->kind != VALUE_BOOLEAN)
			return fail(e, "a condition must be a Boolean, not %s", kind_name(condition));
		if (condition->boolean)
			return eval(e, expr->items[i + 1]);
	}
	return eval(e, expr->items[i]);
}

static const struct value *
eval_name(struct eval *e, const struct expr *expr)
{
	if (!e->env || !e->env->lookup)
		return fail(e, "this is known only as the pipeline runs");
	return e->env->lookup(e->env->context, e->arena, expr, e->err);
}

static const struct value *
eval(struct eval *e, const struct expr *expr)
{
	switch (expr->kind) {
	case EXPR_VALUE:
		return expr->value;
	case EXPR_PARAM:
	case EXPR_OUTPUT:
	case EXPR_ITEM:
	case EXPR_FACT:
	case EXPR_STATE:
	case EXPR_VARIABLE:
		return eval_name(e, expr);
	case EXPR_SECRET:
		return fail(e, "a secret is a reference and has no text here");
	case EXPR_CONCAT:
		return eval_concat(e, expr);
	case EXPR_LIST:
	case EXPR_DICT:
		return eval_items(e, expr);
	case EXPR_UNARY:
		return eval_unary(e, expr);
	case EXPR_BINARY:
		return eval_binary(e, expr);
	case EXPR_INDEX:
		return eval_index(e, expr);
	case EXPR_LEN:
		return eval_len(e, expr);
	case EXPR_RANGE:
		return eval_range(e, expr);
	case EXPR_CHOICE:
		return eval_choice(e, expr);
	}
	BUG("expression of kind %d", (int)expr->kind);
}

const struct value *
eval_expr(struct arena *arena, const struct expr *expr, const struct eval_env *env, struct error *err)
{
	struct error ignored;
	struct eval e = { .arena = arena, .env = env, .err = err ? err : &ignored };

	return eval(&e, expr);
}

static const struct value *
not_a(struct error *err, const char *text, size_t len, const struct type *type)
{
	int shown = len > 60 ? 60 : (int)len;

	/* not in the middle of a character */
	while (shown > 0 && (size_t)shown < len && ((unsigned char)text[shown] & 0xc0) == 0x80)
		shown--;
	error_set(err, "`%.*s`%s is not %s %s", shown, text, (size_t)shown < len ? "…" : "",
		  strchr("AEIOU", type->name[0]) && type->name[0] ? "an" : "a", type->name);
	return NULL;
}

static const struct value *
parse_number(struct arena *arena, const char *text, size_t len, const struct type *type, struct error *err)
{
	CLEANUP(freep) char *copy = xstrndup(text, len);
	bool is_integer = type->kind == TYPE_INTEGER;
	char *end = copy;
	double number = 0;
	long long integer = 0;

	/* strtod knows hexadecimal, infinities and leading blanks, which are no numbers of ours */
	if (!len || strlen(copy) != len || strspn(copy, is_integer ? "+-0123456789" : "+-.0123456789eE") != len)
		return not_a(err, text, len, type);
	errno = 0;
	if (is_integer)
		integer = strtoll(copy, &end, 10);
	else
		number = strtod(copy, &end);
	if (*end || end == copy || (errno && is_integer) || !isfinite(number))
		return not_a(err, text, len, type);
	return is_integer ? value_integer(arena, integer) : value_float(arena, number);
}

static const struct value *
parse_json(struct arena *arena, const char *text, size_t len, const struct type *type, struct error *err)
{
	const struct value *v = value_read_json(arena, text, len, err);
	enum value_kind want = type->kind == TYPE_LIST ? VALUE_LIST : VALUE_DICT;

	if (!v)
		error_prefix(err, "the text is not a %s", type->name);
	else if (v->kind != want)
		v = not_a(err, text, len, type);
	return v;
}

const struct value *
eval_parse(struct arena *arena, const char *text, size_t len, const struct type *type, struct error *err)
{
	if (len > EVAL_TEXT_MAX) {
		error_set(err, "the text is longer than 16 MiB");
		return NULL;
	}
	switch (type->kind) {
	case TYPE_INTEGER:
	case TYPE_FLOAT:
		return parse_number(arena, text, len, type, err);
	case TYPE_BOOLEAN:
		if (len == 4 && !memcmp(text, "true", 4))
			return &VALUE_OF_TRUE;
		if (len == 5 && !memcmp(text, "false", 5))
			return &VALUE_OF_FALSE;
		return not_a(err, text, len, type);
	case TYPE_LIST:
	case TYPE_DICT:
		return parse_json(arena, text, len, type, err);
	default:
		if (!utf8_valid(text, len) || memchr(text, '\0', len)) {
			error_set(err, "the text is not valid UTF-8");
			return NULL;
		}
		return value_stringn(arena, text, len);
	}
}
