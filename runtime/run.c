#include "config.h"

#include "runtime/run.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

struct run *
run_new(struct plan *plan, const char *id, const char *name)
{
	struct run *run = xcalloc(1, sizeof(*run));

	run->refs = 1;
	pthread_mutex_init(&run->lock, NULL);
	run->arena = arena_new();
	run->plan = plan_ref(plan);
	run->id = xstrdup(id);
	run->name = xstrdup(name);
	run->phase = PHASE_PENDING;
	run->steps = xcalloc(plan->n_steps, sizeof(*run->steps));
	run->groups = xcalloc(plan->n_groups, sizeof(*run->groups));
	for (size_t i = 0; i < plan->n_steps; i++)
		run->steps[i].bad = SIZE_MAX;
	return run;
}

struct run *
run_ref(struct run *run)
{
	__atomic_add_fetch(&run->refs, 1, __ATOMIC_RELAXED);
	return run;
}

void
run_unref(struct run *run)
{
	if (!run || __atomic_sub_fetch(&run->refs, 1, __ATOMIC_ACQ_REL))
		return;
	for (size_t i = 0; i < run->plan->n_steps; i++)
		free(run->steps[i].nodes);
	free(run->steps);
	free(run->groups);
	free(run->nodes);
	free(run->observers);
	free(run->id);
	free(run->name);
	free(run->folder);
	free(run->message);
	plan_unref(run->plan);
	arena_free(run->arena);
	pthread_mutex_destroy(&run->lock);
	free(run);
}

void
run_lock(const struct run *run)
{
	pthread_mutex_lock(&((struct run *)(uintptr_t)run)->lock);
}

void
run_unlock(const struct run *run)
{
	pthread_mutex_unlock(&((struct run *)(uintptr_t)run)->lock);
}

void
run_observe(struct run *run, const struct run_observer *observer)
{
	vec_reserve((void **)&run->observers, &run->cap_observers, run->n_observers + 1, sizeof(*run->observers));
	run->observers[run->n_observers++] = *observer;
}

void
run_forget_observer(struct run *run, const void *context)
{
	size_t n = 0;

	for (size_t i = 0; i < run->n_observers; i++)
		if (run->observers[i].context != context)
			run->observers[n++] = run->observers[i];
	run->n_observers = n;
}

static void
tell(struct run *run, size_t node)
{
	if (run->quiet)
		return;
	for (size_t i = 0; i < run->n_observers; i++)
		if (run->observers[i].changed)
			run->observers[i].changed(run->observers[i].context, run, node);
}

/* ---- one step from its instances ---- */

static enum phase
phase_of_counts(const struct run_step *step)
{
	static const enum phase order[] = { PHASE_ERROR, PHASE_FAILED, PHASE_SUCCEEDED, PHASE_OMITTED, PHASE_SKIPPED };

	if (step->counts[PHASE_RUNNING] || (step->counts[PHASE_PENDING] && step->done))
		return PHASE_RUNNING;
	if (step->counts[PHASE_PENDING])
		return PHASE_PENDING;
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		if (step->counts[order[i]])
			return order[i];
	return PHASE_PENDING;
}

static void
count_node(struct run *run, size_t id, enum phase before)
{
	const struct run_node *node = run->nodes[id];
	struct run_step *step = &run->steps[node->step];

	step->counts[before]--;
	step->counts[node->phase]++;
	step->done += (size_t)phase_ended(node->phase) - (size_t)phase_ended(before);
	step->phase = phase_of_counts(step);
	if (node->attempts > step->attempts)
		step->attempts = node->attempts;
	if (node->started_ms && (!step->started_ms || node->started_ms < step->started_ms))
		step->started_ms = node->started_ms;
	if (node->ended_ms > step->ended_ms)
		step->ended_ms = node->ended_ms;
	if (phase_bad(node->phase) && step->bad == SIZE_MAX)
		step->bad = id;
}

/* "[2][10]" comes behind "[2][9]". */
static bool
key_is_behind(const char *a, const char *b)
{
	while (*a == '[' && *b == '[') {
		char *a_end, *b_end;
		unsigned long x = strtoul(a + 1, &a_end, 10), y = strtoul(b + 1, &b_end, 10);

		if (x != y || *a_end != ']' || *b_end != ']')
			return x > y;
		a = a_end + 1;
		b = b_end + 1;
	}
	return false;
}

/* Items mostly come in order; those of a loop in a loop may not. */
static void
insert_node(struct run *run, struct run_step *s, size_t id)
{
	size_t at = s->n_nodes;

	vec_reserve((void **)&s->nodes, &s->cap_nodes, s->n_nodes + 1, sizeof(*s->nodes));
	for (; at && key_is_behind(run->nodes[s->nodes[at - 1]]->key, run->nodes[id]->key); at--)
		s->nodes[at] = s->nodes[at - 1];
	s->nodes[at] = id;
	s->n_nodes++;
}

size_t
run_add_node(struct run *run, size_t step, const char *key)
{
	struct run_step *s = &run->steps[step];
	struct run_node *node;
	size_t id = run->n_nodes;

	run_lock(run);
	node = arena_new_struct(run->arena, struct run_node);
	node->step = step;
	node->key = arena_strdup(run->arena, key);
	node->exit_code = -1;
	vec_reserve((void **)&run->nodes, &run->cap_nodes, run->n_nodes + 1, sizeof(*run->nodes));
	run->nodes[run->n_nodes] = node;
	insert_node(run, s, run->n_nodes);
	s->counts[PHASE_PENDING]++;
	s->phase = phase_of_counts(s);
	run->n_nodes++;
	run_unlock(run);
	return id;
}

/* Texts change seldom: one that is the same is kept. */
static const char *
keep_text(struct run *run, const char *old, const char *new)
{
	if (!new || (old && !strcmp(old, new)))
		return new ? old : NULL;
	return arena_strdup(run->arena, new);
}

static const struct engine_output *
keep_outputs(struct run *run, size_t step, const struct engine_output *outputs)
{
	size_t n = run->plan->steps[step].component->n_outputs;
	struct engine_output *copy = arena_alloc(run->arena, n * sizeof(*copy) + 1);

	for (size_t i = 0; i < n; i++) {
		copy[i].value = outputs[i].value ? value_clone(run->arena, outputs[i].value) : NULL;
		copy[i].path = outputs[i].path ? arena_strdup(run->arena, outputs[i].path) : NULL;
	}
	return copy;
}

void
run_set_node(struct run *run, size_t id, const struct run_node *state)
{
	struct run_node *node = run->nodes[id];
	enum phase before = node->phase;

	run_lock(run);
	node->phase = state->phase;
	node->attempts = state->attempts;
	node->started_ms = state->started_ms;
	node->ended_ms = state->ended_ms;
	node->exit_code = state->exit_code;
	node->message = keep_text(run, node->message, state->message);
	node->help = keep_text(run, node->help, state->help);
	node->tail = keep_text(run, node->tail, state->tail);
	node->folder = keep_text(run, node->folder, state->folder);
	if (state->outputs != node->outputs)
		node->outputs = state->outputs ? keep_outputs(run, node->step, state->outputs) : NULL;
	count_node(run, id, before);
	run_unlock(run);
	tell(run, id);
}

void
run_recount(struct run *run, size_t step)
{
	struct run_step *s = &run->steps[step];
	size_t *nodes = s->nodes, n = s->n_nodes, cap = s->cap_nodes;

	if (!n)
		return;
	*s = (struct run_step){ .nodes = nodes, .n_nodes = n, .cap_nodes = cap, .bad = SIZE_MAX };
	s->counts[PHASE_PENDING] = n;
	for (size_t i = 0; i < n; i++)
		count_node(run, nodes[i], PHASE_PENDING);
}

void
run_set_group(struct run *run, size_t group, const struct run_group *state)
{
	const char *message;

	run_lock(run);
	message = keep_text(run, run->groups[group].message, state->message);
	run->groups[group] = *state;
	run->groups[group].message = message;
	run_unlock(run);
}

void
run_set_step(struct run *run, size_t step, enum phase phase)
{
	run_lock(run);
	if (!run->steps[step].n_nodes)
		run->steps[step].phase = phase;
	run_unlock(run);
}

void
run_set_phase(struct run *run, enum phase phase, const char *message, int64_t now_ms)
{
	run_lock(run);
	run->phase = phase;
	free(run->message);
	run->message = message ? xstrdup(message) : NULL;
	if (phase == PHASE_RUNNING && !run->started_ms)
		run->started_ms = now_ms;
	if (phase_ended(phase))
		run->ended_ms = now_ms;
	run_unlock(run);
	tell(run, SIZE_MAX);
}

void
run_set_params(struct run *run, const struct value *const *params)
{
	size_t n = run->plan->n_params;
	const struct value **copy = arena_alloc(run->arena, n * sizeof(*copy) + 1);

	for (size_t i = 0; params && i < n; i++)
		copy[i] = params[i] ? value_clone(run->arena, params[i]) : NULL;
	run->params = params ? copy : NULL;
}

void
run_set_outputs(struct run *run, const struct value *const *outputs)
{
	size_t n = run->plan->n_outputs;
	const struct value **copy;

	run_lock(run);
	copy = arena_alloc(run->arena, n * sizeof(*copy) + 1);
	for (size_t i = 0; i < n; i++)
		copy[i] = value_clone(run->arena, outputs[i]);
	run->outputs = copy;
	run_unlock(run);
}

void
run_wrote(struct run *run, size_t node, const char *text, size_t len)
{
	if (run->quiet || !len)
		return;
	for (size_t i = 0; i < run->n_observers; i++)
		if (run->observers[i].wrote)
			run->observers[i].wrote(run->observers[i].context, run, node, text, len);
}

/* ---- looking ---- */

static const struct value *
node_output(const struct run_node *node, size_t output, struct arena *arena)
{
	const struct engine_output *o = node->outputs ? &node->outputs[output] : NULL;

	if (!o)
		return &VALUE_OF_NULL;
	return o->path ? value_string(arena, o->path) : o->value ? o->value : &VALUE_OF_NULL;
}

static bool
in_loop(const struct plan *plan, size_t step)
{
	for (size_t group = plan->steps[step].group; group; group = plan->groups[group].parent)
		if (plan->groups[group].kind == GROUP_FOR)
			return true;
	return false;
}

const struct value *
run_output(const struct run *run, size_t step, size_t output, struct arena *arena, struct error *err)
{
	const struct run_step *s = &run->steps[step];
	CLEANUP(freep) const struct value **items = NULL;

	if (s->phase == PHASE_SKIPPED && !in_loop(run->plan, step))
		return &VALUE_OF_NULL;
	if (s->phase != PHASE_SUCCEEDED && s->phase != PHASE_SKIPPED) {
		error_set(err, "the step `%s` has no outputs: it is %s", run->plan->steps[step].name, phase_name(s->phase));
		return NULL;
	}
	if (!in_loop(run->plan, step))
		return node_output(run->nodes[s->nodes[0]], output, arena);
	items = xcalloc(s->n_nodes, sizeof(*items));
	for (size_t i = 0; i < s->n_nodes; i++)
		items[i] = node_output(run->nodes[s->nodes[i]], output, arena);
	return value_list(arena, items, s->n_nodes);
}

size_t
run_culprit(const struct run *run)
{
	for (size_t i = 0; i < run->plan->n_steps; i++)
		if (run->steps[i].bad != SIZE_MAX && phase_bad(run->nodes[run->steps[i].bad]->phase))
			return run->steps[i].bad;
	return SIZE_MAX;
}

void
run_counts(const struct run *run, size_t ret[PHASE_COUNT])
{
	memset(ret, 0, PHASE_COUNT * sizeof(*ret));
	for (size_t i = 0; i < run->n_nodes; i++)
		ret[run->nodes[i]->phase]++;
}

/* ---- JSON ---- */

const struct value *
run_node_outputs(const struct run *run, const struct run_node *node, struct arena *arena)
{
	const struct component *component = run->plan->steps[node->step].component;
	size_t n = node->outputs ? component->n_outputs : 0, used = 0;
	CLEANUP(freep) const char **keys = xcalloc(n, sizeof(*keys));
	CLEANUP(freep) const struct value **items = xcalloc(n, sizeof(*items));

	for (size_t i = 0; i < n; i++) {
		if (!node->outputs[i].path && !node->outputs[i].value)
			continue;
		keys[used] = component->outputs[i].id;
		items[used++] = node_output(node, i, arena);
	}
	return value_dict(arena, keys, items, used);
}

static const struct value *
text_or_null(struct arena *arena, const char *text)
{
	return text ? value_string(arena, text) : &VALUE_OF_NULL;
}

static const struct value *
node_value(const struct run *run, const struct run_node *node, struct arena *arena)
{
	static const char *const keys[] = { "name", "phase", "attempts", "exit_code", "message", "outputs" };
	const struct value *items[] = {
		value_string(arena, arena_printf(arena, "%s%s", run->plan->steps[node->step].name, node->key)),
		value_string(arena, phase_name(node->phase)),
		value_integer(arena, node->attempts),
		node->exit_code < 0 ? &VALUE_OF_NULL : value_integer(arena, node->exit_code),
		text_or_null(arena, node->message),
		run_node_outputs(run, node, arena),
	};

	return value_dict(arena, keys, items, ARRAY_LEN(keys));
}

static const struct value *
nothing_value(const struct run *run, size_t step, struct arena *arena)
{
	struct run_node node = { .step = step, .key = "", .phase = run->steps[step].phase, .exit_code = -1 };

	return node_value(run, &node, arena);
}

static const struct value *
steps_value(const struct run *run, struct arena *arena)
{
	VEC(const struct value *) items = { 0 };
	const struct value *list;

	for (size_t i = 0; i < run->plan->n_steps; i++) {
		const struct run_step *step = &run->steps[i];

		for (size_t j = 0; j < step->n_nodes; j++)
			vec_push(&items, node_value(run, run->nodes[step->nodes[j]], arena));
		if (!step->n_nodes)
			vec_push(&items, nothing_value(run, i, arena));
	}
	list = value_list(arena, items.items, items.n);
	vec_release(&items);
	return list;
}

const struct value *
run_outputs_dict(const struct run *run, struct arena *arena)
{
	size_t n = run->outputs ? run->plan->n_outputs : 0;
	CLEANUP(freep) const char **keys = xcalloc(n, sizeof(*keys));

	for (size_t i = 0; i < n; i++)
		keys[i] = run->plan->outputs[i].name;
	return value_dict(arena, keys, run->outputs, n);
}

const struct value *
run_to_value(const struct run *run, struct arena *arena)
{
	static const char *const keys[] = { "id", "name", "phase", "message", "steps", "outputs" };
	const struct value *items[] = {
		value_string(arena, run->id), value_string(arena, run->name), value_string(arena, phase_name(run->phase)),
		text_or_null(arena, run->message), steps_value(run, arena), run_outputs_dict(run, arena),
	};

	return value_dict(arena, keys, items, ARRAY_LEN(keys));
}

void
run_write_json(const struct run *run, struct buf *buf)
{
	struct arena *arena = arena_new();

	value_write_json(buf, run_to_value(run, arena));
	arena_free(arena);
}
