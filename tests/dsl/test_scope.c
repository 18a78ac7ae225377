#include "config.h"

#include <malloc.h>
#include <string.h>

#include "dsl/scope.h"
#include "tests/dsl/scope_case.h"
#include "tests/tap.h"

static struct case_resolver no_files;

/* Checks a cell; the code of its first problem goes to *ret_code ("" if none). */
static struct program *
check(struct scope *scope, const char *text, const char **ret_code)
{
	struct source *source = source_new("In[1]", text, strlen(text));
	struct program *program;
	struct diags diags;

	diags_init(&diags);
	program = scope_check(scope, source, &diags);
	*ret_code = diags.n ? diag_info(diags.items[0]->code)->code : "";
	diags_release(&diags);
	source_unref(source);
	return program;
}

static const char *
code_of(struct scope *scope, const char *text)
{
	const char *code;

	program_free(check(scope, text, &code));
	return code;
}

static void
all_or_nothing(void)
{
	struct scope *scope = scope_new(&no_files.base);

	is_str(code_of(scope, "component a() { script sh \"\"\"x\"\"\" }\nx = 5\nprint y"), "L0202", "a cell with an error");
	ok(!scope_lookup(scope, "a") && !scope_lookup(scope, "x"), "declares nothing");
	is_str(code_of(scope, "component a() { script sh \"\"\"x\"\"\" }\nx = 5"), "", "without it");
	ok(scope_lookup(scope, "a") && scope_lookup(scope, "x"), "declares all");
	is_str(code_of(scope, "component a(n: Nope) { script sh \"\"\"y\"\"\" }"), "L0211", "a wrong redefinition");
	is_int((int64_t)scope_lookup(scope, "a")->component->n_inputs, 0, "leaves the old one");
	scope_free(scope);
}

static void
what_is_known(void)
{
	static const char cell[] = "type T = String\n## Doc.\ncomponent a(t: T) -> (o: Integer) { script sh \"\"\"x\"\"\" }\n"
				   "pipeline p() { s = a(\"x\") }\nr = p()\nx = r.s.o\nh = r.s\n";
	static const struct {
		const char *name;
		enum binding_kind kind;
	} want[] = {
		{ "T", BINDING_TYPE }, { "a", BINDING_COMPONENT }, { "p", BINDING_PIPELINE }, { "r", BINDING_RUN },
		{ "x", BINDING_VALUE }, { "h", BINDING_STEP },
	};
	struct scope *scope = scope_new(&no_files.base);
	const struct binding *b;
	size_t at = 0, n = 0;

	is_str(code_of(scope, cell), "", "the cell is right");
	while ((b = scope_next(scope, &at)) && n < ARRAY_LEN(want)) {
		is_str(b->name, want[n].name, "in the order of their declaration");
		is_int(b->kind, want[n].kind, "%s", b->name);
		ok(b->span.source && b->unit, "%s knows its place", b->name);
		n++;
	}
	ok(!b && n == ARRAY_LEN(want), "and no more");
	is_str(scope_lookup(scope, "a")->doc, "Doc.", "its documentation");
	is_str(scope_lookup(scope, "x")->type->name, "Integer", "the type of a bound value");
	scope_forget(scope, "x");
	ok(!scope_lookup(scope, "x") && scope_lookup(scope, "r"), "one name is forgotten");
	scope_forget(scope, NULL);
	at = 0;
	ok(!scope_next(scope, &at), "all names are forgotten");
	is_str(code_of(scope, "y = 1"), "", "and new ones can be declared");
	scope_free(scope);
}

/* A program outlives the scope, and what it names outlives its redefinition. */
static void
held(void)
{
	struct scope *scope = scope_new(&no_files.base);
	const char *code;
	struct program *program;

	is_str(code_of(scope, "component a(x: String) { script sh \"\"\"old\"\"\" }"), "", "a component");
	program = check(scope, "pipeline p() { a(\"x\") }\ncompile p", &code);
	is_str(code_of(scope, "component a(x: String) { script sh \"\"\"new\"\"\" }"), "", "redefined");
	is_str(scope_lookup(scope, "p")->plan->steps[0].component->script, "new", "the pipeline has the new one");
	scope_free(scope);
	is_str(program->actions[0].plan->steps[0].component->script, "old", "the program that was checked before has the old one");
	program_free(program);
}

static void
add_chain(struct buf *text, int n)
{
	buf_puts(text, "component a(x: String = \"k\") -> (y: String) { script sh \"\"\"echo\"\"\" }\npipeline p() {\n    s0 = a()\n");
	for (int i = 1; i < n; i++)
		buf_printf(text, "    s%d = a(s%d.y)\n", i, i - 1);
	buf_puts(text, "}\n");
}

static void
large(void)
{
	struct scope *scope = scope_new(&no_files.base);
	struct buf text = {0};
	const struct plan *plan;

	add_chain(&text, 10000);
	is_str(code_of(scope, buf_text(&text)), "", "one chain of 10,000 steps");
	plan = scope_lookup(scope, "p")->plan;
	is_int((int64_t)plan->n_steps, 10000, "has them all");
	is_int((int64_t)plan->groups[0].children[9999].needs[0], 9998, "each waits for the one before");
	buf_clear(&text);
	add_chain(&text, PLAN_STEPS_MAX + 2);
	is_str(code_of(scope, buf_text(&text)), "L0412", "past the ceiling");
	buf_release(&text);
	scope_free(scope);
}

/* Few lines that mean exponentially much. */
static void
bombs(void)
{
	struct scope *scope = scope_new(&no_files.base);
	struct buf text = {0};

	buf_puts(&text, "component a(x: Integer, s: String = \"\") { script sh \"\"\"echo\"\"\" }\npipeline p(n: Integer) {\n    v0 = n + 1\n");
	for (int i = 1; i < 60; i++)
		buf_printf(&text, "    v%d = v%d + v%d\n", i, i - 1, i - 1);
	buf_puts(&text, "    a(v59)\n}\n");
	is_str(code_of(scope, buf_text(&text)), "L0412", "sums of sums");
	buf_clear(&text);
	buf_puts(&text, "component a(x: String) { script sh \"\"\"echo\"\"\" }\npipeline p() {\n    v0 = \"0123456789\"\n");
	for (int i = 1; i < 60; i++)
		buf_printf(&text, "    v%d = \"{v%d}{v%d}\"\n", i, i - 1, i - 1);
	buf_puts(&text, "    a(v59)\n}\n");
	is_str(code_of(scope, buf_text(&text)), "L0412", "texts of texts");
	buf_clear(&text);
	buf_puts(&text, "component a(x: List) { script sh \"\"\"echo\"\"\" }\npipeline p() {\n    v0 = [1]\n");
	for (int i = 1; i < 60; i++)
		buf_printf(&text, "    v%d = [v%d, v%d]\n", i, i - 1, i - 1);
	buf_puts(&text, "    a(v59)\n}\n");
	is_str(code_of(scope, buf_text(&text)), "L0412", "Lists of Lists");
	buf_clear(&text);
	buf_puts(&text, "component a(x: Integer) { script sh \"\"\"echo\"\"\" }\npipeline p(n: Integer) {\n    v0 = n\n");
	for (int i = 1; i < 5000; i++)
		buf_printf(&text, "    v%d = v%d + 1\n", i, i - 1);
	buf_puts(&text, "    a(v4999)\n}\n");
	is_str(code_of(scope, buf_text(&text)), "L0412", "one sum of 5,000 levels");
	buf_release(&text);
	scope_free(scope);
}

static void
nesting(void)
{
	struct scope *scope = scope_new(&no_files.base);
	struct buf text = {0};

	buf_puts(&text, "component a() { script sh \"\"\"echo\"\"\" }\npipeline p(q: Boolean) {\n");
	for (int i = 0; i < PLAN_GROUP_DEPTH_MAX + 1; i++)
		buf_puts(&text, "if q {\n");
	buf_puts(&text, "a()\n");
	for (int i = 0; i < PLAN_GROUP_DEPTH_MAX + 1; i++)
		buf_puts(&text, "}\n");
	buf_puts(&text, "}\n");
	is_str(code_of(scope, buf_text(&text)), "L0412", "branches nest so deep and no deeper");
	buf_release(&text);
	scope_free(scope);
}

static size_t
bytes_in_use(void)
{
#ifdef __GLIBC__
	return mallinfo2().uordblks;
#else
	return 0;
#endif
}

static void
redefine(struct scope *scope, int times)
{
	static const char *const cells[] = {
		("type T = String\ncomponent a(x: T = \"k\") -> (y: String) { script sh \"\"\"echo\"\"\" }\n"
		 "pipeline p(q: Boolean) {\n s = a()\n t = a(\"{s}\")\n if q { a(\"{t}\") } else { a() }\n for z in [1] { a(\"{z}\") }\n}\n"),
		"r = p(true)\nx = r.s.y\ny = [x, x]",
		"component a(x: String = \"k\") -> (y: String) { script sh \"\"\"echo\"\"\" }",
		"component a(x: Integer) { script sh \"\"\"echo\"\"\" }", /* breaks p */
		"p",
		"print nothing",
	};

	for (int i = 0; i < times; i++)
		for (size_t c = 0; c < ARRAY_LEN(cells); c++)
			code_of(scope, cells[c]);
}

static void
growth(void)
{
	struct scope *scope = scope_new(&no_files.base);
	size_t before;

	redefine(scope, 20);
	before = bytes_in_use();
	redefine(scope, 1000);
	if (before)
		ok(bytes_in_use() < before + 32 * 1024, "redefining the same things again and again needs no memory: %zu bytes, then %zu",
			before, bytes_in_use()); /* the allocator keeps a little for itself */
	else
		skip(1, "this C library does not say how much memory is in use");
	scope_free(scope);
}

int
main(void)
{
	case_resolver_init(&no_files, NULL);
	all_or_nothing();
	what_is_known();
	held();
	large();
	bombs();
	nesting();
	growth();
	return done_testing();
}
