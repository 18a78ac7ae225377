#include "config.h"

#include "kernel/background_private.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/map.h"
#include "kernel/thread.h"

enum { END_WAIT = 2000 }; /* milliseconds until what runs here and was asked to end is killed */

struct backgrounds {
	pthread_mutex_t lock; /* over the list: an end may come from another thread */
	struct background **items;
	size_t n, cap;
};

bool
background_stops(void *context)
{
	struct background *background = context;

	return atomic_load(&background->ends) > 0;
}

/* ---- the thread ---- */

static void
on_changed(void *context, struct run *run UNUSED, size_t node UNUSED)
{
	struct background *background = context;

	if (background->live)
		live_changed(background->live);
}

static void
on_wrote(void *context, struct run *run UNUSED, size_t node UNUSED, const char *text, size_t len)
{
	struct background *background = context;

	if (background->echo)
		background->output->ops->stream(background->output, false, text, len);
}

static void
tell_begun(struct background *background)
{
	pthread_mutex_lock(&background->lock);
	background->begun = true;
	background->request = NULL;
	background->diags = NULL;
	pthread_cond_signal(&background->told);
	pthread_mutex_unlock(&background->lock);
}

static bool
begin(struct background *background)
{
	const struct run_observer observer = { .changed = on_changed, .wrote = on_wrote, .context = background };

	background->run = background->driver->start(background, background->request, &observer, background->diags);
	if (!background->run)
		return false;
	if (!background->quiet)
		background->live = live_new(background->output, background->run);
	if (background->live)
		snprintf(background->display_id, sizeof background->display_id, "%s", live_display_id(background->live));
	return true;
}

static void
drive(struct background *background)
{
	unsigned seen = 0;

	while (background->driver->go_on(background, background->live ? live_due(background->live) : -1)) {
		unsigned ends = atomic_load(&background->ends);

		if (ends > seen) {
			wakeup_clear(background->wake);
			if (!background->driver->end(background))
				break;
			seen = ends;
		}
		if (background->live)
			live_update(background->live);
	}
}

static void *
background_main(void *data)
{
	struct background *background = data;
	bool good = begin(background);

	tell_begun(background);
	if (good) {
		drive(background);
		run_forget_observer(background->run, background);
	}
	background->driver->close(background);
	if (background->live) {
		live_finish(background->live);
		live_free(background->live);
	}
	if (background->problem) {
		background->output->ops->stream(background->output, true, background->problem, strlen(background->problem));
		background->output->ops->stream(background->output, true, "\n", 1);
	}
	background->output->ops->flush(background->output);
	if (background->stays)
		background->output->ops->release(background->output);
	atomic_store(&background->ended, true);
	wakeup_send(background->done);
	return NULL;
}

/* ---- one of them ---- */

static void
background_free(struct background *background)
{
	if (!background->joined)
		pthread_join(background->thread, NULL);
	run_unref(background->run);
	arena_free(background->arena);
	free(background->problem);
	close(background->wake);
	close(background->done);
	pthread_cond_destroy(&background->told);
	pthread_mutex_destroy(&background->lock);
	free(background);
}

/* The caller's memory ends with its cell. */
static void
keep_args(struct background *background, const struct background_request *request)
{
	size_t n = request->plan ? request->plan->n_params : 0;
	const struct value **values = arena_alloc(background->arena, (n + 1) * sizeof *values);
	const struct secret **secrets = arena_alloc(background->arena, (n + 1) * sizeof *secrets);

	for (size_t i = 0; i < n; i++) {
		const struct secret *secret = request->args.secrets ? request->args.secrets[i] : NULL;

		if (request->args.values && request->args.values[i])
			values[i] = value_clone(background->arena, request->args.values[i]);
		if (secret)
			secrets[i] = secret_clone(background->arena, secret);
	}
	background->args = (struct local_args){ values, secrets };
}

static struct background *
background_new(const struct background_request *request, struct diags *diags)
{
	struct background *background = xcalloc(1, sizeof *background);

	background->driver = request->cluster || request->where ? &background_there : &background_here;
	background->arena = arena_new();
	keep_args(background, request);
	background->stays = request->stays;
	background->quiet = request->quiet;
	background->echo = request->echo;
	background->request = request;
	background->diags = diags;
	background->wake = wakeup_new(NULL);
	background->done = wakeup_new(NULL);
	if (background->wake < 0 || background->done < 0)
		BUG("no eventfd");
	pthread_mutex_init(&background->lock, NULL);
	pthread_cond_init(&background->told, NULL);
	background->output = request->stays ? request->output->ops->keep(request->output) : request->output;
	return background;
}

static void
ask_to_end(struct background *background)
{
	atomic_fetch_add(&background->ends, 1);
	wakeup_send(background->wake);
}

/* Until the start is over. An interrupt ends it. */
static void
await_begin(struct background *background, const struct background_request *request)
{
	struct timespec until;
	bool asked = false;

	pthread_mutex_lock(&background->lock);
	while (!background->begun) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 50 * 1000 * 1000;
		if (until.tv_nsec >= 1000 * 1000 * 1000) {
			until.tv_nsec -= 1000 * 1000 * 1000;
			until.tv_sec++;
		}
		pthread_cond_timedwait(&background->told, &background->lock, &until);
		if (!asked && request->interrupted && *request->interrupted) {
			ask_to_end(background);
			asked = true;
		}
	}
	pthread_mutex_unlock(&background->lock);
}

/* Is there still something to be said of it? */
bool
background_is_told(const struct background *background)
{
	return background->told_of || background->driver == &background_there || background->run->phase == PHASE_SUCCEEDED;
}

/* Those that have ended are known by their runs alone. */
static void
reap(struct backgrounds *set)
{
	size_t n = 0;

	pthread_mutex_lock(&set->lock);
	for (size_t i = 0; i < set->n; i++) {
		if (atomic_load(&set->items[i]->ended) && background_is_told(set->items[i]))
			background_free(set->items[i]);
		else
			set->items[n++] = set->items[i];
	}
	set->n = n;
	pthread_mutex_unlock(&set->lock);
}

struct background *
background_start(struct backgrounds *set, const struct background_request *request, struct diags *diags)
{
	struct background *background;
	struct error err;

	reap(set);
	background = background_new(request, diags);
	if (thread_start_deep(&background->thread, "run", background_main, background, &err) < 0) {
		diags_add(diags, DIAG_L0705, request->span, "%s", err.text);
		if (background->stays)
			background->output->ops->release(background->output);
		background->joined = true;
		background_free(background);
		return NULL;
	}
	await_begin(background, request);
	if (!background->run) {
		background_free(background);
		return NULL;
	}
	pthread_mutex_lock(&set->lock);
	vec_reserve((void **)&set->items, &set->cap, set->n + 1, sizeof *set->items);
	set->items[set->n++] = background;
	pthread_mutex_unlock(&set->lock);
	return background;
}

struct run *
background_run(const struct background *background)
{
	return background->run;
}

const char *
background_display(const struct background *background)
{
	return background->display_id;
}

bool
background_is_there(const struct background *background)
{
	return background->driver == &background_there;
}

bool
background_ended(const struct background *background)
{
	return atomic_load(&background->ended);
}

bool
background_wait_for(struct background *background, int wake, const volatile sig_atomic_t *interrupted, int timeout)
{
	int64_t until = clock_ms() + timeout;
	struct pollfd fds[] = { { .fd = background->done, .events = POLLIN }, { .fd = wake, .events = POLLIN } };

	while (!atomic_load(&background->ended)) {
		int64_t left = until - clock_ms();

		if ((interrupted && *interrupted) || left <= 0)
			return false;
		if (poll(fds, ARRAY_LEN(fds), (int)left) < 0 && errno != EINTR)
			BUG("poll: %s", strerror(errno));
	}
	return true;
}

bool
background_wait(struct background *background, int wake, const volatile sig_atomic_t *interrupted)
{
	struct pollfd fds[] = { { .fd = background->done, .events = POLLIN }, { .fd = wake, .events = POLLIN } };

	while (!atomic_load(&background->ended)) {
		if (interrupted && *interrupted)
			return false;
		if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
			BUG("poll: %s", strerror(errno));
	}
	return true;
}

void
background_end(struct background *background)
{
	ask_to_end(background);
}

void
background_let_go(struct background *background)
{
	struct pollfd done = { .fd = background->done, .events = POLLIN };

	ask_to_end(background);
	while (!atomic_load(&background->ended))
		poll(&done, 1, -1);
}

void
background_told(struct background *background)
{
	background->told_of = true;
}

const char *
background_problem(const struct background *background)
{
	return background_ended(background) ? background->problem : NULL;
}

/* ---- all of them ---- */

struct backgrounds *
backgrounds_new(void)
{
	struct backgrounds *set = xcalloc(1, sizeof *set);

	pthread_mutex_init(&set->lock, NULL);
	return set;
}

bool
backgrounds_end(struct backgrounds *set, int patience)
{
	int64_t until = clock_ms() + patience;
	bool all = true;

	pthread_mutex_lock(&set->lock);
	for (size_t i = 0; i < set->n; i++)
		if (!atomic_load(&set->items[i]->ended))
			ask_to_end(set->items[i]);
	for (size_t i = 0; i < set->n; i++) {
		struct pollfd done = { .fd = set->items[i]->done, .events = POLLIN };
		int64_t left = until - clock_ms();

		if (patience < 0)
			left = -1;
		else if (left < 0)
			left = 0;
		all = poll(&done, 1, (int)left) > 0 && all;
	}
	pthread_mutex_unlock(&set->lock);
	return all;
}

void
backgrounds_free(struct backgrounds *set)
{
	if (!set)
		return;
	if (!backgrounds_end(set, END_WAIT))
		backgrounds_end(set, -1); /* what runs here is killed then */
	for (size_t i = 0; i < set->n; i++)
		background_free(set->items[i]);
	free(set->items);
	pthread_mutex_destroy(&set->lock);
	free(set);
}

struct background *
background_of(struct backgrounds *set, const struct run *run)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->items[i]->run == run)
			return set->items[i];
	return NULL;
}

struct background *
backgrounds_next(struct backgrounds *set, size_t *at)
{
	return *at < set->n ? set->items[(*at)++] : NULL;
}
