#include "config.h"

#include "kernel/program_file.h"

#include <stdio.h>
#include <string.h>

#include "kernel/file.h"
#include "kernel/heap.h"
#include "kernel/resolver.h"

/* Beside the arenas, compiling takes about so much memory for each byte of the program. */
enum { HEAP_PER_BYTE = 32 };

int
program_file_open(struct program_file *file, const char *path, struct error *err)
{
	struct buf text = { 0 };
	int rc;

	*file = (struct program_file){ 0 };
	diags_init(&file->diags);
	rc = file_read_program(path, &text, err);
	if (rc == 0) {
		heap_expect(text.len * HEAP_PER_BYTE);
		file->source = source_new(path, buf_text(&text), text.len);
		file->resolver = resolver_new();
		file->scope = scope_new(file->resolver);
		file->program = scope_check(file->scope, file->source, &file->diags);
	}
	buf_release(&text);
	return rc;
}

void
program_file_release(struct program_file *file)
{
	plan_unref(file->replaced);
	program_free(file->program);
	scope_free(file->scope);
	resolver_free(file->resolver);
	diags_release(&file->diags);
	source_unref(file->source);
}

void
program_file_report(const struct program_file *file)
{
	struct diag_style style = { .colour = cli_colour(true) };
	struct buf text = { 0 };

	diags_write_text(&text, &file->diags, &style);
	fputs(buf_text(&text), stderr);
	buf_release(&text);
}

static struct plan *
only_plan(const struct program_file *file, struct error *err)
{
	struct buf names = { 0 };
	struct plan *plan = NULL;
	const struct binding *b;

	for (size_t at = 0; (b = scope_next(file->scope, &at));) {
		if (b->kind != BINDING_PIPELINE)
			continue;
		plan = b->plan;
		buf_printf(&names, "%s`%s`", names.len ? ", " : "", b->name);
	}
	if (!plan)
		error_set(err, "`%s` declares no pipeline", file->source->name);
	else if (strchr(buf_text(&names), ','))
		plan = (error_set(err, "`%s` declares several pipelines; name one with -p: %s", file->source->name, buf_text(&names)), NULL);
	buf_release(&names);
	return plan;
}

struct plan *
program_file_plan(const struct program_file *file, const char *name, struct error *err)
{
	const struct binding *b;

	if (!name)
		return only_plan(file, err);
	b = scope_lookup(file->scope, name);
	if (b && b->kind == BINDING_PIPELINE && b->plan)
		return b->plan;
	error_set(err, "`%s` declares no pipeline `%s`", file->source->name, name);
	return NULL;
}

int
program_file_plan_of(const struct cli_args *args, struct program_file *file, struct plan **ret_plan)
{
	struct error err;

	if (program_file_open(file, args->rest[0], &err) < 0)
		return cli_fail(EXIT_WORLD, "%s", err.text);
	if (file->diags.n)
		program_file_report(file);
	if (!file->program)
		return EXIT_PROGRAM;
	*ret_plan = program_file_plan(file, cli_option(args, "pipeline"), &err);
	return *ret_plan ? EXIT_GOOD : cli_fail(EXIT_USAGE, "%s", err.text);
}

int
program_file_using(const struct cli_args *args, struct program_file *file, struct plan **plan)
{
	const char *text = cli_option(args, "using");

	if (!text)
		return EXIT_GOOD;
	diags_release(&file->diags); /* they were reported */
	diags_init(&file->diags);
	file->replaced = scope_using(file->scope, (*plan)->name, text, &file->diags);
	if (file->diags.n)
		program_file_report(file);
	if (!file->replaced)
		return EXIT_PROGRAM;
	*plan = file->replaced;
	return EXIT_GOOD;
}
