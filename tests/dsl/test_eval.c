#include "config.h"

#include <string.h>

#include "dsl/eval.h"
#include "dsl/scope.h"
#include "tests/tap.h"

/* Expressions are read as a cell that binds them, so that the tree is the checker's. `null_` has no value, `n` is 7, `s` is
 * "text", `l` is [1, 2, 3], `d` is {"k": 5}, `f` is 2.5, `t` is true. */
static const struct {
	const char *program, *want; /* JSON, or the beginning of the error */
} cases[] = {
	{ "n + 1", "8" }, { "n - 10", "-3" }, { "n * 2", "14" }, { "n / 2", "3.5" }, { "n % 4", "3" }, { "-n % 4", "-3" },
	{ "n / 0", "division by zero" }, { "n % 0", "division by zero" }, { "f / 0", "division by zero" },
	{ "n + f", "9.5" }, { "n * 9223372036854775807", "the result of `*` does not fit" }, { "-n", "-7" },
	{ "(-9223372036854775807 - n) ", "the result of `-` does not fit" },
	{ "s + \"!\"", "\"text!\"" }, { "l + [4]", "[1,2,3,4]" }, { "\"{s} {n} {f} {t} {l} {d}\"", "\"text 7 2.5 true [1,2,3] {\\\"k\\\":5}\"" },
	{ "n == 7", "true" }, { "n == 7.0", "true" }, { "n != 7", "false" }, { "s == \"text\"", "true" },
	{ "n < 8", "true" }, { "n <= 6", "false" }, { "f > 2", "true" }, { "f >= 3", "false" }, { "s < \"u\"", "true" },
	{ "2 in l", "true" }, { "5 not in l", "true" }, { "\"ex\" in s", "true" }, { "\"k\" in d", "true" },
	{ "t and n == 7", "true" }, { "not t", "false" }, { "t or n / 0 > 1", "true" }, { "not t and n / 0 > 1", "false" },
	{ "null_ ?? 5", "5" }, { "n ?? l[9]", "7" }, { "d[\"none\"] ?? \"x\"", "\"x\"" }, { "d[\"k\"]", "5" },
	{ "l[0]", "1" }, { "l[3]", "index 3 is outside a List of 3" }, { "l[-1]", "index -1 is outside" },
	{ "len(l)", "3" }, { "len(d)", "1" }, { "len(\"h\xc3\xa9llo\")", "5" }, { "len(s)", "4" },
	{ "range(3)", "[0,1,2]" }, { "range(1, 4)", "[1,2,3]" }, { "range(4, 0, -2)", "[4,2]" }, { "range(0, 1, 0)", "the step of `range` is zero" },
	{ "range(5, 1)", "[]" }, { "range(n * 1000000)", "`range` would have more than" },
	{ "range(-9223372036854775807, 9223372036854775807, 9223372036854775807)", "[-9223372036854775807,0]" },
	{ "\"{null_}\"", "a text cannot be made of" }, { "null_ + 1", "an operand of `+` has no value" },
	{ "null_ == null", "true" }, { "null_ == 5", "false" }, { "not null_", "an operand of `not` has no value" },
	{ "[n, s, {a: t}]", "[7,\"text\",{\"a\":true}]" }, { "1 - 2 - 3", "-4" }, { "2 + 3 * 4", "14" }, { "(2 + 3) * 4", "20" },
};

static const struct value *
lookup(void *context, struct arena *arena, const struct expr *expr, struct error *err)
{
	const struct value *values = context;
	const struct value *found;

	(void)arena;
	if (expr->kind != EXPR_VARIABLE) {
		error_set(err, "not a variable");
		return NULL;
	}
	found = value_get(values, expr->path[0]);
	if (!found)
		error_set(err, "no value");
	return found;
}

static struct program *
check(struct scope *scope, const char *text)
{
	struct source *source = source_new("test", text, strlen(text));
	struct program *program;
	struct diags diags;

	diags_init(&diags);
	program = scope_check(scope, source, &diags);
	if (!program)
		tap_note("%s: %s", text, diags.n ? diags.items[0]->message : "?");
	diags_release(&diags);
	source_unref(source);
	return program;
}

static void
run(struct scope *scope, const struct value *values, size_t i)
{
	struct arena *arena = arena_new();
	struct eval_env env = { .lookup = lookup, .context = (void *)(uintptr_t)values };
	struct program *program = check(scope, cases[i].program);
	const struct value *v;
	struct error err = { "" };
	struct buf buf = {0};

	if (ok(program && program->n_actions == 1, "%s is right", cases[i].program)) {
		v = eval_expr(arena, program->actions[0].expr, &env, &err);
		if (v)
			value_write_json(&buf, v);
		if (v || strncmp(err.text, cases[i].want, strlen(cases[i].want)))
			is_str(v ? buf_text(&buf) : err.text, cases[i].want, "%s", cases[i].program);
		else
			ok(true, "%s: %s", cases[i].program, err.text);
	}
	buf_release(&buf);
	program_free(program);
	arena_free(arena);
}

/* ---- text from outside ---- */

static const struct {
	const char *type, *text, *want;
} parsed[] = {
	{ "Integer", "42", "42" }, { "Integer", "-7", "-7" }, { "Integer", "4.0", NULL }, { "Integer", " 4", NULL },
	{ "Integer", "", NULL }, { "Integer", "0x10", NULL }, { "Integer", "9223372036854775808", NULL }, { "Integer", "+5", "5" },
	{ "Float", "0.5", "0.5" }, { "Float", "3e-4", "0.0003" }, { "Float", "7", "7.0" }, { "Float", "nan", NULL },
	{ "Float", "inf", NULL }, { "Float", "1e999", NULL }, { "Boolean", "true", "true" }, { "Boolean", "false", "false" },
	{ "Boolean", "True", NULL }, { "List", "[1,2]", "[1,2]" }, { "List", "{}", NULL }, { "Dict", "{\"a\":1}", "{\"a\":1}" },
	{ "Dict", "x", NULL }, { "String", "anything\n", "\"anything\\n\"" }, { "String", "\xff", NULL }, { "GCSPath", "gs://x", "\"gs://x\"" },
};

static void
parse_all(void)
{
	for (size_t i = 0; i < ARRAY_LEN(parsed); i++) {
		struct arena *arena = arena_new();
		struct error err = { "" };
		const struct value *v = eval_parse(arena, parsed[i].text, strlen(parsed[i].text), type_predeclared(parsed[i].type), &err);
		struct buf buf = {0};

		if (v)
			value_write_json(&buf, v);
		is_str(v ? buf_text(&buf) : NULL, parsed[i].want, "`%s` as %s", parsed[i].text, parsed[i].type);
		ok((v != NULL) == !*err.text, "`%s` as %s: a sentence when it is none: %s", parsed[i].text, parsed[i].type, err.text);
		buf_release(&buf);
		arena_free(arena);
	}
}

int
main(void)
{
	static const char json[] = "{\"null_\":null,\"n\":7,\"s\":\"text\",\"l\":[1,2,3],\"d\":{\"k\":5},\"f\":2.5,\"t\":true}";
	struct arena *arena = arena_new();
	struct scope *scope = scope_new(NULL);
	const struct value *values = value_read_json(arena, json, strlen(json), NULL);

	program_free(check(scope, "d = {k: 5}"));
	program_free(check(scope, "n = 7\ns = \"text\"\nl = [1, 2, 3]\nf = 2.5\nt = true\nnull_ = d[\"nothing\"]"));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		run(scope, values, i);
	parse_all();
	scope_free(scope);
	arena_free(arena);
	return done_testing();
}
