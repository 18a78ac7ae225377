/* Runs that a cell begins and does not wait for, and the waiting for them. */
#include "config.h"

#include "kernel/interp_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/live.h"
#include "kernel/run_here.h"

/* "the run `x` goes on; `attach "x"` shows it again" */
static void
say_it_goes_on(struct act *act, const struct run *run)
{
	const char *text = arena_printf(act->arena, "the run `%s` goes on; `attach \"%s\"` shows it again\n", run->name, run->name);

	act->output->ops->stream(act->output, true, text, strlen(text));
}

/* What is to be said of a run that nobody shows any more. */
static int
judge_background(struct act *act, struct background *background)
{
	struct run *run = background_run(background);
	const char *problem = background_problem(background);

	background_told(background);
	if (!problem || phase_ended(run->phase))
		return act_judge_run(act, run);
	return act_fail(act, DIAG_L1010, "%s", problem);
}

/* The run is waited for in the cell that began it. */
static int
wait_in_cell(struct act *act, struct background *background)
{
	struct run *run = background_run(background);

	if (background_wait(background, act->interp->wake, &act->interp->interrupted))
		return judge_background(act, background);
	background_let_go(background);
	if (phase_ended(run->phase))
		return act_judge_run(act, run);
	say_it_goes_on(act, run);
	return act_waited_enough(act, run->name);
}

int
act_begin(struct act *act, struct background_request *request)
{
	struct background *background;
	struct diags diags;
	int rc = 0;

	request->jobs = (size_t)act->interp->options.jobs;
	request->experiment = act->interp->experiment;
	request->span = act->action->span;
	request->output = act->output;
	request->wake = act->interp->wake;
	request->interrupted = &act->interp->interrupted;
	diags_init(&diags);
	background = background_start(act->interp->backgrounds, request, &diags);
	if (!background) {
		rc = diags.n_errors ? act_fail_diags(act, &diags) : act_interrupted(act);
	} else {
		if (diags.n)
			act_warn(act, &diags);
		if (act->action->bind)
			act_bind_run(act, background_run(background));
		if (act->swept)
			act->run = run_ref(background_run(background));
		if (!request->stays)
			rc = wait_in_cell(act, background);
	}
	diags_release(&diags);
	return rc;
}

/* `start P(...)`, `P(...) on T`, `start P(...) on T` */
int
act_run_begun(struct act *act)
{
	struct background_request request = { .plan = act->action->plan, .cluster = act->action->cluster, .stays = act->action->flag,
					      .quiet = act->swept,
					      .echo = act->action->component && !act->action->flag && !act->swept };

	if (act_args(act, &request.args) < 0)
		return -1;
	return act_begin(act, &request);
}

/* The one that the action names, if it was begun here. */
static struct run *
known_run(struct act *act)
{
	struct background *background;
	size_t step = SIZE_MAX, at = 0;

	if (!act->action->text)
		return act_handle(act, act->action->expr, &step);
	while ((background = backgrounds_next(act->interp->backgrounds, &at))) {
		struct run *run = background_run(background);

		if (!strcmp(run->name, act->action->text) || !strcmp(run->id, act->action->text))
			return run;
	}
	return NULL;
}

/* The end is shown once more with this cell as parent: who executes a notebook cell by cell, as nbconvert does, takes what comes with
 * an earlier one for late, and would save the run as it began. */
static void
show_end(struct act *act, struct background *background)
{
	const struct run *run = background_run(background);
	struct buf text = { 0 };
	json_error_t problem;
	json_t *bundle;

	if (!*background_display(background))
		return;
	run_lock(run);
	live_bundle(&text, run);
	run_unlock(run);
	bundle = json_loadb(buf_text(&text), text.len, 0, &problem);
	if (!bundle)
		BUG("a bundle of ours is not JSON: %s", problem.text);
	act->output->ops->update(act->output, bundle, NULL, background_display(background));
	json_decref(bundle);
	buf_release(&text);
}

int
act_wait(struct act *act)
{
	struct run *run = known_run(act);
	struct background *background;

	if (!run && act->action->text)
		return act_attach(act); /* a look at it that is waited for */
	if (!run)
		return act_fail(act, DIAG_L0808, "this names no run: the cell that binds it did not end well");
	background = background_of(act->interp->backgrounds, run);
	if (!background && !phase_ended(run->phase))
		return act_fail(act, DIAG_L1017, "the run `%s` is not watched here any more: `attach \"%s\"` first", run->name, run->name);
	if (!background)
		return act_judge_run(act, run);
	if (background_wait(background, act->interp->wake, &act->interp->interrupted)) {
		show_end(act, background);
		return judge_background(act, background);
	}
	return act_waited_enough(act, run->name);
}

/* ---- the end of the program ---- */

static bool
finish_one(struct interp *interp, struct background *background, struct output *output)
{
	struct run *run = background_run(background);
	struct diag_style style = { .colour = interp->options.colour };
	struct buf text = { 0 };
	struct diags diags;

	if (background_is_there(background) && background_ended(background))
		return true;
	if (background_is_there(background)) {
		background_let_go(background);
		buf_printf(&text, "the run `%s` goes on; `lateen attach %s` shows it again\n", run->name, run->name);
		output->ops->stream(output, true, buf_text(&text), text.len);
		buf_release(&text);
		return true;
	}
	while (!background_wait(background, interp->wake, &interp->interrupted)) {
		interp_clear_interrupt(interp);
		background_end(background);
	}
	if (background_is_told(background))
		return true;
	diags_init(&diags);
	run_explain(run, &diags);
	diags_write_text(&text, &diags, &style);
	output->ops->stream(output, true, buf_text(&text), text.len);
	diags_release(&diags);
	buf_release(&text);
	return false;
}

bool
interp_finish(struct interp *interp, struct output *output)
{
	struct background *background;
	bool good = true;
	size_t at = 0;

	while ((background = backgrounds_next(interp->backgrounds, &at)))
		good = finish_one(interp, background, output) && good;
	return good;
}
