#include "config.h"

#include "runtime/cluster/control.h"

#include <stdio.h>
#include <string.h>

#include "base/rfc3339.h"
#include "runtime/cluster/control_private.h"
#include "runtime/cluster/edit.h"
#include "runtime/cluster/retry.h"

/* ---- shared ---- */

int
control_fail(struct api_failure *ret, const char *help, const char *format, ...)
{
	va_list args;

	*ret = (struct api_failure){ .kind = API_REFUSED };
	va_start(args, format);
	vsnprintf(ret->what, API_TEXT_MAX, format, args);
	va_end(args);
	snprintf(ret->help, API_TEXT_MAX, "%s", help);
	return -1;
}

bool
control_is_name(const char *text)
{
	return text && *text && *text != '.' && strlen(text) <= 253 && !text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.")];
}

const char *
control_namespace(const struct door *door, const struct door_run *run)
{
	return run->namespace_ && *run->namespace_ ? run->namespace_ : door->namespace_;
}

const char *
control_path(struct arena *arena, const char *namespace_, const char *plural, const char *name)
{
	return arena_printf(arena, CONTROL_GROUP "/namespaces/%s/%s%s%s", namespace_, plural, name ? "/" : "", name ? name : "");
}

const struct value *
control_fetch(struct door *door, const struct door_run *run, struct arena *arena, struct api_failure *ret_failure)
{
	const char *namespace_ = control_namespace(door, run), *uid;
	struct api_request request = { .method = "GET", .right = { "get", "argoproj.io", "workflows", namespace_ }, .repeatable = true };
	const struct value *object;

	if (!door->kube || !control_is_name(run->name) || !control_is_name(namespace_)) {
		control_fail(ret_failure, "list the runs that are there, and name one of them", "the run `%.200s` has no Workflow object of that name",
			run->name ? run->name : "");
		return NULL;
	}
	request.path = control_path(arena, namespace_, "workflows", run->name);
	object = kube_call(door->kube, &request, arena, ret_failure);
	uid = edit_text_in(object, "metadata", "uid");
	if (object && run->id && *run->id && uid && strcmp(uid, run->id) != 0) {
		control_fail(ret_failure, "list the runs that are there", "the run `%.200s` is gone: another has its name now", run->name);
		ret_failure->kind = API_NOT_FOUND;
		return NULL;
	}
	return object;
}

bool
control_has_ended(const struct value *workflow)
{
	const char *phase = edit_text_in(workflow, "status", "phase");

	return phase && (!strcmp(phase, "Succeeded") || !strcmp(phase, "Failed") || !strcmp(phase, "Error"));
}

int64_t
control_now(const struct door *door)
{
	return door->http->now(door->http);
}

const struct value *
control_time(struct arena *arena, int64_t now_ms)
{
	CLEANUP(buf_release) struct buf text = { 0 };

	rfc3339_write(&text, now_ms / 1000 * 1000);
	return value_string(arena, buf_text(&text));
}

/* ---- patches ---- */

/* The uid in a patch makes it hold for this object only, not for another of its name. */
static int
patch_spec(struct door *door, const struct value *workflow, const char *key, const struct value *item, struct arena *arena,
	   struct api_failure *ret_failure)
{
	const char *namespace_ = edit_text_in(workflow, "metadata", "namespace"), *name = edit_text_in(workflow, "metadata", "name");
	const struct value *body = edit_dict(arena, "metadata", edit_texts(arena, "uid", edit_text_in(workflow, "metadata", "uid"), NULL),
		"spec", edit_dict(arena, key, item, NULL), NULL);
	const struct api_request request = { .method = "PATCH", .path = control_path(arena, namespace_, "workflows", name), .body = body,
		.content_type = CONTROL_MERGE, .right = { "patch", "argoproj.io", "workflows", namespace_ }, .repeatable = true };

	return kube_call(door->kube, &request, arena, ret_failure) ? 0 : -1;
}

static int
shut_down(struct door *door, const struct value *workflow, const char *how, struct arena *arena, struct api_failure *ret_failure)
{
	if (control_has_ended(workflow))
		return control_fail(ret_failure, "there is nothing to stop", "the run `%.200s` has ended: %.40s",
			edit_text_in(workflow, "metadata", "name"), edit_text_in(workflow, "status", "phase"));
	return patch_spec(door, workflow, "shutdown", value_string(arena, how), arena, ret_failure);
}

static int
suspend(struct door *door, const struct value *workflow, struct arena *arena, struct api_failure *ret_failure)
{
	if (control_has_ended(workflow))
		return control_fail(ret_failure, "only a run that goes on can be suspended", "the run `%.200s` has ended: %.40s",
			edit_text_in(workflow, "metadata", "name"), edit_text_in(workflow, "status", "phase"));
	return patch_spec(door, workflow, "suspend", &VALUE_OF_TRUE, arena, ret_failure);
}

/* ---- put ---- */

/* A conflict is a failure with the status 409: somebody was faster. */
static int
put(struct door *door, const struct value *workflow, struct arena *arena, struct api_failure *ret_failure)
{
	const char *namespace_ = edit_text_in(workflow, "metadata", "namespace"), *name = edit_text_in(workflow, "metadata", "name");
	const struct api_request request = { .method = "PUT", .path = control_path(arena, namespace_, "workflows", name), .body = workflow,
		.right = { "update", "argoproj.io", "workflows", namespace_ } };

	return kube_call(door->kube, &request, arena, ret_failure) ? 0 : -1;
}

static int
resume(struct door *door, const struct value *workflow, struct arena *arena, struct api_failure *ret_failure)
{
	const struct value *resumed = control_resumed(arena, workflow, control_now(door), ret_failure);

	return resumed ? put(door, resumed, arena, ret_failure) : -1;
}

/* ---- delete ---- */

/* Its pods and volumes name it as their owner, and go in the background. */
static int
delete_run(struct door *door, const struct value *workflow, struct arena *arena, struct api_failure *ret_failure)
{
	const char *namespace_ = edit_text_in(workflow, "metadata", "namespace"), *name = edit_text_in(workflow, "metadata", "name");
	const struct value *body = edit_dict(arena, "apiVersion", value_string(arena, "v1"), "kind", value_string(arena, "DeleteOptions"),
		"propagationPolicy", value_string(arena, "Background"), "preconditions",
		edit_texts(arena, "uid", edit_text_in(workflow, "metadata", "uid"), NULL), NULL);
	const struct api_request request = { .method = "DELETE", .path = control_path(arena, namespace_, "workflows", name), .body = body,
		.right = { "delete", "argoproj.io", "workflows", namespace_ }, .repeatable = true };

	if (kube_call(door->kube, &request, arena, ret_failure) || ret_failure->kind == API_NOT_FOUND)
		return 0;
	return -1;
}

static int
control_once(struct door *door, const struct door_run *run, enum door_control what, struct api_failure *ret_failure)
{
	struct arena *arena = arena_new();
	const struct value *workflow = control_fetch(door, run, arena, ret_failure);
	int rc = -1;

	if (workflow)
		switch (what) {
		case DOOR_STOP:
			rc = shut_down(door, workflow, "Stop", arena, ret_failure);
			break;
		case DOOR_TERMINATE:
			rc = shut_down(door, workflow, "Terminate", arena, ret_failure);
			break;
		case DOOR_SUSPEND:
			rc = suspend(door, workflow, arena, ret_failure);
			break;
		case DOOR_RESUME:
			rc = resume(door, workflow, arena, ret_failure);
			break;
		case DOOR_DELETE:
			rc = delete_run(door, workflow, arena, ret_failure);
			break;
		}
	ret_failure->answer = NULL; /* it was the arena's */
	arena_free(arena);
	return rc;
}

int
control_run(struct door *door, const struct door_run *run, enum door_control what, struct api_failure *ret_failure)
{
	int rc = -1;

	for (unsigned tries = 0; tries < CONTROL_TRIES && rc; tries++) {
		rc = control_once(door, run, what, ret_failure);
		if (rc && ret_failure->status != 409)
			return rc;
	}
	return rc ? control_fail(ret_failure, "try again in a moment", "the run `%.200s` was changed by somebody else each time", run->name) : 0;
}

/* ---- retry ---- */

/* One that has ended goes at once, unless something (a finalizer) keeps it or its node still ends it. */
static bool
is_kept(const struct value *answer)
{
	const struct value *metadata = value_get(answer, "metadata"), *grace = value_get(metadata, "deletionGracePeriodSeconds");
	const char *kind = value_text(value_get(answer, "kind"));

	return kind && !strcmp(kind, "Pod") &&
	       (value_count(value_get(metadata, "finalizers")) || (grace && grace->kind == VALUE_INTEGER && grace->integer > 0));
}

/* The controller would take an old pod that is still there for the step's new one. */
static int
await_end(struct door *door, const char *path, const char *namespace_, const char *uid, struct api_failure *ret_failure)
{
	const struct api_request request = { .method = "GET", .path = path, .right = { "get", "", "pods", namespace_ }, .repeatable = true };

	for (unsigned i = 0; i < CONTROL_POD_WAITS; i++) {
		struct arena *arena = arena_new();
		const struct value *pod = kube_call(door->kube, &request, arena, ret_failure);
		const char *now = edit_text_in(pod, "metadata", "uid");
		bool gone = pod ? now && uid && strcmp(now, uid) != 0 : ret_failure->kind == API_NOT_FOUND;

		ret_failure->answer = NULL;
		arena_free(arena);
		if (gone)
			return 0;
		if (!pod)
			return -1;
		door->http->wait(door->http, CONTROL_POD_WAIT);
	}
	return control_fail(ret_failure, "see what keeps it: `kubectl get pod -o yaml`, its `finalizers`; then try again",
		"a pod of an earlier attempt does not go: `%.300s`", strrchr(path, '/') + 1);
}

static int
delete_pod(struct door *door, const char *namespace_, const char *pod, struct arena *arena, struct api_failure *ret_failure)
{
	const struct api_request request = { .method = "DELETE", .repeatable = true,
		.path = arena_printf(arena, "/api/v1/namespaces/%s/pods/%s", namespace_, pod), .right = { "delete", "", "pods", namespace_ } };
	const struct value *answer;

	if (!control_is_name(pod))
		return 0;
	answer = kube_call(door->kube, &request, arena, ret_failure);
	if (!answer)
		return ret_failure->kind == API_NOT_FOUND ? 0 : -1;
	return is_kept(answer) ? await_end(door, request.path, namespace_, edit_text_in(answer, "metadata", "uid"), ret_failure) : 0;
}

static int
retry_once(struct door *door, const struct door_run *run, const char *from, struct arena *arena, struct api_failure *ret_failure)
{
	const struct value *workflow = control_fetch(door, run, arena, ret_failure);
	struct retry retry;
	int rc = 0;

	if (!workflow || retry_formulate(arena, workflow, from, control_now(door), &retry, ret_failure))
		return -1;
	for (size_t i = 0; i < retry.n_pods && !rc; i++)
		rc = delete_pod(door, control_namespace(door, run), retry.pods[i], arena, ret_failure);
	return rc ? rc : put(door, retry.workflow, arena, ret_failure);
}

int
control_retry(struct door *door, const struct door_run *run, const char *from, struct api_failure *ret_failure)
{
	int rc = -1;

	for (unsigned tries = 0; tries < CONTROL_TRIES && rc; tries++) {
		struct arena *arena = arena_new();

		rc = retry_once(door, run, from, arena, ret_failure);
		ret_failure->answer = NULL;
		arena_free(arena);
		if (rc && ret_failure->status != 409)
			return rc;
	}
	return rc ? control_fail(ret_failure, "try again in a moment", "the run `%.200s` was changed by somebody else each time", run->name) : 0;
}
