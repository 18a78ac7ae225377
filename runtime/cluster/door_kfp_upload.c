/* A pipeline, or a further version of one. */
#include "config.h"

#include <string.h>

#include "base/sha256.h"
#include "runtime/cluster/door_kfp_private.h"
#include "base/value.h"

#define BOUNDARY "lateen-7d9f2c51b0e84a36-part"

/* multipart/form-data (RFC 7578) with one file. JSON is YAML, too, and our own: nothing that the server's reader would hang on. */
static void
write_form(const struct value *workflow, struct buf *ret)
{
	buf_puts(ret, "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"uploadfile\"; filename=\"pipeline.yaml\"\r\n"
		"Content-Type: application/octet-stream\r\n\r\n");
	value_write_json_pretty(ret, workflow, 2);
	buf_puts(ret, "\r\n--" BOUNDARY "--\r\n");
}

static const struct value *
post_form(struct door_kfp *door, const char *path, const struct buf *form, struct arena *arena, struct api_failure *ret_failure)
{
	const struct api_request request = { .method = "POST", .path = path, .bytes = buf_text(form), .n_bytes = form->len,
		.content_type = "multipart/form-data; boundary=" BOUNDARY };

	return api_call(kfp_api(door->kfp), &request, arena, ret_failure);
}

/* The first of a list whose name is that; NULL without a failure: there is none. */
static const struct value *
find(struct door_kfp *door, const char *path, const char *list, struct arena *arena, bool *ret_failed, struct api_failure *ret_failure)
{
	const struct value *answer = kfp_get(door->kfp, path, 0, arena, ret_failure), *found = value_get(answer, list);

	*ret_failed = !answer;
	return value_count(found) ? value_item(found, 0) : NULL;
}

static const struct value *
find_pipeline(struct door_kfp *door, const char *name, struct arena *arena, bool *ret_failed, struct api_failure *ret_failure)
{
	return find(door, arena_printf(arena, KFP_V1 "/pipelines?page_size=1&%s%s", kfp_filter(arena, "name", name), door_kfp_owner_query(door, arena)),
		    "pipelines", arena, ret_failed, ret_failure);
}

static const struct value *
find_version(struct door_kfp *door, const char *pipeline, const char *name, struct arena *arena, bool *ret_failed,
	     struct api_failure *ret_failure)
{
	return find(door, arena_printf(arena, KFP_V1 "/pipeline_versions?page_size=1&resource_key.type=PIPELINE&resource_key.id=%s&%s",
		api_escaped(arena, pipeline), kfp_filter(arena, "name", name)), "versions", arena, ret_failed, ret_failure);
}

/* The same workflow is the same version, by its name: so nothing is there twice, whatever becomes of the answers. */
static const char *
version_name(const char *name, const struct buf *form, struct arena *arena)
{
	char digest[SHA256_HEX];

	sha256_hex(buf_text(form), form->len, digest);
	return arena_printf(arena, "%.80s-%.10s", name, digest);
}

static const char *
add_version(struct door_kfp *door, const char *pipeline, const char *name, const struct buf *form, struct arena *arena,
	    struct api_failure *ret_failure)
{
	const char *version = version_name(name, form, arena);
	const char *path = arena_printf(arena, KFP_V1 "/pipelines/upload_version?name=%s&pipelineid=%s", api_escaped(arena, version),
		api_escaped(arena, pipeline));
	bool failed;
	const struct value *found = find_version(door, pipeline, version, arena, &failed, ret_failure);

	if (failed)
		return NULL;
	if (!found)
		found = post_form(door, path, form, arena, ret_failure);
	if (!found && (ret_failure->status == 409 || ret_failure->unsure)) {
		struct api_failure ignored;

		found = find_version(door, pipeline, version, arena, &failed, &ignored);
	}
	return value_text(value_get(found, "id"));
}

static const char *
add_pipeline(struct door_kfp *door, const char *name, const struct buf *form, struct arena *arena, struct api_failure *ret_failure)
{
	const char *namespace_ = *door->door.namespace_ ? arena_printf(arena, "&namespace=%s", api_escaped(arena, door->door.namespace_)) : "";
	const char *path = arena_printf(arena, KFP_V1 "/pipelines/upload?name=%s%s", api_escaped(arena, name), namespace_);
	const struct value *pipeline = post_form(door, path, form, arena, ret_failure);

	if (!pipeline && (ret_failure->status == 409 || ret_failure->unsure)) {
		struct api_failure ignored;
		bool failed;

		pipeline = find_pipeline(door, name, arena, &failed, &ignored);
	}
	return value_text(value_get(value_get(pipeline, "default_version"), "id"));
}

int
door_kfp_upload(struct door *base, const char *name, const struct value *workflow, struct arena *arena, const char **ret_id,
		struct api_failure *ret_failure)
{
	struct door_kfp *door = (struct door_kfp *)base;
	struct buf form = { 0 };
	const struct value *there;
	const char *id = NULL;
	bool failed;

	write_form(workflow, &form);
	if (form.len > KFP_UPLOAD_MAX) {
		api_refuse(ret_failure, API_REFUSED, "the pipeline is %zu bytes long, and Kubeflow Pipelines takes %d", form.len, (int)KFP_UPLOAD_MAX);
		buf_release(&form);
		return -1;
	}
	there = find_pipeline(door, name, arena, &failed, ret_failure);
	*ret_failure = failed ? *ret_failure : (struct api_failure){ .kind = API_WRONG_SERVER };
	if (there)
		id = add_version(door, value_text(value_get(there, "id")), name, &form, arena, ret_failure);
	else if (!failed)
		id = add_pipeline(door, name, &form, arena, ret_failure);
	buf_release(&form);
	*ret_id = id;
	if (!id && !*ret_failure->what)
		api_refuse(ret_failure, API_WRONG_SERVER, "`%s` took the pipeline without saying its version", kfp_api(door->kfp)->server);
	return id ? 0 : -1;
}

const struct value *
door_kfp_parameters(struct door *base, const char *version, struct arena *arena, struct api_failure *ret_failure)
{
	static const struct value none = { .kind = VALUE_LIST };
	struct door_kfp *door = (struct door_kfp *)base;
	const struct value *answer = kfp_get(door->kfp, door_kfp_path(arena, "/pipeline_versions/", version, ""), 0, arena, ret_failure);
	const struct value *list = value_get(answer, "parameters");

	if (!answer)
		return NULL;
	return list && list->kind == VALUE_LIST ? list : &none;
}

const char *
door_kfp_version(struct door *base, const char *pipeline, struct arena *arena, struct api_failure *ret_failure)
{
	struct door_kfp *door = (struct door_kfp *)base;
	bool failed;
	const struct value *found = find_pipeline(door, pipeline, arena, &failed, ret_failure);
	const char *id = value_text(value_get(value_get(found, "default_version"), "id"));

	if (id || failed)
		return id;
	api_refuse(ret_failure, API_NOT_FOUND, "Kubeflow Pipelines has no pipeline `%.200s`", pipeline);
	api_say(ret_failure->help, "upload it first");
	return NULL;
}
