/* The Kubernetes API as a door: Argo's Workflow objects, without an Argo server. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/control.h"
#include "runtime/cluster/door_kube_private.h"
#include "runtime/cluster/moment.h"
#include "runtime/cluster/watch.h"

/* Without the objects themselves: names, labels and times say all that a list shows. */
#define METADATA_ONLY "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"

bool
door_kube_is_name(const char *text)
{
	return *text && strlen(text) <= 253 && !text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.")] && *text != '.' && *text != '-';
}

int
door_kube_check_names(const char *namespace_, const char *name, struct api_failure *ret_failure)
{
	if (!door_kube_is_name(namespace_))
		return api_refuse(ret_failure, API_REFUSED, "`%.300s` is no name of a namespace", namespace_);
	if (!door_kube_is_name(name))
		return api_refuse(ret_failure, API_REFUSED, "`%.300s` is no name that a workflow can have: small letters, digits and `-` make one",
			name);
	return 0;
}

struct api_right
door_kube_right(const char *verb, const char *namespace_)
{
	return (struct api_right){ verb, DOOR_KUBE_GROUP, "workflows", namespace_ };
}

/* ---- runs ---- */

static enum phase
phase_of(const struct value *workflow, const struct value *labels)
{
	const char *name = value_text(value_get(value_get(workflow, "status"), "phase"));
	enum phase phase = PHASE_PENDING;

	if (!name)
		name = value_text(value_get(labels, "workflows.argoproj.io/phase"));
	if (name)
		phase_from_name(name, &phase);
	return phase;
}

static const char *
text_of(const struct value *dict, const char *key, struct arena *arena)
{
	const char *text = value_text(value_get(dict, key));

	return text ? arena_strdup(arena, text) : NULL;
}

void
door_kube_read_run(const struct value *workflow, struct arena *arena, struct door_run *ret)
{
	const struct value *metadata = value_get(workflow, "metadata"), *labels = value_get(metadata, "labels");
	const char *created = value_text(value_get(metadata, "creationTimestamp"));
	int64_t ns = 0;

	*ret = (struct door_run){
		.id = text_of(metadata, "uid", arena), .name = text_of(metadata, "name", arena),
		.display = text_of(value_get(metadata, "annotations"), "lateen.dev/display", arena),
		.namespace_ = text_of(metadata, "namespace", arena), .token = text_of(labels, DOOR_TOKEN_LABEL, arena),
		.phase = phase_of(workflow, labels),
	};
	ret->id = ret->id ? ret->id : "";
	ret->name = ret->name ? ret->name : "";
	ret->namespace_ = ret->namespace_ ? ret->namespace_ : "";
	if (created && moment_read(created, strlen(created), &ns))
		ret->created_ms = ns / 1000000;
}

const struct value *
door_kube_get(struct door *door, const char *namespace_, const char *name, struct arena *arena, struct api_failure *ret_failure)
{
	struct api_request request = { .method = "GET", .right = door_kube_right("get", namespace_), .repeatable = true,
		.max = DOOR_KUBE_OBJECT_MAX };

	if (door_kube_check_names(namespace_, name, ret_failure))
		return NULL;
	request.path = arena_printf(arena, DOOR_KUBE_WORKFLOWS "/namespaces/%s/workflows/%s", namespace_, name);
	return kube_call(door->kube, &request, arena, ret_failure);
}

const struct value *
door_kube_object(struct door *door, const struct door_run *run, struct arena *arena, struct api_failure *ret_failure)
{
	const struct value *workflow = door_kube_get(door, run->namespace_, run->name, arena, ret_failure);
	const char *uid = value_text(value_get(value_get(workflow, "metadata"), "uid"));

	if (!workflow || !run->id || !*run->id || (uid && !strcmp(uid, run->id)))
		return workflow;
	api_refuse(ret_failure, API_NOT_FOUND, "the workflow `%s` in the namespace `%s` is another one now: ours was deleted", run->name,
		run->namespace_);
	return NULL;
}

/* ---- probe ---- */

/* "v3.7.18" of "quay.io/argoproj/workflow-controller:v3.7.18"; NULL: not known. Being forbidden to look is no failure. */
static const char *
controller_version(struct door *door, struct arena *arena)
{
	const struct api_request request = { .method = "GET", .repeatable = true, .right = { "list", "apps", "deployments", NULL },
		.path = "/apis/apps/v1/deployments?fieldSelector=metadata.name%3Dworkflow-controller&limit=1" };
	struct api_failure *ignored = arena_new_struct(arena, struct api_failure);
	const struct value *list = value_get(kube_call(door->kube, &request, arena, ignored), "items"), *containers;
	const char *image, *colon;

	if (!list || list->kind != VALUE_LIST || !list->list.n)
		return NULL;
	containers = value_get(value_get(value_get(value_get(list->list.items[0], "spec"), "template"), "spec"), "containers");
	if (!containers || containers->kind != VALUE_LIST || !containers->list.n)
		return NULL;
	image = value_text(value_get(containers->list.items[0], "image"));
	colon = image ? strrchr(image, ':') : NULL;
	return colon && !strchr(colon, '/') ? api_plain(arena, colon + 1, 40) : NULL;
}

static int
probe_argo(struct door *door, struct arena *arena, struct api_failure *ret_failure)
{
	const struct api_request request = { .method = "GET", .path = DOOR_KUBE_WORKFLOWS, .right = { "get", DOOR_KUBE_GROUP, "workflows", NULL },
		.repeatable = true };
	const struct value *answer = kube_call(door->kube, &request, arena, ret_failure);

	if (answer ? kube_has_workflows(answer) : ret_failure->kind == API_FORBIDDEN)
		return 0;
	if (!answer && ret_failure->kind != API_NOT_FOUND)
		return -1;
	api_refuse(ret_failure, API_NOT_FOUND, "Argo Workflows is not installed on the cluster at `%s`", kube_config(door->kube)->server);
	api_say(ret_failure->help, "install it (https://argo-workflows.readthedocs.io, \"Quick Start\"), or Kubeflow Pipelines, which brings it along");
	return -1;
}

static int
probe(struct door *door, struct arena *arena, const char **ret_version, struct api_failure *ret_failure)
{
	const struct api_request request = { .method = "GET", .path = "/version", .right = { "get", "", "/version", NULL }, .repeatable = true };
	const struct value *answer = kube_call(door->kube, &request, arena, ret_failure);
	const char *version = value_text(value_get(answer, "gitVersion")), *argo;

	if (!answer && ret_failure->kind != API_FORBIDDEN)
		return -1;
	if (answer && !version)
		return api_refuse(ret_failure, API_WRONG_SERVER, "what answers at `%s` is not the Kubernetes API: it has another `/version`",
			kube_config(door->kube)->server);
	if (probe_argo(door, arena, ret_failure))
		return -1;
	argo = controller_version(door, arena);
	*ret_version = arena_printf(arena, "Kubernetes%s%s, Argo Workflows%s%s", version ? " " : "", version ? api_plain(arena, version, 40) : "",
		argo ? " " : "", argo ? argo : "");
	return 0;
}

/* ---- list ---- */

struct listing {
	struct door *door;
	const struct door_list *which;
	struct arena *arena;
	struct api_failure *failure;
	VEC(struct door_run) runs;
};

static bool
is_wanted(const struct listing *l, const struct door_run *run)
{
	const char *name = l->which->name;

	return !name || !strcmp(run->name, name) || !strcmp(run->id, name) || (run->token && !strcmp(run->token, name));
}

/* One page; *at is where the next begins, NULL after the last. */
static int
list_page(struct listing *l, const char *selector, const char **at)
{
	const char *namespace_ = l->door->namespace_;
	struct api_request request = { .method = "GET", .right = door_kube_right("list", namespace_), .repeatable = true,
		.accept = METADATA_ONLY, .max = DOOR_KUBE_OBJECT_MAX };
	const struct value *answer, *items;
	const char *more;

	request.path = arena_printf(l->arena, DOOR_KUBE_WORKFLOWS "/namespaces/%s/workflows?limit=%d%s%s%s", namespace_, DOOR_KUBE_LIST_PAGE,
		selector, *at ? "&continue=" : "", *at ? api_escaped(l->arena, *at) : "");
	answer = kube_call(l->door->kube, &request, l->arena, l->failure);
	items = value_get(answer, "items");
	if (!answer)
		return -1;
	for (size_t i = 0; items && items->kind == VALUE_LIST && i < items->list.n; i++) {
		struct door_run run;

		door_kube_read_run(items->list.items[i], l->arena, &run);
		if (is_wanted(l, &run))
			vec_push(&l->runs, run);
	}
	more = value_text(value_get(value_get(answer, "metadata"), "continue"));
	*at = more && *more ? more : NULL;
	return 0;
}

static int
list_all(struct listing *l, const char *selector)
{
	const char *at = NULL;

	do {
		if (list_page(l, selector, &at))
			return -1;
	} while (at);
	return 0;
}

static int
newest_first(const void *left, const void *right)
{
	const struct door_run *a = left, *b = right;

	return (a->created_ms < b->created_ms) - (a->created_ms > b->created_ms);
}

/* A name is asked for as such first; an id can only be found among all. */
static int
list_named(struct listing *l)
{
	const struct door_list *which = l->which;

	if (which->token)
		return list_all(l, arena_printf(l->arena, "&labelSelector=" DOOR_TOKEN_LABEL "%%3D%s", api_escaped(l->arena, which->token)));
	if (which->name && list_all(l, arena_printf(l->arena, "&fieldSelector=metadata.name%%3D%s", api_escaped(l->arena, which->name))))
		return -1;
	return l->runs.n ? 0 : list_all(l, "");
}

static int
list(struct door *door, const struct door_list *which, struct arena *arena, struct door_run **ret, size_t *ret_n,
     struct api_failure *ret_failure)
{
	struct listing l = { .door = door, .which = which, .arena = arena, .failure = ret_failure };
	int result;

	if (!door_kube_is_name(door->namespace_))
		return api_refuse(ret_failure, API_REFUSED, "`%.300s` is no name of a namespace", door->namespace_);
	result = list_named(&l);
	if (!result && l.runs.n) {
		qsort(l.runs.items, l.runs.n, sizeof(*l.runs.items), newest_first);
		*ret_n = l.runs.n < which->max ? l.runs.n : which->max;
		*ret = arena_copy(arena, l.runs.items, *ret_n * sizeof(**ret));
	} else if (!result) {
		*ret_n = 0;
		*ret = NULL;
	}
	vec_release(&l.runs);
	return result;
}

/* ---- watching ---- */

static struct door_watch *
watch(struct door *door, const struct door_run *run, struct workflow_model *model, const struct door_watcher *watcher)
{
	struct arena *arena = arena_new();
	const struct watch_source source = watch_source_kube(arena, DOOR_KUBE_WORKFLOWS, run->namespace_, "workflows",
		arena_printf(arena, "metadata.name=%s", run->name), NULL);
	struct watch *made = watch_workflow(kube_api(door->kube), &source, run->id && *run->id ? run->id : NULL, model, watcher);

	arena_free(arena);
	return (struct door_watch *)made;
}

static void
unwatch(struct door *door, struct door_watch *made)
{
	(void)door;
	watch_free((struct watch *)made);
}

/* ---- the rest ---- */

static const char *
page(struct door *door, const struct door_run *run, struct arena *arena)
{
	const struct door_kube *kube = (const struct door_kube *)door;

	if (!kube->page)
		return NULL;
	return arena_printf(arena, "%s/workflows/%s/%s", kube->page, api_escaped(arena, run->namespace_), api_escaped(arena, run->name));
}

void
door_kube_set_page(struct door *door, const char *url)
{
	struct door_kube *kube = (struct door_kube *)door;
	size_t len = strlen(url);

	while (len && url[len - 1] == '/')
		len--;
	free(kube->page);
	kube->page = xstrndup(url, len);
}

static void
free_door(struct door *door)
{
	struct door_kube *kube = (struct door_kube *)door;

	free(kube->page);
	free((char *)(uintptr_t)door->namespace_);
	free(kube);
}

static const struct door_ops ops = {
	.kind = DOOR_KUBE,
	.free = free_door,
	.probe = probe,
	.submit = door_kube_submit,
	.list = list,
	.control = control_run,
	.retry = control_retry,
	.object = door_kube_object,
	.upload = control_kube_upload,
	.schedule = control_kube_schedule,
	.page = page,
	.artifact = door_kube_artifact,
	.watch = watch,
	.unwatch = unwatch,
	.log = door_kube_log,
	.unlog = door_kube_unlog,
};

struct door *
door_kube_new(struct http *http, struct kube *kube, const char *namespace_)
{
	struct door_kube *door = xcalloc(1, sizeof(*door));

	door->door = (struct door){ &ops, http, kube, xstrdup(namespace_) };
	return &door->door;
}
