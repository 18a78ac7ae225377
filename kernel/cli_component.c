#include "config.h"

#include "kernel/cli.h"

#include <stdio.h>

#include "dsl/ast.h"
#include "dsl/component_card.h"
#include "dsl/component_json.h"
#include "dsl/component_yaml.h"
#include "dsl/diag.h"
#include "kernel/file.h"

static void
print_component(const struct cli_args *args, const struct component *component)
{
	struct arena *arena = arena_new();
	struct buf text = { 0 };

	if (cli_option(args, "json")) {
		value_write_json_pretty(&text, component_json(arena, component), 2);
		buf_putc(&text, '\n');
	} else {
		component_card_text(&text, component);
	}
	fwrite(buf_text(&text), 1, text.len, stdout);
	buf_release(&text);
	arena_free(arena);
}

static void
print_problems(const struct diags *diags)
{
	struct diag_style style = { .colour = cli_colour(true) };
	struct buf text = { 0 };

	diags_write_text(&text, diags, &style);
	fputs(buf_text(&text), stderr);
	buf_release(&text);
}

int
cli_component(const struct cli_args *args)
{
	const struct component *component;
	struct buf text = { 0 };
	struct source *source;
	struct diags diags;
	struct error err;
	struct unit *unit;

	if (file_read(args->rest[0], SOURCE_MAX, &text, &err) < 0) {
		buf_release(&text);
		return cli_fail(EXIT_WORLD, "%s", err.text);
	}
	diags_init(&diags);
	source = source_new(args->rest[0], buf_text(&text), text.len);
	unit = unit_new(source);
	component = component_from_yaml(unit, "component", NULL, &diags);
	print_problems(&diags);
	if (component)
		print_component(args, component);
	unit_unref(unit);
	source_unref(source);
	diags_release(&diags);
	buf_release(&text);
	return component ? EXIT_GOOD : EXIT_PROGRAM;
}
