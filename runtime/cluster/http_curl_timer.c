/* The timers of the http seam. */
#include "config.h"

#include <stdlib.h>
#include <time.h>

#include "runtime/cluster/http_curl_private.h"

struct http_timer {
	int64_t when; /* ticks */
	uint64_t number; /* of two at the same time, the older one comes first */
	void (*due)(void *context);
	void *context;
};

int64_t
http_curl_ticks(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static size_t
place_of(const struct http_curl *owner, const struct http_timer *timer)
{
	for (size_t i = 0; i < owner->timers.n; i++)
		if (owner->timers.items[i] == timer)
			return i;
	BUG("no such timer");
}

struct http_timer *
http_curl_after(struct http *http, long milliseconds, void (*due)(void *context), void *context)
{
	struct http_curl *owner = (struct http_curl *)http;
	struct http_timer *timer = xcalloc(1, sizeof *timer);

	/* One millisecond more: both times are cut to whole ones. */
	*timer = (struct http_timer){ http_curl_ticks() + (milliseconds > 0 ? milliseconds + 1 : 0), owner->n_timers++, due, context };
	vec_push(&owner->timers, timer);
	return timer;
}

static void
take_out(struct http_curl *owner, size_t place)
{
	owner->timers.items[place] = owner->timers.items[--owner->timers.n];
}

void
http_curl_cancel(struct http *http, struct http_timer *timer)
{
	struct http_curl *owner = (struct http_curl *)http;

	if (!timer)
		return;
	take_out(owner, place_of(owner, timer));
	free(timer);
}

/* The one that comes first; NULL: there is none. */
static struct http_timer *
first(const struct http_curl *owner)
{
	struct http_timer *ret = NULL;

	for (size_t i = 0; i < owner->timers.n; i++) {
		struct http_timer *timer = owner->timers.items[i];

		if (!ret || timer->when < ret->when || (timer->when == ret->when && timer->number < ret->number))
			ret = timer;
	}
	return ret;
}

long
http_curl_timers_wait(const struct http_curl *owner)
{
	const struct http_timer *timer = first(owner);
	int64_t wait;

	if (!timer)
		return -1;
	wait = timer->when - http_curl_ticks();
	return wait > 0 ? (long)wait : 0;
}

void
http_curl_ring(struct http_curl *owner)
{
	int64_t now = http_curl_ticks();
	uint64_t before = owner->n_timers; /* those that are made meanwhile wait for the next poll */
	struct http_timer *timer;

	while ((timer = first(owner)) && timer->when <= now && timer->number < before) {
		struct http_timer copy = *timer;

		http_curl_cancel(&owner->http, timer);
		copy.due(copy.context);
	}
}

void
http_curl_cancel_all(struct http_curl *owner)
{
	while (owner->timers.n)
		http_curl_cancel(&owner->http, owner->timers.items[0]);
	vec_release(&owner->timers);
}
