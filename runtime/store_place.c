/* Runs on clusters: their names and places, who watches them, how far their logs have been read. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/macros.h"
#include "runtime/paths.h"
#include "runtime/store_private.h"

enum { CLAIM_TRIES = 3, CLAIM_PAUSE = 3000000 /* nanoseconds */ };

static void
write_uuid(char ret[37], const unsigned char bytes[16])
{
	static const char digits[] = "0123456789abcdef";
	char *at = ret;

	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*at++ = '-';
		*at++ = digits[bytes[i] >> 4];
		*at++ = digits[bytes[i] & 15];
	}
	*at = '\0';
}

/* ASCII letters and digits; both have the same bit for lower case. */
static bool
is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* "gh-summ-x7k2p" from gh_summ: what Kubernetes takes as a name, and as the name of a pod with more behind it. */
static const char *
make_name(struct arena *arena, const char *pipeline, const unsigned char *bytes)
{
	static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
	char *name;
	size_t len;

	while (*pipeline && !is_plain(*pipeline))
		pipeline++;
	name = arena_printf(arena, "%.40s-xxxxx", *pipeline ? pipeline : "run");
	len = strlen(name);
	for (size_t i = 0; i < len; i++)
		name[i] = is_plain(name[i]) ? (char)(name[i] | ' ') : '-';
	for (size_t i = 0; i < 5; i++)
		name[len - 5 + i] = letters[bytes[i] % (sizeof(letters) - 1)];
	return name;
}

int
store_choose(struct arena *arena, const char *pipeline, const char **ret_id, const char **ret_name, struct error *err)
{
	unsigned char bytes[32];
	char uuid[37];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return error_errno(err, errno, "there is no randomness for a run's name");
	bytes[6] = (unsigned char)((bytes[6] & 0x0F) | 0x40);
	bytes[8] = (unsigned char)((bytes[8] & 0x3F) | 0x80);
	write_uuid(uuid, bytes);
	*ret_id = arena_strdup(arena, uuid);
	*ret_name = make_name(arena, pipeline, bytes + 16);
	return 0;
}

static bool
name_is_taken(struct store *store, const char *name)
{
	struct error ignored;
	sqlite3_stmt *statement = store_prepare(store, "SELECT 1 FROM runs WHERE name = ?", &ignored);
	bool taken;

	if (!statement)
		return false;
	store_bind_text(statement, 1, name);
	taken = sqlite3_step(statement) == SQLITE_ROW;
	sqlite3_finalize(statement);
	return taken;
}

int
store_set_place(struct store *store, const char *run, const struct store_place *place, struct error *err)
{
	sqlite3_stmt *statement = store_statement(store, STORE_PUT_PLACE, err);
	const char *const texts[] = { run, place->target, place->where, place->door, place->namespace_, place->workflow, place->workflow_id };

	if (!statement)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		store_bind_text(statement, (int)i + 1, texts[i] ? texts[i] : "");
	return store_finish(store, statement, err);
}

int
store_new_run_there(struct store *store, struct arena *arena, const struct store_run *run, const struct value *args,
		    struct store_run *ret, struct error *err)
{
	*ret = *run;
	/* The name is that of a folder. */
	if (strcmp(paths_safe(arena, run->name), run->name) != 0)
		return error_set(err, "`%s` cannot be the name of a run", run->name);
	if (name_is_taken(store, run->name))
		return error_set(err, "there is a run `%s` already: choose another name", run->name);
	if (store_begin(store, err))
		return -1;
	if (store_add_run(store, arena, ret, args, err) || store_set_place(store, ret->id, &ret->place, err)) {
		store_rollback(store);
		return -1;
	}
	return store_commit(store, err);
}

static int
drop(struct store *store, enum store_statement which, const char *run, struct error *err)
{
	sqlite3_stmt *statement = store_statement(store, which, err);

	if (!statement)
		return -1;
	store_bind_text(statement, 1, run);
	return store_finish(store, statement, err);
}

void
store_forget_run(struct store *store, const struct store_run *run)
{
	struct error ignored;

	/* What else is kept of it is found through its row alone. */
	drop(store, STORE_DROP_RUN, run->id, &ignored);
	paths_remove(run->folder);
}

int
store_forget_steps(struct store *store, const char *run, struct error *err)
{
	return drop(store, STORE_DROP_STEPS, run, err);
}

int
store_go_on(struct store *store, const char *run, const char *message, struct error *err)
{
	sqlite3_stmt *statement = store_statement(store, STORE_GO_ON, err);

	if (!statement)
		return -1;
	store_bind_text(statement, 1, run);
	store_bind_text(statement, 2, message);
	return store_finish(store, statement, err);
}

/* ---- who watches ---- */

static int
own(struct store *store, const char *run, struct error *err)
{
	sqlite3_stmt *statement = store_statement(store, STORE_OWN_RUN, err);
	struct store_owner owner;

	if (!statement)
		return -1;
	store_owner_self(&owner);
	store_bind_text(statement, 1, run);
	sqlite3_bind_int64(statement, 2, owner.pid);
	sqlite3_bind_int64(statement, 3, owner.start);
	store_bind_text(statement, 4, owner.boot);
	return store_finish(store, statement, err);
}

/* Who only looks whether it is held holds it for a moment, too. */
static int
take_lock(int fd)
{
	const struct timespec pause = { .tv_nsec = CLAIM_PAUSE };
	int rc;

	for (int i = 0; (rc = flock(fd, LOCK_EX | LOCK_NB)) && errno == EWOULDBLOCK && i < CLAIM_TRIES; i++)
		nanosleep(&pause, NULL);
	return rc;
}

int
store_claim(struct store *store, const struct store_run *run, int *ret_claim, struct error *err)
{
	struct arena *arena = arena_new();
	const char *path = arena_printf(arena, "%s/watch", run->folder);
	int fd = -1, result = 0;

	*ret_claim = -1;
	if (!paths_make(run->folder, err))
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		result = error_errno(err, errno, "cannot open `%s`", path);
	else if (take_lock(fd))
		result = errno == EWOULDBLOCK ? 1 : error_errno(err, errno, "cannot lock `%s`", path);
	else
		result = own(store, run->id, err);
	if (result && fd >= 0)
		close(fd);
	if (!result)
		*ret_claim = fd;
	arena_free(arena);
	return result;
}

void
store_release_claim(int claim)
{
	if (claim < 0)
		return;
	/* A process that was forked meanwhile may hold the descriptor, too. */
	flock(claim, LOCK_UN);
	close(claim);
}

/* ---- logs ---- */

int
store_set_log(struct store *store, const char *run, const char *folder, const struct store_log *log, struct error *err)
{
	sqlite3_stmt *statement = store_statement(store, STORE_PUT_LOG, err);

	if (!statement)
		return -1;
	store_bind_text(statement, 1, run);
	store_bind_text(statement, 2, folder);
	sqlite3_bind_int64(statement, 3, log->bytes);
	store_bind_text(statement, 4, log->last);
	sqlite3_bind_int(statement, 5, log->whole);
	return store_finish(store, statement, err);
}

int
store_get_log(struct store *store, struct arena *arena, const char *run, const char *folder, struct store_log *ret, struct error *err)
{
	sqlite3_stmt *statement = store_prepare(store, "SELECT bytes, last, whole FROM logs WHERE run = ? AND folder = ?", err);
	const char *last;

	*ret = (struct store_log){ .last = "" };
	if (!statement)
		return -1;
	store_bind_text(statement, 1, run);
	store_bind_text(statement, 2, folder);
	if (sqlite3_step(statement) == SQLITE_ROW) {
		last = store_column(arena, statement, 1);
		*ret = (struct store_log){ sqlite3_column_int64(statement, 0), last ? last : "", sqlite3_column_int(statement, 2) != 0 };
	}
	sqlite3_finalize(statement);
	return 0;
}

bool
store_lacks_logs(struct store *store, const char *which)
{
	struct arena *arena = arena_new();
	struct store_run run;
	struct error ignored;
	sqlite3_stmt *statement = NULL;
	bool lacks = false;

	if (!store_find(store, arena, which, &run, &ignored) && run.place.target && phase_ended(run.phase))
		statement = store_prepare(store, "SELECT 1 FROM logs WHERE run = ? AND NOT whole", &ignored);
	if (statement) {
		store_bind_text(statement, 1, run.id);
		lacks = sqlite3_step(statement) == SQLITE_ROW;
		sqlite3_finalize(statement);
	}
	arena_free(arena);
	return lacks;
}

int
store_end_gone(struct store *store, const struct store_run *run, int64_t now_ms, struct error *err)
{
	int claim = -1, rc;

	if (phase_ended(run->phase))
		return 0;
	rc = store_claim(store, run, &claim, err);
	if (rc == 0)
		rc = store_end_run(store, run->id, PHASE_ERROR, "deleted on its cluster before its end was seen", NULL, now_ms, err);
	store_release_claim(claim);
	return rc < 0 ? -1 : 0;
}
