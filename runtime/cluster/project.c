#include "config.h"

#include "runtime/cluster/project.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/project_private.h"

enum { INSTS_MAX = 4 * WORKFLOW_NODES_MAX };

const struct workflow_node *
project_node(const struct project *project, size_t place)
{
	const struct workflow_node *node;

	if (place == NOWHERE || place >= workflow_model_count(project->model))
		return NULL;
	node = workflow_model_node(project->model, place);
	return node->removed ? NULL : node;
}

void
project_mark(struct project *project, size_t inst)
{
	if (project->insts.items[inst].dirty)
		return;
	project->insts.items[inst].dirty = true;
	vec_push(&project->dirty, inst);
}

/* ---- instances ---- */

static void
add_inst(struct project *project, size_t frame, const struct plan_child *child)
{
	struct inst inst = { .is_group = child->is_group, .index = child->index, .frame = frame, .run_node = NOWHERE, .place = NOWHERE };
	size_t id = project->insts.n;

	if (!child->is_group) {
		inst.run_node = run_add_node(project->run, child->index, project->frames.items[frame].key);
		vec_push(&project->inst_of, id);
	} else {
		vec_push(&project->groups[child->index].insts, id);
	}
	vec_push(&project->insts, inst);
}

/* Like the engine's: what is not in a loop is there from the start. */
size_t
project_add_frame(struct project *project, size_t group, size_t inst, size_t number)
{
	const struct plan_group *g = &project->plan->groups[group];
	const char *outer = inst == NOWHERE ? "" : project->frames.items[project->insts.items[inst].frame].key;
	struct frame frame = { .group = group, .inst = inst, .number = number, .place = NOWHERE, .cover = PHASE_PENDING, .key = outer };
	size_t id = project->frames.n;

	if (g->kind == GROUP_FOR)
		frame.key = arena_printf(project->arena, "%s[%zu]", outer, number);
	frame.first = project->insts.n;
	vec_push(&project->frames, frame);
	for (size_t i = 0; i < g->n_children; i++)
		add_inst(project, id, &g->children[i]);
	for (size_t i = 0; i < g->n_children; i++) {
		size_t below;

		if (!g->children[i].is_group || project->plan->groups[g->children[i].index].kind == GROUP_FOR)
			continue;
		below = project_add_frame(project, g->children[i].index, frame.first + i, 0);
		vec_push(&project->insts.items[frame.first + i].frames, below);
	}
	project_mark_frame(project, id);
	return id;
}

size_t
project_item_frame(struct project *project, size_t inst, size_t number)
{
	if (number >= WORKFLOW_NODES_MAX)
		return NOWHERE;
	while (project->insts.items[inst].frames.n <= number) {
		size_t frame;

		if (project->insts.n > INSTS_MAX)
			return NOWHERE;
		frame = project_add_frame(project, project->insts.items[inst].index, inst, project->insts.items[inst].frames.n);
		vec_push(&project->insts.items[inst].frames, frame);
	}
	return project->insts.items[inst].frames.items[number];
}

static void
name_child(struct project *project, size_t group, size_t place)
{
	const struct plan_child *child = &project->plan->groups[group].children[place];
	const char *task = child->is_group ? project->names->groups[child->index].task : project->names->steps[child->index].task;
	CLEANUP(buf_release) struct buf key = { 0 };

	*(child->is_group ? &project->group_places[child->index] : &project->step_places[child->index]) = place;
	if (!task)
		return;
	buf_printf(&key, "%zu/%s", group, task);
	map_set(&project->children, buf_text(&key), (void *)(uintptr_t)(place + 1));
}

struct project *
project_new(struct run *run, const struct target_report *names, const struct value *const *params)
{
	struct project *project = xcalloc(1, sizeof *project);
	const struct plan *plan = run->plan;

	project->run = run_ref(run);
	project->plan = plan;
	project->names = names;
	project->params = params;
	project->arena = arena_new();
	project->step_places = xcalloc(plan->n_steps + 1, sizeof *project->step_places);
	project->group_places = xcalloc(plan->n_groups + 1, sizeof *project->group_places);
	project->groups = xcalloc(plan->n_groups + 1, sizeof *project->groups);
	project->stale = xcalloc(plan->n_steps + 1, sizeof *project->stale);
	for (size_t g = 0; g < plan->n_groups; g++)
		for (size_t i = 0; i < plan->groups[g].n_children; i++)
			name_child(project, g, i);
	project_add_frame(project, 0, NOWHERE, 0);
	return project;
}

static void
inst_release(const struct project *project, struct inst *inst)
{
	if (inst->files)
		for (size_t i = 0; i < project->plan->steps[inst->index].component->n_outputs; i++)
			free(inst->files[i]);
	free(inst->files);
	free(inst->reason);
	free(inst->waited);
	vec_release(&inst->frames);
}

void
project_free(struct project *project)
{
	if (!project)
		return;
	for (size_t i = 0; i < project->insts.n; i++)
		inst_release(project, &project->insts.items[i]);
	for (size_t i = 0; i < project->plan->n_groups; i++)
		vec_release(&project->groups[i].insts);
	vec_release(&project->insts);
	vec_release(&project->frames);
	vec_release(&project->wheres);
	vec_release(&project->inst_of);
	vec_release(&project->dirty);
	map_release(&project->children);
	map_release(&project->by_name);
	free(project->groups);
	free(project->step_places);
	free(project->group_places);
	free(project->stale);
	free(project->uid);
	arena_free(project->arena);
	run_unref(project->run);
	free(project);
}

/* ---- taking over ---- */

static void
set_cover(struct project *project, size_t id)
{
	struct frame *frame = &project->frames.items[id];
	enum phase phase = project_frame_phase(project, id);
	enum phase cover = phase == PHASE_SKIPPED ? PHASE_SKIPPED : phase_ended(phase) ? PHASE_OMITTED : PHASE_PENDING;
	size_t n = project->plan->groups[frame->group].n_children;

	if (cover == frame->cover)
		return;
	frame->cover = cover;
	for (size_t i = 0; i < n; i++)
		project_mark(project, frame->first + i);
}

void
project_mark_frame(struct project *project, size_t frame)
{
	size_t inst = project->frames.items[frame].inst;

	if (inst == NOWHERE)
		set_cover(project, frame);
	else
		project_mark(project, inst);
}

/* A loop that has begun: its items are those that its expression gives. */
static void
learn_items(struct project *project, size_t inst)
{
	const struct value *items = project_items(project, inst);

	if (!items || (items->list.n && project_item_frame(project, inst, items->list.n - 1) == NOWHERE))
		return;
	project->insts.items[inst].items_known = true;
	for (size_t i = 0; i < items->list.n; i++)
		project->frames.items[project->insts.items[inst].frames.items[i]].item = items->list.items[i];
}

static void
look_at_group(struct project *project, size_t id)
{
	enum phase phase;
	size_t group = project->insts.items[id].index;

	project->insts.items[id].loose = project_loose_phase(project, id);
	phase = project_group_phase(project, id);
	project->groups[group].dirty = true;
	if (project->plan->groups[group].kind == GROUP_FOR && !project->insts.items[id].items_known &&
	    (phase == PHASE_RUNNING || phase_ran(phase)))
		learn_items(project, id);
	for (size_t i = 0; i < project->insts.items[id].frames.n; i++)
		set_cover(project, project->insts.items[id].frames.items[i]);
}

static void
show_steps(struct project *project, bool all)
{
	for (size_t i = 0; i < project->dirty.n; i++) {
		struct inst *inst = &project->insts.items[project->dirty.items[i]];

		if (inst->is_group || !inst->dirty || !(all || project_node(project, inst->place)))
			continue;
		inst->dirty = false;
		project_show_step(project, project->dirty.items[i]);
	}
}

/* Steps with nodes first: a loop's items may be their outputs. Then groups, and last the steps that show what covers them. */
static void
look_again(struct project *project)
{
	show_steps(project, false);
	for (size_t i = 0; i < project->dirty.n; i++) {
		struct inst *inst = &project->insts.items[project->dirty.items[i]];

		if (!inst->is_group)
			continue;
		inst->dirty = false;
		look_at_group(project, project->dirty.items[i]);
	}
	show_steps(project, true);
	project->dirty.n = 0;
}

static void
show_rest(struct project *project)
{
	for (size_t i = 0; i < project->plan->n_groups; i++)
		if (project->groups[i].dirty) {
			project->groups[i].dirty = false;
			project_show_group(project, i);
		}
	for (size_t i = 0; i < project->plan->n_steps; i++)
		if (project->stale[i]) {
			project->stale[i] = false;
			run_recount(project->run, i);
		}
	project_show_run(project);
}

static void
mark_all(struct project *project)
{
	for (size_t i = 0; i < project->insts.n; i++)
		project_mark(project, i);
	set_cover(project, 0);
}

/* Another workflow of that name: nothing of the old one counts. */
static void
start_anew(struct project *project, const struct workflow *head)
{
	if (project->uid && strcmp(project->uid, head->uid) == 0)
		return;
	if (project->uid) {
		map_release(&project->by_name);
		project->wheres.n = 0;
		for (size_t i = 0; i < project->insts.n; i++)
			project->insts.items[i].place = NOWHERE;
		for (size_t i = 0; i < project->frames.n; i++)
			project->frames.items[i].place = NOWHERE;
		mark_all(project);
	}
	free(project->uid);
	project->uid = xstrdup(head->uid);
}

static void
see_times(struct project *project, size_t place)
{
	const struct workflow_node *node = workflow_model_node(project->model, place);
	int64_t ms = node->ended_ms > node->started_ms ? node->ended_ms : node->started_ms;

	if (ms > project->latest_ms)
		project->latest_ms = ms;
}

void
project_take(struct project *project, const struct workflow_model *model, const size_t *places, size_t n)
{
	const struct workflow *head = workflow_model_head(model);
	bool ended = head->completed || head->deleted;

	project->model = model;
	start_anew(project, head);
	for (size_t i = 0; i < n; i++) {
		project_learn(project, places[i]);
		see_times(project, places[i]);
	}
	for (size_t i = 0; i < n; i++)
		project_attach(project, places[i]);
	if (ended != project->ended) {
		project->ended = ended;
		mark_all(project);
	}
	look_again(project);
	show_rest(project);
}

/* ---- for who keeps logs and files ---- */

size_t
project_run_node(const struct project *project, size_t place, int *ret_attempt)
{
	struct where where = { 0 };
	const char *paren;

	if (place < project->wheres.n)
		where = project->wheres.items[place];
	if (where.role == ROLE_ITEM || where.role == ROLE_ITEM_ATTEMPT)
		where.at = project_only_child(project, where.at);
	if (where.role == ROLE_UNKNOWN || where.role == ROLE_INNER || where.at == NOWHERE || project->insts.items[where.at].is_group)
		return NOWHERE;
	*ret_attempt = 0;
	paren = strrchr(workflow_model_node(project->model, place)->name, '(');
	if (paren && (where.role == ROLE_ATTEMPT || where.role == ROLE_ITEM_ATTEMPT))
		*ret_attempt = (int)strtol(paren + 1, NULL, 10);
	return project->insts.items[where.at].run_node;
}

size_t
project_place(const struct project *project, size_t run_node, int attempt)
{
	size_t inst = project->inst_of.items[run_node];
	const struct workflow_node *main_node = project_node(project, project->insts.items[inst].place), *node;
	CLEANUP(buf_release) struct buf name = { 0 };
	int begun;

	if (!main_node || (main_node->type != WORKFLOW_RETRY && attempt > 0))
		return NOWHERE;
	if (main_node->type != WORKFLOW_RETRY)
		return project->insts.items[inst].place;
	if (attempt < 0) {
		node = project_last(project, inst, &begun);
		return node ? workflow_model_find(project->model, node->id) : NOWHERE;
	}
	buf_printf(&name, "%s(%d)", main_node->name, attempt);
	return (size_t)(uintptr_t)map_get(&project->by_name, buf_text(&name)) - 1;
}

const char *
project_output_name(const struct project *project, size_t step, size_t output)
{
	return project->names->steps[step].outputs[output];
}

const struct value *
project_artifact(const struct project *project, size_t run_node, size_t output)
{
	const struct inst *inst = &project->insts.items[project->inst_of.items[run_node]];
	const struct workflow_node *node;
	int attempts;

	if (!project->model)
		return NULL;
	node = project_last(project, project->inst_of.items[run_node], &attempts);
	for (size_t i = 0; node && i < node->n_outputs; i++)
		if (node->outputs[i].artifact && strcmp(node->outputs[i].name, project_output_name(project, inst->index, output)) == 0)
			return node->outputs[i].artifact;
	return NULL;
}

void
project_set_file(struct project *project, size_t run_node, size_t output, const char *path)
{
	struct inst *inst = &project->insts.items[project->inst_of.items[run_node]];

	if (!inst->files)
		inst->files = xcalloc(project->plan->steps[inst->index].component->n_outputs + 1, sizeof *inst->files);
	free(inst->files[output]);
	inst->files[output] = xstrdup(path);
	if (!project->model)
		return;
	project_show_step(project, project->inst_of.items[run_node]);
	show_rest(project);
}

void
project_set_reason(struct project *project, size_t run_node, const char *reason)
{
	struct inst *inst = &project->insts.items[project->inst_of.items[run_node]];

	free(inst->reason);
	inst->reason = reason ? xstrdup(reason) : NULL;
	if (project->model)
		project_show_step(project, project->inst_of.items[run_node]);
}
