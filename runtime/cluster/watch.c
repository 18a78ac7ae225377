/* The core: a list, then a watch, again and again. */
#include "config.h"

#include "runtime/cluster/watch_private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SMALL_MAX = 64 * 1024 /* bytes of a Status */ };

static void open_next(void *context);

/* ---- life ---- */

/* Around what may call a listener: the watch lives until the outermost is done. */
static void
enter(struct watch *watch)
{
	watch->busy++;
}

static void
leave(struct watch *watch)
{
	if (--watch->busy || !watch->dead)
		return;
	watch->ops->release(watch);
	buf_release(&watch->line);
	buf_release(&watch->small);
	arena_free(watch->arena);
	free(watch);
}

static void
drop_object(struct watch *watch)
{
	if (watch->open_object)
		watch->ops->drop(watch);
	watch->open_object = false;
}

void
watch_stop(struct watch *watch)
{
	struct http *http = watch->api->http;

	drop_object(watch);
	frames_stop(&watch->frames);
	api_stream_close(watch->stream);
	http->cancel(http, watch->timer);
	watch->stream = NULL;
	watch->timer = NULL;
	watch->gone_on = true;
}

void
watch_free(struct watch *watch)
{
	if (!watch)
		return;
	enter(watch);
	watch_stop(watch);
	watch->dead = true;
	leave(watch);
}

void
watch_fail(struct watch *watch, const struct api_failure *failure)
{
	watch_stop(watch);
	watch->ops->failed(watch, failure);
}

/* ---- trouble ---- */

static void
try_in(struct watch *watch, long milliseconds)
{
	watch_stop(watch);
	watch->timer = watch->api->http->after(watch->api->http, milliseconds, open_next, watch);
}

static void
note_progress(struct watch *watch)
{
	watch->progress = true;
	watch->tries = watch->garbled = 0;
}

static bool
was_steady(const struct watch *watch)
{
	return !watch->listing && watch->reached && watch->api->http->now(watch->api->http) - watch->since >= WATCH_STEADY;
}

/* The connection is lost for a reason that may pass. A first one is not told: mostly the next try mends it. */
static void
try_again(struct watch *watch, const struct api_failure *failure, const char *retry_after)
{
	unsigned tries;

	if (was_steady(watch))
		watch->tries = 0;
	tries = watch->tries++;
	try_in(watch, api_wait_of(retry_after, tries));
	if (!failure || (watch->reached && !tries) || (watch->lost && watch->lost_kind == failure->kind && watch->lost_status == failure->status))
		return;
	watch->lost = true;
	watch->lost_kind = failure->kind;
	watch->lost_status = failure->status;
	watch->ops->reached(watch, failure);
}

static void
garble(struct watch *watch, const struct error *err)
{
	struct api_failure failure = { .kind = API_WRONG_SERVER };

	api_say(failure.what, "what `%s` says of %s cannot be read: %s", watch->api->server, watch->source.what, err->text);
	api_say(failure.help, "a proxy on the way may change it; if not, this is a version of the server that we do not know");
	watch->version[0] = '\0'; /* what came may have been changed before, too */
	if (was_steady(watch))
		watch->garbled = 0;
	if (++watch->garbled >= WATCH_GARBLED_MAX)
		watch_fail(watch, &failure);
	else
		try_again(watch, &failure, "");
}

/* Can it not mend itself? A server that was there once may come back behind whatever stands in its place now. */
static bool
is_final(struct watch *watch, const struct api_stream_end *end)
{
	switch (end->failure->kind) {
	case API_STOPPED:
	case API_UNKNOWN_USER:
	case API_FORBIDDEN:
	case API_NOT_FOUND:
		return true;
	case API_REFUSED:
		return watch->listing || ++watch->garbled >= WATCH_GARBLED_MAX;
	case API_WRONG_SERVER:
		return !watch->reached && end->failure->status != 429 && end->failure->status < 500;
	case API_TROUBLE:
		return false;
	case API_UNREACHABLE:
		return end->outcome == HTTP_NO_LIBRARY || (!watch->reached && end->outcome != HTTP_NO_NAME && end->outcome != HTTP_NO_CONNECTION &&
			end->outcome != HTTP_CUT && end->outcome != HTTP_LATE);
	}
	BUG("failure %d", (int)end->failure->kind);
}

/* The version is too old: a fresh list, at once the first time. */
static void
list_anew(struct watch *watch)
{
	watch->version[0] = '\0';
	if (was_steady(watch))
		watch->tries = 0;
	try_in(watch, watch->tries ? api_wait_of("", watch->tries - 1) : 0);
	watch->tries++;
}

/* ---- what comes ---- */

/* An ERROR event: a Status, or what Argo's server makes of one. */
static void
take_error(struct watch *watch)
{
	struct arena *arena = arena_new();
	struct error ignored;
	const struct value *status = value_read_json(arena, buf_text(&watch->small), watch->small.len, &ignored);
	const struct value *code = value_get(status, "code"), *message = value_get(status, "message");
	const char *text = value_text(message) ? value_text(message) : "no reason";
	struct api_failure failure = { .kind = API_TROUBLE };

	if (!code)
		code = value_get(status, "http_code");
	if ((code && code->kind == VALUE_INTEGER && code->integer == 410) || strstr(text, "too old resource version")) {
		list_anew(watch);
	} else {
		api_say(failure.what, "`%s` ended the watch of %s: %s", watch->api->server, watch->source.what, api_plain(arena, text, 300));
		api_say(failure.help, "it is tried again by itself; if it stays so, the server has trouble of its own");
		watch->version[0] = '\0';
		try_again(watch, &failure, "");
	}
	arena_free(arena);
}

static void
object_begins(void *context, const struct frame *frame)
{
	struct watch *watch = context;

	buf_clear(&watch->small);
	if (!strcmp(frame->type, "BOOKMARK") || !strcmp(frame->type, "ERROR"))
		return;
	watch->open_object = true;
	watch->ops->begin(watch);
}

static void
object_comes(void *context, const char *bytes, size_t n)
{
	struct watch *watch = context;
	size_t room = SMALL_MAX - watch->small.len;

	if (watch->open_object)
		watch->ops->feed(watch, bytes, n);
	if (!watch->open_object || !*watch->frames.frame.type)
		buf_add(&watch->small, bytes, n < room ? n : room);
}

static void
take_object(struct watch *watch, enum watch_change change, const struct frame *frame)
{
	struct error err = { "" };

	if (!watch->open_object)
		return;
	watch->open_object = false;
	if (watch->ops->take(watch, change, frame, &err))
		garble(watch, &err);
	else if (!watch->listing)
		note_progress(watch);
}

static void
object_ends(void *context, const struct frame *frame)
{
	static const char *const types[] = { "ADDED", "MODIFIED", "DELETED" };
	struct watch *watch = context;

	watch->unended = 0;
	if (watch->listing) {
		take_object(watch, WATCH_ADDED, frame);
		return;
	}
	if (!strcmp(frame->type, "ERROR")) {
		drop_object(watch);
		take_error(watch);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (!strcmp(frame->type, types[i]))
			take_object(watch, (enum watch_change)i, frame);
	drop_object(watch); /* a bookmark, or a type that we do not know */
	if (watch->gone_on)
		return;
	note_progress(watch);
	if (*frame->version)
		memcpy(watch->version, frame->version, sizeof watch->version);
}

static void
list_ends(void *context, const char *version)
{
	struct watch *watch = context;

	if (!watch->listing)
		return;
	watch->is_listed = true;
	memcpy(watch->version, version, sizeof watch->version);
}

/* ---- text/event-stream ---- */

static const char data[] = "data:";

/* Looks at the beginning of a line; returns how many of the bytes belong to it. */
static size_t
begin_line(struct watch *watch, const char *bytes, size_t n)
{
	size_t taken = 0;

	if (watch->in_data)
		return 0;
	if (!watch->line.len && *bytes == '{') { /* without the frame of events, as some proxies and old servers give them */
		watch->in_data = true;
		return 0;
	}
	while (taken < n && watch->line.len < sizeof data - 1)
		buf_putc(&watch->line, bytes[taken++]);
	watch->in_data = watch->line.len == sizeof data - 1 && !memcmp(watch->line.data, data, sizeof data - 1);
	return taken;
}

static int
end_line(struct watch *watch, struct error *err)
{
	watch->in_data = false;
	buf_clear(&watch->line);
	return watch->frames.stopped || frames_is_whole(&watch->frames) ? 0 : error_set(err, "an event ends within its object");
}

/* Takes what "data:" lines hold; a frame is one such line. */
static int
feed_events(struct watch *watch, const char *bytes, size_t n, struct error *err)
{
	while (n && !watch->frames.stopped) {
		const char *newline = memchr(bytes, '\n', n);
		size_t len = newline ? (size_t)(newline - bytes) : n, taken = len ? begin_line(watch, bytes, len) : 0;

		if (watch->in_data && len > taken && frames_feed(&watch->frames, bytes + taken, len - taken, err))
			return -1;
		len += newline != NULL;
		bytes += len;
		n -= len;
		if (newline && end_line(watch, err))
			return -1;
	}
	return 0;
}

/* ---- the stream calls these ---- */

static void
began(void *context, const struct http_reply *head)
{
	struct watch *watch = context;

	if (!strncasecmp(head->content_type, "text/html", 9))
		return; /* it will make no sense */
	watch->reached = true;
	if (!watch->lost)
		return;
	watch->lost = false;
	enter(watch);
	watch->ops->reached(watch, NULL);
	leave(watch);
}

static void
came(void *context, const char *bytes, size_t n)
{
	struct watch *watch = context;
	struct error err = { "" };
	int rc;

	enter(watch);
	if (watch->source.events && !watch->listing)
		rc = feed_events(watch, bytes, n, &err);
	else
		rc = frames_feed(&watch->frames, bytes, n, &err);
	watch->unended = frames_is_whole(&watch->frames) ? 0 : watch->unended + n;
	if (!rc && watch->unended > watch->ops->max)
		rc = error_set(&err, "an object is longer than %zu bytes", watch->ops->max);
	if (rc && !watch->gone_on)
		garble(watch, &err);
	leave(watch);
}

static void
body_ends(struct watch *watch)
{
	struct error err;

	if (watch->listing && watch->is_listed) {
		watch->ops->listed(watch);
		if (!watch->gone_on)
			try_in(watch, watch->tries > 1 ? api_wait_of("", watch->tries - 1) : 0);
	} else if (watch->listing) {
		error_set(&err, "the list is not whole");
		garble(watch, &err);
	} else if (watch->progress || was_steady(watch)) {
		watch->tries = 0;
		try_in(watch, 0); /* servers end a watch after a while */
	} else {
		try_again(watch, NULL, "");
	}
}

static void
ended(void *context, const struct api_stream_end *end)
{
	struct watch *watch = context;

	watch->stream = NULL;
	enter(watch);
	drop_object(watch);
	if (!end->failure || watch->is_listed)
		body_ends(watch); /* a list that is whole is one, however the connection ended */
	else if (end->failure->status == 410)
		list_anew(watch);
	else if (is_final(watch, end))
		watch_fail(watch, end->failure);
	else if (end->failure->kind == API_REFUSED)
		list_anew(watch); /* perhaps it does not like the version */
	else
		try_again(watch, end->failure, end->retry_after);
	leave(watch);
}

/* ---- */

static void
open_next(void *context)
{
	struct watch *watch = context;
	struct frames_sink sink = { object_begins, object_comes, object_ends, list_ends, watch };
	struct api_stream_listener listener = { began, came, ended, watch };
	struct api_request request = { .right = watch->source.right, .timeout = WATCH_SILENCE };
	struct buf path = { 0 };

	watch->timer = NULL;
	watch->listing = !*watch->version;
	watch->is_listed = watch->progress = watch->gone_on = false;
	watch->unended = 0;
	watch->since = watch->api->http->now(watch->api->http);
	buf_clear(&watch->line);
	watch->in_data = false;
	frames_init(&watch->frames, &sink);
	if (watch->listing) {
		request.path = watch->source.list;
		watch->ops->fresh(watch);
		watch->stream = api_stream_open(watch->api, &request, &listener);
		return;
	}
	buf_puts(&path, watch->source.watch);
	api_write_escaped(&path, watch->version);
	request.path = buf_text(&path);
	request.accept = watch->source.events ? "text/event-stream" : NULL;
	request.right.verb = "watch";
	watch->stream = api_stream_open(watch->api, &request, &listener);
	buf_release(&path);
}

void
watch_begin(struct watch *watch, const struct watch_ops *ops, struct api *api, const struct watch_source *source)
{
	struct arena *arena = arena_new();

	watch->ops = ops;
	watch->api = api;
	watch->arena = arena;
	watch->source = (struct watch_source){ arena_strdup(arena, source->list), arena_strdup(arena, source->watch), source->events,
		{ arena_strdup(arena, source->right.verb), arena_strdup(arena, source->right.group), arena_strdup(arena, source->right.resource),
		  source->right.namespace_ ? arena_strdup(arena, source->right.namespace_) : NULL }, arena_strdup(arena, source->what) };
	watch->timer = api->http->after(api->http, 0, open_next, watch);
}
