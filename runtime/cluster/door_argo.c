#include "config.h"

#include "runtime/cluster/door_argo.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/control_private.h"
#include "runtime/cluster/door_argo_private.h"
#include "runtime/cluster/edit.h"
#include "runtime/cluster/retry.h"
#include "runtime/cluster/watch.h"

/* ---- asking ---- */

const char *
door_argo_path(struct arena *arena, const char *kind, const char *namespace_, const char *name, const char *behind)
{
	struct buf path = { 0 };
	const char *ret;

	buf_printf(&path, "/api/v1/%s/", kind);
	api_write_escaped(&path, namespace_);
	if (name) {
		buf_putc(&path, '/');
		api_write_escaped(&path, name);
	}
	buf_puts(&path, behind);
	ret = arena_strdup(arena, buf_text(&path));
	buf_release(&path);
	return ret;
}

const struct value *
door_argo_call(struct door *door, const char *method, const char *path, const struct value *body, const char *verb, struct arena *arena,
	       struct api_failure *ret_failure)
{
	const struct api_request request = { .method = method, .path = path, .body = body, .right = { verb, "argoproj.io", "workflows",
		door->namespace_ }, .max = ARGO_OBJECT_MAX, .repeatable = !strcmp(method, "GET") };

	return api_call(argo_api(((struct door_argo *)door)->argo), &request, arena, ret_failure);
}

static const struct value *
archived(struct door *door, const struct door_run *run, struct arena *arena, struct api_failure *ret_failure)
{
	const char *path = arena_printf(arena, "/api/v1/archived-workflows/%s", api_escaped(arena, run->id));
	struct api_failure ignored;
	const struct value *object = door_argo_call(door, "GET", path, NULL, "get", arena, &ignored);

	(void)ret_failure; /* that it is not on the cluster is what is told */
	return object;
}

const struct value *
door_argo_object(struct door *door, const struct door_run *run, struct arena *arena, struct api_failure *ret_failure)
{
	const char *path = door_argo_path(arena, "workflows", control_namespace(door, run), run->name, "");
	const struct value *object = door_argo_call(door, "GET", path, NULL, "get", arena, ret_failure);
	const char *uid = edit_text_in(object, "metadata", "uid");

	if (object && (!run->id || !*run->id || !uid || !strcmp(uid, run->id)))
		return object;
	if (object)
		api_refuse(ret_failure, API_NOT_FOUND, "the run `%.200s` is gone: another has its name now", run->name);
	return ret_failure->kind == API_NOT_FOUND && run->id && *run->id ? archived(door, run, arena, ret_failure) : NULL;
}

/* ---- what is there ---- */

/* A server may look after one namespace only. */
static int
check_namespace(struct door *door, struct arena *arena, struct api_failure *ret_failure)
{
	const struct value *info = door_argo_call(door, "GET", "/api/v1/info", NULL, "get", arena, ret_failure);
	const char *managed = value_text(value_get(info, "managedNamespace"));

	if (!info)
		return ret_failure->kind == API_FORBIDDEN || ret_failure->kind == API_NOT_FOUND ? 0 : -1;
	if (!managed || !*managed || !strcmp(managed, door->namespace_))
		return 0;
	api_refuse(ret_failure, API_REFUSED, "the Argo server at `%s` looks after the namespace `%s` only, and the runs would be in `%s`",
		argo_api(((struct door_argo *)door)->argo)->server, api_plain(arena, managed, 100), door->namespace_);
	api_say(ret_failure->help, "write `namespace \"%s\"`", api_plain(arena, managed, 100));
	return -1;
}

static int
probe(struct door *door, struct arena *arena, const char **ret_version, struct api_failure *ret_failure)
{
	const struct value *answer = door_argo_call(door, "GET", "/api/v1/version", NULL, "get", arena, ret_failure);
	const char *version = value_text(value_get(answer, "version")), *server = argo_api(((struct door_argo *)door)->argo)->server;

	if (!answer)
		return -1;
	if (!version) {
		api_refuse(ret_failure, API_WRONG_SERVER, "what answers at `%s` is not the Argo server: it has another `version`", server);
		api_say(ret_failure->help, "`argo` must be the address of the Argo server itself (port 2746 mostly), not of the Kubernetes API");
		return -1;
	}
	*ret_version = arena_printf(arena, "Argo Workflows %s", api_plain(arena, version, 40));
	return check_namespace(door, arena, ret_failure);
}

/* ---- steering ---- */

static const struct value *
named(struct arena *arena, const char *namespace_, const char *name)
{
	return edit_texts(arena, "namespace", namespace_, "name", name, NULL);
}

/* What the server would refuse with less to say for it, or do without effect. */
static int
check_control(const struct value *object, enum door_control what, struct api_failure *ret_failure)
{
	const char *name = edit_text_in(object, "metadata", "name"), *phase = edit_text_in(object, "status", "phase");

	if (what == DOOR_DELETE || what == DOOR_RESUME || !control_has_ended(object))
		return 0;
	return control_fail(ret_failure, what == DOOR_SUSPEND ? "only a run that goes on can be suspended" : "there is nothing to stop",
		"the run `%.200s` has ended: %.40s", name ? name : "", phase);
}

static int
control(struct door *door, const struct door_run *run, enum door_control what, struct api_failure *ret_failure)
{
	static const struct {
		const char *method, *behind, *verb;
	} calls[] = { [DOOR_STOP] = { "PUT", "/stop", "update" }, [DOOR_TERMINATE] = { "PUT", "/terminate", "update" },
		[DOOR_SUSPEND] = { "PUT", "/suspend", "update" }, [DOOR_RESUME] = { "PUT", "/resume", "update" }, [DOOR_DELETE] = { "DELETE", "", "delete" } };
	const char *namespace_ = control_namespace(door, run);
	struct arena *arena = arena_new();
	const struct value *object = door_argo_object(door, run, arena, ret_failure), *body = NULL;
	int rc = -1;

	if (what != DOOR_DELETE)
		body = named(arena, namespace_, run->name);
	if (object && !check_control(object, what, ret_failure))
		rc = door_argo_call(door, calls[what].method, door_argo_path(arena, "workflows", namespace_, run->name, calls[what].behind), body,
			calls[what].verb, arena, ret_failure) ? 0 : -1;
	if (rc && what == DOOR_DELETE && ret_failure->kind == API_NOT_FOUND && object)
		rc = 0; /* it is only in the archive, or somebody was faster */
	ret_failure->answer = NULL;
	arena_free(arena);
	return rc;
}

/* Commas, equal signs and backslashes mean something in a selector. */
static const char *
selector_of(struct arena *arena, const char *from)
{
	struct buf text = { 0 };
	const char *ret;

	buf_puts(&text, "displayName=");
	for (; *from; from++) {
		if (strchr("\\,=", *from))
			buf_putc(&text, '\\');
		buf_putc(&text, *from);
	}
	ret = arena_strdup(arena, buf_text(&text));
	buf_release(&text);
	return ret;
}

static const struct value *
retry_body(struct arena *arena, const char *namespace_, const struct door_run *run, const char *from)
{
	const struct value *body = named(arena, namespace_, run->name);

	if (!from)
		return body;
	body = edit_set(arena, body, "restartSuccessful", &VALUE_OF_TRUE);
	return edit_set(arena, body, "nodeFieldSelector", value_string(arena, selector_of(arena, from)));
}

static int
retry(struct door *door, const struct door_run *run, const char *from, struct api_failure *ret_failure)
{
	const char *namespace_ = control_namespace(door, run), *path;
	struct arena *arena = arena_new();
	const struct value *object = door_argo_object(door, run, arena, ret_failure), *body = retry_body(arena, namespace_, run, from);
	struct retry ignored;
	int rc = -1;

	/* The server does it by the same rules; ours say first whether there is such a step, which it would not. */
	if (object && !retry_formulate(arena, object, from, control_now(door), &ignored, ret_failure)) {
		path = door_argo_path(arena, "workflows", namespace_, run->name, "/retry");
		rc = door_argo_call(door, "PUT", path, body, "update", arena, ret_failure) ? 0 : -1;
		if (rc && ret_failure->kind == API_NOT_FOUND && run->id && *run->id) {
			path = arena_printf(arena, "/api/v1/archived-workflows/%s/retry", api_escaped(arena, run->id));
			body = edit_set(arena, body, "uid", value_string(arena, run->id));
			rc = door_argo_call(door, "PUT", path, body, "update", arena, ret_failure) ? 0 : -1;
		}
	}
	ret_failure->answer = NULL;
	arena_free(arena);
	return rc;
}

/* ---- what stays there ---- */

static struct control_place
place_of(struct door *door, struct arena *arena, const char *plural, const char *kind, const char *wrap)
{
	return (struct control_place){ .api = argo_api(((struct door_argo *)door)->argo), .namespace_ = door->namespace_, .plural = plural,
		.path = door_argo_path(arena, kind, door->namespace_, NULL, ""), .query = "", .wrap = wrap };
}

static int
upload(struct door *door, const char *name, const struct value *workflow, struct arena *arena, const char **ret_id,
       struct api_failure *ret_failure)
{
	const struct control_place place = place_of(door, arena, "workflowtemplates", "workflow-templates", "template");

	return control_put_template(&place, name, workflow, arena, ret_id, ret_failure);
}

static int
schedule(struct door *door, const struct door_submission *submission, const struct door_schedule *schedule, struct arena *arena,
	 const char **ret_id, struct api_failure *ret_failure)
{
	const struct control_place place = place_of(door, arena, "cronworkflows", "cron-workflows", "cronWorkflow");

	return control_put_schedule(&place, submission, schedule, arena, ret_id, ret_failure);
}

/* ---- the rest ---- */

static const char *
page(struct door *door, const struct door_run *run, struct arena *arena)
{
	const struct argo_options *options = argo_options(((struct door_argo *)door)->argo);

	return arena_printf(arena, "%s/workflows/%s/%s", options->page ? options->page : options->url, api_escaped(arena, control_namespace(door, run)),
		api_escaped(arena, run->name));
}

static struct door_watch *
watch(struct door *door, const struct door_run *run, struct workflow_model *model, const struct door_watcher *watcher)
{
	struct arena *arena = arena_new();
	const struct watch_source source = watch_source_argo(arena, control_namespace(door, run), run->name);
	struct watch *made = watch_workflow(argo_api(((struct door_argo *)door)->argo), &source, run->id && *run->id ? run->id : NULL, model, watcher);

	arena_free(arena);
	return (struct door_watch *)made;
}

static void
unwatch(struct door *door, struct door_watch *made)
{
	(void)door;
	watch_free((struct watch *)made);
}

static void
free_door(struct door *door)
{
	struct door_argo *argo = (struct door_argo *)door;

	argo_free(argo->argo);
	free(argo->namespace_);
	free(argo);
}

static const struct door_ops ops = {
	.kind = DOOR_ARGO,
	.free = free_door,
	.probe = probe,
	.submit = door_argo_submit,
	.list = door_argo_list,
	.control = control,
	.retry = retry,
	.object = door_argo_object,
	.upload = upload,
	.schedule = schedule,
	.page = page,
	.artifact = door_argo_artifact,
	.watch = watch,
	.unwatch = unwatch,
	.log = door_argo_log,
	.unlog = door_argo_unlog,
};

struct door *
door_argo_new(struct http *http, struct kube *kube, const char *namespace_, const struct argo_options *options)
{
	struct door_argo *door = xcalloc(1, sizeof *door);

	door->argo = argo_new(options, http);
	door->namespace_ = xstrdup(namespace_);
	door->door = (struct door){ .ops = &ops, .http = http, .kube = kube, .namespace_ = door->namespace_ };
	return &door->door;
}
