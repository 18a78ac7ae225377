#include "config.h"

#include "kernel/interp_internal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dsl/bundle.h"
#include "dsl/component_card.h"

/* A value as text, and Lists and Dicts also as JSON, which a notebook can fold. */
void
act_show_value(struct act *act, const struct value *value)
{
	struct buf text = { 0 };
	json_t *bundle;

	value_write_plain(&text, value);
	bundle = json_pack("{s:o}", "text/plain", json_of_text(buf_text(&text), text.len));
	if (value->kind == VALUE_LIST || value->kind == VALUE_DICT)
		json_object_set_new(bundle, "application/json", json_of_value(value));
	act_show(act, bundle);
	buf_release(&text);
}

static int
act_show_expr(struct act *act)
{
	const struct expr *expr = act->action->expr;
	const struct value *value;
	size_t step = SIZE_MAX;
	const struct run *run = act_handle(act, expr, &step);

	if (run)
		return act_show_run(act, run, step);
	value = act_eval(act, expr);
	if (!value)
		return -1;
	if (type_is_file(expr->type) && value->kind == VALUE_STRING)
		return act_show_file(act, value->string.text, expr->type);
	if (value->kind != VALUE_NULL)
		act_show_value(act, value);
	return 0;
}

static int
act_show_thing(struct act *act)
{
	struct buf bundle = { 0 };

	if (!act->action->plan && !act->action->component)
		return act_show_expr(act);
	if (act->action->plan)
		bundle_write(&bundle, act->action->plan, NULL);
	else
		component_write_bundle(&bundle, act->action->component);
	act_show_json(act, &bundle);
	buf_release(&bundle);
	return 0;
}

static int
act_bind(struct act *act)
{
	const struct value *value;
	size_t step = SIZE_MAX;
	struct run *run = act_handle(act, act->action->expr, &step);

	if (run) {
		variables_set_run(&act->interp->variables, act->action->bind, run, step);
		return 0;
	}
	value = act_eval(act, act->action->expr);
	if (!value)
		return -1;
	variables_set_value(&act->interp->variables, act->action->bind, value);
	return 0;
}

static int
act_print_expr(struct act *act)
{
	const struct value *value = act_eval(act, act->action->expr);
	struct buf text = { 0 };

	if (!value)
		return -1;
	value_write_plain(&text, value);
	buf_putc(&text, '\n');
	act_print(act, buf_text(&text), text.len);
	buf_release(&text);
	return 0;
}

static int
act_assert(struct act *act)
{
	const struct value *holds = act_eval(act, act->action->expr);
	const struct value *why = NULL;
	struct buf text = { 0 };

	if (!holds)
		return -1;
	if (holds->kind == VALUE_BOOLEAN && holds->boolean)
		return 0;
	if (act->action->args) {
		why = act_eval(act, act->action->args[0]);
		if (!why)
			return -1;
		value_write_plain(&text, why);
	}
	act_fail(act, DIAG_L0801, "assertion failed%s%s", why ? ": " : "", buf_text(&text));
	buf_release(&text);
	return -1;
}

static int
act_input(struct act *act)
{
	const struct value *question = act->action->expr ? act_eval(act, act->action->expr) : value_string(act->arena, "");
	struct buf prompt = { 0 };
	const char *why = NULL;
	char *answer;

	if (!question)
		return -1;
	value_write_plain(&prompt, question);
	answer = act->output->ops->input(act->output, buf_text(&prompt), false, &why);
	buf_release(&prompt);
	if (!answer && act->interp->interrupted)
		return act_interrupted(act);
	if (!answer)
		return act_fail(act, DIAG_L0802, "no answer: %s", why);
	if (act->action->bind)
		variables_set_value(&act->interp->variables, act->action->bind, value_string(act->arena, answer));
	else
		act_show_value(act, value_string(act->arena, answer));
	freep(&answer);
	return 0;
}

static int
act_experiment(struct act *act)
{
	free(act->interp->experiment);
	act->interp->experiment = xstrdup(act->action->text);
	return 0;
}

int
act_perform(struct act *act)
{
	switch (act->action->kind) {
	case ACTION_SHOW:
		return act_show_thing(act);
	case ACTION_BIND:
		return act_bind(act);
	case ACTION_RUN:
		return act->action->cluster || act->action->flag ? act_run_begun(act) : act_run(act);
	case ACTION_SWEEP:
		return act_sweep(act);
	case ACTION_COMPILE:
		return act_compile(act);
	case ACTION_CHECK:
		return act_check(act);
	case ACTION_PRINT:
		return act_print_expr(act);
	case ACTION_ASSERT:
		return act_assert(act);
	case ACTION_INPUT:
		return act_input(act);
	case ACTION_CLEAR:
		act->output->ops->clear(act->output, act->action->flag);
		return 0;
	case ACTION_LOGS:
		return act_logs(act);
	case ACTION_STOP:
		return act_control(act, DOOR_STOP);
	case ACTION_RUNS:
		return act->action->cluster ? act_runs_there(act) : act_runs(act);
	case ACTION_WAIT:
		return act_wait(act);
	case ACTION_EXPERIMENT:
		return act_experiment(act);
	case ACTION_HELP:
		return act_help(act);
	case ACTION_INSPECT:
		return act_inspect(act);
	case ACTION_SHELL:
		return act_shell(act);
	case ACTION_MAGIC:
		return act_magic(act);
	case ACTION_DELETE:
		return act_control(act, DOOR_DELETE);
	case ACTION_SUSPEND:
		return act_control(act, DOOR_SUSPEND);
	case ACTION_RESUME:
		return act_control(act, DOOR_RESUME);
	case ACTION_OPEN:
		return act_open(act);
	case ACTION_TENSORBOARD:
		return act_tensorboard(act);
	case ACTION_RETRY:
		return act_retry(act);
	case ACTION_FORWARD:
		return act_forward(act);
	case ACTION_ATTACH:
		return act_attach(act);
	case ACTION_CLONE:
		return act_clone(act);
	case ACTION_SUBMIT:
		return act_submit(act);
	case ACTION_UPLOAD:
		return act_upload(act);
	case ACTION_SCHEDULE:
		return act_schedule(act);
	case ACTION_PREPARE:
		return act_prepare(act, false);
	case ACTION_CLEANUP:
		return act_prepare(act, true);
	}
	BUG("action kind %d", (int)act->action->kind);
}
