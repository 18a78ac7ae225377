#include "config.h"

#include "dsl/check.h"

#include <string.h>

#include "base/utf8.h"
#include "dsl/eval.h"

/* Longer texts are not put together before the run: names may be repeated, and each copy would cost memory. */
enum { FOLD_TEXT_MAX = 4096 };

struct expr *
expr_new(struct arena *arena, enum expr_kind kind, const struct type *type, struct span span)
{
	struct expr *e = arena_new_struct(arena, struct expr);

	e->kind = kind;
	e->type = type;
	e->span = span;
	e->nodes = e->depth = 1;
	return e;
}

const struct expr *
expr_of_value(struct arena *arena, const struct value *value, struct span span)
{
	struct expr *e = expr_new(arena, EXPR_VALUE, type_of_value(value), span);

	e->value = value;
	return e;
}

static bool
may_fold(const struct expr *e)
{
	size_t text = 0;

	if (e->kind == EXPR_RANGE || e->kind == EXPR_CHOICE)
		return false;
	if (!e->n_items && e->kind != EXPR_LIST && e->kind != EXPR_DICT && e->kind != EXPR_CONCAT)
		return false;
	for (size_t i = 0; i < e->n_items; i++) {
		if (e->items[i]->kind != EXPR_VALUE)
			return false;
		if (e->items[i]->value->kind == VALUE_STRING)
			text += e->items[i]->value->string.len;
	}
	return text <= FOLD_TEXT_MAX || e->kind == EXPR_LIST || e->kind == EXPR_DICT;
}

static const struct expr *
fold(struct check *check, struct arena *arena, struct expr *e)
{
	const struct value *v;
	struct error err;

	if (!may_fold(e))
		return e;
	v = eval_expr(arena, e, NULL, &err);
	if (!v) {
		diags_add(check->diags, DIAG_L0312, e->span, "%s", err.text);
		return NULL;
	}
	e->kind = EXPR_VALUE;
	e->value = v;
	/* the type stays: a Float that came out as a Float, a List of its items */
	if (e->type->kind == TYPE_ANY || e->type->kind == TYPE_LIST)
		e->type = type_of_value(v);
	e->items = NULL;
	e->n_items = 0;
	return e;
}

const struct expr *
expr_done(struct check *check, struct arena *arena, struct expr *e)
{
	for (size_t i = 0; i < e->n_items; i++) {
		const struct expr *item = e->items[i];

		e->nodes += item->nodes;
		e->depth = e->depth > item->depth ? e->depth : item->depth + 1;
		if (e->nodes > EXPR_NODES_MAX || e->depth > EXPR_DEPTH_MAX) {
			diags_add(check->diags, DIAG_L0412, e->span,
				"the expression, with the named values in it, has more than %d parts or %d levels",
				EXPR_NODES_MAX, EXPR_DEPTH_MAX);
			return NULL;
		}
	}
	return fold(check, arena, e);
}

const struct expr *
expr_make(struct check *check, struct arena *arena, struct expr *e, const struct expr *a, const struct expr *b)
{
	const struct expr *items[2] = { a, b };

	e->n_items = b ? 2 : 1;
	e->items = arena_copy(arena, items, e->n_items * sizeof(*items));
	return expr_done(check, arena, e);
}

const struct expr *
expr_to_text(struct check *check, struct arena *arena, const struct expr *e)
{
	if (e->type->kind == TYPE_STRING)
		return e;
	return expr_make(check, arena, expr_new(arena, EXPR_CONCAT, &TYPE_OF_STRING, e->span), e, NULL);
}

bool
expr_fits(const struct expr *e, const struct type *want)
{
	switch (type_fits(e->type, want)) {
	case TYPE_FITS:
		return true;
	case TYPE_IF_LITERAL:
		return e->kind == EXPR_VALUE || e->kind == EXPR_CONCAT || e->kind == EXPR_ITEM || e->kind == EXPR_INDEX;
	case TYPE_MISFITS:
		break;
	}
	return false;
}

bool
check_is_value(struct check *check, const struct expr *e)
{
	if (e->type->kind == TYPE_SECRET) {
		diags_add(check->diags, DIAG_L0310, e->span, "a Secret cannot be used as a value");
		return false;
	}
	if (type_is_file(e->type)) {
		diags_add(check->diags, DIAG_L0314, e->span, "this is a file (%s), not a value", e->type->name);
		return false;
	}
	if (e->type->kind == TYPE_NULL) {
		diags_add(check->diags, DIAG_L0318, e->span, "`null` cannot be used as a value here");
		return false;
	}
	return true;
}

size_t
path_names(const struct ast_expr *ast, struct ast_name *ret, size_t max)
{
	size_t n;

	if (ast->kind == AST_NAME) {
		ret[0] = ast->name;
		return 1;
	}
	if (ast->kind != AST_MEMBER || !ast->a)
		return 0;
	n = path_names(ast->a, ret, max);
	if (!n || n == max)
		return 0;
	ret[n] = ast->name;
	return n + 1;
}

/* ---- literals ---- */

static const struct expr *
check_literal_text(struct expr_check *x, const char *text, size_t len, struct span span)
{
	if (!utf8_valid(text, len) || memchr(text, '\0', len)) {
		diags_add(x->check->diags, DIAG_L0312, span, "a text must be valid UTF-8 without NUL");
		return NULL;
	}
	return expr_of_value(x->arena, value_stringn(x->arena, text, len), span);
}

static const struct expr *
check_string(struct expr_check *x, const struct ast_expr *ast)
{
	struct expr *e;
	VEC(const struct expr *) items = {0};
	bool good = true;

	check_argo_tags(x->check, ast);
	if (!ast->n_parts)
		return check_literal_text(x, "", 0, ast->span);
	if (ast->n_parts == 1 && !ast->parts[0].expr)
		return check_literal_text(x, ast->parts[0].text, ast->parts[0].len, ast->span);
	e = expr_new(x->arena, EXPR_CONCAT, &TYPE_OF_STRING, ast->span);
	for (size_t i = 0; i < ast->n_parts; i++) {
		const struct ast_string_part *p = &ast->parts[i];
		const struct expr *item = p->expr ? check_expr(x, p->expr) : check_literal_text(x, p->text, p->len, p->span);

		good = item && (!p->expr || check_is_value(x->check, item)) && good;
		/* a text within a text is one text, for whoever writes it elsewhere */
		for (size_t k = 0; item && item->kind == EXPR_CONCAT && k < item->n_items; k++)
			vec_push(&items, item->items[k]);
		if (item && item->kind != EXPR_CONCAT)
			vec_push(&items, item);
	}
	e->items = arena_copy(x->arena, items.items, items.n * sizeof(*items.items));
	e->n_items = items.n;
	vec_release(&items);
	return good ? expr_done(x->check, x->arena, e) : NULL;
}

static const struct expr *
check_items(struct expr_check *x, const struct ast_expr *ast)
{
	struct expr *e = expr_new(x->arena, EXPR_LIST, &TYPE_OF_LIST, ast->span);
	const struct expr **items = arena_alloc(x->arena, (ast->n_items + 1) * sizeof(*items));
	bool good = true;

	for (size_t i = 0; i < ast->n_items; i++) {
		items[i] = check_expr(x, ast->items[i]);
		good = items[i] && (items[i]->type->kind == TYPE_NULL || check_is_value(x->check, items[i])) && good;
	}
	e->items = items;
	e->n_items = ast->n_items;
	return good ? expr_done(x->check, x->arena, e) : NULL;
}

static const struct expr *
check_dict(struct expr_check *x, const struct ast_expr *ast)
{
	struct expr *e = expr_new(x->arena, EXPR_DICT, &TYPE_OF_DICT, ast->span);
	const struct expr **items = arena_alloc(x->arena, (ast->n_entries + 1) * sizeof(*items));
	const char **keys = arena_alloc(x->arena, (ast->n_entries + 1) * sizeof(*keys));
	struct map seen = {0};
	bool good = true;

	for (size_t i = 0; i < ast->n_entries; i++) {
		const struct ast_entry *entry = &ast->entries[i];

		keys[i] = arena_strdup(x->arena, entry->key.text ? entry->key.text : "");
		if (map_has(&seen, keys[i])) {
			diags_add(x->check->diags, DIAG_L0401, entry->key.span, "the key `%s` stands twice", keys[i]);
			good = false;
		}
		map_set(&seen, keys[i], NULL);
		items[i] = check_expr(x, entry->value);
		good = items[i] && (items[i]->type->kind == TYPE_NULL || check_is_value(x->check, items[i])) && good;
	}
	map_release(&seen);
	e->items = items;
	e->keys = keys;
	e->n_items = ast->n_entries;
	return good ? expr_done(x->check, x->arena, e) : NULL;
}

/* ---- operators ---- */

static enum expr_op
op_of(enum ast_op op)
{
	static const enum expr_op ops[] = {
		[AST_OP_OR] = OP_OR, [AST_OP_AND] = OP_AND, [AST_OP_NOT] = OP_NOT, [AST_OP_EQ] = OP_EQ,
		[AST_OP_NE] = OP_NE, [AST_OP_LT] = OP_LT, [AST_OP_LE] = OP_LE, [AST_OP_GT] = OP_GT, [AST_OP_GE] = OP_GE,
		[AST_OP_IN] = OP_IN, [AST_OP_NOT_IN] = OP_NOT_IN, [AST_OP_ADD] = OP_ADD, [AST_OP_SUB] = OP_SUB,
		[AST_OP_MUL] = OP_MUL, [AST_OP_DIV] = OP_DIV, [AST_OP_MOD] = OP_MOD, [AST_OP_NEGATE] = OP_NEGATE,
		[AST_OP_COALESCE] = OP_COALESCE,
	};

	return ops[op];
}

bool
type_is_loose(const struct type *t)
{
	return t->kind == TYPE_ANY || t->kind == TYPE_OPAQUE;
}

static bool
is_kind(const struct type *t, enum type_kind kind)
{
	return type_is_loose(t) || t->kind == kind;
}

static bool
is_number(const struct type *t)
{
	return type_is_loose(t) || type_is_number(t);
}

static const struct type *
type_of_arithmetic(enum expr_op op, const struct type *a, const struct type *b)
{
	if (op == OP_MOD)
		return is_kind(a, TYPE_INTEGER) && is_kind(b, TYPE_INTEGER) ? &TYPE_OF_INTEGER : NULL;
	if (is_number(a) && is_number(b)) {
		if (op == OP_DIV || a->kind == TYPE_FLOAT || b->kind == TYPE_FLOAT)
			return &TYPE_OF_FLOAT;
		return type_is_loose(a) || type_is_loose(b) ? &TYPE_OF_ANY : &TYPE_OF_INTEGER;
	}
	if (op != OP_ADD)
		return NULL;
	if (is_kind(a, TYPE_STRING) && is_kind(b, TYPE_STRING))
		return &TYPE_OF_STRING;
	return is_kind(a, TYPE_LIST) && is_kind(b, TYPE_LIST) ? &TYPE_OF_LIST : NULL;
}

static bool
may_be_equal(const struct type *a, const struct type *b)
{
	if (type_is_loose(a) || type_is_loose(b) || a->kind == TYPE_NULL || b->kind == TYPE_NULL)
		return true;
	return a->kind == b->kind || (type_is_number(a) && type_is_number(b));
}

static const struct type *
type_of_coalesce(const struct type *a, const struct type *b)
{
	if (a->kind == TYPE_NULL || type_is_loose(b))
		return b;
	if (type_is_loose(a) || b->kind == TYPE_NULL || type_fits(b, a) == TYPE_FITS)
		return a;
	if (type_fits(a, b) == TYPE_FITS)
		return b;
	return a->kind == b->kind ? (a->base ? a->base : a) : NULL;
}

static bool
may_look_into(const struct type *item, const struct type *in)
{
	if (type_is_loose(in) || in->kind == TYPE_LIST)
		return true;
	return (in->kind == TYPE_DICT || in->kind == TYPE_STRING) && is_kind(item, TYPE_STRING);
}

/* The type of `a op b`, or NULL. */
static const struct type *
type_of_binary(enum expr_op op, const struct type *a, const struct type *b)
{
	switch (op) {
	case OP_OR:
	case OP_AND:
		return is_kind(a, TYPE_BOOLEAN) && is_kind(b, TYPE_BOOLEAN) ? &TYPE_OF_BOOLEAN : NULL;
	case OP_EQ:
	case OP_NE:
		return may_be_equal(a, b) ? &TYPE_OF_BOOLEAN : NULL;
	case OP_LT:
	case OP_LE:
	case OP_GT:
	case OP_GE:
		return (is_number(a) && is_number(b)) || (is_kind(a, TYPE_STRING) && is_kind(b, TYPE_STRING)) ?
			&TYPE_OF_BOOLEAN : NULL;
	case OP_IN:
	case OP_NOT_IN:
		return may_look_into(a, b) ? &TYPE_OF_BOOLEAN : NULL;
	case OP_COALESCE:
		return type_of_coalesce(a, b);
	default:
		return type_of_arithmetic(op, a, b);
	}
}

static void
complain_of_operands(struct expr_check *x, struct span span, enum expr_op op, const struct expr *a, const struct expr *b)
{
	const char *ta = type_text(x->arena, a->type), *tb = b ? type_text(x->arena, b->type) : NULL;
	struct diag *d;

	if (!b)
		d = diags_add(x->check->diags, DIAG_L0302, span, "`%s` does not work on %s", expr_op_text(op), ta);
	else
		d = diags_add(x->check->diags, DIAG_L0302, span, "`%s` does not work on %s and %s", expr_op_text(op), ta, tb);
	diag_label(x->check->diags, d, a->span, "%s", ta);
	if (b)
		diag_label(x->check->diags, d, b->span, "%s", tb);
	if ((op == OP_AND || op == OP_OR || op == OP_NOT) && (a->type->kind == TYPE_STRING || (b && b->type->kind == TYPE_STRING)))
		diag_help(x->check->diags, d, "compare the text: `… == \"true\"`");
	else if (op == OP_ADD && b && (a->type->kind == TYPE_STRING || b->type->kind == TYPE_STRING))
		diag_help(x->check->diags, d, "a text takes values in braces: `\"{name}\"`");
}

static bool
operand_is_good(struct expr_check *x, enum expr_op op, const struct expr *e)
{
	if (!e)
		return false;
	if (e->type->kind == TYPE_NULL && (op == OP_EQ || op == OP_NE || op == OP_COALESCE))
		return true;
	return check_is_value(x->check, e);
}

static const struct expr *
check_binary(struct expr_check *x, const struct ast_expr *ast)
{
	enum expr_op op = op_of(ast->op);
	const struct expr *a = check_expr(x, ast->a), *b = check_expr(x, ast->b);
	const struct type *type;
	struct expr *e;
	bool good_a = operand_is_good(x, op, a), good_b = operand_is_good(x, op, b);

	if (!good_a || !good_b)
		return NULL;
	type = type_of_binary(op, a->type, b->type);
	if (!type) {
		complain_of_operands(x, ast->span, op, a, b);
		return NULL;
	}
	e = expr_new(x->arena, EXPR_BINARY, type, ast->span);
	e->op = op;
	return expr_make(x->check, x->arena, e, a, b);
}

static const struct expr *
check_unary(struct expr_check *x, const struct ast_expr *ast)
{
	enum expr_op op = op_of(ast->op);
	const struct expr *a = check_expr(x, ast->a);
	struct expr *e;

	if (!operand_is_good(x, op, a))
		return NULL;
	if (op == OP_NOT ? !is_kind(a->type, TYPE_BOOLEAN) : !is_number(a->type)) {
		complain_of_operands(x, ast->span, op, a, NULL);
		return NULL;
	}
	e = expr_new(x->arena, EXPR_UNARY, op == OP_NOT ? &TYPE_OF_BOOLEAN : a->type, ast->span);
	e->op = op;
	return expr_make(x->check, x->arena, e, a, NULL);
}

static const struct expr *
check_index(struct expr_check *x, const struct ast_expr *ast)
{
	const struct expr *a = check_expr(x, ast->a), *b = check_expr(x, ast->b);
	const struct type *type = &TYPE_OF_ANY;

	if (!a || !b || !check_is_value(x->check, a) || !check_is_value(x->check, b))
		return NULL;
	if (!(type_is_loose(a->type) || (a->type->kind == TYPE_LIST && is_kind(b->type, TYPE_INTEGER)) ||
	      (a->type->kind == TYPE_DICT && is_kind(b->type, TYPE_STRING)))) {
		diags_add(x->check->diags, DIAG_L0302, ast->span, "%s cannot be indexed by %s",
			type_text(x->arena, a->type), type_text(x->arena, b->type));
		return NULL;
	}
	if (a->type->kind == TYPE_LIST && a->type->item)
		type = a->type->item;
	return expr_make(x->check, x->arena, expr_new(x->arena, EXPR_INDEX, type, ast->span), a, b);
}

/* ---- all of it ---- */

static const struct expr *
check_path(struct expr_check *x, const struct ast_expr *ast)
{
	struct ast_name names[PATH_MAX_NAMES];
	size_t n = path_names(ast, names, PATH_MAX_NAMES);
	const struct expr *a;

	if (n)
		return x->path(x, names, n, ast->span);
	a = ast->kind == AST_MEMBER && ast->a ? check_expr(x, ast->a) : NULL;
	if (a) {
		struct diag *d = diags_add(x->check->diags, DIAG_L0215, ast->name.span, "%s has no member `%s`",
			type_text(x->arena, a->type), ast->name.text);

		diag_help(x->check->diags, d, "a value of a Dict is read with `[\"%s\"]`", ast->name.text);
	}
	return NULL;
}

const struct expr *
check_expr(struct expr_check *x, const struct ast_expr *ast)
{
	if (!ast)
		return NULL;
	switch (ast->kind) {
	case AST_POISON:
		return NULL;
	case AST_NULL:
		return expr_of_value(x->arena, &VALUE_OF_NULL, ast->span);
	case AST_BOOLEAN:
		return expr_of_value(x->arena, value_boolean(ast->boolean), ast->span);
	case AST_INTEGER:
		return expr_of_value(x->arena, value_integer(x->arena, ast->integer), ast->span);
	case AST_FLOAT:
		return expr_of_value(x->arena, value_float(x->arena, ast->number), ast->span);
	case AST_QUANTITY:
		diags_add(x->check->diags, DIAG_L0316, ast->span, "a quantity like `%.*s` stands in settings only", (int)ast->len,
			ast->text);
		return NULL;
	case AST_STRING:
		return check_string(x, ast);
	case AST_RAW:
		check_argo_tags(x->check, ast);
		return check_literal_text(x, ast->text, ast->len, ast->span);
	case AST_NAME:
	case AST_MEMBER:
		return check_path(x, ast);
	case AST_INDEX:
		return check_index(x, ast);
	case AST_LIST:
		return check_items(x, ast);
	case AST_DICT:
		return check_dict(x, ast);
	case AST_UNARY:
		return check_unary(x, ast);
	case AST_BINARY:
		return check_binary(x, ast);
	case AST_CALL:
		return check_builtin(x, ast);
	case AST_PARTS:
		diags_add(x->check->diags, DIAG_L0316, ast->span, "items under a condition stand in `command` and `args` only");
		return NULL;
	case AST_GROUP:
		return check_expr(x, ast->a);
	}
	BUG("syntax of kind %d", (int)ast->kind);
}

/* ---- constants ---- */

struct constant {
	const char *what;
};

static const struct expr *
constant_path(struct expr_check *x, const struct ast_name *names, size_t n, struct span span)
{
	const struct constant *c = x->context;
	struct diag *d = diags_add(x->check->diags, DIAG_L0313, span, "%s must be a constant", c->what);

	(void)n;
	diag_primary(x->check->diags, d, "`%s` is not known when the cell is checked", names[0].text);
	return NULL;
}

const struct expr *
check_constant(struct check *check, struct arena *arena, const struct ast_expr *ast, const char *what)
{
	struct constant c = { .what = what };
	struct expr_check x = { .check = check, .arena = arena, .path = constant_path, .context = &c };
	const struct expr *e = check_expr(&x, ast);

	if (!e || e->kind == EXPR_VALUE || e->kind == EXPR_SECRET)
		return e;
	diags_add(check->diags, DIAG_L0313, e->span, "%s must be a constant", what);
	return NULL;
}

const char *
check_text(struct check *check, struct arena *arena, const struct ast_expr *ast, const char *what)
{
	const struct expr *e = check_constant(check, arena, ast, what);

	if (!e)
		return NULL;
	if (e->kind != EXPR_VALUE || e->value->kind != VALUE_STRING) {
		diags_add(check->diags, DIAG_L0301, e->span, "%s must be a text, not %s", what, type_text(arena, e->type));
		return NULL;
	}
	return e->value->string.text;
}
