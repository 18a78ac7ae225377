#include "config.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/local.h"
#include "runtime/store.h"
#include "tests/cases.h"
#include "tests/runtime/plan_fixtures.h"
#include "tests/tap.h"

/* Real processes. A case is a plan, and what the run looks like at its end; `…` stands for what is different each time. */
static char *project;

static struct run *
run_plan(const char *text, const struct local_options *options, struct local_problem *problem)
{
	struct plan *plan = fixture_plan("test_plan", text);
	struct local_options with = options ? *options : (struct local_options){ 0 };
	struct local *local;
	struct run *run = NULL;

	with.project = project;
	with.jobs = with.jobs ? with.jobs : 2;
	with.grace_ms = with.grace_ms ? with.grace_ms : 300;
	local = local_start(plan, NULL, &with, problem);
	plan_unref(plan);
	while (local && local_poll(local, -1))
		;
	if (local)
		run = run_ref(local_run(local));
	local_free(local);
	return run;
}

/* The text with each `from` as `to`. */
static void
replace(struct buf *buf, const char *text, const char *from, const char *to)
{
	const char *at;

	while ((at = strstr(text, from))) {
		buf_add(buf, text, (size_t)(at - text));
		buf_puts(buf, to);
		text = at + strlen(from);
	}
	buf_puts(buf, text);
}

static void
add_json(struct buf *buf, const struct value *value)
{
	struct buf text = { 0 };

	value_write_json(&text, value);
	buf_add(buf, buf_text(&text), text.len);
	buf_release(&text);
}

static void
describe(const struct run *run, struct buf *ret)
{
	struct arena *arena = arena_new();
	struct buf text = { 0 };

	for (size_t i = 0; i < run->n_nodes; i++) {
		const struct run_node *node = run->nodes[i];

		buf_printf(&text, "%s%s %s", run->plan->steps[node->step].name, node->key, phase_name(node->phase));
		if (node->attempts != 1)
			buf_printf(&text, " x%d", node->attempts);
		if (node->exit_code > 0)
			buf_printf(&text, " code %d", node->exit_code);
		if (node->outputs) {
			buf_putc(&text, ' ');
			add_json(&text, run_node_outputs(run, node, arena));
		}
		if (node->message)
			buf_printf(&text, " (%s)", node->message);
		buf_putc(&text, '\n');
		if (node->tail)
			buf_printf(&text, "| %s", node->tail);
		if (node->tail && node->tail[strlen(node->tail) - 1] != '\n')
			buf_putc(&text, '\n');
	}
	buf_printf(&text, "run %s\n", phase_name(run->phase));
	for (size_t i = 0; run->outputs && i < run->plan->n_outputs; i++) {
		buf_printf(&text, "output %s = ", run->plan->outputs[i].name);
		add_json(&text, run->outputs[i]);
		buf_putc(&text, '\n');
	}
	replace(ret, buf_text(&text), run->folder, "RUN");
	buf_release(&text);
	arena_free(arena);
}

static void
test_case(struct case_file *file, struct test_case *test)
{
	struct buf got = { 0 }, expected = { 0 };
	struct local_problem problem;
	struct run *run = run_plan(case_text(test, "plan"), NULL, &problem);

	if (run) {
		describe(run, &got);
		replace(&expected, buf_text(&got), project, "PROJECT");
	} else {
		buf_printf(&expected, "%s: %s\n", problem.code, problem.error.text);
	}
	case_is(file, test, "expected", buf_text(&expected), expected.len);
	buf_release(&got);
	buf_release(&expected);
	run_unref(run);
}

/* ---- what people see while it runs ---- */

struct seen {
	size_t changes;
	struct buf text;
};

static void
see_change(void *context, struct run *run UNUSED, size_t node UNUSED)
{
	struct seen *seen = context;

	seen->changes++;
}

static void
see_text(void *context, struct run *run UNUSED, size_t node UNUSED, const char *text, size_t len)
{
	struct seen *seen = context;

	buf_add(&seen->text, text, len);
}

static void
test_observer(void)
{
	struct seen seen = { 0 };
	struct run_observer observer = { see_change, see_text, &seen };
	struct local_options options = { .observers = &observer, .n_observers = 1 };
	struct local_problem problem;
	struct run *run = run_plan("step a\ncommand echo hello\n", &options, &problem);

	is_str(buf_text(&seen.text), "hello\n", "an observer sees what a step writes");
	is_int((int64_t)seen.changes, 4, "run begins, step begins, step ends, run ends");
	run_unref(run);
	buf_release(&seen.text);
}

/* ---- everything arrives ---- */

static void
test_lines(void)
{
	struct local_problem problem;
	struct run *run = run_plan("step a\ncommand seq 1000000\n", NULL, &problem);
	struct buf path = { 0 };
	char *text;
	size_t len = 0, at = 0, n = 0;

	buf_printf(&path, "%s/a/1/log", run->folder);
	text = test_read_file(buf_text(&path), &len);
	while (text && at < len) {
		if (strtoul(text + at, NULL, 10) != n + 1)
			break;
		n++;
		at += strcspn(text + at, "\n") + 1;
	}
	is_int((int64_t)n, 1000000, "a million lines, each in its place");
	is_int((int64_t)len, 6888896, "and nothing else");
	free(text);
	buf_release(&path);
	run_unref(run);
}

static void
test_flood(void)
{
	struct local_problem problem;
	struct run *run = run_plan("step a\nscript sh\nhead -c 67108864 /dev/zero >&2\nexit 3\nend\n", NULL, &problem);
	struct buf path = { 0 };
	FILE *file;

	buf_printf(&path, "%s/a/1/log", run->folder);
	file = fopen(buf_text(&path), "rb");
	fseek(file, 0, SEEK_END);
	is_int(ftell(file), 67108864, "64 MiB to standard error are in the log");
	fclose(file);
	ok(run->nodes[0]->tail && strlen(run->nodes[0]->tail) <= 8192, "and at most the last of them in memory");
	buf_release(&path);
	run_unref(run);
}

/* ---- stopping ---- */

/* How many processes have the text in their command line. */
static int
processes_with(const char *marker)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int n = 0;

	while ((entry = readdir(proc))) {
		char path[300];
		char *text;
		size_t len = 0;

		snprintf(path, sizeof(path), "/proc/%s/cmdline", entry->d_name);
		text = strtol(entry->d_name, NULL, 10) > 0 ? test_read_file(path, &len) : NULL;
		n += text && memmem(text, len, marker, strlen(marker));
		free(text);
	}
	closedir(proc);
	return n;
}

static void
wait_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* A step that lives until it is killed; a file says when it is there. */
#define DEAF "trap '' TERM\n"
#define FOREVER(NUMBER) "touch here\nwhile :; do sleep " NUMBER "; done\n"

static bool
appears(const char *marker)
{
	for (int i = 0; i < 1000 && !processes_with(marker); i++)
		wait_ms(10);
	return processes_with(marker) > 0;
}

static void
wait_for_file(const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", project, name);
	for (int i = 0; i < 1000 && access(path, F_OK); i++)
		wait_ms(10);
	unlink(path);
}

static void
test_interrupt(const char *what, const char *script, const char *marker)
{
	struct plan *plan = fixture_plan("test_plan", script);
	struct local_options options = { .project = project, .grace_ms = 200, .jobs = 4 };
	struct local_problem problem;
	struct local *local = local_start(plan, NULL, &options, &problem);
	char path[512];

	snprintf(path, sizeof(path), "%s/here", project);
	for (int i = 0; i < 2000 && access(path, F_OK); i++)
		local_poll(local, 10);
	unlink(path);
	ok(appears(marker), "%s: its process is there", what);
	local_interrupt(local);
	while (local_poll(local, -1))
		;
	is_str(phase_name(local_run(local)->phase), "Failed", "%s: the run is Failed", what);
	is_str(local_run(local)->message, "stopped", "%s: because it was stopped", what);
	is_str(phase_name(local_run(local)->nodes[0]->phase), "Failed", "%s: so is the step", what);
	local_free(local);
	is_int(processes_with(marker), 0, "%s: no process is left", what);
	plan_unref(plan);
}

static void
test_free(void)
{
	struct plan *plan = fixture_plan("test_plan", "step a\nscript sh\n" FOREVER("61.000001") "end\n");
	struct local_options options = { .project = project, .grace_ms = 200 };
	struct local_problem problem;
	struct local *local = local_start(plan, NULL, &options, &problem);
	struct run *run = run_ref(local_run(local));

	wait_for_file("here");
	local_free(local);
	is_str(phase_name(run->phase), "Failed", "a run that nobody drives is Failed");
	is_int(processes_with("61.000001"), 0, "and its processes are gone");
	run_unref(run);
	plan_unref(plan);
}

/* A process that dies without a word takes the run's processes along, and `runs` does not call it running. */
static void
test_owner_dies(void)
{
	struct plan *plan = fixture_plan("orphaned", "step a\nscript sh\n" DEAF FOREVER("62.000001") "end\n");
	struct local_options options = { .project = project, .grace_ms = 200 };
	struct arena *arena = arena_new();
	struct store *store;
	struct store_run *runs;
	char *folder = store_folder_of(project);
	struct error err;
	size_t n = 0;
	pid_t pid = fork();

	if (!pid) {
		struct local_problem problem;
		struct local *local = local_start(plan, NULL, &options, &problem);

		while (local_poll(local, -1))
			;
		_exit(0);
	}
	wait_for_file("here");
	ok(appears("62.000001"), "the orphan's process is there");
	store = store_open(folder, true, &err);
	runs = store_runs(store, arena, 1, &n, &err);
	is_str(phase_name(runs[0].phase), "Running", "while its owner lives, it runs");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	for (int i = 0; i < 300 && processes_with("62.000001"); i++)
		wait_ms(10);
	is_int(processes_with("62.000001"), 0, "after the owner's death no process is left, though it ignores TERM");
	runs = store_runs(store, arena, 1, &n, &err);
	is_str(phase_name(runs[0].phase), "Error", "the store tells the truth about it");
	is_str(runs[0].message, "the process that ran it died", "and says why");
	store_close(store);
	arena_free(arena);
	free(folder);
	plan_unref(plan);
}

static void
test_stop_from_elsewhere(void)
{
	struct plan *plan = fixture_plan("elsewhere", "step a\nscript sh\n" FOREVER("63.000001") "end\n");
	struct local_options options = { .project = project, .grace_ms = 200 };
	struct local_problem problem;
	struct local *local = local_start(plan, NULL, &options, &problem);
	char *folder = store_folder_of(project);
	struct store *store;
	struct error err;

	wait_for_file("here");
	store = store_open(folder, true, &err);
	is_int(store_stop(store, local_run(local)->name, &err), 0, "a stop is asked for by name");
	while (local_poll(local, -1))
		;
	is_str(local_run(local)->message, "stopped", "and the owner stops");
	is_int(store_stop(store, "last", &err), -1, "a run that has ended cannot be stopped");
	contains(err.text, "has ended already", "and the error says so");
	store_close(store);
	local_free(local);
	free(folder);
	plan_unref(plan);
}

/* ---- secrets ---- */

static bool
tree_holds(const char *folder, const char *text)
{
	char command[1024];
	FILE *file;
	int found;

	snprintf(command, sizeof(command), "%s/look.sh", project);
	file = fopen(command, "w");
	fprintf(file, "grep -r -a -q -F -- '%s' '%s'\n", text, folder);
	fclose(file);
	found = fork();
	if (!found) {
		execl("/bin/sh", "sh", command, (char *)NULL);
		_exit(2);
	}
	waitpid(found, &found, 0);
	unlink(command);
	return WIFEXITED(found) && WEXITSTATUS(found) == 0;
}

static void
test_secret(void)
{
	static const char text[] =
		"secret token github token\n"
		"step a t:Secret=token\n"
		"secret_env ALSO other key\n"
		"script sh\n"
		"test ${#t} = 23 && test ${#ALSO} = 11\n"
		"printf 'before %s after\\n%s' \"$t\" \"$ALSO\"\n"
		"printf hunter-two-; sleep 0.05; printf 0123456789ab\n"
		"end\n"
		"step b t:Secret=token -> x:String\n"
		"script sh\n"
		"printf %s \"$t\" > $out_x\n"
		"end\n";
	struct local_problem problem;
	struct run *run;
	struct buf path = { 0 };
	char *log;

	setenv("GITHUB_TOKEN", "hunter-two-0123456789ab", 1);
	setenv("OTHER_KEY", "elf-of-text", 1);
	run = run_plan(text, NULL, &problem);
	buf_printf(&path, "%s/a/1/log", run->folder);
	log = test_read_file(buf_text(&path), NULL);
	is_str(log, "before *** after\n******", "secrets are masked in the log, also when one comes in two pieces");
	is_str(phase_name(run->nodes[0]->phase), "Succeeded", "the step saw them");
	is_str(phase_name(run->nodes[1]->phase), "Error", "a value that holds a secret is refused");
	buf_clear(&path);
	buf_printf(&path, "%s/.lateen", project);
	ok(!tree_holds(buf_text(&path), "hunter-two"), "no file of the store holds the secret");
	ok(!tree_holds(buf_text(&path), "elf-of-text"), "nor the other one");
	free(log);
	buf_release(&path);
	run_unref(run);
	unsetenv("GITHUB_TOKEN");
	unsetenv("OTHER_KEY");
}

static void
test_missing_secret(void)
{
	struct local_problem problem;
	struct run *run = run_plan("secret t git token\nstep a t:Secret=t\ncommand true\n", NULL, &problem);

	contains(run->nodes[0]->message, "set the variable GIT_TOKEN", "a missing secret says what to do");
	run_unref(run);
}

/* ---- the journal ---- */

static void
test_journal(void)
{
	struct local_problem problem;
	struct run *run = run_plan("for i over [1,2]\nstep a in i n:Integer=@i -> x:Integer\nscript sh\necho $n > $out_x\nend\n"
				   "step b l:List=a.x\ncommand false $l\n",
		NULL, &problem);
	struct engine_args args = { .run_id = run->id, .run_name = run->name, .jobs = 2 };
	struct arena *arena = arena_new();
	char *folder = store_folder_of(project);
	struct error err;
	struct store *store = store_open(folder, true, &err);
	struct engine *engine = engine_new(run->plan, &args, &err);
	const struct engine_action *actions;
	struct engine_event *events;
	struct store_step *steps;
	struct buf logs = { 0 };
	size_t n = 0, n_actions;

	events = store_events(store, arena, run->id, &n, &err);
	is_int((int64_t)n, 4, "the start and three ends are in the journal");
	for (size_t i = 0; i < n; i++)
		ok(engine_feed(engine, &events[i], &actions, &n_actions), "event %zu has its effect on a new engine", i);
	is_str(phase_name(engine_phase(engine)), phase_name(run->phase), "which ends as the run did");
	is_int((int64_t)engine_node_count(engine), 4, "with the same nodes");
	steps = store_steps(store, arena, run->id, &n, &err);
	is_int((int64_t)n, 3, "three steps are in the store");
	is_str(steps[1].key, "[0]", "items by their place");
	is_int(store_logs(store, run->name, "nothing", SIZE_MAX, NULL, &logs, &err), -1, "a step that is not there");
	contains(err.text, "no step `nothing`", "has no log, and the error says so");
	buf_release(&logs);
	engine_free(engine);
	store_close(store);
	arena_free(arena);
	free(folder);
	run_unref(run);
}

static size_t
open_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	size_t n = 0;

	while (readdir(folder))
		n++;
	closedir(folder);
	return n;
}

/* A kernel lives long and runs much. */
static void
test_descriptors(void)
{
	struct local_problem problem;
	size_t before = open_descriptors();

	for (int i = 0; i < 20; i++) {
		run_unref(run_plan("step a\ncommand true\nstep b\ncommand no-such-program\n", NULL, &problem));
		run_unref(run_plan("param n Integer\nstep a n:Integer=n\ncommand true\n", NULL, &problem));
	}
	is_int((int64_t)open_descriptors(), (int64_t)before, "forty runs leave no descriptor open");
	is_int(waitpid(-1, NULL, WNOHANG), -1, "and no child");
}

int
main(void)
{
	struct case_file file;

	unsetenv("LATEEN_HOME");
	setenv("LATEEN_CONTAINER", "", 1);
	project = test_temp_dir();
	cases_open(&file, "tests/runtime/local.cases");
	for (size_t i = 0; i < file.n_cases; i++)
		test_case(&file, &file.cases[i]);
	cases_close(&file);
	test_observer();
	test_lines();
	test_flood();
	test_interrupt("a step", "step a\nscript sh\n" FOREVER("60.000001") "end\n", "60.000001");
	test_interrupt("a step that ignores TERM", "step a\nscript sh\n" DEAF FOREVER("60.000002") "end\n", "60.000002");
	test_interrupt("a daemon",
		"step a\nscript sh\n(setsid sh -c 'sleep 60.000003; true' &)\nsleep 0.2\n" FOREVER("60.000004") "end\n", "60.00000");
	test_interrupt("a stopped step", "step a\nscript sh\ntouch here\nkill -STOP $$\nsleep 60.000005\nend\nstep b\ncommand sleep 60.000005\n",
		"60.000005");
	test_free();
	test_owner_dies();
	test_stop_from_elsewhere();
	test_secret();
	test_missing_secret();
	test_journal();
	test_descriptors();
	test_remove_tree(project);
	free(project);
	return done_testing();
}
