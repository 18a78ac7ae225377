/* The commands that steer runs, wherever they are, and those about clusters. */
#include "config.h"

#include "kernel/cli_steer.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dsl/settings.h"
#include "kernel/forwards.h"
#include "kernel/package_file.h"
#include "kernel/steer.h"

static int
finish(int rc, struct diags *diags, struct buf *said)
{
	fwrite(buf_text(said), 1, said->len, stdout);
	cli_report(diags);
	if (rc < 0 && !diags->n_errors)
		cli_fail(EXIT_PROGRAM, "interrupted");
	diags_release(diags);
	buf_release(said);
	return rc < 0 ? EXIT_PROGRAM : EXIT_GOOD;
}

static struct steer_request
run_request(const struct cli_args *args, const struct cluster *cluster)
{
	cli_catch_signals();
	return (struct steer_request){ .run = args->rest[0], .cluster = cluster, .stop = cli_interrupted };
}

/* ---- one run ---- */

static int
control(const struct cli_args *args, const struct cluster *cluster)
{
	static const struct {
		const char *command;
		enum door_control what;
	} commands[] = { { "stop", DOOR_STOP }, { "suspend", DOOR_SUSPEND }, { "resume", DOOR_RESUME }, { "delete", DOOR_DELETE } };
	const struct steer_request request = run_request(args, cluster);
	struct buf said = { 0 };
	struct diags diags;

	diags_init(&diags);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (!strcmp(args->command->name, commands[i].command))
			return finish(steer_control(&request, commands[i].what, &diags, &said), &diags, &said);
	BUG("command %s", args->command->name);
}

int
cli_control(const struct cli_args *args)
{
	return cli_with_target(args, control, NULL);
}

static int
retry(const struct cli_args *args, const struct cluster *cluster)
{
	const struct steer_request request = run_request(args, cluster);
	struct buf said = { 0 };
	struct diags diags;

	diags_init(&diags);
	return finish(steer_retry(&request, cli_option(args, "from"), &diags, &said), &diags, &said);
}

int
cli_retry(const struct cli_args *args)
{
	return cli_with_target(args, retry, NULL);
}

static int
open_page(const struct cli_args *args, const struct cluster *cluster)
{
	const struct steer_request request = run_request(args, cluster);
	struct buf said = { 0 };
	struct diags diags;

	diags_init(&diags);
	return finish(steer_open(&request, &diags, &said), &diags, &said);
}

int
cli_open(const struct cli_args *args)
{
	return cli_with_target(args, open_page, NULL);
}

/* A run of the store is looked for there; any other by what --on names. */
static int
attach(const struct cli_args *args, const struct cluster *cluster)
{
	const struct steer_request request = { .run = args->rest[0] };
	struct background_request watch = { .cluster = cluster, .attach = args->rest[0], .quiet = !strcmp(args->command->name, "wait") };
	struct arena *arena = arena_new();
	struct store_run known;
	struct diags diags;
	int status = EXIT_GOOD;

	diags_init(&diags);
	if (!cluster && steer_known(&request, arena, &known, &diags) < 0) {
		cli_report(&diags);
		status = EXIT_PROGRAM;
	} else if (!cluster && !known.place.target) {
		status = cli_fail(EXIT_PROGRAM, "the run `%s` is on this machine: `lateen logs %s --follow` shows what it writes", known.name, known.name);
	} else {
		watch.where = cluster ? NULL : known.place.where;
		watch.attach = cluster ? args->rest[0] : known.id;
		status = cli_watch(args, &watch, false);
	}
	diags_release(&diags);
	arena_free(arena);
	return status;
}

int
cli_attach(const struct cli_args *args)
{
	return cli_with_target(args, attach, NULL);
}

/* ---- a port ---- */

enum { NEWS_EVERY = 500 /* milliseconds between two looks at connections that have failed */ };

/* Until it is interrupted. */
static int
forward(const struct cli_args *args, const struct cluster *cluster)
{
	struct cli_interrupt signals = cli_catch_signals();
	struct steer_request request = { .run = args->rest[0], .cluster = cluster, .stop = cli_interrupted };
	CLEANUP(freep) char *run = xstrdup(args->rest[0]);
	char *step = strchr(run, '.'), *end;
	long port = strtol(args->rest[1], &end, 10);
	struct forwards *forwards;
	struct buf said = { 0 };
	struct diags diags;
	int rc;

	if (!step || *end || port < 1 || port > 65535)
		return cli_fail(EXIT_USAGE, "`lateen forward RUN.STEP PORT`: a port is a number from 1 to 65535");
	*step++ = '\0';
	request.run = run;
	diags_init(&diags);
	forwards = forwards_new();
	rc = forwards_add(forwards, &request, step, (int)port, &diags, &said);
	rc = finish(rc, &diags, &said);
	fflush(stdout);
	while (rc == EXIT_GOOD && !*signals.interrupted) {
		struct pollfd wake = { .fd = signals.wake, .events = POLLIN };
		struct buf news = { 0 };

		poll(&wake, 1, NEWS_EVERY);
		forwards_news(forwards, &news);
		fputs(buf_text(&news), stderr);
		buf_release(&news);
	}
	forwards_free(forwards);
	return rc;
}

int
cli_forward(const struct cli_args *args)
{
	return cli_with_target(args, forward, NULL);
}

/* ---- clusters ---- */

static int
need_target(const struct cli_args *args)
{
	return cli_option(args, "on") ? EXIT_GOOD : cli_fail(EXIT_USAGE, "`lateen %s` wants --on NAME, the cluster", args->command->name);
}

static int
prepare(const struct cli_args *args, const struct cluster *cluster)
{
	const struct steer_cluster request = { .cluster = cluster, .stop = cli_interrupted };
	bool apply = cli_option(args, "apply") != NULL;
	struct buf said = { 0 };
	struct diags diags;
	int rc;

	cli_catch_signals();
	diags_init(&diags);
	rc = !strcmp(args->command->name, "prepare") ? steer_prepare(&request, apply, &diags, &said) : steer_cleanup(&request, apply, &diags, &said);
	return finish(rc, &diags, &said);
}

int
cli_prepare(const struct cli_args *args)
{
	int status = need_target(args);

	return status == EXIT_GOOD ? cli_with_target(args, prepare, NULL) : status;
}

/* ---- pipelines ---- */

static bool
is_program(const char *path)
{
	size_t len = strlen(path);

	return !strcmp(path, "-") || (len > 7 && !strcmp(path + len - 7, ".lateen"));
}

static int
upload(const struct cli_args *args, const struct cluster *cluster, struct steer_pipeline *what)
{
	const struct steer_cluster request = { .cluster = cluster, .stop = cli_interrupted };
	struct buf said = { 0 };
	struct diags diags;

	cli_catch_signals();
	if (cli_option(args, "name"))
		what->name = cli_option(args, "name");
	diags_init(&diags);
	return finish(steer_upload(&request, what, &diags, &said), &diags, &said);
}

static int
upload_package(const struct cli_args *args, const struct cluster *cluster)
{
	struct arena *arena = arena_new();
	struct steer_pipeline what = { 0 };
	struct error err = { "" };
	int status;

	what.workflow = package_file_read(arena, args->rest[0], NULL, NULL, &err);
	if (what.workflow) {
		what.name = package_file_name(arena, args->rest[0], what.workflow);
		status = upload(args, cluster, &what);
	} else {
		status = cli_fail(EXIT_PROGRAM, "%s", err.text);
	}
	arena_free(arena);
	return status;
}

static int
upload_program(const struct cli_args *args)
{
	struct arena *arena = arena_new();
	struct steer_pipeline what = { 0 };
	const struct cluster *cluster;
	struct program_file file;
	struct plan *plan;
	int status = program_file_plan_of(args, &file, &plan);

	if (status == EXIT_GOOD)
		status = cli_target(args, &file, arena, &cluster);
	if (status == EXIT_GOOD) {
		what.plan = plan;
		what.name = plan->display ? plan->display : plan->name;
		status = upload(args, cluster, &what);
	}
	program_file_release(&file);
	arena_free(arena);
	return status;
}

int
cli_upload(const struct cli_args *args)
{
	int status = need_target(args);

	if (status != EXIT_GOOD)
		return status;
	return is_program(args->rest[0]) ? upload_program(args) : cli_with_target(args, upload_package, NULL);
}

static int
schedule(const struct cli_args *args, const struct program_file *file, struct plan *plan, struct arena *arena)
{
	const char *cron = cli_option(args, "at") ? cli_option(args, "at") : plan->settings->schedule;
	struct steer_cluster request = { .stop = cli_interrupted };
	struct local_args values;
	struct steer_pipeline what = { .plan = plan, .name = plan->name, .args = &values };
	const char *name = cli_option(args, "name") ? cli_option(args, "name") : plan->name;
	int status = cli_take_arguments(args, arena, plan, &values);
	struct buf said = { 0 };
	struct diags diags;

	if (status == EXIT_GOOD)
		status = cli_target(args, file, arena, &request.cluster);
	if (status != EXIT_GOOD)
		return status;
	if (!cron || !setting_is_cron(cron))
		return cli_fail(EXIT_USAGE, "%s: --at \"0 3 * * *\" gives minute, hour, day, month and weekday",
			cron ? "this is no schedule" : "the pipeline has no `schedule`");
	cli_catch_signals();
	diags_init(&diags);
	return finish(steer_schedule(&request, &what, name, cron, cli_option(args, "timezone"), cli_option(args, "experiment"), &diags, &said),
		&diags, &said);
}

int
cli_schedule(const struct cli_args *args)
{
	struct arena *arena = arena_new();
	struct program_file file;
	struct plan *plan;
	int status = need_target(args);

	if (status == EXIT_GOOD) {
		status = program_file_plan_of(args, &file, &plan);
		if (status == EXIT_GOOD)
			status = schedule(args, &file, plan, arena);
		program_file_release(&file);
	}
	arena_free(arena);
	return status;
}
