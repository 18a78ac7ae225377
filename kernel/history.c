#include "config.h"

#include "kernel/history.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/utf8.h"

enum { BUSY_WAIT = 200, PENDING_MAX = 1000 };

struct entry {
	int line;
	char *input, *output;
};

struct history {
	char *path; /* "" for memory */
	sqlite3 *db; /* NULL until opened */
	sqlite3_int64 session; /* this one's number; 0 until it has one */
	struct {
		struct entry *items;
		size_t n, cap;
	} pending; /* not yet written */
};

static char *
default_path(void)
{
	const char *named = getenv("LATEEN_HISTORY"), *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	struct buf path = { 0 };

	if (named)
		return xstrdup(named);
	if (data && data[0] == '/')
		buf_printf(&path, "%s/lateen/history.sqlite", data);
	else if (home && *home)
		buf_printf(&path, "%s/.local/share/lateen/history.sqlite", home);
	return buf_detach(&path, NULL);
}

struct history *
history_new(const char *path)
{
	struct history *history = xcalloc(1, sizeof *history);

	history->path = path ? xstrdup(path) : default_path();
	return history;
}

static void
entry_release(struct entry *entry)
{
	free(entry->input);
	free(entry->output);
}

void
history_free(struct history *history)
{
	if (!history)
		return;
	history_settle(history);
	for (size_t i = 0; i < history->pending.n; i++)
		entry_release(&history->pending.items[i]);
	vec_release(&history->pending);
	sqlite3_close(history->db);
	free(history->path);
	free(history);
}

/* mkdir -p of what stands before the last slash. */
static void
make_parents(const char *path)
{
	CLEANUP(freep) char *copy = xstrdup(path);

	for (char *slash = strchr(copy + 1, '/'); *copy && slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(copy, 0700);
		*slash = '/';
	}
}

/* A history that loses its last lines when the power fails is still a history: synchronous=OFF. */
static const char wishes[] =
	"PRAGMA cache_size=-256; PRAGMA synchronous=OFF; PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=200;";

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS sessions (session INTEGER PRIMARY KEY AUTOINCREMENT, started TEXT NOT NULL);"
	"CREATE TABLE IF NOT EXISTS entries (id INTEGER PRIMARY KEY AUTOINCREMENT, session INTEGER NOT NULL,"
	" line INTEGER NOT NULL, input TEXT NOT NULL, output TEXT);"
	"CREATE INDEX IF NOT EXISTS entries_place ON entries (session, line);";

/* Wishes may be refused, such as WAL on a network's file system; forgetting can wait until nobody else writes. */
static sqlite3 *
open_at(const char *path)
{
	sqlite3 *db = NULL;
	char forget[128];
	bool good;

	snprintf(forget, sizeof forget, "DELETE FROM entries WHERE id <= (SELECT max(id) FROM entries) - %d",
		HISTORY_ENTRIES_MAX);
	good = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK;
	if (good) {
		sqlite3_busy_timeout(db, BUSY_WAIT);
		sqlite3_exec(db, wishes, NULL, NULL, NULL);
		good = sqlite3_exec(db, schema, NULL, NULL, NULL) == SQLITE_OK;
	}
	if (good) {
		sqlite3_exec(db, forget, NULL, NULL, NULL);
		return db;
	}
	sqlite3_close(db);
	return NULL;
}

static bool
begin_session(struct history *history)
{
	if (history->session)
		return true;
	if (sqlite3_exec(history->db, "INSERT INTO sessions (started) VALUES (datetime('now'))", NULL, NULL, NULL) != SQLITE_OK)
		return false;
	history->session = sqlite3_last_insert_rowid(history->db);
	return true;
}

/* SQLite gives the files that it puts beside the database the database's own mode. */
static void
make_private(const char *path)
{
	int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
}

static void
open_late(struct history *history)
{
	if (history->db)
		return;
	if (*history->path) {
		make_parents(history->path);
		make_private(history->path);
		history->db = open_at(history->path);
		if (history->db && begin_session(history))
			return;
		sqlite3_close(history->db);
	}
	history->db = open_at(":memory:");
	if (!history->db || !begin_session(history))
		BUG("SQLite has no memory");
}

/* At most HISTORY_TEXT_MAX bytes, cut before a character. */
static char *
bounded(const char *text)
{
	size_t len;

	if (!text)
		return NULL;
	len = strnlen(text, HISTORY_TEXT_MAX);
	len -= utf8_partial_tail(text, len);
	return xstrndup(text, len);
}

void
history_add(struct history *history, int line, const char *input, const char *output)
{
	struct entry entry = { .line = line, .input = bounded(input), .output = bounded(output) };

	if (history->pending.n >= PENDING_MAX) {
		entry_release(&history->pending.items[0]);
		history->pending.n--;
		memmove(history->pending.items, history->pending.items + 1, history->pending.n * sizeof entry);
	}
	vec_push(&history->pending, entry);
}

static bool
write_entry(struct history *history, const struct entry *entry)
{
	sqlite3_stmt *insert;
	bool good;

	if (sqlite3_prepare_v2(history->db, "INSERT INTO entries (session, line, input, output) VALUES (?, ?, ?, ?)", -1, &insert,
		    NULL) != SQLITE_OK)
		return false;
	sqlite3_bind_int64(insert, 1, history->session);
	sqlite3_bind_int(insert, 2, entry->line);
	sqlite3_bind_text(insert, 3, entry->input, -1, SQLITE_STATIC);
	sqlite3_bind_text(insert, 4, entry->output, -1, SQLITE_STATIC);
	good = sqlite3_step(insert) == SQLITE_DONE;
	sqlite3_finalize(insert);
	return good;
}

/* What another kernel's lock keeps out stays pending until the next time. */
void
history_settle(struct history *history)
{
	size_t written = 0;

	if (!history || !history->pending.n)
		return;
	open_late(history);
	while (written < history->pending.n && write_entry(history, &history->pending.items[written]))
		entry_release(&history->pending.items[written++]);
	history->pending.n -= written;
	memmove(history->pending.items, history->pending.items + written, history->pending.n * sizeof(struct entry));
}

static json_t *
text_or_null(sqlite3_stmt *rows, int column)
{
	const char *text = (const char *)sqlite3_column_text(rows, column);

	return text ? json_string(text) : json_null();
}

/* Rows of session, line, input, output; the newest first if `reversed`. Releases the statement. */
static json_t *
collect(sqlite3_stmt *rows, bool outputs, bool reversed)
{
	json_t *entries = json_array();

	while (rows && json_array_size(entries) < HISTORY_REPLY_MAX && sqlite3_step(rows) == SQLITE_ROW) {
		json_t *input = text_or_null(rows, 2);
		json_t *text = outputs ? json_pack("[o, o]", input, text_or_null(rows, 3)) : input;
		json_t *entry = json_pack("[I, i, o]", (json_int_t)sqlite3_column_int64(rows, 0), sqlite3_column_int(rows, 1), text);

		if (entry && reversed)
			json_array_insert_new(entries, 0, entry);
		else if (entry)
			json_array_append_new(entries, entry);
	}
	sqlite3_finalize(rows);
	return entries;
}

static sqlite3_stmt *
prepare(struct history *history, const char *sql)
{
	sqlite3_stmt *rows = NULL;

	history_settle(history);
	open_late(history);
	sqlite3_prepare_v2(history->db, sql, -1, &rows, NULL);
	return rows;
}

json_t *
history_tail(struct history *history, int n, bool outputs)
{
	sqlite3_stmt *rows =
		prepare(history, "SELECT session, line, input, output FROM entries ORDER BY id DESC LIMIT ?");

	sqlite3_bind_int(rows, 1, n < 0 ? 0 : n);
	return collect(rows, outputs, true);
}

/* Sessions that left no entry do not count when going back. */
static sqlite3_int64
session_number(struct history *history, int session)
{
	sqlite3_stmt *rows;
	sqlite3_int64 number = -1;

	if (session > 0)
		return session;
	rows = prepare(history,
		"SELECT DISTINCT session FROM entries WHERE session < ? ORDER BY session DESC LIMIT 1 OFFSET ?");
	if (session == 0) {
		number = history->session;
	} else {
		sqlite3_bind_int64(rows, 1, history->session);
		sqlite3_bind_int(rows, 2, -(session + 1));
		if (sqlite3_step(rows) == SQLITE_ROW)
			number = sqlite3_column_int64(rows, 0);
	}
	sqlite3_finalize(rows);
	return number;
}

json_t *
history_range(struct history *history, int session, int start, int stop, bool outputs)
{
	sqlite3_int64 number = session_number(history, session);
	sqlite3_stmt *rows = prepare(history,
		"SELECT session, line, input, output FROM entries WHERE session = ? AND line >= ? AND (? <= 0 OR line < ?) "
		"ORDER BY line");

	sqlite3_bind_int64(rows, 1, number);
	sqlite3_bind_int(rows, 2, start);
	sqlite3_bind_int(rows, 3, stop);
	sqlite3_bind_int(rows, 4, stop);
	return collect(rows, outputs, false);
}

json_t *
history_search(struct history *history, const char *pattern, int n, bool unique, bool outputs)
{
	sqlite3_stmt *rows = prepare(history,
		unique ? "SELECT session, line, input, output, max(id) AS last FROM entries WHERE input GLOB ? GROUP BY input "
			 "ORDER BY last DESC LIMIT ?"
		       : "SELECT session, line, input, output FROM entries WHERE input GLOB ? ORDER BY id DESC LIMIT ?");

	sqlite3_bind_text(rows, 1, pattern, -1, SQLITE_STATIC);
	sqlite3_bind_int(rows, 2, n > 0 ? n : -1);
	return collect(rows, outputs, true);
}
