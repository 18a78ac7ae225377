/* What stays on the cluster to be started again: CronWorkflows and WorkflowTemplates, made or brought up to date. */
#include "config.h"

#include <string.h>

#include "runtime/cluster/control_private.h"
#include "runtime/cluster/edit.h"
#include "runtime/cluster/submission.h"

/* Argo's server wants the object within another. */
static const struct value *
wrapped(const struct control_place *place, const struct value *object, struct arena *arena)
{
	return place->wrap ? edit_dict(arena, "namespace", value_string(arena, place->namespace_), place->wrap, object, NULL) : object;
}

/* Takes the place of one of that name which was made here before; never of another. */
static int
replace(const struct control_place *place, const struct value *object, struct arena *arena, struct api_failure *ret_failure)
{
	const char *name = edit_text_in(object, "metadata", "name"), *made_by, *kind = value_text(value_get(object, "kind"));
	struct api_request request = { .method = "GET", .path = arena_printf(arena, "%s/%s", place->path, name), .repeatable = true,
		.right = { "get", "argoproj.io", place->plural, place->namespace_ } };
	const struct value *old = api_call(place->api, &request, arena, ret_failure);

	if (!old)
		return -1;
	made_by = edit_text_in(value_get(old, "metadata"), "labels", SUBMISSION_MADE_BY);
	if (!made_by)
		return control_fail(ret_failure, "give it another name: `as \"…\"`",
			"the namespace `%.200s` has a %.40s `%.200s` already, and it was not made from here", place->namespace_, kind, name);
	request.method = "PUT";
	request.right.verb = "update";
	request.repeatable = false;
	request.path = arena_printf(arena, "%s%s", request.path, place->query);
	object = edit_set_in(arena, object, "metadata", "resourceVersion", value_get(value_get(old, "metadata"), "resourceVersion"));
	request.body = wrapped(place, object, arena);
	return api_call(place->api, &request, arena, ret_failure) ? 0 : -1;
}

static int
make(const struct control_place *place, const struct value *object, struct arena *arena, struct api_failure *ret_failure)
{
	const struct api_request request = { .method = "POST", .path = arena_printf(arena, "%s%s", place->path, place->query),
		.body = wrapped(place, object, arena), .right = { "create", "argoproj.io", place->plural, place->namespace_ } };
	int rc;

	/* One that is there, or whose making was not answered, is replaced. */
	rc = api_call(place->api, &request, arena, ret_failure) ? 0 : -1;
	for (unsigned tries = 0; tries < CONTROL_TRIES && rc && (ret_failure->status == 409 || ret_failure->unsure); tries++)
		rc = replace(place, object, arena, ret_failure);
	return rc;
}

int
control_put_template(const struct control_place *place, const char *name, const struct value *workflow, struct arena *arena,
		     const char **ret_id, struct api_failure *ret_failure)
{
	const struct value *object = submission_template(arena, name, workflow, place->namespace_, ret_failure);

	if (!object || make(place, object, arena, ret_failure))
		return -1;
	*ret_id = edit_text_in(object, "metadata", "name");
	return 0;
}

/* Argo before 3.6 knows one time only, `schedule`. */
static bool
is_old_argo(const struct api_failure *failure)
{
	const char *message = value_text(value_get(failure->answer, "message"));

	return failure->kind == API_REFUSED && failure->status != 409 && message && strstr(message, "spec.schedule");
}

int
control_put_schedule(const struct control_place *place, const struct door_submission *submission, const struct door_schedule *schedule,
		     struct arena *arena, const char **ret_id, struct api_failure *ret_failure)
{
	const struct value *object = submission_cron(arena, submission, schedule, place->namespace_, true, ret_failure);
	int rc;

	if (!object)
		return -1;
	rc = make(place, object, arena, ret_failure);
	if (rc && is_old_argo(ret_failure)) {
		object = submission_cron(arena, submission, schedule, place->namespace_, false, ret_failure);
		rc = make(place, object, arena, ret_failure);
	}
	*ret_id = edit_text_in(object, "metadata", "name");
	return rc;
}

/* ---- over the Kubernetes API ---- */

static struct control_place
kube_place(struct door *door, const char *plural, struct arena *arena)
{
	return (struct control_place){ .api = kube_api(door->kube), .namespace_ = door->namespace_, .plural = plural,
		.path = control_path(arena, door->namespace_, plural, NULL), .query = "?fieldValidation=Strict" };
}

int
control_kube_upload(struct door *door, const char *name, const struct value *workflow, struct arena *arena, const char **ret_id,
		    struct api_failure *ret_failure)
{
	const struct control_place place = kube_place(door, "workflowtemplates", arena);

	return control_put_template(&place, name, workflow, arena, ret_id, ret_failure);
}

int
control_kube_schedule(struct door *door, const struct door_submission *submission, const struct door_schedule *schedule,
		      struct arena *arena, const char **ret_id, struct api_failure *ret_failure)
{
	const struct control_place place = kube_place(door, "cronworkflows", arena);

	return control_put_schedule(&place, submission, schedule, arena, ret_id, ret_failure);
}
