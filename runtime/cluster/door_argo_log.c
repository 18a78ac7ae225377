/* What steps have printed and made, by the Argo server.
 *
 * A log comes as lines of JSON, {"result": {"content": "2026-01-02T03:04:05.6Z text", "podName": "…"}}, each a line of the pod's with
 * its time. One that is cut is taken up at the second of its last line, and lines that are not later than that one are left out. The
 * server gives nothing of a pod that is gone; then the copy is looked for that Argo's executor puts into the artifact repository. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/api_stream.h"
#include "runtime/cluster/control_private.h"
#include "runtime/cluster/door_argo_private.h"
#include "runtime/cluster/edit.h"
#include "runtime/cluster/executor_line.h"
#include "runtime/cluster/moment.h"
#include "runtime/cluster/retry.h"
#include "runtime/cluster/unpack.h"

enum {
	ENTRY_MAX = 8 * 1024 * 1024, /* bytes of a line as JSON; a longer one is left out */
	TRIES_MAX = 4, /* of a log that is not followed */
	WAIT_TRIES_MAX = 5,
	ARCHIVED_MAX = 64 * 1024 * 1024,
	QUIET = 15 * 60 * 1000, /* milliseconds without a byte after which a followed log is asked for anew */
};

#define SECOND INT64_C(1000000000)

/* ---- artifacts ---- */

static int
unpack(const char *name, size_t max, const struct buf *packed, struct buf *ret, struct api_failure *ret_failure)
{
	struct error err;

	if (!unpack_is_packed(packed->data, packed->len)) {
		buf_add(ret, packed->data, packed->len);
		return 0;
	}
	if (unpack_file(packed->data, packed->len, max, ret, &err))
		return control_fail(ret_failure, "fetch it from the server's page of the run", "the artifact `%.200s` cannot be unpacked: %.600s", name, err.text);
	return 0;
}

static int
fetch(struct door *door, const char *kind, const char *run, const char *namespace_, const char *node, const char *name, size_t max,
      struct buf *ret, struct api_failure *ret_failure)
{
	struct arena *arena = arena_new();
	struct buf packed = { 0 };
	const struct api_request request = { .method = "GET", .accept = "*/*", .raw = &packed, .max = max, .repeatable = true,
		.right = { "get", "argoproj.io", "workflows", namespace_ },
		.path = arena_printf(arena, "/artifact-files/%s/%s/%s/%s/outputs/%s", api_escaped(arena, namespace_), kind, api_escaped(arena, run),
			api_escaped(arena, node), api_escaped(arena, name)) };
	int rc = -1;

	if (api_call(argo_api(((struct door_argo *)door)->argo), &request, arena, ret_failure))
		rc = unpack(name, max, &packed, ret, ret_failure);
	ret_failure->answer = NULL;
	buf_release(&packed);
	arena_free(arena);
	return rc;
}

int
door_argo_artifact(struct door *door, const struct door_run *run, const char *node, const char *name, size_t max, struct buf *ret,
		   struct api_failure *ret_failure)
{
	const char *namespace_ = control_namespace(door, run);
	int rc = fetch(door, "workflows", run->name, namespace_, node, name, max, ret, ret_failure);

	if (rc && ret_failure->kind == API_NOT_FOUND && run->id && *run->id)
		rc = fetch(door, "archived-workflows", run->id, namespace_, node, name, max, ret, ret_failure);
	return rc;
}

/* ---- logs ---- */

struct door_log {
	struct door *door;
	struct door_log_listener listener;
	struct arena *arena; /* of the request */
	struct door_log_request request;
	struct api_stream *stream;
	struct http_timer *timer;
	struct buf entry, out;
	bool too_long; /* the entry is left out */
	int64_t last; /* nanoseconds: not after it is what the caller has; -1: none */
	unsigned tries;
	size_t passed; /* bytes of text */
};

static void begin(void *context);

static void
finish(struct door_log *log, const struct api_failure *failure)
{
	struct door_log_listener listener = log->listener;

	door_argo_unlog(log->door, log);
	listener.ended(listener.context, failure);
}

static void
take_line(struct door_log *log, const char *text)
{
	int64_t time = 0;
	size_t taken = moment_read(text, strlen(text), &time), len;
	const char *words = text + taken + (taken && text[taken] == ' ');

	if (taken && time <= log->last)
		return;
	if (taken)
		log->last = time;
	executor_line_find(words, strlen(words), &len);
	if (!len && *words)
		return;
	if (taken && log->request.timestamps) {
		buf_add(&log->out, text, taken);
		buf_putc(&log->out, ' ');
	}
	buf_add(&log->out, words, len);
	if (!words[len])
		buf_putc(&log->out, '\n');
	log->passed += len + 1;
}

/* False: the server broke off, and the listener was told; the log is gone. */
static bool
take_entry(struct door_log *log)
{
	struct arena *arena = arena_new();
	struct error ignored;
	const struct value *entry = value_read_json(arena, buf_text(&log->entry), log->entry.len, &ignored);
	const char *content = edit_text_in(entry, "result", "content");
	const struct value *error = value_get(entry, "error");
	struct api_failure *failure;

	if (content)
		take_line(log, content);
	if (error && error->kind == VALUE_DICT) {
		failure = arena_new_struct(arena, struct api_failure);
		argo_explain_error(argo_api(((struct door_argo *)log->door)->argo), error, arena, failure);
		finish(log, failure);
		arena_free(arena);
		return false;
	}
	arena_free(arena);
	return true;
}

static void
came(void *context, const char *bytes, size_t n)
{
	struct door_log *log = context;

	while (n) {
		const char *end = memchr(bytes, '\n', n);
		size_t len = end ? (size_t)(end - bytes) : n;

		log->too_long = log->too_long || log->entry.len + len > ENTRY_MAX;
		if (!log->too_long)
			buf_add(&log->entry, bytes, len);
		if (end) {
			if (!log->too_long && log->entry.len && !take_entry(log))
				return;
			buf_clear(&log->entry);
			log->too_long = false;
			len++;
		}
		bytes += len;
		n -= len;
	}
	if (log->out.len) {
		log->tries = 0;
		log->listener.came(log->listener.context, log->out.data, log->out.len);
		buf_clear(&log->out);
	}
}

static void
take_archived(void *context)
{
	struct door_log *log = context;
	struct api_failure *failure = xcalloc(1, sizeof *failure);
	struct buf text = { 0 };
	size_t have = log->request.have;

	log->timer = NULL;
	if (!door_argo_artifact(log->door, &log->request.run, log->request.node, "main-logs", ARCHIVED_MAX, &text, failure)) {
		if (text.len > have)
			log->listener.came(log->listener.context, text.data + have, text.len - have);
		finish(log, NULL);
	} else if (have || log->request.since) {
		finish(log, NULL); /* what there was has been shown before */
	} else {
		if (failure->kind == API_NOT_FOUND) {
			api_refuse(failure, API_NOT_FOUND, "the step has printed nothing, or its pod is gone, and its log with it");
			api_say(failure->help, "with `archiveLogs: true` in its artifact repository the cluster keeps a copy of each log");
		}
		finish(log, failure);
	}
	buf_release(&text);
	free(failure);
}

/* May it be taken up where it was? */
static bool
comes_back(struct door_log *log, const struct api_stream_end *end)
{
	const struct api_failure *failure = end->failure;

	if (failure->kind == API_STOPPED || end->outcome == HTTP_NO_LIBRARY)
		return false;
	if (end->outcome == HTTP_ANSWERED && failure->status != 429 && failure->status < 500)
		return false;
	return ++log->tries < TRIES_MAX || log->request.follow;
}

static void
ended(void *context, const struct api_stream_end *end)
{
	struct door_log *log = context;
	unsigned step = log->tries < WAIT_TRIES_MAX ? log->tries : WAIT_TRIES_MAX;

	log->stream = NULL;
	buf_clear(&log->entry);
	if (end->failure && comes_back(log, end))
		log->timer = log->door->http->after(log->door->http, api_wait_of(end->retry_after, step), begin, log);
	else if (end->failure && end->failure->kind != API_NOT_FOUND)
		finish(log, end->failure);
	else if (log->passed)
		finish(log, NULL);
	else
		log->timer = log->door->http->after(log->door->http, 0, take_archived, log);
}

static const char *
path_of(struct door_log *log, struct arena *arena)
{
	const struct door_log_request *request = &log->request;
	const char *path = door_argo_path(arena, "workflows", control_namespace(log->door, &request->run), request->run.name, "/log");

	path = arena_printf(arena, "%s?podName=%s&logOptions.container=%s&logOptions.timestamps=true%s", path, api_escaped(arena, request->pod),
		api_escaped(arena, request->container), request->follow ? "&logOptions.follow=true" : "");
	return log->last < 0 ? path : arena_printf(arena, "%s&logOptions.sinceTime.seconds=%lld", path, (long long)(log->last / SECOND));
}

/* The server wants the pod's name, which says itself from the node. */
static bool
find_pod(struct door_log *log, struct arena *arena, struct api_failure *failure)
{
	const struct value *object;

	if (log->request.pod)
		return true;
	object = door_argo_object(log->door, &log->request.run, arena, failure);
	if (!object)
		return false;
	log->request.pod = retry_pod_name(arena, object, value_get(value_get(value_get(object, "status"), "nodes"), log->request.node));
	if (log->request.pod) {
		log->request.pod = arena_strdup(log->arena, log->request.pod);
		return true;
	}
	control_fail(failure, "name a step that runs a container", "the run `%.200s` has no pod for `%.200s`", log->request.run.name, log->request.node);
	return false;
}

static void
begin(void *context)
{
	struct door_log *log = context;
	const struct api_stream_listener listener = { NULL, came, ended, log };
	struct arena *arena = arena_new();
	struct api_failure *failure = xcalloc(1, sizeof *failure);

	log->timer = NULL;
	if (find_pod(log, arena, failure)) {
		const struct api_request request = { .method = "GET", .path = path_of(log, arena), .accept = "application/json", .timeout = QUIET,
			.right = { "get", "", "pods/log", control_namespace(log->door, &log->request.run) } };

		log->stream = api_stream_open(argo_api(((struct door_argo *)log->door)->argo), &request, &listener);
	} else {
		finish(log, failure);
	}
	free(failure);
	arena_free(arena);
}

static const char *
keep(struct door_log *log, const char *text)
{
	return text ? arena_strdup(log->arena, text) : NULL;
}

struct door_log *
door_argo_log(struct door *door, const struct door_log_request *request, const struct door_log_listener *listener)
{
	struct door_log *log = xcalloc(1, sizeof *log);

	log->door = door;
	log->listener = *listener;
	log->arena = arena_new();
	log->last = -1;
	log->request = *request;
	log->request.run.name = keep(log, request->run.name);
	log->request.run.id = keep(log, request->run.id);
	log->request.run.namespace_ = keep(log, request->run.namespace_);
	log->request.node = keep(log, request->node);
	log->request.pod = keep(log, request->pod);
	log->request.container = keep(log, request->container);
	log->request.since = keep(log, request->since);
	if (request->since)
		moment_read(request->since, strlen(request->since), &log->last);
	/* Nothing is told from within this call. */
	log->timer = door->http->after(door->http, 0, begin, log);
	return log;
}

void
door_argo_unlog(struct door *door, struct door_log *log)
{
	if (!log)
		return;
	if (log->stream)
		api_stream_close(log->stream);
	if (log->timer)
		door->http->cancel(door->http, log->timer);
	buf_release(&log->entry);
	buf_release(&log->out);
	arena_free(log->arena);
	free(log);
}
