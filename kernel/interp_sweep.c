/* `for x in LIST { … }` at the top level: its lines once for each item, one run after the other. */
#include "config.h"

#include "kernel/interp_internal.h"

#include <stdlib.h>
#include <string.h>
#include <uuid/uuid.h>

#include "kernel/fetch.h"
#include "kernel/file.h"
#include "kernel/sweep.h"

enum { METRICS_READ_MAX = 65536, FEW_ROWS = 30, SLOW_SECONDS = 1, NAMED_MAX = 8 /* items that failed */, NAME_MAX_BYTES = 60 };

struct sweeping {
	struct act *act;
	struct sweep sweep;
	char display_id[40]; /* "" before the first row */
	size_t n_failed;
	struct buf failed; /* the items, for the message */
};

/* ---- showing ---- */

/* Of many short runs not every beginning is worth a picture. */
static bool
is_slow(const struct sweep *sweep)
{
	return sweep->rows.n < FEW_ROWS || sweep->rows.items[sweep->rows.n - 2].seconds > SLOW_SECONDS;
}

/* At the beginning of each run, when it tells more of its progress, and in the end. */
static void
show(struct sweeping *s, bool final)
{
	struct output *output = s->act->output;
	bool first = !*s->display_id;
	json_t *bundle;
	uuid_t id;

	if (!s->sweep.rows.n || (!final && !is_slow(&s->sweep)))
		return;
	if (first) {
		uuid_generate_random(id);
		uuid_unparse_lower(id, s->display_id);
	}
	bundle = sweep_bundle(&s->sweep);
	(first ? output->ops->display : output->ops->update)(output, bundle, NULL, s->display_id);
	json_decref(bundle);
}

/* ---- what a run gave ---- */

static void
set_metric(struct sweep *sweep, struct arena *arena, const char *prefix, const char *name, const struct value *number)
{
	if (name && number && (number->kind == VALUE_INTEGER || number->kind == VALUE_FLOAT))
		sweep_set(sweep, arena_printf(arena, "%s%s", prefix, name), number);
}

/* Kubeflow's `{metrics: [{name, numberValue}]}`, or a Dict with numbers. */
static void
set_metrics(struct sweep *sweep, struct arena *arena, const char *prefix, const char *path)
{
	CLEANUP(buf_release) struct buf text = { 0 };
	const struct value *all, *list;
	struct error err;

	if (file_read(path, METRICS_READ_MAX, &text, &err) < 0)
		return;
	all = value_read_json(arena, buf_text(&text), text.len, &err);
	list = all ? value_get(all, "metrics") : NULL;
	if (list && list->kind == VALUE_LIST) {
		for (size_t i = 0; i < list->list.n; i++) {
			const struct value *name = value_get(list->list.items[i], "name");

			set_metric(sweep, arena, prefix, name ? value_text(name) : NULL, value_get(list->list.items[i], "numberValue"));
		}
	} else if (all && all->kind == VALUE_DICT) {
		for (size_t i = 0; i < all->dict.n; i++)
			set_metric(sweep, arena, prefix, all->dict.keys[i], all->dict.items[i]);
	}
}

static bool
is_stopped(void *context)
{
	const struct interp *interp = context;

	return interp->interrupted;
}

/* The file's path on this machine, where that can be had. */
static const char *
path_of(struct act *act, const struct run *run, size_t step, size_t output)
{
	struct fetch_request request = { .run = run, .step = step, .output = output, .wake = act->interp->wake, .stop = is_stopped,
					 .context = act->interp };
	const struct value *value;
	struct error err;

	run_lock(run);
	value = run_output(run, step, output, act->arena, NULL);
	value = value ? value_clone(act->arena, value) : NULL;
	run_unlock(run);
	if (value && value->kind == VALUE_NULL && run->steps[step].phase == PHASE_SUCCEEDED)
		value = fetch_output(&request, act->arena, &err);
	return value ? value_text(value) : NULL;
}

static bool
is_metrics(const struct type *type)
{
	for (; type; type = type->base)
		if (!strcmp(type->name, "Metrics"))
			return true;
	return false;
}

/* A loop's step gives Lists, which are no one value of the run. */
static void
set_value(struct sweep *sweep, struct act *act, const struct run *run, size_t step, size_t output, const char *prefix)
{
	const struct port *port = &run->plan->steps[step].component->outputs[output];
	const struct value *value;

	run_lock(run);
	value = run_output(run, step, output, act->arena, NULL);
	if (value && value->kind != VALUE_NULL && (value->kind != VALUE_LIST || port->type->kind == TYPE_LIST))
		sweep_set(sweep, arena_printf(act->arena, "%s%s", prefix, port->id), value);
	run_unlock(run);
}

static void
set_outputs(struct sweep *sweep, struct act *act, const struct run *run, bool metrics)
{
	for (size_t s = 0; s < run->plan->n_steps; s++) {
		const struct plan_step *step = &run->plan->steps[s];
		const char *prefix = run->plan->n_steps == 1 ? "" : arena_printf(act->arena, "%s.", step->name);

		for (size_t o = 0; o < step->component->n_outputs; o++) {
			const struct port *port = &step->component->outputs[o];
			const char *path = metrics && is_metrics(port->type) ? path_of(act, run, s, o) : NULL;

			if (path)
				set_metrics(sweep, act->arena, prefix, path);
			else if (!metrics && port->passing == PASS_VALUE)
				set_value(sweep, act, run, s, o, prefix);
		}
	}
}

/* ---- a line ---- */

static void
end_row(struct sweeping *s, struct act *act, bool good)
{
	struct sweep_row *row = &s->sweep.rows.items[s->sweep.rows.n - 1];
	const struct run *run = act->run;

	row->state = run ? phase_name(run->phase) : "Error";
	if (run && run->started_ms && run->ended_ms)
		row->seconds = (double)(run->ended_ms - run->started_ms) / 1000;
	if (!good && act->outcome->evalue)
		row->message = arena_strdup(s->sweep.arena, act->outcome->evalue);
	if (!run)
		return;
	set_outputs(&s->sweep, act, run, false);
	set_outputs(&s->sweep, act, run, true);
}

static void
on_progress(void *context, const struct run *run)
{
	struct sweeping *s = context;

	if (run_progress_look(&s->sweep.rows.items[s->sweep.rows.n - 1].progress, run))
		show(s, false);
}

static int
perform_line(struct sweeping *s, const struct action *action, const struct value *item)
{
	struct act act = { .interp = s->act->interp, .action = action, .output = s->act->output, .outcome = s->act->outcome, .swept = true,
			   .watch = on_progress, .watch_context = s, .arena = arena_new() };
	int rc;

	if (action->kind == ACTION_RUN) {
		sweep_add(&s->sweep, item, action->bind ? action->bind : action->plan->name);
		show(s, false);
	}
	rc = act_perform(&act);
	if (action->kind == ACTION_RUN)
		end_row(s, &act, rc == 0);
	run_unref(act.run);
	arena_free(act.arena);
	return rc;
}

/* ---- an item ---- */

static void
name_item(struct buf *buf, const struct value *item)
{
	struct buf text = { 0 };
	size_t len;

	value_write_plain(&text, item);
	len = text.len < NAME_MAX_BYTES ? text.len : NAME_MAX_BYTES;
	while (len && ((unsigned char)buf_text(&text)[len] & 0xC0) == 0x80)
		len--;
	buf_printf(buf, "%s`%.*s%s`", buf->len ? ", " : "", (int)len, buf_text(&text), len < text.len ? "…" : "");
	buf_release(&text);
}

static void
tell_failure(struct sweeping *s, const struct value *item)
{
	struct execute_outcome *outcome = s->act->outcome;
	struct buf text = { 0 };

	for (size_t i = 0; i < outcome->n_traceback; i++)
		buf_printf(&text, "%s\n", outcome->traceback[i]);
	s->act->output->ops->stream(s->act->output, true, buf_text(&text), text.len);
	buf_clear(&text);
	execute_outcome_release(outcome);
	*outcome = (struct execute_outcome){ .ok = true };
	buf_release(&text);
	if (s->n_failed++ < NAMED_MAX)
		name_item(&s->failed, item);
}

/* The lines that follow one that failed would only say so again. Negative: the person has interrupted. */
static int
perform_item(struct sweeping *s, const struct value *item)
{
	const struct action *action = s->act->action;

	variables_set_value(&s->act->interp->variables, action->bind, item);
	for (size_t i = 0; i < action->n_body; i++) {
		if (s->act->interp->interrupted)
			return act_interrupted(s->act);
		if (perform_line(s, &action->body[i], item) == 0)
			continue;
		if (s->act->interp->interrupted)
			return -1;
		tell_failure(s, item);
		return 0;
	}
	return 0;
}

int
act_sweep(struct act *act)
{
	const struct value *items = act_eval(act, act->action->expr);
	struct sweeping s = { .act = act };
	int rc = 0;

	if (!items)
		return -1;
	if (items->kind != VALUE_LIST)
		return act_fail(act, DIAG_L0805, "a sweep goes over a List, and this is none");
	if (items->list.n > SWEEP_ITEMS_MAX)
		return act_fail(act, DIAG_L0805, "a sweep has at most %d items, and here are %zu", SWEEP_ITEMS_MAX, items->list.n);
	sweep_init(&s.sweep, act->action->bind);
	for (size_t i = 0; i < items->list.n && rc == 0; i++)
		rc = perform_item(&s, items->list.items[i]);
	show(&s, true);
	if (rc == 0 && s.n_failed)
		rc = act_fail(act, DIAG_L0701, "%zu of the %zu items of the sweep failed: %s%s", s.n_failed, items->list.n, buf_text(&s.failed),
			      s.n_failed > NAMED_MAX ? ", …" : "");
	buf_release(&s.failed);
	sweep_release(&s.sweep);
	return rc;
}
