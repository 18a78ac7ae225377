#include "config.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "tests/runtime/cluster/recorded_private.h"

struct http_timer {
	int64_t when;
	uint64_t number; /* of two at the same time, the older one comes first */
	void (*due)(void *context);
	void *context;
};

/* What a stream does next. */
enum step { STEP_HEAD, STEP_PIECE, STEP_END, STEP_LATE, STEP_NEVER };

struct http_stream {
	struct http_listener listener;
	uint64_t number;
	int64_t when; /* of the next step */
	const char *at; /* in the text, behind what was read of it */
	struct buf left; /* of the line or lines that are being given */
	size_t piece; /* bytes; 0: a line */
	long timeout;
	enum step step, then; /* then: behind STEP_HEAD */
	struct http_reply head;
	enum http_outcome outcome;
	struct error err;
	bool closed;
};

/* ---- streams ---- */

/* Reads lines of the body until something is to be done. */
static enum step
read_on(struct http_stream *stream)
{
	while (*stream->at && *stream->at != '>') {
		CLEANUP(freep) char *line = recorded_take_line(&stream->at);

		if (*line == '!') {
			stream->outcome = recorded_fault(line, &stream->err);
			return STEP_END;
		}
		if (!strcmp(line, "@hold"))
			return STEP_NEVER;
		if (!strncmp(line, "@wait ", 6)) {
			stream->when += strtol(line + 6, NULL, 10);
		} else if (!strncmp(line, "@pieces ", 8)) {
			stream->piece = strtoul(line + 8, NULL, 10);
		} else if (*line == '@') {
			BUG("`%s` is not known to streams", line);
		} else {
			buf_puts(&stream->left, line);
			if (strncmp(stream->at, "@join\n", 6) != 0) {
				buf_putc(&stream->left, '\n');
				return STEP_PIECE;
			}
			stream->at += 6;
		}
	}
	return stream->left.len ? STEP_PIECE : STEP_END;
}

static void
plan_next(struct http_stream *stream)
{
	int64_t before = stream->when;

	stream->step = stream->left.len ? STEP_PIECE : read_on(stream);
	if (stream->timeout && (stream->when - before > stream->timeout || stream->step == STEP_NEVER)) {
		stream->step = STEP_LATE;
		stream->when = before + stream->timeout;
	}
}

static void
begin(struct recorded *recorded, struct http_stream *stream, const struct http_request *request)
{
	stream->at = recorded_take(recorded, request, "open ", &stream->err);
	stream->step = STEP_END;
	if (!stream->at) {
		stream->outcome = HTTP_LATE;
		return;
	}
	CLEANUP(freep) char *line = recorded_take_line(&stream->at);
	if (*line == '!') {
		stream->outcome = recorded_fault(line, &stream->err);
		return;
	}
	recorded_take_head(&stream->at, line, request, &stream->head);
	stream->step = STEP_HEAD;
}

struct http_stream *
recorded_open(struct http *http, const struct http_request *request, const struct http_listener *listener)
{
	struct recorded *recorded = (struct recorded *)http;
	struct http_stream *stream = xcalloc(1, sizeof *stream);

	stream->listener = *listener;
	stream->timeout = request->timeout;
	stream->number = recorded->n_made++;
	stream->when = recorded->now;
	begin(recorded, stream, request);
	vec_push(&recorded->streams, stream);
	return stream;
}

static void
sweep(struct recorded *recorded)
{
	size_t kept = 0;

	for (size_t i = 0; i < recorded->streams.n; i++) {
		struct http_stream *stream = recorded->streams.items[i];

		if (!stream->closed) {
			recorded->streams.items[kept++] = stream;
			continue;
		}
		buf_release(&stream->left);
		free(stream);
	}
	recorded->streams.n = kept;
}

void
recorded_close(struct http *http, struct http_stream *stream)
{
	struct recorded *recorded = (struct recorded *)http;

	if (!stream)
		return;
	stream->closed = true;
	if (!recorded->telling)
		sweep(recorded);
}

static void
tell_piece(struct recorded *recorded, struct http_stream *stream)
{
	size_t n = stream->piece && stream->piece < stream->left.len ? stream->piece : stream->left.len;
	bool cut = recorded->cut && n >= recorded->cut;

	if (cut) {
		n = recorded->cut;
		stream->outcome = HTTP_CUT;
		error_set(&stream->err, "the peer went away");
	}
	recorded->cut -= recorded->cut ? n : 0;
	if (cut)
		recorded->cut = recorded->cut_again;
	CLEANUP(freep) char *copy = xstrndup(buf_text(&stream->left), n); /* so that who reads past it is caught */
	buf_consume(&stream->left, n);
	stream->listener.came(stream->listener.context, copy, n);
	if (cut)
		stream->step = STEP_END;
	else if (!stream->closed)
		plan_next(stream);
}

static void
tell_end(struct http_stream *stream)
{
	if (stream->step == STEP_LATE) {
		stream->outcome = HTTP_LATE;
		error_set(&stream->err, "nothing came for %ld milliseconds", stream->timeout);
	}
	stream->listener.ended(stream->listener.context, stream->outcome, &stream->err);
	stream->closed = true;
}

static void
tell(struct recorded *recorded, struct http_stream *stream)
{
	recorded->telling++;
	switch (stream->step) {
	case STEP_HEAD:
		if (stream->listener.began)
			stream->listener.began(stream->listener.context, &stream->head);
		if (!stream->closed)
			plan_next(stream);
		break;
	case STEP_PIECE:
		tell_piece(recorded, stream);
		break;
	case STEP_END:
	case STEP_LATE:
		tell_end(stream);
		break;
	case STEP_NEVER:
		BUG("never");
	}
	if (!--recorded->telling)
		sweep(recorded);
}

/* ---- timers ---- */

struct http_timer *
recorded_after(struct http *http, long milliseconds, void (*due)(void *context), void *context)
{
	struct recorded *recorded = (struct recorded *)http;
	struct http_timer *timer = xcalloc(1, sizeof *timer);

	*timer = (struct http_timer){ recorded->now + milliseconds, recorded->n_made++, due, context };
	vec_push(&recorded->timers, timer);
	return timer;
}

void
recorded_cancel(struct http *http, struct http_timer *timer)
{
	struct recorded *recorded = (struct recorded *)http;

	for (size_t i = 0; timer && i < recorded->timers.n; i++) {
		if (recorded->timers.items[i] != timer)
			continue;
		recorded->timers.items[i] = recorded->timers.items[--recorded->timers.n];
		free(timer);
		return;
	}
	if (timer)
		BUG("no such timer");
}

static void
ring(struct recorded *recorded, struct http_timer *timer)
{
	struct http_timer copy = *timer;

	recorded_cancel(&recorded->http, timer);
	recorded->telling++;
	copy.due(copy.context);
	if (!--recorded->telling)
		sweep(recorded);
}

/* ---- the clock ---- */

static bool
is_before(int64_t when, uint64_t number, int64_t other, uint64_t other_number)
{
	return when < other || (when == other && number < other_number);
}

static struct http_stream *
first_stream(const struct recorded *recorded)
{
	struct http_stream *ret = NULL;

	for (size_t i = 0; i < recorded->streams.n; i++) {
		struct http_stream *s = recorded->streams.items[i];

		if (s->step != STEP_NEVER && (!ret || is_before(s->when, s->number, ret->when, ret->number)))
			ret = s;
	}
	return ret;
}

static struct http_timer *
first_timer(const struct recorded *recorded)
{
	struct http_timer *ret = NULL;

	for (size_t i = 0; i < recorded->timers.n; i++) {
		struct http_timer *t = recorded->timers.items[i];

		if (!ret || is_before(t->when, t->number, ret->when, ret->number))
			ret = t;
	}
	return ret;
}

void
recorded_poll(struct http *http, int wake, long timeout)
{
	struct recorded *recorded = (struct recorded *)http;
	struct http_stream *stream = first_stream(recorded);
	struct http_timer *timer = first_timer(recorded);
	struct pollfd woken = { .fd = wake, .events = POLLIN };
	int64_t when;

	if (recorded->telling)
		BUG("a listener polls");
	if ((wake < 0 && !recorded->streams.n && !recorded->timers.n) || poll(&woken, 1, 0) > 0)
		return;
	if (stream && timer && is_before(timer->when, timer->number, stream->when, stream->number))
		stream = NULL;
	when = stream ? stream->when : timer ? timer->when : INT64_MAX;
	if (timeout >= 0 && when > recorded->now + timeout) {
		recorded->now += timeout;
		return;
	}
	if (when == INT64_MAX)
		BUG("nothing will ever happen; so far:\n%s", buf_text(&recorded->log));
	recorded->now = when > recorded->now ? when : recorded->now;
	if (stream)
		tell(recorded, stream);
	else
		ring(recorded, timer);
}

void
recorded_drop_all(struct recorded *recorded)
{
	while (recorded->timers.n)
		recorded_cancel(&recorded->http, recorded->timers.items[0]);
	for (size_t i = 0; i < recorded->streams.n; i++)
		recorded->streams.items[i]->closed = true;
	sweep(recorded);
	vec_release(&recorded->streams);
	vec_release(&recorded->timers);
}
