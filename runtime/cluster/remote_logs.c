/* Logs of a run on a cluster, kept as those of a run here are: .lateen/runs/RUN/STEP/ATTEMPT/log, each line with its time. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/cluster/moment.h"
#include "runtime/cluster/remote_private.h"
#include "runtime/paths.h"

static const struct workflow_node *
node_of(const struct remote_log *log)
{
	return workflow_model_node(log->remote->model, log->place);
}

static bool
is_over(const struct remote_log *log)
{
	return log->forgotten || phase_ended(node_of(log)->phase) || phase_ended(log->remote->where.phase);
}

/* ---- what comes ---- */

/* What was written after the place that the store knows was not told to it: it comes once more. */
static void
open_file(struct remote_log *log)
{
	struct error err = { "" };

	if (log->file || !log->remote->store)
		return;
	log->file = log_resume(arena_printf(log->remote->arena, "%s/log", log->folder), (uint64_t)log->known.bytes, &err);
}

static int64_t
time_of_line(const struct remote_log *log)
{
	const struct workflow_node *node = node_of(log);

	if (log->last >= 0)
		return log->last / 1000000;
	return node->started_ms ? node->started_ms : remote_now(log->remote); /* of an archived log it is not known */
}

static void
write_text(struct remote_log *log, const char *text, size_t len, int64_t ms, bool show)
{
	const char *shown = text;
	size_t n = len;

	if (!len)
		return;
	/* The values of Secrets are known to the cluster alone, so there is nothing to mask. */
	if (log->file)
		log_write(log->file, text, len, ms, &shown, &n);
	log->unsaved = true;
	if (show)
		run_wrote(log->remote->run, log->node, shown, n);
}

/* Lines of one millisecond are written together. */
static void
came(void *context, const char *bytes, size_t n)
{
	struct remote_log *log = context;
	const char *end = bytes + n;
	struct buf text = { 0 };
	bool show = log->last > log->shown || log->shown < 0;
	int64_t ms;

	open_file(log);
	ms = time_of_line(log);
	for (const char *at = bytes; at < end;) {
		const char *newline = memchr(at, '\n', (size_t)(end - at)), *rest = newline ? newline + 1 : end;
		int64_t ns;
		size_t taken = log->in_line && at > bytes ? 0 : moment_read(at, (size_t)(rest - at), &ns);

		if (taken) {
			at += taken + (at + taken < rest && at[taken] == ' ');
			if (ns / 1000000 != ms || show != (ns > log->shown)) {
				write_text(log, buf_text(&text), text.len, ms, show);
				buf_clear(&text);
				ms = ns / 1000000;
				show = ns > log->shown;
			}
			log->last = ns > log->last ? ns : log->last;
		}
		buf_add(&text, at, (size_t)(rest - at));
		log->in_line = !newline;
		at = rest;
	}
	write_text(log, buf_text(&text), text.len, ms, show);
	buf_release(&text);
	log->remote->news_at = remote_now(log->remote);
}

static void
close_file(struct remote_log *log)
{
	const char *shown;
	size_t n;

	if (!log->file)
		return;
	log_flush(log->file, time_of_line(log), &shown, &n);
	log->known.bytes = (int64_t)log_size(log->file);
	log_free(log->file);
	log->file = NULL;
}

static void
keep_failure(struct remote *remote, const struct api_failure *failure)
{
	if (remote->log_failure)
		return;
	remote->log_failure = xcalloc(1, sizeof(*failure));
	*remote->log_failure = *failure;
	remote->log_failure->answer = NULL;
}

static void
ended(void *context, const struct api_failure *failure)
{
	struct remote_log *log = context;

	log->stream = NULL;
	/* One that could not be read while its step runs is asked for once more when that has ended. */
	log->state = log->follows && failure ? REMOTE_LOG_WAITS : REMOTE_LOG_DONE;
	if (log->state == REMOTE_LOG_DONE && failure)
		keep_failure(log->remote, failure);
	log->tried = log->state == REMOTE_LOG_WAITS;
	log->follows = false;
	log->whole = !failure;
	log->unsaved = true;
	if (log->state == REMOTE_LOG_DONE)
		close_file(log);
	log->remote->news_at = remote_now(log->remote);
	if (log->state == REMOTE_LOG_DONE && !log->forgotten)
		remote_log_came_to_end(log->remote, log->place);
}

/* ---- whose turn it is ---- */

static void
open_stream(struct remote_log *log)
{
	const struct door_log_listener listener = { came, ended, log };
	struct door_log_request request = { .run = log->remote->where, .node = log->id, .pod = log->pod, .container = "main",
		.follow = true, .timestamps = true, .have = (size_t)log->known.bytes };
	char since[MOMENT_MAX];

	if (log->last >= 0) {
		moment_write(since, log->last);
		request.since = since;
	}
	log->state = REMOTE_LOG_OPEN;
	log->follows = !log->over;
	log->stream = log->remote->door->ops->log(log->remote->door, &request, &listener);
}

static void
find_ends(struct remote *remote, size_t *ret_follows, size_t *ret_fetches)
{
	for (size_t i = 0; i < remote->logs.n; i++) {
		struct remote_log *log = remote->logs.items[i];

		log->over = is_over(log);
		*ret_follows += log->state == REMOTE_LOG_OPEN && log->follows;
		*ret_fetches += log->state == REMOTE_LOG_OPEN && !log->follows;
	}
}

void
remote_logs_go_on(struct remote *remote)
{
	size_t follows = 0, fetches = 0;

	find_ends(remote, &follows, &fetches);
	for (size_t i = 0; i < remote->logs.n; i++) {
		struct remote_log *log = remote->logs.items[i];
		size_t *count = log->over ? &fetches : &follows, max = log->over ? REMOTE_FETCHES_MAX : REMOTE_FOLLOWS_MAX;

		if (log->state != REMOTE_LOG_WAITS || *count >= max)
			continue;
		/* What could not be followed is let be until its step has ended. */
		if (!log->over && log->tried)
			continue;
		open_stream(log);
		++*count;
	}
}

bool
remote_logs_whole(const struct remote *remote)
{
	if (remote_now(remote) - remote->news_at > REMOTE_LOGS_WAIT)
		return true;
	for (size_t i = 0; i < remote->logs.n; i++)
		if (remote->logs.items[i]->state != REMOTE_LOG_DONE)
			return false;
	return true;
}

/* ---- which there are ---- */

static const char *
folder_of(const struct remote *remote, size_t node, int attempt)
{
	const struct run_node *n = remote->run->nodes[node];

	return arena_printf(remote->arena, "%s/%s%s/%d", remote->run->folder, paths_safe(remote->arena, remote->plan->steps[n->step].name), n->key,
		attempt + 1);
}

/* What is known of a log is of an earlier pod, whose place this one has taken, when it ended before this one began. */
static bool
is_of_another(const struct remote_log *log)
{
	const struct workflow_node *n = node_of(log);

	return log->last >= 0 && n->started_ms > log->last / 1000000 + 1000;
}

/* An empty file for what may come: whoever reads the store finds a log where a step has begun. */
static void
make_file(struct remote_log *log)
{
	struct error err;
	const char *path = arena_printf(log->remote->arena, "%s/log", log->folder);

	if (log->remote->store && !paths_make(log->folder, &err) && access(path, F_OK))
		log_free(log_new(path, NULL, 0, &err));
}

static void
recall(struct remote_log *log)
{
	struct remote *remote = log->remote;
	struct error err;

	if (remote->store)
		store_get_log(remote->store, remote->arena, remote->run->id, log->key, &log->known, &err);
	if (*log->known.last)
		moment_read(log->known.last, strlen(log->known.last), &log->last);
	if (is_of_another(log)) {
		log->known = (struct store_log){ .last = "" };
		log->last = -1;
	}
	/* Of one that was empty it cannot be told. */
	log->whole = log->known.whole && (log->last >= 0 || log->known.bytes);
	log->state = log->whole ? REMOTE_LOG_DONE : REMOTE_LOG_WAITS;
}

void
remote_log_add(struct remote *remote, size_t place, size_t node, int attempt)
{
	const struct workflow_node *n = workflow_model_node(remote->model, place);
	const char *pod = pods_find(remote->pods, n->id);
	struct remote_log *log;

	if (remote->no_logs || !remote->run->folder || map_has(&remote->log_of, n->id))
		return;
	log = xcalloc(1, sizeof(*log));
	*log = (struct remote_log){ .remote = remote, .place = place, .node = node, .last = -1, .shown = -1, .known = { .last = "" } };
	log->id = arena_strdup(remote->arena, n->id);
	log->pod = pod ? arena_strdup(remote->arena, pod) : pods_name(remote->arena, remote->where.name, n);
	log->folder = folder_of(remote, node, attempt);
	log->key = log->folder + strlen(remote->run->folder) + 1;
	make_file(log);
	recall(log);
	vec_push(&remote->logs, log);
	map_set(&remote->log_of, log->id, log);
}

void
remote_log_forget(struct remote *remote, const char *id)
{
	struct remote_log *log = map_remove(&remote->log_of, id);

	if (log)
		log->forgotten = true;
}

void
remote_logs_take_over(struct remote *remote)
{
	for (size_t i = 0; i < remote->logs.n; i++) {
		struct remote_log *log = remote->logs.items[i];

		remote->door->ops->unlog(remote->door, log->stream);
		log->stream = NULL;
		log->shown = log->last;
		log->last = -1;
		log->follows = log->tried = log->in_line = false;
		make_file(log);
		recall(log);
	}
}

const char *
remote_log_folder(const struct remote *remote, size_t place)
{
	const struct remote_log *log = map_get(&remote->log_of, workflow_model_node(remote->model, place)->id);

	return log ? log->folder : NULL;
}

const char *
remote_log_tail(const struct remote *remote, size_t place, struct arena *arena)
{
	const char *folder = remote_log_folder(remote, place), *copy = NULL;
	struct buf tail = { 0 };
	struct error err;

	if (folder && !log_read(arena_printf(arena, "%s/log", folder), LOG_TAIL_LINES, NULL, LOG_TAIL_MAX, &tail, &err) && tail.len)
		copy = arena_strdup(arena, buf_text(&tail));
	buf_release(&tail);
	return copy;
}

/* ---- the store ---- */

static void
save(struct remote_log *log)
{
	struct store_log position = { log->file ? (int64_t)log_size(log->file) : log->known.bytes, "", log->whole };
	char last[MOMENT_MAX];
	struct error err;

	if (log->last >= 0) {
		moment_write(last, log->last);
		position.last = last;
	}
	if (log->file && log_problem(log->file))
		return;
	store_set_log(log->remote->store, log->remote->run->id, log->key, &position, &err);
	log->unsaved = false;
}

void
remote_logs_save(struct remote *remote, bool now)
{
	if (!remote->store || (!now && remote_now(remote) < remote->save_at))
		return;
	remote->save_at = remote_now(remote) + REMOTE_SAVE;
	for (size_t i = 0; i < remote->logs.n; i++)
		if (remote->logs.items[i]->unsaved && !remote->logs.items[i]->forgotten && remote_can_write(remote))
			save(remote->logs.items[i]);
}

void
remote_logs_free(struct remote *remote)
{
	for (size_t i = 0; i < remote->logs.n; i++) {
		struct remote_log *log = remote->logs.items[i];

		remote->door->ops->unlog(remote->door, log->stream);
		close_file(log);
		free(log);
	}
	vec_release(&remote->logs);
	map_release(&remote->log_of);
}
