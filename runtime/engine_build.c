#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/engine_private.h"

static void
place_children(struct engine *engine, size_t group)
{
	const struct plan_group *g = &engine->plan->groups[group];

	for (size_t i = 0; i < g->n_children; i++) {
		if (g->children[i].is_group)
			engine->groups[g->children[i].index].place = i;
		else
			engine->step_place[g->children[i].index] = i;
	}
}

/* Turns the children's needs around. */
static void
index_dependents(struct engine *engine, size_t group)
{
	const struct plan_group *g = &engine->plan->groups[group];
	struct group_index *index = &engine->groups[group];
	CLEANUP(freep) uint32_t *at = NULL;

	index->start = arena_alloc(engine->arena, (g->n_children + 1) * sizeof(*index->start));
	for (size_t i = 0; i < g->n_children; i++)
		for (size_t j = 0; j < g->children[i].n_needs; j++)
			index->start[g->children[i].needs[j] + 1]++;
	for (size_t i = 0; i < g->n_children; i++)
		index->start[i + 1] += index->start[i];
	index->dependents = arena_alloc(engine->arena, index->start[g->n_children] * sizeof(*index->dependents) + 1);
	at = xcalloc(g->n_children + 1, sizeof(*at));
	memcpy(at, index->start, g->n_children * sizeof(*at));
	for (size_t i = 0; i < g->n_children; i++)
		for (size_t j = 0; j < g->children[i].n_needs; j++)
			index->dependents[at[g->children[i].needs[j]]++] = (uint32_t)i;
}

/* The place in `group` of the child that the step lies in, or SIZE_MAX. */
static size_t
place_in(const struct engine *engine, size_t group, size_t step)
{
	size_t place = engine->step_place[step], at = engine->plan->steps[step].group;

	for (; at != group; at = engine->plan->groups[at].parent) {
		if (!at)
			return SIZE_MAX;
		place = engine->groups[at].place;
	}
	return place;
}

struct tolerating {
	struct engine *engine;
	size_t group;
	const struct plan_child *child;
	bool *tolerates;
};

static void
tolerate_state(const struct expr *expr, void *context)
{
	struct tolerating *t = context;
	size_t place;

	if (expr->kind != EXPR_STATE)
		return;
	place = place_in(t->engine, t->group, expr->index);
	for (size_t i = 0; i < t->child->n_needs; i++)
		if (t->child->needs[i] == place)
			t->tolerates[i] = true;
}

/* A condition on a step's state lets that step end in any phase. */
static void
index_tolerance(struct engine *engine, size_t group)
{
	const struct plan_group *g = &engine->plan->groups[group];

	for (size_t i = 0; i < g->n_children; i++) {
		const struct plan_child *child = &g->children[i];
		struct tolerating t = { engine, group, child, NULL };

		if (!child->is_group || engine->plan->groups[child->index].kind != GROUP_IF)
			continue;
		t.tolerates = arena_alloc(engine->arena, child->n_needs + 1);
		expr_walk(engine->plan->groups[child->index].condition, tolerate_state, &t);
		if (!engine->groups[group].tolerates)
			engine->groups[group].tolerates = arena_alloc(engine->arena, g->n_children * sizeof(bool *));
		engine->groups[group].tolerates[i] = t.tolerates;
	}
}

static void
want_text(const struct expr *expr, void *context)
{
	struct engine *engine = context;
	const struct component *component;

	if (expr->kind != EXPR_OUTPUT)
		return;
	component = engine->plan->steps[expr->index].component;
	if (component->outputs[expr->output].passing != PASS_FILE)
		return;
	if (!engine->wants_text[expr->index])
		engine->wants_text[expr->index] = arena_alloc(engine->arena, component->n_outputs);
	engine->wants_text[expr->index][expr->output] = true;
}

static void
want_in_pairs(struct engine *engine, const struct setting_pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		expr_walk(pairs[i].value, want_text, engine);
}

static void
want_in_settings(struct engine *engine, const struct settings *settings)
{
	if (!settings)
		return;
	want_in_pairs(engine, settings->env, settings->n_env);
	if (settings->gpu)
		expr_walk(settings->gpu, want_text, engine);
	if (settings->cpu)
		expr_walk(settings->cpu, want_text, engine);
	if (settings->memory)
		expr_walk(settings->memory, want_text, engine);
}

static void
index_texts(struct engine *engine)
{
	const struct plan *plan = engine->plan;

	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct plan_step *step = &plan->steps[i];

		for (size_t j = 0; j < step->component->n_inputs; j++) {
			const struct expr *arg = step->args[j];
			bool direct = arg && step->component->inputs[j].passing == PASS_FILE && engine_is_file(engine, arg);

			if (arg && !direct)
				expr_walk(arg, want_text, engine);
		}
		want_in_settings(engine, step->settings);
	}
	for (size_t i = 0; i < plan->n_groups; i++) {
		if (plan->groups[i].condition)
			expr_walk(plan->groups[i].condition, want_text, engine);
		if (plan->groups[i].items)
			expr_walk(plan->groups[i].items, want_text, engine);
	}
	for (size_t i = 0; i < plan->n_outputs; i++)
		if (!engine_is_file(engine, plan->outputs[i].value))
			expr_walk(plan->outputs[i].value, want_text, engine);
}

static int
refuse(const struct engine *engine, struct error *err)
{
	static const char *const kinds[] = {
		[GROUP_WHILE] = "`while`", [GROUP_EXIT] = "`on exit`", [GROUP_NESTED] = "a pipeline in a pipeline",
	};
	const struct plan *plan = engine->plan;

	for (size_t i = 0; i < plan->n_groups; i++)
		if (plan->groups[i].kind >= GROUP_WHILE)
			return error_set(err, "this version does not run %s", kinds[plan->groups[i].kind]);
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct component *component = plan->steps[i].component;

		if (component->kind == COMPONENT_MANIFEST)
			return error_set(err, "the step `%s` is a Kubernetes resource, which only a cluster can make",
				plan->steps[i].name);
		if (component->kind == COMPONENT_GRAPH)
			return error_set(err, "this version does not run graph components such as `%s`", component->name);
	}
	return 0;
}

int
engine_build(struct engine *engine, struct error *err)
{
	const struct plan *plan = engine->plan;

	if (refuse(engine, err))
		return -1;
	engine->step_place = arena_alloc(engine->arena, plan->n_steps * sizeof(*engine->step_place) + 1);
	engine->groups = arena_alloc(engine->arena, plan->n_groups * sizeof(*engine->groups));
	engine->wants_text = arena_alloc(engine->arena, plan->n_steps * sizeof(*engine->wants_text) + 1);
	for (size_t i = 0; i < plan->n_groups; i++)
		place_children(engine, i);
	for (size_t i = 0; i < plan->n_groups; i++) {
		index_dependents(engine, i);
		index_tolerance(engine, i);
	}
	index_texts(engine);
	return engine_take_args(engine, err);
}
