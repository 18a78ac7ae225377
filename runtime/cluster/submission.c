#include "config.h"

#include "runtime/cluster/submission.h"

#include <string.h>

#include "runtime/cluster/control_private.h"
#include "runtime/cluster/edit.h"

bool
submission_is_label(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t len = strlen(text);

	return len && len <= SUBMISSION_LABEL_MAX && strspn(text, letters) == len && !strchr("-_.", text[0]) && !strchr("-_.", text[len - 1]);
}

/* ---- arguments ---- */

static size_t
place_of(const struct value *parameters, const char *name)
{
	for (size_t i = 0; i < value_count(parameters); i++) {
		const char *other = value_text(value_get(value_item(parameters, i), "name"));

		if (other && !strcmp(other, name))
			return i;
	}
	return SIZE_MAX;
}

/* The spec with the arguments over its own; NULL when it has no such parameter. */
static const struct value *
with_arguments(struct arena *arena, const struct value *spec, const struct door_submission *submission, struct api_failure *ret_failure)
{
	const struct value *arguments = value_get(spec, "arguments"), *parameters = value_get(arguments, "parameters");
	size_t n = value_count(parameters);
	const struct value **items = arena_alloc(arena, (n + 1) * sizeof *items);

	for (size_t i = 0; i < n; i++)
		items[i] = value_item(parameters, i);
	for (size_t i = 0; i < submission->n_args; i++) {
		size_t at = place_of(parameters, submission->args[i][0]);

		if (at == SIZE_MAX) {
			control_fail(ret_failure, "see what it has: `spec.arguments.parameters` of what `compile` shows",
				"the workflow has no parameter `%.200s`", submission->args[i][0]);
			return NULL;
		}
		items[at] = edit_set(arena, edit_set(arena, items[at], "valueFrom", NULL), "value", value_string(arena, submission->args[i][1]));
	}
	if (!submission->n_args)
		return spec;
	return edit_set(arena, spec, "arguments", edit_set(arena, arguments, "parameters", value_list(arena, items, n)));
}

static const struct value *
with_experiment(struct arena *arena, const struct value *metadata, const char *experiment)
{
	if (!experiment)
		return metadata;
	return edit_set_in(arena, metadata, submission_is_label(experiment) ? "labels" : "annotations", SUBMISSION_EXPERIMENT,
		value_string(arena, experiment));
}

/* ---- a run ---- */

const struct value *
submission_workflow(struct arena *arena, const struct door_submission *submission, const char *namespace_, struct api_failure *ret_failure)
{
	const struct value *workflow = submission->workflow, *metadata = value_get(workflow, "metadata");
	const struct value *token = value_string(arena, submission->token), *spec, *pods;

	spec = with_arguments(arena, value_get(workflow, "spec"), submission, ret_failure);
	if (!spec)
		return NULL;
	pods = edit_set_in(arena, value_get(spec, "podMetadata"), "labels", DOOR_TOKEN_LABEL, token);
	metadata = edit_set(arena, metadata, "generateName", NULL);
	metadata = edit_set(arena, metadata, "name", value_string(arena, submission->name));
	metadata = edit_set(arena, metadata, "namespace", value_string(arena, namespace_));
	metadata = edit_set_in(arena, metadata, "labels", DOOR_TOKEN_LABEL, token);
	metadata = with_experiment(arena, metadata, submission->experiment);
	workflow = edit_set(arena, workflow, "metadata", metadata);
	return edit_set(arena, workflow, "spec", edit_set(arena, spec, "podMetadata", pods));
}

/* ---- what begins by itself, or is begun there ---- */

static const struct value *
head(struct arena *arena, const char *kind, const struct value *metadata, const struct value *spec)
{
	return edit_dict(arena, "apiVersion", value_string(arena, "argoproj.io/v1alpha1"), "kind", value_string(arena, kind), "metadata", metadata,
		"spec", spec, NULL);
}

/* "GitHub issues, v2" as "github-issues-v2"; NULL when nothing is left of it. */
static const char *
name_of(struct arena *arena, const char *text, size_t max)
{
	char *name = arena_alloc(arena, strlen(text) + 1);
	size_t n = 0;

	for (; *text && n < max; text++) {
		char c = (char)(*text >= 'A' && *text <= 'Z' ? *text - 'A' + 'a' : *text);

		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			name[n++] = c;
		else if (n && name[n - 1] != '-')
			name[n++] = '-';
	}
	while (n && name[n - 1] == '-')
		n--;
	name[n] = '\0';
	return n ? name : NULL;
}

static const struct value *
metadata_of(struct arena *arena, const char *name, const char *namespace_, const char *text, const char *made_by, const struct value *old)
{
	const struct value *metadata = edit_dict(arena, "name", value_string(arena, name), "namespace", value_string(arena, namespace_), "labels",
		value_get(old, "labels"), "annotations", value_get(old, "annotations"), NULL);

	metadata = edit_set_in(arena, metadata, "labels", SUBMISSION_MADE_BY, value_string(arena, made_by));
	return strcmp(name, text) != 0 ? edit_set_in(arena, metadata, "annotations", SUBMISSION_DISPLAY, value_string(arena, text)) : metadata;
}

static const char *
check_schedule(struct arena *arena, const struct door_schedule *schedule, struct api_failure *ret_failure)
{
	const char *name = name_of(arena, schedule->name, SIZE_MAX);

	if (!name) {
		control_fail(ret_failure, "give it one of letters and digits: `as \"…\"`", "`%.200s` is no name that a schedule can have", schedule->name);
		return NULL;
	}
	if (strlen(name) > SUBMISSION_CRON_MAX) {
		control_fail(ret_failure, "give it a shorter one: `as \"…\"`",
			"the schedule's name `%.300s` is too long: it has %zu letters, and Argo takes %d, for each run's name adds the time to it", name,
			strlen(name), (int)SUBMISSION_CRON_MAX);
		return NULL;
	}
	if (schedule->concurrency != 0 && schedule->concurrency != 1) {
		control_fail(ret_failure, "say 1, or set no limit; Kubeflow Pipelines can count",
			"Argo lets one run of a schedule go on at a time, or any number, but not %lld", (long long)schedule->concurrency);
		return NULL;
	}
	return name;
}

const struct value *
submission_cron(struct arena *arena, const struct door_submission *submission, const struct door_schedule *schedule, const char *namespace_,
		bool plural, struct api_failure *ret_failure)
{
	const struct value *old = value_get(submission->workflow, "metadata"), *cron = value_string(arena, schedule->cron), *spec, *of_runs;
	const char *name = check_schedule(arena, schedule, ret_failure);

	if (!name)
		return NULL;
	spec = with_arguments(arena, value_get(submission->workflow, "spec"), submission, ret_failure);
	if (!spec)
		return NULL;
	of_runs = edit_dict(arena, "labels", value_get(old, "labels"), "annotations", value_get(old, "annotations"), NULL);
	of_runs = edit_set_in(arena, of_runs, "labels", "lateen.dev/schedule", value_string(arena, name));
	of_runs = with_experiment(arena, of_runs, submission->experiment);
	spec = edit_dict(arena, plural ? "schedules" : "schedule", plural ? value_list(arena, &cron, 1) : cron, "timezone",
		schedule->timezone ? value_string(arena, schedule->timezone) : NULL, "concurrencyPolicy",
		value_string(arena, schedule->concurrency == 1 ? "Forbid" : "Allow"), "startingDeadlineSeconds",
		schedule->catch_up ? value_integer(arena, SUBMISSION_CATCH_UP) : NULL, "workflowMetadata", of_runs, "workflowSpec", spec, NULL);
	return head(arena, "CronWorkflow", metadata_of(arena, name, namespace_, schedule->name, "schedule", NULL), spec);
}

const struct value *
submission_template(struct arena *arena, const char *name, const struct value *workflow, const char *namespace_,
		    struct api_failure *ret_failure)
{
	const char *real = name_of(arena, name, SUBMISSION_LABEL_MAX);

	if (!real) {
		control_fail(ret_failure, "give it one of letters and digits: `as \"…\"`", "`%.200s` is no name that a template can have", name);
		return NULL;
	}
	return head(arena, "WorkflowTemplate", metadata_of(arena, real, namespace_, name, "upload", value_get(workflow, "metadata")),
		value_get(workflow, "spec"));
}
