/* `runs` and `logs`: what the store of the working folder knows. */
#include "config.h"

#include "kernel/interp_internal.h"

#include <poll.h>
#include <stdint.h>
#include <string.h>

#include "kernel/catch_up.h"
#include "kernel/empty_log.h"
#include "kernel/run_list.h"
#include "runtime/store.h"

enum { FOLLOW_MS = 250 };

static struct store *
open_store(struct act *act)
{
	CLEANUP(freep) char *folder = store_folder_of(".");
	struct error err;
	struct store *store = store_open(folder, true, &err);

	if (!store)
		act_fail(act, DIAG_L0808, "%s", err.text);
	return store;
}

int
act_runs(struct act *act)
{
	CLEANUP(freep) char *folder = store_folder_of(".");
	struct buf text = { 0 }, html = { 0 };
	struct error err;
	json_t *bundle;

	if (run_list_write(folder, &text, &html, &err) < 0)
		return act_fail(act, DIAG_L0808, "%s", err.text);
	bundle = json_pack("{s:o, s:o}", "text/plain", json_of_text(buf_text(&text), text.len), "text/html",
			   json_of_text(buf_text(&html), html.len));
	act_show(act, bundle);
	buf_release(&text);
	buf_release(&html);
	return 0;
}

/* Which run, and which of its steps, the action names: by a handle, or by text "RUN" or "RUN.STEP". */
static int
name_run(struct act *act, const char **ret_run, const char **ret_step)
{
	size_t step = SIZE_MAX;
	struct run *run;
	const char *dot;

	*ret_step = NULL;
	if (act->action->text) {
		dot = strchr(act->action->text, '.');
		*ret_run = dot ? arena_strndup(act->arena, act->action->text, (size_t)(dot - act->action->text)) : act->action->text;
		*ret_step = dot ? dot + 1 : NULL;
		return 0;
	}
	run = act_handle(act, act->action->expr, &step);
	if (!run)
		return act_fail(act, DIAG_L0808, "this names no run: the cell that binds it did not end well");
	*ret_run = run->id;
	*ret_step = step == SIZE_MAX ? NULL : run->plan->steps[step].name;
	return 0;
}

static void
say_empty(struct act *act, struct store *store, const struct log_follower *follower)
{
	const char *text = arena_printf(act->arena, "%s\n", empty_log_text(store, follower, act->arena));

	act_print(act, text, strlen(text));
}

static int
show_logs(struct act *act, struct store *store, struct log_follower *follower)
{
	struct pollfd wake = { .fd = act->interp->wake, .events = POLLIN };
	bool go_on = act->action->flag, any = false;
	struct buf text = { 0 };
	struct error err;
	int rc;

	for (;;) {
		rc = go_on ? store_follow(store, follower, &text, &err)
			   : store_logs(store, follower->run, follower->step, follower->last, follower->grep, &text, &err);
		any = any || text.len;
		if (text.len)
			act_print(act, buf_text(&text), text.len);
		buf_clear(&text);
		if (rc < 0 || !go_on || follower->ended)
			break;
		if (poll(&wake, 1, FOLLOW_MS) > 0) {
			buf_release(&text);
			return act_interrupted(act);
		}
	}
	buf_release(&text);
	if (rc < 0)
		return act_fail(act, DIAG_L0808, "%s", err.text);
	if (!any)
		say_empty(act, store, follower);
	return 0;
}

static bool
is_interrupted(void *context)
{
	const struct interp *interp = context;

	return interp->interrupted;
}

/* A look at a run on a cluster that nobody watches, while its logs are read. */
static int
begin_look(struct act *act, struct log_follower *follower, struct background **ret)
{
	const struct steer_request which = { .run = follower->run, .cluster = act->action->cluster, .span = act->action->span,
					     .stop = is_interrupted, .context = act->interp };
	struct background_request look = { .output = act->output, .wake = act->interp->wake, .interrupted = &act->interp->interrupted };
	struct diags diags;
	int rc;

	diags_init(&diags);
	rc = catch_up(act->interp->backgrounds, &which, &look, act->action->flag, act->arena, ret, &follower->run, &diags);
	if (rc < 0)
		rc = diags.n_errors ? act_fail_diags(act, &diags) : act_interrupted(act);
	else if (diags.n)
		act_warn(act, &diags);
	diags_release(&diags);
	return rc;
}

int
act_logs(struct act *act)
{
	struct log_follower follower = { .grep = act->action->grep };
	struct background *look;
	struct store *store;
	int rc;

	if (name_run(act, &follower.run, &follower.step) < 0 || begin_look(act, &follower, &look) < 0)
		return -1;
	follower.last = act->action->last >= 0 ? (size_t)act->action->last : SIZE_MAX;
	store = open_store(act);
	rc = store ? show_logs(act, store, &follower) : -1;
	log_follower_release(&follower);
	store_close(store);
	if (look)
		background_let_go(look);
	return rc;
}
