#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/macros.h"
#include "runtime/paths.h"
#include "runtime/store_private.h"

#define RUN_COLUMNS \
	"id, name, pipeline, phase, message, started_ms, ended_ms, owner_pid, owner_start, owner_boot," \
	" (SELECT COUNT(*) FROM steps WHERE run = id)," \
	" (SELECT COUNT(*) FROM steps WHERE run = id AND phase NOT IN ('Pending', 'Running'))," \
	" (SELECT COUNT(*) FROM steps WHERE run = id AND phase IN ('Failed', 'Error'))," \
	" target, whereabouts, door, namespace, workflow, workflow_id"

#define RUN_TABLE "runs LEFT JOIN places ON places.run = runs.id"
/* Of a store of version 1 that cannot be written: it has no table of places. */
#define OLD_RUN_TABLE \
	"runs LEFT JOIN (SELECT NULL AS run, NULL AS target, NULL AS whereabouts, NULL AS door, NULL AS namespace, NULL AS workflow," \
	" NULL AS workflow_id) AS places ON places.run = runs.id"

enum { PLACE_AT = 13 };

static const char died[] = "the process that ran it died";

static enum phase
phase_in(sqlite3_stmt *statement, int column)
{
	const char *name = (const char *)sqlite3_column_text(statement, column);
	enum phase phase = PHASE_ERROR;

	if (name)
		phase_from_name(name, &phase);
	return phase;
}

static void
read_place(struct arena *arena, sqlite3_stmt *statement, struct store_place *ret)
{
	const char **const texts[] = { &ret->target, &ret->where, &ret->door, &ret->namespace_, &ret->workflow, &ret->workflow_id };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		*texts[i] = store_column(arena, statement, PLACE_AT + (int)i);
}

/* Somebody watches it, in this process or another: the claim is a lock that ends with its holder. */
static bool
is_claimed(const char *folder)
{
	CLEANUP(buf_release) struct buf path = { 0 };
	bool held;
	int fd;

	buf_printf(&path, "%s/watch", folder);
	fd = open(buf_text(&path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false;
	held = flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
	close(fd);
	return held;
}

static void
read_run(struct store *store, struct arena *arena, sqlite3_stmt *statement, struct store_run *ret)
{
	struct store_owner owner = { .pid = sqlite3_column_int64(statement, 7), .start = sqlite3_column_int64(statement, 8) };
	const char *boot = store_column(arena, statement, 9);

	*ret = (struct store_run){ .id = store_column(arena, statement, 0),
				   .name = store_column(arena, statement, 1),
				   .pipeline = store_column(arena, statement, 2),
				   .phase = phase_in(statement, 3),
				   .message = store_column(arena, statement, 4),
				   .started_ms = sqlite3_column_int64(statement, 5),
				   .ended_ms = sqlite3_column_int64(statement, 6),
				   .owner = owner.pid,
				   .steps = (size_t)sqlite3_column_int64(statement, 10),
				   .done = (size_t)sqlite3_column_int64(statement, 11),
				   .bad = (size_t)sqlite3_column_int64(statement, 12) };
	ret->folder = arena_printf(arena, "%s/runs/%s", store->folder, ret->name);
	snprintf(owner.boot, sizeof(owner.boot), "%s", boot ? boot : "");
	read_place(arena, statement, &ret->place);
	ret->owned = ret->place.target ? is_claimed(ret->folder) : store_owner_lives(&owner);
	if (phase_ended(ret->phase) || ret->owned || ret->place.target)
		return;
	ret->phase = PHASE_ERROR;
	ret->message = died;
}

/* A statement on runs; `rest` is what comes behind their table. */
static sqlite3_stmt *
prepare_runs(struct store *store, const char *rest, struct error *err)
{
	struct buf sql = { 0 };
	sqlite3_stmt *statement;

	buf_printf(&sql, "SELECT " RUN_COLUMNS " FROM %s %s", store->old ? OLD_RUN_TABLE : RUN_TABLE, rest);
	statement = store_prepare(store, buf_text(&sql), err);
	buf_release(&sql);
	return statement;
}

struct store_run *
store_runs(struct store *store, struct arena *arena, size_t max, size_t *ret_n, struct error *err)
{
	sqlite3_stmt *statement = prepare_runs(store, "ORDER BY started_ms DESC, name LIMIT ?", err);
	VEC(struct store_run) runs = { 0 };
	struct store_run *copy;

	if (!statement)
		return NULL;
	sqlite3_bind_int64(statement, 1, (int64_t)(max > INT64_MAX ? INT64_MAX : max));
	while (sqlite3_step(statement) == SQLITE_ROW) {
		struct store_run run;

		read_run(store, arena, statement, &run);
		vec_push(&runs, run);
	}
	sqlite3_finalize(statement);
	copy = arena_alloc(arena, runs.n * sizeof(*copy) + 1);
	if (runs.n)
		memcpy(copy, runs.items, runs.n * sizeof(*copy));
	*ret_n = runs.n;
	vec_release(&runs);
	return copy;
}

int
store_find(struct store *store, struct arena *arena, const char *which, struct store_run *ret, struct error *err)
{
	static const char by_name[] = "WHERE name = ?1 OR id = ?1 OR substr(name, 1, length(?1)) = ?1"
				      " OR substr(id, 1, length(?1)) = ?1 ORDER BY name <> ?1 AND id <> ?1, started_ms DESC LIMIT 2";
	static const char newest[] = "ORDER BY started_ms DESC LIMIT 1";
	bool last = !*which || !strcmp(which, "last");
	sqlite3_stmt *statement = prepare_runs(store, last ? newest : by_name, err);
	struct store_run other;
	int n = 0;

	if (!statement)
		return -1;
	if (!last)
		sqlite3_bind_text(statement, 1, which, -1, SQLITE_TRANSIENT);
	while (sqlite3_step(statement) == SQLITE_ROW)
		read_run(store, arena, statement, n++ ? &other : ret);
	sqlite3_finalize(statement);
	if (!n)
		return last ? error_set(err, "there are no runs here yet") : error_set(err, "there is no run `%s`", which);
	if (n > 1 && strcmp(ret->name, which) != 0 && strcmp(ret->id, which) != 0)
		return error_set(err, "more than one run begins with `%s`: `%s`, `%s`", which, ret->name, other.name);
	return 0;
}

const struct value *
store_args(struct store *store, struct arena *arena, const char *run_id)
{
	struct error ignored;
	sqlite3_stmt *statement = store_prepare(store, "SELECT args FROM runs WHERE id = ?", &ignored);
	const struct value *args = NULL;

	if (!statement)
		return NULL;
	sqlite3_bind_text(statement, 1, run_id, -1, SQLITE_TRANSIENT);
	if (sqlite3_step(statement) == SQLITE_ROW)
		args = store_column_json(arena, statement, 0);
	sqlite3_finalize(statement);
	return args && args->kind == VALUE_DICT ? args : NULL;
}

struct store_step *
store_steps(struct store *store, struct arena *arena, const char *run_id, size_t *ret_n, struct error *err)
{
	sqlite3_stmt *statement = store_prepare(store,
		"SELECT name, key, phase, attempts, exit_code, started_ms, ended_ms, message, folder, outputs FROM steps WHERE run = ?"
		" ORDER BY node", err);
	VEC(struct store_step) steps = { 0 };
	struct store_step *copy;

	if (!statement)
		return NULL;
	sqlite3_bind_text(statement, 1, run_id, -1, SQLITE_TRANSIENT);
	while (sqlite3_step(statement) == SQLITE_ROW) {
		struct store_step step = { .name = store_column(arena, statement, 0),
					   .key = store_column(arena, statement, 1),
					   .phase = phase_in(statement, 2),
					   .attempts = sqlite3_column_int(statement, 3),
					   .exit_code = sqlite3_column_int(statement, 4),
					   .started_ms = sqlite3_column_int64(statement, 5),
					   .ended_ms = sqlite3_column_int64(statement, 6),
					   .message = store_column(arena, statement, 7),
					   .folder = store_column(arena, statement, 8),
					   .outputs = store_column_json(arena, statement, 9) };

		vec_push(&steps, step);
	}
	sqlite3_finalize(statement);
	copy = arena_alloc(arena, steps.n * sizeof(*copy) + 1);
	if (steps.n)
		memcpy(copy, steps.items, steps.n * sizeof(*copy));
	*ret_n = steps.n;
	vec_release(&steps);
	return copy;
}

static const struct engine_output *
outputs_from_value(struct arena *arena, const struct value *list)
{
	struct engine_output *outputs;

	if (!list || list->kind != VALUE_LIST)
		return NULL;
	outputs = arena_alloc(arena, list->list.n * sizeof(*outputs) + 1);
	for (size_t i = 0; i < list->list.n; i++) {
		const struct value *value = value_get(list->list.items[i], "value");

		outputs[i].value = value && value->kind != VALUE_NULL ? value : NULL;
		outputs[i].path = value_text(value_get(list->list.items[i], "path"));
	}
	return outputs;
}

struct engine_event *
store_events(struct store *store, struct arena *arena, const char *run_id, size_t *ret_n, struct error *err)
{
	sqlite3_stmt *statement = store_prepare(store,
		"SELECT kind, now_ms, node, attempt, how, number, text, outputs FROM events WHERE run = ? ORDER BY seq", err);
	VEC(struct engine_event) events = { 0 };
	struct engine_event *copy;

	if (!statement)
		return NULL;
	sqlite3_bind_text(statement, 1, run_id, -1, SQLITE_TRANSIENT);
	while (sqlite3_step(statement) == SQLITE_ROW) {
		struct engine_event event = { .kind = (enum engine_event_kind)sqlite3_column_int(statement, 0),
					      .now_ms = sqlite3_column_int64(statement, 1),
					      .node = (size_t)sqlite3_column_int64(statement, 2),
					      .attempt = sqlite3_column_int(statement, 3),
					      .how = (enum exit_kind)sqlite3_column_int(statement, 4),
					      .number = sqlite3_column_int(statement, 5),
					      .text = store_column(arena, statement, 6) };

		event.outputs = outputs_from_value(arena, store_column_json(arena, statement, 7));
		if (event.kind > ENGINE_TICK || event.how > EXIT_ERROR)
			continue;
		vec_push(&events, event);
	}
	sqlite3_finalize(statement);
	copy = arena_alloc(arena, events.n * sizeof(*copy) + 1);
	if (events.n)
		memcpy(copy, events.items, events.n * sizeof(*copy));
	*ret_n = events.n;
	vec_release(&events);
	return copy;
}

bool
store_stop_wanted(const char *run_folder)
{
	size_t size = strlen(run_folder) + 8;
	CLEANUP(freep) char *path = xmalloc(size);

	snprintf(path, size, "%s/stop", run_folder);
	return !access(path, F_OK);
}

int
store_stop(struct store *store, const char *which, struct error *err)
{
	struct arena *arena = arena_new();
	struct store_run run;
	int result = store_find(store, arena, which, &run, err);

	if (!result && phase_ended(run.phase))
		result = error_set(err, "the run `%s` has ended already: it is %s", run.name, phase_name(run.phase));
	if (!result && run.place.target)
		result = error_set(err, "the run `%s` is on the cluster `%s`, which must be asked to stop it", run.name, run.place.target);
	if (!result)
		result = paths_write(arena_printf(arena, "%s/stop", run.folder), "", 0, 0666, err);
	arena_free(arena);
	return result;
}
