/* A workflow is created once: under a name that we choose, with our id of the run as a label, so that a request whose answer was
 * lost can be told from one that was never carried out. */
#include "config.h"

#include <string.h>

#include "runtime/cluster/door_kube_private.h"
#include "runtime/cluster/edit.h"

enum { LABEL_MAX = 63 };

struct submitting {
	struct door *door;
	const struct door_submission *submission;
	struct arena *arena;
	struct api_failure *failure;
};

static const struct value *
text_value(const struct submitting *s, const char *text)
{
	return value_string(s->arena, text);
}

static bool
is_label(const char *text)
{
	static const char inner[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t len = strlen(text);

	return len && len <= LABEL_MAX && strspn(text, inner) == len && !strchr("-_.", text[0]) && !strchr("-_.", text[len - 1]);
}

/* ---- the object ---- */

static const struct value *
metadata_of(const struct submitting *s)
{
	const struct door_submission *submission = s->submission;
	const struct value *m = value_get(submission->workflow, "metadata");

	m = edit_set(s->arena, m, "generateName", NULL);
	m = edit_set(s->arena, m, "name", text_value(s, submission->name));
	m = edit_set(s->arena, m, "namespace", text_value(s, s->door->namespace_));
	m = edit_set_in(s->arena, m, "labels", DOOR_TOKEN_LABEL, text_value(s, submission->token));
	if (!submission->experiment)
		return m;
	if (is_label(submission->experiment))
		return edit_set_in(s->arena, m, "labels", "lateen.dev/experiment", text_value(s, submission->experiment));
	return edit_set_in(s->arena, m, "annotations", "lateen.dev/experiment", text_value(s, submission->experiment));
}

static const struct value *
find_parameter(const struct value *list, const char *name)
{
	for (size_t i = 0; i < edit_count(list); i++) {
		const char *other = value_text(value_get(edit_item(list, i), "name"));

		if (other && !strcmp(other, name))
			return edit_item(list, i);
	}
	return NULL;
}

static const char *
argument_of(const struct door_submission *submission, const struct value *parameter)
{
	const char *name = value_text(value_get(parameter, "name"));

	for (size_t i = 0; name && i < submission->n_args; i++)
		if (!strcmp(submission->args[i][0], name))
			return submission->args[i][1];
	return NULL;
}

/* NULL: an argument that the workflow does not know. */
static const struct value *
parameters_of(const struct submitting *s, const struct value *list)
{
	const struct door_submission *submission = s->submission;
	CLEANUP(freep) const struct value **items = xcalloc(edit_count(list) + 1, sizeof(*items));

	for (size_t i = 0; i < submission->n_args; i++) {
		if (find_parameter(list, submission->args[i][0]))
			continue;
		api_refuse(s->failure, API_REFUSED, "the workflow has no parameter `%.200s`", submission->args[i][0]);
		return NULL;
	}
	for (size_t i = 0; i < edit_count(list); i++) {
		const char *text = argument_of(submission, edit_item(list, i));

		items[i] = edit_item(list, i);
		if (text)
			items[i] = edit_set(s->arena, edit_set(s->arena, items[i], "valueFrom", NULL), "value", text_value(s, text));
	}
	return value_list(s->arena, items, edit_count(list));
}

static const struct value *
spec_of(const struct submitting *s)
{
	const struct value *spec = value_get(s->submission->workflow, "spec"), *arguments = value_get(spec, "arguments"), *parameters;
	const struct value *pods = value_get(spec, "podMetadata");

	pods = edit_set_in(s->arena, pods, "labels", DOOR_TOKEN_LABEL, text_value(s, s->submission->token));
	spec = edit_set(s->arena, spec, "podMetadata", pods);
	if (!s->submission->n_args)
		return spec;
	parameters = parameters_of(s, value_get(arguments, "parameters"));
	return parameters ? edit_set(s->arena, spec, "arguments", edit_set(s->arena, arguments, "parameters", parameters)) : NULL;
}

static const struct value *
object_of(const struct submitting *s)
{
	const struct value *spec = spec_of(s);

	if (!spec)
		return NULL;
	return edit_set(s->arena, edit_set(s->arena, s->submission->workflow, "metadata", metadata_of(s)), "spec", spec);
}

/* ---- sending ---- */

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
	object = object_of(&s);
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
