/* What the steps of a run have written, once or as it comes. */
#include "config.h"

#include "runtime/store.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/macros.h"
#include "runtime/log.h"

enum { LOG_SHOWN_MAX = 64 * 1024 * 1024 }; /* bytes of one log that are given at once, from its end */

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

static int
read_step(const struct reading *r, const struct store_step *step, struct buf *buf, struct error *err)
{
	const char *path = arena_printf(r->arena, "%s/log", step->folder);
	struct log_follower *f = r->follower;
	uint64_t *place = map_get(&f->places, path);
	size_t lines = place ? SIZE_MAX : f->last;
	struct buf text = { 0 };
	int result;

	if (!place)
		map_set(&f->places, path, place = xcalloc(1, sizeof(*place)));
	result = log_read_on(path, place, r->ended || phase_ended(step->phase), lines, f->grep, LOG_SHOWN_MAX, &text, err);
	if (!result)
		add_text(r, step, path, &text, buf);
	buf_release(&text);
	return result;
}

static int
read_logs(struct reading *r, struct buf *buf, struct error *err)
{
	const char *wanted = r->follower->step;
	size_t begun = 0;

	for (size_t i = 0; i < r->n; i++)
		r->wanted += is_wanted(r, &r->steps[i]);
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
