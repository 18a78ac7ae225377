/* Questions that go out together. What cannot be answered so (a refusal that may be taken back, credentials that have ended) is asked
 * once more, by itself, with the tries and waits of every call. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/preflight_private.h"

enum { SLICE = 100 }; /* milliseconds after which the user's wish for an end is asked for */

struct flight_reply {
	struct flight *flight;
	struct api_request request; /* what it points at is the preflight's arena's */
	struct http_stream *stream; /* while it is on the way */
	struct http_reply reply;
	enum http_outcome outcome;
	struct error err;
	bool sent, done, taken;
};

static void
forget_body(struct flight_reply *r)
{
	if (r->request.secret && r->reply.body.data)
		explicit_bzero(r->reply.body.data, r->reply.body.cap);
	http_reply_release(&r->reply);
}

void
flight_forget(struct flight *flight)
{
	for (size_t i = 0; i < flight->replies.n; i++) {
		struct flight_reply *r = flight->replies.items[i];

		if (r->stream)
			kube_api(flight->kube)->http->close(kube_api(flight->kube)->http, r->stream);
		forget_body(r);
		free(r);
	}
	vec_release(&flight->replies);
}

static struct flight_reply *
find(struct flight *flight, const struct api_request *request)
{
	for (size_t i = 0; i < flight->replies.n; i++) {
		struct flight_reply *r = flight->replies.items[i];

		if (!r->taken && !strcmp(r->request.method, request->method) && !strcmp(r->request.path, request->path))
			return r;
	}
	return NULL;
}

void
flight_foresee(struct flight *flight, const struct api_request *request)
{
	struct flight_reply *r;

	if (find(flight, request))
		return;
	r = xcalloc(1, sizeof *r);
	r->flight = flight;
	r->request = *request;
	vec_push(&flight->replies, r);
}

/* ---- on the way ---- */

static void
began(void *context, const struct http_reply *head)
{
	struct flight_reply *r = context;
	struct buf body = r->reply.body;

	r->reply = *head;
	r->reply.body = body;
}

static void
came(void *context, const char *bytes, size_t n)
{
	struct flight_reply *r = context;
	struct http *http = kube_api(r->flight->kube)->http;

	buf_add(&r->reply.body, bytes, n);
	if (r->reply.body.len <= HTTP_REPLY_MAX)
		return;
	http->close(http, r->stream);
	r->stream = NULL;
	r->outcome = HTTP_TOO_LARGE;
	error_set(&r->err, "it has more than %d bytes", (int)HTTP_REPLY_MAX);
	r->done = true;
}

static void
ended(void *context, enum http_outcome outcome, const struct error *err)
{
	struct flight_reply *r = context;

	r->stream = NULL;
	r->outcome = outcome;
	if (err)
		r->err = *err;
	r->done = true;
}

static void
send_one(struct flight_reply *r)
{
	struct api *api = kube_api(r->flight->kube);
	const struct http_listener listener = { began, came, ended, r };
	struct http_request http;
	struct api_failure *ignored = xcalloc(1, sizeof *ignored);

	r->sent = true;
	/* Without credentials it is asked by itself, which says why. */
	if (api_prepare(api, &r->request, false, r->flight->arena, &http, ignored)) {
		r->taken = r->done = true;
	} else {
		http.timeout = HTTP_EXCHANGE_TIMEOUT;
		r->stream = api->http->open(api->http, &http, &listener);
	}
	free(ignored);
}

/* Sends as many as may be on the way; returns how many are. */
static size_t
keep_on_the_way(struct flight *flight)
{
	size_t on_the_way = 0;

	for (size_t i = 0; i < flight->replies.n; i++)
		on_the_way += flight->replies.items[i]->stream != NULL;
	for (size_t i = 0; i < flight->replies.n && on_the_way < PREFLIGHT_AT_ONCE; i++)
		if (!flight->replies.items[i]->sent) {
			send_one(flight->replies.items[i]);
			on_the_way += flight->replies.items[i]->stream != NULL;
		}
	return on_the_way;
}

void
flight_send(struct flight *flight)
{
	struct api *api = kube_api(flight->kube);

	while (keep_on_the_way(flight)) {
		if (api->stop && api->stop(api->context))
			break; /* whoever asks next is told */
		api->http->poll(api->http, -1, SLICE);
	}
}

/* ---- the answers ---- */

static bool
is_final(const struct flight_reply *r)
{
	const struct api *api = kube_api(r->flight->kube);

	if (api_may_repeat(&r->request, r->outcome, r->reply.status))
		return false;
	return r->outcome != HTTP_ANSWERED || r->reply.status != 401 || !api_renewable(api);
}

const struct value *
flight_call(struct flight *flight, const struct api_request *request, struct arena *arena, struct api_failure *ret_failure)
{
	struct flight_reply *r = find(flight, request);
	struct api *api = kube_api(flight->kube);
	const struct value *answer = NULL;
	struct error ignored;

	if (!r || !r->done || !is_final(r))
		return kube_call(flight->kube, request, arena, ret_failure);
	r->taken = true;
	if (r->outcome != HTTP_ANSWERED) {
		api_explain_outcome(api, r->outcome, &r->err, ret_failure);
	} else {
		if (r->reply.status >= 200 && r->reply.status < 300)
			answer = value_read_json(arena, buf_text(&r->reply.body), r->reply.body.len, &ignored);
		if (answer && answer->kind != VALUE_DICT)
			answer = NULL;
		if (!answer)
			api_explain_reply(api, request, &r->reply, arena, ret_failure);
	}
	forget_body(r);
	return answer;
}
