/* The commands that read a program and run nothing: check, compile, graph, fmt. */
#include "config.h"

#include "kernel/cli_steer.h"

#include <stdio.h>
#include <string.h>

#include "dsl/format.h"
#include "dsl/parse.h"
#include "kernel/cluster_check.h"
#include "kernel/compile.h"
#include "kernel/file.h"
#include "kernel/picture_file.h"
#include "kernel/program_file.h"

static void
print(const struct buf *text)
{
	fwrite(buf_text(text), 1, text->len, stdout);
}

/* Every pipeline of the file, or the one that is named; what is found joins the file's own problems. */
static int
check_on(const struct cli_args *args, struct program_file *file)
{
	const char *only = cli_option(args, "pipeline");
	struct arena *arena = arena_new();
	const struct cluster *cluster;
	struct buf summary = { 0 };
	const struct binding *b;
	size_t n = 0;

	if (cli_target(args, file, arena, &cluster) != EXIT_GOOD) {
		arena_free(arena);
		return EXIT_USAGE;
	}
	for (size_t at = 0; (b = scope_next(file->scope, &at));) {
		const struct cluster_check request = { .cluster = cluster, .plan = b->plan, .span = b->span };

		if (b->kind != BINDING_PIPELINE || !b->plan || (only && strcmp(only, b->name) != 0))
			continue;
		cluster_check(&request, &file->diags, &summary);
		n++;
	}
	fputs(buf_text(&summary), stderr);
	buf_release(&summary);
	arena_free(arena);
	if (!n)
		return cli_fail(EXIT_USAGE, "`%s` declares no pipeline%s%s", file->source->name, only ? " " : "", only ? only : "");
	return file->diags.n_errors ? EXIT_PROGRAM : EXIT_GOOD;
}

static void
write_problems(const struct cli_args *args, const struct program_file *file)
{
	struct diag_style style = { .colour = cli_colour(false) };
	struct buf text = { 0 };

	if (cli_option(args, "json"))
		diags_write_json(&text, &file->diags), buf_putc(&text, '\n');
	else if (cli_option(args, "html"))
		diags_write_html(&text, &file->diags);
	else
		diags_write_text(&text, &file->diags, &style);
	print(&text);
	buf_release(&text);
}

int
cli_check(const struct cli_args *args)
{
	struct program_file file;
	struct error err;
	int status = EXIT_GOOD;

	if (cli_option(args, "json") && cli_option(args, "html"))
		return cli_fail(EXIT_USAGE, "--json and --html exclude each other");
	if (program_file_open(&file, args->rest[0], &err) < 0) {
		status = cli_fail(EXIT_WORLD, "%s", err.text);
	} else {
		status = file.program ? EXIT_GOOD : EXIT_PROGRAM;
		if (file.program && cli_option(args, "on"))
			status = check_on(args, &file);
		if (status != EXIT_USAGE)
			write_problems(args, &file);
	}
	program_file_release(&file);
	return status;
}

static int
report_compile(struct diags *diags, const struct error *err)
{
	struct diag_style style = { .colour = cli_colour(true) };
	struct buf text = { 0 };

	diags_write_text(&text, diags, &style);
	fputs(buf_text(&text), stderr);
	buf_release(&text);
	if (diags->n_errors)
		return EXIT_PROGRAM;
	return *err->text ? cli_fail(EXIT_USAGE, "%s", err->text) : EXIT_GOOD;
}

static int
write_compiled(const char *path, const struct compiled *compiled)
{
	struct buf text = { 0 };
	struct error err;

	if (file_write(path, buf_text(&compiled->bytes), compiled->bytes.len, &err) < 0)
		return cli_fail(EXIT_WORLD, "%s", err.text);
	if (!strcmp(path, "-"))
		return EXIT_GOOD;
	compiled_describe(&text, compiled);
	fprintf(stderr, "wrote %s: %s\n", path, buf_text(&text));
	buf_release(&text);
	return EXIT_GOOD;
}

static int
compile_plan(const struct cli_args *args, const struct plan *plan)
{
	const char *path = cli_option(args, "output");
	struct compile_request request = { plan, cli_option(args, "for"), path };
	struct compiled compiled;
	struct error err = { "" };
	struct diags diags;
	int status, rc;

	diags_init(&diags);
	rc = compile(&request, &compiled, &diags, &err);
	status = report_compile(&diags, &err);
	if (rc == 0)
		status = write_compiled(path ? path : "-", &compiled);
	compiled_release(&compiled);
	diags_release(&diags);
	return status;
}

int
cli_compile(const struct cli_args *args)
{
	struct program_file file;
	struct plan *plan;
	int status = program_file_plan_of(args, &file, &plan);

	if (status == EXIT_GOOD)
		status = program_file_using(args, &file, &plan);
	if (status == EXIT_GOOD)
		status = compile_plan(args, plan);
	program_file_release(&file);
	return status;
}

int
cli_graph(const struct cli_args *args)
{
	const char *path = cli_option(args, "output");
	struct program_file file;
	struct buf picture = { 0 };
	struct error err;
	struct plan *plan;
	int status = program_file_plan_of(args, &file, &plan);

	path = path ? path : "-";
	if (status == EXIT_GOOD && picture_write(&picture, plan, path, cli_colour(false), &err) < 0)
		status = cli_fail(EXIT_USAGE, "%s", err.text);
	if (status == EXIT_GOOD && file_write(path, buf_text(&picture), picture.len, &err) < 0)
		status = cli_fail(EXIT_WORLD, "%s", err.text);
	buf_release(&picture);
	program_file_release(&file);
	return status;
}

/* The file's canonical form in *ret; its problems on stderr if it does not parse. */
static int
format_text(const char *path, const struct buf *text, struct buf *ret)
{
	struct source *source = source_new(path, buf_text(text), text->len);
	struct diags diags;
	struct unit *unit;
	int status = EXIT_GOOD;

	diags_init(&diags);
	unit = parse(source, NULL, &diags);
	if (diags.n_errors)
		status = report_compile(&diags, NULL);
	else
		format_unit(ret, unit);
	unit_unref(unit);
	diags_release(&diags);
	source_unref(source);
	return status;
}

static int
put_formatted(const struct cli_args *args, const char *path, const struct buf *text, const struct buf *formatted)
{
	bool same = text->len == formatted->len && !memcmp(buf_text(text), buf_text(formatted), text->len);
	struct error err;

	if (cli_option(args, "check")) {
		if (!same)
			puts(path);
		return same ? EXIT_GOOD : EXIT_PROGRAM;
	}
	if (same && strcmp(path, "-") != 0)
		return EXIT_GOOD;
	if (file_write_durably(path, buf_text(formatted), formatted->len, &err) < 0)
		return cli_fail(EXIT_WORLD, "%s", err.text);
	return EXIT_GOOD;
}

static int
format_file(const struct cli_args *args, const char *path)
{
	struct buf text = { 0 }, formatted = { 0 };
	struct error err;
	int status;

	if (file_read_program(path, &text, &err) < 0) {
		buf_release(&text);
		return cli_fail(EXIT_WORLD, "%s", err.text);
	}
	status = format_text(path, &text, &formatted);
	if (status == EXIT_GOOD)
		status = put_formatted(args, path, &text, &formatted);
	buf_release(&text);
	buf_release(&formatted);
	return status;
}

int
cli_fmt(const struct cli_args *args)
{
	int worst = EXIT_GOOD;

	for (size_t i = 0; i < args->n_rest; i++) {
		int status = format_file(args, args->rest[i]);

		worst = status > worst ? status : worst;
	}
	return worst;
}
