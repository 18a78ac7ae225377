/* Logs: the server gives a log as far as it is, from the pod or from its archive, and does not follow. So it is asked for again until
 * the container has ended: the executor writes a line then, and a watch of the run knows of it, too. Errors come with status 200,
 * for the head has gone before. A Kubeflow of one user looks for pods in no namespace and finds none, so there only archived logs
 * come; where the cluster's own API is known, that is asked first. Older servers look for the archive at one fixed place, which is
 * not where Argo has put it by most configurations; so the artifact `main-logs` is asked for last. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/base64.h"
#include "runtime/cluster/door_kfp_private.h"
#include "runtime/cluster/door_kube_private.h"
#include "runtime/cluster/executor_line.h"

enum {
	SOON = 2000, LATE = 5000, /* milliseconds between an answer and the next question */
	FAILURES_MAX = 5, /* in a row, of a log that is followed */
	ARCHIVED_MAX = 64 * 1024 * 1024, /* bytes of an archived log in base64 */
	LINE_MAX_KEPT = 64 * 1024, /* bytes of a line that are waited for until it ends */
	ERROR_BODY_MAX = 64 * 1024,
};

static const char error_mark[] = "{\"error_message\":"; /* what an error in place of a log begins with */

struct door_log {
	struct door_kfp *door;
	struct door_log_listener listener;
	char *run, *node, *pod;
	bool follow, main;
	struct http_stream *stream;
	struct http_timer *timer;
	size_t told; /* bytes that the listener has, or does not want */
	struct door_log *by_kube; /* of door_kube_log, while that is asked */
	struct workflow_model *model; /* of its own watch, where there is no other; NULL: there is */
	struct door_watch *watch;
	long wait;
	unsigned failures, telling;
	bool dead, renew, renewed;
	bool archived; /* the artifact is asked for */
	struct api_failure failure; /* and this is what there is to say if it is not there */
	/* of the answer that comes in */
	struct http_reply reply;
	size_t at; /* bytes of it so far */
	struct buf line; /* of them, those behind `told` */
	bool is_error, more, exited; /* more: something new was in it */
	enum door_kfp_node node_was; /* when it was asked for */
};

static void ask(void *context);

static void
destroy(struct door_log *log)
{
	door_kfp_unwatch(&log->door->door, log->watch);
	workflow_model_free(log->model);
	http_reply_release(&log->reply);
	buf_release(&log->line);
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

/* The log is gone when it returns. */
static void
finish(struct door_log *log, const struct api_failure *failure)
{
	log->telling++;
	log->listener.ended(log->listener.context, failure);
	log->dead = true;
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
	log->reply.body = (struct buf){ .max = log->archived ? ARCHIVED_MAX : ERROR_BODY_MAX };
	log->at = 0;
	buf_clear(&log->line);
	log->is_error = log->archived || head->status != 200; /* is kept as a whole */
	log->more = false;
}

static bool
tell(struct door_log *log, const char *bytes, size_t n)
{
	if (!n)
		return true;
	log->more = true;
	log->telling++;
	log->listener.came(log->listener.context, bytes, n);
	return told(log);
}

/* Appends what the program wrote, without what the executor says. */
static void
add_programs(struct door_log *log, const char *text, size_t n, struct buf *buf)
{
	while (n) {
		const char *end = memchr(text, '\n', n);
		size_t len = end ? (size_t)(end - text) : n, whole = end ? len + 1 : len, at;
		enum executor_line said = executor_line_find(text, len, &at);

		buf_add(buf, text, said == EXECUTOR_SILENT ? whole : at);
		log->exited |= said == EXECUTOR_EXITED;
		text += whole;
		n -= whole;
	}
}

/* Whole lines, and with `all` what is left, to the listener. It may end the log: then false. */
static bool
hand_on(struct door_log *log, bool all)
{
	const char *text = buf_text(&log->line), *end = memrchr(text, '\n', log->line.len);
	size_t n = all || log->line.len > LINE_MAX_KEPT ? log->line.len : end ? (size_t)(end + 1 - text) : 0;
	struct buf line = log->line, programs = { 0 };
	bool there;

	if (!n)
		return true;
	log->told += n;
	log->line = (struct buf){ 0 };
	buf_add(&log->line, text + n, line.len - n);
	add_programs(log, text, n, &programs);
	there = tell(log, buf_text(&programs), programs.len);
	buf_release(&programs);
	buf_release(&line);
	return there;
}

/* Of what comes, that which the listener has not yet. */
static bool
take(struct door_log *log, const char *bytes, size_t n)
{
	size_t skip = log->at < log->told ? log->told - log->at : 0;

	log->at += n;
	if (skip >= n)
		return true;
	buf_add(&log->line, bytes + skip, n - skip);
	return hand_on(log, false);
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
		take(log, bytes, n);
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
		take(log, buf_text(&first), first.len);
		buf_release(&first);
	}
}

/* ---- what comes of it ---- */

static void
fail(struct door_log *log, const struct api_failure *failure)
{
	long wait = SOON << (log->failures < 3 ? log->failures : 3);
	bool passing = failure->kind == API_UNREACHABLE || failure->kind == API_TROUBLE;
	/* the pod of a node that has not ended may only begin */
	bool early = failure->kind == API_REFUSED && log->node_was == DOOR_KFP_GOES_ON;

	if (log->follow && (early || (passing && ++log->failures < FAILURES_MAX))) {
		ask_again(log, wait);
	} else if (failure->kind == API_REFUSED && !log->archived) {
		log->archived = true;
		log->failure = *failure;
		ask_again(log, 0);
	} else {
		finish(log, failure);
	}
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
	struct buf first = log->reply.body;
	bool there = true, last;

	/* a log that is shorter than what an error begins with, and alike so far */
	log->reply.body = (struct buf){ 0 };
	if (first.len && !log->at)
		there = take(log, buf_text(&first), first.len);
	buf_release(&first);
	if (!there)
		return;
	last = !log->follow || log->exited || log->node_was == DOOR_KFP_ENDED;
	if (last && !hand_on(log, true))
		return;
	log->failures = 0;
	log->renewed = false;
	if (last) {
		finish(log, NULL);
		return;
	}
	log->wait = log->more ? SOON : log->wait * 5 / 4 < LATE ? log->wait * 5 / 4 : (long)LATE;
	ask_again(log, log->wait);
}

/* {"data": base64} */
static void
take_archived(struct door_log *log)
{
	struct arena *arena = arena_new();
	const struct value *answer = value_read_json(arena, buf_text(&log->reply.body), log->reply.body.len, NULL);
	const char *text = value_text(value_get(answer, "data")), *bytes = NULL;
	size_t n = 0;

	if (log->reply.status == 200 && text)
		bytes = base64_decode(arena, text, strlen(text), &n);
	if (!bytes)
		finish(log, &log->failure);
	else if (take(log, bytes, n) && hand_on(log, true))
		finish(log, NULL);
	arena_free(arena);
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
	} else if (log->archived) {
		take_archived(log);
	} else if (log->is_error || api_asks_who(api, &log->reply)) {
		fail_by_answer(log);
	} else {
		take_over(log);
	}
}

static void
pass_over(void *context, const size_t *places, size_t n, bool head)
{
	(void)context;
	(void)places;
	(void)n;
	(void)head;
}

static void
pass_over_failure(void *context, const struct api_failure *failure)
{
	(void)context;
	(void)failure;
}

/* Whether the node has ended must be known of a log that is followed. */
static void
watch_run(struct door_log *log)
{
	static const struct door_watcher nobody = { .changed = pass_over, .failed = pass_over_failure };
	const struct door_run run = { .id = log->run };

	if (!log->follow || log->watch || door_kfp_node(log->door, log->run, log->node) != DOOR_KFP_UNKNOWN)
		return;
	log->model = workflow_model_new();
	log->watch = door_kfp_watch(&log->door->door, &run, log->model, &nobody);
}

static const char *
path_of(const struct door_log *log, struct arena *arena)
{
	const char *run = api_escaped(arena, log->run);

	if (log->archived)
		return arena_printf(arena, KFP_V1 "/runs/%s/nodes/%s/artifacts/main-logs:read", run, api_escaped(arena, log->node));
	return arena_printf(arena, "/apis/v1alpha1/runs/%s/nodes/%s/log", run, api_escaped(arena, log->pod));
}

static void
ask(void *context)
{
	static const struct http_reply nothing = { .status = 200 };
	struct door_log *log = context;
	const struct http_listener listener = { began, came, ended, log };
	struct arena *arena = arena_new();
	const struct api_request request = { .method = "GET", .repeatable = true, .accept = log->archived ? NULL : "text/plain",
		.path = path_of(log, arena) };
	struct http *http = log->door->door.http;
	struct http_request asked;
	struct api_failure failure;

	log->timer = NULL;
	watch_run(log);
	log->node_was = door_kfp_node(log->door, log->run, log->node);
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

/* ---- the cluster's own API first ---- */

static void
kube_came(void *context, const char *bytes, size_t n)
{
	tell(context, bytes, n);
}

static void
kube_ended(void *context, const struct api_failure *failure)
{
	struct door_log *log = context;

	log->by_kube = NULL;
	if (!failure || log->more) /* what is told already would be told again */
		finish(log, failure);
	else
		log->timer = log->door->door.http->after(log->door->door.http, 0, log->pod && log->main ? ask : refuse, log);
}

/* The namespace is the workflow's: a Kubeflow of one user names none. */
static bool
ask_kube(struct door_log *log, const struct door_log_request *request)
{
	const struct door_log_listener listener = { kube_came, kube_ended, log };
	const struct workflow *known = door_kfp_workflow(log->door, log->run);
	struct door_log_request asked = *request;

	if (known && *known->name)
		asked.run.name = known->name;
	if (known && known->namespace_ && *known->namespace_)
		asked.run.namespace_ = known->namespace_;
	if (!log->door->door.kube || !asked.pod || !asked.run.name || !*asked.run.name || !asked.run.namespace_ || !*asked.run.namespace_)
		return false;
	log->by_kube = door_kube_log(&log->door->door, &asked, &listener);
	return true;
}

struct door_log *
door_kfp_log(struct door *base, const struct door_log_request *request, const struct door_log_listener *listener)
{
	struct door_log *log = xcalloc(1, sizeof *log);

	log->door = (struct door_kfp *)base;
	log->listener = *listener;
	log->run = xstrdup(request->run.id);
	log->node = xstrdup(request->node);
	log->pod = request->pod ? xstrdup(request->pod) : NULL;
	log->main = !request->container || !strcmp(request->container, "main");
	log->follow = request->follow;
	log->told = request->have;
	log->wait = SOON;
	if (!ask_kube(log, request))
		log->timer = base->http->after(base->http, 0, log->pod && log->main ? ask : refuse, log);
	return log;
}

void
door_kfp_unlog(struct door *base, struct door_log *log)
{
	if (!log)
		return;
	door_kube_unlog(base, log->by_kube);
	base->http->close(base->http, log->stream);
	base->http->cancel(base->http, log->timer);
	log->by_kube = NULL;
	log->stream = NULL;
	log->timer = NULL;
	if (log->telling)
		log->dead = true;
	else
		destroy(log);
}
