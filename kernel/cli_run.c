/* `lateen run`: on this machine, or on a cluster. */
#include "config.h"

#include "kernel/cli_steer.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "dsl/eval.h"
#include "kernel/background.h"
#include "kernel/run_here.h"
#include "kernel/text_output.h"

/* Set by SIGINT and SIGTERM. */
static volatile sig_atomic_t interrupted;
static volatile int wake = -1;

static void
on_signal(int signal_number UNUSED)
{
	uint64_t one = 1;

	interrupted = 1;
	if (write(wake, &one, sizeof one) < 0)
		return; /* full: it is readable already */
}

struct cli_interrupt
cli_catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	return (struct cli_interrupt){ &interrupted, wake };
}

bool
cli_interrupted(void *context UNUSED)
{
	return interrupted;
}

/* With those that there are. */
static int
no_param(const struct plan *plan, const char *name)
{
	struct buf names = { 0 };
	int status;

	for (size_t i = 0; i < plan->n_params && names.len < 200; i++)
		buf_printf(&names, "%s`%s`", names.len ? ", " : "", plan->params[i].name);
	status = cli_fail(EXIT_USAGE, "the pipeline `%s` has no parameter `%s`: it has %s", plan->name, name,
			  plan->n_params ? buf_text(&names) : "none");
	buf_release(&names);
	return status;
}

static int
take_argument(struct arena *arena, const struct plan *plan, const char *text, const struct value **values)
{
	const char *equals = strchr(text, '=');
	const char *name = arena_strndup(arena, text, equals ? (size_t)(equals - text) : strlen(text));
	size_t param = plan_param_index(plan, name);
	struct error err;

	if (!equals)
		return cli_fail(EXIT_USAGE, "`%s` is no argument of the form NAME=VALUE", text);
	if (param == SIZE_MAX)
		return no_param(plan, name);
	if (plan->params[param].type->kind == TYPE_SECRET)
		return cli_fail(EXIT_USAGE, "`%s` is a Secret: its value never stands on a command line; see `secret` in docs/language.md", name);
	values[param] = eval_parse(arena, equals + 1, strlen(equals + 1), plan->params[param].type, &err);
	if (!values[param])
		return cli_fail(EXIT_USAGE, "`%s`: %s", name, err.text);
	return EXIT_GOOD;
}

int
cli_take_arguments(const struct cli_args *args, struct arena *arena, const struct plan *plan, struct local_args *ret)
{
	const struct value **values = arena_alloc(arena, (plan->n_params + 1) * sizeof *values);
	int status = EXIT_GOOD;

	for (size_t i = 1; i < args->n_rest && status == EXIT_GOOD; i++)
		status = take_argument(arena, plan, args->rest[i], values);
	for (size_t i = 0; i < plan->n_params && status == EXIT_GOOD; i++)
		if (!values[i] && !plan->params[i].fallback && plan->params[i].type->kind != TYPE_SECRET)
			status = cli_fail(EXIT_USAGE, "the pipeline `%s` wants `%s=…`", plan->name, plan->params[i].name);
	*ret = (struct local_args){ .values = values };
	return status;
}

void
cli_report(const struct diags *diags)
{
	struct diag_style style = { .colour = cli_colour(true) };
	struct buf text = { 0 };

	diags_write_text(&text, diags, &style);
	fputs(buf_text(&text), stderr);
	buf_release(&text);
}

static void
print_json(const struct run *run)
{
	struct buf text = { 0 };

	run_write_json(run, &text);
	puts(buf_text(&text));
	buf_release(&text);
}

static int
finish_run(const struct cli_args *args, const struct run *run, struct diags *diags)
{
	bool good = run && run->phase == PHASE_SUCCEEDED;

	if (run && !good && interrupted)
		cli_fail(EXIT_PROGRAM, "stopped; `lateen logs %s` prints what it wrote", run->name);
	else if (run && !good)
		run_explain(run, diags);
	cli_report(diags);
	if (run && cli_option(args, "json"))
		print_json(run);
	return good ? EXIT_GOOD : EXIT_PROGRAM;
}

static int
run_on_this_machine(const struct cli_args *args, struct plan *plan, const struct local_args *values, size_t jobs)
{
	struct text_output text;
	struct run_request request = { .plan = plan, .args = *values, .jobs = jobs, .output = &text.output,
				       .quiet = cli_option(args, "json") != NULL, .interrupted = &interrupted };
	struct diags diags;
	struct run *run;
	int status;

	diags_init(&diags);
	text_output_init(&text, cli_option(args, "plain") != NULL);
	request.wake = cli_catch_signals().wake;
	run = run_here(&request, &diags);
	text_output_release(&text);
	status = finish_run(args, run, &diags);
	run_unref(run);
	diags_release(&diags);
	return status;
}

/* ---- on a cluster ---- */

static int
judge(const struct cli_args *args, const struct background *background, struct diags *diags)
{
	const struct run *run = background_run(background);

	if (phase_ended(run->phase))
		return finish_run(args, run, diags);
	cli_report(diags);
	return cli_fail(EXIT_WORLD, "%s", background_problem(background) ? background_problem(background) : "it is no longer watched");
}

static int
goes_on(struct background *background, struct diags *diags)
{
	const struct run *run = background_run(background);

	background_let_go(background);
	cli_report(diags);
	if (phase_ended(run->phase))
		return run->phase == PHASE_SUCCEEDED ? EXIT_GOOD : EXIT_PROGRAM;
	return cli_fail(EXIT_PROGRAM, "the run `%s` goes on; `lateen attach %s` shows it again", run->name, run->name);
}

/* Until the run has ended, or the person has enough. */
static int
watch(const struct cli_args *args, struct backgrounds *set, struct background_request *request, bool detach)
{
	struct cli_interrupt signals = cli_catch_signals();
	struct background *background;
	struct diags diags;
	int status;

	request->wake = signals.wake;
	request->interrupted = signals.interrupted;
	diags_init(&diags);
	background = background_start(set, request, &diags);
	if (!background) {
		cli_report(&diags);
		status = diags.n_errors ? EXIT_PROGRAM : cli_fail(EXIT_PROGRAM, "interrupted");
	} else if (detach) {
		background_let_go(background);
		cli_report(&diags);
		puts(background_run(background)->name);
		status = EXIT_GOOD;
	} else if (background_wait(background, signals.wake, signals.interrupted)) {
		status = judge(args, background, &diags);
	} else {
		status = goes_on(background, &diags);
	}
	diags_release(&diags);
	return status;
}

int
cli_watch(const struct cli_args *args, struct background_request *request, bool detach)
{
	struct backgrounds *set = backgrounds_new();
	struct text_output text;
	int status;

	text_output_init(&text, cli_option(args, "plain") != NULL);
	request->output = &text.output;
	request->quiet = request->quiet || detach || cli_option(args, "json");
	request->no_logs = detach;
	status = watch(args, set, request, detach);
	backgrounds_free(set);
	text_output_release(&text);
	return status;
}

static int
run_there(const struct cli_args *args, const struct program_file *file, struct plan *plan, const struct local_args *values)
{
	struct arena *arena = arena_new();
	struct background_request request = { .plan = plan, .args = *values, .experiment = cli_option(args, "experiment"), .span = plan->span };
	int status = cli_target(args, file, arena, &request.cluster);

	if (status == EXIT_GOOD)
		status = cli_watch(args, &request, cli_option(args, "detach") != NULL);
	arena_free(arena);
	return status;
}

static int
run_plan(const struct cli_args *args, const struct program_file *file, struct plan *plan, size_t jobs)
{
	struct arena *arena = arena_new();
	struct local_args values;
	int status = cli_take_arguments(args, arena, plan, &values);

	if (status == EXIT_GOOD)
		status = cli_option(args, "on") ? run_there(args, file, plan, &values) : run_on_this_machine(args, plan, &values, jobs);
	arena_free(arena);
	return status;
}

int
cli_run(const struct cli_args *args)
{
	struct program_file file;
	struct plan *plan;
	long jobs;
	int status = cli_number(args, "jobs", 1, 10000, 0, &jobs);

	if (status != EXIT_GOOD)
		return status;
	if (!cli_option(args, "on") && (cli_option(args, "detach") || cli_option(args, "experiment")))
		return cli_fail(EXIT_USAGE, "--%s is for runs on clusters, with --on NAME", cli_option(args, "detach") ? "detach" : "experiment");
	status = program_file_plan_of(args, &file, &plan);
	if (status == EXIT_GOOD)
		status = program_file_using(args, &file, &plan);
	if (status == EXIT_GOOD)
		status = run_plan(args, &file, plan, (size_t)jobs);
	program_file_release(&file);
	return status;
}
