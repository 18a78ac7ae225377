#include "config.h"

#include "runtime/engine.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/engine_private.h"

static bool
needs_hold(const struct engine *engine, const struct node *node)
{
	const struct frame *frame = frame_at(engine, node->pub.frame);
	const struct plan_child *child = child_of(engine, node);
	bool **tolerates = engine->groups[frame->group].tolerates;
	const bool *any = tolerates ? tolerates[node->child] : NULL;

	for (size_t i = 0; i < child->n_needs; i++) {
		enum phase phase = node_at(engine, frame->first + child->needs[i])->pub.phase;

		if (phase != PHASE_SUCCEEDED && phase != PHASE_SKIPPED && !(any && any[i]))
			return false;
	}
	return true;
}

/* All that it needs has ended. */
static void
consider(struct engine *engine, size_t id)
{
	struct node *node = node_at(engine, id);

	if (engine->stopping)
		engine_end_node(engine, id, PHASE_OMITTED, engine->why_stopped);
	else if (!needs_hold(engine, node))
		engine_end_node(engine, id, PHASE_OMITTED, "what it depends on did not succeed");
	else if (!node->pub.is_group)
		queue_push(&engine->ready, id);
	else if (engine->plan->groups[node->pub.index].kind == GROUP_FOR)
		engine_begin_for(engine, id);
	else
		engine_begin_if(engine, id);
}

/* Steps that wait for a place or a retry end at once; those that run are killed. */
static bool
stop(struct engine *engine, const char *why)
{
	size_t id, n = engine->nodes.n;
	const struct timer *first;

	if (engine->stopping || phase_ended(engine->phase))
		return false;
	engine->stopping = true;
	engine->why_stopped = arena_strdup(engine->arena, why ? why : "stopped");
	for (size_t i = 0; i < n; i++) {
		struct node *node = node_at(engine, i);

		if (node->pub.running) {
			node->killed = true;
			engine_kill_attempt(engine, i);
		}
	}
	while (queue_pop(&engine->ready, &id))
		engine_end_node(engine, id, node_at(engine, id)->pub.attempts ? PHASE_FAILED : PHASE_OMITTED, engine->why_stopped);
	/* In the order of their times, whatever stale timers stand among them: a replay has others. */
	while ((first = timers_first(&engine->timers))) {
		struct timer timer = *first;

		timers_drop_first(&engine->timers);
		if (timer.kind == TIMER_RETRY)
			engine_end_node(engine, timer.node, PHASE_FAILED, engine->why_stopped);
	}
	return true;
}

static bool
fire(struct engine *engine, const struct timer *timer)
{
	struct node *node = timer->node == ENGINE_NONE ? NULL : node_at(engine, timer->node);

	switch (timer->kind) {
	case TIMER_RUN:
		return stop(engine, "the run timed out");
	case TIMER_RETRY:
		queue_push(&engine->ready, timer->node);
		return true;
	case TIMER_TIMEOUT:
		if (!node->pub.running || node->pub.attempts - 1 != timer->attempt || node->killed)
			return false;
		node->timed_out = true;
		engine_kill_attempt(engine, timer->node);
		return true;
	}
	BUG("timer %d", (int)timer->kind);
}

static bool
tick(struct engine *engine)
{
	const struct timer *first;
	bool effect = false;

	while ((first = timers_first(&engine->timers)) && first->due_ms <= engine->now_ms) {
		struct timer timer = *first;

		timers_drop_first(&engine->timers);
		effect = fire(engine, &timer) || effect;
	}
	return effect;
}

static bool
start(struct engine *engine)
{
	int64_t timeout = engine->plan->settings ? engine->plan->settings->timeout : 0;

	if (engine->begun)
		return false;
	engine->begun = true;
	engine->phase = PHASE_RUNNING;
	if (timeout > 0)
		timers_add(&engine->timers, (struct timer){ .due_ms = engine->now_ms + timeout * 1000,
							    .node = ENGINE_NONE,
							    .kind = TIMER_RUN });
	engine_add_frame(engine, 0, ENGINE_NONE, 0, NULL);
	engine_begin_frame(engine, 0);
	return true;
}

static bool
take(struct engine *engine, const struct engine_event *event)
{
	if (event->kind == ENGINE_START)
		return start(engine);
	if (!engine->begun || phase_ended(engine->phase))
		return false;
	switch (event->kind) {
	case ENGINE_EXITED:
		return engine_take_exit(engine, event);
	case ENGINE_STOP:
		return stop(engine, event->text);
	case ENGINE_TICK:
		return tick(engine);
	case ENGINE_START:
		break;
	}
	return false;
}

/* Carries on what the event made possible: nodes whose needs have ended, then steps while there are places. */
static void
settle(struct engine *engine)
{
	size_t id;

	for (;;) {
		if (queue_pop(&engine->work, &id)) {
			if (!phase_ended(node_at(engine, id)->pub.phase))
				consider(engine, id);
		} else if ((!engine->args.jobs || engine->running < engine->args.jobs) && queue_pop(&engine->ready, &id)) {
			engine_begin_attempt(engine, id);
		} else {
			return;
		}
	}
}

bool
engine_feed(struct engine *engine, const struct engine_event *event, const struct engine_action **ret_actions,
	    size_t *ret_n)
{
	bool effect;

	engine->actions.n = 0;
	if (event->now_ms > engine->now_ms)
		engine->now_ms = event->now_ms;
	effect = take(engine, event);
	settle(engine);
	*ret_actions = engine->actions.items;
	*ret_n = engine->actions.n;
	return effect;
}

struct engine *
engine_new(struct plan *plan, const struct engine_args *args, struct error *err)
{
	struct engine *engine = xcalloc(1, sizeof(*engine));

	engine->plan = plan_ref(plan);
	engine->arena = arena_new();
	engine->args = *args;
	engine->phase = PHASE_PENDING;
	if (!engine_build(engine, err))
		return engine;
	engine_free(engine);
	return NULL;
}

void
engine_free(struct engine *engine)
{
	if (!engine)
		return;
	plan_unref(engine->plan);
	arena_free(engine->arena);
	vec_release(&engine->nodes);
	vec_release(&engine->frames);
	vec_release(&engine->actions);
	free(engine->work.items);
	free(engine->ready.items);
	timers_release(&engine->timers);
	free(engine);
}

int64_t
engine_next_ms(const struct engine *engine)
{
	const struct timer *first = phase_ended(engine->phase) ? NULL : timers_first(&engine->timers);

	return first ? first->due_ms : -1;
}

enum phase
engine_phase(const struct engine *engine)
{
	return engine->phase;
}

const char *
engine_message(const struct engine *engine)
{
	return engine->message;
}

size_t
engine_node_count(const struct engine *engine)
{
	return engine->nodes.n;
}

const struct engine_node *
engine_node(const struct engine *engine, size_t node)
{
	return &node_at(engine, node)->pub;
}

void
engine_node_key(const struct engine *engine, size_t node, struct buf *buf)
{
	const struct frame *frame = frame_at(engine, node_at(engine, node)->pub.frame);

	if (frame->node != ENGINE_NONE)
		engine_node_key(engine, frame->node, buf);
	if (engine->plan->groups[frame->group].kind == GROUP_FOR)
		buf_printf(buf, "[%zu]", frame->number);
}

const struct value *
engine_node_item(const struct engine *engine, size_t node)
{
	for (;;) {
		const struct frame *frame = frame_at(engine, node_at(engine, node)->pub.frame);

		if (engine->plan->groups[frame->group].kind == GROUP_FOR)
			return frame->item;
		if (frame->node == ENGINE_NONE)
			return NULL;
		node = frame->node;
	}
}

bool
engine_wants_text(const struct engine *engine, size_t step, size_t output)
{
	return engine->wants_text[step] && engine->wants_text[step][output];
}
