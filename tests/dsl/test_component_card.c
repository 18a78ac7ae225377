/* Cards of components, as text and as HTML (tests/dsl/component_card.cases), and as JSON. */
#include "config.h"

#include <string.h>

#include "base/arena.h"
#include "dsl/component_card.h"
#include "dsl/component_json.h"
#include "dsl/component_yaml.h"
#include "tests/cases.h"
#include "tests/tap.h"

static void
check_case(struct case_file *file, struct test_case *test)
{
	const char *yaml = case_text(test, "yaml");
	struct source *source = source_new("x.yaml", yaml, strlen(yaml));
	struct unit *unit = unit_new(source);
	CLEANUP(buf_release) struct buf text = { 0 }, html = { 0 }, json = { 0 }, bundle = { 0 };
	const struct component *component;
	struct diags diags;
	struct error err;

	diags_init(&diags);
	component = component_from_yaml(unit, "thing", NULL, &diags);
	if (ok(component, "%s: is a component", test->name)) {
		component_card_text(&text, component);
		component_card_html(&html, component);
		value_write_json_pretty(&json, component_json(unit->arena, component), 2);
		component_write_bundle(&bundle, component);
		ok(value_read_json(unit->arena, bundle.data, bundle.len, &err), "%s: the bundle is JSON", test->name);
	}
	case_is(file, test, "text", text.data, text.len);
	case_is(file, test, "html", html.data, html.len);
	case_is(file, test, "json", json.data, json.len);
	diags_release(&diags);
	unit_unref(unit);
	source_unref(source);
}

/* One that no file declares: its parts are written in a component file's words. */
static void
check_declared(void)
{
	static const struct port inputs[] = {
		{ .name = "steps", .id = "steps", .type = &TYPE_OF_INTEGER },
		{ .name = "data", .id = "data", .type = &TYPE_OF_ARTIFACT, .passing = PASS_FILE, .optional = true },
	};
	static const struct port outputs[] = { { .name = "model", .id = "model", .type = &TYPE_OF_ARTIFACT, .produced = true } };
	static const struct part given = { .kind = PART_IS_PRESENT, .index = 1 };
	static const struct part then[] = { { .kind = PART_TEXT, .text = "--data" }, { .kind = PART_INPUT, .index = 1 } };
	static const struct part name[] = { { .kind = PART_TEXT, .text = "run-" }, { .kind = PART_FACT, .fact = FACT_RUN_ID } };
	static const struct part args[] = {
		{ .kind = PART_INPUT, .index = 0 },
		{ .kind = PART_OUTPUT_PATH, .index = 0 },
		{ .kind = PART_IF, .condition = &given, .parts = then, .n_parts = 2 },
		{ .kind = PART_CONCAT, .parts = name, .n_parts = 2 },
	};
	struct component component = { .name = "train", .kind = COMPONENT_PROCESS, .inputs = inputs, .n_inputs = 2,
				       .outputs = outputs, .n_outputs = 1, .args = args, .n_args = 4 };
	struct arena *arena = arena_new();
	CLEANUP(buf_release) struct buf json = { 0 }, text = { 0 };

	value_write_json(&json, value_get(component_json(arena, &component), "args"));
	is_str(buf_text(&json),
		"[{\"inputValue\":\"steps\"},{\"outputPath\":\"model\"},"
		"{\"if\":{\"cond\":{\"isPresent\":\"data\"},\"then\":[\"--data\",{\"inputPath\":\"data\"}]}},"
		"{\"concat\":[\"run-\",{\"fact\":\"run.id\"}]}]",
		"the arguments of a declared component as JSON");
	component_card_text(&text, &component);
	contains(buf_text(&text), "  args     {steps} {model} [--data {data}] run-{run.id}\n", "and on its card");
	arena_free(arena);
}

int
main(void)
{
	struct case_file file;

	cases_open(&file, "tests/dsl/component_card.cases");
	for (size_t i = 0; i < file.n_cases; i++)
		check_case(&file, &file.cases[i]);
	cases_close(&file);
	check_declared();
	return done_testing();
}
