/* Logs: the server gives a log as far as it is, from the pod or from its archive, and does not follow. So it is asked for again until
 * the container has ended: the executor writes a line then, and a watch of the run knows of it, too. Errors come with status 200,
 * for the head has gone before. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/door_kfp_private.h"

enum {
	SOON = 2000, LATE = 5000, /* milliseconds between an answer and the next question */
	FAILURES_MAX = 5, /* in a row, of a log that is followed */
	TAIL = 400, /* bytes of the end that are kept in mind, for the executor's line */
	ERROR_BODY_MAX = 64 * 1024,
};

static const char error_mark[] = "{\"error_message\":"; /* what an error in place of a log begins with */
static const char end_mark[] = "msg=\"sub-process exited\" argo=true";

struct door_log {
	struct door_kfp *door;
	struct door_log_listener listener;
	char *run, *node, *pod;
	bool follow;
	struct http_stream *stream;
	struct http_timer *timer;
	size_t told; /* bytes that the listener has */
	long wait;
	unsigned failures, telling;
	bool dead, renew, renewed;
	/* of the answer that comes in */
	struct http_reply reply;
	size_t at; /* bytes of it so far */
	bool is_error, more; /* more: something new was in it */
	bool last; /* the container had ended before it was asked for */
	char tail[TAIL + 1];
	size_t n_tail;
};

static void ask(void *context);

static void
destroy(struct door_log *log)
{
	http_reply_release(&log->reply);
	free(log->run);
	free(log->node);
	free(log->pod);
	free(log);
}

static bool
told(struct door_log *log)
{
	log->telling--;
	if (!log->dead)
		return true;
	if (!log->telling)
		destroy(log);
	return false;
}

static void
finish(struct door_log *log, const struct api_failure *failure)
{
	log->telling++;
	log->listener.ended(log->listener.context, failure);
	told(log);
}

static void
ask_again(struct door_log *log, long wait)
{
	struct http *http = log->door->door.http;

	log->timer = http->after(http, wait, ask, log);
}

/* ---- an answer ---- */

static void
began(void *context, const struct http_reply *head)
{
	struct door_log *log = context;

	http_reply_release(&log->reply);
	log->reply = *head;
	log->reply.body = (struct buf){ .max = ERROR_BODY_MAX };
	log->at = log->n_tail = 0;
	log->is_error = head->status != 200;
	log->more = false;
}

static void
keep_tail(struct door_log *log, const char *bytes, size_t n)
{
	if (n >= TAIL) {
		bytes += n - TAIL;
		n = TAIL;
	}
	if (log->n_tail + n > TAIL) {
		size_t gone = log->n_tail + n - TAIL;

		memmove(log->tail, log->tail + gone, log->n_tail - gone);
		log->n_tail -= gone;
	}
	memcpy(log->tail + log->n_tail, bytes, n);
	log->n_tail += n;
	log->tail[log->n_tail] = '\0';
}

/* What the listener has not yet. It may end the log: then false. */
static bool
hand_on(struct door_log *log, const char *bytes, size_t n)
{
	size_t skip = log->at < log->told ? log->told - log->at : 0;

	keep_tail(log, bytes, n);
	log->at += n;
	if (skip >= n)
		return true;
	log->told += n - skip;
	log->more = true;
	log->telling++;
	log->listener.came(log->listener.context, bytes + skip, n - skip);
	return told(log);
}

/* The first bytes are held back until it is clear whether they are an error. */
static void
came(void *context, const char *bytes, size_t n)
{
	struct door_log *log = context;
	struct buf *held = &log->reply.body;
	size_t len = sizeof error_mark - 1, compared;

	if (log->is_error || !log->at)
		buf_add(held, bytes, n);
	if (log->is_error || api_asks_who(kfp_api(log->door->kfp), &log->reply))
		return;
	if (log->at) {
		hand_on(log, bytes, n);
		return;
	}
	compared = held->len < len ? held->len : len;
	if (held->len && !memcmp(buf_text(held), error_mark, compared)) {
		log->is_error = compared == len;
		return;
	}
	if (held->len) {
		struct buf first = *held;

		log->reply.body = (struct buf){ .max = ERROR_BODY_MAX };
		hand_on(log, buf_text(&first), first.len);
		buf_release(&first);
	}
}

/* ---- what comes of it ---- */

static void
fail(struct door_log *log, const struct api_failure *failure)
{
	long wait = SOON << (log->failures < 3 ? log->failures : 3);
	bool passing = failure->kind == API_UNREACHABLE || failure->kind == API_TROUBLE;

	log->failures++;
	/* the pod of a node that has not ended may only begin */
	if (log->follow && !log->last && (passing || failure->kind == API_REFUSED) && (log->failures < FAILURES_MAX || !passing))
		ask_again(log, wait);
	else
		finish(log, failure);
}

static void
fail_by_answer(struct door_log *log)
{
	struct api *api = kfp_api(log->door->kfp);
	const struct api_request request = { .method = "GET", .repeatable = true };
	struct arena *arena = arena_new();
	struct api_failure failure;

	if (log->reply.status == 200) {
		const struct value *answer = value_read_json(arena, buf_text(&log->reply.body), log->reply.body.len, NULL);
		const char *said = value_text(value_get(answer, "error_message"));

		api_refuse(&failure, API_REFUSED, "Kubeflow Pipelines has no log of the pod `%s`%s%s", log->pod, said ? ": " : "",
			said ? api_plain(arena, said, 400) : "");
		api_say(failure.help, "a pod that is gone has one only where Kubeflow keeps logs (`archiveLogs`)");
	} else {
		api_explain_reply(api, &request, &log->reply, arena, &failure);
		failure.answer = NULL;
	}
	fail(log, &failure);
	arena_free(arena);
}

static void
take_over(struct door_log *log)
{
	bool last = log->last || strstr(log->tail, end_mark);

	/* a log that is shorter than what an error begins with, and alike so far */
	if (log->reply.body.len && !log->at) {
		struct buf first = log->reply.body;
		bool there;

		log->reply.body = (struct buf){ 0 };
		there = hand_on(log, buf_text(&first), first.len);
		buf_release(&first);
		if (!there)
			return;
	}
	log->failures = 0;
	log->renewed = false;
	if (!log->follow || last) {
		finish(log, NULL);
		return;
	}
	log->wait = log->more ? SOON : log->wait * 5 / 4 < LATE ? log->wait * 5 / 4 : (long)LATE;
	ask_again(log, log->wait);
}

static void
ended(void *context, enum http_outcome outcome, const struct error *err)
{
	struct door_log *log = context;
	struct api *api = kfp_api(log->door->kfp);
	struct api_failure failure;

	log->stream = NULL;
	if (outcome != HTTP_ANSWERED) {
		api_explain_outcome(api, outcome, err, &failure);
		fail(log, &failure);
	} else if (api_asks_who(api, &log->reply) && !log->renewed && api_renewable(api)) {
		log->renew = log->renewed = true;
		ask_again(log, 0);
	} else if (log->is_error || api_asks_who(api, &log->reply)) {
		fail_by_answer(log);
	} else {
		take_over(log);
	}
}

static void
ask(void *context)
{
	static const struct http_reply nothing = { .status = 200 };
	struct door_log *log = context;
	const struct http_listener listener = { began, came, ended, log };
	struct arena *arena = arena_new();
	const struct api_request request = { .method = "GET", .repeatable = true, .accept = "text/plain",
		.path = arena_printf(arena, "/apis/v1alpha1/runs/%s/nodes/%s/log", api_escaped(arena, log->run), api_escaped(arena, log->pod)) };
	struct http *http = log->door->door.http;
	struct http_request asked;
	struct api_failure failure;

	log->timer = NULL;
	log->last = door_kfp_node_ended(log->door, log->run, log->node);
	began(log, &nothing);
	if (api_prepare(kfp_api(log->door->kfp), &request, log->renew, arena, &asked, &failure)) {
		fail(log, &failure);
	} else {
		log->renew = false;
		log->stream = http->open(http, &asked, &listener);
	}
	arena_free(arena);
}

/* It has no pod, or another container: nothing can be asked. */
static void
refuse(void *context)
{
	struct door_log *log = context;
	struct api_failure failure;

	log->timer = NULL;
	api_refuse(&failure, API_REFUSED, log->pod ? "Kubeflow Pipelines gives the logs of the container `main` only" :
		"the pod of the step is not known");
	finish(log, &failure);
}

struct door_log *
door_kfp_log(struct door *base, const struct door_log_request *request, const struct door_log_listener *listener)
{
	struct door_log *log = xcalloc(1, sizeof *log);
	bool good = request->pod && (!request->container || !strcmp(request->container, "main"));

	log->door = (struct door_kfp *)base;
	log->listener = *listener;
	log->run = xstrdup(request->run.id);
	log->node = xstrdup(request->node);
	log->pod = request->pod ? xstrdup(request->pod) : NULL;
	log->follow = request->follow;
	log->told = request->have;
	log->wait = SOON;
	log->timer = base->http->after(base->http, 0, good ? ask : refuse, log);
	return log;
}

void
door_kfp_unlog(struct door *base, struct door_log *log)
{
	if (!log)
		return;
	base->http->close(base->http, log->stream);
	base->http->cancel(base->http, log->timer);
	log->stream = NULL;
	log->timer = NULL;
	if (log->telling)
		log->dead = true;
	else
		destroy(log);
}
