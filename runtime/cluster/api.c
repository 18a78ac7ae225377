#include "config.h"

#include "runtime/cluster/api.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* ---- one try ---- */

static bool
stopped(const struct api *api)
{
	return api->stop && api->stop(api->context);
}

static void
forget_reply(struct http_reply *reply, bool secret)
{
	if (secret && reply->body.data)
		explicit_bzero(reply->body.data, reply->body.len);
	http_reply_release(reply);
}

static void
fill_body(const struct api_request *request, struct arena *arena, struct http_request *ret)
{
	struct buf text = { 0 };

	if (request->bytes) {
		ret->body = request->bytes;
		ret->body_len = request->n_bytes;
	} else if (request->body) {
		value_write_json(&text, request->body);
		ret->body = arena_strndup(arena, buf_text(&text), text.len);
		ret->body_len = text.len;
		buf_release(&text);
	}
}

int
api_prepare(struct api *api, const struct api_request *request, bool renew, struct arena *arena, struct http_request *ret,
	    struct api_failure *ret_failure)
{
	struct error err = { "" };

	*ret = (struct http_request){ .method = request->method, .url = arena_printf(arena, "%s%s", api->server, request->path),
		.content_type = request->content_type, .accept = request->accept, .timeout = request->timeout, .max = request->max,
		.stop = api->stop, .context = api->context };
	fill_body(request, arena, ret);
	if (!api->ops->sign(api, renew, ret, &err))
		return 0;
	*ret_failure = (struct api_failure){ .kind = stopped(api) ? API_STOPPED : API_UNKNOWN_USER };
	api_say(ret_failure->what, "%s", err.text);
	api_say(ret_failure->help, "%s", api->words->sign_in);
	return -1;
}

bool
api_renewable(const struct api *api)
{
	return api->ops->renewable(api);
}

bool
api_asks_who(const struct api *api, const struct http_reply *reply)
{
	return api->ops->asks_who ? api->ops->asks_who(api, reply) : reply->status == 401;
}

/* ---- tries ---- */

bool
api_may_repeat(const struct api_request *request, enum http_outcome outcome, long status)
{
	if (outcome == HTTP_ANSWERED && status == 429)
		return true;
	if (!request->repeatable)
		return false;
	return outcome == HTTP_CUT || (outcome == HTTP_ANSWERED && (status == 502 || status == 503 || status == 504));
}

long
api_wait_of(const char *retry_after, unsigned tries)
{
	long wait = (long)API_WAIT_FIRST << (tries < 6 ? tries : 6), asked = strtol(retry_after, NULL, 10);
	unsigned chance = 0;

	if (wait > API_WAIT_MAX)
		wait = API_WAIT_MAX;
	if (asked > 0)
		return asked > API_WAIT_MAX / 1000 ? (long)API_WAIT_MAX : asked * 1000;
	if (getrandom(&chance, sizeof chance, GRND_NONBLOCK) != sizeof chance)
		chance = 0;
	return wait / 2 + (long)(chance % (unsigned)(wait / 2 + 1));
}

static void
wait_for_next(struct api *api, long milliseconds)
{
	enum { SLICE = 100 };

	for (; milliseconds > 0 && !stopped(api); milliseconds -= SLICE)
		api->http->wait(api->http, milliseconds < SLICE ? milliseconds : (long)SLICE);
}

/* What a call is made of, and what it has come to. */
struct call {
	struct api *api;
	const struct api_request *request;
	bool renewed;
	struct arena *arena;
	struct api_failure *failure;
};

enum verdict { VERDICT_DONE, VERDICT_FAILED, VERDICT_AGAIN };

static const struct value *
read_answer(const struct http_reply *reply, struct arena *arena)
{
	struct error ignored;
	const struct value *answer = value_read_json(arena, buf_text(&reply->body), reply->body.len, &ignored);

	return answer && answer->kind == VALUE_DICT ? answer : NULL;
}

void
api_explain_reply(struct api *api, const struct api_request *request, const struct http_reply *reply, struct arena *arena,
		  struct api_failure *ret)
{
	const struct value *answer = read_answer(reply, arena);

	*ret = (struct api_failure){ .kind = API_TROUBLE, .status = reply->status, .answer = answer };
	api->ops->explain(api, request, reply, answer, arena, ret);
}

static enum verdict
judge(struct call *call, const struct http_reply *reply, const struct value **ret)
{
	bool good = reply->status >= 200 && reply->status < 300;

	if (api_asks_who(call->api, reply)) {
		if (!call->renewed && api_renewable(call->api)) {
			call->renewed = true;
			return VERDICT_AGAIN;
		}
		good = false; /* a page to sign in at, perhaps */
	}
	if (good && call->request->raw) {
		buf_add(call->request->raw, buf_text(&reply->body), reply->body.len);
		*ret = &VALUE_OF_NULL;
	} else if (good) {
		*ret = read_answer(reply, call->arena);
	}
	if (*ret)
		return VERDICT_DONE;
	api_explain_reply(call->api, call->request, reply, call->arena, call->failure);
	call->failure->unsure = good; /* it was carried out, and what came of it cannot be read */
	return VERDICT_FAILED;
}

static enum verdict
attempt(struct call *call, unsigned tries, const struct value **ret)
{
	struct api *api = call->api;
	struct http_reply reply = { 0 };
	struct http_request http;
	enum http_outcome outcome;
	enum verdict verdict = VERDICT_FAILED;
	struct error err = { "" };

	if (api_prepare(api, call->request, call->renewed, call->arena, &http, call->failure))
		return VERDICT_FAILED;
	outcome = api->http->exchange(api->http, &http, &reply, &err);
	if (outcome == HTTP_ANSWERED)
		verdict = judge(call, &reply, ret);
	else
		api_explain_outcome(api, outcome, &err, call->failure);
	if (verdict == VERDICT_FAILED && tries + 1 < API_TRIES && api_may_repeat(call->request, outcome, reply.status)) {
		wait_for_next(api, api_wait_of(reply.retry_after, tries));
		verdict = stopped(api) ? VERDICT_FAILED : VERDICT_AGAIN;
	}
	forget_reply(&reply, call->request->secret);
	return verdict;
}

const struct value *
api_call(struct api *api, const struct api_request *request, struct arena *arena, struct api_failure *ret_failure)
{
	struct call call = { .api = api, .request = request, .arena = arena, .failure = ret_failure };
	const struct value *answer = NULL;

	*ret_failure = (struct api_failure){ .kind = API_TROUBLE };
	/* A renewal of the credentials is one try more. */
	for (unsigned tries = 0; tries < API_TRIES + 1; tries++)
		if (attempt(&call, tries, &answer) != VERDICT_AGAIN)
			break;
	return answer;
}

/* ---- paths ---- */

void
api_write_escaped(struct buf *buf, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (; *text; text++) {
		if (strchr(plain, *text))
			buf_putc(buf, *text);
		else
			buf_printf(buf, "%%%02X", (unsigned char)*text);
	}
}

const char *
api_escaped(struct arena *arena, const char *text)
{
	struct buf buf = { 0 };
	const char *ret;

	api_write_escaped(&buf, text);
	ret = arena_strdup(arena, buf_text(&buf));
	buf_release(&buf);
	return ret;
}
