/* Of the store: what it gives of logs, at once and as they grow. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/local.h"
#include "runtime/log.h"
#include "runtime/paths.h"
#include "runtime/store.h"
#include "tests/runtime/plan_fixtures.h"
#include "tests/tap.h"

static char *folder;

static struct store *
open_store(const char *name, bool must_exist, struct error *err)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return store_open(path, must_exist, err);
}

static void
test_logs(void)
{
	struct plan *plan = fixture_plan("noisy", "step a\nscript sh\necho one; echo two; echo three\nend\nfor i over [1,2]\nstep b in i n:Integer=@i\n"
						  "command echo item $n\nstep c after a\ncommand true\n");
	struct local_options options = { .project = folder, .jobs = 1 };
	struct local_problem problem;
	struct local *local = local_start(plan, NULL, &options, &problem);
	struct error err = { "" };
	struct store *store;
	struct buf got = { 0 };

	while (local_poll(local, -1))
		;
	store = open_store(".lateen", true, &err);
	store_logs(store, "last", "a", SIZE_MAX, NULL, &got, &err);
	is_str(buf_text(&got), "one\ntwo\nthree\n", "the log of a step");
	buf_clear(&got);
	store_logs(store, local_run(local)->name, "a", 1, NULL, &got, &err);
	is_str(buf_text(&got), "three\n", "its last line");
	buf_clear(&got);
	store_logs(store, "", "a", SIZE_MAX, "t", &got, &err);
	is_str(buf_text(&got), "two\nthree\n", "lines with a text");
	buf_clear(&got);
	store_logs(store, "", "b[1]", SIZE_MAX, NULL, &got, &err);
	is_str(buf_text(&got), "item 2\n", "one item of a loop");
	buf_clear(&got);
	store_logs(store, "", "b", SIZE_MAX, NULL, &got, &err);
	is_str(buf_text(&got), "==> b[0] <==\nitem 1\n\n==> b[1] <==\nitem 2\n", "all of them");
	buf_clear(&got);
	store_logs(store, "", NULL, SIZE_MAX, NULL, &got, &err);
	contains(buf_text(&got), "==> a <==\none\n", "all steps");
	store_close(store);
	local_free(local);
	plan_unref(plan);
	buf_release(&got);
}

/* Lines of the steps of a run with their times, "NAME:TIME:TEXT", into logs; then what is given of all. */
static void
write_lines(struct store *store, const struct store_run *run, const char *const *lines, size_t n)
{
	struct error err = { "" };
	const char *shown;
	size_t len;

	for (char name = 'a'; name <= 'c'; name++) {
		char path[700], step[2] = { name, '\0' };
		struct store_step row = { .name = step, .key = "", .phase = PHASE_SUCCEEDED, .exit_code = 0, .folder = path };
		struct log *log;

		snprintf(path, sizeof(path), "%s/%c/1", run->folder, name);
		paths_make(path, &err);
		store_step(store, run->id, (size_t)(name - 'a'), &row, &err);
		snprintf(path, sizeof(path), "%s/%c/1/log", run->folder, name);
		log = log_new(path, NULL, 0, &err);
		for (size_t i = 0; i < n; i++)
			if (*lines[i] == name)
				log_write(log, strrchr(lines[i], ':') + 1, strlen(strrchr(lines[i], ':') + 1), strtol(lines[i] + 2, NULL, 10), &shown, &len);
		log_free(log);
	}
}

static void
test_merged(void)
{
	static const char *const lines[] = { "a:10:a1\n", "a:20:a2\na3\n", "a:50:a4\n", "b:15:b1\n", "b:20:b2\n", "b:30:b3\n", "b:40:b", "b:60:4\n", "c:5:no end" };
	struct arena *arena = arena_new();
	struct error err = { "" };
	struct store *store = open_store("merged", false, &err);
	struct log_follower follower = { .run = "last", .last = SIZE_MAX };
	struct store_run run;
	struct buf got = { 0 };
	char path[700];

	store_new_run(store, arena, "m", NULL, &run, &err);
	write_lines(store, &run, lines, ARRAY_LEN(lines));
	store_end_run(store, run.id, PHASE_SUCCEEDED, NULL, NULL, 70, &err);
	store_logs(store, "last", NULL, SIZE_MAX, NULL, &got, &err);
	is_str(buf_text(&got), "==> c <==\nno end\n==> a <==\na1\n\n==> b <==\nb1\n\n==> a <==\na2\na3\n\n==> b <==\nb2\nb3\nb4\n\n==> a <==\na4\n",
	       "all steps, by time; a line has the time of its beginning");
	buf_clear(&got);
	store_logs(store, "last", NULL, 1, NULL, &got, &err);
	is_str(buf_text(&got), "==> c <==\nno end\n==> b <==\nb4\n\n==> a <==\na4\n", "the last line of each");
	buf_clear(&got);
	store_logs(store, "last", NULL, SIZE_MAX, "2", &got, &err);
	is_str(buf_text(&got), "==> a <==\na2\n\n==> b <==\nb2\n", "those that hold a text");
	buf_clear(&got);
	store_follow(store, &follower, &got, &err);
	buf_clear(&got);
	store_follow(store, &follower, &got, &err);
	is_str(buf_text(&got), "", "and a follower is given nothing twice");
	log_follower_release(&follower);
	snprintf(path, sizeof(path), "%s/a/1/log.idx", run.folder);
	unlink(path);
	store_logs(store, "last", NULL, SIZE_MAX, NULL, &got, &err);
	contains(buf_text(&got), "==> a <==\na1\na2\na3\na4\n", "a log whose index is gone stays together");
	store_close(store);
	buf_release(&got);
	arena_free(arena);
}

/* While a run went on, its logs were said not to be there, and who followed several got pieces of one in the name of another. */
static void
test_follow(void)
{
	char fifo[600], text[900];
	struct local_options options = { .project = folder, .jobs = 2 };
	struct log_follower follower = { .run = "last", .step = "a", .last = 1 };
	struct error err = { "" };
	struct buf got = { 0 };
	struct local_problem problem;
	struct local *local;
	struct store *store;
	struct plan *plan;
	FILE *gate;

	snprintf(fifo, sizeof(fifo), "%s/gate", folder);
	mkfifo(fifo, 0600);
	snprintf(text, sizeof(text), "for i over [1,2]\nstep a in i n:Integer=@i\nscript sh\necho no; echo one $n\n"
		 "[ $n = 2 ] || { read x < %s || true; echo two; printf end; }\nend\n", fifo);
	plan = fixture_plan("gated", text);
	local = local_start(plan, NULL, &options, &problem);
	while (local_run(local)->n_nodes < 2 || local_run(local)->nodes[1]->phase != PHASE_SUCCEEDED)
		local_poll(local, -1);
	store = open_store(".lateen", true, &err);
	for (int i = 0; i < 1000 && got.len < 37; i++) {
		local_poll(local, 10);
		buf_clear(&got);
		store_logs(store, "last", "a", 1, NULL, &got, &err);
	}
	is_str(buf_text(&got), "==> a[0] <==\none 1\n\n==> a[1] <==\none 2\n", "the last line of each");
	buf_clear(&got);
	store_follow(store, &follower, &got, &err);
	is_str(buf_text(&got), "==> a[0] <==\none 1\n\n==> a[1] <==\none 2\n", "a follower begins with it");
	buf_clear(&got);
	store_follow(store, &follower, &got, &err);
	is_str(buf_text(&got), "", "and is given nothing twice");
	gate = fopen(fifo, "w");
	fclose(gate);
	while (local_poll(local, -1))
		;
	store_follow(store, &follower, &got, &err);
	is_str(buf_text(&got), "\n==> a[0] <==\ntwo\nend", "what comes is given to the one that it is of, the rest at the end");
	ok(follower.ended, "and the follower knows the end");
	log_follower_release(&follower);
	follower = (struct log_follower){ .run = "last", .step = "z" };
	is_int(store_follow(store, &follower, &got, &err), -1, "a step that is not there");
	log_follower_release(&follower);
	store_close(store);
	local_free(local);
	plan_unref(plan);
	buf_release(&got);
}

int
main(void)
{
	unsetenv("LATEEN_HOME");
	folder = test_temp_dir();
	test_logs();
	test_follow();
	test_merged();
	test_remove_tree(folder);
	free(folder);
	return done_testing();
}
