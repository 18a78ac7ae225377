#include "config.h"

#include "dsl/argo.h"

#include <ctype.h>
#include <string.h>

/* govaluate, which reads `when`, computes in doubles. */
#define EXACT_INTEGER_MAX (INT64_C(1) << 53)

/* Text between double quotes that govaluate takes for itself: nothing that it would unescape, and nothing that it
 * would read as a date and compare as one ("2024-01-02", "3:04PM", "Mon Jan 2 …"). */
static bool
is_quotable(const char *text)
{
	if (strpbrk(text, "\"'\\{}") || strchr(text, ':') || isdigit((unsigned char)*text) || strchr(text, ' '))
		return false;
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20)
			return false;
	return argo_survives(text);
}

static bool
is_text(const struct expr *expr)
{
	enum type_kind kind = expr->type->kind;

	return kind == TYPE_STRING || kind == TYPE_ANY || kind == TYPE_OPAQUE;
}

static bool
is_exact(const struct expr *expr)
{
	return expr->kind == EXPR_VALUE && expr->value->kind == VALUE_INTEGER && expr->value->integer <= EXACT_INTEGER_MAX &&
	       expr->value->integer >= -EXACT_INTEGER_MAX;
}

static bool
is_tag(const struct argo_site *site, const struct expr *expr)
{
	return argo_is_reference(expr) && !argo_is_gathered(site, expr) && expr->kind != EXPR_FACT;
}

/* One side of a comparison in govaluate's words; false if it has none. */
static bool
write_side(const struct argo_site *site, struct buf *buf, const struct expr *expr, bool quoted)
{
	const char *constant = argo_constant(site->argo->arena, expr);

	if (constant && quoted && !is_quotable(constant))
		return false;
	if (constant && !quoted && !is_exact(expr))
		return false;
	if (!constant && !is_tag(site, expr))
		return false;
	buf_puts(buf, quoted ? "\"" : "");
	buf_puts(buf, constant ? constant : argo_text(site, expr));
	buf_puts(buf, quoted ? "\"" : "");
	return true;
}

static bool write_simple(const struct argo_site *site, struct buf *buf, const struct expr *expr);

static bool
write_comparison(const struct argo_site *site, struct buf *buf, const struct expr *expr)
{
	static const char *const ops[] = { [OP_EQ] = "==", [OP_NE] = "!=", [OP_LT] = "<",
					   [OP_LE] = "<=", [OP_GT] = ">", [OP_GE] = ">=" };
	const struct expr *a = expr->items[0], *b = expr->items[1];
	bool is_equality = expr->op == OP_EQ || expr->op == OP_NE;
	bool quoted = is_equality && ((is_text(a) && is_text(b)) || (a->type->kind == TYPE_BOOLEAN && b->type->kind == TYPE_BOOLEAN));

	/* Both sides tags would compare what only the run knows, which may look like a date. */
	if (!quoted && !(a->type->kind == TYPE_INTEGER && b->type->kind == TYPE_INTEGER && (is_exact(a) || is_exact(b))))
		return false;
	if (quoted && !argo_constant(site->argo->arena, a) && !argo_constant(site->argo->arena, b))
		return false;
	if (!write_side(site, buf, a, quoted))
		return false;
	buf_printf(buf, " %s ", ops[expr->op]);
	return write_side(site, buf, b, quoted);
}

static bool
is_joined(const struct expr *expr)
{
	return expr->kind == EXPR_BINARY && (expr->op == OP_AND || expr->op == OP_OR);
}

/* An operand of && and ||; parentheses where its own operator differs. */
static bool
write_operand(const struct argo_site *site, struct buf *buf, const struct expr *expr, enum expr_op around)
{
	bool wrap = is_joined(expr) && expr->op != around;

	buf_puts(buf, wrap ? "(" : "");
	if (!write_simple(site, buf, expr))
		return false;
	buf_puts(buf, wrap ? ")" : "");
	return true;
}

/* The condition in govaluate's words, as people know them; false if it has none for it. */
static bool
write_simple(const struct argo_site *site, struct buf *buf, const struct expr *expr)
{
	if (is_tag(site, expr) && expr->type->kind == TYPE_BOOLEAN) {
		buf_printf(buf, "\"%s\" == \"true\"", argo_text(site, expr));
		return true;
	}
	if (expr->kind == EXPR_VALUE && expr->value->kind == VALUE_BOOLEAN) {
		buf_puts(buf, expr->value->boolean ? "true" : "false");
		return true;
	}
	if (expr->kind == EXPR_UNARY && expr->op == OP_NOT) {
		buf_puts(buf, "!(");
		if (!write_simple(site, buf, expr->items[0]))
			return false;
		buf_putc(buf, ')');
		return true;
	}
	if (is_joined(expr)) {
		if (!write_operand(site, buf, expr->items[0], expr->op))
			return false;
		buf_puts(buf, expr->op == OP_AND ? " && " : " || ");
		return write_operand(site, buf, expr->items[1], expr->op);
	}
	return expr->kind == EXPR_BINARY && expr->op >= OP_EQ && expr->op <= OP_GE && write_comparison(site, buf, expr);
}

static void
find_state(const struct expr *expr, void *context)
{
	bool *found = context;

	*found = *found || expr->kind == EXPR_STATE;
}

static bool
has_state(const struct expr *expr)
{
	bool found = false;

	expr_walk(expr, find_state, &found);
	return found;
}

/* Only tests of how steps ended? Then `depends` can say it. */
static bool
is_all_states(const struct expr *expr)
{
	if (expr->kind == EXPR_STATE)
		return true;
	if (!is_joined(expr) && !(expr->kind == EXPR_UNARY && expr->op == OP_NOT))
		return false;
	for (size_t i = 0; i < expr->n_items; i++)
		if (!is_all_states(expr->items[i]))
			return false;
	return true;
}

static void
write_state(const struct argo_site *site, struct buf *buf, const struct expr *expr, struct argo_condition *ret)
{
	const struct argo *argo = site->argo;
	const char *task = argo->steps[expr->index].task;

	if (argo->plan->steps[expr->index].group != site->group) {
		argo_refuse(site->argo, expr->span.source ? expr->span : site->span,
			    "a test of how a step of another branch or loop ended",
			    "put the `if` beside the step, or let the step write an output that tells");
		return;
	}
	vec_push(&ret->steps, expr->index);
	if (expr->state == STATE_SUCCEEDED)
		buf_printf(buf, "%s.Succeeded", task);
	else if (expr->state == STATE_FAILED)
		buf_printf(buf, "(%s.Failed || %s.Errored)", task, task);
	else
		buf_printf(buf, "(%s.Skipped || %s.Omitted)", task, task);
}

static void
write_states(const struct argo_site *site, struct buf *buf, const struct expr *expr, struct argo_condition *ret)
{
	if (expr->kind == EXPR_STATE) {
		write_state(site, buf, expr, ret);
	} else if (expr->kind == EXPR_UNARY) {
		buf_puts(buf, "!");
		write_states(site, buf, expr->items[0], ret); /* has parentheses, or is one name */
	} else {
		buf_putc(buf, '(');
		write_states(site, buf, expr->items[0], ret);
		buf_puts(buf, expr->op == OP_AND ? " && " : " || ");
		write_states(site, buf, expr->items[1], ret);
		buf_putc(buf, ')');
	}
}

/* Parts joined by `and`: those about states go to `depends`, the rest to `when`. */
struct parts {
	struct buf states;
	VEC(const struct expr *) values;
};

static void
split(const struct argo_site *site, const struct expr *expr, struct parts *parts, struct argo_condition *ret)
{
	if (is_all_states(expr)) {
		buf_puts(&parts->states, parts->states.len ? " && " : "");
		write_states(site, &parts->states, expr, ret);
	} else if (expr->kind == EXPR_BINARY && expr->op == OP_AND && has_state(expr)) {
		split(site, expr->items[0], parts, ret);
		split(site, expr->items[1], parts, ret);
	} else {
		vec_push(&parts->values, expr);
	}
}

static bool
write_all_simple(const struct argo_site *site, struct buf *buf, const struct parts *parts)
{
	for (size_t i = 0; i < parts->values.n; i++) {
		buf_puts(buf, i ? " && " : "");
		if (!write_operand(site, buf, parts->values.items[i], parts->values.n > 1 ? OP_AND : parts->values.items[i]->op))
			return false;
	}
	return true;
}

static const char *
write_when(const struct argo_site *site, const struct parts *parts)
{
	CLEANUP(buf_release) struct buf buf = { 0 };

	if (!parts->values.n)
		return NULL;
	if (!write_all_simple(site, &buf, parts)) {
		buf_clear(&buf);
		buf_puts(&buf, "{{=");
		for (size_t i = 0; i < parts->values.n; i++) {
			buf_puts(&buf, i ? " && " : "");
			argo_code(site, &buf, parts->values.items[i]);
		}
		buf_puts(&buf, "}}");
	}
	return arena_strndup(site->argo->arena, buf_text(&buf), buf.len);
}

void
argo_condition(const struct argo_site *site, const struct expr *expr, struct argo_condition *ret)
{
	struct parts parts = { 0 };

	*ret = (struct argo_condition){ 0 };
	split(site, expr, &parts, ret);
	if (parts.states.len)
		ret->states = arena_strndup(site->argo->arena, buf_text(&parts.states), parts.states.len);
	ret->when = write_when(site, &parts);
	buf_release(&parts.states);
	vec_release(&parts.values);
}
