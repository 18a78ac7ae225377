#include "config.h"

#include <string.h>

#include "dsl/eval.h"
#include "runtime/engine_private.h"

/* What lookups know: where the expression stands, and whose it is. */
struct view {
	struct engine *engine;
	size_t frame, node;
	bool paths; /* outputs by file as their paths */
};

/* The frame around (or equal to) `frame` whose group holds the step, at any depth; *ret_group is its group. */
static size_t
common_frame(const struct engine *engine, size_t frame, size_t step)
{
	for (;;) {
		const struct frame *f = frame_at(engine, frame);
		size_t at = engine->plan->steps[step].group;

		while (at && at != f->group)
			at = engine->plan->groups[at].parent;
		if (at == f->group)
			return frame;
		frame = node_at(engine, f->node)->pub.frame;
	}
}

/* The child of the frame's group that the step lies in. */
static size_t
place_below(const struct engine *engine, size_t group, size_t step)
{
	size_t place = engine->step_place[step];

	for (size_t at = engine->plan->steps[step].group; at != group; at = engine->plan->groups[at].parent)
		place = engine->groups[at].place;
	return place;
}

static const struct value *
output_of(const struct view *view, const struct node *node, const struct expr *expr, struct error *err)
{
	const struct plan_step *step = step_of(view->engine, node);
	const struct engine_output *output;

	if (node->pub.phase == PHASE_SKIPPED || node->pub.phase == PHASE_OMITTED)
		return &VALUE_OF_NULL;
	if (node->pub.phase != PHASE_SUCCEEDED || !node->pub.outputs) {
		error_set(err, "the step `%s` has no output `%s`: it is %s", step->name,
			step->component->outputs[expr->output].name, phase_name(node->pub.phase));
		return NULL;
	}
	output = &node->pub.outputs[expr->output];
	if (view->paths && output->path)
		return value_string(view->engine->arena, output->path);
	if (output->value)
		return output->value;
	error_set(err, "the output `%s` of the step `%s` was not read", step->component->outputs[expr->output].name, step->name);
	return NULL;
}

static const struct value *gather(const struct view *view, struct arena *arena, size_t frame, const struct expr *expr,
				  struct error *err);

static const struct value *
gather_items(const struct view *view, struct arena *arena, const struct node *node, const struct expr *expr,
	     struct error *err)
{
	CLEANUP(freep) const struct value **items = xcalloc(node->n_frames, sizeof(*items));

	for (size_t i = 0; i < node->n_frames; i++) {
		items[i] = gather(view, arena, node->frames[i], expr, err);
		if (!items[i])
			return NULL;
	}
	return value_list(arena, items, node->n_frames);
}

/* The output as it is seen from the frame: below a loop a List. */
static const struct value *
gather(const struct view *view, struct arena *arena, size_t frame, const struct expr *expr, struct error *err)
{
	const struct engine *engine = view->engine;
	const struct frame *f = frame_at(engine, frame);
	const struct node *node = node_at(engine, f->first + place_below(engine, f->group, expr->index));

	if (!node->pub.is_group)
		return output_of(view, node, expr, err);
	if (engine->plan->groups[node->pub.index].kind == GROUP_FOR)
		return gather_items(view, arena, node, expr, err);
	return gather(view, arena, node->frames[0], expr, err);
}

struct tally {
	size_t n, phases[PHASE_COUNT];
};

static void
tally_states(const struct engine *engine, size_t frame, size_t step, struct tally *tally)
{
	const struct frame *f = frame_at(engine, frame);
	const struct node *node = node_at(engine, f->first + place_below(engine, f->group, step));

	if (!node->pub.is_group) {
		tally->n++;
		tally->phases[node->pub.phase]++;
		return;
	}
	for (size_t i = 0; i < node->n_frames; i++)
		tally_states(engine, node->frames[i], step, tally);
	if (!node->n_frames) {
		tally->n++;
		tally->phases[node->pub.phase]++;
	}
}

static const struct value *
state_of(const struct view *view, const struct expr *expr)
{
	struct tally t = { 0 };

	tally_states(view->engine, common_frame(view->engine, view->frame, expr->index), expr->index, &t);
	switch (expr->state) {
	case STATE_SUCCEEDED:
		return value_boolean(t.phases[PHASE_SUCCEEDED] == t.n);
	case STATE_FAILED:
		return value_boolean(t.phases[PHASE_FAILED] + t.phases[PHASE_ERROR] > 0);
	case STATE_SKIPPED:
		return value_boolean(t.phases[PHASE_SKIPPED] + t.phases[PHASE_OMITTED] == t.n);
	}
	BUG("state test %d", (int)expr->state);
}

static const struct value *
item_of(const struct view *view, size_t group, struct error *err)
{
	for (size_t at = view->frame;;) {
		const struct frame *f = frame_at(view->engine, at);

		if (f->group == group)
			return f->item;
		if (f->node == ENGINE_NONE)
			break;
		at = node_at(view->engine, f->node)->pub.frame;
	}
	error_set(err, "the loop over `%s` is not around this", view->engine->plan->groups[group].variable);
	return NULL;
}

static const struct value *
fact_of(const struct view *view, struct arena *arena, enum fact fact)
{
	const struct engine *engine = view->engine;
	const struct node *node = view->node == ENGINE_NONE ? NULL : node_at(engine, view->node);

	switch (fact) {
	case FACT_RUN_ID:
		return value_string(arena, engine->args.run_id);
	case FACT_RUN_NAME:
		return value_string(arena, engine->args.run_name);
	case FACT_RUN_NAMESPACE:
		return value_string(arena, "local");
	case FACT_RUN_STATUS:
		return value_string(arena, phase_name(engine->phase));
	case FACT_STEP_NAME:
		return value_string(arena, node && !node->pub.is_group ? step_of(engine, node)->name : "");
	case FACT_STEP_ATTEMPT:
		return value_integer(arena, node ? node->pub.attempts - node->pub.running : 0);
	}
	BUG("fact %d", (int)fact);
}

static const struct value *
lookup(void *context, struct arena *arena, const struct expr *expr, struct error *err)
{
	const struct view *view = context;
	struct engine *engine = view->engine;

	switch (expr->kind) {
	case EXPR_PARAM:
		if (engine->params[expr->index])
			return engine->params[expr->index];
		error_set(err, "the parameter `%s` has no value here", engine->plan->params[expr->index].name);
		return NULL;
	case EXPR_OUTPUT:
		return gather(view, arena, common_frame(engine, view->frame, expr->index), expr, err);
	case EXPR_ITEM:
		return item_of(view, expr->index, err);
	case EXPR_FACT:
		return fact_of(view, arena, expr->fact);
	case EXPR_STATE:
		return state_of(view, expr);
	default:
		error_set(err, "a name of the notebook cannot be read while a pipeline runs");
		return NULL;
	}
}

const struct value *
engine_eval_in(struct engine *engine, size_t frame, size_t node, const struct expr *expr, struct arena *arena,
	       struct error *err)
{
	struct view view = { engine, frame, node, false };
	struct eval_env env = { lookup, &view };

	if (expr->kind == EXPR_VALUE)
		return expr->value;
	return eval_expr(arena, expr, &env, err);
}

const struct value *
engine_paths(struct engine *engine, size_t frame, const struct expr *expr, struct error *err)
{
	struct view view = { engine, frame, ENGINE_NONE, true };

	return lookup(&view, engine->arena, expr, err);
}

bool
engine_is_file(const struct engine *engine, const struct expr *expr)
{
	switch (expr->kind) {
	case EXPR_OUTPUT:
		return engine->plan->steps[expr->index].component->outputs[expr->output].passing == PASS_FILE;
	case EXPR_PARAM:
	case EXPR_ITEM:
		return type_is_file(expr->type);
	default:
		return false;
	}
}

const struct value *
engine_eval(struct engine *engine, size_t node, const struct expr *expr, struct arena *arena, struct error *err)
{
	return engine_eval_in(engine, node_at(engine, node)->pub.frame, node, expr, arena, err);
}

const struct value *const *
engine_outputs(struct engine *engine, struct error *err)
{
	const struct plan *plan = engine->plan;

	if (engine->outputs)
		return engine->outputs;
	engine->outputs = arena_alloc(engine->arena, plan->n_outputs * sizeof(*engine->outputs) + 1);
	for (size_t i = 0; i < plan->n_outputs; i++) {
		const struct expr *expr = plan->outputs[i].value;

		engine->outputs[i] = engine_is_file(engine, expr) ?
			engine_paths(engine, 0, expr, err) :
			engine_eval_in(engine, 0, ENGINE_NONE, expr, engine->arena, err);
		if (engine->outputs[i])
			continue;
		engine->outputs = NULL;
		error_prefix(err, "output `%s`", plan->outputs[i].name);
		return NULL;
	}
	return engine->outputs;
}
