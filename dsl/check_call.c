#include "config.h"

#include "dsl/check.h"

#include <stdint.h>
#include <string.h>

void
callee_of_component(struct arena *arena, const char *name, const struct component *component, struct callee *ret)
{
	struct callee_input *inputs = arena_alloc(arena, (component->n_inputs + 1) * sizeof(*inputs));

	for (size_t i = 0; i < component->n_inputs; i++) {
		const struct port *p = &component->inputs[i];

		inputs[i] = (struct callee_input){
			.name = p->name,
			.id = p->id,
			.type = p->type,
			.needed = !p->optional && !p->fallback && !p->secret_fallback,
			.optional = p->optional,
			.span = p->span,
		};
	}
	*ret = (struct callee){ .name = name, .kind = "component", .inputs = inputs, .n_inputs = component->n_inputs };
}

void
callee_of_plan(struct arena *arena, const struct plan *plan, struct callee *ret)
{
	struct callee_input *inputs = arena_alloc(arena, (plan->n_params + 1) * sizeof(*inputs));

	for (size_t i = 0; i < plan->n_params; i++) {
		const struct plan_param *p = &plan->params[i];

		inputs[i] = (struct callee_input){
			.name = p->name,
			.id = p->name,
			.type = p->type,
			.needed = !p->fallback && !p->secret,
			.span = p->span,
		};
	}
	*ret = (struct callee){ .name = plan->name, .kind = "pipeline", .inputs = inputs, .n_inputs = plan->n_params };
}

static const char *const *
std_names(struct check *check, size_t *ret_n)
{
	VEC(const char *) found = {0};
	const struct binding *b;
	const char *const *result;
	size_t at = 0;

	while ((b = scope_std_next(check->scope, &at)))
		vec_push(&found, b->name);
	result = arena_copy(check->arena, found.items, found.n * sizeof(*found.items));
	*ret_n = found.n;
	vec_release(&found);
	return result;
}

void
unknown_callee(struct check *check, struct span span, const char *text, const char *what, unsigned kinds)
{
	const char *std_error = strncmp(text, "std.", 4) ? NULL : scope_std_error(check->scope);
	const char *const *known;
	struct diag *d;
	size_t n;

	if (check->torn)
		return;
	d = diags_add(check->diags, DIAG_L0203, span, "no %s named `%s`", what, text);
	if (std_error)
		diag_note(check->diags, d, "the components that ship with Lateen cannot be read: %s", std_error);
	if (check->diags->n_errors > DIAGS_MAX)
		return;
	if (!strchr(text, '.') && strcmp(what, "pipeline") && check_lookup(check, arena_printf(check->arena, "std.%s", text))) {
		diag_help(check->diags, d, "one with this name ships with Lateen: `std.%s`", text);
		diag_fix(check->diags, d, span, FIX_LIKELY, arena_printf(check->arena, "std.%s", text));
		return;
	}
	known = strncmp(text, "std.", 4) ? check_known(check, kinds, &n) : std_names(check, &n);
	diag_near(check->diags, d, what, span, text, known, n);
}

static size_t
find_input(const struct callee *callee, const char *name)
{
	for (size_t i = 0; i < callee->n_inputs; i++)
		if (!strcmp(callee->inputs[i].name, name))
			return i;
	for (size_t i = 0; i < callee->n_inputs; i++)
		if (!strcmp(callee->inputs[i].id, name))
			return i;
	return SIZE_MAX;
}

static void
unknown_input(struct check *check, const struct callee *callee, const struct ast_name *name)
{
	const char **names = arena_alloc(check->arena, (callee->n_inputs + 1) * sizeof(*names));
	struct diag *d = diags_add(check->diags, DIAG_L0205, name->span, "%s `%s` has no input `%s`", callee->kind, callee->name,
		name->text);

	for (size_t i = 0; i < callee->n_inputs; i++)
		names[i] = callee->inputs[i].id;
	diag_near(check->diags, d, "input", name->span, name->text, names, callee->n_inputs);
	if (!callee->n_inputs)
		diag_note(check->diags, d, "`%s` has no inputs at all", callee->name);
}

/* ---- which argument is for which input ---- */

struct binder {
	struct check *check;
	const struct callee *callee;
	const struct ast_entry **given; /* per input */
	bool good;
};

static void
bind(struct binder *b, size_t input, const struct ast_entry *entry, struct span span)
{
	struct diag *d;

	if (!b->given[input]) {
		b->given[input] = entry;
		return;
	}
	d = diags_add(b->check->diags, DIAG_L0304, span, "the input `%s` is given twice", b->callee->inputs[input].id);
	diag_label(b->check->diags, d, b->given[input]->value->span, "first given here");
	b->good = false;
}

/* Named arguments and bare names that equal an input find their place first: they mean that input wherever they stand. */
static size_t
input_meant(const struct callee *callee, const struct ast_entry *entry)
{
	if (entry->key.text)
		return find_input(callee, entry->key.text);
	if (entry->value && entry->value->kind == AST_NAME)
		return find_input(callee, entry->value->name.text);
	return SIZE_MAX;
}

static void
bind_positional(struct binder *b, const struct ast_expr *call, const size_t *meant)
{
	const struct ast_entry *named = NULL;
	size_t next = 0;
	struct diag *d;

	for (size_t i = 0; i < call->n_entries; i++) {
		const struct ast_entry *entry = &call->entries[i];

		if (entry->key.text)
			named = named ? named : entry;
		if (entry->key.text || meant[i] != SIZE_MAX || !entry->value)
			continue;
		if (named) {
			d = diags_add(b->check->diags, DIAG_L0306, entry->value->span, "an argument without a name follows a named one");
			diag_label(b->check->diags, d, named->key.span, "named here");
			b->good = false;
			continue;
		}
		while (next < b->callee->n_inputs && b->given[next])
			next++;
		if (next < b->callee->n_inputs) {
			bind(b, next, entry, entry->value->span);
			continue;
		}
		diags_add(b->check->diags, DIAG_L0305, entry->value->span, "%s `%s` takes %zu argument%s, and no further one",
			b->callee->kind, b->callee->name, b->callee->n_inputs, b->callee->n_inputs == 1 ? "" : "s");
		b->good = false;
		return;
	}
}

static void
bind_all(struct binder *b, const struct ast_expr *call)
{
	size_t *meant = arena_alloc(b->check->arena, (call->n_entries + 1) * sizeof(*meant));

	for (size_t i = 0; i < call->n_entries; i++) {
		const struct ast_entry *entry = &call->entries[i];

		meant[i] = input_meant(b->callee, entry);
		if (meant[i] != SIZE_MAX && entry->value)
			bind(b, meant[i], entry, entry->key.text ? entry->key.span : entry->value->span);
		if (entry->key.text && meant[i] == SIZE_MAX) {
			unknown_input(b->check, b->callee, &entry->key);
			b->good = false;
		}
	}
	bind_positional(b, call, meant);
}

static void
complain_of_missing(struct binder *b, const struct ast_expr *call)
{
	struct buf names = { .max = 2000 };
	const struct callee_input *first = NULL;
	struct diag *d;
	size_t n = 0;

	for (size_t i = 0; i < b->callee->n_inputs; i++) {
		const struct callee_input *in = &b->callee->inputs[i];

		if (b->given[i] || !in->needed)
			continue;
		first = first ? first : in;
		buf_printf(&names, "%s`%s`", n++ ? ", " : "", in->id);
	}
	if (first && b->good) {
		d = diags_add(b->check->diags, DIAG_L0303, call->a ? call->a->span : call->span, "%s `%s` needs %s", b->callee->kind,
			b->callee->name, buf_text(&names));
		if (first->span.source)
			diag_label(b->check->diags, d, first->span, "`%s` is declared here, without a default", first->id);
		diag_help(b->check->diags, d, "give %s: `%s: …`", n == 1 ? "it" : "them", first->id);
	}
	/* with another complaint about this call, what looks missing may be what was meant */
	if (first)
		b->good = false;
	buf_release(&names);
}

/* ---- does it fit ---- */

/* A text literal fits Strings and their aliases, and braces put any value into one. */
static void
help_with_text(struct check *check, struct diag *d, const struct expr *arg, const struct type *want)
{
	const char *text = arg->span.source ? arg->span.source->text + arg->span.start : "";
	size_t len = arg->span.end - arg->span.start;
	const char *fix;

	if (!len || len > 40 || memchr(text, '"', len) || memchr(text, '{', len) || memchr(text, '}', len) || memchr(text, '\n', len)) {
		diag_help(check->diags, d, "a text literal fits `%s`, and can hold any value in braces", want->name);
		return;
	}
	fix = arena_printf(check->arena, "\"{%.*s}\"", (int)len, text);
	diag_help(check->diags, d, "a text literal fits `%s`: write `%s`", want->name, fix);
	diag_fix(check->diags, d, arg->span, FIX_LIKELY, fix);
}

static void
help_with_misfit(struct check *check, struct diag *d, const struct expr *arg, const struct type *want)
{
	const char *text = arg->kind == EXPR_VALUE ? value_text(arg->value) : NULL;

	if (text && want->kind != TYPE_STRING && want->kind != TYPE_OPAQUE && strlen(text) < 40 &&
		(type_is_number(want) || want->kind == TYPE_BOOLEAN) && *text && strspn(text, "0123456789.+-eEtrufals") == strlen(text))
		diag_help(check->diags, d, "without quotes it is a value: `%s`", text);
	else if ((want->kind == TYPE_STRING || type_fits(arg->type, want) == TYPE_IF_LITERAL) && arg->type->kind != TYPE_SECRET &&
		!type_is_file(arg->type))
		help_with_text(check, d, arg, want);
	else if (want->kind == TYPE_SECRET)
		diag_help(check->diags, d, "a Secret is given as `secret(\"name\", \"key\")`");
}

static void
misfit(struct check *check, const struct callee *callee, const struct callee_input *in, const struct expr *arg)
{
	const char *have = type_text(check->arena, arg->type), *want = type_text(check->arena, in->type);
	struct diag *d = diags_add(check->diags, DIAG_L0301, arg->span, "%s does not fit the input `%s` of `%s`, which is %s", have,
		in->id, callee->name, want);

	diag_primary(check->diags, d, "%s", have);
	if (in->span.source)
		diag_label(check->diags, d, in->span, "`%s` is declared here: %s", in->id, want);
	if (arg->origin.source)
		diag_label(check->diags, d, arg->origin, "the value is declared here: %s", have);
	help_with_misfit(check, d, arg, in->type);
}

static bool
refuse_secret(struct check *check, const struct callee *callee, const struct callee_input *in, const struct expr *arg)
{
	struct diag *d = diags_add(check->diags, DIAG_L0310, arg->span, "a Secret cannot be given to the input `%s` of `%s`, which is %s",
		in->id, callee->name, type_text(check->arena, in->type));

	if (in->span.source)
		diag_label(check->diags, d, in->span, "declared here");
	diag_help(check->diags, d, "declare the input as `Secret`");
	return false;
}

bool
check_arg_fits(struct check *check, const struct callee *callee, size_t input, const struct expr *arg, bool files_by_path)
{
	const struct callee_input *in = &callee->inputs[input];

	if (arg->type->kind == TYPE_SECRET && in->type->kind != TYPE_SECRET)
		return refuse_secret(check, callee, in, arg);
	if (arg->type->kind == TYPE_NULL) {
		struct diag *d = diags_add(check->diags, DIAG_L0318, arg->span, "`null` cannot be given to the input `%s`", in->id);

		if (in->optional)
			diag_help(check->diags, d, "`%s` is optional: leave it out", in->id);
		return false;
	}
	if (type_is_file(in->type) && !type_is_file(arg->type)) {
		if (files_by_path && (arg->type->kind == TYPE_STRING || arg->type->kind == TYPE_ANY))
			return true;
		if (arg->type->kind == TYPE_SECRET || files_by_path) {
			misfit(check, callee, in, arg);
			return false;
		}
		check_later(check, arg->span, "a value given to the file input `%s`", in->id);
		return false;
	}
	if (type_is_file(arg->type) && !type_is_file(in->type) && in->type->kind != TYPE_ANY && in->type->kind != TYPE_OPAQUE) {
		if (in->type->kind == TYPE_SECRET)
			misfit(check, callee, in, arg);
		else
			check_later(check, arg->span, "a file (%s) used as the value of the input `%s`", arg->type->name, in->id);
		return false;
	}
	if (expr_fits(arg, in->type))
		return true;
	misfit(check, callee, in, arg);
	return false;
}

bool
check_args(struct expr_check *x, const struct callee *callee, const struct ast_expr *call, bool files_by_path,
	   const struct expr **ret)
{
	struct binder b = {
		.check = x->check,
		.callee = callee,
		.given = arena_alloc(x->arena, (callee->n_inputs + 1) * sizeof(*b.given)),
		.good = true,
	};

	bind_all(&b, call);
	complain_of_missing(&b, call);
	for (size_t i = 0; i < callee->n_inputs; i++) {
		ret[i] = b.given[i] ? check_expr(x, b.given[i]->value) : NULL;
		if (b.given[i] && (!ret[i] || !check_arg_fits(x->check, callee, i, ret[i], files_by_path)))
			b.good = false;
	}
	return b.good;
}
