#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/engine_private.h"

void
engine_kill_attempt(struct engine *engine, size_t id)
{
	engine_act(engine, ENGINE_DO_KILL, id, node_at(engine, id)->pub.attempts - 1);
}

void
engine_begin_attempt(struct engine *engine, size_t id)
{
	struct node *node = node_at(engine, id);
	int64_t timeout = step_of(engine, node)->settings->timeout;
	struct error err;

	node->pub.inputs = engine_resolve(engine, id, &err);
	if (!node->pub.inputs) {
		engine_end_node(engine, id, PHASE_ERROR, arena_strdup(engine->arena, err.text));
		return;
	}
	node->pub.attempts++;
	node->pub.running = true;
	node->timed_out = node->killed = false;
	node->pub.message = NULL;
	engine->running++;
	/* Started before it is told: the folder of the attempt, with its log, is known when the change is written down. */
	engine_act(engine, ENGINE_DO_START, id, node->pub.attempts - 1);
	engine_set_phase(engine, id, PHASE_RUNNING);
	if (timeout > 0)
		timers_add(&engine->timers, (struct timer){ .due_ms = engine->now_ms + timeout * 1000,
							    .node = id,
							    .attempt = node->pub.attempts - 1,
							    .kind = TIMER_TIMEOUT });
}

static bool
retried(const struct engine *engine, const struct node *node, enum phase phase)
{
	const struct retry *retry = &step_of(engine, node)->settings->retry;

	if (engine->stopping || !retry->set || node->pub.attempts > retry->limit)
		return false;
	switch (retry->when) {
	case RETRY_ON_FAILURE:
		return phase == PHASE_FAILED;
	case RETRY_ON_ERROR:
		return phase == PHASE_ERROR;
	case RETRY_ON_PREEMPTION:
		return false; /* nothing is preempted here */
	case RETRY_ALWAYS:
		return true;
	}
	BUG("retry when %d", (int)retry->when);
}

/* Before attempt n + 1: the first wait times factor to the power of n - 1, at most `max`. */
static int64_t
wait_ms(const struct retry *retry, int attempts)
{
	double wait = (double)retry->backoff * pow(retry->factor > 0 ? retry->factor : 1, attempts - 1);
	double most = retry->max > 0 ? (double)retry->max : 365.0 * 86400;

	return (int64_t)((wait < most ? wait : most) * 1000);
}

static void
attempt_again(struct engine *engine, size_t id, const char *message)
{
	struct node *node = node_at(engine, id);
	int64_t wait = wait_ms(&step_of(engine, node)->settings->retry, node->pub.attempts);

	node->pub.message = message;
	engine_set_phase(engine, id, PHASE_PENDING);
	if (!wait) {
		queue_push(&engine->ready, id);
		return;
	}
	timers_add(&engine->timers, (struct timer){ .due_ms = engine->now_ms + wait,
						    .node = id,
						    .attempt = node->pub.attempts,
						    .kind = TIMER_RETRY });
}

static const char *
signal_name(int number)
{
	const char *name = sigabbrev_np(number);

	return name ? name : "unknown";
}

static const char *
exit_message(struct engine *engine, const struct node *node, const struct engine_event *event)
{
	if (node->timed_out)
		return arena_printf(engine->arena, "timed out after %lld s",
			(long long)step_of(engine, node)->settings->timeout);
	if (node->killed)
		return engine->why_stopped;
	if (event->how == EXIT_ERROR)
		return arena_strdup(engine->arena, event->text ? event->text : "unknown error");
	if (event->how == EXIT_SIGNAL)
		return arena_printf(engine->arena, "killed by signal %d (%s)", event->number, signal_name(event->number));
	return event->number ? arena_printf(engine->arena, "exit code %d", event->number) : NULL;
}

static enum phase
exit_phase(const struct node *node, const struct engine_event *event)
{
	if (node->timed_out || node->killed)
		return PHASE_FAILED;
	if (event->how == EXIT_ERROR)
		return PHASE_ERROR;
	return event->how == EXIT_CODE && !event->number ? PHASE_SUCCEEDED : PHASE_FAILED;
}

static void
keep_outputs(struct engine *engine, struct node *node, const struct engine_output *outputs)
{
	size_t n = step_of(engine, node)->component->n_outputs;
	struct engine_output *copy;

	if (!outputs || !n)
		return;
	copy = arena_alloc(engine->arena, n * sizeof(*copy));
	for (size_t i = 0; i < n; i++) {
		copy[i].value = outputs[i].value ? value_clone(engine->arena, outputs[i].value) : NULL;
		copy[i].path = outputs[i].path ? arena_strdup(engine->arena, outputs[i].path) : NULL;
	}
	node->pub.outputs = copy;
}

bool
engine_take_exit(struct engine *engine, const struct engine_event *event)
{
	struct node *node;
	enum phase phase;
	const char *message;

	if (event->node >= engine->nodes.n)
		return false;
	node = node_at(engine, event->node);
	if (!node->pub.running || event->attempt != node->pub.attempts - 1)
		return false;
	node->pub.running = false;
	engine->running--;
	node->pub.has_exit = event->how != EXIT_ERROR;
	node->pub.how = event->how;
	node->pub.number = event->number;
	phase = exit_phase(node, event);
	message = exit_message(engine, node, event);
	if (phase != PHASE_SUCCEEDED && retried(engine, node, phase)) {
		attempt_again(engine, event->node, message);
		return true;
	}
	if (phase == PHASE_SUCCEEDED)
		keep_outputs(engine, node, event->outputs);
	engine_end_node(engine, event->node, phase, message);
	return true;
}
