/* What is asked of a whole cluster. */
#include "config.h"

#include "kernel/steer.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/markup.h"
#include "dsl/target.h"
#include "runtime/cluster/cleanup.h"
#include "runtime/cluster/control.h"
#include "runtime/cluster/door_kfp.h"
#include "runtime/cluster/prepare.h"

static int
open_cluster(struct target_door *ret, const struct steer_cluster *request, struct diags *diags)
{
	const struct target_request where = { .cluster = request->cluster, .span = request->span, .stop = request->stop,
					      .context = request->context };

	return target_open(ret, &where, diags);
}

static int
failed(const struct steer_cluster *request, const struct api_failure *failure, struct diags *diags)
{
	if (failure->kind != API_STOPPED)
		target_explain(diags, request->span, NULL, failure);
	return -1;
}

static void
say_chosen(const struct target_door *target, struct buf *said)
{
	if (target->chosen)
		buf_printf(said, "%s: %s\n", target->cluster->name, target->chosen);
}

/* ---- runs ---- */

static void
format_time(char ret[32], int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm when;

	ret[0] = '\0';
	if (ms && localtime_r(&seconds, &when))
		strftime(ret, 32, "%Y-%m-%d %H:%M:%S", &when);
}

static const char *
shown_name(const struct door_run *run)
{
	return *run->name ? run->name : run->display ? run->display : run->id;
}

static void
html_cell(struct buf *html, const char *text)
{
	buf_puts(html, "<td style=\"text-align:left\">");
	markup_isolate(html, text, strlen(text));
	buf_puts(html, "</td>");
}

static void
write_runs(const struct door_run *runs, size_t n, struct buf *text, struct buf *html)
{
	char created[32];

	if (html)
		buf_puts(html, "<table><thead><tr><th>run</th><th>phase</th><th>created</th><th>by</th></tr></thead><tbody>");
	for (size_t i = 0; i < n; i++) {
		const char *by = runs[i].token ? "Lateen" : "";

		format_time(created, runs[i].created_ms);
		buf_printf(text, "%-40s %-10s %-20s %s\n", shown_name(&runs[i]), phase_name(runs[i].phase), created, by);
		if (!html)
			continue;
		buf_puts(html, "<tr>");
		html_cell(html, shown_name(&runs[i]));
		html_cell(html, phase_name(runs[i].phase));
		html_cell(html, created);
		html_cell(html, by);
		buf_puts(html, "</tr>");
	}
	if (html)
		buf_puts(html, "</tbody></table>");
}

int
steer_runs(const struct steer_cluster *request, struct diags *diags, struct buf *text, struct buf *html)
{
	const struct door_list all = { .max = STEER_RUNS_MAX };
	struct target_door target;
	struct api_failure failure;
	struct door_run *runs;
	size_t n;
	int rc = open_cluster(&target, request, diags);

	if (rc == 0 && target.door->ops->list(target.door, &all, target.arena, &runs, &n, &failure) < 0)
		rc = failed(request, &failure, diags);
	if (rc == 0) {
		say_chosen(&target, text);
		if (n)
			write_runs(runs, n, text, html);
		else
			buf_printf(text, "`%s` has no runs%s%s\n", target.cluster->name, *target.door->namespace_ ? " in the namespace " : "",
				target.door->namespace_);
		if (!n && html)
			buf_puts(html, "<p>no runs</p>");
	}
	target_close(&target);
	return rc;
}

/* ---- prepare and cleanup ---- */

/* Both ask Kubernetes, whatever the door. */
static int
need_kube(const struct target_door *target, const struct steer_cluster *request, struct diags *diags)
{
	struct diag *d;

	if (target->kube)
		return 0;
	d = diags_add(diags, DIAG_L1015, request->span, "`%s` is reached by a server's address alone, and this asks its Kubernetes", target->cluster->name);
	diag_help(diags, d, "give the cluster `context \"…\"` or `kubeconfig \"…\"` beside the address");
	return -1;
}

/* A cluster that is looked at before anything runs there need not have Argo: no kind is looked for. */
static int
open_kube_of(struct target_door *ret, const struct steer_cluster *request, struct diags *diags)
{
	struct cluster cluster = *request->cluster;
	const struct target_request where = { .cluster = &cluster, .span = request->span, .stop = request->stop, .context = request->context };

	if (cluster.kind == CLUSTER_KIND_AUTO)
		cluster.kind = CLUSTER_KIND_ARGO;
	if (target_open(ret, &where, diags) < 0)
		return -1;
	return need_kube(ret, request, diags);
}

/* Where runs are: a Kubeflow of one user has them where it is itself. */
static const char *
runs_namespace(const struct target_door *target)
{
	if (target->cluster->namespace_)
		return target->cluster->namespace_;
	if (*target->door->namespace_)
		return target->door->namespace_;
	return target->door->ops->kind == DOOR_KFP ? "kubeflow" : NULL;
}

static void
write_indented(struct buf *buf, const char *text, const char *indent)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		buf_printf(buf, "%s%.*s\n", indent, (int)n, text);
		text += n + (text[n] == '\n');
	}
}

static void
write_item(struct buf *said, const char *state, const char *what, const char *note, const char *help)
{
	buf_printf(said, "%-14s %s%s%s\n", state, what, note ? ": " : "", note ? note : "");
	if (help)
		write_indented(said, help, "               ");
}

int
steer_prepare(const struct steer_cluster *request, bool apply, struct diags *diags, struct buf *said)
{
	struct prepare_request what = { .apply = apply };
	struct target_door target;
	struct api_failure failure;
	struct prepare prepare = { 0 };
	size_t missing = 0;
	int rc = open_kube_of(&target, request, diags);

	if (rc == 0) {
		what.kube = target.kube;
		what.namespace_ = runs_namespace(&target);
		rc = prepare_run(&prepare, &what, &failure);
		if (rc < 0)
			failed(request, &failure, diags);
		for (size_t i = 0; i < prepare.items.n; i++) {
			const struct prepare_item *item = &prepare.items.items[i];

			write_item(said, prepare_state_name(item->state), item->what, item->note, item->help);
			if (item->command && item->state != PREPARE_THERE)
				write_indented(said, item->command, "                   $ ");
			missing += item->state == PREPARE_MISSING;
		}
		prepare_release(&prepare);
	}
	if (rc == 0 && missing && !apply)
		buf_printf(said, "`prepare %s apply` makes what is missing\n", request->cluster->name);
	target_close(&target);
	return rc;
}

int
steer_cleanup(const struct steer_cluster *request, bool apply, struct diags *diags, struct buf *said)
{
	static const char *const states[] = { [CLEANUP_FOUND] = "found", [CLEANUP_REMOVED] = "removed", [CLEANUP_KEPT] = "kept",
					      [CLEANUP_FAILED] = "failed" };
	struct cleanup_request what = { .apply = apply };
	struct target_door target;
	struct api_failure failure;
	struct cleanup cleanup = { 0 };
	size_t found = 0;
	int rc = open_kube_of(&target, request, diags);

	if (rc == 0) {
		what.kube = target.kube;
		what.namespace_ = runs_namespace(&target);
		rc = cleanup_run(&cleanup, &what, &failure);
		if (rc < 0)
			failed(request, &failure, diags);
		for (size_t i = 0; i < cleanup.items.n; i++) {
			const struct cleanup_item *item = &cleanup.items.items[i];

			write_item(said, states[item->state], item->what, item->note, item->help);
			found += item->state == CLEANUP_FOUND;
		}
		if (rc == 0 && !cleanup.items.n)
			buf_printf(said, "there is nothing of Lateen's on `%s`\n", request->cluster->name);
		cleanup_release(&cleanup);
	}
	if (rc == 0 && found && !apply)
		buf_printf(said, "`cleanup %s apply` removes what was found\n", request->cluster->name);
	target_close(&target);
	return rc;
}

/* ---- pipelines ---- */

/* The object for that door: of the plan with the given values in place of its defaults. */
static const struct value *
workflow_of(const struct target_door *target, const struct steer_pipeline *what, struct diags *diags)
{
	enum target format = target->door->ops->kind == DOOR_KFP ? TARGET_KFP : TARGET_ARGO;
	struct plan_param *params;
	struct target_report report;
	struct plan copy;

	if (!what->plan)
		return what->workflow;
	copy = *what->plan;
	params = arena_copy(target->arena, copy.params, copy.n_params * sizeof *params + 1);
	for (size_t i = 0; what->args && i < copy.n_params; i++) {
		if (what->args->values && what->args->values[i])
			params[i].fallback = what->args->values[i];
		if (what->args->secrets && what->args->secrets[i])
			params[i].secret = what->args->secrets[i];
	}
	copy.params = params;
	return target_compile(target->arena, &copy, format, diags, &report);
}

static void
list_parameters(const struct value *workflow, struct buf *said)
{
	const struct value *list = value_get(value_get(value_get(workflow, "spec"), "arguments"), "parameters");

	for (size_t i = 0; list && list->kind == VALUE_LIST && i < list->list.n; i++) {
		const char *name = value_text(value_get(list->list.items[i], "name"));
		const char *text = value_text(value_get(list->list.items[i], "value"));

		if (name)
			buf_printf(said, "  %s%s%s\n", name, text ? " = " : " (must be given)", text ? text : "");
	}
}

int
steer_upload(const struct steer_cluster *request, const struct steer_pipeline *what, struct diags *diags, struct buf *said)
{
	struct target_door target;
	struct api_failure failure;
	const struct value *workflow = NULL;
	const char *id;
	int rc = open_cluster(&target, request, diags);

	if (rc == 0 && !(workflow = workflow_of(&target, what, diags)))
		rc = -1;
	if (rc == 0 && target.door->ops->upload(target.door, what->name, workflow, target.arena, &id, &failure) < 0)
		rc = failed(request, &failure, diags);
	if (rc == 0) {
		say_chosen(&target, said);
		buf_printf(said, "`%s` is on `%s` as %s %s\n", what->name, target.cluster->name,
			target.door->ops->kind == DOOR_KFP ? "the pipeline version" : "the WorkflowTemplate", id);
		list_parameters(workflow, said);
	}
	target_close(&target);
	return rc;
}

int
steer_schedule(const struct steer_cluster *request, const struct steer_pipeline *what, const char *name, const char *cron,
	       const char *zone, const char *experiment, struct diags *diags, struct buf *said)
{
	const struct door_schedule schedule = { .name = name, .cron = cron, .timezone = zone, .concurrency = 1 };
	struct door_submission submission = { .name = name, .experiment = experiment };
	struct target_door target;
	struct api_failure failure;
	const char *id;
	int rc = open_cluster(&target, request, diags);

	if (rc == 0 && !(submission.workflow = workflow_of(&target, what, diags)))
		rc = -1;
	if (rc == 0 && !experiment)
		submission.experiment = target.cluster->experiment;
	if (rc == 0 && target.door->ops->schedule(target.door, &submission, &schedule, target.arena, &id, &failure) < 0)
		rc = failed(request, &failure, diags);
	if (rc == 0) {
		say_chosen(&target, said);
		buf_printf(said, "`%s` runs on `%s` at \"%s\"%s%s, as %s %s\n", what->name, target.cluster->name, cron, zone ? " of " : "",
			zone ? zone : "", target.door->ops->kind == DOOR_KFP ? "the recurring run" : "the CronWorkflow", id);
	}
	target_close(&target);
	return rc;
}

/* Sends it under a name and a token of ours, so that it is one run however often it is sent. */
static int
submit(struct target_door *target, struct door_submission *submission, const char *pipeline, struct span span, struct arena *arena,
       const char **ret_run, const char **ret_where, struct diags *diags)
{
	struct api_failure failure;
	struct door_run run;
	struct error err;

	if (store_choose(arena, pipeline, &submission->token, &submission->name, &err) < 0) {
		diags_add(diags, DIAG_L0704, span, "%s", err.text);
		return -1;
	}
	if (target->door->ops->submit(target->door, submission, arena, &run, &failure) < 0) {
		if (failure.kind != API_STOPPED)
			target_explain(diags, span, failure.kind == API_REFUSED ? "L1005" : NULL, &failure);
		return -1;
	}
	*ret_run = target->door->ops->kind == DOOR_KFP || !*run.name ? run.id : run.name;
	*ret_where = target_where(target->cluster, arena);
	return 0;
}

int
steer_submit(const struct steer_cluster *request, const struct steer_pipeline *what, const char *experiment, struct arena *arena,
	     const char **ret_run, const char **ret_where, struct diags *diags)
{
	struct door_submission submission = { .workflow = what->workflow, .args = what->given, .n_args = what->n_given, .experiment = experiment };
	struct target_door target;
	int rc = open_cluster(&target, request, diags);

	if (rc == 0 && !experiment)
		submission.experiment = target.cluster->experiment;
	if (rc == 0)
		rc = submit(&target, &submission, what->name, request->span, arena, ret_run, ret_where, diags);
	target_close(&target);
	return rc;
}

/* What the copy is called by: the pipeline; of a run that the store does not know, what its own name was made of. */
static const char *
clone_prefix(const struct steered *steered, const struct value *object)
{
	const char *prefix = value_text(value_get(value_get(object, "metadata"), "generateName"));
	size_t n = prefix ? strlen(prefix) : 0;

	if (steered->known.pipeline)
		return steered->known.pipeline;
	while (n && prefix[n - 1] == '-')
		n--;
	return n ? arena_strndup(steered->arena, prefix, n) : "clone";
}

int
steer_clone(const struct steer_request *request, const char *const (*given)[2], size_t n_given, struct arena *arena,
	    const char **ret_run, const char **ret_where, struct diags *diags)
{
	struct door_submission submission = { 0 };
	struct api_failure failure;
	const struct value *object = NULL;
	struct steered steered;
	struct door *door;
	int rc = steer_find(&steered, request, false, diags);

	if (rc == 0 && steered.here) {
		struct diag *d = diags_add(diags, DIAG_L1017, request->span, "the run `%s` is on this machine, and cannot be cloned", steered.known.name);

		diag_help(diags, d, "start it again by its call, with other values");
		rc = -1;
	}
	if (rc == 0) {
		door = steered.target.door;
		object = door->ops->object(door, &steered.run, steered.arena, &failure);
		if (!object || control_clone(steered.arena, object, given, n_given, &submission, &failure) < 0) {
			if (failure.kind != API_STOPPED)
				target_explain(diags, request->span, NULL, &failure);
			rc = -1;
		}
	}
	if (rc == 0)
		rc = submit(&steered.target, &submission, clone_prefix(&steered, object), request->span, arena, ret_run, ret_where, diags);
	steer_release(&steered);
	return rc;
}
