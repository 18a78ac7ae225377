/* The log of a pod, followed: taken up again where it was cut, each line once; when the pod is gone, the copy that Argo's executor
 * has put into the artifact repository, if it was told to.
 *
 * Every connection asks for times. After a cut the log is asked for from the second before the last line's, and as many lines as
 * have come since then are left out: the kubelet gives the lines of a file in its order, so these are the same ones. A stream that
 * ended well is taken up once more, for kubelets also end one when they rotate the file: only when nothing came of that is the log
 * whole. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/door_kube_private.h"
#include "runtime/cluster/executor_line.h"
#include "runtime/cluster/moment.h"

enum {
	LINE_MAX = 1024 * 1024, /* a longer one is passed on in pieces */
	REFUSAL_MAX = 64 * 1024, /* bytes that are read of an answer that is no log */
	NOT_YET_WAIT = 500, /* milliseconds until a container that is being made is asked for again */
	TRIES_MAX = 4, /* of a log that is not followed, without a byte */
	ARCHIVED_MAX = 64 * 1024 * 1024,
	QUIET = 15 * 60 * 1000, /* milliseconds without a byte after which a followed log is asked for anew */
};

#define SECOND INT64_C(1000000000)

struct door_log {
	struct door *door;
	struct door_log_listener listener;
	struct arena *arena; /* of the request */
	struct door_log_request request;
	struct http_stream *stream;
	struct http_timer *timer;
	struct http_reply head;
	struct buf line; /* the beginning of one */
	struct buf out;
	bool in_line; /* a piece of a long line was passed on */
	bool long_shown; /* that line is not one that is left out */
	int64_t since; /* nanoseconds: not after it is what the caller has; -1: none */
	/* What has come: the last time, the second that it lies in, lines of that and of the one before. */
	int64_t last, second;
	size_t here, before;
	size_t skip; /* lines that this connection will give once more */
	bool again; /* the last one ended well */
	bool news; /* this one gave a line */
	bool exited; /* the executor has said that the program has ended */
	bool gone; /* the kubelet has no such file */
	bool renewed;
	unsigned tries;
	size_t passed; /* bytes of text */
};

static void begin(void *context);

/* ---- the end ---- */

static void
finish(struct door_log *log, const struct api_failure *failure)
{
	struct door_log_listener listener = log->listener;

	door_kube_unlog(log->door, log);
	listener.ended(listener.context, failure);
}

static void
again_in(struct door_log *log, long milliseconds)
{
	log->timer = log->door->http->after(log->door->http, milliseconds, begin, log);
}

/* ---- lines ---- */

/* What the executor says as it ends, after that, when the program failed. */
static bool
is_last_word(const char *text, size_t len)
{
	static const char word[] = "Error: exit status ";

	return len > strlen(word) && !memcmp(text, word, strlen(word));
}

/* The kubelet answers 200 and puts such a sentence where the log should be. */
static bool
says_gone(const char *text, size_t len)
{
	static const char *const sentences[] = { "unable to retrieve container logs for ", "failed to try resolving symlinks in path " };

	for (size_t i = 0; i < ARRAY_LEN(sentences); i++)
		if (len >= strlen(sentences[i]) && !memcmp(text, sentences[i], strlen(sentences[i])))
			return true;
	return false;
}

static void
count_line(struct door_log *log, int64_t time)
{
	int64_t second = time / SECOND;

	if (second > log->second) {
		log->before = second == log->second + 1 ? log->here : 0;
		log->here = 0;
		log->second = second;
	}
	if (second == log->second)
		log->here++;
	else if (second == log->second - 1)
		log->before++;
	if (time > log->last)
		log->last = time;
}

static bool
is_old(struct door_log *log, int64_t time)
{
	/* A file that was rotated in between gives fewer lines once more than were counted. */
	if (log->skip && time <= log->last) {
		log->skip--;
		return true;
	}
	log->skip = 0;
	return false;
}

static void
pass(struct door_log *log, const char *text, size_t len)
{
	buf_add(&log->out, text, len);
	log->passed += len;
}

static void
take_line(struct door_log *log, const char *text, size_t len, bool whole)
{
	int64_t time = 0;
	size_t taken = moment_read(text, len, &time), from, shown;
	bool old;

	if (!taken && says_gone(text, len)) {
		log->gone = true;
		return;
	}
	old = taken && is_old(log, time);
	log->long_shown = !old && (!taken || time > log->since);
	if (old)
		return;
	if (taken)
		count_line(log, time);
	log->news = true;
	if (!log->long_shown)
		return;
	from = taken < len && taken ? taken + 1 : taken; /* behind the blank */
	if (executor_line_find(text + from, len - from, &shown) == EXECUTOR_EXITED)
		log->exited = true;
	if ((!shown && from < len) || (log->exited && is_last_word(text + from, len - from)))
		return;
	if (taken && log->request.timestamps) {
		buf_add(&log->out, text, taken);
		buf_putc(&log->out, ' ');
	}
	pass(log, text + from, shown);
	if (whole && shown == len - from)
		pass(log, "\n", 1);
}

/* What follows in a line whose beginning was too long. */
static void
take_rest(struct door_log *log, const char *bytes, size_t n, bool whole)
{
	if (log->long_shown) {
		pass(log, bytes, n);
		if (whole)
			pass(log, "\n", 1);
	}
	log->in_line = !whole;
}

static void
take_bytes(struct door_log *log, const char *bytes, size_t n)
{
	while (n) {
		const char *end = memchr(bytes, '\n', n);
		size_t len = end ? (size_t)(end - bytes) : n;

		if (log->in_line) {
			take_rest(log, bytes, len, end);
		} else if (end && !log->line.len) {
			take_line(log, bytes, len, true);
		} else {
			buf_add(&log->line, bytes, len);
			if (end || log->line.len > LINE_MAX) {
				take_line(log, log->line.data, log->line.len, end);
				log->in_line = !end;
				buf_clear(&log->line);
			}
		}
		len += end != NULL;
		bytes += len;
		n -= len;
	}
}

/* ---- the copy in the artifact repository ---- */

static void
take_archived(void *context)
{
	struct door_log *log = context;
	struct api_failure *failure = xcalloc(1, sizeof(*failure));
	struct buf text = { 0 };
	size_t have = log->request.have + log->passed;

	log->timer = NULL;
	if (!door_kube_artifact(log->door, &log->request.run, log->request.node, "main-logs", ARCHIVED_MAX, &text, failure)) {
		if (text.len > have)
			log->listener.came(log->listener.context, text.data + have, text.len - have);
		finish(log, NULL);
	} else {
		if (failure->kind == API_NOT_FOUND) {
			api_refuse(failure, API_NOT_FOUND, "the pod is gone, and its log with it");
			api_say(failure->help, "with `archiveLogs: true` in its artifact repository the cluster keeps a copy of each log");
		}
		finish(log, failure);
	}
	buf_release(&text);
	free(failure);
}

/* ---- the stream ---- */

static void
began(void *context, const struct http_reply *head)
{
	struct door_log *log = context;

	log->head.status = head->status;
	memcpy(log->head.content_type, head->content_type, sizeof(head->content_type));
	memcpy(log->head.retry_after, head->retry_after, sizeof(head->retry_after));
}

static void
came(void *context, const char *bytes, size_t n)
{
	struct door_log *log = context;

	if (log->head.status != 200) {
		if (log->head.body.len < REFUSAL_MAX)
			buf_add(&log->head.body, bytes, n);
		return;
	}
	log->tries = 0;
	take_bytes(log, bytes, n);
	if (log->out.len)
		log->listener.came(log->listener.context, log->out.data, log->out.len);
	buf_clear(&log->out);
}

static void
ended_well(struct door_log *log)
{
	bool first = !log->again;

	if (log->line.len && !log->in_line)
		take_line(log, log->line.data, log->line.len, false);
	buf_clear(&log->line);
	log->in_line = false;
	if (log->out.len)
		log->listener.came(log->listener.context, log->out.data, log->out.len);
	buf_clear(&log->out);
	if (log->gone) {
		log->timer = log->door->http->after(log->door->http, 0, take_archived, log);
		return;
	}
	log->again = true;
	if (log->request.follow && (first || log->news))
		again_in(log, first ? 0 : NOT_YET_WAIT);
	else
		finish(log, NULL);
}

/* Up to eight seconds. */
static unsigned
wait_step(const struct door_log *log)
{
	return log->tries < 5 ? log->tries : 5;
}

/* An answer that is no log: is it worth another try? */
static bool
comes_later(struct door_log *log)
{
	const char *body = buf_text(&log->head.body);

	if (log->head.status == 400 && (strstr(body, "is waiting to start") || strstr(body, "ContainerCreating") || strstr(body, "PodInitializing")))
		return log->request.follow;
	if (log->head.status == 401 && !log->renewed && api_renewable(kube_api(log->door->kube)))
		return log->renewed = true;
	if (log->head.status == 429 || log->head.status >= 500)
		return ++log->tries < TRIES_MAX || log->request.follow;
	return false;
}

static struct api_right
right_of(const struct door_log *log)
{
	return (struct api_right){ "get", "", "pods/log", log->request.run.namespace_ };
}

static void
refused(struct door_log *log)
{
	const struct api_request request = { .method = "GET", .path = "", .right = right_of(log) };
	struct api_failure *failure;

	if (log->head.status == 404) {
		/* Of a log that was whole when the pod went nothing is missing. */
		if (log->again)
			finish(log, NULL);
		else
			log->timer = log->door->http->after(log->door->http, 0, take_archived, log);
		return;
	}
	if (comes_later(log)) {
		again_in(log, log->head.status == 400 ? (long)NOT_YET_WAIT : log->head.status == 401 ? 0 : api_wait_of(log->head.retry_after, wait_step(log)));
		return;
	}
	failure = xcalloc(1, sizeof(*failure));
	api_explain_reply(kube_api(log->door->kube), &request, &log->head, log->arena, failure);
	finish(log, failure);
	free(failure);
}

static void
cut(struct door_log *log, enum http_outcome outcome, const struct error *err)
{
	struct api_failure *failure;

	/* What came of the last line will come again with the rest of it. */
	buf_clear(&log->line);
	log->in_line = false;
	log->again = false;
	if (outcome != HTTP_STOPPED_BY_USER && outcome != HTTP_NO_LIBRARY && (log->request.follow || log->tries < TRIES_MAX)) {
		again_in(log, api_wait_of("", wait_step(log)));
		log->tries++;
		return;
	}
	failure = xcalloc(1, sizeof(*failure));
	api_explain_outcome(kube_api(log->door->kube), outcome, err, failure);
	finish(log, failure);
	free(failure);
}

static void
ended(void *context, enum http_outcome outcome, const struct error *err)
{
	struct door_log *log = context;

	log->stream = NULL;
	if (outcome != HTTP_ANSWERED)
		cut(log, outcome, err);
	else if (log->head.status == 200)
		ended_well(log);
	else
		refused(log);
}

/* Where to take it up: what came before this moment was never asked for, so it was not counted either. */
static int64_t
from_of(const struct door_log *log)
{
	int64_t first = log->since > 0 ? log->since / SECOND * SECOND : 0, from = log->second > 0 ? (log->second - 1) * SECOND : first;

	return from > first ? from : first;
}

static const char *
path_of(const struct door_log *log, struct arena *arena)
{
	const struct door_log_request *request = &log->request;
	int64_t from = from_of(log);
	char since[MOMENT_MAX];

	moment_write_second(since, from);
	return arena_printf(arena, "/api/v1/namespaces/%s/pods/%s/log?container=%s&timestamps=true%s%s%s", request->run.namespace_, request->pod,
		request->container, request->follow ? "&follow=true" : "", from > 0 ? "&sinceTime=" : "",
		from > 0 ? api_escaped(arena, since) : "");
}

static void
begin(void *context)
{
	struct door_log *log = context;
	const struct http_listener listener = { began, came, ended, log };
	struct arena *arena = arena_new();
	struct api_request request = { .method = "GET", .path = path_of(log, arena), .right = right_of(log), .accept = "*/*",
		.timeout = QUIET };
	struct http_request http;
	struct api_failure *failure = xcalloc(1, sizeof(*failure));

	log->timer = NULL;
	log->skip = log->here + log->before;
	log->news = false;
	http_reply_release(&log->head);
	if (api_prepare(kube_api(log->door->kube), &request, log->renewed, arena, &http, failure))
		finish(log, failure);
	else
		log->stream = log->door->http->open(log->door->http, &http, &listener);
	free(failure);
	arena_free(arena);
}

static void
keep_request(struct door_log *log, const struct door_log_request *request)
{
	struct arena *arena = log->arena = arena_new();
	const struct door_run *run = &request->run;

	log->request = *request;
	log->request.run = (struct door_run){
		.id = run->id ? arena_strdup(arena, run->id) : NULL, .name = arena_strdup(arena, run->name),
		.namespace_ = arena_strdup(arena, run->namespace_),
	};
	log->request.node = arena_strdup(arena, request->node);
	log->request.pod = request->pod ? arena_strdup(arena, request->pod) : NULL;
	log->request.container = arena_strdup(arena, request->container);
	log->since = -1;
	if (request->since && *request->since)
		moment_read(request->since, strlen(request->since), &log->since);
}

struct door_log *
door_kube_log(struct door *door, const struct door_log_request *request, const struct door_log_listener *listener)
{
	struct door_log *log = xcalloc(1, sizeof(*log));

	log->door = door;
	log->listener = *listener;
	keep_request(log, request);
	/* Nothing is told from within this call. */
	if (log->request.pod && door_kube_is_name(log->request.pod) && door_kube_is_name(log->request.run.namespace_) &&
	    door_kube_is_name(log->request.container))
		again_in(log, 0);
	else
		log->timer = door->http->after(door->http, 0, take_archived, log);
	return log;
}

void
door_kube_unlog(struct door *door, struct door_log *log)
{
	if (!log)
		return;
	door->http->close(door->http, log->stream);
	door->http->cancel(door->http, log->timer);
	http_reply_release(&log->head);
	buf_release(&log->line);
	buf_release(&log->out);
	arena_free(log->arena);
	free(log);
}
