#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/engine_private.h"

void
engine_act(struct engine *engine, enum engine_action_kind kind, size_t node, int attempt)
{
	struct engine_action action = { kind, node, attempt };

	vec_push(&engine->actions, action);
}

void
engine_set_phase(struct engine *engine, size_t id, enum phase phase)
{
	struct node *node = node_at(engine, id);

	node->pub.phase = phase;
	if (phase == PHASE_RUNNING && !node->pub.started_ms)
		node->pub.started_ms = engine->now_ms;
	if (phase_ended(phase))
		node->pub.ended_ms = engine->now_ms;
	engine_act(engine, ENGINE_CHANGED, id, 0);
}

/* ---- frames ---- */

/* A run of n new nodes, of which ids follow each other. */
static size_t
add_nodes(struct engine *engine, size_t n)
{
	size_t first = engine->nodes.n;
	struct node *block = arena_alloc(engine->arena, n * sizeof(*block) + 1);

	for (size_t i = 0; i < n; i++)
		vec_push(&engine->nodes, &block[i]);
	return first;
}

/* Frames of conditions are made at once, so that every step outside of loops has its node from the start. */
static void
add_child(struct engine *engine, size_t frame, size_t place)
{
	const struct plan_group *group = &engine->plan->groups[frame_at(engine, frame)->group];
	const struct plan_child *child = &group->children[place];
	size_t id = frame_at(engine, frame)->first + place;
	struct node *node = node_at(engine, id);

	node->pub = (struct engine_node){ .is_group = child->is_group, .index = child->index, .frame = frame };
	node->child = (uint32_t)place;
	node->waiting = (uint32_t)child->n_needs;
	node->branch = PHASE_SUCCEEDED;
	if (!child->is_group || engine->plan->groups[child->index].kind == GROUP_FOR)
		return;
	node->frames = arena_alloc(engine->arena, sizeof(*node->frames));
	node->frames[0] = engine_add_frame(engine, child->index, id, 0, NULL);
	node->n_frames = 1;
}

size_t
engine_add_frame(struct engine *engine, size_t group, size_t node, size_t number, const struct value *item)
{
	size_t n = engine->plan->groups[group].n_children, id = engine->frames.n;
	struct frame frame = { .group = group, .node = node, .open = n, .number = number, .item = item };

	frame.first = add_nodes(engine, n);
	vec_push(&engine->frames, frame);
	for (size_t i = 0; i < n; i++)
		add_child(engine, id, i);
	return id;
}

/* How many nodes an item of the group makes at once. */
static size_t
frame_size(const struct engine *engine, size_t group)
{
	const struct plan_group *g = &engine->plan->groups[group];
	size_t n = g->n_children;

	for (size_t i = 0; i < g->n_children; i++)
		if (g->children[i].is_group && engine->plan->groups[g->children[i].index].kind != GROUP_FOR)
			n += frame_size(engine, g->children[i].index);
	return n;
}

/* ---- ends ---- */

/* The first leaf that went wrong, in the order of the program. */
static enum phase
frame_phase(const struct engine *engine, const struct frame *frame)
{
	const struct group_index *index = &engine->groups[frame->group];
	size_t n = engine->plan->groups[frame->group].n_children;

	for (size_t i = 0; i < n; i++) {
		enum phase branch = node_at(engine, frame->first + i)->branch;

		if (index->start[i] == index->start[i + 1] && branch != PHASE_SUCCEEDED)
			return branch;
	}
	return PHASE_SUCCEEDED;
}

static void
end_run(struct engine *engine)
{
	engine->phase = engine->stopping ? PHASE_FAILED : frame_phase(engine, frame_at(engine, 0));
	engine->message = engine->stopping ? engine->why_stopped : phase_bad(engine->phase) ? engine->first_bad : NULL;
	engine_act(engine, ENGINE_FINISHED, ENGINE_NONE, 0);
}

static void
begin_frame(struct engine *engine, size_t id)
{
	struct frame *frame = frame_at(engine, id);
	size_t n = engine->plan->groups[frame->group].n_children, first = frame->first;

	frame->begun = true;
	for (size_t i = 0; i < n; i++)
		if (!node_at(engine, first + i)->waiting)
			queue_push(&engine->work, first + i);
}

static void end_frame(struct engine *engine, size_t id);

void
engine_begin_frame(struct engine *engine, size_t id)
{
	begin_frame(engine, id);
	if (!frame_at(engine, id)->open)
		end_frame(engine, id);
}

/* A loop's node ends as its first bad item; items that were not begun any more are Omitted. */
static void
item_ended(struct engine *engine, size_t id, enum phase phase)
{
	struct node *node = node_at(engine, id);
	const struct plan_group *group = &engine->plan->groups[node->pub.index];

	node->open_frames--;
	if (phase_bad(phase) && node->branch == PHASE_SUCCEEDED)
		node->branch = phase;
	if (node->next_frame < node->n_frames && !(group->parallel && node->branch != PHASE_SUCCEEDED)) {
		node->open_frames++;
		engine_begin_frame(engine, node->frames[node->next_frame++]);
		return;
	}
	if (!node->open_frames)
		engine_end_node(engine, id, node->branch, NULL);
}

static void
end_frame(struct engine *engine, size_t id)
{
	struct frame *frame = frame_at(engine, id);
	enum phase phase = frame_phase(engine, frame);
	size_t node = frame->node;

	if (node == ENGINE_NONE)
		end_run(engine);
	else if (engine->plan->groups[frame->group].kind == GROUP_FOR)
		item_ended(engine, node, phase);
	else
		engine_end_node(engine, node, phase, NULL);
}

/* What is in a group that will not run: all of it takes the phase. */
static void
end_inside(struct engine *engine, struct node *node, enum phase phase)
{
	for (size_t i = 0; i < node->n_frames; i++) {
		struct frame frame = *frame_at(engine, node->frames[i]);
		size_t n = engine->plan->groups[frame.group].n_children;

		if (frame.begun)
			continue;
		for (size_t j = 0; j < n; j++) {
			struct node *child = node_at(engine, frame.first + j);

			engine_set_phase(engine, frame.first + j, phase);
			if (child->pub.is_group)
				end_inside(engine, child, phase);
		}
	}
}

static const char *
bad_message(struct engine *engine, size_t id)
{
	const struct node *node = node_at(engine, id);
	struct buf key = { 0 };
	const char *text;

	engine_node_key(engine, id, &key);
	text = node->pub.is_group ? arena_strdup(engine->arena, node->pub.message) :
		arena_printf(engine->arena, "the step `%s%s` did not succeed: %s", step_of(engine, node)->name, buf_text(&key),
			node->pub.message);
	buf_release(&key);
	return text;
}

/* A node that ran counts as itself for those behind it, one that did not as the worst of what came before. */
static enum phase
branch_of(const struct engine *engine, const struct node *node, enum phase phase)
{
	const struct plan_child *child = child_of(engine, node);
	size_t first = frame_at(engine, node->pub.frame)->first;

	if (phase_ran(phase))
		return phase;
	for (size_t i = 0; i < child->n_needs; i++) {
		enum phase branch = node_at(engine, first + child->needs[i])->branch;

		if (branch != PHASE_SUCCEEDED)
			return branch;
	}
	return PHASE_SUCCEEDED;
}

void
engine_end_node(struct engine *engine, size_t id, enum phase phase, const char *message)
{
	struct node *node = node_at(engine, id);
	struct frame *frame = frame_at(engine, node->pub.frame);
	const struct group_index *index = &engine->groups[frame->group];

	node->pub.message = message;
	if (phase_bad(phase) && !engine->first_bad && message)
		engine->first_bad = bad_message(engine, id);
	node->branch = branch_of(engine, node, phase);
	engine_set_phase(engine, id, phase);
	if (node->pub.is_group && (!phase_ran(phase) || node->next_frame < node->n_frames))
		end_inside(engine, node, phase_ran(phase) ? PHASE_OMITTED : phase);
	for (uint32_t i = index->start[node->child]; i < index->start[node->child + 1]; i++) {
		size_t dependent = frame->first + index->dependents[i];

		if (!--node_at(engine, dependent)->waiting)
			queue_push(&engine->work, dependent);
	}
	if (!--frame->open)
		end_frame(engine, node->pub.frame);
}

/* ---- groups ---- */

static bool
mentions_state(const struct expr *expr)
{
	if (expr->kind == EXPR_STATE)
		return true;
	for (size_t i = 0; expr->items && i < expr->n_items; i++)
		if (mentions_state(expr->items[i]))
			return true;
	return false;
}

static bool
holds(struct engine *engine, size_t id, const struct expr *condition, bool *ret, struct error *err)
{
	struct arena *arena = arena_new();
	const struct value *value = engine_eval(engine, id, condition, arena, err);
	bool fine = value && value->kind == VALUE_BOOLEAN;

	if (value && !fine)
		error_set(err, "the condition is not a Boolean");
	*ret = fine && value->boolean;
	arena_free(arena);
	return fine;
}

/* Tests of states come first, and what they rule out is Omitted, as by Argo's `depends`; tests of values are `when`, and what
 * they rule out is Skipped. */
static bool
decide(struct engine *engine, size_t id, const struct expr *condition, enum phase *ret_otherwise, bool *ret,
       struct error *err)
{
	if (condition->kind == EXPR_BINARY && condition->op == OP_AND && mentions_state(condition)) {
		bool first_state = mentions_state(condition->items[0]);

		if (!decide(engine, id, condition->items[!first_state], ret_otherwise, ret, err))
			return false;
		return !*ret || decide(engine, id, condition->items[first_state], ret_otherwise, ret, err);
	}
	*ret_otherwise = mentions_state(condition) ? PHASE_OMITTED : PHASE_SKIPPED;
	return holds(engine, id, condition, ret, err);
}

void
engine_begin_if(struct engine *engine, size_t id)
{
	struct node *node = node_at(engine, id);
	const struct expr *condition = engine->plan->groups[node->pub.index].condition;
	enum phase otherwise = PHASE_SKIPPED;
	struct error err;
	bool taken;

	if (!decide(engine, id, condition, &otherwise, &taken, &err)) {
		engine_end_node(engine, id, PHASE_ERROR, arena_strdup(engine->arena, err.text));
		return;
	}
	if (!taken) {
		engine_end_node(engine, id, otherwise, NULL);
		return;
	}
	engine_set_phase(engine, id, PHASE_RUNNING);
	node->next_frame = 1;
	engine_begin_frame(engine, node->frames[0]);
}

static const struct value *
items_of(struct engine *engine, size_t id, struct error *err)
{
	const struct plan_group *group = &engine->plan->groups[node_at(engine, id)->pub.index];
	const struct value *items = engine_eval(engine, id, group->items, engine->arena, err);
	size_t size = frame_size(engine, node_at(engine, id)->pub.index);

	if (!items)
		return NULL;
	if (items->kind == VALUE_NULL)
		return value_list(engine->arena, NULL, 0);
	if (items->kind != VALUE_LIST) {
		error_set(err, "what the loop goes over is not a List");
		return NULL;
	}
	if (size && items->list.n > (ENGINE_NODES_MAX - engine->nodes.n) / size) {
		error_set(err, "the loop's %zu items are more than a run can hold (%d steps)", items->list.n, ENGINE_NODES_MAX);
		return NULL;
	}
	return items;
}

void
engine_begin_for(struct engine *engine, size_t id)
{
	struct node *node = node_at(engine, id);
	const struct plan_group *group = &engine->plan->groups[node->pub.index];
	struct error err;
	const struct value *items = items_of(engine, id, &err);
	size_t at_once;

	if (!items || !items->list.n || !group->n_children) {
		engine_end_node(engine, id, items ? PHASE_SKIPPED : PHASE_ERROR, items ? NULL : arena_strdup(engine->arena, err.text));
		return;
	}
	engine_set_phase(engine, id, PHASE_RUNNING);
	node->frames = arena_alloc(engine->arena, items->list.n * sizeof(*node->frames));
	for (size_t i = 0; i < items->list.n; i++)
		node->frames[i] = engine_add_frame(engine, node->pub.index, id, i, items->list.items[i]);
	node->n_frames = items->list.n;
	at_once = group->parallel > 0 && (uint64_t)group->parallel < node->n_frames ? (size_t)group->parallel : node->n_frames;
	node->open_frames = at_once;
	node->next_frame = at_once;
	for (size_t i = 0; i < at_once; i++)
		engine_begin_frame(engine, node->frames[i]);
}
