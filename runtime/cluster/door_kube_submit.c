/* A workflow is created once: under a name that we choose, with our id of the run as a label, so that a request whose answer was
 * lost can be told from one that was never carried out. */
#include "config.h"

#include <string.h>

#include "runtime/cluster/door_kube_private.h"
#include "runtime/cluster/submission.h"

struct submitting {
	struct door *door;
	const struct door_submission *submission;
	struct arena *arena;
	struct api_failure *failure;
};

/* Is the one of our name there, and ours? 0 with *ret set; 1: it is not there. */
static int
look_up(const struct submitting *s, struct door_run *ret)
{
	const struct value *workflow = door_kube_get(s->door, s->door->namespace_, s->submission->name, s->arena, s->failure);

	if (!workflow)
		return s->failure->kind == API_NOT_FOUND ? 1 : -1;
	door_kube_read_run(workflow, s->arena, ret);
	if (ret->token && !strcmp(ret->token, s->submission->token))
		return 0;
	api_refuse(s->failure, API_REFUSED, "the namespace `%s` has a workflow `%s` already", s->door->namespace_, s->submission->name);
	api_say(s->failure->help, "give the run another name, or none");
	return -1;
}

/* 0, or -1 and the failure. *ret_look: it may have been carried out all the same. */
static int
send_once(const struct submitting *s, const struct value *object, struct door_run *ret, bool *ret_look)
{
	struct api_request request = { .method = "POST", .right = door_kube_right("create", s->door->namespace_), .body = object,
		.max = DOOR_KUBE_OBJECT_MAX };
	const struct value *answer;

	/* An unknown field would be dropped without a word, and with it what the pipeline asks for. */
	request.path = arena_printf(s->arena, DOOR_KUBE_WORKFLOWS "/namespaces/%s/workflows?fieldValidation=Strict", s->door->namespace_);
	answer = kube_call(s->door->kube, &request, s->arena, s->failure);
	if (answer) {
		door_kube_read_run(answer, s->arena, ret);
		return 0;
	}
	*ret_look = s->failure->unsure || s->failure->status == 409 || s->failure->status >= 500;
	return -1;
}

int
door_kube_submit(struct door *door, const struct door_submission *submission, struct arena *arena, struct door_run *ret,
		 struct api_failure *ret_failure)
{
	const struct submitting s = { door, submission, arena, ret_failure };
	const struct value *object;
	struct api_failure *first = arena_new_struct(arena, struct api_failure);
	bool look = false;
	int found;

	if (door_kube_check_names(door->namespace_, submission->name, ret_failure))
		return -1;
	/* Argo labels pods with it. */
	if (strlen(submission->name) > SUBMISSION_LABEL_MAX)
		return api_refuse(ret_failure, API_REFUSED, "the run's name `%s` has more than %d characters", submission->name,
			(int)SUBMISSION_LABEL_MAX);
	object = submission_workflow(arena, submission, door->namespace_, ret_failure);
	if (!object)
		return -1;
	if (!send_once(&s, object, ret, &look))
		return 0;
	if (!look)
		return -1;
	*first = *ret_failure;
	found = look_up(&s, ret);
	/* Not there after all. Whether it comes later is not known; it is not sent again, for it might then be there twice. */
	if (found == 1 || (found < 0 && ret_failure->kind == API_STOPPED)) {
		*ret_failure = *first;
		return -1;
	}
	return found;
}
