#include "config.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
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
run_sql(const char *name, const char *sql)
{
	char path[512];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/%s/store.db", folder, name);
	if (sqlite3_open(path, &db) != SQLITE_OK || sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		BUG("%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_close(db);
}

static void
test_new(void)
{
	struct arena *arena = arena_new();
	struct error err = { "" };
	struct store_run run, found;
	struct store *store = open_store("new", true, &err);
	struct stat st;

	ok(!store, "a store that must be there and is not");
	is_str(err.text, "there are no runs here yet", "says so");
	store = open_store("new/deep", false, &err);
	ok(store && !store_read_only(store), "is made with its folders");
	is_int(store_new_run(store, arena, "my_pipeline", value_read_json(arena, "{\"n\":3}", 7, NULL), &run, &err), 0, "a run");
	ok(!strncmp(run.name, "my-pipeline-", 12) && strlen(run.name) == 17, "its name is the pipeline's with five letters: %s", run.name);
	is_int((int64_t)strlen(run.id), 36, "its id is a UUID");
	ok(!stat(run.folder, &st) && S_ISDIR(st.st_mode), "its folder is there");
	is_int(store_find(store, arena, run.name, &found, &err), 0, "found by name");
	is_str(found.id, run.id, "it is that one");
	is_int(store_find(store, arena, arena_strndup(arena, run.id, 8), &found, &err), 0, "by the start of its id");
	is_int(store_find(store, arena, "last", &found, &err), 0, "by `last`");
	is_str(phase_name(found.phase), "Running", "it runs: we live");
	is_int(store_find(store, arena, "other", &found, &err), -1, "another one is not there");
	is_str(err.text, "there is no run `other`", "and the error names it");
	store_close(store);
	arena_free(arena);
}

static void
test_ambiguous(void)
{
	struct arena *arena = arena_new();
	struct error err = { "" };
	struct store_run a, b, found;
	struct store *store = open_store("two", false, &err);

	store_new_run(store, arena, "same", NULL, &a, &err);
	store_new_run(store, arena, "same", NULL, &b, &err);
	is_int(store_find(store, arena, "same-", &found, &err), -1, "two runs begin so");
	contains(err.text, "more than one run begins with `same-`", "and the error says it");
	is_int(store_find(store, arena, a.name, &found, &err), 0, "a whole name is no question");
	is_str(found.id, a.id, "and means that run");
	store_close(store);
	arena_free(arena);
}

static void
test_journal(void)
{
	struct arena *arena = arena_new();
	struct error err = { "" };
	struct store *store = open_store("journal", false, &err);
	static const char json[] = "{\"a\":[1,\"é\\n\"]}";
	struct engine_output outputs[2] = { { value_read_json(arena, json, strlen(json), NULL), NULL }, { NULL, "/a/b" } };
	struct engine_event events[] = {
		{ .kind = ENGINE_START, .now_ms = 5 },
		{ .kind = ENGINE_EXITED, .now_ms = 7, .node = 3, .attempt = 2, .outputs = outputs },
		{ .kind = ENGINE_EXITED, .now_ms = 8, .node = 4, .how = EXIT_ERROR, .text = "why 'not' \"it\"" },
		{ .kind = ENGINE_STOP, .now_ms = 9, .text = "enough" },
	};
	struct engine_event *back;
	struct store_run run;
	size_t n = 0;

	store_new_run(store, arena, "j", NULL, &run, &err);
	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		store_event(store, run.id, &events[i], 2, &err);
	back = store_events(store, arena, run.id, &n, &err);
	is_int((int64_t)n, 4, "four events");
	is_int((int64_t)back[1].node, 3, "a node");
	is_int(back[1].attempt, 2, "an attempt");
	ok(value_equal(back[1].outputs[0].value, outputs[0].value), "a value");
	is_str(back[1].outputs[1].path, "/a/b", "a path");
	ok(!back[1].outputs[1].value, "no value where there was none");
	is_str(back[2].text, events[2].text, "a text");
	is_int(back[2].how, EXIT_ERROR, "how");
	is_int(back[3].kind, ENGINE_STOP, "the order");
	store_close(store);
	arena_free(arena);
}

static void
test_transaction(void)
{
	struct arena *arena = arena_new();
	struct error err = { "" };
	struct store *store = open_store("transaction", false, &err), *other;
	struct engine_event event = { .kind = ENGINE_START };
	struct store_run run;
	size_t n = 1;

	store_new_run(store, arena, "t", NULL, &run, &err);
	is_int(store_begin(store, &err), 0, "a transaction");
	store_event(store, run.id, &event, 0, &err);
	other = open_store("transaction", true, &err);
	store_events(other, arena, run.id, &n, &err);
	is_int((int64_t)n, 0, "others do not see what is not committed");
	is_int(store_commit(store, &err), 0, "committed");
	store_events(other, arena, run.id, &n, &err);
	is_int((int64_t)n, 1, "and then they do");
	store_close(other);
	store_close(store);
	arena_free(arena);
}

static void
test_newer(void)
{
	struct arena *arena = arena_new();
	struct error err = { "" };
	struct store *store = open_store("newer", false, &err);
	struct store_run run;
	size_t n = 0;

	store_new_run(store, arena, "old", NULL, &run, &err);
	store_close(store);
	run_sql("newer", "PRAGMA user_version = 99; ALTER TABLE runs ADD COLUMN flavour TEXT;");
	store = open_store("newer", false, &err);
	ok(store && store_read_only(store), "a store of a newer version can be read");
	ok(store_runs(store, arena, 10, &n, &err) && n == 1, "its runs are listed");
	is_int(store_new_run(store, arena, "new", NULL, &run, &err), -1, "but not written");
	contains(err.text, "can only be read: a newer Lateen wrote it", "and the error says why");
	store_close(store);
	arena_free(arena);
}

/* As version 1 made it. */
static const char version_1[] =
	"CREATE TABLE runs(id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, pipeline TEXT NOT NULL, args TEXT, phase TEXT NOT NULL,"
	" message TEXT, started_ms INTEGER NOT NULL, ended_ms INTEGER, outputs TEXT,"
	" owner_pid INTEGER NOT NULL, owner_start INTEGER NOT NULL, owner_boot TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX runs_by_time ON runs(started_ms);"
	"CREATE TABLE events(run TEXT NOT NULL, seq INTEGER NOT NULL, kind INTEGER NOT NULL, now_ms INTEGER NOT NULL, node INTEGER,"
	" attempt INTEGER, how INTEGER, number INTEGER, text TEXT, outputs TEXT, PRIMARY KEY(run, seq)) WITHOUT ROWID;"
	"CREATE TABLE steps(run TEXT NOT NULL, node INTEGER NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL, phase TEXT NOT NULL,"
	" attempts INTEGER NOT NULL, started_ms INTEGER, ended_ms INTEGER, exit_code INTEGER, message TEXT, outputs TEXT, folder TEXT,"
	" PRIMARY KEY(run, node)) WITHOUT ROWID;"
	"PRAGMA user_version = 1;"
	"INSERT INTO runs VALUES('11111111-0000-4000-8000-000000000000', 'old-bcdfg', 'old', NULL, 'Succeeded', NULL, 5, 7, NULL, 1, 1, 'b');"
	"INSERT INTO runs VALUES('22222222-0000-4000-8000-000000000000', 'lost-bcdfg', 'lost', NULL, 'Running', NULL, 4, NULL, NULL, 1, 1, 'b');";

static void
make_version_1(const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	mkdir(path, 0777);
	run_sql(name, version_1);
}

static void
test_older(void)
{
	struct arena *arena = arena_new();
	struct error err = { "" };
	struct store *store;
	struct store_run *runs, run = { .pipeline = "p", .place = { "prod", "{}", "kube", "ns", "p-1", "uid" } }, back;
	size_t n = 0;

	make_version_1("older");
	store = open_store("older", true, &err);
	ok(store && !store_read_only(store), "a store of version 1 is brought up to date");
	runs = store_runs(store, arena, 10, &n, &err);
	is_int((int64_t)n, 2, "with its runs");
	is_str(phase_name(runs[0].phase), "Succeeded", "one that ended");
	is_str(phase_name(runs[1].phase), "Error", "one whose process died");
	ok(!runs[0].place.target && !runs[1].place.target, "both were here");
	store_choose(arena, "p", &run.id, &run.name, &err);
	is_int(store_new_run_there(store, arena, &run, NULL, &back, &err), 0, "and takes what only version 2 has");
	store_close(store);
	store = open_store("older", true, &err);
	is_int(store_find(store, arena, "p-", &back, &err), 0, "which is still there");
	is_str(back.place.target, "prod", "with its place");
	store_close(store);
	arena_free(arena);
}

static void
test_cluster_run(void)
{
	struct arena *arena = arena_new();
	struct error err = { "" };
	struct store *store = open_store("there", false, &err);
	struct store_run run = { .pipeline = "Über_P", .place = { "prod", "{\"context\":\"c\"}", "kube", "ml", "p-1", "" } }, found;
	struct store_log log = { 12, "2026-01-02T03:04:05.000000006Z", false }, back;
	int claim = -1, other = -1;

	is_int(store_choose(arena, run.pipeline, &run.id, &run.name, &err), 0, "an id and a name");
	ok(!run.name[strspn(run.name, "abcdefghijklmnopqrstuvwxyz0123456789-")] && *run.name != '-', "fit for Kubernetes: %s", run.name);
	is_int(store_new_run_there(store, arena, &run, NULL, &found, &err), 0, "a run on a cluster");
	is_int(store_new_run_there(store, arena, &(struct store_run){ .id = "x", .name = run.name, .pipeline = "p", .place = run.place },
		NULL, &found, &err), -1, "no other has its name");
	contains(err.text, "choose another name", "and the error says so");
	is_int(store_new_run_there(store, arena, &(struct store_run){ .id = "y", .name = "../up", .pipeline = "p", .place = run.place },
		NULL, &found, &err), -1, "a name is no path");
	run.place.workflow_id = "0c7e";
	is_int(store_set_place(store, run.id, &run.place, &err), 0, "its place becomes known");
	run_sql("there", "UPDATE runs SET owner_boot = 'another'");
	store_find(store, arena, run.name, &found, &err);
	is_str(phase_name(found.phase), "Running", "it goes on without who watched it");
	ok(!found.owned, "nobody watches it");
	is_str(found.place.where, "{\"context\":\"c\"}", "where");
	is_str(found.place.workflow_id, "0c7e", "what");
	is_int(store_claim(store, &found, &claim, &err), 0, "it can be claimed");
	is_int(store_claim(store, &found, &other, &err), 1, "once");
	store_find(store, arena, run.name, &found, &err);
	ok(found.owned, "and is watched then");
	store_release_claim(claim);
	is_int(store_claim(store, &found, &claim, &err), 0, "and again when it was released");
	store_release_claim(claim);
	is_int(store_stop(store, run.name, &err), -1, "no file stops it");
	contains(err.text, "is on the cluster `prod`", "and the error says where it is");
	store_get_log(store, arena, run.id, "a/1", &back, &err);
	ok(!back.bytes && !*back.last && !back.whole, "nothing is known of a log");
	is_int(store_set_log(store, run.id, "a/1", &log, &err), 0, "until it is");
	store_get_log(store, arena, run.id, "a/1", &back, &err);
	ok(back.bytes == 12 && !strcmp(back.last, log.last) && !back.whole, "it comes back");
	ok(!store_lacks_logs(store, run.id), "more may come of it while the run goes on");
	store_end_run(store, run.id, PHASE_FAILED, "why", NULL, 9, &err);
	ok(store_lacks_logs(store, run.id), "what did not come by its end is known to be missing");
	store_go_on(store, run.id, NULL, &err);
	store_find(store, arena, run.name, &found, &err);
	ok(found.phase == PHASE_RUNNING && !found.message && !found.ended_ms, "one that is retried runs again");
	is_int(store_claim(store, &found, &claim, &err), 0, "it is watched");
	is_int(store_end_gone(store, &found, 11, &err), 0, "its cluster has it no longer");
	store_find(store, arena, run.name, &found, &err);
	is_str(phase_name(found.phase), "Running", "that is left to the one that watches");
	store_release_claim(claim);
	is_int(store_end_gone(store, &found, 11, &err), 0, "and where nobody does");
	store_find(store, arena, run.name, &found, &err);
	is_str(phase_name(found.phase), "Error", "it is over");
	is_str(found.message, "deleted on its cluster before its end was seen", "and says so");
	store_close(store);
	arena_free(arena);
}

/* Runs in a child, which gives up the rights to write; 0: the run was found. */
static int
look_as_stranger(const char *name)
{
	struct error err;
	struct arena *arena = arena_new();
	struct store *store;
	struct store_run run;

	if (geteuid() == 0 && (setgid(65534) || setuid(65534)))
		return 2;
	store = open_store(name, true, &err);
	return !store || !store_read_only(store) || store_find(store, arena, "last", &run, &err) < 0;
}

/* A store in a folder that cannot be written could not be read either. */
static void
test_write_protected(void)
{
	struct arena *arena = arena_new();
	struct error err;
	struct store *store = open_store("odd?name#%41", false, &err);
	char path[600];
	struct store_run run;
	int status = -1;
	pid_t pid;

	store_new_run(store, arena, "p", NULL, &run, &err);
	store_close(store);
	chmod(folder, 0755);
	snprintf(path, sizeof(path), "%s/odd?name#%%41/store.db", folder);
	chmod(path, 0444);
	*strrchr(path, '/') = '\0';
	chmod(path, 0555);
	pid = fork();
	if (pid == 0)
		_exit(look_as_stranger("odd?name#%41"));
	waitpid(pid, &status, 0);
	is_int(status, 0, "a write-protected store in a write-protected folder can be read");
	chmod(path, 0755);
	make_version_1("old-protected");
	snprintf(path, sizeof(path), "%s/old-protected/store.db", folder);
	chmod(path, 0444);
	*strrchr(path, '/') = '\0';
	chmod(path, 0555);
	pid = fork();
	if (pid == 0)
		_exit(look_as_stranger("old-protected"));
	waitpid(pid, &status, 0);
	is_int(status, 0, "so can one of version 1");
	chmod(path, 0755);
	arena_free(arena);
}

static void
test_broken(void)
{
	struct error err = { "" };
	char path[512];

	snprintf(path, sizeof(path), "%s/broken", folder);
	mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/broken/store.db", folder);
	paths_write(path, "this is no database, but it is long enough to be looked at as one ...............", 80, 0666, NULL);
	ok(!open_store("broken", false, &err), "what is no database is refused");
	contains(err.text, "file is not a database", "with the reason");
	snprintf(path, sizeof(path), "%s/file", folder);
	paths_write(path, "", 0, 0666, NULL);
	ok(!open_store("file", false, &err), "a file where the folder should be");
	contains(err.text, "file", "is named");
}

/* Rows that no Lateen wrote: texts that are no phases, numbers that are no kinds, JSON that is none. */
static void
test_hostile_rows(void)
{
	struct arena *arena = arena_new();
	struct error err = { "" };
	struct store *store = open_store("hostile", false, &err);
	struct store_step *steps;
	struct store_run *runs;
	size_t n = 0;

	run_sql("hostile",
		"INSERT INTO runs VALUES('id', 'name', 'p', '{', 'Dancing', NULL, -1, NULL, ']', -5, 0, 'x');"
		"INSERT INTO events VALUES('id', 1, 77, 0, -1, -1, 99, 0, NULL, '[{]');"
		"INSERT INTO events VALUES('id', 2, 1, 0, -9, -9, 1, 0, NULL, '{\"a\": 1}');"
		"INSERT INTO steps VALUES('id', 0, 's', '', '', -1, NULL, NULL, NULL, x'ff', 'no json', '/nowhere');");
	runs = store_runs(store, arena, 10, &n, &err);
	is_str(phase_name(runs[0].phase), "Error", "an unknown phase is an Error");
	store_events(store, arena, "id", &n, &err);
	is_int((int64_t)n, 1, "an event of no kind is left out");
	steps = store_steps(store, arena, "id", &n, &err);
	ok(n == 1 && !steps[0].outputs, "outputs that are no JSON are none");
	is_int(store_logs(store, "name", "s", SIZE_MAX, NULL, &(struct buf){ 0 }, &err), -1, "a log that is gone");
	contains(err.text, "/nowhere/log", "is named");
	store_close(store);
	arena_free(arena);
}

/* No file may grow past a size: SQLite's write fails somewhere in the middle of the run. */
static void
test_full(void)
{
	struct plan *plan = fixture_plan("full", "step a\ncommand true\nstep b after a\ncommand true\nstep c after b\ncommand true\n"
						 "step d after c\ncommand true\nstep e after d\ncommand true\n");
	char project[512], report[600];
	char *said;
	pid_t pid;
	int status;

	snprintf(project, sizeof(project), "%s/full", folder);
	snprintf(report, sizeof(report), "%s/report", project);
	mkdir(project, 0777);
	pid = fork();
	if (!pid) {
		struct local_options options = { .project = project, .jobs = 1 };
		struct local_problem problem = { .code = NULL };
		struct rlimit limit = { 60000, 60000 };
		struct buf text = { 0 };
		struct local *local;

		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
		for (int i = 0; i < 40; i++) {
			local = local_start(plan, NULL, &options, &problem);
			while (local && local_poll(local, -1))
				;
			if (!local || local_run(local)->phase != PHASE_SUCCEEDED)
				break;
			local_free(local);
		}
		buf_printf(&text, "%s", local ? phase_name(local_run(local)->phase) : problem.code);
		buf_printf(&text, ": %s", local ? local_run(local)->message : problem.error.text);
		paths_write(report, buf_text(&text), text.len, 0666, NULL);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	ok(WIFEXITED(status) && !WEXITSTATUS(status), "nothing crashes when the disk is full");
	said = test_read_file(report, NULL);
	contains(said, "the run store", "the run ends, and says that its store is the trouble");
	free(said);
	plan_unref(plan);
}

int
main(void)
{
	unsetenv("LATEEN_HOME");
	folder = test_temp_dir();
	test_new();
	test_ambiguous();
	test_journal();
	test_transaction();
	test_newer();
	test_older();
	test_cluster_run();
	test_write_protected();
	test_broken();
	test_hostile_rows();
	test_full();
	test_remove_tree(folder);
	free(folder);
	return done_testing();
}
