#include "config.h"

#include "dsl/argo.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

/* A text on its way, in pieces: literals joined, and what only the run knows. */
struct stretch {
	const char *literal;
	const struct expr *hole;
};

struct stretches {
	struct arena *arena;
	VEC(struct stretch) list;
};

/* A `$` or `{` at `at` in the text: what the kubelet would touch is written otherwise. */
static void
write_special(struct buf *buf, const char *text, const char *at, bool before_hole)
{
	bool last = !at[1];

	if (*at == '$' && (at[1] == '$' || at[1] == '(' || (last && before_hole)))
		buf_puts(buf, "$$");
	else if (*at == '{' && ((at > text && at[-1] == '{') || (last && before_hole)))
		buf_puts(buf, "$(" ARGO_BRACE ")");
	else
		buf_putc(buf, *at);
}

bool
argo_literal(struct buf *buf, const char *text, enum argo_form form, bool before_hole)
{
	if (form == FORM_PLAIN) {
		buf_puts(buf, text);
		return !strstr(text, "{{") && !(before_hole && *text && text[strlen(text) - 1] == '{');
	}
	for (const char *p = text, *start = p; *p; start = p) {
		while (*p && *p != '$' && *p != '{')
			p++;
		buf_add(buf, start, (size_t)(p - start));
		if (*p) {
			write_special(buf, text, p, before_hole);
			p++;
		}
	}
	return true;
}

/* Does some character of the text fulfil the test? */
static bool
any_character(const char *text, bool (*test)(uint32_t c))
{
	size_t len = strlen(text);

	for (size_t i = 0, n; i < len; i += n) {
		uint32_t c;

		n = utf8_decode(text + i, len - i, &c);
		if (test(c))
			return true;
	}
	return false;
}

/* Go writes these as \a, \v, \x1b or \U000e0001, which is no JSON. */
static bool
breaks_json(uint32_t c)
{
	return (c < 0x20 && !strchr("\n\r\t\b\f", (int)c)) || c == 0x7F || c >= 0xE0000;
}

/* The same is true of what the Unicode tables of that Go do not know yet, such as new emoji. */
static bool
may_break_json(uint32_t c)
{
	return breaks_json(c) || c > 0xFFFF;
}

bool
argo_survives(const char *text)
{
	return !any_character(text, may_break_json);
}

bool
argo_breaks(const char *text)
{
	return any_character(text, breaks_json);
}

const char *
argo_constant(struct arena *arena, const struct expr *expr)
{
	CLEANUP(buf_release) struct buf buf = { 0 };

	if (expr->kind == EXPR_VALUE && expr->value->kind == VALUE_STRING)
		return expr->value->string.text;
	if (expr->kind == EXPR_VALUE) {
		value_write_plain(&buf, expr->value);
		return arena_strndup(arena, buf_text(&buf), buf.len);
	}
	if (expr->kind != EXPR_CONCAT)
		return NULL;
	for (size_t i = 0; i < expr->n_items; i++) {
		const char *part = argo_constant(arena, expr->items[i]);

		if (!part)
			return NULL;
		buf_puts(&buf, part);
	}
	return arena_strndup(arena, buf_text(&buf), buf.len);
}

static void
find_brace(const struct expr *expr, void *context)
{
	bool *found = context;
	CLEANUP(buf_release) struct buf buf = { 0 };
	const char *text;

	if (expr->kind != EXPR_VALUE || *found)
		return;
	if (expr->value->kind == VALUE_STRING) {
		text = expr->value->string.text;
	} else if (expr->value->kind == VALUE_LIST || expr->value->kind == VALUE_DICT) {
		value_write_plain(&buf, expr->value);
		text = buf_text(&buf);
	} else {
		return;
	}
	*found = strstr(text, "{{") || (*text && text[strlen(text) - 1] == '{');
}

bool
argo_needs_brace(const struct expr *expr)
{
	bool found = false;

	if (expr->kind == EXPR_VALUE)
		find_brace(expr, &found); /* the common case, without the walk */
	else
		expr_walk(expr, find_brace, &found);
	return found;
}

const char *
argo_fact(enum fact fact)
{
	switch (fact) {
	case FACT_RUN_ID:
		return "workflow.uid";
	case FACT_RUN_NAME:
		return "workflow.name";
	case FACT_RUN_NAMESPACE:
		return "workflow.namespace";
	case FACT_RUN_STATUS:
		return "workflow.status";
	case FACT_STEP_ATTEMPT:
		return "retries";
	case FACT_STEP_NAME:
		break;
	}
	return NULL;
}

bool
argo_is_free_text(const struct type *type)
{
	return type->kind != TYPE_INTEGER && type->kind != TYPE_FLOAT && type->kind != TYPE_BOOLEAN;
}

bool
argo_holds_dollars(const struct value *value)
{
	CLEANUP(buf_release) struct buf buf = { 0 };

	if (!value)
		return false;
	value_write_plain(&buf, value);
	return strstr(buf_text(&buf), "$$") || strstr(buf_text(&buf), "$(");
}

/* What is known beforehand of a run's value: a parameter's fallback, the items of a loop. */
static bool
known_to_hold_dollars(const struct argo_site *site, const struct expr *expr)
{
	if (expr->kind == EXPR_PARAM)
		return site->argo->params_with_dollars[expr->index];
	return expr->kind == EXPR_ITEM && site->argo->groups[expr->index].items_with_dollars;
}

static bool
wants_doubling(const struct argo_site *site, const struct expr *expr)
{
	if (site->form == FORM_PLAIN || !argo_is_free_text(expr->type) || expr->kind == EXPR_FACT)
		return false;
	return site->form == FORM_KUBELET_EXACT || known_to_hold_dollars(site, expr);
}

bool
argo_is_reference(const struct expr *expr)
{
	return expr->kind == EXPR_PARAM || expr->kind == EXPR_OUTPUT || expr->kind == EXPR_ITEM || expr->kind == EXPR_FACT;
}

bool
argo_is_gathered(const struct argo_site *site, const struct expr *expr)
{
	size_t home = expr->kind == EXPR_OUTPUT ? site->argo->plan->steps[expr->index].group : 0;

	for (; !argo_group_within(site->argo, site->group, home); home = site->argo->plan->groups[home].parent)
		if (site->argo->plan->groups[home].kind == GROUP_FOR)
			return true;
	return false;
}

static void
write_tag(const struct argo_site *site, struct buf *buf, const struct expr *expr)
{
	struct argo_ref ref = { .index = expr->index, .output = expr->output };
	struct argo_path path;

	buf_puts(buf, "{{");
	if (expr->kind == EXPR_FACT) {
		buf_puts(buf, argo_fact(expr->fact));
	} else {
		ref.kind = expr->kind == EXPR_PARAM ? REF_PARAM : expr->kind == EXPR_ITEM ? REF_ITEM : REF_OUTPUT;
		path = argo_find(site->argo, site->group, &ref);
		argo_path_tag(buf, &path);
	}
	buf_puts(buf, "}}");
}

/* Argo counts the attempts only of what may be tried again. */
static void
write_attempt(const struct argo_site *site, struct buf *buf, const struct expr *expr)
{
	if (site->in_pod)
		buf_puts(buf, site->step->settings->retry.set ? "{{retries}}" : "0");
	else
		argo_refuse(site->argo, expr->span.source ? expr->span : site->span,
			    "`step.attempt` joined with other values, or outside of an argument,",
			    "give `step.attempt` to the step as an argument of its own");
}

static void
write_hole(const struct argo_site *site, struct buf *buf, const struct expr *expr)
{
	bool doubled, exact;

	if (expr->kind == EXPR_FACT && expr->fact == FACT_STEP_ATTEMPT) {
		write_attempt(site, buf, expr);
		return;
	}
	doubled = wants_doubling(site, expr);
	if (argo_is_reference(expr) && !doubled && !argo_is_gathered(site, expr)) {
		write_tag(site, buf, expr);
		return;
	}
	/* A computed text may hold literals with `$`. */
	doubled = doubled || (site->form != FORM_PLAIN && !argo_is_reference(expr) && argo_is_free_text(expr->type));
	exact = doubled && site->form == FORM_KUBELET_EXACT;
	buf_puts(buf, exact ? "{{=sprig.replace('{', '$(" ARGO_BRACE ")', " : "{{=");
	buf_puts(buf, doubled ? "sprig.replace('$', '$$', " : "");
	argo_code_text(site, buf, expr);
	buf_puts(buf, exact ? "))}}" : doubled ? ")}}" : "}}");
}

static void
add_literal(struct stretches *s, const char *text)
{
	struct stretch *last = s->list.n ? &s->list.items[s->list.n - 1] : NULL;

	if (last && last->literal)
		last->literal = arena_printf(s->arena, "%s%s", last->literal, text);
	else
		vec_push(&s->list, ((struct stretch){ .literal = text }));
}

static void
flatten(const struct argo_site *site, const struct expr *expr, struct stretches *s)
{
	const char *constant = argo_constant(s->arena, expr);

	if (constant)
		add_literal(s, constant);
	else if (expr->kind == EXPR_FACT && expr->fact == FACT_STEP_NAME && site->step)
		add_literal(s, site->step->name);
	else if (expr->kind == EXPR_CONCAT)
		for (size_t i = 0; i < expr->n_items; i++)
			flatten(site, expr->items[i], s);
	else
		vec_push(&s->list, ((struct stretch){ .hole = expr }));
}

static void
refuse_braces(const struct argo_site *site, struct span span)
{
	struct diag *diag = diags_add(site->argo->diags, DIAG_L0604, span.source ? span : site->span,
				      "target `%s` cannot keep `{{` in %s", argo_target_name(site->argo), site->what);

	diag_note(site->argo->diags, diag, "Argo takes `{{` for the start of a tag of its own, and has no way to write it literally");
	diag_help(site->argo->diags, diag, "give the text to a step as an argument, or write it in the step's script");
}

const char *
argo_text(const struct argo_site *site, const struct expr *expr)
{
	struct stretches s = { .arena = site->argo->arena };
	CLEANUP(buf_release) struct buf buf = { 0 };

	flatten(site, expr, &s);
	for (size_t i = 0; i < s.list.n; i++) {
		bool before_hole = i + 1 < s.list.n;

		if (s.list.items[i].hole)
			write_hole(site, &buf, s.list.items[i].hole);
		else if (!argo_literal(&buf, s.list.items[i].literal, site->form, before_hole))
			refuse_braces(site, expr->span);
	}
	vec_release(&s.list);
	return arena_strndup(site->argo->arena, buf_text(&buf), buf.len);
}
