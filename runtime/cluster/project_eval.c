#include "config.h"

#include <stdlib.h>

#include "dsl/eval.h"
#include "runtime/cluster/project_private.h"

/* As the engine looks names up (runtime/engine_eval.c), over the instances that the workflow has. */
struct view {
	struct project *project;
	size_t frame;
	bool paths; /* outputs by file as their paths */
};

/* The frame around (or equal to) `frame` whose group holds the step, at any depth. */
static size_t
common_frame(const struct project *project, size_t frame, size_t step)
{
	for (;;) {
		const struct frame *f = &project->frames.items[frame];
		size_t at = project->plan->steps[step].group;

		while (at && at != f->group)
			at = project->plan->groups[at].parent;
		if (at == f->group)
			return frame;
		frame = project->insts.items[f->inst].frame;
	}
}

/* The child of the group that the step lies in. */
static size_t
place_below(const struct project *project, size_t group, size_t step)
{
	size_t place = project->step_places[step];

	for (size_t at = project->plan->steps[step].group; at != group; at = project->plan->groups[at].parent)
		place = project->group_places[at];
	return place;
}

static const struct value *
output_of(const struct view *view, const struct inst *inst, const struct expr *expr, struct arena *arena, struct error *err)
{
	const struct plan_step *step = &view->project->plan->steps[inst->index];
	const struct run_node *node = view->project->run->nodes[inst->run_node];
	const struct engine_output *output = node->outputs ? &node->outputs[expr->output] : NULL;

	if (node->phase == PHASE_SKIPPED || node->phase == PHASE_OMITTED)
		return &VALUE_OF_NULL;
	if (node->phase == PHASE_SUCCEEDED && view->paths)
		return output && output->path ? value_string(arena, output->path) : &VALUE_OF_NULL;
	if (node->phase == PHASE_SUCCEEDED && output && output->value)
		return output->value;
	error_set(err, "the step `%s` has no output `%s`: it is %s", step->name, step->component->outputs[expr->output].name,
		  phase_name(node->phase));
	return NULL;
}

static const struct value *gather(const struct view *view, struct arena *arena, size_t frame, const struct expr *expr,
				  struct error *err);

static const struct value *
gather_items(const struct view *view, struct arena *arena, const struct inst *inst, const struct expr *expr, struct error *err)
{
	CLEANUP(freep) const struct value **items = xcalloc(inst->frames.n + 1, sizeof(*items));

	for (size_t i = 0; i < inst->frames.n; i++) {
		items[i] = gather(view, arena, inst->frames.items[i], expr, err);
		if (!items[i])
			return NULL;
	}
	return value_list(arena, items, inst->frames.n);
}

/* The output as it is seen from the frame: below a loop a List. */
static const struct value *
gather(const struct view *view, struct arena *arena, size_t frame, const struct expr *expr, struct error *err)
{
	const struct project *project = view->project;
	const struct frame *f = &project->frames.items[frame];
	const struct inst *inst = &project->insts.items[f->first + place_below(project, f->group, expr->index)];

	if (!inst->is_group)
		return output_of(view, inst, expr, arena, err);
	if (project->plan->groups[inst->index].kind == GROUP_FOR)
		return gather_items(view, arena, inst, expr, err);
	return gather(view, arena, inst->frames.items[0], expr, err);
}

static void
tally(const struct project *project, size_t frame, size_t step, size_t counts[PHASE_COUNT], size_t *n)
{
	const struct frame *f = &project->frames.items[frame];
	size_t id = f->first + place_below(project, f->group, step);
	const struct inst *inst = &project->insts.items[id];

	for (size_t i = 0; inst->is_group && i < inst->frames.n; i++)
		tally(project, inst->frames.items[i], step, counts, n);
	if (inst->is_group && inst->frames.n)
		return;
	++*n;
	counts[inst->is_group ? project_group_phase(project, id) : project->run->nodes[inst->run_node]->phase]++;
}

static const struct value *
state_of(const struct view *view, const struct expr *expr)
{
	size_t counts[PHASE_COUNT] = { 0 }, n = 0;

	tally(view->project, common_frame(view->project, view->frame, expr->index), expr->index, counts, &n);
	switch (expr->state) {
	case STATE_SUCCEEDED:
		return value_boolean(counts[PHASE_SUCCEEDED] == n);
	case STATE_FAILED:
		return value_boolean(counts[PHASE_FAILED] + counts[PHASE_ERROR] > 0);
	case STATE_SKIPPED:
		return value_boolean(counts[PHASE_SKIPPED] + counts[PHASE_OMITTED] == n);
	}
	BUG("state test %d", (int)expr->state);
}

static const struct value *
item_of(const struct view *view, size_t group, struct error *err)
{
	for (size_t at = view->frame;;) {
		const struct frame *f = &view->project->frames.items[at];

		if (f->group == group && f->item)
			return f->item;
		if (f->inst == NOWHERE)
			break;
		at = view->project->insts.items[f->inst].frame;
	}
	error_set(err, "the item of the loop is not known");
	return NULL;
}

static const struct value *
param_of(const struct view *view, size_t index, struct error *err)
{
	const struct project *project = view->project;

	if (project->params && project->params[index])
		return project->params[index];
	if (project->plan->params[index].fallback)
		return project->plan->params[index].fallback;
	error_set(err, "the parameter `%s` has no value here", project->plan->params[index].name);
	return NULL;
}

static const struct value *
fact_of(const struct view *view, struct arena *arena, enum fact fact, struct error *err)
{
	const struct workflow *head = workflow_model_head(view->project->model);

	switch (fact) {
	case FACT_RUN_ID:
		return value_string(arena, head->uid);
	case FACT_RUN_NAME:
		return value_string(arena, head->name);
	case FACT_RUN_NAMESPACE:
		return value_string(arena, head->namespace_);
	case FACT_RUN_STATUS:
		return value_string(arena, phase_name(head->phase));
	default:
		error_set(err, "`%s` is known only in a step", expr_fact_text(fact));
		return NULL;
	}
}

static const struct value *
lookup(void *context, struct arena *arena, const struct expr *expr, struct error *err)
{
	const struct view *view = context;

	switch (expr->kind) {
	case EXPR_PARAM:
		return param_of(view, expr->index, err);
	case EXPR_OUTPUT:
		return gather(view, arena, common_frame(view->project, view->frame, expr->index), expr, err);
	case EXPR_ITEM:
		return item_of(view, expr->index, err);
	case EXPR_FACT:
		return fact_of(view, arena, expr->fact, err);
	case EXPR_STATE:
		return state_of(view, expr);
	default:
		error_set(err, "a name of the notebook cannot be read while a pipeline runs");
		return NULL;
	}
}

static const struct value *
evaluate(struct project *project, size_t frame, const struct expr *expr, struct arena *arena, struct error *err)
{
	struct view view = { .project = project, .frame = frame };
	struct eval_env env = { lookup, &view };

	if (expr->kind == EXPR_VALUE)
		return expr->value;
	if (expr->kind == EXPR_OUTPUT && project->plan->steps[expr->index].component->outputs[expr->output].passing == PASS_FILE) {
		view.paths = true;
		return lookup(&view, arena, expr, err);
	}
	return eval_expr(arena, expr, &env, err);
}

const struct value *
project_items(struct project *project, size_t inst)
{
	const struct plan_group *group = &project->plan->groups[project->insts.items[inst].index];
	struct arena *scratch;
	struct error err;
	const struct value *items;

	if (!group->items)
		return NULL;
	scratch = arena_new();
	items = evaluate(project, project->insts.items[inst].frame, group->items, scratch, &err);
	items = items && items->kind == VALUE_LIST ? value_clone(project->arena, items) : NULL;
	arena_free(scratch);
	return items;
}

const struct value *const *
project_outputs(struct project *project, struct arena *arena, struct error *err)
{
	const struct plan *plan = project->plan;
	const struct value **outputs = arena_alloc(arena, plan->n_outputs * sizeof(*outputs) + 1);

	for (size_t i = 0; i < plan->n_outputs; i++) {
		outputs[i] = evaluate(project, 0, plan->outputs[i].value, arena, err);
		if (outputs[i])
			continue;
		error_prefix(err, "output `%s`", plan->outputs[i].name);
		return NULL;
	}
	return outputs;
}
