#include "config.h"

#include "kernel/interp_internal.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/artifact.h"
#include "kernel/live.h"
#include "kernel/run_here.h"
#include "runtime/store.h"

int
act_args(struct act *act, struct local_args *ret)
{
	const struct plan *plan = act->action->plan;
	const struct value **values = arena_alloc(act->arena, plan->n_params * sizeof *values);
	const struct secret **secrets = arena_alloc(act->arena, plan->n_params * sizeof *secrets);

	for (size_t i = 0; i < plan->n_params; i++) {
		const struct expr *arg = act->action->args ? act->action->args[i] : NULL;

		if (arg && arg->kind == EXPR_SECRET)
			secrets[i] = arg->secret;
		else if (arg && !(values[i] = act_eval(act, arg)))
			return -1;
	}
	*ret = (struct local_args){ values, secrets };
	return 0;
}

int
act_judge_run(struct act *act, const struct run *run)
{
	struct diags diags;

	if (run->phase == PHASE_SUCCEEDED)
		return 0;
	if (act->interp->interrupted)
		return act_interrupted(act);
	diags_init(&diags);
	run_explain(run, &diags);
	act_fail_diags(act, &diags);
	diags_release(&diags);
	return -1;
}

int
act_run(struct act *act)
{
	struct run_request request = { .plan = act->action->plan, .jobs = (size_t)act->interp->options.jobs, .output = act->output,
				       .quiet = act->swept, .echo = act->action->component && !act->swept, .wake = act->interp->wake,
				       .interrupted = &act->interp->interrupted, .watch = act->watch, .watch_context = act->watch_context };
	struct diags diags;
	struct run *run;
	int rc;

	if (act_args(act, &request.args) < 0)
		return -1;
	diags_init(&diags);
	run = run_here(&request, &diags);
	rc = run ? act_judge_run(act, run) : act_fail_diags(act, &diags);
	if (run && act->swept)
		act->run = run_ref(run);
	if (run && act->action->bind)
		variables_set_run(&act->interp->variables, act->action->bind, run, SIZE_MAX);
	run_unref(run);
	diags_release(&diags);
	return rc;
}

void
act_bind_run(struct act *act, struct run *run)
{
	variables_set_run(&act->interp->variables, act->action->bind, run, SIZE_MAX);
	scope_learn_run(act->interp->scope, act->action->bind, run->plan);
}

int
act_show_run(struct act *act, const struct run *run, size_t step)
{
	struct buf bundle = { 0 };
	const struct value *outputs;

	if (step == SIZE_MAX) {
		run_lock(run);
		live_bundle(&bundle, run);
		run_unlock(run);
		act_show_json(act, &bundle);
	} else {
		run_lock(run);
		outputs = run_step_outputs(act->arena, run, step);
		run_unlock(run);
		act_show_value(act, outputs);
	}
	buf_release(&bundle);
	return 0;
}

/* ---- members of handles ---- */

static const struct value *
step_member(const struct run *run, size_t step, struct arena *arena, const char *const *path, size_t n, struct error *err)
{
	const struct component *c = run->plan->steps[step].component;
	size_t output = n ? component_output(c, path[0]) : c->n_outputs == 1 ? 0 : SIZE_MAX;

	if (output != SIZE_MAX)
		return run_output(run, step, output, arena, err);
	if (n && !strcmp(path[0], "status"))
		return value_string(arena, phase_name(run->steps[step].phase));
	if (n && !strcmp(path[0], "path") && c->n_outputs == 1)
		return run_output(run, step, 0, arena, err);
	error_set(err, "the step `%s` has no such output", run->plan->steps[step].name);
	return NULL;
}

static const struct value *
pipeline_output(const struct run *run, const char *name)
{
	for (size_t i = 0; run->outputs && i < run->plan->n_outputs; i++)
		if (!strcmp(run->plan->outputs[i].name, name))
			return run->outputs[i];
	return NULL;
}

static bool
has_output(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->n_outputs; i++)
		if (!strcmp(plan->outputs[i].name, name))
			return true;
	return false;
}

/* A file's value is its path already, so a `.path` behind it changes nothing. */
const struct value *
run_member(const struct run *run, size_t step, struct arena *arena, const char *const *path, size_t n, struct error *err)
{
	if (step != SIZE_MAX)
		return step_member(run, step, arena, path, n, err);
	if (n && has_output(run->plan, path[0])) {
		const struct value *value = pipeline_output(run, path[0]);

		if (!value)
			error_set(err, "the run `%s` gave no `%s`: it ended as %s", run->name, path[0], phase_name(run->phase));
		return value;
	}
	if (n && (step = plan_step_index(run->plan, path[0])) != SIZE_MAX)
		return step_member(run, step, arena, path + 1, n - 1, err);
	if (n && !strcmp(path[0], "status"))
		return value_string(arena, phase_name(run->phase));
	if (n && !strcmp(path[0], "id"))
		return value_string(arena, run->id);
	error_set(err, "the run `%s` has no such member", run->name);
	return NULL;
}

const struct value *
run_step_outputs(struct arena *arena, const struct run *run, size_t step)
{
	const struct component *c = run->plan->steps[step].component;
	const char **keys = arena_alloc(arena, (c->n_outputs + 1) * sizeof *keys);
	const struct value **items = arena_alloc(arena, (c->n_outputs + 1) * sizeof *items);
	size_t n = 0;

	keys[n] = "status";
	items[n++] = value_string(arena, phase_name(run->steps[step].phase));
	for (size_t i = 0; i < c->n_outputs; i++) {
		const struct value *value = run_output(run, step, i, arena, NULL);

		if (!value)
			continue;
		keys[n] = c->outputs[i].id;
		items[n++] = value;
	}
	return value_dict(arena, keys, items, n);
}

int
act_show_file(struct act *act, const char *path, const struct type *type)
{
	struct error err;
	json_t *bundle = artifact_bundle(path, type->name, &err);

	if (!bundle)
		return act_fail(act, DIAG_L0805, "%s", err.text);
	act_show(act, bundle);
	return 0;
}
