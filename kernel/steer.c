#include "config.h"

#include "kernel/steer.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/cluster/control.h"

void
steer_add_diags(struct diags *to, const struct diags *from)
{
	for (size_t i = 0; i < from->n; i++) {
		const struct diag *d = from->items[i];
		struct diag *copy = diags_add(to, d->code, d->span, "%s", d->message);

		if (d->label)
			diag_primary(to, copy, "%s", d->label);
		for (size_t k = 0; k < d->n_labels; k++)
			diag_label(to, copy, d->labels[k].span, "%s", d->labels[k].text);
		for (size_t k = 0; k < d->n_notes; k++)
			diag_note(to, copy, "%s", d->notes[k]);
		for (size_t k = 0; k < d->n_helps; k++)
			diag_help(to, copy, "%s", d->helps[k]);
	}
}

/* ---- which run ---- */

/* What the store knows of it; false when it knows nothing. */
static bool
look_up(struct steered *ret, const char *which)
{
	CLEANUP(freep) char *folder = store_folder_of(".");
	struct store *store;
	struct error err;
	bool found;

	if (access(folder, F_OK) < 0)
		return false;
	store = store_open(folder, true, &err);
	found = store && !store_find(store, ret->arena, which, &ret->known, &err);
	store_close(store);
	if (!found)
		ret->known = (struct store_run){ 0 };
	return found;
}

static int
not_known(const struct steer_request *request, struct diags *diags)
{
	struct diag *d = diags_add(diags, DIAG_L0808, request->span, "no run `%s` is known here", request->run);

	diag_help(diags, d, "`runs` lists those that are; of one that was started elsewhere, `on TARGET` behind it (`--on TARGET` in a terminal) says where it is");
	return -1;
}

int
steer_known(const struct steer_request *request, struct arena *arena, struct store_run *ret, struct diags *diags)
{
	struct steered steered = { .arena = arena };

	if (!look_up(&steered, request->run))
		return not_known(request, diags);
	*ret = steered.known;
	return 0;
}

static int
open_target(struct steered *ret, const struct steer_request *request, struct diags *diags)
{
	const struct target_request where = { .cluster = request->cluster, .where = request->cluster ? NULL : ret->known.place.where,
					      .span = request->span, .stop = request->stop, .context = request->context };

	return target_open(&ret->target, &where, diags);
}

static int
ask_for_run(struct steered *ret, const struct steer_request *request, const struct door_list *list, struct diags *diags)
{
	struct door *door = ret->target.door;
	struct api_failure failure;
	struct door_run *found;
	struct diag *d;
	size_t n;

	if (door->ops->list(door, list, ret->arena, &found, &n, &failure) < 0) {
		if (failure.kind != API_STOPPED)
			target_explain(diags, request->span, NULL, &failure);
		return -1;
	}
	if (n) {
		ret->run = found[0];
		return 0;
	}
	d = diags_add(diags, DIAG_L1011, request->span, "`%s` has no run `%s`%s%s", ret->target.cluster->name, request->run,
		*door->namespace_ ? " in the namespace " : "", door->namespace_);
	diag_help(diags, d, "`runs on %s` lists those that it has", ret->target.cluster->name);
	return -1;
}

int
steer_find(struct steered *ret, const struct steer_request *request, bool look, struct diags *diags)
{
	struct door_list list = { .name = request->run, .max = 1 };
	const struct store_place *place = &ret->known.place;

	*ret = (struct steered){ .arena = arena_new() };
	if (!request->cluster) {
		if (!look_up(ret, request->run))
			return not_known(request, diags);
		ret->here = !place->target;
		if (ret->here)
			return 0;
	}
	if (open_target(ret, request, diags) < 0)
		return -1;
	if (request->cluster)
		return ask_for_run(ret, request, &list, diags);
	ret->run = (struct door_run){ .id = place->workflow_id, .name = place->workflow, .namespace_ = place->namespace_,
				      .token = ret->known.id, .phase = ret->known.phase, .created_ms = ret->known.started_ms };
	if (!look && *place->workflow_id)
		return 0;
	if (*place->workflow_id)
		list.name = ret->target.door->ops->kind == DOOR_KFP || !*place->workflow ? place->workflow_id : place->workflow;
	else
		list = (struct door_list){ .token = ret->known.id, .max = 1 };
	return ask_for_run(ret, request, &list, diags);
}

void
steer_release(struct steered *steered)
{
	if (steered->target.arena)
		target_close(&steered->target);
	arena_free(steered->arena);
}

/* ---- one that its cluster has no longer ---- */

/* Not only this request found nothing: the list of what is there does not have it either. */
static bool
is_gone(const struct steered *steered)
{
	struct door *door = steered->target.door;
	bool by_id = door->ops->kind == DOOR_KFP || !*steered->run.name;
	const struct door_list list = { .name = by_id ? steered->run.id : steered->run.name, .max = 1 };
	struct arena *arena = arena_new();
	struct api_failure ignored;
	struct door_run *found;
	bool gone = false;
	size_t n;

	if (door->ops->list(door, &list, arena, &found, &n, &ignored) == 0)
		gone = !n || strcmp(found[0].id, steered->run.id) != 0;
	arena_free(arena);
	return gone;
}

/* What the store has of it is not left as if it went on. */
static void
keep_gone(struct steered *steered)
{
	CLEANUP(freep) char *folder = store_folder_of(".");
	const char *id = steered->run.token && *steered->run.token ? steered->run.token : steered->run.id;
	struct error ignored;
	struct timespec now;
	struct store *store;

	if (!steered->known.id && !look_up(steered, id))
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	store = store_open(folder, true, &ignored);
	if (store)
		store_end_gone(store, &steered->known, (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, &ignored);
	store_close(store);
}

/* ---- what is asked of it ---- */

static const char *
name_of(const struct steered *steered)
{
	return steered->known.name ? steered->known.name : *steered->run.name ? steered->run.name : steered->run.id;
}

static int
failed(const struct steer_request *request, const struct api_failure *failure, struct diags *diags)
{
	if (failure->kind != API_STOPPED)
		target_explain(diags, request->span, NULL, failure);
	return -1;
}

static int
not_here(const struct steered *steered, const struct steer_request *request, const char *what, const char *help, struct diags *diags)
{
	struct diag *d = diags_add(diags, DIAG_L1017, request->span, "the run `%s` is on this machine, and cannot be %s", steered->known.name, what);

	diag_help(diags, d, "%s", help);
	return -1;
}

static int
control_here(const struct steered *steered, const struct steer_request *request, enum door_control what, struct diags *diags)
{
	CLEANUP(freep) char *folder = store_folder_of(".");
	struct store *store;
	struct error err;
	int rc;

	if (what == DOOR_SUSPEND || what == DOOR_RESUME)
		return not_here(steered, request, what == DOOR_SUSPEND ? "suspended" : "resumed", "`stop` ends it", diags);
	store = store_open(folder, true, &err);
	if (store && what == DOOR_DELETE && !phase_ended(steered->known.phase)) {
		store_close(store);
		diags_add(diags, DIAG_L1017, request->span, "the run `%s` goes on: `stop` it before it is deleted", steered->known.name);
		return -1;
	}
	rc = !store ? -1 : what == DOOR_DELETE ? (store_forget_run(store, &steered->known), 0) : store_stop(store, steered->known.id, &err);
	store_close(store);
	if (rc < 0)
		diags_add(diags, DIAG_L0808, request->span, "%s", err.text);
	return rc;
}

static const char *const done[] = {
	[DOOR_STOP] = "is told to stop", [DOOR_TERMINATE] = "is ended", [DOOR_SUSPEND] = "begins no further step until it is resumed",
	[DOOR_RESUME] = "goes on", [DOOR_DELETE] = "is deleted",
};

/* What a deletion leaves on the cluster, as far as the run itself says. */
static const char *const *
remains_of(const struct steered *steered, struct arena *arena, size_t *ret_n)
{
	struct door *door = steered->target.door;
	struct api_failure ignored;
	const struct value *object = door->ops->object(door, &steered->run, arena, &ignored);

	*ret_n = 0;
	return object ? control_remains(arena, object, ret_n) : NULL;
}

static int
delete_there(const struct steered *steered, struct api_failure *failure, struct buf *said)
{
	struct door *door = steered->target.door;
	struct arena *arena = arena_new();
	size_t n;
	const char *const *lines = remains_of(steered, arena, &n);
	int rc = door->ops->control(door, &steered->run, DOOR_DELETE, failure);

	for (size_t i = 0; rc == 0 && i < n; i++)
		buf_printf(said, "left behind: %s\n", lines[i]);
	arena_free(arena);
	return rc;
}

int
steer_control(const struct steer_request *request, enum door_control what, struct diags *diags, struct buf *said)
{
	struct buf left = { 0 };
	struct api_failure failure;
	struct steered steered;
	bool gone = false;
	int rc = steer_find(&steered, request, false, diags);

	if (rc == 0 && steered.here) {
		rc = control_here(&steered, request, what, diags);
	} else if (rc == 0) {
		struct door *door = steered.target.door;

		rc = what == DOOR_DELETE ? delete_there(&steered, &failure, &left) : door->ops->control(door, &steered.run, what, &failure);
		gone = rc < 0 && failure.kind == API_NOT_FOUND && is_gone(&steered);
		if (gone || (rc == 0 && what == DOOR_DELETE))
			keep_gone(&steered);
		if (gone && what == DOOR_DELETE)
			rc = 0;
		if (rc < 0)
			failed(request, &failure, diags);
	}
	if (rc == 0 && gone)
		buf_printf(said, "the run `%s` was on its cluster no more\n", name_of(&steered));
	else if (rc == 0)
		buf_printf(said, "the run `%s` %s\n%s", name_of(&steered), done[what], buf_text(&left));
	buf_release(&left);
	if (rc == 0 && what == DOOR_DELETE && !steered.here && steered.known.id)
		buf_printf(said, "what was seen of it stays here: `logs %s`\n", name_of(&steered));
	steer_release(&steered);
	return rc;
}

/* Tasks are named in lower case, with `-` for what is no letter or digit. */
static const char *
task_name(struct arena *arena, const char *step)
{
	char *name = arena_strdup(arena, step);

	for (char *p = name; *p; p++) {
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
		else if (!(*p >= 'a' && *p <= 'z') && !(*p >= '0' && *p <= '9'))
			*p = '-';
	}
	return name;
}

int
steer_retry(const struct steer_request *request, const char *from, struct diags *diags, struct buf *said)
{
	struct api_failure failure;
	struct steered steered;
	int rc = steer_find(&steered, request, false, diags);

	if (rc == 0 && steered.here)
		rc = not_here(&steered, request, "retried", "start it again by its call; steps with `retry N` are tried again by themselves", diags);
	if (rc == 0) {
		struct door *door = steered.target.door;

		rc = door->ops->retry(door, &steered.run, from ? task_name(steered.arena, from) : NULL, &failure);
		if (rc < 0)
			failed(request, &failure, diags);
	}
	if (rc == 0)
		buf_printf(said, "the run `%s` goes on, %s%s%s\n", name_of(&steered), from ? "from the step `" : "with what had failed", from ? from : "",
			from ? "`" : "");
	steer_release(&steered);
	return rc;
}

int
steer_open(const struct steer_request *request, struct diags *diags, struct buf *said)
{
	struct steered steered;
	const char *page = NULL;
	int rc = steer_find(&steered, request, false, diags);
	struct diag *d;

	if (rc == 0 && steered.here)
		rc = not_here(&steered, request, "seen in pages of a server", "its name shows it: a picture, and `logs` what it wrote", diags);
	if (rc == 0) {
		page = steered.target.door->ops->page(steered.target.door, &steered.run, steered.arena);
		if (!page) {
			d = diags_add(diags, DIAG_L1015, request->span, "no page is known of the run `%s`", name_of(&steered));
			diag_help(diags, d, "the cluster's field `page \"https://…\"` says where the server's own pages are");
			rc = -1;
		}
	}
	if (rc == 0)
		buf_printf(said, "%s\n", page);
	steer_release(&steered);
	return rc;
}
