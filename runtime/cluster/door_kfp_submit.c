/* A run is made once, whatever becomes of the answers. */
#include "config.h"

#include <string.h>

#include "runtime/cluster/door_kfp_private.h"
#include "runtime/cluster/edit.h"

enum {
	LOOKS = 3, /* after an answer that was lost: the server may still be at it */
	LOOK_WAIT = 1000, /* milliseconds before each */
};

/* ---- the workflow ---- */

static const struct value *
with_label(struct arena *arena, const struct value *metadata, const char *token)
{
	return edit_set_in(arena, metadata, "labels", DOOR_TOKEN_LABEL, value_string(arena, token));
}

/* The token goes on the object and its pods, so that they are known for ours by the Kubernetes API, too. */
static const struct value *
manifest_of(const struct door_submission *submission, struct arena *arena)
{
	const struct value *workflow = submission->workflow, *spec = value_get(workflow, "spec");
	struct buf text = { 0 };
	const struct value *ret;

	if (submission->token) {
		spec = edit_set(arena, spec, "podMetadata", with_label(arena, value_get(spec, "podMetadata"), submission->token));
		workflow = edit_set(arena, workflow, "metadata", with_label(arena, value_get(workflow, "metadata"), submission->token));
		workflow = edit_set(arena, workflow, "spec", spec);
	}
	value_write_json(&text, workflow);
	ret = value_stringn(arena, buf_text(&text), text.len);
	buf_release(&text);
	return ret;
}

/* ---- the body ---- */

const struct value *
door_kfp_reference(struct arena *arena, const char *type, const char *id, const char *relationship)
{
	return edit_dict(arena, "key", edit_texts(arena, "type", type, "id", id, NULL), "relationship", value_string(arena, relationship), NULL);
}

static const struct value *
parameters_of(struct door_kfp *door, const struct door_submission *submission, struct arena *arena, struct api_failure *ret_failure)
{
	static const struct value none = { .kind = VALUE_LIST };
	const struct value *list;

	if (submission->pipeline_version)
		return door_kfp_parameters(&door->door, submission->pipeline_version, arena, ret_failure);
	list = value_get(value_get(value_get(submission->workflow, "spec"), "arguments"), "parameters");
	return list ? list : &none;
}

/* Whose it is and what it is made of; -1 with *ret_failure. */
static int
references_of(struct door_kfp *door, const struct door_submission *submission, struct arena *arena, const struct value **ret,
	      struct api_failure *ret_failure)
{
	const struct value *items[2];
	const char *experiment = NULL;
	size_t n = 0;

	if (submission->experiment) {
		experiment = door_kfp_experiment(door, submission->experiment, arena, ret_failure);
		if (!experiment)
			return -1;
		items[n++] = door_kfp_reference(arena, "EXPERIMENT", experiment, "OWNER");
	} else if (*door->door.namespace_) {
		items[n++] = door_kfp_reference(arena, "NAMESPACE", door->door.namespace_, "OWNER");
	}
	if (submission->pipeline_version)
		items[n++] = door_kfp_reference(arena, "PIPELINE_VERSION", submission->pipeline_version, "CREATOR");
	*ret = value_list(arena, items, n);
	return 0;
}

const struct value *
door_kfp_body(struct door_kfp *door, const struct door_submission *submission, const char *name, const struct value *more,
	      struct arena *arena, struct api_failure *ret_failure)
{
	const struct value *parameters = parameters_of(door, submission, arena, ret_failure), *spec, *body, *references;
	const char *token;

	if (!parameters || door_kfp_check_args(submission, parameters, arena, &parameters, ret_failure) ||
	    references_of(door, submission, arena, &references, ret_failure))
		return NULL;
	spec = edit_dict(arena, "parameters", parameters, "workflow_manifest", submission->pipeline_version ? NULL : manifest_of(submission, arena),
		NULL);
	token = submission->token ? arena_printf(arena, DOOR_KFP_TOKEN "%s", submission->token) : NULL;
	body = edit_dict(arena, "name", value_string(arena, name), "description", token ? value_string(arena, token) : NULL, "pipeline_spec", spec,
		"resource_references", references, NULL);
	for (size_t i = 0; more && i < more->dict.n; i++)
		body = edit_set(arena, body, more->dict.keys[i], more->dict.items[i]);
	return body;
}

/* ---- sending ---- */

/* The answer was lost: has it been made? 1: yes; 0: it is not known, and *failure stays. */
static int
look_again(struct door_kfp *door, const char *token, struct arena *arena, struct door_run *ret)
{
	struct api *api = kfp_api(door->kfp);
	struct api_failure ignored;

	for (int i = 0; token && i < LOOKS; i++) {
		api->http->wait(api->http, LOOK_WAIT);
		if (door_kfp_find(door, token, arena, ret, &ignored) > 0)
			return 1;
	}
	return 0;
}

static int
send_run(struct door_kfp *door, const struct door_submission *submission, const struct value *body, struct arena *arena,
	 struct door_run *ret, struct api_failure *ret_failure)
{
	const struct value *detail = kfp_post(door->kfp, KFP_V1 "/runs", body, arena, ret_failure), *run = value_get(detail, "run");

	if (run) {
		door_kfp_read_detail(door, detail, arena, ret);
		return 0;
	}
	if (detail)
		return api_refuse(ret_failure, API_WRONG_SERVER, "`%s` made a run without saying which", kfp_api(door->kfp)->server);
	/* a 502 to 504 is of something in between, behind which the run may well be made */
	if (!ret_failure->unsure && (ret_failure->status < 502 || ret_failure->status > 504))
		return -1;
	if (look_again(door, submission->token, arena, ret))
		return 0;
	ret_failure->unsure = true;
	api_say(ret_failure->note, "whether the run was made is not known: it was not there when it was looked for; submitted again under the same "
		"id it is looked for first");
	return -1;
}

int
door_kfp_submit(struct door *base, const struct door_submission *submission, struct arena *arena, struct door_run *ret,
		struct api_failure *ret_failure)
{
	struct door_kfp *door = (struct door_kfp *)base;
	const struct value *body = door_kfp_body(door, submission, submission->name, NULL, arena, ret_failure);
	int found;

	if (!body)
		return -1;
	found = submission->token ? door_kfp_find(door, submission->token, arena, ret, ret_failure) : 0;
	return found ? (found > 0 ? 0 : -1) : send_run(door, submission, body, arena, ret, ret_failure);
}
