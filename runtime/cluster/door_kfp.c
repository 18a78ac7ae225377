#include "config.h"

#include "runtime/cluster/door_kfp.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/base64.h"
#include "runtime/cluster/door_kfp_private.h"

/* What a server says that was built without being told its version. */
static const char UNKNOWN[] = "unknown";

enum { OLDEST = 1 }; /* major version; before it, v1beta1 was another */

const char *
door_kfp_path(struct arena *arena, const char *before, const char *id, const char *behind)
{
	return arena_printf(arena, KFP_V1 "%s%s%s", before, api_escaped(arena, id), behind);
}

const struct value *
door_kfp_detail(struct door_kfp *door, const char *id, struct arena *arena, struct api_failure *ret_failure)
{
	return kfp_get(door->kfp, door_kfp_path(arena, "/runs/", id, ""), KFP_RUN_BYTES_MAX, arena, ret_failure);
}

const char *
door_kfp_manifest(const struct value *detail)
{
	const char *text = value_text(value_get(value_get(detail, "pipeline_runtime"), "workflow_manifest"));

	return text && *text ? text : NULL;
}

/* ---- what is there ---- */

static bool
has_v2(struct door_kfp *door)
{
	struct arena *arena = arena_new();
	struct api_failure ignored;
	bool has = kfp_get(door->kfp, "/apis/v2beta1/healthz", 0, arena, &ignored);

	arena_free(arena);
	return has;
}

static int
check_health(struct door_kfp *door, const struct value *answer, const char **ret_version, struct api_failure *ret_failure)
{
	const char *server = kfp_api(door->kfp)->server, *tag = value_text(value_get(answer, "tag_name"));
	const struct value *users = value_get(answer, "multi_user");
	bool several = users && users->kind == VALUE_BOOLEAN && users->boolean;

	if (!tag && !value_get(answer, "commit_sha")) {
		api_refuse(ret_failure, API_WRONG_SERVER, "what answers at `%s` is not the API of Kubeflow Pipelines: it has another `healthz`", server);
		api_say(ret_failure->help, "%s must be the address of Kubeflow's pages (with `/pipeline` at the end mostly) or of `ml-pipeline`",
			kfp_api(door->kfp)->words->address);
		return -1;
	}
	*ret_version = tag && strcmp(tag, UNKNOWN) != 0 ? tag : "";
	if (tag && *tag >= '0' && *tag <= '9' && strtol(tag, NULL, 10) < OLDEST) {
		api_refuse(ret_failure, API_REFUSED, "Kubeflow Pipelines at `%s` is of version %.40s, which is too old", server, tag);
		api_say(ret_failure->help, "whoever runs it must bring it to 1.8 or later; what is here was made for 2.17");
		return -1;
	}
	if (several && !*door->door.namespace_) {
		api_refuse(ret_failure, API_REFUSED, "Kubeflow at `%s` has several users, and it is not said in which namespace to run", server);
		api_say(ret_failure->help, "say it: `namespace \"…\"`; Kubeflow's pages show it at the top");
		return -1;
	}
	return 0;
}

static int
probe(struct door *base, struct arena *arena, const char **ret_version, struct api_failure *ret_failure)
{
	struct door_kfp *door = (struct door_kfp *)base;
	const struct value *answer = kfp_get(door->kfp, KFP_V1 "/healthz", 0, arena, ret_failure);

	if (answer)
		return check_health(door, answer, ret_version, ret_failure);
	if ((ret_failure->kind == API_NOT_FOUND || ret_failure->kind == API_WRONG_SERVER) && has_v2(door)) {
		api_refuse(ret_failure, API_REFUSED, "Kubeflow Pipelines at `%s` has no API v1beta1 any more, by which alone Argo workflows get parameters",
			kfp_api(door->kfp)->server);
		api_say(ret_failure->help, "run on its cluster by the Kubernetes API, with `context`");
	}
	return -1;
}

static const struct value *
object(struct door *base, const struct door_run *run, struct arena *arena, struct api_failure *ret_failure)
{
	struct door_kfp *door = (struct door_kfp *)base;
	const struct value *detail = door_kfp_detail(door, run->id, arena, ret_failure), *workflow;
	const char *manifest = door_kfp_manifest(detail);
	struct error err = { "" };

	if (!detail)
		return NULL;
	workflow = manifest ? value_read_json(arena, manifest, strlen(manifest), &err) : NULL;
	if (workflow && workflow->kind == VALUE_DICT)
		return workflow;
	api_refuse(ret_failure, manifest ? API_TROUBLE : API_REFUSED, manifest ? "the workflow of the run cannot be read%s%s" :
		"the run has no Argo workflow: it is of Kubeflow's second kind of pipelines, or was never started%s%s", *err.text ? ": " : "", err.text);
	return NULL;
}

/* Kubeflow's pages have the API below them; the server itself, on its own port or behind the API server, has none. */
static const char *
page(struct door *base, const struct door_run *run, struct arena *arena)
{
	const struct kfp_options *options = kfp_options(((struct door_kfp *)base)->kfp);
	const char *at = options->page, *id = api_escaped(arena, run->id);

	if (!at && options->login.kind != KFP_AUTH_KUBE && !strstr(options->url, ":8888"))
		at = options->url;
	return at ? arena_printf(arena, "%s/#/runs/details/%s", at, id) : NULL;
}

/* ---- steering ---- */

static int
send(struct door_kfp *door, const char *method, const char *path, struct arena *arena, struct api_failure *ret_failure)
{
	static const struct value empty = { .kind = VALUE_DICT };
	const struct api_request request = { .method = method, .path = path, .body = strcmp(method, "DELETE") != 0 ? &empty : NULL };

	return api_call(kfp_api(door->kfp), &request, arena, ret_failure) ? 0 : -1;
}

static int
refuse_suspend(enum door_control what, struct api_failure *ret)
{
	api_refuse(ret, API_REFUSED, "Kubeflow Pipelines cannot %s a run", what == DOOR_SUSPEND ? "suspend" : "resume");
	api_say(ret->help, "the Kubernetes API and the Argo server can: come to the cluster by `context` or `argo`");
	return -1;
}

static int
control(struct door *base, const struct door_run *run, enum door_control what, struct api_failure *ret_failure)
{
	struct door_kfp *door = (struct door_kfp *)base;
	struct arena *arena = arena_new();
	int rc = -1;

	switch (what) {
	case DOOR_STOP: /* it has one way to stop, by a deadline that is over at once: the exit handler still runs */
	case DOOR_TERMINATE:
		rc = send(door, "POST", door_kfp_path(arena, "/runs/", run->id, "/terminate"), arena, ret_failure);
		break;
	case DOOR_SUSPEND:
	case DOOR_RESUME:
		rc = refuse_suspend(what, ret_failure);
		break;
	case DOOR_DELETE:
		rc = send(door, "DELETE", door_kfp_path(arena, "/runs/", run->id, ""), arena, ret_failure);
		break;
	}
	if (rc)
		ret_failure->answer = NULL; /* it goes with the arena */
	arena_free(arena);
	return rc;
}

static int
retry(struct door *base, const struct door_run *run, const char *from, struct api_failure *ret_failure)
{
	struct arena *arena;
	int rc;

	if (from) {
		api_refuse(ret_failure, API_REFUSED, "Kubeflow Pipelines runs again what failed, but not from the step `%.200s` on", from);
		api_say(ret_failure->help, "leave out the step; the Kubernetes API can do it (`context`), but then the run is none of Kubeflow's any more");
		return -1;
	}
	arena = arena_new();
	rc = send((struct door_kfp *)base, "POST", door_kfp_path(arena, "/runs/", run->id, "/retry"), arena, ret_failure);
	if (rc)
		ret_failure->answer = NULL;
	arena_free(arena);
	return rc;
}

/* ---- artifacts ---- */

static int
take_artifact(const struct value *answer, struct arena *arena, size_t max, struct buf *ret, struct api_failure *ret_failure)
{
	const char *text = value_text(value_get(answer, "data")), *bytes;
	size_t n = 0;

	if (!text)
		text = "";
	bytes = base64_decode(arena, text, strlen(text), &n);
	if (!bytes)
		return api_refuse(ret_failure, API_TROUBLE, "the artifact came in another form than base64");
	if (n > max)
		return api_refuse(ret_failure, API_REFUSED, "the artifact is longer than %zu bytes", max);
	buf_add(ret, bytes, n);
	return 0;
}

static int
artifact(struct door *base, const struct door_run *run, const char *node, const char *name, size_t max, struct buf *ret,
	 struct api_failure *ret_failure)
{
	struct door_kfp *door = (struct door_kfp *)base;
	struct arena *arena = arena_new();
	const char *path = arena_printf(arena, "%s/%s/artifacts/%s:read", door_kfp_path(arena, "/runs/", run->id, "/nodes"),
		api_escaped(arena, node), api_escaped(arena, name));
	/* base64 takes four letters for three bytes */
	const struct value *answer = kfp_get(door->kfp, path, max / 3 * 4 + 1024, arena, ret_failure);
	int rc = answer ? take_artifact(answer, arena, max, ret, ret_failure) : -1;

	if (!answer && ret_failure->kind == API_WRONG_SERVER && ret_failure->status == 0)
		api_refuse(ret_failure, API_REFUSED, "the artifact is longer than %zu bytes", max);
	ret_failure->answer = NULL;
	arena_free(arena);
	return rc;
}

/* ---- the door ---- */

static void
free_door(struct door *base)
{
	struct door_kfp *door = (struct door_kfp *)base;

	kfp_free(door->kfp);
	vec_release(&door->watches);
	free(door);
}

static const struct door_ops ops = {
	.kind = DOOR_KFP,
	.free = free_door,
	.probe = probe,
	.submit = door_kfp_submit,
	.list = door_kfp_list,
	.control = control,
	.retry = retry,
	.object = object,
	.upload = door_kfp_upload,
	.schedule = door_kfp_schedule,
	.page = page,
	.artifact = artifact,
	.watch = door_kfp_watch,
	.unwatch = door_kfp_unwatch,
	.log = door_kfp_log,
	.unlog = door_kfp_unlog,
};

struct door *
door_kfp_new(struct http *http, struct kube *kube, const struct kfp_options *options)
{
	struct door_kfp *door = xcalloc(1, sizeof *door);

	door->kfp = kfp_new(options, http);
	door->door = (struct door){ .ops = &ops, .http = http, .kube = kube, .namespace_ = options->namespace_ ? options->namespace_ : "" };
	return &door->door;
}
