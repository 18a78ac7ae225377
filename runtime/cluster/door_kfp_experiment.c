/* An experiment by its name. */
#include "config.h"

#include <string.h>

#include "runtime/cluster/door_kfp_private.h"
#include "runtime/cluster/edit.h"

/* Its id, or NULL: without a failure there is none. */
static const char *
find(struct door_kfp *door, const char *name, struct arena *arena, bool *ret_failed, struct api_failure *ret_failure)
{
	const char *path = arena_printf(arena, KFP_V1 "/experiments?page_size=1&%s%s", kfp_filter(arena, "name", name),
		door_kfp_owner_query(door, arena));
	const struct value *answer = kfp_get(door->kfp, path, 0, arena, ret_failure), *list = value_get(answer, "experiments");
	const struct value *one = value_count(list) ? value_item(list, 0) : NULL;
	const char *state = value_text(value_get(one, "storage_state"));

	*ret_failed = !answer;
	if (!state || !strstr(state, "ARCHIVED"))
		return value_text(value_get(one, "id"));
	*ret_failed = true;
	api_refuse(ret_failure, API_REFUSED, "the experiment `%.200s` is archived, so no run can be added to it", name);
	api_say(ret_failure->help, "restore it in Kubeflow's pages, or name another");
	return NULL;
}

static const struct value *
body_of(struct door_kfp *door, const char *name, struct arena *arena)
{
	const struct value *owner = door_kfp_reference(arena, "NAMESPACE", door->door.namespace_, "OWNER");

	return edit_dict(arena, "name", value_string(arena, name), "resource_references",
			 *door->door.namespace_ ? value_list(arena, &owner, 1) : NULL, NULL);
}

const char *
door_kfp_experiment(struct door_kfp *door, const char *name, struct arena *arena, struct api_failure *ret_failure)
{
	bool failed;
	const char *id = find(door, name, arena, &failed, ret_failure);
	const struct value *answer;

	if (id || failed)
		return id;
	answer = kfp_post(door->kfp, KFP_V1 "/experiments", body_of(door, name, arena), arena, ret_failure);
	id = value_text(value_get(answer, "id"));
	/* someone else made it meanwhile, or we did and the answer was lost */
	if (!id && !answer && (ret_failure->status == 409 || ret_failure->unsure)) {
		struct api_failure ignored;

		id = find(door, name, arena, &failed, &ignored);
	}
	if (answer && !id)
		api_refuse(ret_failure, API_WRONG_SERVER, "`%s` made an experiment without saying its id", kfp_api(door->kfp)->server);
	return id;
}
