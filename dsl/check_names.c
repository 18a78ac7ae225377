#include "config.h"

#include "dsl/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct decl *
decl_new(enum binding_kind kind, const char *name, struct unit *unit, struct span span)
{
	struct decl *d = xcalloc(1, sizeof(*d));

	d->name = xstrdup(name);
	d->binding.kind = kind;
	d->binding.name = d->name;
	d->binding.unit = unit ? unit_ref(unit) : NULL;
	d->binding.span = span;
	return d;
}

void
decl_free(struct decl *decl)
{
	if (!decl)
		return;
	plan_unref(decl->binding.plan);
	if (decl->binding.unit)
		unit_unref(decl->binding.unit);
	if (decl->cell)
		unit_unref(decl->cell);
	map_release(&decl->uses);
	free(decl->name);
	free(decl);
}

const struct decl *
check_lookup(struct check *check, const char *name)
{
	const struct decl *d = map_get(&check->staged, name);

	return d ? d : scope_decl(check->scope, check, name);
}

const struct decl *
check_lookup_path(struct check *check, struct arena *arena, const struct ast_name *names, size_t n, const char **ret_text)
{
	const char *text = n ? names[0].text : "";

	for (size_t i = 1; i < n; i++)
		text = arena_printf(arena, "%s.%s", text, names[i].text);
	*ret_text = text;
	if (n == 1 || (n == 2 && !strcmp(names[0].text, "std")))
		return check_lookup(check, text);
	return NULL;
}

const char *const *
check_known(struct check *check, unsigned kinds, size_t *ret_n)
{
	VEC(const char *) found = {0};
	const struct map_entry *e;
	const struct binding *b;
	const char *const *result;
	size_t at = 0;

	while ((e = map_next(&check->staged, &at))) {
		const struct decl *d = e->value;

		if (kinds & (1U << d->binding.kind))
			vec_push(&found, d->name);
	}
	at = 0;
	while ((b = scope_next(check->scope, &at)))
		if (kinds & (1U << b->kind))
			vec_push(&found, b->name);
	result = arena_copy(check->arena, found.items, found.n * sizeof(*found.items));
	*ret_n = found.n;
	vec_release(&found);
	return result;
}

void
check_stage(struct check *check, struct decl *decl)
{
	decl_free(map_get(&check->staged, decl->name));
	map_set(&check->staged, decl->name, decl);
}

void
check_later(struct check *check, struct span span, const char *format, ...)
{
	struct diag *d;
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	d = diags_add(check->diags, DIAG_L0900, span, "%s: not carried out by this version of Lateen", text);
	diag_note(check->diags, d, "the language has this, and a later version will carry it out");
}

bool
check_name_length(struct check *check, const char *name, struct span span)
{
	if (strlen(name) <= CHECK_NAME_MAX)
		return true;
	diags_add(check->diags, DIAG_L0412, span, "a name has at most %d bytes", CHECK_NAME_MAX);
	return false;
}

bool
check_new_name(struct check *check, const struct ast_name *name)
{
	const struct decl *old = map_get(&check->staged, name->text);
	struct diag *d;

	if (!check_name_length(check, name->text, name->span))
		return false;
	if (!strcmp(name->text, "std")) {
		diags_add(check->diags, DIAG_L0220, name->span, "`std` cannot be declared");
		return false;
	}
	if (!old || !old->in_this_cell)
		return true;
	d = diags_add(check->diags, DIAG_L0201, name->span, "`%s` is declared twice in this cell", name->text);
	diag_label(check->diags, d, old->binding.span, "first declared here");
	return false;
}

/* ---- types ---- */

const struct type *
type_clone(struct arena *arena, const struct type *type)
{
	struct type *copy;

	if (!type || type == type_predeclared(type->name) || type->kind == TYPE_ANY)
		return type && type->kind == TYPE_ANY ? &TYPE_OF_ANY : type;
	copy = arena_new_struct(arena, struct type);
	*copy = *type;
	copy->name = arena_strdup(arena, type->name);
	copy->base = type_clone(arena, type->base);
	copy->item = type_clone(arena, type->item);
	copy->structure = type->structure ? value_clone(arena, type->structure) : NULL;
	return copy;
}

const char *
type_text(struct arena *arena, const struct type *type)
{
	struct buf buf = { .max = 4096 };
	const char *text;

	type_write(&buf, type);
	text = arena_strdup(arena, buf_text(&buf));
	buf_release(&buf);
	return text;
}

static const struct type *
unknown_type(struct check *check, const struct ast_name *name)
{
	const char *const *predeclared = type_predeclared_names();
	size_t n, n_all = 0;
	const char *const *known = check_known(check, 1U << BINDING_TYPE, &n);
	const char **all = arena_alloc(check->arena, (n + 32) * sizeof(*all));
	struct diag *d;

	if (check->torn)
		return NULL;
	d = diags_add(check->diags, DIAG_L0211, name->span, "no type named `%s`", name->text);
	while (predeclared[n_all] && n_all < 32) {
		all[n_all] = predeclared[n_all];
		n_all++;
	}
	for (size_t i = 0; i < n; i++)
		all[n_all++] = known[i];
	diag_near(check->diags, d, "type", name->span, name->text, all, n_all);
	return NULL;
}

const struct type *
check_type(struct check *check, struct arena *arena, const struct ast_type *ast)
{
	const struct type *known;
	const struct decl *d;

	if (!ast->name.text)
		return NULL;
	known = type_predeclared(ast->name.text);
	if (known)
		return known;
	d = check_lookup(check, ast->name.text);
	if (!d || d->binding.kind != BINDING_TYPE)
		return unknown_type(check, &ast->name);
	/* a copy, so that what uses the type does not need the cell that declared it */
	return type_clone(arena, d->binding.type);
}

void
check_declare_type(struct check *check, const struct ast_stmt *stmt)
{
	const struct type *base = check_type(check, check->unit->arena, &stmt->type);
	struct type *type;
	struct decl *d;

	if (!stmt->name.text || !check_new_name(check, &stmt->name))
		return;
	if (type_predeclared(stmt->name.text)) {
		diags_add(check->diags, DIAG_L0201, stmt->name.span, "the type `%s` is declared already, by the language",
			stmt->name.text);
		return;
	}
	if (!base)
		return;
	if (base->kind == TYPE_SECRET) {
		diags_add(check->diags, DIAG_L0316, stmt->type.span, "a Secret has no aliases");
		return;
	}
	type = arena_new_struct(check->unit->arena, struct type);
	*type = *base;
	type->name = arena_strdup(check->unit->arena, stmt->name.text);
	type->base = base;
	d = decl_new(BINDING_TYPE, stmt->name.text, check->unit, stmt->name.span);
	d->binding.type = type;
	d->binding.doc = stmt->doc;
	d->in_this_cell = true;
	check_stage(check, d);
}
