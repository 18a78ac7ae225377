/* Runs that are there. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/rfc3339.h"
#include "runtime/cluster/door_kfp_private.h"
#include "runtime/cluster/edit.h"

/* Ids are UUIDs, by which alone a run can be asked for. */
static bool
is_uuid(const char *text)
{
	return strlen(text) == 36 && strspn(text, "0123456789abcdefABCDEF-") == 36 && text[8] == '-' && text[13] == '-';
}

static enum phase
phase_of(const char *status)
{
	enum phase phase;

	if (!status || !*status)
		return PHASE_PENDING;
	return phase_from_name(status, &phase) ? PHASE_RUNNING : phase; /* Terminating */
}

/* Of the references of a run, the id of that type; "" if there is none. */
static const char *
reference(const struct value *run, const char *type)
{
	const struct value *list = value_get(run, "resource_references");

	for (size_t i = 0; i < value_count(list); i++) {
		const struct value *key = value_get(value_item(list, i), "key");
		const char *is = value_text(value_get(key, "type")), *id = value_text(value_get(key, "id"));

		if (is && id && !strcmp(is, type))
			return id;
	}
	return "";
}

void
door_kfp_read_run(const struct door_kfp *door, const struct value *run, struct arena *arena, struct door_run *ret)
{
	const char *id = value_text(value_get(run, "id")), *created = value_text(value_get(run, "created_at"));
	const char *description = value_text(value_get(run, "description")), *namespace_ = reference(run, "NAMESPACE");
	int64_t ms = created ? rfc3339_read(created) : -1;

	*ret = (struct door_run){ .id = id ? id : "", .name = "", .display = value_text(value_get(run, "name")),
		.namespace_ = *namespace_ ? namespace_ : door->door.namespace_, .phase = phase_of(value_text(value_get(run, "status"))) };
	if (description && !strncmp(description, DOOR_KFP_TOKEN, strlen(DOOR_KFP_TOKEN))) {
		const char *token = description + strlen(DOOR_KFP_TOKEN);

		ret->token = arena_strndup(arena, token, strcspn(token, " \n"));
	}
	ret->created_ms = ms > 0 ? ms : 0;
}

void
door_kfp_read_detail(const struct door_kfp *door, const struct value *detail, struct arena *arena, struct door_run *ret)
{
	const char *manifest = door_kfp_manifest(detail), *name, *namespace_;
	const struct value *workflow = manifest ? value_read_json(arena, manifest, strlen(manifest), NULL) : NULL;

	door_kfp_read_run(door, value_get(detail, "run"), arena, ret);
	name = edit_text_in(workflow, "metadata", "name");
	namespace_ = edit_text_in(workflow, "metadata", "namespace");
	ret->name = name ? name : "";
	if (namespace_ && !*ret->namespace_)
		ret->namespace_ = namespace_;
}

const char *
door_kfp_owner_query(const struct door_kfp *door, struct arena *arena)
{
	const char *namespace_ = door->door.namespace_;

	return *namespace_ ? arena_printf(arena, "&resource_reference_key.type=NAMESPACE&resource_reference_key.id=%s",
					  api_escaped(arena, namespace_)) : "";
}

/* One page more; -1 with *ret_failure. *token: of the next one, or NULL. */
static int
add_page(struct door_kfp *door, const char *filter, size_t n, const char **token, struct arena *arena, struct door_run *ret,
	 size_t *ret_n, struct api_failure *ret_failure)
{
	const char *page = *token ? arena_printf(arena, "&page_token=%s", api_escaped(arena, *token)) : "";
	const char *path = arena_printf(arena, KFP_V1 "/runs?page_size=%zu&sort_by=created_at%%20desc%s%s%s%s", n, door_kfp_owner_query(door, arena),
		*filter ? "&" : "", filter, page);
	struct arena *scratch = arena_new(); /* each run comes with its manifest, which nobody wants */
	const struct value *answer = kfp_get(door->kfp, path, KFP_LIST_BYTES_MAX, scratch, ret_failure), *runs = value_get(answer, "runs");
	const char *next = value_text(value_get(answer, "next_page_token"));

	*token = next && *next ? arena_strdup(arena, next) : NULL;
	for (size_t i = 0; i < value_count(runs) && i < n; i++) {
		const struct value *run = edit_set(scratch, value_item(runs, i), "pipeline_spec", NULL);

		door_kfp_read_run(door, value_clone(arena, run), arena, &ret[(*ret_n)++]);
	}
	if (!answer)
		ret_failure->answer = NULL; /* it goes with the scratch */
	arena_free(scratch);
	return answer ? 0 : -1;
}

static int
list_all(struct door_kfp *door, const char *filter, size_t max, struct arena *arena, struct door_run **ret, size_t *ret_n,
	 struct api_failure *ret_failure)
{
	struct door_run *runs = arena_alloc(arena, (max + 1) * sizeof *runs);
	const char *token = NULL;

	*ret = runs;
	*ret_n = 0;
	do {
		size_t before = *ret_n, n = max - before < KFP_LIST_PAGE ? max - before : (size_t)KFP_LIST_PAGE;

		if (add_page(door, filter, n, &token, arena, runs, ret_n, ret_failure))
			return -1;
		if (*ret_n == before)
			break;
	} while (token && *ret_n < max);
	return 0;
}

static int
list_one(struct door_kfp *door, const char *id, struct arena *arena, struct door_run **ret, size_t *ret_n, struct api_failure *ret_failure)
{
	const struct value *detail = door_kfp_detail(door, id, arena, ret_failure);
	struct door_run *run = arena_alloc(arena, sizeof *run);

	*ret = run;
	*ret_n = 0;
	if (!detail)
		return ret_failure->kind == API_NOT_FOUND ? 0 : -1;
	door_kfp_read_detail(door, detail, arena, run);
	*ret_n = 1;
	return 0;
}

/* A list does not say the workflow's name; whoever looks for one run wants it. */
static void
complete(struct door_kfp *door, struct arena *arena, struct door_run *run)
{
	struct api_failure ignored;
	const struct value *detail = door_kfp_detail(door, run->id, arena, &ignored);

	if (detail)
		door_kfp_read_detail(door, detail, arena, run);
}

int
door_kfp_list(struct door *base, const struct door_list *which, struct arena *arena, struct door_run **ret, size_t *ret_n,
	      struct api_failure *ret_failure)
{
	struct door_kfp *door = (struct door_kfp *)base;
	const char *filter = "";

	if (which->token)
		filter = kfp_filter(arena, "description", arena_printf(arena, DOOR_KFP_TOKEN "%s", which->token));
	else if (which->name && is_uuid(which->name))
		return list_one(door, which->name, arena, ret, ret_n, ret_failure);
	else if (which->name)
		filter = kfp_filter(arena, "name", which->name);
	if (list_all(door, filter, which->max ? which->max : KFP_LIST_PAGE, arena, ret, ret_n, ret_failure))
		return -1;
	if (*filter && *ret_n == 1)
		complete(door, arena, *ret);
	return 0;
}

int
door_kfp_find(struct door_kfp *door, const char *token, struct arena *arena, struct door_run *ret, struct api_failure *ret_failure)
{
	const struct door_list which = { .token = token, .max = 1 };
	struct door_run *runs;
	size_t n;

	if (door_kfp_list(&door->door, &which, arena, &runs, &n, ret_failure))
		return -1;
	if (n)
		*ret = runs[0];
	return n ? 1 : 0;
}
