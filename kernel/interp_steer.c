/* Verbs about runs on clusters, and about clusters. */
#include "config.h"

#include "kernel/interp_internal.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/forwards.h"
#include "kernel/package_file.h"
#include "kernel/steer.h"

static bool
is_interrupted(void *context)
{
	const struct interp *interp = context;

	return interp->interrupted;
}

/* What came of it: a text, problems, or an interrupt. Releases the diagnostics. */
static int
finish(struct act *act, int rc, struct diags *diags, struct buf *said)
{
	if (said->len)
		act_print(act, buf_text(said), said->len);
	if (rc == 0 && diags->n)
		act_warn(act, diags);
	else if (rc < 0 && diags->n_errors)
		act_fail_diags(act, diags);
	else if (rc < 0)
		act_interrupted(act);
	diags_release(diags);
	buf_release(said);
	return rc;
}

/* The run that the action names: by handle or text. */
static int
request_of(struct act *act, struct steer_request *ret)
{
	size_t step = SIZE_MAX;
	struct run *run = NULL;

	*ret = (struct steer_request){ .run = act->action->text, .cluster = act->action->cluster, .span = act->action->span,
				       .stop = is_interrupted, .context = act->interp };
	if (act->action->text)
		return 0;
	run = act_handle(act, act->action->expr, &step);
	if (!run)
		return act_fail(act, DIAG_L0808, "this names no run: the cell that binds it did not end well");
	ret->run = run->id;
	return 0;
}

int
act_control(struct act *act, enum door_control what)
{
	struct steer_request request;
	struct buf said = { 0 };
	struct diags diags;

	if (request_of(act, &request) < 0)
		return -1;
	diags_init(&diags);
	return finish(act, steer_control(&request, what, &diags, &said), &diags, &said);
}

/* A run that goes on again is shown again, in this cell. */
int
act_retry(struct act *act)
{
	struct steer_request request;
	struct buf said = { 0 };
	struct diags diags;

	if (request_of(act, &request) < 0)
		return -1;
	diags_init(&diags);
	if (finish(act, steer_retry(&request, act->action->text2, &diags, &said), &diags, &said) < 0)
		return -1;
	return act_attach(act);
}

int
act_open(struct act *act)
{
	struct steer_request request;
	struct buf said = { 0 };
	struct diags diags;
	const char *link;
	int rc;

	if (request_of(act, &request) < 0)
		return -1;
	diags_init(&diags);
	rc = steer_open(&request, &diags, &said);
	if (rc == 0) {
		link = arena_strndup(act->arena, buf_text(&said), said.len - 1);
		buf_clear(&said);
		act_show_text(act, link, arena_printf(act->arena, "<%s>", link));
	}
	return finish(act, rc, &diags, &said);
}

/* ---- clusters ---- */

static struct steer_cluster
cluster_request(struct act *act)
{
	return (struct steer_cluster){ .cluster = act->action->cluster, .span = act->action->span, .stop = is_interrupted, .context = act->interp };
}

int
act_runs_there(struct act *act)
{
	struct steer_cluster request = cluster_request(act);
	struct buf text = { 0 }, html = { 0 }, nothing = { 0 };
	struct diags diags;
	int rc;

	diags_init(&diags);
	rc = steer_runs(&request, &diags, &text, &html);
	if (rc == 0)
		act_show(act, json_pack("{s:o, s:o}", "text/plain", json_of_text(buf_text(&text), text.len), "text/html",
					json_of_text(buf_text(&html), html.len)));
	buf_release(&text);
	buf_release(&html);
	return finish(act, rc, &diags, &nothing);
}

int
act_prepare(struct act *act, bool cleanup)
{
	struct steer_cluster request = cluster_request(act);
	struct buf said = { 0 };
	struct diags diags;
	int rc;

	diags_init(&diags);
	rc = cleanup ? steer_cleanup(&request, act->action->flag, &diags, &said) : steer_prepare(&request, act->action->flag, &diags, &said);
	return finish(act, rc, &diags, &said);
}

/* ---- pipelines ---- */

static int
read_package(struct act *act, struct steer_pipeline *ret)
{
	struct error err = { "" };

	ret->workflow = package_file_read(act->arena, act->action->text, is_interrupted, act->interp, &err);
	if (!ret->workflow && act->interp->interrupted)
		return act_interrupted(act);
	if (!ret->workflow)
		return act_fail(act, DIAG_L1019, "%s", err.text);
	ret->name = package_file_name(act->arena, act->action->text, ret->workflow);
	return 0;
}

int
act_upload(struct act *act)
{
	struct steer_cluster request = cluster_request(act);
	struct steer_pipeline what = { .plan = act->action->plan };
	struct buf said = { 0 };
	struct diags diags;

	if (what.plan)
		what.name = what.plan->display ? what.plan->display : what.plan->name;
	else if (read_package(act, &what) < 0)
		return -1;
	if (act->action->text2)
		what.name = act->action->text2;
	diags_init(&diags);
	return finish(act, steer_upload(&request, &what, &diags, &said), &diags, &said);
}

int
act_schedule(struct act *act)
{
	struct steer_cluster request = cluster_request(act);
	struct local_args args;
	struct steer_pipeline what = { .plan = act->action->plan, .name = act->action->plan->name, .args = &args };
	const char *name = act->action->text2 ? act->action->text2 : act->action->plan->name;
	struct buf said = { 0 };
	struct diags diags;

	if (act_args(act, &args) < 0)
		return -1;
	diags_init(&diags);
	return finish(act, steer_schedule(&request, &what, name, act->action->text, act->action->timezone, act->interp->experiment, &diags, &said),
		&diags, &said);
}

/* ---- runs of what is not of this notebook ---- */

/* Values by name, as texts. */
static int
given_args(struct act *act, const char *const (**ret)[2])
{
	const char *(*args)[2] = arena_alloc(act->arena, (act->action->n_args + 1) * sizeof *args);

	for (size_t i = 0; i < act->action->n_args; i++) {
		const struct value *value = act_eval(act, act->action->args[i]);
		struct buf text = { 0 };

		if (!value)
			return -1;
		value_write_plain(&text, value);
		args[i][0] = act->action->names[i];
		args[i][1] = arena_strdup(act->arena, buf_text(&text));
		buf_release(&text);
	}
	*ret = (const char *const (*)[2])args;
	return 0;
}

/* What the run is of that the action names by a handle; NULL without one. */
static struct plan *
handle_plan(struct act *act)
{
	size_t step = SIZE_MAX;
	struct run *run = act->action->expr ? act_handle(act, act->action->expr, &step) : NULL;

	return run ? run->plan : NULL;
}

/* A run that has just been submitted is shown as any that is there. */
static int
show_submitted(struct act *act, int rc, const char *run, const char *where, struct diags *diags)
{
	struct background_request request = { .where = where, .attach = run, .stays = true, .known = handle_plan(act) };
	struct buf nothing = { 0 };

	if (rc < 0)
		return finish(act, rc, diags, &nothing);
	diags_release(diags);
	return act_begin(act, &request);
}

int
act_submit(struct act *act)
{
	struct steer_cluster request = cluster_request(act);
	struct steer_pipeline what = { .n_given = act->action->n_args };
	const char *run = NULL, *where = NULL;
	struct diags diags;
	int rc;

	if (read_package(act, &what) < 0 || given_args(act, &what.given) < 0)
		return -1;
	diags_init(&diags);
	rc = steer_submit(&request, &what, act->interp->experiment, act->arena, &run, &where, &diags);
	return show_submitted(act, rc, run, where, &diags);
}

int
act_clone(struct act *act)
{
	const char *const (*given)[2];
	const char *run = NULL, *where = NULL;
	struct steer_request request;
	struct diags diags;
	int rc;

	if (request_of(act, &request) < 0 || given_args(act, &given) < 0)
		return -1;
	diags_init(&diags);
	rc = steer_clone(&request, given, act->action->n_args, act->arena, &run, &where, &diags);
	return show_submitted(act, rc, run, where, &diags);
}

/* The pipeline of this notebook that the run says it is of: so that its problems are told at the lines of cells. */
static struct plan *
known_plan(struct act *act, const struct store_run *known)
{
	const struct binding *b = known->pipeline ? scope_lookup(act->interp->scope, known->pipeline) : NULL;

	return b && b->kind == BINDING_PIPELINE ? b->plan : NULL;
}

int
act_attach(struct act *act)
{
	struct background_request request = { .stays = act->action->kind != ACTION_WAIT };
	struct steer_request which;
	struct store_run known;
	struct diags diags;
	struct buf nothing = { 0 };

	if (request_of(act, &which) < 0)
		return -1;
	request.attach = which.run;
	request.cluster = which.cluster;
	if (which.cluster)
		return act_begin(act, &request);
	diags_init(&diags);
	if (steer_known(&which, act->arena, &known, &diags) < 0)
		return finish(act, -1, &diags, &nothing);
	if (!known.place.target) {
		diag_help(&diags, diags_add(&diags, DIAG_L1017, act->action->span, "the run `%s` is on this machine, and is shown by who has started it",
			known.name), "`logs \"%s\" follow` shows what it writes", known.name);
		return finish(act, -1, &diags, &nothing);
	}
	diags_release(&diags);
	request.where = known.place.where;
	request.attach = known.name;
	request.known = handle_plan(act);
	if (!request.known)
		request.known = known_plan(act, &known);
	return act_begin(act, &request);
}

/* ---- what reaches into a run ---- */

int
act_forward(struct act *act)
{
	struct steer_request request;
	struct buf said = { 0 };
	struct diags diags;
	size_t step = SIZE_MAX;
	struct run *run;
	const char *name, *dot = act->action->text ? strchr(act->action->text, '.') : NULL;

	if (request_of(act, &request) < 0)
		return -1;
	if (dot) {
		request.run = arena_strndup(act->arena, act->action->text, (size_t)(dot - act->action->text));
		name = dot + 1;
	} else {
		run = act_handle(act, act->action->expr, &step);
		if (!run || step == SIZE_MAX)
			return act_fail(act, DIAG_L0808, "`forward` wants a step of a run: `forward R.STEP %d`", (int)act->action->last);
		name = run->plan->steps[step].name;
	}
	if (!act->interp->forwards)
		act->interp->forwards = forwards_new();
	diags_init(&diags);
	return finish(act, forwards_add(act->interp->forwards, &request, name, (int)act->action->last, &diags, &said), &diags, &said);
}
