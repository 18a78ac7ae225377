/* What the steps of a run have written, once or as it comes; of all steps by time. */
#include "config.h"

#include "runtime/store.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/macros.h"
#include "runtime/log.h"

enum {
	LOG_SHOWN_MAX = 64 * 1024 * 1024, /* bytes of one log that are given at once, from its end */
	LOGS_SHOWN_MAX = 192 * 1024 * 1024, /* of all steps' logs, of each its part, … */
	LOG_SHOWN_MIN = 1024 * 1024, /* … which is never smaller */
};

struct reading {
	struct log_follower *follower;
	struct arena *arena;
	const struct store_step *steps;
	size_t n, wanted;
	bool ended;
};

void
log_follower_release(struct log_follower *follower)
{
	const struct map_entry *entry;
	size_t at = 0;

	while ((entry = map_next(&follower->places, &at)))
		free(entry->value);
	map_release(&follower->places);
	free(follower->shown);
	*follower = (struct log_follower){ 0 };
}

static bool
is_wanted(const struct reading *r, const struct store_step *step)
{
	const char *wanted = r->follower->step;

	return !wanted || !strcmp(step->name, wanted) || !strcmp(arena_printf(r->arena, "%s%s", step->name, step->key), wanted);
}

/* Of one log among several it is said whose it is, once for as long as it goes on alone. */
static void
add_text(const struct reading *r, const struct store_step *step, const char *path, const struct buf *text, struct buf *buf)
{
	struct log_follower *f = r->follower;

	if (!text->len)
		return;
	if (r->wanted > 1 && (!f->shown || strcmp(f->shown, path) != 0)) {
		buf_printf(buf, "%s==> %s%s <==\n", f->shown ? "\n" : "", step->name, step->key);
		free(f->shown);
		f->shown = xstrdup(path);
	}
	buf_add(buf, text->data, text->len);
}

/* How much of the log has been given; *ret_first: nothing was looked at yet. */
static uint64_t *
place_of(struct log_follower *f, const char *path, bool *ret_first)
{
	uint64_t *place = map_get(&f->places, path);

	*ret_first = !place;
	if (!place)
		map_set(&f->places, path, place = xcalloc(1, sizeof(*place)));
	return place;
}

static int
read_step(const struct reading *r, const struct store_step *step, struct buf *buf, struct error *err)
{
	const char *path = arena_printf(r->arena, "%s/log", step->folder);
	struct log_follower *f = r->follower;
	bool first;
	uint64_t *place = place_of(f, path, &first);
	struct buf text = { 0 };
	int result;

	result = log_read_on(path, place, r->ended || phase_ended(step->phase), first ? f->last : SIZE_MAX, f->grep, LOG_SHOWN_MAX, &text, err);
	if (!result)
		add_text(r, step, path, &text, buf);
	buf_release(&text);
	return result;
}

/* ---- all steps, their lines by time ---- */

struct merging {
	const struct store_step *step;
	const char *path;
	struct log_lines lines;
	size_t at; /* the next of them */
};

static int64_t
time_of(const struct merging *m)
{
	return m->lines.lines.items[m->at].time_ms;
}

/* Of one time the log that was begun first comes first. */
static bool
comes_before(const struct merging *a, const struct merging *b)
{
	return time_of(a) != time_of(b) ? time_of(a) < time_of(b) : a < b;
}

/* Lets the first of the heap sink to its place. */
static void
sink(struct merging **heap, size_t n, size_t at)
{
	for (;;) {
		size_t child = 2 * at + 1;
		struct merging *moved = heap[at];

		if (child >= n)
			return;
		if (child + 1 < n && comes_before(heap[child + 1], heap[child]))
			child++;
		if (!comes_before(heap[child], heap[at]))
			return;
		heap[at] = heap[child];
		heap[child] = moved;
		at = child;
	}
}

/* As much as one log gives before another's turn. */
static void
give_lines(const struct reading *r, struct merging **heap, size_t *n, struct buf *buf)
{
	struct merging *m = heap[0];
	struct buf text = { 0 };

	do {
		const struct log_line *line = &m->lines.lines.items[m->at++];

		buf_add(&text, m->lines.text.data + line->at, line->len);
		if (m->at == m->lines.lines.n) {
			heap[0] = heap[--*n];
			break;
		}
		sink(heap, *n, 0);
	} while (heap[0] == m);
	if (*n && heap[0] != m)
		sink(heap, *n, 0);
	add_text(r, m->step, m->path, &text, buf);
	buf_release(&text);
}

static void
merge(const struct reading *r, struct merging *logs, size_t n, struct buf *buf)
{
	struct merging **heap = arena_alloc(r->arena, (n + 1) * sizeof(*heap));
	size_t live = 0;

	for (size_t i = 0; i < n; i++)
		if (logs[i].lines.lines.n)
			heap[live++] = &logs[i];
	for (size_t i = live / 2; i-- > 0;)
		sink(heap, live, i);
	while (live)
		give_lines(r, heap, &live, buf);
}

static int
read_all(struct reading *r, struct buf *buf, struct error *err)
{
	struct merging *logs = arena_alloc(r->arena, (r->n + 1) * sizeof(*logs));
	struct log_follower *f = r->follower;
	size_t n = 0;
	int result = 0;

	for (size_t i = 0; i < r->n && !result; i++) {
		const char *path = r->steps[i].folder ? arena_printf(r->arena, "%s/log", r->steps[i].folder) : NULL;
		bool first = false;
		uint64_t *place;

		if (!path)
			continue;
		place = place_of(f, path, &first);
		logs[n] = (struct merging){ .step = &r->steps[i], .path = path };
		result = log_read_lines(path, place, r->ended || phase_ended(r->steps[i].phase), first ? f->last : SIZE_MAX, f->grep,
			LOGS_SHOWN_MAX / r->n > LOG_SHOWN_MIN ? LOGS_SHOWN_MAX / r->n : (size_t)LOG_SHOWN_MIN, &logs[n].lines, err);
		n++;
	}
	if (!result)
		merge(r, logs, n, buf);
	for (size_t i = 0; i < n; i++)
		log_lines_release(&logs[i].lines);
	return result;
}

/* ---- one step ---- */

static int
read_logs(struct reading *r, struct buf *buf, struct error *err)
{
	const char *wanted = r->follower->step;
	size_t begun = 0;

	for (size_t i = 0; i < r->n; i++)
		r->wanted += is_wanted(r, &r->steps[i]);
	if (!wanted && r->wanted > 1)
		return read_all(r, buf, err);
	for (size_t i = 0; i < r->n; i++) {
		if (!is_wanted(r, &r->steps[i]) || !r->steps[i].folder)
			continue;
		begun++;
		if (read_step(r, &r->steps[i], buf, err))
			return -1;
	}
	if (wanted && !begun && r->ended)
		return error_set(err, r->wanted ? "the step `%s` has not run" : "the run has no step `%s`", wanted);
	return 0;
}

static int
follow(struct store *store, struct log_follower *follower, bool once, struct buf *buf, struct error *err)
{
	struct reading r = { .follower = follower, .arena = arena_new() };
	struct store_run run;
	int result = store_find(store, r.arena, follower->run, &run, err);

	/* Whether it has ended is asked before its logs are read, so that nothing of their ends is missed. */
	if (!result) {
		follower->ended = phase_ended(run.phase);
		r.ended = once || follower->ended;
		r.steps = store_steps(store, r.arena, run.id, &r.n, err);
	}
	result = r.steps ? read_logs(&r, buf, err) : -1;
	arena_free(r.arena);
	return result;
}

int
store_follow(struct store *store, struct log_follower *follower, struct buf *buf, struct error *err)
{
	return follow(store, follower, false, buf, err);
}

int
store_logs(struct store *store, const char *which, const char *step, size_t lines, const char *grep, struct buf *buf,
	   struct error *err)
{
	struct log_follower follower = { .run = which, .step = step, .grep = grep, .last = lines };
	int result = follow(store, &follower, true, buf, err);

	log_follower_release(&follower);
	return result;
}
