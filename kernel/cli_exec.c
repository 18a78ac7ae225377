#include "config.h"

#include "kernel/cli.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "dsl/parse.h"
#include "kernel/file.h"
#include "kernel/interp.h"
#include "kernel/resolver.h"
#include "kernel/text_output.h"

/* The one interpreter that SIGINT goes to. Set before the handler is installed. */
static struct interp *volatile interrupted_interp;

static void
on_interrupt(int signal_number UNUSED)
{
	if (interrupted_interp)
		interp_interrupt(interrupted_interp);
}

static void
catch_interrupt(struct interp *interp)
{
	struct sigaction action = { .sa_handler = on_interrupt, .sa_flags = SA_RESTART };

	interrupted_interp = interp;
	if (interp)
		sigaction(SIGINT, &action, NULL);
	else
		signal(SIGINT, SIG_DFL);
}

static void
print_traceback(const struct execute_outcome *outcome)
{
	for (size_t i = 0; i < outcome->n_traceback; i++)
		fprintf(stderr, "%s\n", outcome->traceback[i]);
}

static bool
is_declaration(const struct ast_stmt *stmt)
{
	return stmt->kind == AST_USE || stmt->kind == AST_TYPE || stmt->kind == AST_COMPONENT || stmt->kind == AST_PIPELINE;
}

/* The offset where the cell that begins with statement `first` ends: declarations that follow one another are one cell,
 * any other statement is one of its own. Comments go with what follows them. */
static size_t
cell_end(const struct unit *unit, size_t first, size_t *ret_next)
{
	size_t next = first + 1;

	if (is_declaration(unit->stmts[first]))
		while (next < unit->n_stmts && is_declaration(unit->stmts[next]))
			next++;
	*ret_next = next;
	return unit->stmts[next - 1]->span.end;
}

static int
execute_cell(struct interp *interp, struct text_output *text, const struct source *file, size_t start, size_t end)
{
	struct source *cell = source_new_part(file->name, file->text + start, end - start, source_place(file, (uint32_t)start).line);
	struct execute_outcome outcome;
	bool ok;

	interp_execute(interp, cell, &text->output, &outcome);
	text_output_finish(text);
	ok = outcome.ok;
	if (!ok)
		print_traceback(&outcome);
	execute_outcome_release(&outcome);
	source_unref(cell);
	return ok ? EXIT_GOOD : EXIT_PROGRAM;
}

/* A `##` comment belongs to the declaration below it: the cell begins where the one before it ended. */
static int
execute_unit(struct interp *interp, struct text_output *text, const struct unit *unit)
{
	size_t done = 0;
	int status = EXIT_GOOD;

	for (size_t i = 0; i < unit->n_stmts && status == EXIT_GOOD;) {
		size_t next, end = cell_end(unit, i, &next);

		status = execute_cell(interp, text, unit->source, done, end);
		done = end;
		i = next;
	}
	return status;
}

static int
report_parse(const struct diags *diags)
{
	struct diag_style style = { .colour = cli_colour(true) };
	struct buf text = { 0 };

	diags_write_text(&text, diags, &style);
	fputs(buf_text(&text), stderr);
	buf_release(&text);
	return EXIT_PROGRAM;
}

static int
execute_source(const struct cli_args *args, struct source *source)
{
	struct resolver *resolver = resolver_new();
	struct interp_options options = { .resolver = resolver, .colour = cli_colour(true) };
	struct interp *interp = interp_new(&options);
	struct text_output text;
	struct diags diags;
	struct unit *unit;
	int status;

	diags_init(&diags);
	text_output_init(&text, cli_option(args, "plain") != NULL);
	text.allow_input = strcmp(args->rest[0], "-") != 0;
	unit = parse(source, NULL, &diags);
	catch_interrupt(interp);
	status = diags.n_errors ? report_parse(&diags) : execute_unit(interp, &text, unit);
	if (!interp_finish(interp, &text.output) && status == EXIT_GOOD)
		status = EXIT_PROGRAM;
	catch_interrupt(NULL);
	unit_unref(unit);
	text_output_release(&text);
	diags_release(&diags);
	interp_free(interp);
	resolver_free(resolver);
	return status;
}

int
cli_exec(const struct cli_args *args)
{
	struct buf text = { 0 };
	struct source *source;
	struct error err;
	int status;

	if (file_read_program(args->rest[0], &text, &err) < 0) {
		buf_release(&text);
		return cli_fail(EXIT_WORLD, "%s", err.text);
	}
	source = source_new(args->rest[0], buf_text(&text), text.len);
	status = execute_source(args, source);
	source_unref(source);
	buf_release(&text);
	return status;
}
