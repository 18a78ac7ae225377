#include "config.h"

#include "dsl/check.h"

#include <string.h>

static const struct expr *
bad_builtin(struct expr_check *x, const struct ast_expr *ast, const char *usage)
{
	struct diag *d = diags_add(x->check->diags, DIAG_L0317, ast->span, "wrong arguments for `%s`", ast->a->name.text);

	diag_help(x->check->diags, d, "it is used as `%s`", usage);
	return NULL;
}

static bool
positional_only(const struct ast_expr *ast, size_t min, size_t max)
{
	for (size_t i = 0; i < ast->n_entries; i++)
		if (ast->entries[i].key.text)
			return false;
	return ast->n_entries >= min && ast->n_entries <= max;
}

static const struct expr *
check_len(struct expr_check *x, const struct ast_expr *ast)
{
	const struct expr *a;
	enum type_kind kind;

	if (!positional_only(ast, 1, 1))
		return bad_builtin(x, ast, "len(x)");
	a = check_expr(x, ast->entries[0].value);
	if (!a || !check_is_value(x->check, a))
		return NULL;
	kind = a->type->kind;
	if (!type_is_loose(a->type) && kind != TYPE_LIST && kind != TYPE_DICT && kind != TYPE_STRING) {
		diags_add(x->check->diags, DIAG_L0317, a->span, "%s has no length", type_text(x->arena, a->type));
		return NULL;
	}
	return expr_make(x->check, x->arena, expr_new(x->arena, EXPR_LEN, &TYPE_OF_INTEGER, ast->span), a, NULL);
}

static const struct expr *
check_range(struct expr_check *x, const struct ast_expr *ast)
{
	static const struct type integers = { .kind = TYPE_LIST, .name = "List", .item = &TYPE_OF_INTEGER };
	struct expr *e = expr_new(x->arena, EXPR_RANGE, &integers, ast->span);
	const struct expr **items;
	bool good = true;

	if (!positional_only(ast, 1, 3))
		return bad_builtin(x, ast, "range(end)`, `range(start, end)` or `range(start, end, step)");
	items = arena_alloc(x->arena, ast->n_entries * sizeof(*items));
	for (size_t i = 0; i < ast->n_entries; i++) {
		items[i] = check_expr(x, ast->entries[i].value);
		if (items[i] && !(type_is_loose(items[i]->type) || items[i]->type->kind == TYPE_INTEGER)) {
			diags_add(x->check->diags, DIAG_L0317, items[i]->span, "`range` wants Integers, not %s",
				type_text(x->arena, items[i]->type));
			good = false;
		}
		good = items[i] && good;
	}
	e->items = items;
	e->n_items = ast->n_entries;
	return good ? expr_done(x->check, x->arena, e) : NULL;
}

/* Kubernetes' names of Secrets and their keys, and names of variables, share this alphabet. */
static bool
is_reference_name(const char *text)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";

	return *text && strlen(text) <= 253 && strspn(text, alphabet) == strlen(text);
}

static const char *
secret_text(struct expr_check *x, const struct ast_expr *ast)
{
	const char *text = check_text(x->check, x->arena, ast, "the name of a secret");

	if (text && !is_reference_name(text)) {
		diags_add(x->check->diags, DIAG_L0317, ast->span, "`%s` is not a valid name here", text);
		return NULL;
	}
	return text;
}

static const struct expr *
check_secret(struct expr_check *x, const struct ast_expr *ast, enum secret_source source)
{
	struct expr *e = expr_new(x->arena, EXPR_SECRET, &TYPE_OF_SECRET, ast->span);
	struct secret *s = arena_new_struct(x->arena, struct secret);
	size_t n = source == SECRET_STORE ? 2 : 1;

	if (!positional_only(ast, n, n))
		return bad_builtin(x, ast, source == SECRET_STORE ? "secret(\"name\", \"key\")" : "env(\"VAR\")");
	s->source = source;
	s->name = secret_text(x, ast->entries[0].value);
	s->key = n == 2 ? secret_text(x, ast->entries[1].value) : NULL;
	e->secret = s;
	return s->name && (n == 1 || s->key) ? e : NULL;
}

const struct expr *
check_builtin(struct expr_check *x, const struct ast_expr *ast)
{
	const char *name = ast->a && ast->a->kind == AST_NAME ? ast->a->name.text : NULL;

	if (name && !strcmp(name, "len"))
		return check_len(x, ast);
	if (name && !strcmp(name, "range"))
		return check_range(x, ast);
	if (name && !strcmp(name, "secret"))
		return check_secret(x, ast, SECRET_STORE);
	if (name && !strcmp(name, "env"))
		return check_secret(x, ast, SECRET_ENV);
	diags_add(x->check->diags, DIAG_L0115, ast->span, "a call cannot stand inside an expression");
	return NULL;
}
