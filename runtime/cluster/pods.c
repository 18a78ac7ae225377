#include "config.h"

#include "runtime/cluster/pods.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "runtime/cluster/api_stream.h"
#include "runtime/cluster/watch.h"

#define NODE_ID "workflows.argoproj.io/node-id"

enum { POD_PREFIX_MAX = 242 }; /* what is left of 253 for "-" and ten digits */

struct pod {
	struct pods *pods;
	char *name, *uid, *node;
	struct arena *arena; /* of the last version */
	const struct value *object;
	struct arena *events_arena;
	const struct value *const *events;
	size_t n_events;
	bool waits;
	bool told; /* that it does */
	struct http_timer *timer;
	struct api_stream *stream;
	struct buf answer;
};

struct pods {
	struct api *api;
	struct pods_listener listener;
	struct arena *arena;
	const char *namespace_;
	struct watch *watch;
	struct map by_name, by_node; /* struct pod; a node's is its last one */
	bool no_events; /* they may not be seen */
};

const char *
pods_name(struct arena *arena, const char *workflow, const struct workflow_node *node)
{
	const char *prefix = node->template && *node->template ? arena_printf(arena, "%s-%s", workflow, node->template) : workflow;
	uint32_t hash = 2166136261; /* FNV-1a */

	if (!strcmp(workflow, node->name))
		return arena_strdup(arena, workflow);
	for (const char *at = node->name; *at; at++)
		hash = (hash ^ (unsigned char)*at) * 16777619;
	return arena_printf(arena, "%.*s-%u", (int)POD_PREFIX_MAX, prefix, (unsigned)hash);
}

const char *
pods_find(const struct pods *pods, const char *node_id)
{
	const struct pod *pod = pods ? map_get(&pods->by_node, node_id) : NULL;

	return pod ? pod->name : NULL;
}

/* ---- one pod ---- */

static void
free_pod(struct pod *pod)
{
	struct http *http = pod->pods->api->http;

	http->cancel(http, pod->timer);
	api_stream_close(pod->stream);
	buf_release(&pod->answer);
	arena_free(pod->arena);
	arena_free(pod->events_arena);
	free(pod->name);
	free(pod->uid);
	free(pod->node);
	free(pod);
}

/* Of several pods of one node the last counts. */
static void
tell(struct pod *pod)
{
	const struct pods_listener *listener = &pod->pods->listener;

	if (map_get(&pod->pods->by_node, pod->node) == pod && (pod->waits || pod->told))
		listener->waits(listener->context, pod->node, pod->waits ? pod->object : NULL, pod->events, pod->waits ? pod->n_events : 0);
	pod->told = pod->waits;
}

/* ---- events ---- */

static void look(void *context);

static void
look_in(struct pod *pod, long milliseconds)
{
	struct http *http = pod->pods->api->http;

	http->cancel(http, pod->timer);
	pod->timer = pod->waits && !pod->pods->no_events ? http->after(http, milliseconds, look, pod) : NULL;
}

static const char *
time_of(const struct value *event)
{
	static const char *const keys[] = { "lastTimestamp", "eventTime", "firstTimestamp" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (value_text(value_get(event, keys[i])))
			return value_text(value_get(event, keys[i]));
	return "";
}

/* Times of one form sort as texts. */
static int
oldest_first(const void *left, const void *right)
{
	return strcmp(time_of(*(const struct value *const *)left), time_of(*(const struct value *const *)right));
}

static void
keep_events(struct pod *pod, const struct value *items)
{
	size_t n = value_count(items);
	const struct value **events = arena_copy(pod->events_arena, n ? items->list.items : NULL, n * sizeof(*events));

	if (n)
		qsort(events, n, sizeof(*events), oldest_first);
	pod->events = events;
	pod->n_events = n;
}

static void
came(void *context, const char *bytes, size_t n)
{
	struct pod *pod = context;

	if (pod->answer.len + n <= PODS_EVENTS_BYTES_MAX)
		buf_add(&pod->answer, bytes, n);
}

static void
ended(void *context, const struct api_stream_end *end)
{
	struct pod *pod = context;
	const struct value *items;
	struct arena *arena;
	struct error ignored;

	pod->stream = NULL;
	if (end->failure && (end->failure->kind == API_FORBIDDEN || end->failure->kind == API_UNKNOWN_USER))
		pod->pods->no_events = true;
	if (!end->failure) {
		arena = arena_new();
		items = value_get(value_read_json(arena, buf_text(&pod->answer), pod->answer.len, &ignored), "items");
		arena_free(pod->events_arena);
		pod->events_arena = arena;
		keep_events(pod, items);
		tell(pod);
	}
	buf_clear(&pod->answer);
	look_in(pod, PODS_AGAIN);
}

static void
look(void *context)
{
	struct pod *pod = context;
	const struct pods *pods = pod->pods;
	const struct api_stream_listener listener = { NULL, came, ended, pod };
	struct api_request request = { .method = "GET", .right = { "list", "", "events", pods->namespace_ }, .repeatable = true,
		.timeout = HTTP_EXCHANGE_TIMEOUT };
	struct arena *arena = arena_new();

	pod->timer = NULL;
	request.path = arena_printf(arena, "/api/v1/namespaces/%s/events?limit=%d&fieldSelector=involvedObject.uid%%3D%s", pods->namespace_,
		(int)PODS_EVENTS_MAX, api_escaped(arena, pod->uid));
	buf_clear(&pod->answer);
	pod->stream = api_stream_open(pods->api, &request, &listener);
	arena_free(arena);
}

/* ---- the watch ---- */

static struct pod *
pod_of(struct pods *pods, const struct value *metadata)
{
	const char *name = value_text(value_get(metadata, "name")), *uid = value_text(value_get(metadata, "uid"));
	const char *node = value_text(value_get(value_get(metadata, "annotations"), NODE_ID));
	struct pod *pod = name ? map_get(&pods->by_name, name) : NULL;

	if (pod || !name || !uid || !node || pods->by_name.live >= PODS_MAX)
		return pod;
	pod = xcalloc(1, sizeof(*pod));
	pod->pods = pods;
	pod->name = xstrdup(name);
	pod->uid = xstrdup(uid);
	pod->node = xstrdup(node);
	map_set(&pods->by_name, pod->name, pod);
	map_set(&pods->by_node, pod->node, pod);
	return pod;
}

static void
forget(struct pods *pods, struct pod *pod)
{
	pod->waits = false;
	tell(pod);
	map_remove(&pods->by_name, pod->name);
	if (map_get(&pods->by_node, pod->node) == pod)
		map_remove(&pods->by_node, pod->node);
	free_pod(pod);
}

/* Pending as Kubernetes has it: not all of its containers have begun. */
static bool
is_waiting(const struct value *object)
{
	const char *phase = value_text(value_get(value_get(object, "status"), "phase"));

	return !phase || !strcmp(phase, "Pending");
}

static void
pod_came(void *context, enum watch_change change, const struct value *object)
{
	struct pods *pods = context;
	struct pod *pod = pod_of(pods, value_get(object, "metadata"));
	bool waited;

	if (!pod)
		return;
	if (change == WATCH_DELETED) {
		forget(pods, pod);
		return;
	}
	waited = pod->waits;
	pod->waits = is_waiting(object);
	arena_free(pod->arena);
	pod->arena = arena_new();
	pod->object = pod->waits ? value_clone(pod->arena, object) : NULL;
	tell(pod);
	if (waited != pod->waits)
		look_in(pod, PODS_QUIET);
}

static void
pods_failed(void *context, const struct api_failure *failure)
{
	struct pods *pods = context;

	pods->listener.failed(pods->listener.context, failure);
}

struct pods *
pods_new(struct api *api, const char *namespace_, const char *workflow, const struct pods_listener *listener)
{
	struct pods *pods = xcalloc(1, sizeof(*pods));
	struct watch_source source;

	pods->api = api;
	pods->listener = *listener;
	pods->arena = arena_new();
	pods->namespace_ = arena_strdup(pods->arena, namespace_);
	source = watch_source_kube(pods->arena, "/api/v1", namespace_, "pods", NULL,
		arena_printf(pods->arena, "workflows.argoproj.io/workflow=%s", workflow));
	pods->watch = watch_objects(api, &source, &(struct watch_listener){ .came = pod_came, .failed = pods_failed, .context = pods });
	return pods;
}

void
pods_free(struct pods *pods)
{
	const struct map_entry *entry;
	size_t at = 0;

	if (!pods)
		return;
	watch_free(pods->watch);
	while ((entry = map_next(&pods->by_name, &at)))
		free_pod(entry->value);
	map_release(&pods->by_name);
	map_release(&pods->by_node);
	arena_free(pods->arena);
	free(pods);
}
