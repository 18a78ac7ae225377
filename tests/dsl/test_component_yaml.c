/* Component files and what is understood of them: ports, parts and metadata in a line each, or the problems
 * (tests/dsl/component_yaml.cases). Then the real files of LATEEN_SHARED. */
#include "config.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "dsl/component_json.h"
#include "dsl/component_yaml.h"
#include "tests/cases.h"
#include "tests/tap.h"

static void write_parts(struct buf *buf, const struct component *component, const struct part *parts, size_t n);

static void
write_part(struct buf *buf, const struct component *component, const struct part *part)
{
	static const char *const words[] = { [PART_INPUT] = "input", [PART_INPUT_PATH] = "path", [PART_INPUT_URI] = "uri",
					     [PART_IS_PRESENT] = "present" };

	switch (part->kind) {
	case PART_TEXT:
		value_write_json_string(buf, part->text, strlen(part->text));
		break;
	case PART_OUTPUT_PATH:
	case PART_OUTPUT_URI:
		buf_printf(buf, "(output%s %s)", part->kind == PART_OUTPUT_URI ? "-uri" : "", component->outputs[part->index].id);
		break;
	case PART_CONCAT:
		buf_puts(buf, "(concat");
		write_parts(buf, component, part->parts, part->n_parts);
		buf_putc(buf, ')');
		break;
	case PART_IF:
		buf_puts(buf, "(if ");
		write_part(buf, component, part->condition);
		buf_puts(buf, " then");
		write_parts(buf, component, part->parts, part->n_parts);
		if (part->n_else_parts)
			buf_puts(buf, " else");
		write_parts(buf, component, part->else_parts, part->n_else_parts);
		buf_putc(buf, ')');
		break;
	case PART_RAW_PLACEHOLDER:
		buf_puts(buf, part->text);
		break;
	default:
		buf_printf(buf, "(%s %s)", words[part->kind], component->inputs[part->index].id);
		break;
	}
}

static void
write_parts(struct buf *buf, const struct component *component, const struct part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_putc(buf, ' ');
		write_part(buf, component, &parts[i]);
	}
}

static void
write_port(struct buf *buf, const struct port *port, const char *what)
{
	buf_printf(buf, "%s %s", what, port->id);
	if (strcmp(port->id, port->name))
		buf_printf(buf, " `%s`", port->name);
	buf_puts(buf, ": ");
	type_write(buf, port->type);
	buf_puts(buf, port->passing == PASS_FILE ? ", file" : ", value");
	if (port->optional)
		buf_puts(buf, ", optional");
	if (port->path)
		buf_printf(buf, ", at %s", port->path);
	if (*what == 'o' && !port->produced)
		buf_puts(buf, ", never written");
	if (port->fallback) {
		buf_puts(buf, " = ");
		value_write_json(buf, port->fallback);
	}
	if (port->doc)
		buf_printf(buf, " (%s)", port->doc);
	buf_putc(buf, '\n');
}

static void
write_pairs(struct buf *buf, const char *what, const struct setting_pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(buf, "%s %s=%s\n", what, pairs[i].key, value_text(pairs[i].value->value));
}

static void
write_component(struct buf *buf, const struct component *c)
{
	buf_printf(buf, "%s %s", c->kind == COMPONENT_GRAPH ? "graph" : "container", c->display ? c->display : "(no name)");
	if (c->image)
		buf_printf(buf, " from %s", c->image);
	buf_putc(buf, '\n');
	for (size_t i = 0; i < c->n_inputs; i++)
		write_port(buf, &c->inputs[i], "input");
	for (size_t i = 0; i < c->n_outputs; i++)
		write_port(buf, &c->outputs[i], "output");
	if (c->has_command)
		buf_puts(buf, "command");
	write_parts(buf, c, c->command, c->n_command);
	buf_puts(buf, c->has_command ? "\n" : "");
	if (c->n_args)
		buf_puts(buf, "args");
	write_parts(buf, c, c->args, c->n_args);
	buf_puts(buf, c->n_args ? "\n" : "");
	for (size_t i = 0; i < c->n_env; i++)
		buf_printf(buf, "env %s=%s\n", c->env[i].name, c->env[i].value.text);
	write_pairs(buf, "label", c->labels, c->n_labels);
	write_pairs(buf, "annotation", c->annotations, c->n_annotations);
	if (c->settings)
		buf_printf(buf, "cache %s\n", c->settings->cache == CACHE_OFF ? "off" : "?");
}

/* Code, place, words; labels, notes and helps in a line each. */
static void
write_problems(struct buf *buf, const struct diags *diags)
{
	for (size_t i = 0; i < diags->n; i++) {
		const struct diag *diag = diags->items[i];
		struct place at = source_place(diag->span.source, diag->span.start);

		buf_printf(buf, "%s %u:%u: %s\n", diag_info(diag->code)->code, at.line, at.column, diag->message);
		buf_printf(buf, "    `%.*s`%s%s\n", (int)(diag->span.end - diag->span.start),
			diag->span.source->text + diag->span.start, diag->label ? " " : "", diag->label ? diag->label : "");
		for (size_t j = 0; j < diag->n_labels; j++) {
			at = source_place(diag->labels[j].span.source, diag->labels[j].span.start);
			buf_printf(buf, "    %u:%u: %s\n", at.line, at.column, diag->labels[j].text);
		}
		for (size_t j = 0; j < diag->n_notes; j++)
			buf_printf(buf, "    note: %s\n", diag->notes[j]);
		for (size_t j = 0; j < diag->n_helps; j++)
			buf_printf(buf, "    help: %s\n", diag->helps[j]);
	}
}

static void
load_text(struct buf *ret, const char *text, size_t len)
{
	struct source *source = source_new("x.yaml", text, len);
	struct unit *unit = unit_new(source);
	struct diags diags;
	const struct component *component;

	diags_init(&diags);
	component = component_from_yaml(unit, "thing", NULL, &diags);
	if (component)
		write_component(ret, component);
	write_problems(ret, &diags);
	diags_release(&diags);
	unit_unref(unit);
	source_unref(source);
}

static void
check_cases(void)
{
	struct case_file file;

	cases_open(&file, "tests/dsl/component_yaml.cases");
	for (size_t i = 0; i < file.n_cases; i++) {
		CLEANUP(buf_release) struct buf got = { 0 };
		const char *text = case_text(&file.cases[i], "yaml");

		load_text(&got, text, strlen(text));
		case_is(&file, &file.cases[i], "expected", got.data, got.len);
	}
	cases_close(&file);
}

static void
check_ids(void)
{
	static const char *const names[][2] = {
		{ "data_dir", "data_dir" }, { "modelDir", "modelDir" },	   { "MLPipeline UI metadata", "mlpipeline_ui_metadata" },
		{ "Input 1", "input_1" },   { " 1st -- try! ", "n1st_try" }, { "_x", "_x" },
		{ "日本", "" },		    { "a日b", "a_b" },
	};
	struct arena *arena = arena_new();

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		is_str(component_yaml_id(arena, names[i][0]), names[i][1], "the identifier of `%s`", names[i][0]);
	arena_free(arena);
}

/* ---- the real files ---- */

static void
check_real_file(const char *folder, const char *name, const char *digest)
{
	CLEANUP(freep) char *path = xmalloc(strlen(folder) + strlen(name) + 2);
	CLEANUP(freep) char *text = NULL;
	CLEANUP(buf_release) struct buf said = { 0 };
	struct diags diags;
	struct source *source;
	struct unit *unit;
	const struct component *component;
	char found[SHA256_HEX];
	size_t len;

	snprintf(path, strlen(folder) + strlen(name) + 2, "%s/%s", folder, name);
	text = test_read_file(path, &len);
	if (!ok(text, "%s is readable", name))
		return;
	source = source_new(name, text, len);
	unit = unit_new(source);
	diags_init(&diags);
	component = component_from_yaml(unit, "thing", NULL, &diags);
	write_problems(&said, &diags);
	ok(component && !diags.n_errors, "%s is understood\n%s", name, buf_text(&said));
	if (component && digest && ok(component_digest(component, found), "%s has a digest", name))
		is_str(found, digest, "%s: the digest", name);
	if (component)
		ok(component_json(unit->arena, component)->dict.n > 8, "%s: as JSON", name);
	diags_release(&diags);
	unit_unref(unit);
	source_unref(source);
}

static void
check_codelab(void)
{
	static const char *const files[][2] = {
		{ "datacopy_component.yaml", "d75c441452c1fe71da5b054982725975c399d8d96ec8896e7cb960a11bd1591e" },
		{ "train_component.yaml", "cce12a820c4b993f187420eab7161b8f70ef5465c732675650e892431c74f30f" },
		{ "metadata_log_component.yaml", "9a9a604c97cc807eeb36900db9be0bb5260c9de9c16ba16805a93c7f15a53341" },
	};
	CLEANUP(freep) char *folder = test_shared_path("data/codelab");

	if (!folder) {
		skip(9, "LATEEN_SHARED names no folder with data/codelab");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		check_real_file(folder, files[i][0], files[i][1]);
}

static int
is_yaml(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && !strcmp(dot, ".yaml");
}

static void
check_collection(void)
{
	CLEANUP(freep) char *folder = test_shared_path("data/components");
	struct dirent **entries = NULL;
	int n;

	if (!folder) {
		skip(240, "LATEEN_SHARED names no folder with data/components");
		return;
	}
	n = scandir(folder, &entries, is_yaml, alphasort);
	is_int(n, 120, "how many real component files there are");
	for (int i = 0; i < n; i++) {
		check_real_file(folder, entries[i]->d_name, NULL);
		free(entries[i]);
	}
	free(entries);
}

int
main(void)
{
	check_cases();
	check_ids();
	check_codelab();
	check_collection();
	return done_testing();
}
