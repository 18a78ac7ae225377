#include "config.h"

#include "runtime/cluster/api_stream.h"

#include <stdlib.h>
#include <string.h>

struct api_stream {
	struct api *api;
	struct arena *arena; /* of the request, and of the failure's answer */
	struct api_request request;
	struct api_stream_listener listener;
	struct http_stream *stream; /* NULL: between two */
	struct http_timer *timer; /* there are no credentials, or the refusal does not end */
	struct http_reply head; /* of a refusal, with its body */
	struct api_failure failure;
	bool renewed; /* the credentials, because of a 401 */
	bool refused, ending;
};

static void open_again(struct api_stream *stream, bool renew);

static const char *
copy(struct arena *arena, const char *text)
{
	return text ? arena_strdup(arena, text) : NULL;
}

static void
free_stream(struct api_stream *stream)
{
	stream->api->http->close(stream->api->http, stream->stream);
	stream->api->http->cancel(stream->api->http, stream->timer);
	http_reply_release(&stream->head);
	arena_free(stream->arena);
	free(stream);
}

static void
tell_end(struct api_stream *stream, enum http_outcome outcome, bool failed)
{
	struct api_stream_end end = { failed ? &stream->failure : NULL, outcome, stream->head.retry_after };

	stream->ending = true;
	stream->listener.ended(stream->listener.context, &end);
	free_stream(stream);
}

static void
tell_refusal(struct api_stream *stream)
{
	if (stream->head.status == 401 && !stream->renewed && api_renewable(stream->api)) {
		open_again(stream, true);
		return;
	}
	api_explain_reply(stream->api, &stream->request, &stream->head, stream->arena, &stream->failure);
	tell_end(stream, HTTP_ANSWERED, true);
}

/* ---- http calls these ---- */

static void
refusal_is_late(void *context)
{
	struct api_stream *stream = context;

	stream->timer = NULL;
	tell_refusal(stream);
}

static void
began(void *context, const struct http_reply *head)
{
	struct api_stream *stream = context;
	struct http *http = stream->api->http;

	http_reply_release(&stream->head);
	stream->head = *head; /* its body is empty */
	stream->head.body = (struct buf){ 0 };
	stream->refused = head->status < 200 || head->status >= 300;
	if (stream->refused)
		stream->timer = http->after(http, API_STREAM_REFUSAL_WAIT, refusal_is_late, stream);
	else if (stream->listener.began)
		stream->listener.began(stream->listener.context, head);
}

static void
came(void *context, const char *bytes, size_t n)
{
	struct api_stream *stream = context;
	size_t room = API_STREAM_REFUSAL_MAX - stream->head.body.len;

	if (!stream->refused) {
		stream->listener.came(stream->listener.context, bytes, n);
		return;
	}
	buf_add(&stream->head.body, bytes, n < room ? n : room);
	if (n >= room)
		tell_refusal(stream);
}

static void
ended(void *context, enum http_outcome outcome, const struct error *err)
{
	struct api_stream *stream = context;

	stream->stream = NULL;
	if (stream->refused) {
		tell_refusal(stream);
	} else if (outcome == HTTP_ANSWERED) {
		tell_end(stream, outcome, false);
	} else {
		api_explain_outcome(stream->api, outcome, err, &stream->failure);
		tell_end(stream, outcome, true);
	}
}

static void
no_credentials(void *context)
{
	struct api_stream *stream = context;

	stream->timer = NULL;
	tell_end(stream, HTTP_ANSWERED, true);
}

/* ---- */

static void
open_again(struct api_stream *stream, bool renew)
{
	struct http_listener listener = { began, came, ended, stream };
	struct http *http = stream->api->http;
	struct http_request request;

	http->close(http, stream->stream);
	http->cancel(http, stream->timer);
	stream->stream = NULL;
	stream->timer = NULL;
	stream->refused = false;
	stream->renewed |= renew;
	if (api_prepare(stream->api, &stream->request, renew, stream->arena, &request, &stream->failure))
		stream->timer = http->after(http, 0, no_credentials, stream);
	else
		stream->stream = http->open(http, &request, &listener);
}

struct api_stream *
api_stream_open(struct api *api, const struct api_request *request, const struct api_stream_listener *listener)
{
	struct api_stream *stream = xcalloc(1, sizeof *stream);
	struct arena *arena = arena_new();

	*stream = (struct api_stream){ .api = api, .arena = arena, .listener = *listener };
	stream->request = (struct api_request){ .method = "GET", .path = arena_strdup(arena, request->path), .accept = copy(arena, request->accept),
		.right = { copy(arena, request->right.verb), copy(arena, request->right.group), copy(arena, request->right.resource),
			   copy(arena, request->right.namespace_) }, .timeout = request->timeout, .repeatable = true };
	open_again(stream, false);
	return stream;
}

void
api_stream_close(struct api_stream *stream)
{
	if (stream && !stream->ending)
		free_stream(stream);
}
