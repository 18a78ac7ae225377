/* The commands that look at runs: runs, logs. */
#include "config.h"

#include "kernel/cli_steer.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernel/catch_up.h"
#include "kernel/empty_log.h"
#include "kernel/run_list.h"
#include "kernel/steer.h"
#include "kernel/text_output.h"
#include "runtime/store.h"

/* ---- runs ---- */

static int
runs_there(const struct cli_args *args, const struct cluster *cluster)
{
	const struct steer_cluster request = { .cluster = cluster, .stop = cli_interrupted };
	struct buf text = { 0 };
	struct diags diags;
	int rc;

	if (cli_option(args, "json"))
		return cli_fail(EXIT_USAGE, "--json is for the runs of this folder");
	cli_catch_signals();
	diags_init(&diags);
	rc = steer_runs(&request, &diags, &text, NULL);
	fputs(buf_text(&text), stdout);
	cli_report(&diags);
	diags_release(&diags);
	buf_release(&text);
	return rc < 0 ? EXIT_PROGRAM : EXIT_GOOD;
}

static int
runs_here(const struct cli_args *args)
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

int
cli_runs(const struct cli_args *args)
{
	return cli_with_target(args, runs_there, runs_here);
}

/* ---- logs ---- */

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

static void
say_empty(struct store *store, const struct log_follower *follower)
{
	struct arena *arena = arena_new();

	fprintf(stderr, "lateen: %s\n", empty_log_text(store, follower, arena));
	arena_free(arena);
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
		if (rc < 0 || !go_on || follower->ended || ferror(stdout) || cli_interrupted(NULL))
			break;
		nanosleep(&pause, NULL);
	}
	if (rc == 0 && !any)
		say_empty(store, follower);
	buf_release(&text);
	return rc < 0 ? cli_fail(EXIT_PROGRAM, "%s", err.text) : EXIT_GOOD;
}

/* With a look at a run on a cluster that nobody watches. */
static int
logs(const struct cli_args *args, const struct cluster *cluster)
{
	CLEANUP(freep) char *which = xstrdup(args->rest[0]);
	char *dot = strchr(which, '.');
	struct log_follower follower = { .step = dot ? dot + 1 : NULL, .grep = cli_option(args, "grep") };
	const struct steer_request request = { .run = which, .cluster = cluster, .stop = cli_interrupted };
	struct cli_interrupt signals = cli_catch_signals();
	struct backgrounds *set = backgrounds_new();
	struct text_output text;
	struct background_request look = { .output = &text.output, .wake = signals.wake, .interrupted = signals.interrupted };
	struct arena *arena = arena_new();
	struct background *background;
	struct store *store = NULL;
	struct diags diags;
	long last;
	int status = cli_number(args, "last", 0, LONG_MAX, -1, &last);

	follower.last = last < 0 ? SIZE_MAX : (size_t)last;
	if (dot)
		*dot = '\0';
	text_output_init(&text, true);
	diags_init(&diags);
	if (status == EXIT_GOOD) {
		status = catch_up(set, &request, &look, cli_option(args, "follow") != NULL, arena, &background, &follower.run, &diags) < 0
			? EXIT_PROGRAM : EXIT_GOOD;
		cli_report(&diags);
	}
	if (status == EXIT_GOOD && (store = open_store(&status)))
		status = follow_logs(store, &follower, cli_option(args, "follow") != NULL);
	log_follower_release(&follower);
	store_close(store);
	backgrounds_free(set);
	diags_release(&diags);
	text_output_release(&text);
	arena_free(arena);
	return status;
}

int
cli_logs(const struct cli_args *args)
{
	return cli_with_target(args, logs, NULL);
}
