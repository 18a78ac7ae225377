#include "config.h"

#include "runtime/local.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "runtime/local_private.h"

int64_t
local_clock(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The time of day when the run began plus what has passed since: it never goes back. */
int64_t
local_now(const struct local *local)
{
	return local->wall_ms + local_clock(CLOCK_MONOTONIC) - local->clock_ms;
}

/* ---- the store ---- */

/* A journal that cannot be written ends the run, for nobody could tell later what it did. */
static void
store_trouble(struct local *local, const struct error *err)
{
	struct engine_event event = { .kind = ENGINE_STOP, .now_ms = local_now(local), .text = err->text };

	if (local->store_failed)
		return;
	local->store_failed = true;
	local->writing = false;
	local_feed(local, &event);
}

static bool
can_write(struct local *local)
{
	struct error err = { "" };

	if (local->store_failed)
		return false;
	if (!local->writing && store_begin(local->store, &err)) {
		store_trouble(local, &err);
		return false;
	}
	local->writing = true;
	return true;
}

static void
commit(struct local *local)
{
	struct error err = { "" };

	if (!local->writing)
		return;
	local->writing = false;
	if (store_commit(local->store, &err))
		store_trouble(local, &err);
}

static void
write_event(struct local *local, const struct engine_event *event)
{
	struct error err = { "" };
	size_t n = 0;

	if (!can_write(local))
		return;
	if (event->kind == ENGINE_EXITED)
		n = local->plan->steps[engine_node(local->engine, event->node)->index].component->n_outputs;
	if (store_event(local->store, local->run->id, event, n, &err))
		store_trouble(local, &err);
}

static void
write_step(struct local *local, size_t node, const struct run_node *state)
{
	const struct plan_step *step = &local->plan->steps[state->step];
	struct arena *arena = arena_new();
	struct store_step row = {
		.name = step->name, .key = state->key, .phase = state->phase, .attempts = state->attempts,
		.exit_code = state->exit_code, .started_ms = state->started_ms, .ended_ms = state->ended_ms,
		.message = state->message, .folder = state->folder,
	};
	struct error err = { "" };

	if (can_write(local)) {
		row.outputs = run_node_outputs(local->run, state, arena);
		if (store_step(local->store, local->run->id, node, &row, &err))
			store_trouble(local, &err);
	}
	arena_free(arena);
}

/* ---- from the engine to the run ---- */

static int
exit_code_of(const struct engine_node *node)
{
	if (!node->has_exit)
		return -1;
	return node->how == EXIT_SIGNAL ? 128 + node->number : node->number;
}

static void
add_nodes(struct local *local)
{
	struct buf key = { 0 };

	while (local->nodes.n < engine_node_count(local->engine)) {
		size_t id = local->nodes.n;
		const struct engine_node *node = engine_node(local->engine, id);
		struct local_node entry = { .run_node = SIZE_MAX };

		buf_clear(&key);
		engine_node_key(local->engine, id, &key);
		if (!node->is_group)
			entry.run_node = run_add_node(local->run, node->index, buf_text(&key));
		vec_push(&local->nodes, entry);
	}
	buf_release(&key);
}

/* A loop that had no items, or did not begin, leaves steps without an instance. */
static void
mark_empty(struct local *local, size_t group, enum phase phase)
{
	const struct plan_group *g = &local->plan->groups[group];

	for (size_t i = 0; i < g->n_children; i++) {
		if (g->children[i].is_group)
			mark_empty(local, g->children[i].index, phase);
		else
			run_set_step(local->run, g->children[i].index, phase);
	}
}

static void
take_group(struct local *local, const struct engine_node *node)
{
	struct run_group state = local->run->groups[node->index];

	state.phase = node->phase;
	state.started_ms = node->started_ms;
	state.ended_ms = node->ended_ms;
	state.message = node->message;
	run_set_group(local->run, node->index, &state);
	if (phase_ended(node->phase) && local->plan->groups[node->index].kind == GROUP_FOR)
		mark_empty(local, node->index, node->phase);
}

static void
take_change(struct local *local, size_t id)
{
	const struct engine_node *node = engine_node(local->engine, id);
	const struct local_node *entry = &local->nodes.items[id];
	struct run_node state;

	if (node->is_group) {
		take_group(local, node);
		return;
	}
	state = (struct run_node){
		.step = node->index, .key = local->run->nodes[entry->run_node]->key, .phase = node->phase,
		.attempts = node->attempts, .started_ms = node->started_ms, .ended_ms = node->ended_ms,
		.exit_code = exit_code_of(node), .message = node->message, .outputs = node->outputs,
		.tail = entry->tail, .folder = entry->folder,
	};
	run_set_node(local->run, entry->run_node, &state);
	if (state.phase != PHASE_PENDING || state.attempts)
		write_step(local, entry->run_node, &state);
}

static void
finish(struct local *local)
{
	enum phase phase = engine_phase(local->engine);
	const char *message = engine_message(local->engine);
	int64_t now = local_now(local);
	struct error err = { "" };
	struct arena *arena = arena_new();

	if (phase == PHASE_SUCCEEDED && local->plan->n_outputs) {
		const struct value *const *outputs = engine_outputs(local->engine, &err);

		if (outputs)
			run_set_outputs(local->run, outputs);
		phase = outputs ? phase : PHASE_ERROR;
		message = outputs ? message : err.text;
	}
	if (can_write(local))
		store_end_run(local->store, local->run->id, phase, message, run_outputs_dict(local->run, arena), now, NULL);
	local->ended = true;
	commit(local);
	run_set_phase(local->run, phase, message, now);
	arena_free(arena);
}

void
local_feed(struct local *local, const struct engine_event *event)
{
	const struct engine_action *actions;
	size_t n;
	bool effect = engine_feed(local->engine, event, &actions, &n);

	for (size_t i = 0; i < n; i++)
		vec_push(&local->todo, actions[i]);
	if (effect)
		write_event(local, event);
}

void
local_work(struct local *local)
{
	while (local->todo_at < local->todo.n) {
		struct engine_action action = local->todo.items[local->todo_at++];
		struct attempt *attempt;

		add_nodes(local);
		switch (action.kind) {
		case ENGINE_DO_START:
			commit(local);
			attempt_start(local, action.node, action.attempt);
			break;
		case ENGINE_DO_KILL:
			attempt = attempt_of_node(local, action.node);
			if (attempt)
				attempt_kill(local, attempt, false);
			break;
		case ENGINE_CHANGED:
			take_change(local, action.node);
			break;
		case ENGINE_FINISHED:
			finish(local);
			break;
		}
	}
	local->todo.n = local->todo_at = 0;
	commit(local);
}

/* ---- waiting ---- */

static void
stop(struct local *local, const char *why)
{
	struct engine_event event = { .kind = ENGINE_STOP, .now_ms = local_now(local), .text = why };

	if (!local->stopping) {
		local->stopping = true;
		local_feed(local, &event);
		return;
	}
	for (size_t i = 0; i < local->attempts.n; i++)
		attempt_kill(local, local->attempts.items[i], true);
}

static void
earliest(int64_t *at, int64_t other)
{
	if (other > 0 && (!*at || other < *at))
		*at = other;
}

static void
set_timer(struct local *local)
{
	int64_t at = local->look_at, next = engine_next_ms(local->engine), wait;
	struct itimerspec spec = { 0 };

	earliest(&at, next < 0 ? 0 : next);
	for (size_t i = 0; i < local->attempts.n; i++) {
		earliest(&at, local->attempts.items[i]->kill_at);
		earliest(&at, local->attempts.items[i]->drain_until);
	}
	if (at == local->timer_at)
		return;
	local->timer_at = at;
	wait = at - local_now(local);
	if (wait < 1)
		wait = 1;
	spec.it_value.tv_sec = wait / 1000;
	spec.it_value.tv_nsec = wait % 1000 * 1000000;
	timerfd_settime(local->timer, 0, &spec, NULL);
}

static void
tick(struct local *local)
{
	int64_t now = local_now(local), due = engine_next_ms(local->engine);
	struct engine_event event = { .kind = ENGINE_TICK, .now_ms = now };
	uint64_t count;

	(void)!read(local->timer, &count, sizeof(count));
	local->timer_at = 0;
	if (due >= 0 && due <= now)
		local_feed(local, &event);
	for (size_t i = local->attempts.n; i-- > 0;)
		if (i < local->attempts.n)
			attempt_tick(local, local->attempts.items[i], now);
	if (now < local->look_at)
		return;
	local->look_at = now + LOCAL_LOOK_MS;
	if (!local->stopping && store_stop_wanted(local->run->folder))
		stop(local, "stopped");
}

static void
take_reports(struct local *local)
{
	struct report report;
	int n;

	while ((n = warden_next(local->warden, &report)) > 0)
		attempt_take_report(local, &report);
	if (n == 0)
		return;
	/* The warden is gone, and its death took all processes along. */
	epoll_ctl(local->epoll, EPOLL_CTL_DEL, warden_fd(local->warden), NULL);
	while (local->attempts.n) {
		report = (struct report){ local->attempts.items[0]->id, REPORT_KILLED, SIGKILL };
		local->attempts.items[0]->launch.n_follows = 0;
		if (local->attempts.items[0]->pipe >= 0)
			attempt_drop_output(local, local->attempts.items[0]);
		attempt_take_report(local, &report);
	}
	stop(local, "the process that starts the steps died");
}

static void
take_wake(struct local *local)
{
	uint64_t count;

	if (read(local->wake, &count, sizeof(count)) == (ssize_t)sizeof(count))
		stop(local, "stopped");
}

bool
local_poll(struct local *local, int timeout_ms)
{
	struct epoll_event events[16];
	int n;

	if (local->ended)
		return false;
	set_timer(local);
	n = epoll_wait(local->epoll, events, ARRAY_LEN(events), timeout_ms);
	for (int i = 0; i < n; i++) {
		void *what = events[i].data.ptr;

		/* Output first and ends after it: a report may take an attempt away that a later event of this round is about. */
		if (what == &local->timer || what == &local->wake || what == &local->warden)
			continue;
		attempt_read(local, what);
	}
	for (size_t i = local->attempts.n; i-- > 0;)
		if (i < local->attempts.n)
			attempt_settle(local, local->attempts.items[i]);
	for (int i = 0; i < n; i++) {
		if (events[i].data.ptr == &local->timer)
			tick(local);
		else if (events[i].data.ptr == &local->wake)
			take_wake(local);
		else if (events[i].data.ptr == &local->warden)
			take_reports(local);
	}
	local_work(local);
	if (!local->ended)
		set_timer(local); /* who waits on local_fd alone must be woken for what is due next */
	return !local->ended;
}

int
local_fd(const struct local *local)
{
	return local->epoll;
}

struct run *
local_run(const struct local *local)
{
	return local->run;
}

void
local_interrupt(struct local *local)
{
	uint64_t one = 1;
	int saved = errno;

	(void)!write(local->wake, &one, sizeof(one));
	errno = saved;
}

/* A run that nobody drives any more. */
static void
abandon(struct local *local)
{
	int64_t now = local_now(local);

	if (can_write(local))
		store_end_run(local->store, local->run->id, PHASE_FAILED, "stopped", NULL, now, NULL);
	commit(local);
	local->ended = true;
	run_set_phase(local->run, PHASE_FAILED, "stopped", now);
}

static void
close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

void
local_free(struct local *local)
{
	if (!local)
		return;
	warden_free(local->warden);
	if (local->run && !local->ended)
		abandon(local);
	while (local->attempts.n)
		attempt_free(local, local->attempts.items[--local->attempts.n]);
	vec_release(&local->attempts);
	vec_release(&local->nodes);
	vec_release(&local->todo);
	engine_free(local->engine);
	store_close(local->store);
	run_unref(local->run);
	plan_unref(local->plan);
	close_if_open(local->epoll);
	close_if_open(local->timer);
	close_if_open(local->wake);
	close_if_open(local->null);
	arena_free(local->arena);
	free(local->bytes);
	free(local);
}
