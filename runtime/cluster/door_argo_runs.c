/* Runs at the Argo server: a new one, created once, and those that are there or were archived. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/control_private.h"
#include "runtime/cluster/door_argo_private.h"
#include "runtime/cluster/door_kube_private.h"
#include "runtime/cluster/edit.h"
#include "runtime/cluster/submission.h"

/* ---- submit ---- */

/* Is the one of our name there, and ours? 0 with *ret set; 1: it is not there. */
static int
look_up(struct door *door, const struct door_submission *submission, struct arena *arena, struct door_run *ret, struct api_failure *ret_failure)
{
	const struct door_run run = { .name = submission->name, .namespace_ = door->namespace_ };
	const struct value *workflow = door_argo_object(door, &run, arena, ret_failure);

	if (!workflow)
		return ret_failure->kind == API_NOT_FOUND ? 1 : -1;
	door_kube_read_run(workflow, arena, ret);
	if (ret->token && !strcmp(ret->token, submission->token))
		return 0;
	return control_fail(ret_failure, "give the run another name, or none", "the namespace `%.200s` has a workflow `%.200s` already", door->namespace_,
		submission->name);
}

int
door_argo_submit(struct door *door, const struct door_submission *submission, struct arena *arena, struct door_run *ret,
		 struct api_failure *ret_failure)
{
	const struct value *object = submission_workflow(arena, submission, door->namespace_, ret_failure), *answer;
	struct api_failure *first = arena_new_struct(arena, struct api_failure);
	int found;

	if (!object)
		return -1;
	answer = door_argo_call(door, "POST", door_argo_path(arena, "workflows", door->namespace_, NULL, ""),
		edit_dict(arena, "namespace", value_string(arena, door->namespace_), "workflow", object, NULL), "create", arena, ret_failure);
	if (answer) {
		door_kube_read_run(answer, arena, ret);
		return 0;
	}
	if (!ret_failure->unsure && ret_failure->status != 409 && ret_failure->status < 500)
		return -1;
	/* It may have been carried out all the same; it is not sent again, for it might then be there twice. */
	*first = *ret_failure;
	found = look_up(door, submission, arena, ret, ret_failure);
	if (found == 1 || (found < 0 && ret_failure->kind == API_STOPPED)) {
		*ret_failure = *first;
		return -1;
	}
	return found;
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
is_there(const struct listing *l, const char *id)
{
	for (size_t i = 0; i < l->runs.n; i++)
		if (!strcmp(l->runs.items[i].id, id))
			return true;
	return false;
}

static void
take_run(struct listing *l, const struct value *object)
{
	const char *name = l->which->name;
	struct door_run run;

	door_kube_read_run(object, l->arena, &run);
	if (name && strcmp(run.name, name) != 0 && strcmp(run.id, name) != 0 && !(run.token && !strcmp(run.token, name)))
		return;
	if (!is_there(l, run.id))
		vec_push(&l->runs, run);
}

/* All pages of a list whose path has a query already. */
static int
take_pages(struct listing *l, const char *path)
{
	const char *at = NULL;

	do {
		struct api_request request = { .method = "GET", .right = { "list", "argoproj.io", "workflows", l->door->namespace_ }, .repeatable = true,
			.max = ARGO_LIST_MAX };
		const struct value *answer, *items;

		request.path = arena_printf(l->arena, "%s&listOptions.limit=%d%s%s", path, (int)ARGO_LIST_PAGE, at ? "&listOptions.continue=" : "",
			at ? api_escaped(l->arena, at) : "");
		answer = api_call(argo_api(((struct door_argo *)l->door)->argo), &request, l->arena, l->failure);
		items = value_get(answer, "items");
		if (!answer)
			return -1;
		for (size_t i = 0; i < value_count(items); i++)
			take_run(l, value_item(items, i));
		at = edit_text_in(answer, "metadata", "continue");
	} while (at && *at && l->runs.n < l->which->max);
	return 0;
}

/* Without nodes and templates, which can be large. */
static const char FIELDS[] = "?fields=metadata.continue,items.metadata,items.status.phase";

static int
take_live(struct listing *l, const char *selector)
{
	return take_pages(l, door_argo_path(l->arena, "workflows", l->door->namespace_, NULL, arena_printf(l->arena, "%s%s", FIELDS, selector)));
}

/* A cluster without an archive is none that fails. */
static void
take_archived(struct listing *l)
{
	const char *fields = arena_printf(l->arena, "metadata.namespace=%s,metadata.name=%s", l->door->namespace_, l->which->name);
	struct api_failure *kept = arena_new_struct(l->arena, struct api_failure);

	*kept = *l->failure;
	if (take_pages(l, arena_printf(l->arena, "/api/v1/archived-workflows?listOptions.fieldSelector=%s", api_escaped(l->arena, fields))))
		*l->failure = *kept;
}

static int
take_all(struct listing *l)
{
	const struct door_list *which = l->which;

	if (which->token)
		return take_live(l, arena_printf(l->arena, "&listOptions.labelSelector=" DOOR_TOKEN_LABEL "%%3D%s", api_escaped(l->arena, which->token)));
	if (!which->name)
		return take_live(l, "");
	if (take_live(l, arena_printf(l->arena, "&listOptions.fieldSelector=metadata.name%%3D%s", api_escaped(l->arena, which->name))))
		return -1;
	if (!l->runs.n)
		take_archived(l);
	/* An id or token can only be found among all. */
	return l->runs.n ? 0 : take_live(l, "");
}

static int
newest_first(const void *left, const void *right)
{
	const struct door_run *a = left, *b = right;

	return (a->created_ms < b->created_ms) - (a->created_ms > b->created_ms);
}

int
door_argo_list(struct door *door, const struct door_list *which, struct arena *arena, struct door_run **ret, size_t *ret_n,
	       struct api_failure *ret_failure)
{
	struct listing l = { .door = door, .which = which, .arena = arena, .failure = ret_failure };
	int rc = take_all(&l);

	*ret_n = 0;
	*ret = NULL;
	if (!rc && l.runs.n) {
		qsort(l.runs.items, l.runs.n, sizeof *l.runs.items, newest_first);
		*ret_n = l.runs.n < which->max ? l.runs.n : which->max;
		*ret = arena_copy(arena, l.runs.items, *ret_n * sizeof **ret);
	}
	vec_release(&l.runs);
	return rc;
}
