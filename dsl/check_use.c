#include "config.h"

#include "dsl/check.h"

#include <string.h>

#include "dsl/component_yaml.h"

static bool
ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len >= n && !strcmp(text + len - n, end);
}

static bool
is_digest(const char *text)
{
	return strlen(text) == 64 && strspn(text, "0123456789abcdefABCDEF") == 64;
}

static const char *
digest_of(struct check *check, const struct ast_stmt *stmt)
{
	const char *text = check_text(check, check->arena, stmt->text2, "a digest");
	char *lower;

	if (!text)
		return NULL;
	if (!is_digest(text)) {
		diags_add(check->diags, DIAG_L0406, stmt->text2->span, "a sha256 is 64 hexadecimal digits");
		return NULL;
	}
	lower = arena_strdup(check->arena, text);
	for (char *p = lower; *p; p++)
		if (*p >= 'A' && *p <= 'F')
			*p = (char)(*p + 'a' - 'A');
	return lower;
}

/* Declared although it could not be read: its uses are not complained about as well. */
static void
declare_poison(struct check *check, const struct ast_stmt *stmt)
{
	struct component *c = arena_new_struct(check->unit->arena, struct component);
	struct decl *d = decl_new(BINDING_COMPONENT, stmt->name.text, check->unit, stmt->name.span);

	c->name = stmt->name.text;
	c->kind = COMPONENT_PROCESS;
	c->span = stmt->name.span;
	d->binding.component = c;
	d->is_poison = true;
	d->in_this_cell = true;
	check_stage(check, d);
}

static const struct component *
load(struct check *check, const struct ast_stmt *stmt, struct unit **ret_unit)
{
	const char *location = stmt->text ? check_text(check, check->arena, stmt->text, "a location") : NULL;
	const char *sha256 = stmt->text2 ? digest_of(check, stmt) : NULL;
	const char *url;
	struct source *source;
	const struct component *c;

	*ret_unit = NULL;
	if (!location || (stmt->text2 && !sha256))
		return NULL;
	if (ends_with(location, ".lateen")) {
		check_later(check, stmt->text->span, "`use` of a declaration in another Lateen file");
		return NULL;
	}
	source = scope_load(check, location, check->unit->source, sha256, stmt->text->span);
	if (!source)
		return NULL;
	*ret_unit = unit_new(source);
	source_unref(source);
	url = strncmp(location, "https://", 8) ? NULL : arena_strdup((*ret_unit)->arena, location);
	c = component_from_yaml(*ret_unit, arena_strdup((*ret_unit)->arena, stmt->name.text), url, check->diags);
	if (!c) {
		unit_unref(*ret_unit);
		*ret_unit = NULL;
	}
	return c;
}

void
check_declare_use(struct check *check, const struct ast_stmt *stmt)
{
	const struct component *c;
	struct unit *unit;
	struct decl *d;

	if (!stmt->name.text || !check_new_name(check, &stmt->name))
		return;
	c = load(check, stmt, &unit);
	if (!c) {
		declare_poison(check, stmt);
		return;
	}
	d = decl_new(BINDING_COMPONENT, stmt->name.text, unit, stmt->name.span);
	unit_unref(unit);
	d->cell = unit_ref(check->unit);
	d->binding.component = c;
	d->binding.doc = stmt->doc ? stmt->doc : c->doc;
	d->in_this_cell = true;
	check_stage(check, d);
}
