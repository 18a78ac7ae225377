/* The commands about runs: run, runs, logs, stop. */
#include "config.h"

#include "kernel/cli.h"

#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "dsl/eval.h"
#include "kernel/program_file.h"
#include "kernel/run_here.h"
#include "kernel/run_list.h"
#include "kernel/text_output.h"
#include "runtime/store.h"

/* ---- run ---- */

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

static void
catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
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

static int
take_arguments(const struct cli_args *args, struct arena *arena, const struct plan *plan, struct run_request *request)
{
	const struct value **values = arena_alloc(arena, (plan->n_params + 1) * sizeof *values);
	int status = EXIT_GOOD;

	for (size_t i = 1; i < args->n_rest && status == EXIT_GOOD; i++)
		status = take_argument(arena, plan, args->rest[i], values);
	for (size_t i = 0; i < plan->n_params && status == EXIT_GOOD; i++)
		if (!values[i] && !plan->params[i].fallback && plan->params[i].type->kind != TYPE_SECRET)
			status = cli_fail(EXIT_USAGE, "the pipeline `%s` wants `%s=…`", plan->name, plan->params[i].name);
	request->args.values = values;
	return status;
}

static void
print_diags(const struct diags *diags)
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
finish_run(const struct cli_args *args, struct run *run, struct diags *diags)
{
	bool good = run && run->phase == PHASE_SUCCEEDED;

	if (run && !good && interrupted)
		cli_fail(EXIT_PROGRAM, "stopped; `lateen logs %s` prints what it wrote", run->name);
	else if (run && !good)
		run_explain(run, diags);
	print_diags(diags);
	if (run && cli_option(args, "json"))
		print_json(run);
	return good ? EXIT_GOOD : EXIT_PROGRAM;
}

static int
run_plan(const struct cli_args *args, struct plan *plan, size_t jobs)
{
	struct arena *arena = arena_new();
	struct text_output text;
	struct run_request request = { .plan = plan, .jobs = jobs, .output = &text.output, .quiet = cli_option(args, "json") != NULL,
				       .interrupted = &interrupted };
	int status = take_arguments(args, arena, plan, &request);
	struct diags diags;
	struct run *run;

	if (status == EXIT_GOOD) {
		diags_init(&diags);
		text_output_init(&text, cli_option(args, "plain") != NULL);
		catch_signals();
		request.wake = wake;
		run = run_here(&request, &diags);
		text_output_release(&text);
		status = finish_run(args, run, &diags);
		run_unref(run);
		diags_release(&diags);
	}
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
	status = program_file_plan_of(args, &file, &plan);
	if (status == EXIT_GOOD)
		status = run_plan(args, plan, (size_t)jobs);
	program_file_release(&file);
	return status;
}

/* ---- runs ---- */

int
cli_runs(const struct cli_args *args)
{
	CLEANUP(freep) char *folder = store_folder_of(".");
	struct buf text = { 0 };
	struct error err;
	int rc;

	rc = cli_option(args, "json") ? run_list_write_json(folder, &text, &err) : run_list_write(folder, &text, NULL, &err);
	if (rc == 0)
		fputs(buf_text(&text), stdout);
	buf_release(&text);
	return rc < 0 ? cli_fail(EXIT_WORLD, "%s", err.text) : EXIT_GOOD;
}

/* ---- logs and stop ---- */

static struct store *
open_store(int *ret_status)
{
	CLEANUP(freep) char *folder = store_folder_of(".");
	struct store *store = NULL;
	struct error err;

	if (access(folder, F_OK) < 0)
		*ret_status = cli_fail(EXIT_PROGRAM, "no run is known here: nothing has run in this folder yet");
	else if (!(store = store_open(folder, true, &err)))
		*ret_status = cli_fail(EXIT_WORLD, "%s", err.text);
	return store;
}

/* A log that holds nothing is not the same as one that cannot be had. */
static void
say_empty(const struct log_follower *follower)
{
	fprintf(stderr, "lateen: %s%s%s%s\n", follower->step ? "the step `" : "the run", follower->step ? follower->step : "",
		follower->step ? "`" : "", follower->grep ? " wrote no line with that text" : " wrote nothing");
}

static int
follow_logs(struct store *store, struct log_follower *follower, bool go_on)
{
	const struct timespec pause = { .tv_nsec = 250 * 1000 * 1000 };
	struct buf text = { 0 };
	struct error err;
	bool any = false;
	int rc;

	for (;;) {
		rc = go_on ? store_follow(store, follower, &text, &err)
			   : store_logs(store, follower->run, follower->step, follower->last, follower->grep, &text, &err);
		any = any || text.len;
		fwrite(buf_text(&text), 1, text.len, stdout);
		fflush(stdout);
		buf_clear(&text);
		if (rc < 0 || !go_on || follower->ended || ferror(stdout))
			break;
		nanosleep(&pause, NULL);
	}
	if (rc == 0 && !any)
		say_empty(follower);
	buf_release(&text);
	return rc < 0 ? cli_fail(EXIT_PROGRAM, "%s", err.text) : EXIT_GOOD;
}

int
cli_logs(const struct cli_args *args)
{
	CLEANUP(freep) char *which = xstrdup(args->rest[0]);
	char *dot = strchr(which, '.');
	struct log_follower follower = { .run = which, .step = dot ? dot + 1 : NULL, .grep = cli_option(args, "grep") };
	struct store *store;
	long last;
	int status = cli_number(args, "last", 0, LONG_MAX, -1, &last);

	if (status != EXIT_GOOD)
		return status;
	follower.last = last < 0 ? SIZE_MAX : (size_t)last;
	if (dot)
		*dot = '\0';
	store = open_store(&status);
	if (store)
		status = follow_logs(store, &follower, cli_option(args, "follow") != NULL);
	log_follower_release(&follower);
	store_close(store);
	return status;
}

int
cli_stop(const struct cli_args *args)
{
	struct error err;
	int status = EXIT_GOOD;
	struct store *store = open_store(&status);

	if (store && store_stop(store, args->rest[0], &err) < 0)
		status = cli_fail(EXIT_PROGRAM, "%s", err.text);
	store_close(store);
	return status;
}
