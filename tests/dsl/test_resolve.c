/* Parts to arguments. A component is built by hand: inputs a (required), o (optional), f (by file), s (Secret); output out. */
#include "config.h"

#include <string.h>

#include "base/arena.h"
#include "dsl/resolve.h"
#include "tests/tap.h"

enum { A, O, F, S };

static const struct type type_string = { .kind = TYPE_STRING, .name = "String" };
static const struct type type_file = { .kind = TYPE_ARTIFACT, .name = "Artifact" };
static const struct type type_secret = { .kind = TYPE_SECRET, .name = "Secret" };

static const struct port inputs[] = {
	[A] = { .name = "a", .id = "a", .type = &type_string },
	[O] = { .name = "o", .id = "o", .type = &type_string, .optional = true },
	[F] = { .name = "f", .id = "f", .type = &type_file, .passing = PASS_FILE, .optional = true },
	[S] = { .name = "s", .id = "s", .type = &type_secret, .optional = true },
};

static const struct port outputs[] = { { .name = "the out", .id = "the_out", .type = &type_string } };

/* Texts of the inputs; NULL: not given; "?": given, but only the run knows. */
struct given {
	const char *texts[4];
};

static bool
given(void *context, size_t input)
{
	return ((struct given *)context)->texts[input] != NULL;
}

static const char *
text(void *context, size_t input)
{
	const char *t = ((struct given *)context)->texts[input];

	return strcmp(t, "?") ? t : NULL;
}

static int
write_piece(void *context, struct buf *buf, const struct piece *piece, struct error *err)
{
	static const char *const words[] = {
		[PIECE_INPUT_VALUE] = "value",	  [PIECE_INPUT_SECRET] = "secret", [PIECE_INPUT_PATH] = "path",
		[PIECE_OUTPUT_PATH] = "out-path", [PIECE_INPUT_URI] = "uri",	   [PIECE_OUTPUT_URI] = "out-uri",
		[PIECE_FACT] = "fact",
	};

	(void)context;
	(void)err;
	if (piece->kind == PIECE_TEXT)
		buf_puts(buf, piece->text);
	else
		buf_printf(buf, "{%s %zu}", words[piece->kind], piece->index);
	return 0;
}

#define TEXT(t) { .kind = PART_TEXT, .text = t }
#define VALUE(i) { .kind = PART_INPUT, .index = i }
#define PATH(i) { .kind = PART_INPUT_PATH, .index = i }
#define OUT { .kind = PART_OUTPUT_PATH }
#define IF(c, t, e) \
	{ .kind = PART_IF, .condition = c, .parts = t, .n_parts = ARRAY_LEN(t), .else_parts = e, .n_else_parts = ARRAY_LEN(e) }
#define CONCAT(p) { .kind = PART_CONCAT, .parts = p, .n_parts = ARRAY_LEN(p) }

static const struct part has_o = { .kind = PART_IS_PRESENT, .index = O };
static const struct part when_o = VALUE(O);
static const struct part when_yes = TEXT("Yes"), when_empty = TEXT(""), when_maybe = TEXT("maybe");
static const struct part then_flag[] = { TEXT("--o"), VALUE(O) };
static const struct part else_none[] = { TEXT("--no-o") };
static const struct part pieces[] = { TEXT("x="), TEXT("<"), VALUE(O), TEXT(""), TEXT(">"), TEXT("!") };
static const struct part nested[] = { TEXT("["), IF(&has_o, then_flag, else_none), TEXT("]") };
static const struct part inner[] = { IF(&has_o, then_flag, else_none), TEXT("z") };
static const struct part no_parts[] = { VALUE(O) };

struct resolve_case {
	const char *name;
	struct part args[4];
	size_t n;
	struct given given;
	const char *want; /* arguments in <>, or the error */
};

static const struct resolve_case cases[] = {
	{ "a value", { TEXT("--a"), VALUE(A) }, 2, { { "1" } }, "<--a><{value 0}>" },
	{ "a required input without a value", { VALUE(A) }, 1, { { NULL } },
	  "no value is given for the input `a` of `thing`" },
	{ "an omitted input vanishes, its flag stays", { TEXT("--o"), VALUE(O), TEXT("end") }, 3, { { "1" } }, "<--o><end>" },
	{ "a given optional input", { VALUE(O) }, 1, { { "1", "" } }, "<{value 1}>" },
	{ "by file, whatever the part says", { VALUE(F), PATH(F) }, 2, { { "1", NULL, "?" } }, "<{path 2}><{path 2}>" },
	{ "a file made of a value", { PATH(A) }, 1, { { "1" } }, "<{path 0}>" },
	{ "an omitted file", { PATH(F), TEXT("x") }, 2, { { "1" } }, "<x>" },
	{ "a secret", { VALUE(S) }, 1, { { "1", NULL, NULL, "?" } }, "<{secret 3}>" },
	{ "an output", { TEXT("--out"), OUT }, 2, { { "1" } }, "<--out><{out-path 0}>" },
	{ "uris", { { .kind = PART_INPUT_URI, .index = A }, { .kind = PART_OUTPUT_URI } }, 2, { { "1" } },
	  "<{uri 0}><{out-uri 0}>" },
	{ "a fact", { { .kind = PART_FACT, .fact = FACT_RUN_ID } }, 1, { { "1" } }, "<{fact 0}>" },
	{ "presence as an argument", { { .kind = PART_IS_PRESENT, .index = O } }, 1, { { "1" } }, "<False>" },
	{ "the empty text stays", { TEXT(""), TEXT("x") }, 2, { { "1" } }, "<><x>" },
	{ "if present", { IF(&has_o, then_flag, else_none) }, 1, { { "1", "?" } }, "<--o><{value 1}>" },
	{ "if not present", { IF(&has_o, then_flag, else_none) }, 1, { { "1" } }, "<--no-o>" },
	{ "if a text", { IF(&when_yes, else_none, then_flag) }, 1, { { "1" } }, "<--no-o>" },
	{ "if the empty text", { IF(&when_empty, then_flag, else_none) }, 1, { { "1" } }, "<--no-o>" },
	{ "if neither", { IF(&when_maybe, then_flag, else_none) }, 1, { { "1" } },
	  "the condition `maybe` is neither true nor false" },
	{ "if a value that holds", { IF(&when_o, then_flag, else_none) }, 1, { { "1", "TRUE" } }, "<--o><{value 1}>" },
	{ "if a value that does not", { IF(&when_o, then_flag, else_none) }, 1, { { "1", "off" } }, "<--no-o>" },
	{ "if a value that is not given", { IF(&when_o, then_flag, else_none) }, 1, { { "1" } }, "<--no-o>" },
	{ "if a value of the run", { IF(&when_o, then_flag, else_none) }, 1, { { "1", "?" } },
	  "whether to take these arguments depends on the input `o`, which only the run will know" },
	{ "if a value that is neither", { IF(&when_o, then_flag, else_none) }, 1, { { "1", "2" } },
	  "the input `o` decides about arguments of `thing`, and `2` is neither true nor false" },
	{ "concat", { CONCAT(pieces) }, 1, { { "1", "?" } }, "<x=<{value 1}>!>" },
	{ "concat without the optional input", { CONCAT(pieces) }, 1, { { "1" } }, "<x=<>!>" },
	{ "concat of nothing is the empty text", { CONCAT(no_parts) }, 1, { { "1" } }, "<>" },
	{ "if within concat", { CONCAT(nested) }, 1, { { "1", "?" } }, "<[--o{value 1}]>" },
	{ "if within if", { IF(&has_o, inner, else_none) }, 1, { { "1", "?" } }, "<--o><{value 1}><z>" },
	{ "what nothing can fill", { { .kind = PART_RAW_PLACEHOLDER, .text = "{executorInput}", .index = SIZE_MAX } }, 1,
	  { { "1" } }, "`{executorInput}` of `thing` can only be filled in by Kubeflow Pipelines 2" },
	{ "what nothing can fill, of an omitted input",
	  { { .kind = PART_RAW_PLACEHOLDER, .text = "{inputMetadata: o}", .index = O }, TEXT("x") }, 2, { { "1" } }, "<x>" },
};

static void
write_args(struct buf *buf, const struct resolved_arg *args, size_t n)
{
	struct error err;

	for (size_t i = 0; i < n; i++) {
		buf_putc(buf, '<');
		resolved_arg_write(buf, &args[i], write_piece, NULL, &err);
		buf_putc(buf, '>');
	}
}

static bool
texts_are_joined(const struct resolved_arg *args, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 1; j < args[i].n; j++)
			if (args[i].pieces[j].kind == PIECE_TEXT && args[i].pieces[j - 1].kind == PIECE_TEXT)
				return false;
	return true;
}

static void
check_case(const struct resolve_case *c)
{
	struct component component = { .name = "thing", .inputs = inputs, .n_inputs = 4, .outputs = outputs, .n_outputs = 1,
				       .args = c->args, .n_args = c->n };
	struct given known = c->given;
	struct resolve_inputs ask = { given, text, &known };
	struct arena *arena = arena_new();
	struct resolved resolved;
	struct span span;
	struct error err;
	CLEANUP(buf_release) struct buf got = { 0 };

	if (resolve_component(arena, &component, &ask, &resolved, &span, &err))
		buf_puts(&got, err.text);
	else
		write_args(&got, resolved.args, resolved.n_args);
	is_str(buf_text(&got), c->want, "%s", c->name);
	ok(texts_are_joined(resolved.args, resolved.n_args), "%s: no two texts side by side", c->name);
	arena_free(arena);
}

static void
check_env_and_uses(void)
{
	static const struct component_env env[] = { { "GONE", VALUE(O) }, { "KEPT", VALUE(A) }, { "FILE", PATH(A) } };
	static const struct part command[] = { TEXT("run"), OUT };
	struct component component = { .name = "thing", .inputs = inputs, .n_inputs = 4, .outputs = outputs, .n_outputs = 1,
				       .command = command, .n_command = 2, .env = env, .n_env = 3 };
	struct given known = { { "1", NULL, NULL, NULL } };
	struct resolve_inputs ask = { given, text, &known };
	struct arena *arena = arena_new();
	struct resolved resolved;
	struct span span;
	struct error err;

	is_int(resolve_component(arena, &component, &ask, &resolved, &span, &err), 0, "env resolves");
	is_int((int64_t)resolved.n_command, 2, "the command has two arguments");
	is_int((int64_t)resolved.n_env, 2, "a variable of an omitted input is left out");
	is_str(resolved.env[0].name, "KEPT", "the next one stays");
	ok(resolved.input_value[A] && resolved.input_path[A], "wanted both ways");
	ok(!resolved.input_value[O] && !resolved.input_path[O], "what is not given is not wanted");
	ok(resolved.output_path[0], "the output is wanted");
	arena_free(arena);
}

int
main(void)
{
	struct component component = { .inputs = inputs, .n_inputs = 4, .outputs = outputs, .n_outputs = 1 };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_case(&cases[i]);
	check_env_and_uses();
	is_int((int64_t)component_input(&component, "f"), F, "an input by name");
	is_int((int64_t)component_output(&component, "the_out"), 0, "an output by its id");
	ok(component_output(&component, "a") == SIZE_MAX, "no such output");
	return done_testing();
}
