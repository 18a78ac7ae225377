/* `tensorboard R` */
#include "config.h"

#include "kernel/interp_internal.h"

#include <string.h>

#include "kernel/steer.h"
#include "kernel/tensorboard.h"

static bool
is_interrupted(void *context)
{
	const struct interp *interp = context;

	return interp->interrupted;
}

static bool
is_in_bucket(const char *text)
{
	return text && (!strncmp(text, "gs://", 5) || !strncmp(text, "s3://", 5));
}

/* Texts of a Dict, within it too, that name a place in a bucket: where steps of a cluster leave events. */
static void
gather_places(const struct value *value, struct buf *said, struct map *seen)
{
	const char *text = value_text(value);

	if (is_in_bucket(text) && !map_has(seen, text)) {
		map_set(seen, text, NULL);
		buf_printf(said, "tensorboard --logdir %s\n", text);
	}
	for (size_t i = 0; value->kind == VALUE_DICT && i < value->dict.n; i++)
		gather_places(value->dict.items[i], said, seen);
	for (size_t i = 0; value->kind == VALUE_LIST && i < value->list.n; i++)
		gather_places(value->list.items[i], said, seen);
}

/* What the store knows of the run's steps and arguments. */
static void
places_of(struct act *act, const struct store_run *known, struct buf *said)
{
	CLEANUP(freep) char *folder = store_folder_of(".");
	struct error err;
	struct store *store = store_open(folder, true, &err);
	struct store_step *steps;
	struct map seen = { 0 };
	size_t n = 0;

	if (!store)
		return;
	steps = store_steps(store, act->arena, known->id, &n, &err);
	for (size_t i = 0; steps && i < n; i++)
		if (steps[i].outputs)
			gather_places(steps[i].outputs, said, &seen);
	map_release(&seen);
	store_close(store);
}

static int
no_events(struct act *act, const struct store_run *known)
{
	struct diags diags;
	struct diag *d;

	diags_init(&diags);
	d = diags_add(&diags, DIAG_L1018, act->action->span, "the run `%s` has written no events that this machine can read", known->name);
	diag_help(&diags, d, "events are files named `…tfevents…`; a step writes them into the folder of one of its outputs, or into a bucket "
		"whose address is a parameter or an output of the run");
	act_fail_diags(act, &diags);
	diags_release(&diags);
	return -1;
}

static int
start_here(struct act *act, const struct store_run *known)
{
	const char *log = arena_printf(act->arena, "%s/tensorboard.log", known->folder), *url;
	struct tensorboard *board;
	struct error err = { "" };

	if (!tensorboard_installed()) {
		struct diags diags;
		struct diag *d;

		diags_init(&diags);
		d = diags_add(&diags, DIAG_L1018, act->action->span, "there is no program `tensorboard` on the PATH");
		diag_help(&diags, d, "install it (`pip install tensorboard`), or look at the events elsewhere: `tensorboard --logdir %s`", known->folder);
		act_fail_diags(act, &diags);
		diags_release(&diags);
		return -1;
	}
	board = tensorboard_start(known->folder, log, is_interrupted, act->interp, act->arena, &url, &err);
	if (!board && act->interp->interrupted)
		return act_interrupted(act);
	if (!board)
		return act_fail(act, DIAG_L1018, "%s", err.text);
	vec_push(&act->interp->boards, board);
	act_show_text(act, url, arena_printf(act->arena, "<%s>", url));
	return 0;
}

int
act_tensorboard(struct act *act)
{
	struct steer_request request = { .run = act->action->text, .span = act->action->span };
	struct buf said = { 0 };
	struct store_run known;
	struct diags diags;
	size_t step = SIZE_MAX;
	struct run *run = act->action->text ? NULL : act_handle(act, act->action->expr, &step);
	int rc;

	if (!act->action->text && !run)
		return act_fail(act, DIAG_L0808, "this names no run: the cell that binds it did not end well");
	if (run)
		request.run = run->id;
	diags_init(&diags);
	rc = steer_known(&request, act->arena, &known, &diags);
	if (rc < 0)
		act_fail_diags(act, &diags);
	diags_release(&diags);
	if (rc < 0)
		return -1;
	if (tensorboard_has_events(known.folder))
		return start_here(act, &known);
	places_of(act, &known, &said);
	if (said.len)
		act_print(act, buf_text(&said), said.len);
	rc = said.len ? 0 : no_events(act, &known);
	buf_release(&said);
	return rc;
}
