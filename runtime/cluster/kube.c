#include "config.h"

#include "runtime/cluster/kube.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct kube {
	const struct kubeconfig *config;
	struct http *http;
	struct credentials credentials;
};

struct kube *
kube_new(const struct kubeconfig *config, struct http *http, const struct exec_plugin_limits *limits)
{
	struct kube *kube = xcalloc(1, sizeof *kube);

	kube->config = config;
	kube->http = http;
	credentials_init(&kube->credentials, config, limits);
	return kube;
}

void
kube_free(struct kube *kube)
{
	if (!kube)
		return;
	credentials_release(&kube->credentials);
	free(kube);
}

const struct kubeconfig *
kube_config(const struct kube *kube)
{
	return kube->config;
}

/* ---- one try ---- */

static void
fill_request(struct kube *kube, const struct kube_request *request, const char *url, const struct buf *body,
	     struct http_request *ret)
{
	const struct kubeconfig *config = kube->config;

	*ret = (struct http_request){ .method = request->method, .url = url, .headers = config->headers, .n_headers = config->n_headers,
		.authority = config->authority, .server_name = config->server_name, .proxy = config->proxy, .insecure = config->insecure,
		.stop = kube->credentials.limits.stop, .context = kube->credentials.limits.context };
	if (request->body) {
		ret->body = buf_text(body);
		ret->body_len = body->len;
		ret->content_type = request->content_type;
	}
}

static void
forget_reply(struct http_reply *reply, bool secret)
{
	if (secret && reply->body.data)
		explicit_bzero(reply->body.data, reply->body.len);
	http_reply_release(reply);
}

/* ---- tries ---- */

static bool
may_repeat(const struct kube_request *request, enum http_outcome outcome, long status)
{
	if (outcome == HTTP_ANSWERED && status == 429)
		return true;
	if (!request->repeatable)
		return false;
	return outcome == HTTP_CUT || (outcome == HTTP_ANSWERED && (status == 502 || status == 503 || status == 504));
}

/* Milliseconds before the next try. */
static long
wait_of(const struct http_reply *reply, unsigned tries)
{
	long wait = (long)KUBE_WAIT_FIRST << tries, asked = strtol(reply->retry_after, NULL, 10);
	unsigned chance = 0;

	if (asked > 0)
		return asked > KUBE_WAIT_MAX / 1000 ? (long)KUBE_WAIT_MAX : asked * 1000;
	if (getrandom(&chance, sizeof chance, GRND_NONBLOCK) != sizeof chance)
		chance = 0;
	return wait / 2 + (long)(chance % (unsigned)(wait / 2 + 1));
}

static bool
stopped(const struct kube *kube)
{
	const struct exec_plugin_limits *limits = &kube->credentials.limits;

	return limits->stop && limits->stop(limits->context);
}

static void
wait_for_next(struct kube *kube, long milliseconds)
{
	enum { SLICE = 100 };

	for (; milliseconds > 0 && !stopped(kube); milliseconds -= SLICE)
		kube->http->wait(kube->http, milliseconds < SLICE ? milliseconds : (long)SLICE);
}

/* What a call is made of, and what it has come to. */
struct call {
	struct kube *kube;
	const struct kube_request *request;
	const char *url;
	struct buf body;
	bool renewed;
	struct arena *arena;
	struct kube_failure *failure;
};

enum verdict { VERDICT_DONE, VERDICT_FAILED, VERDICT_AGAIN };

static enum verdict
judge(struct call *call, const struct http_reply *reply, const struct value **ret)
{
	struct error ignored;
	const struct value *answer = value_read_json(call->arena, buf_text(&reply->body), reply->body.len, &ignored);

	if (answer && answer->kind != VALUE_DICT)
		answer = NULL;
	if (reply->status == 401 && !call->renewed && credentials_renewable(&call->kube->credentials)) {
		call->renewed = true;
		return VERDICT_AGAIN;
	}
	if (reply->status >= 200 && reply->status < 300 && answer) {
		*ret = answer;
		return VERDICT_DONE;
	}
	kube_explain_status(call->kube->config, call->request, reply, answer, call->failure);
	return VERDICT_FAILED;
}

static enum verdict
attempt(struct call *call, unsigned tries, const struct value **ret)
{
	struct http_reply reply = { 0 };
	struct http_request http;
	enum http_outcome outcome;
	enum verdict verdict;
	struct error err = { "" };

	fill_request(call->kube, call->request, call->url, &call->body, &http);
	if (credentials_fill(&call->kube->credentials, call->renewed, &http, &err)) {
		*call->failure = (struct kube_failure){ .kind = stopped(call->kube) ? KUBE_STOPPED : KUBE_UNKNOWN_USER };
		snprintf(call->failure->what, KUBE_TEXT_MAX, "%s", err.text);
		snprintf(call->failure->help, KUBE_TEXT_MAX, "see whether `kubectl get namespaces` works: it signs in the same way");
		return VERDICT_FAILED;
	}
	outcome = call->kube->http->exchange(call->kube->http, &http, &reply, &err);
	if (outcome == HTTP_ANSWERED) {
		verdict = judge(call, &reply, ret);
	} else {
		kube_explain_outcome(call->kube->config, outcome, &err, call->failure);
		verdict = VERDICT_FAILED;
	}
	if (verdict == VERDICT_FAILED && tries + 1 < KUBE_TRIES && may_repeat(call->request, outcome, reply.status)) {
		wait_for_next(call->kube, wait_of(&reply, tries));
		verdict = stopped(call->kube) ? VERDICT_FAILED : VERDICT_AGAIN;
	}
	forget_reply(&reply, call->request->secret);
	return verdict;
}

const struct value *
kube_call(struct kube *kube, const struct kube_request *request, struct arena *arena, struct kube_failure *ret_failure)
{
	struct call call = { .kube = kube, .request = request, .arena = arena, .failure = ret_failure };
	const struct value *answer = NULL;

	call.url = arena_printf(arena, "%s%s", kube->config->server, request->path);
	if (request->body)
		value_write_json(&call.body, request->body);
	*ret_failure = (struct kube_failure){ .kind = KUBE_TROUBLE };
	/* A renewal of the credentials is one try more. */
	for (unsigned tries = 0; tries < KUBE_TRIES + 1; tries++)
		if (attempt(&call, tries, &answer) != VERDICT_AGAIN)
			break;
	buf_release(&call.body);
	return answer;
}
