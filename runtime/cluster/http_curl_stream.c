/* The streams of the http seam: what libcurl hands over is held until it can be told. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/http_curl_private.h"

enum {
	HELD_MAX = 1024 * 1024, /* bytes; then the server must wait until they are told */
	PEER_SILENT = 30, /* seconds before the first sign of life is asked of the machine at the other end */
	PEER_EVERY = 15, /* seconds between two of them */
};

struct http_stream {
	struct http_curl_request request; /* first: CURLOPT_PRIVATE points at it */
	struct http_listener listener;
	struct http_reply head; /* its body is never filled */
	struct buf held, telling; /* what came; what is just being told */
	char *body; /* of the request */
	long timeout; /* milliseconds; 0: none */
	int64_t heard; /* ticks, of the last byte or of the beginning */
	bool headed; /* all headers are there */
	bool began; /* and were told */
	bool paused, late, closed;
	enum http_outcome outcome; /* HTTP_NO_LIBRARY: it was not begun at all */
	struct error err;
};

/* ---- libcurl calls these ---- */

static size_t
hold_body(char *bytes, size_t size, size_t count, void *context)
{
	struct http_stream *stream = context;
	size_t len = size * count;

	stream->heard = http_curl_ticks();
	if (stream->held.len && stream->held.len + len > HELD_MAX) {
		stream->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	buf_add(&stream->held, bytes, len);
	return len;
}

static size_t
hold_header(char *bytes, size_t size, size_t count, void *context)
{
	struct http_stream *stream = context;
	size_t len = size * count;

	stream->heard = http_curl_ticks();
	if (stream->headed)
		return len; /* a trailer */
	http_reply_header(&stream->head, bytes, len);
	if (len && *bytes != '\r' && *bytes != '\n')
		return len;
	stream->request.curl->getinfo(stream->request.handle, CURLINFO_RESPONSE_CODE, &stream->head.status);
	stream->headed = stream->head.status >= 200;
	if (!stream->headed)
		stream->head = (struct http_reply){ 0 }; /* "100 Continue" and the like */
	return len;
}

/* ---- open, close ---- */

static void
begin(struct http_stream *stream, struct http_curl *owner, const struct http_request *request)
{
	struct http_curl_request *r = &stream->request;

	http_curl_request_begin(r, &owner->curl, request);
	http_curl_must(r, CURLOPT_WRITEFUNCTION, hold_body);
	http_curl_must(r, CURLOPT_WRITEDATA, stream);
	http_curl_must(r, CURLOPT_HEADERFUNCTION, hold_header);
	http_curl_must(r, CURLOPT_HEADERDATA, stream);
	http_curl_must(r, CURLOPT_TCP_KEEPALIVE, 1L);
	http_curl_must(r, CURLOPT_TCP_KEEPIDLE, (long)PEER_SILENT);
	http_curl_must(r, CURLOPT_TCP_KEEPINTVL, (long)PEER_EVERY);
	stream->outcome = http_curl_request_add(r, owner, &stream->err);
}

struct http_stream *
http_curl_open(struct http *http, const struct http_request *request, const struct http_listener *listener)
{
	struct http_curl *owner = (struct http_curl *)http;
	struct http_stream *stream = xcalloc(1, sizeof *stream);
	struct http_request copy = *request;

	stream->listener = *listener;
	stream->timeout = request->timeout;
	stream->heard = http_curl_ticks();
	if (request->body)
		copy.body = stream->body = xstrndup(request->body, request->body_len);
	if (http_curl_ready(owner, &stream->err))
		stream->outcome = HTTP_NO_LIBRARY;
	else
		begin(stream, owner, &copy);
	vec_push(&owner->streams, stream);
	return stream;
}

static void
free_stream(struct http_stream *stream)
{
	http_reply_release(&stream->head);
	buf_release(&stream->held);
	buf_release(&stream->telling);
	free(stream->body);
	free(stream);
}

/* Frees those that were closed. */
static void
sweep(struct http_curl *owner)
{
	size_t kept = 0;

	for (size_t i = 0; i < owner->streams.n; i++) {
		struct http_stream *stream = owner->streams.items[i];

		if (stream->closed)
			free_stream(stream);
		else
			owner->streams.items[kept++] = stream;
	}
	owner->streams.n = kept;
}

void
http_curl_close(struct http *http, struct http_stream *stream)
{
	struct http_curl *owner = (struct http_curl *)http;

	if (!stream || stream->closed)
		return;
	stream->closed = true;
	http_curl_request_end(&stream->request, owner);
	if (!owner->telling)
		sweep(owner);
}

void
http_curl_close_all(struct http_curl *owner)
{
	for (size_t i = 0; i < owner->streams.n; i++) {
		owner->streams.items[i]->closed = true;
		http_curl_request_end(&owner->streams.items[i]->request, owner);
	}
	sweep(owner);
	vec_release(&owner->streams);
}

/* ---- telling ---- */

static bool
has_news(const struct http_stream *stream)
{
	return stream->outcome != HTTP_ANSWERED || stream->request.done || stream->late || stream->held.len || (stream->headed && !stream->began);
}

long
http_curl_streams_wait(const struct http_curl *owner)
{
	int64_t now = http_curl_ticks(), ret = -1;

	for (size_t i = 0; i < owner->streams.n; i++) {
		const struct http_stream *stream = owner->streams.items[i];
		int64_t left = stream->heard + stream->timeout - now;

		if (has_news(stream))
			return 0;
		if (stream->timeout && (ret < 0 || left < ret))
			ret = left > 0 ? left + 1 : 0;
	}
	return (long)ret;
}

static void
tell_end(struct http_curl *owner, struct http_stream *stream)
{
	enum http_outcome outcome = stream->outcome;

	if (outcome == HTTP_ANSWERED && stream->late) {
		error_set(&stream->err, "nothing came for %ld milliseconds", stream->timeout);
		outcome = HTTP_LATE;
		stream->request.curl->setopt(stream->request.handle, CURLOPT_FORBID_REUSE, 1L); /* it may lead nowhere any more */
	} else if (outcome == HTTP_ANSWERED) {
		outcome = http_curl_request_outcome(&stream->request, &stream->err);
	}
	stream->listener.ended(stream->listener.context, outcome, &stream->err);
	http_curl_close(&owner->http, stream);
}

/* The body in one piece; `came` may hold exchanges, in which more comes. */
static void
tell_body(struct http_stream *stream)
{
	struct buf swap = stream->telling;

	stream->telling = stream->held;
	stream->held = swap;
	stream->listener.came(stream->listener.context, stream->telling.data, stream->telling.len);
	buf_clear(&stream->telling);
}

static void
tell(struct http_curl *owner, struct http_stream *stream)
{
	/* What is said of the end must be what was known before the listener was called: there may be more to tell first. */
	bool done = stream->outcome != HTTP_ANSWERED || stream->request.done || stream->late;

	if (stream->headed && !stream->began) {
		stream->began = true;
		if (stream->listener.began)
			stream->listener.began(stream->listener.context, &stream->head);
	}
	while (!stream->closed && stream->held.len)
		tell_body(stream);
	if (!stream->closed && done)
		tell_end(owner, stream);
	if (!stream->closed && stream->paused) {
		stream->paused = false;
		owner->curl.pause(stream->request.handle, CURLPAUSE_CONT); /* hands over what it kept, within this call or later */
	}
}

void
http_curl_tell(struct http_curl *owner)
{
	int64_t now = http_curl_ticks();

	owner->telling++;
	for (size_t i = 0; i < owner->streams.n; i++) {
		struct http_stream *stream = owner->streams.items[i];

		if (stream->timeout && now - stream->heard >= stream->timeout && !has_news(stream) && !stream->paused)
			stream->late = true;
		if (!stream->closed && has_news(stream))
			tell(owner, stream);
	}
	if (!--owner->telling)
		sweep(owner);
}
