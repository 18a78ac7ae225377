#include "config.h"

#include "runtime/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/macros.h"
#include "runtime/paths.h"
#include "runtime/store_private.h"

/* Each version only adds tables, so the same text makes a new store and brings an old one up to date. */
static const char schema[] =
	"BEGIN IMMEDIATE;"
	"CREATE TABLE IF NOT EXISTS runs(id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, pipeline TEXT NOT NULL, args TEXT, phase TEXT NOT NULL,"
	" message TEXT, started_ms INTEGER NOT NULL, ended_ms INTEGER, outputs TEXT,"
	" owner_pid INTEGER NOT NULL, owner_start INTEGER NOT NULL, owner_boot TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS runs_by_time ON runs(started_ms);"
	"CREATE TABLE IF NOT EXISTS events(run TEXT NOT NULL, seq INTEGER NOT NULL, kind INTEGER NOT NULL, now_ms INTEGER NOT NULL, node INTEGER,"
	" attempt INTEGER, how INTEGER, number INTEGER, text TEXT, outputs TEXT, PRIMARY KEY(run, seq)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS steps(run TEXT NOT NULL, node INTEGER NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL, phase TEXT NOT NULL,"
	" attempts INTEGER NOT NULL, started_ms INTEGER, ended_ms INTEGER, exit_code INTEGER, message TEXT, outputs TEXT, folder TEXT,"
	" PRIMARY KEY(run, node)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS places(run TEXT PRIMARY KEY, target TEXT NOT NULL, whereabouts TEXT NOT NULL, door TEXT NOT NULL,"
	" namespace TEXT NOT NULL, workflow TEXT NOT NULL, workflow_id TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS logs(run TEXT NOT NULL, folder TEXT NOT NULL, bytes INTEGER NOT NULL, last TEXT NOT NULL,"
	" whole INTEGER NOT NULL, PRIMARY KEY(run, folder)) WITHOUT ROWID;"
	"PRAGMA user_version = 2;"
	"COMMIT;";

static const char *const statement_texts[STORE_STATEMENTS] = {
	[STORE_ADD_RUN] = "INSERT INTO runs(id, name, pipeline, args, phase, started_ms, owner_pid, owner_start, owner_boot)"
			  " VALUES(?, ?, ?, ?, 'Running', ?, ?, ?, ?)",
	[STORE_ADD_EVENT] = "INSERT INTO events SELECT ?1, COALESCE(MAX(seq), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM events"
			    " WHERE run = ?1",
	[STORE_PUT_STEP] = "INSERT OR REPLACE INTO steps VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[STORE_END_RUN] = "UPDATE runs SET phase = ?2, message = ?3, outputs = ?4, ended_ms = ?5 WHERE id = ?1",
	[STORE_PUT_PLACE] = "INSERT OR REPLACE INTO places VALUES(?, ?, ?, ?, ?, ?, ?)",
	[STORE_OWN_RUN] = "UPDATE runs SET owner_pid = ?2, owner_start = ?3, owner_boot = ?4 WHERE id = ?1",
	[STORE_GO_ON] = "UPDATE runs SET phase = 'Running', message = ?2, outputs = NULL, ended_ms = NULL WHERE id = ?1",
	[STORE_DROP_RUN] = "DELETE FROM runs WHERE id = ?",
	[STORE_DROP_STEPS] = "DELETE FROM steps WHERE run = ?",
	[STORE_PUT_LOG] = "INSERT OR REPLACE INTO logs VALUES(?, ?, ?, ?, ?)",
	[STORE_BEGIN] = "BEGIN IMMEDIATE",
	[STORE_COMMIT] = "COMMIT",
};

int
store_failed(const struct store *store, struct error *err, const char *what)
{
	return error_set(err, "cannot %s the run store `%s/store.db`: %s", what, store->folder, sqlite3_errmsg(store->db));
}

sqlite3_stmt *
store_prepare(const struct store *store, const char *sql, struct error *err)
{
	sqlite3_stmt *statement = NULL;

	if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK)
		store_failed(store, err, "read");
	return statement;
}

const char *
store_column(struct arena *arena, sqlite3_stmt *statement, int column)
{
	const unsigned char *text = sqlite3_column_text(statement, column);

	return text ? arena_strdup(arena, (const char *)text) : NULL;
}

const struct value *
store_column_json(struct arena *arena, sqlite3_stmt *statement, int column)
{
	const char *text = store_column(arena, statement, column);

	return text ? value_read_json(arena, text, strlen(text), NULL) : NULL;
}

/* ---- opening ---- */

char *
store_folder_of(const char *project)
{
	const char *home = getenv("LATEEN_HOME");
	struct buf path = { 0 };

	if (home && *home == '/')
		buf_puts(&path, home);
	else
		buf_printf(&path, "%s/%s", project, home && *home ? home : ".lateen");
	return buf_detach(&path, NULL);
}

static int
version_of(const struct store *store, int *ret, struct error *err)
{
	sqlite3_stmt *statement = store_prepare(store, "PRAGMA user_version", err);
	int step = statement ? sqlite3_step(statement) : SQLITE_ERROR;

	if (step == SQLITE_ROW)
		*ret = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return step == SQLITE_ROW ? 0 : store_failed(store, err, "read");
}

static int
set_up(struct store *store, struct error *err)
{
	int version = 0;

	sqlite3_busy_timeout(store->db, STORE_BUSY_MS);
	if (version_of(store, &version, err))
		return -1;
	if (version > STORE_VERSION)
		store->read_only = true;
	store->old = store->read_only && version < STORE_VERSION;
	if (store->read_only)
		return 0;
	/* A kill of this process loses nothing with NORMAL; only a power cut may lose the newest transactions. */
	if (sqlite3_exec(store->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;", NULL,
			 NULL, NULL) != SQLITE_OK)
		return store_failed(store, err, "write");
	if (version < STORE_VERSION && sqlite3_exec(store->db, schema, NULL, NULL, NULL) != SQLITE_OK)
		return store_failed(store, err, "write");
	return 0;
}

static char *
join(const char *folder, const char *name)
{
	size_t size = strlen(folder) + strlen(name) + 2;
	char *path = xmalloc(size);

	snprintf(path, size, "%s/%s", folder, name);
	return path;
}

static int
make_folder(const char *folder, struct error *err)
{
	CLEANUP(freep) char *ignore = join(folder, ".gitignore");

	if (paths_make(folder, err))
		return -1;
	return access(ignore, F_OK) ? paths_write(ignore, "*\n", 2, 0666, err) : 0;
}

/* Without a write-ahead log nobody is writing, and where no file can be made SQLite opens such a store only when it is told so. */
static void
say_immutable(const struct store *store, char **path)
{
	CLEANUP(freep) char *log = join(store->folder, "store.db-wal");
	struct buf uri = { 0 };

	if (!access(log, F_OK) || !access(store->folder, W_OK))
		return;
	buf_puts(&uri, "file:");
	for (const char *at = *path; *at; at++)
		buf_printf(&uri, strchr("%?#", *at) ? "%%%02X" : "%c", (unsigned char)*at);
	buf_puts(&uri, "?immutable=1");
	free(*path);
	*path = buf_detach(&uri, NULL);
}

static int
open_db(struct store *store, struct error *err)
{
	CLEANUP(freep) char *path = join(store->folder, "store.db");
	int mode = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;

	if (!access(path, F_OK) && access(path, W_OK)) {
		store->read_only = true;
		mode = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
		say_immutable(store, &path);
	}
	if (sqlite3_open_v2(path, &store->db, mode | SQLITE_OPEN_FULLMUTEX, NULL) != SQLITE_OK)
		return store_failed(store, err, "open");
	return set_up(store, err);
}

struct store *
store_open(const char *folder, bool must_exist, struct error *err)
{
	CLEANUP(freep) char *path = join(folder, "store.db");
	struct store *store;

	if (must_exist && access(path, F_OK)) {
		error_set(err, "there are no runs here yet");
		return NULL;
	}
	if (!must_exist && make_folder(folder, err))
		return NULL;
	store = xcalloc(1, sizeof(*store));
	store->folder = xstrdup(folder);
	if (!open_db(store, err))
		return store;
	store_close(store);
	return NULL;
}

void
store_close(struct store *store)
{
	if (!store)
		return;
	for (size_t i = 0; i < STORE_STATEMENTS; i++)
		sqlite3_finalize(store->statements[i]);
	sqlite3_close(store->db);
	free(store->folder);
	free(store);
}

const char *
store_folder(const struct store *store)
{
	return store->folder;
}

bool
store_read_only(const struct store *store)
{
	return store->read_only;
}

/* ---- writing ---- */

sqlite3_stmt *
store_statement(struct store *store, enum store_statement which, struct error *err)
{
	if (store->read_only) {
		error_set(err, "the run store `%s` can only be read: a newer Lateen wrote it, or it is write-protected", store->folder);
		return NULL;
	}
	if (!store->statements[which] &&
	    sqlite3_prepare_v3(store->db, statement_texts[which], -1, SQLITE_PREPARE_PERSISTENT, &store->statements[which], NULL) !=
		    SQLITE_OK)
		store_failed(store, err, "write");
	return store->statements[which];
}

int
store_finish(struct store *store, sqlite3_stmt *statement, struct error *err)
{
	int result = sqlite3_step(statement) == SQLITE_DONE ? 0 : store_failed(store, err, "write");

	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return result;
}

void
store_bind_text(sqlite3_stmt *statement, int at, const char *text)
{
	if (text)
		sqlite3_bind_text(statement, at, text, -1, SQLITE_TRANSIENT);
}

static void
bind_json(sqlite3_stmt *statement, int at, const struct value *value)
{
	struct buf text = { 0 };

	if (!value)
		return;
	value_write_json(&text, value);
	sqlite3_bind_text(statement, at, buf_text(&text), (int)text.len, SQLITE_TRANSIENT);
	buf_release(&text);
}

int
store_begin(struct store *store, struct error *err)
{
	sqlite3_stmt *statement = store_statement(store, STORE_BEGIN, err);

	return statement ? store_finish(store, statement, err) : -1;
}

void
store_rollback(struct store *store)
{
	sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}

int
store_commit(struct store *store, struct error *err)
{
	sqlite3_stmt *statement = store_statement(store, STORE_COMMIT, err);

	if (statement && !store_finish(store, statement, err))
		return 0;
	store_rollback(store);
	return -1;
}

static int64_t
clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int
add_row(struct store *store, const struct store_run *run, const struct value *args, struct error *err)
{
	sqlite3_stmt *statement = store_statement(store, STORE_ADD_RUN, err);
	struct store_owner owner;

	if (!statement)
		return -1;
	store_owner_self(&owner);
	store_bind_text(statement, 1, run->id);
	store_bind_text(statement, 2, run->name);
	store_bind_text(statement, 3, run->pipeline);
	bind_json(statement, 4, args);
	sqlite3_bind_int64(statement, 5, run->started_ms);
	sqlite3_bind_int64(statement, 6, owner.pid);
	sqlite3_bind_int64(statement, 7, owner.start);
	store_bind_text(statement, 8, owner.boot);
	return store_finish(store, statement, err);
}

int
store_add_run(struct store *store, struct arena *arena, struct store_run *run, const struct value *args, struct error *err)
{
	run->phase = PHASE_RUNNING;
	run->owner = getpid();
	run->owned = true;
	if (!run->started_ms)
		run->started_ms = clock_ms();
	run->folder = arena_printf(arena, "%s/runs/%s", store->folder, run->name);
	if (add_row(store, run, args, err))
		return -1;
	return paths_make(run->folder, err);
}

int
store_new_run(struct store *store, struct arena *arena, const char *pipeline, const struct value *args,
	      struct store_run *ret, struct error *err)
{
	*ret = (struct store_run){ .pipeline = arena_strdup(arena, pipeline) };
	if (store_choose(arena, pipeline, &ret->id, &ret->name, err))
		return -1;
	return store_add_run(store, arena, ret, args, err);
}

/* [{"value": …, "path": …}, …] */
static const struct value *
outputs_to_value(struct arena *arena, const struct engine_output *outputs, size_t n)
{
	CLEANUP(freep) const struct value **items = xcalloc(n, sizeof(*items));

	for (size_t i = 0; i < n; i++) {
		static const char *const keys[] = { "value", "path" };
		const struct value *const pair[] = {
			outputs[i].value ? outputs[i].value : &VALUE_OF_NULL,
			outputs[i].path ? value_string(arena, outputs[i].path) : &VALUE_OF_NULL,
		};

		items[i] = value_dict(arena, keys, pair, 2);
	}
	return value_list(arena, items, n);
}

int
store_event(struct store *store, const char *run, const struct engine_event *event, size_t n_outputs, struct error *err)
{
	sqlite3_stmt *statement = store_statement(store, STORE_ADD_EVENT, err);
	struct arena *arena;

	if (!statement)
		return -1;
	store_bind_text(statement, 1, run);
	sqlite3_bind_int(statement, 2, (int)event->kind);
	sqlite3_bind_int64(statement, 3, event->now_ms);
	store_bind_text(statement, 8, event->text);
	if (event->kind == ENGINE_EXITED) {
		sqlite3_bind_int64(statement, 4, (int64_t)event->node);
		sqlite3_bind_int(statement, 5, event->attempt);
		sqlite3_bind_int(statement, 6, (int)event->how);
		sqlite3_bind_int(statement, 7, event->number);
	}
	if (event->outputs && n_outputs) {
		arena = arena_new();
		bind_json(statement, 9, outputs_to_value(arena, event->outputs, n_outputs));
		arena_free(arena);
	}
	return store_finish(store, statement, err);
}

int
store_step(struct store *store, const char *run, size_t node, const struct store_step *step, struct error *err)
{
	sqlite3_stmt *statement = store_statement(store, STORE_PUT_STEP, err);

	if (!statement)
		return -1;
	store_bind_text(statement, 1, run);
	sqlite3_bind_int64(statement, 2, (int64_t)node);
	store_bind_text(statement, 3, step->name);
	store_bind_text(statement, 4, step->key);
	store_bind_text(statement, 5, phase_name(step->phase));
	sqlite3_bind_int(statement, 6, step->attempts);
	sqlite3_bind_int64(statement, 7, step->started_ms);
	sqlite3_bind_int64(statement, 8, step->ended_ms);
	sqlite3_bind_int(statement, 9, step->exit_code);
	store_bind_text(statement, 10, step->message);
	bind_json(statement, 11, step->outputs);
	store_bind_text(statement, 12, step->folder);
	return store_finish(store, statement, err);
}

int
store_end_run(struct store *store, const char *run, enum phase phase, const char *message, const struct value *outputs,
	      int64_t now_ms, struct error *err)
{
	sqlite3_stmt *statement = store_statement(store, STORE_END_RUN, err);

	if (!statement)
		return -1;
	store_bind_text(statement, 1, run);
	store_bind_text(statement, 2, phase_name(phase));
	store_bind_text(statement, 3, message);
	bind_json(statement, 4, outputs);
	sqlite3_bind_int64(statement, 5, now_ms);
	return store_finish(store, statement, err);
}
