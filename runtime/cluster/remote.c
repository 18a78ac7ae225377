#include "config.h"

#include "runtime/cluster/remote.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/remote_private.h"
#include "runtime/cluster/why.h"

int64_t
remote_now(const struct remote *remote)
{
	return remote->door->http->now(remote->door->http);
}

/* ---- the store ---- */

bool
remote_can_write(struct remote *remote)
{
	struct error err;

	if (!remote->store)
		return false;
	if (!remote->writing && store_begin(remote->store, &err))
		return false; /* what is not written now is written with the next change, or when the run is attached to again */
	remote->writing = true;
	return true;
}

static void
commit(struct remote *remote)
{
	struct error err;

	if (remote->writing)
		store_commit(remote->store, &err);
	remote->writing = false;
}

static void
write_step(struct remote *remote, size_t node)
{
	const struct run_node *state = remote->run->nodes[node];
	struct arena *arena = arena_new();
	struct error err;
	const struct store_step row = {
		.name = remote->plan->steps[state->step].name, .key = state->key, .phase = state->phase, .attempts = state->attempts,
		.exit_code = state->exit_code, .started_ms = state->started_ms, .ended_ms = state->ended_ms, .message = state->message,
		.folder = state->folder, .outputs = run_node_outputs(remote->run, state, arena),
	};

	if (remote_can_write(remote))
		store_step(remote->store, remote->run->id, node, &row, &err);
	arena_free(arena);
}

/* An observer of the run: whoever changes it, the store hears of it. */
static void
node_changed(void *context, struct run *run, size_t node)
{
	struct remote *remote = context;

	if (node != SIZE_MAX && (run->nodes[node]->phase != PHASE_PENDING || run->nodes[node]->attempts || run->nodes[node]->message))
		write_step(remote, node);
}

/* ---- what the pods tell ---- */

static const char *
words_of(struct arena *arena, const struct why *why)
{
	if (!why->what)
		return NULL;
	return why->help ? arena_printf(arena, "%s; %s", why->what, why->help) : why->what;
}

static void
pod_waits(void *context, const char *node_id, const struct value *pod, const struct value *const *events, size_t n_events)
{
	struct remote *remote = context;
	size_t place = workflow_model_find(remote->model, node_id), node;
	struct why_facts facts = { .pod = pod, .events = events, .n_events = n_events };
	struct arena *arena = arena_new();
	struct why why = { NULL, NULL };
	int attempt;

	/* A pod that the workflow does not tell of yet is told of again when it changes, and its events come later. */
	node = place == SIZE_MAX ? SIZE_MAX : project_run_node(remote->project, place, &attempt);
	if (node != SIZE_MAX) {
		facts.step = &remote->plan->steps[remote->run->nodes[node]->step];
		facts.message = workflow_model_node(remote->model, place)->message;
		if (pod)
			why = why_pending(&facts, arena);
		project_set_reason(remote->project, node, words_of(arena, &why));
	}
	arena_free(arena);
}

static void
pods_unseen(void *context, const struct api_failure *failure)
{
	(void)context; /* the run goes on, with what Argo itself says of its pods */
	(void)failure;
}

/* ---- what the watch tells ---- */

static bool
texts_differ(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) != 0 : a != b;
}

/* What the model does not know of an attempt: its folder and its last lines. */
static void
add_details(struct remote *remote, size_t place)
{
	const struct workflow_node *n = workflow_model_node(remote->model, place);
	const char *folder = remote_log_folder(remote, place);
	int attempt;
	size_t node = project_run_node(remote->project, place, &attempt);
	struct arena *arena = arena_new();
	struct run_node state;

	if (node != SIZE_MAX && folder && project_place(remote->project, node, -1) == place) {
		state = *remote->run->nodes[node];
		state.folder = folder;
		if (phase_bad(state.phase) && phase_bad(n->phase))
			state.tail = remote_log_tail(remote, place, arena);
		if (texts_differ(state.folder, remote->run->nodes[node]->folder) || texts_differ(state.tail, remote->run->nodes[node]->tail))
			run_set_node(remote->run, node, &state);
	}
	arena_free(arena);
}

void
remote_log_came_to_end(struct remote *remote, size_t place)
{
	add_details(remote, place);
}

static void
take_pod(struct remote *remote, size_t place)
{
	const struct workflow_node *n = workflow_model_node(remote->model, place);
	int attempt = 0;
	size_t node = project_run_node(remote->project, place, &attempt);

	if (n->removed)
		remote_log_forget(remote, n->id);
	else if (node != SIZE_MAX && n->type == WORKFLOW_POD && !n->hit && (n->phase == PHASE_RUNNING || phase_ran(n->phase)))
		remote_log_add(remote, place, node, attempt);
}

static void
watch_pods(struct remote *remote)
{
	const struct pods_listener listener = { pod_waits, pods_unseen, remote };

	if (remote->pods || !remote->door->kube || !*remote->where.name || !*remote->where.namespace_)
		return;
	remote->pods = pods_new(kube_api(remote->door->kube), remote->where.namespace_, remote->where.name, &listener);
}

/* Kubeflow gives a run its workflow's name only when it has begun. */
static void
learn_name(struct remote *remote, const struct workflow *head)
{
	if (*remote->where.name || !*head->name)
		return;
	remote->where.name = arena_strdup(remote->arena, head->name);
	if (*head->namespace_)
		remote->where.namespace_ = arena_strdup(remote->arena, head->namespace_);
	remote_keep_place(remote);
	watch_pods(remote);
}

static void
take_head(struct remote *remote)
{
	const struct workflow *head = workflow_model_head(remote->model);
	struct error err;

	remote->where.phase = head->phase;
	learn_name(remote, head);
	if (remote->was_ended && !phase_ended(head->phase) && remote_can_write(remote)) {
		store_go_on(remote->store, remote->run->id, NULL, &err);
		remote->was_ended = false;
	}
}

static void
changed(void *context, const size_t *places, size_t n, bool head)
{
	struct remote *remote = context;

	if (!remote->fresh && remote_can_write(remote))
		remote->fresh = !store_forget_steps(remote->store, remote->run->id, &(struct error){ "" });
	project_take(remote->project, remote->model, places, n);
	for (size_t i = 0; i < n; i++) {
		take_pod(remote, places[i]);
		add_details(remote, places[i]);
	}
	if (head)
		take_head(remote);
	remote->news_at = remote_now(remote);
}

/* ---- what the connection tells ---- */

/* A connection that is lost is said in the run's message, until it is there again; the run itself goes on. */
static void
show_connection(struct remote *remote)
{
	const struct workflow *head = workflow_model_head(remote->model);

	if (!phase_ended(remote->run->phase))
		run_set_phase(remote->run, remote->run->phase, remote->lost ? remote->lost : head->message, remote_now(remote));
}

static void
reached(void *context, const struct api_failure *failure)
{
	struct remote *remote = context;

	free(remote->lost);
	remote->lost = failure ? xstrdup(failure->what) : NULL;
	show_connection(remote);
}

static void
failed(void *context, const struct api_failure *failure)
{
	struct remote *remote = context;

	remote->watch = NULL;
	remote->failure = xcalloc(1, sizeof(*remote->failure));
	*remote->failure = *failure;
	remote->failure->answer = NULL;
	free(remote->lost);
	remote->lost = xstrdup(failure->what);
	show_connection(remote);
}

/* ---- beginning and end ---- */

void
remote_keep_place(struct remote *remote)
{
	struct store_place place = remote->place;
	struct error err;

	place.namespace_ = remote->where.namespace_;
	place.workflow = remote->where.name;
	place.workflow_id = remote->where.id;
	if (remote_can_write(remote))
		store_set_place(remote->store, remote->run->id, &place, &err);
}

void
remote_begin(struct remote *remote)
{
	const struct door_watcher watcher = { changed, reached, failed, remote };
	const struct run_observer writer = { .changed = node_changed, .context = remote };

	run_observe(remote->run, &writer);
	remote->news_at = remote_now(remote);
	remote->model = workflow_model_new();
	remote->project = project_new(remote->run, &remote->names, remote->params);
	remote->watch = remote->door->ops->watch(remote->door, &remote->where, remote->model, &watcher);
	watch_pods(remote);
	commit(remote);
}

/* What the cluster no longer has nobody can end any more. */
static enum phase
last_phase(const struct remote *remote)
{
	const struct workflow *head = workflow_model_head(remote->model);

	return head->deleted && !phase_ended(head->phase) ? PHASE_ERROR : head->phase;
}

static void
finish(struct remote *remote)
{
	const struct workflow *head = workflow_model_head(remote->model);
	enum phase phase = last_phase(remote);
	const char *message = head->message;
	struct arena *arena = arena_new();
	struct error err;

	if (phase != head->phase)
		message = "the workflow was deleted before it ended";
	remote_logs_save(remote, true);
	remote->ended = true;
	if (!phase_ended(remote->run->phase))
		run_set_phase(remote->run, phase, message, head->ended_ms ? head->ended_ms : remote_now(remote));
	if (remote_can_write(remote))
		store_end_run(remote->store, remote->run->id, phase, remote->run->message, run_outputs_dict(remote->run, arena),
			remote->run->ended_ms, &err);
	commit(remote);
	arena_free(arena);
}

/* What the one that wrote so far may not have come to. */
static void
write_all(struct remote *remote)
{
	struct error err;

	remote->fresh = remote_can_write(remote) && !store_forget_steps(remote->store, remote->run->id, &err);
	for (size_t i = 0; i < remote->run->n_nodes; i++)
		node_changed(remote, remote->run, i);
	remote_logs_take_over(remote);
	remote->news_at = remote_now(remote);
}

/* When the one that writes of the run is gone, and has not seen its end, this one goes on with it. */
static void
take_over(struct remote *remote)
{
	struct arena *arena = arena_new();
	struct error err;
	struct store *store = store_open(remote->store_folder, true, &err);
	struct store_run row;
	bool found = store && !store_find(store, arena, remote->run->id, &row, &err);

	remote->claim_at = remote_now(remote) + REMOTE_CLAIM;
	if (found && !phase_ended(row.phase) && !store_claim(store, &row, &remote->claim, &err)) {
		remote->store = store;
		store = NULL;
		write_all(remote);
	}
	if (remote->store || !found || phase_ended(row.phase)) {
		free(remote->store_folder);
		remote->store_folder = NULL;
	}
	store_close(store);
	arena_free(arena);
}

static long
time_to_wait(const struct remote *remote, long timeout)
{
	long due = remote->watch && !phase_ended(last_phase(remote)) ? timeout : REMOTE_SAVE;

	if (remote->store_folder && (due < 0 || due > REMOTE_CLAIM))
		due = REMOTE_CLAIM;

	for (size_t i = 0; i < remote->logs.n && remote->store; i++)
		if (remote->logs.items[i]->unsaved)
			due = REMOTE_SAVE;
	return timeout >= 0 && timeout < due ? timeout : due;
}

bool
remote_poll(struct remote *remote, int wake, long timeout)
{
	const struct workflow *head = workflow_model_head(remote->model);

	if (remote->ended)
		return false;
	remote->door->http->poll(remote->door->http, wake, time_to_wait(remote, timeout));
	if (remote->store_folder && (remote_now(remote) >= remote->claim_at || head->completed || head->deleted))
		take_over(remote);
	remote_logs_go_on(remote);
	if (remote->failure) {
		remote_logs_save(remote, true);
		remote->ended = true;
	} else if ((head->completed || head->deleted) && remote_logs_whole(remote)) {
		finish(remote);
	} else {
		remote_logs_save(remote, false);
	}
	commit(remote);
	return !remote->ended;
}

struct run *
remote_run(const struct remote *remote)
{
	return remote->run;
}

const struct door_run *
remote_where(const struct remote *remote)
{
	return &remote->where;
}

const struct api_failure *
remote_failure(const struct remote *remote)
{
	return remote->failure;
}

const struct api_failure *
remote_log_failure(const struct remote *remote)
{
	return remote->log_failure;
}

void
remote_free(struct remote *remote)
{
	if (!remote)
		return;
	remote_logs_save(remote, true);
	commit(remote);
	remote_logs_free(remote);
	pods_free(remote->pods);
	if (remote->watch)
		remote->door->ops->unwatch(remote->door, remote->watch);
	if (remote->run)
		run_forget_observer(remote->run, remote);
	project_free(remote->project);
	workflow_model_free(remote->model);
	store_release_claim(remote->claim);
	store_close(remote->store);
	run_unref(remote->run);
	plan_unref(remote->plan);
	free(remote->failure);
	free(remote->log_failure);
	free(remote->lost);
	free(remote->store_folder);
	arena_free(remote->arena);
	free(remote);
}
