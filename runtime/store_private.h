/* What the files of the store share. */
#ifndef RUNTIME_STORE_PRIVATE_H
#define RUNTIME_STORE_PRIVATE_H

#include <sqlite3.h>

#include "runtime/store.h"

enum store_statement {
	STORE_ADD_RUN, STORE_ADD_EVENT, STORE_PUT_STEP, STORE_END_RUN, STORE_PUT_PLACE, STORE_OWN_RUN, STORE_GO_ON, STORE_DROP_RUN, STORE_DROP_STEPS, STORE_PUT_LOG, STORE_BEGIN,
	STORE_COMMIT, STORE_STATEMENTS,
};

struct store {
	sqlite3 *db;
	char *folder;
	bool read_only;
	bool old; /* of a version before ours, and read only: it lacks what that has no table for */
	sqlite3_stmt *statements[STORE_STATEMENTS];
};

/* Says what SQLite did not like; returns -1. */
int store_failed(const struct store *store, struct error *err, const char *what);
/* A prepared statement for one use: finalize it. NULL with *err set. */
sqlite3_stmt *store_prepare(const struct store *store, const char *sql, struct error *err);
/* A statement that writes: bind, then finish. NULL with *err set. */
sqlite3_stmt *store_statement(struct store *store, enum store_statement which, struct error *err);
int store_finish(struct store *store, sqlite3_stmt *statement, struct error *err);
void store_bind_text(sqlite3_stmt *statement, int at, const char *text); /* NULL: nothing */
void store_rollback(struct store *store);
/* The row of a new run, and its folder. */
int store_add_run(struct store *store, struct arena *arena, struct store_run *run, const struct value *args, struct error *err);
/* The text of a column, in the arena; NULL for NULL. */
const char *store_column(struct arena *arena, sqlite3_stmt *statement, int column);
const struct value *store_column_json(struct arena *arena, sqlite3_stmt *statement, int column);
/* store_owner.c: this process, for a row; and whether the one of a row lives. */
struct store_owner {
	int64_t pid, start; /* in clock ticks since the start of the machine */
	char boot[40];
};
void store_owner_self(struct store_owner *owner);
bool store_owner_lives(const struct store_owner *owner);

#endif
