#include "config.h"

#include "dsl/argo.h"

#include <string.h>

static struct span
span_of(const struct argo_site *site, const struct expr *expr)
{
	return expr->span.source ? expr->span : site->span;
}

void
argo_code_string(struct buf *buf, const char *text)
{
	buf_putc(buf, '\'');
	for (const char *p = text; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (c == '\'' || c == '\\')
			buf_printf(buf, "\\%c", c);
		else if (c == '\n')
			buf_puts(buf, "\\n");
		else if (c < 0x20 || c == 0x7F || ((c == '{' || c == '}') && (p[1] == *p || (p > text && p[-1] == *p) || !p[1])))
			buf_printf(buf, "\\u%04x", c);
		else
			buf_putc(buf, (char)c);
	}
	buf_putc(buf, '\'');
}

static bool
is_number(const struct expr *expr)
{
	return expr->type->kind == TYPE_INTEGER || expr->type->kind == TYPE_FLOAT;
}

static bool
is_json(const struct type *type)
{
	return type->kind == TYPE_LIST || type->kind == TYPE_DICT;
}

static bool
is_boolean(const struct expr *expr)
{
	return expr->type->kind == TYPE_BOOLEAN;
}

static bool
is_float(const struct expr *expr)
{
	return expr->type->kind == TYPE_FLOAT;
}

/* The kind that a comparison of the two is made in. */
static enum type_kind
common_kind(const struct expr *a, const struct expr *b)
{
	if (is_boolean(a) || is_boolean(b))
		return TYPE_BOOLEAN;
	if (is_number(a) || is_number(b))
		return is_float(a) || is_float(b) ? TYPE_FLOAT : TYPE_INTEGER;
	if (is_json(a->type) || is_json(b->type))
		return TYPE_LIST;
	return TYPE_STRING;
}

/* A value as a literal; lists and dicts leave room between their braces, for `}}` would end the tag. */
static void
write_value(struct buf *buf, const struct value *value)
{
	switch (value->kind) {
	case VALUE_NULL:
		buf_puts(buf, "nil");
		break;
	case VALUE_STRING:
		argo_code_string(buf, value->string.text);
		break;
	case VALUE_LIST:
		buf_putc(buf, '[');
		for (size_t i = 0; i < value->list.n; i++) {
			buf_puts(buf, i ? ", " : "");
			write_value(buf, value->list.items[i]);
		}
		buf_putc(buf, ']');
		break;
	case VALUE_DICT:
		buf_puts(buf, "{ ");
		for (size_t i = 0; i < value->dict.n; i++) {
			buf_puts(buf, i ? ", " : "");
			argo_code_string(buf, value->dict.keys[i]);
			buf_puts(buf, ": ");
			write_value(buf, value->dict.items[i]);
		}
		buf_puts(buf, " }");
		break;
	case VALUE_BOOLEAN:
	case VALUE_INTEGER:
	case VALUE_FLOAT:
		value_write_json(buf, value);
		break;
	}
}

/* Text of the kind as a value of it. */
static void
write_as(const struct argo_site *site, struct buf *buf, enum type_kind kind, const struct expr *text)
{
	buf_puts(buf, kind == TYPE_INTEGER ? "asInt(" : kind == TYPE_FLOAT ? "asFloat(" : kind == TYPE_BOOLEAN ? "(" : "fromJSON(");
	argo_code_text(site, buf, text);
	buf_puts(buf, kind == TYPE_BOOLEAN ? " == 'true')" : ")");
}

/* The operand as a value of the kind. */
static void
write_operand(const struct argo_site *site, struct buf *buf, enum type_kind kind, const struct expr *expr)
{
	bool same = expr->type->kind == kind || (kind == TYPE_FLOAT && is_number(expr)) || (kind == TYPE_LIST && is_json(expr->type));

	/* What came out of JSON is a list or dict already, if it is one. */
	same = same || (kind == TYPE_LIST && expr->kind == EXPR_INDEX);
	if (kind == TYPE_STRING)
		argo_code_text(site, buf, expr);
	else if (same)
		argo_code(site, buf, expr);
	else
		write_as(site, buf, kind, expr);
}

static void
write_infix(const struct argo_site *site, struct buf *buf, const struct expr *expr, const char *op, enum type_kind kind)
{
	buf_putc(buf, '(');
	write_operand(site, buf, kind, expr->items[0]);
	buf_printf(buf, " %s ", op);
	write_operand(site, buf, kind, expr->items[1]);
	buf_putc(buf, ')');
}

static void
write_member(const struct argo_site *site, struct buf *buf, const struct expr *expr)
{
	const struct expr *in = expr->items[1];

	buf_puts(buf, expr->op == OP_NOT_IN ? "!(" : "(");
	if (in->type->kind == TYPE_STRING || in->type->kind == TYPE_OPAQUE) {
		argo_code_text(site, buf, in);
		buf_puts(buf, " contains ");
		argo_code_text(site, buf, expr->items[0]);
	} else {
		argo_code(site, buf, expr->items[0]);
		buf_puts(buf, " in ");
		write_operand(site, buf, TYPE_LIST, in);
	}
	buf_putc(buf, ')');
}

static void
write_arithmetic(const struct argo_site *site, struct buf *buf, const struct expr *expr, const char *op)
{
	if (expr->type->kind == TYPE_INTEGER) {
		write_infix(site, buf, expr, op, TYPE_INTEGER);
	} else if (expr->op == OP_ADD && expr->type->kind == TYPE_LIST) {
		buf_puts(buf, "concat(");
		write_operand(site, buf, TYPE_LIST, expr->items[0]);
		buf_puts(buf, ", ");
		write_operand(site, buf, TYPE_LIST, expr->items[1]);
		buf_putc(buf, ')');
	} else if (expr->op == OP_ADD && !is_number(expr)) {
		write_infix(site, buf, expr, op, TYPE_STRING);
	} else {
		argo_refuse(site->argo, span_of(site, expr), "arithmetic with Floats that only the run knows",
			    "compute it in a step");
	}
}

static void
write_binary(const struct argo_site *site, struct buf *buf, const struct expr *expr)
{
	static const char *const ops[] = { [OP_OR] = "||", [OP_AND] = "&&", [OP_EQ] = "==", [OP_NE] = "!=", [OP_LT] = "<",
					   [OP_LE] = "<=", [OP_GT] = ">", [OP_GE] = ">=", [OP_ADD] = "+", [OP_SUB] = "-",
					   [OP_MUL] = "*", [OP_MOD] = "%" };

	switch (expr->op) {
	case OP_OR:
	case OP_AND:
		write_infix(site, buf, expr, ops[expr->op], TYPE_BOOLEAN);
		break;
	case OP_EQ:
	case OP_NE:
	case OP_LT:
	case OP_LE:
	case OP_GT:
	case OP_GE:
		write_infix(site, buf, expr, ops[expr->op], common_kind(expr->items[0], expr->items[1]));
		break;
	case OP_IN:
	case OP_NOT_IN:
		write_member(site, buf, expr);
		break;
	case OP_ADD:
	case OP_SUB:
	case OP_MUL:
	case OP_MOD:
		write_arithmetic(site, buf, expr, ops[expr->op]);
		break;
	case OP_DIV:
		argo_refuse(site->argo, span_of(site, expr), "`/` with numbers that only the run knows", "compute it in a step");
		break;
	default:
		BUG("binary operator %d", (int)expr->op);
	}
}

static void
write_unary(const struct argo_site *site, struct buf *buf, const struct expr *expr)
{
	buf_puts(buf, expr->op == OP_NOT ? "!(" : "-(");
	write_operand(site, buf, expr->op == OP_NOT ? TYPE_BOOLEAN : expr->type->kind, expr->items[0]);
	buf_putc(buf, ')');
}

static void
write_index(const struct argo_site *site, struct buf *buf, const struct expr *expr)
{
	write_operand(site, buf, TYPE_LIST, expr->items[0]);
	buf_putc(buf, '[');
	if (is_number(expr->items[1]))
		argo_code(site, buf, expr->items[1]);
	else
		argo_code_text(site, buf, expr->items[1]);
	buf_putc(buf, ']');
}

/* A result of a branch. That of a branch not taken is not there; `??` keeps Argo from waiting for it. */
static void
write_result(const struct argo_site *site, struct buf *buf, const struct expr *expr)
{
	bool may_lack = expr->kind == EXPR_OUTPUT && !argo_is_gathered(site, expr);

	buf_puts(buf, may_lack ? "(" : "");
	argo_code_text(site, buf, expr);
	buf_puts(buf, may_lack ? " ?? '')" : "");
}

/* condition ? result : condition ? result : … , as texts or as values. */
static void
write_choice(const struct argo_site *site, struct buf *buf, const struct expr *expr, bool as_text)
{
	buf_putc(buf, '(');
	for (size_t i = 0; i < expr->n_items; i++) {
		bool is_condition = i % 2 == 0 && i + 1 < expr->n_items;

		if (is_condition)
			write_operand(site, buf, TYPE_BOOLEAN, expr->items[i]);
		else if (as_text)
			write_result(site, buf, expr->items[i]);
		else
			argo_code(site, buf, expr->items[i]);
		buf_puts(buf, is_condition ? " ? " : i + 1 < expr->n_items ? " : " : "");
	}
	buf_putc(buf, ')');
}

/* The first number up to the last, which is not taken. */
static void
write_range(const struct argo_site *site, struct buf *buf, const struct expr *expr)
{
	if (expr->n_items == 3) {
		argo_refuse(site->argo, span_of(site, expr), "`range` with a stride, over numbers that only the run knows,",
			    "let a step make the list");
		return;
	}
	/* A list of one, so that each number is written and computed once. */
	buf_puts(buf, "map([[");
	if (expr->n_items == 1)
		buf_putc(buf, '0');
	else
		argo_code(site, buf, expr->items[0]);
	buf_puts(buf, ", ");
	argo_code(site, buf, expr->items[expr->n_items - 1]);
	buf_puts(buf, "]], #[0] < #[1] ? #[0]..(#[1] - 1) : [])[0]");
}

static void
write_items(const struct argo_site *site, struct buf *buf, const struct expr *expr)
{
	bool is_dict = expr->kind == EXPR_DICT;

	buf_puts(buf, is_dict ? "{ " : "[");
	for (size_t i = 0; i < expr->n_items; i++) {
		buf_puts(buf, i ? ", " : "");
		if (is_dict) {
			argo_code_string(buf, expr->keys[i]);
			buf_puts(buf, ": ");
		}
		argo_code(site, buf, expr->items[i]);
	}
	buf_puts(buf, is_dict ? " }" : "]");
}

static void
write_reference(const struct argo_site *site, struct buf *buf, const struct expr *expr)
{
	struct argo_ref ref = { .index = expr->index, .output = expr->output };
	struct argo_path path;

	if (expr->kind == EXPR_FACT && expr->fact == FACT_STEP_NAME) {
		argo_code_string(buf, site->step ? site->step->name : "");
		return;
	}
	if (expr->kind == EXPR_FACT) {
		buf_puts(buf, argo_fact(expr->fact));
		return;
	}
	ref.kind = expr->kind == EXPR_PARAM ? REF_PARAM : expr->kind == EXPR_ITEM ? REF_ITEM : REF_OUTPUT;
	path = argo_find(site->argo, site->group, &ref);
	argo_path_code(buf, &path);
}

/* A list of texts, and nothing at all if there were no items; made into a list of values. */
static void
write_gathered(const struct argo_site *site, struct buf *buf, const struct expr *expr)
{
	const struct type *type = site->argo->plan->steps[expr->index].component->outputs[expr->output].type;
	const char *convert = type->kind == TYPE_INTEGER ? "asInt(#)" : type->kind == TYPE_FLOAT ? "asFloat(#)" : NULL;

	convert = type->kind == TYPE_BOOLEAN ? "# == 'true'" : convert;
	buf_puts(buf, convert ? "map(fromJSON(" : "fromJSON(");
	write_reference(site, buf, expr);
	buf_puts(buf, " ?? '[]')");
	if (convert)
		buf_printf(buf, ", %s)", convert);
}

/* `#`, a value of that type, as text. What came out of JSON may be anything; a text stands for itself. */
static const char *
text_of_pointer(const struct type *type)
{
	switch (type->kind) {
	case TYPE_STRING:
		return "#";
	case TYPE_LIST:
	case TYPE_DICT:
		return "toJson(#)";
	case TYPE_INTEGER:
	case TYPE_FLOAT:
	case TYPE_BOOLEAN:
		return "string(#)";
	default:
		return "(type(#) == 'string' ? # : toJson(#))";
	}
}

/* A value that is nil where it is not there: a key that a Dict lacks, a skipped step's output. */
static void
write_coalesce(const struct argo_site *site, struct buf *buf, const struct expr *expr)
{
	const struct expr *left = expr->items[0];

	if (argo_is_reference(left)) {
		buf_putc(buf, '(');
		write_reference(site, buf, left);
		buf_puts(buf, " ?? ");
		argo_code_text(site, buf, expr->items[1]);
		buf_putc(buf, ')');
		return;
	}
	/* A list of one, so that the value is written and computed once. */
	buf_puts(buf, "map([");
	argo_code(site, buf, left);
	buf_printf(buf, "], # != nil ? %s : ", text_of_pointer(left->type));
	argo_code_text(site, buf, expr->items[1]);
	buf_puts(buf, ")[0]");
}

void
argo_code_text(const struct argo_site *site, struct buf *buf, const struct expr *expr)
{
	const char *constant = argo_constant(site->argo->arena, expr);

	if (constant) {
		argo_code_string(buf, constant);
		return;
	}
	if (argo_is_gathered(site, expr)) {
		buf_puts(buf, "toJson(");
		write_gathered(site, buf, expr);
		buf_putc(buf, ')');
		return;
	}
	if (argo_is_reference(expr)) {
		write_reference(site, buf, expr);
		return;
	}
	if (expr->kind == EXPR_CHOICE) {
		write_choice(site, buf, expr, true);
		return;
	}
	if (expr->kind == EXPR_BINARY && expr->op == OP_COALESCE) {
		write_coalesce(site, buf, expr);
		return;
	}
	switch (expr->type->kind) {
	case TYPE_LIST:
	case TYPE_DICT:
		buf_puts(buf, "toJson(");
		argo_code(site, buf, expr);
		buf_putc(buf, ')');
		break;
	case TYPE_INTEGER:
	case TYPE_FLOAT:
	case TYPE_BOOLEAN:
		buf_puts(buf, "string(");
		argo_code(site, buf, expr);
		buf_putc(buf, ')');
		break;
	default:
		if (expr->kind == EXPR_INDEX) {
			buf_puts(buf, "map([");
			argo_code(site, buf, expr);
			buf_printf(buf, "], %s)[0]", text_of_pointer(expr->type));
		} else {
			argo_code(site, buf, expr);
		}
	}
}

void
argo_code(const struct argo_site *site, struct buf *buf, const struct expr *expr)
{
	if (argo_is_gathered(site, expr)) {
		write_gathered(site, buf, expr);
		return;
	}
	if (argo_is_reference(expr) || (expr->kind == EXPR_BINARY && expr->op == OP_COALESCE)) {
		if (is_number(expr) || is_boolean(expr) || is_json(expr->type))
			write_as(site, buf, expr->type->kind, expr);
		else
			argo_code_text(site, buf, expr);
		return;
	}
	switch (expr->kind) {
	case EXPR_VALUE:
		write_value(buf, expr->value);
		break;
	case EXPR_CONCAT:
		buf_puts(buf, expr->n_items ? "(" : "''");
		for (size_t i = 0; i < expr->n_items; i++) {
			buf_puts(buf, i ? " + " : "");
			argo_code_text(site, buf, expr->items[i]);
		}
		buf_puts(buf, expr->n_items ? ")" : "");
		break;
	case EXPR_LIST:
	case EXPR_DICT:
		write_items(site, buf, expr);
		break;
	case EXPR_UNARY:
		write_unary(site, buf, expr);
		break;
	case EXPR_BINARY:
		write_binary(site, buf, expr);
		break;
	case EXPR_INDEX:
		write_index(site, buf, expr);
		break;
	case EXPR_LEN:
		buf_puts(buf, "len(");
		write_operand(site, buf, expr->items[0]->type->kind == TYPE_STRING ? TYPE_STRING : TYPE_LIST, expr->items[0]);
		buf_putc(buf, ')');
		break;
	case EXPR_RANGE:
		write_range(site, buf, expr);
		break;
	case EXPR_CHOICE:
		write_choice(site, buf, expr, false);
		break;
	case EXPR_STATE:
		argo_refuse(site->argo, span_of(site, expr), "how a step ended as a value, or joined with values by `or` or `not`,",
			    "test it in an `if` of its own, or join the tests by `and`");
		break;
	case EXPR_SECRET:
		argo_refuse(site->argo, span_of(site, expr), "a Secret in a text", "give the Secret to the step as an argument of its own");
		break;
	default:
		BUG("expression of kind %d in a plan", (int)expr->kind);
	}
}
