/* The http seam over libcurl: the owner, and its exchanges. */
#include "config.h"

#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "runtime/cluster/http_curl_private.h"

enum { STOP_EVERY = 100 }; /* milliseconds between two questions whether to stop */

int
http_curl_ready(struct http_curl *owner, struct error *err)
{
	if (owner->multi)
		return 0;
	if (curl_library_open(&owner->curl, err))
		return -1;
	owner->multi = owner->curl.multi_init();
	if (!owner->multi)
		BUG("no memory for libcurl");
	return 0;
}

void
http_curl_carry(struct http_curl *owner)
{
	int n;
	CURLMsg *message;

	owner->curl.multi_perform(owner->multi, &n);
	while ((message = owner->curl.multi_info_read(owner->multi, &n))) {
		struct http_curl_request *r = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		owner->curl.getinfo(message->easy_handle, CURLINFO_PRIVATE, &r);
		r->code = message->data.result; /* before the handle goes, and the message with it */
		r->done = true;
		owner->curl.multi_remove(owner->multi, r->handle);
		r->added = false;
	}
}

/* ---- exchanges ---- */

struct exchange {
	struct http_curl_request request; /* first: CURLOPT_PRIVATE points at it */
	struct http_reply *reply;
	struct buf *lines; /* all of the header, or NULL */
	size_t max;
	bool too_large;
};

static size_t
take_body(char *bytes, size_t size, size_t count, void *context)
{
	struct exchange *x = context;
	size_t len = size * count;

	if (len > x->max - x->reply->body.len) {
		x->too_large = true;
		return 0;
	}
	buf_add(&x->reply->body, bytes, len);
	return len;
}

static size_t
take_header(char *bytes, size_t size, size_t count, void *context)
{
	struct exchange *x = context;

	http_reply_header(x->reply, bytes, size * count);
	if (x->lines)
		buf_add(x->lines, bytes, size * count);
	return size * count;
}

/* False when the user stopped it. */
static bool
wait_for_end(struct http_curl *owner, struct exchange *x, const struct http_request *request)
{
	for (;;) {
		http_curl_carry(owner);
		if (x->request.done)
			return true;
		if (request->stop && request->stop(request->context))
			return false;
		owner->curl.multi_poll(owner->multi, NULL, 0, STOP_EVERY, NULL);
	}
}

static enum http_outcome
perform(struct http_curl *owner, struct exchange *x, const struct http_request *request, struct error *err)
{
	struct http_curl_request *r = &x->request;
	enum http_outcome outcome;

	http_curl_must(r, CURLOPT_TIMEOUT_MS, request->timeout ? request->timeout : (long)HTTP_EXCHANGE_TIMEOUT);
	http_curl_must(r, CURLOPT_WRITEFUNCTION, take_body);
	http_curl_must(r, CURLOPT_WRITEDATA, x);
	http_curl_must(r, CURLOPT_HEADERFUNCTION, take_header);
	http_curl_must(r, CURLOPT_HEADERDATA, x);
	outcome = http_curl_request_add(r, owner, err);
	if (outcome != HTTP_ANSWERED)
		return outcome;
	if (!wait_for_end(owner, x, request)) {
		error_set(err, "it was interrupted");
		return HTTP_STOPPED_BY_USER;
	}
	if (x->too_large) {
		error_set(err, "the answer is longer than %zu bytes", x->max);
		return HTTP_TOO_LARGE;
	}
	outcome = http_curl_request_outcome(r, err);
	if (outcome == HTTP_LATE)
		http_curl_distrust(owner, r);
	if (outcome == HTTP_ANSWERED)
		owner->curl.getinfo(r->handle, CURLINFO_RESPONSE_CODE, &x->reply->status);
	return outcome;
}

static enum http_outcome
http_curl_exchange(struct http *http, const struct http_request *request, struct http_reply *ret, struct error *err)
{
	struct http_curl *owner = (struct http_curl *)http;
	struct exchange x = { .reply = ret, .lines = request->ret_headers,
		.max = request->max ? request->max : (size_t)HTTP_REPLY_MAX };
	enum http_outcome outcome;

	if (http_curl_ready(owner, err))
		return HTTP_NO_LIBRARY;
	http_curl_request_begin(&x.request, &owner->curl, request);
	outcome = perform(owner, &x, request, err);
	http_curl_request_end(&x.request, owner);
	return outcome;
}

/* ---- the rest ---- */

static void
http_curl_wait(struct http *http, long milliseconds)
{
	struct timespec time = { milliseconds / 1000, milliseconds % 1000 * 1000000 };

	(void)http;
	nanosleep(&time, NULL); /* cut short by a signal is fine */
}

static int64_t
http_curl_now(struct http *http)
{
	struct timespec time;

	(void)http;
	clock_gettime(CLOCK_REALTIME, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* The shorter of two times, either of which may be endless (-1). */
static long
shorter(long a, long b)
{
	if (a < 0 || b < 0)
		return a < 0 ? b : a;
	return a < b ? a : b;
}

static int
to_int(long wait)
{
	return wait > 3600 * 1000 ? 3600 * 1000 : (int)wait;
}

static void
http_curl_poll(struct http *http, int wake, long timeout)
{
	struct http_curl *owner = (struct http_curl *)http;
	long wait = shorter(timeout, shorter(http_curl_streams_wait(owner), http_curl_timers_wait(owner)));
	struct curl_waitfd extra = { .fd = wake, .events = CURL_WAIT_POLLIN };
	struct pollfd plain = { .fd = wake, .events = POLLIN };

	if (owner->telling)
		BUG("a listener polls");
	if (!owner->streams.n && !owner->timers.n && wake < 0)
		return;
	if (!owner->streams.n || !owner->multi)
		poll(&plain, 1, wait < 0 ? -1 : to_int(wait));
	else if (wait)
		owner->curl.multi_poll(owner->multi, &extra, wake < 0 ? 0 : 1, wait < 0 ? 3600 * 1000 : to_int(wait), NULL);
	if (owner->multi)
		http_curl_carry(owner);
	http_curl_tell(owner);
	http_curl_ring(owner);
}

static void
http_curl_free(struct http *http)
{
	struct http_curl *owner = (struct http_curl *)http;

	http_curl_cancel_all(owner);
	http_curl_close_all(owner);
	if (owner->multi) {
		owner->curl.multi_cleanup(owner->multi);
		curl_library_close(&owner->curl);
	}
	free(owner);
}

struct http *
http_curl_new(void)
{
	struct http_curl *owner = xcalloc(1, sizeof *owner);

	owner->http = (struct http){ .exchange = http_curl_exchange, .wait = http_curl_wait, .open = http_curl_open, .close = http_curl_close,
		.after = http_curl_after, .cancel = http_curl_cancel, .poll = http_curl_poll, .now = http_curl_now, .free = http_curl_free };
	return &owner->http;
}
