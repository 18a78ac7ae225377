#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/project_private.h"

/* Argo names a node after the one whose tasks it is among: `run.loop(0:a).train`, `run[1].train` in a list of steps; attempts have
 * `(0)`, `(1)` … behind the name of their Retry node. Items may hold any text, so a name is read from what stands around it. */

enum { TASK_MAX = 300, ATTEMPT_BITS = 6 };

void
project_learn(struct project *project, size_t place)
{
	map_set(&project->by_name, workflow_model_node(project->model, place)->name, (void *)(uintptr_t)(place + 1));
}

static size_t
place_named(const struct project *project, const char *name, size_t len)
{
	CLEANUP(freep) char *text = xstrndup(name, len);

	return (size_t)(uintptr_t)map_get(&project->by_name, text) - 1;
}

/* The number in `(12)` at the end of the name; *ret_len: how long the name is without. -1: there is none. */
static long
number_at_end(const char *name, size_t *ret_len)
{
	size_t len = strlen(name), at = len - 1;

	if (len < 3 || name[len - 1] != ')')
		return -1;
	while (at && name[at - 1] >= '0' && name[at - 1] <= '9')
		at--;
	if (at == len - 1 || !at || name[at - 1] != '(' || len - at > 7)
		return -1;
	*ret_len = at - 1;
	return strtol(name + at, NULL, 10);
}

/* ---- places in the plan ---- */

static size_t
child_called(const struct project *project, size_t group, const char *task, size_t len)
{
	char key[TASK_MAX];

	if (len > TASK_MAX - 40)
		return NOWHERE;
	snprintf(key, sizeof key, "%zu/%.*s", group, (int)len, task);
	return (size_t)(uintptr_t)map_get(&project->children, key) - 1;
}

static bool
is_loop(const struct project *project, const struct inst *inst)
{
	return inst->is_group && project->plan->groups[inst->index].kind == GROUP_FOR;
}

static struct where
item_at(struct project *project, size_t inst, const char *number, uint64_t age)
{
	char *end;
	unsigned long n = strtoul(number, &end, 10);
	size_t frame = end == number || *end != ':' || n >= ENGINE_NODES_MAX ? NOWHERE : project_item_frame(project, inst, n);

	if (frame == NOWHERE)
		return (struct where){ 0 };
	return (struct where){ .role = ROLE_ITEM, .at = frame, .age = age };
}

/* A task's name among those of the frame: `train`, `loop(3:text)`. */
static struct where
task_at(struct project *project, size_t frame, const char *task, uint64_t age)
{
	size_t len = strcspn(task, "("), child = child_called(project, project->frames.items[frame].group, task, len), inst;

	if (child == NOWHERE)
		return (struct where){ 0 };
	inst = project->frames.items[frame].first + child;
	if (!task[len])
		return (struct where){ .role = ROLE_MAIN, .at = inst, .age = age };
	return is_loop(project, &project->insts.items[inst]) ? item_at(project, inst, task + len + 1, age) : (struct where){ 0 };
}

/* Among the tasks of the template of a limited loop, which is one. */
static struct where
inner_at(struct project *project, size_t inst, const char *task, uint64_t age)
{
	if (strcmp(task, "item") == 0)
		return (struct where){ .role = ROLE_INNER, .at = inst, .age = age };
	if (strncmp(task, "item(", 5) == 0)
		return item_at(project, inst, task + 5, age);
	return (struct where){ 0 };
}

/* Behind the name of the node around it: `.task`, `[2].task`. */
static const char *
task_part(const char *name, const char *outer)
{
	size_t len = strlen(outer);

	if (strncmp(name, outer, len) != 0)
		return NULL;
	name += len;
	if (*name == '[' && strspn(name + 1, "0123456789"))
		name += 1 + strspn(name + 1, "0123456789") + 1;
	return *name == '.' ? name + 1 : NULL;
}

static struct where
within(struct project *project, const struct where *outer, const char *task)
{
	const struct inst *inst;

	if (outer->role == ROLE_ITEM || outer->role == ROLE_ITEM_ATTEMPT)
		return task_at(project, outer->at, task, outer->age);
	if (outer->role != ROLE_MAIN && outer->role != ROLE_ATTEMPT)
		return (struct where){ 0 };
	inst = &project->insts.items[outer->at];
	if (is_loop(project, inst))
		return project->names->groups[inst->index].limited ? inner_at(project, outer->at, task, outer->age) : (struct where){ 0 };
	return inst->is_group ? task_at(project, inst->frames.items[0], task, outer->age) : (struct where){ 0 };
}

static struct where
attempt_of(const struct where *retry, long number)
{
	struct where where = *retry;

	where.role = retry->role == ROLE_ITEM ? ROLE_ITEM_ATTEMPT : ROLE_ATTEMPT;
	where.age = (retry->age << ATTEMPT_BITS) + (uint64_t)number;
	return where;
}

static struct where
find(struct project *project, const struct workflow_node *node)
{
	const char *root = workflow_model_head(project->model)->name;
	size_t len, outer;
	long number = number_at_end(node->name, &len);
	const char *task;
	struct where around;

	if (number >= 0) {
		outer = place_named(project, node->name, len);
		if (outer != NOWHERE && workflow_model_node(project->model, outer)->type == WORKFLOW_RETRY) {
			around = project_find(project, outer);
			return around.role == ROLE_MAIN || around.role == ROLE_ITEM ? attempt_of(&around, number) : (struct where){ 0 };
		}
	}
	if (!*node->boundary) {
		if (strcmp(node->name, root) == 0)
			return (struct where){ .role = ROLE_ITEM };
		task = task_part(node->name, root);
		return task ? task_at(project, 0, task, 0) : (struct where){ 0 };
	}
	outer = workflow_model_find(project->model, node->boundary);
	task = outer == NOWHERE ? NULL : task_part(node->name, workflow_model_node(project->model, outer)->name);
	if (!task)
		return (struct where){ 0 };
	around = project_find(project, outer);
	return within(project, &around, task);
}

/* A node stands where it stands, so it is looked for once; one of which nothing was found again. While it is looked for it is
 * unknown, so that nodes that stand in each other come to an end. */
struct where
project_find(struct project *project, size_t place)
{
	struct where where, none = { 0 };

	while (project->wheres.n <= place)
		vec_push(&project->wheres, none);
	if (project->wheres.items[place].role != ROLE_UNKNOWN || project->finding > WORKFLOW_DEPTH_MAX)
		return project->wheres.items[place];
	project->finding++;
	where = find(project, workflow_model_node(project->model, place));
	project->finding--;
	project->wheres.items[place] = where;
	return where;
}

/* ---- attaching ---- */

/* Does the new node stand for it rather than the old? */
static bool
replaces(const struct project *project, size_t old, size_t place)
{
	if (old == NOWHERE || old == place || !project_node(project, old))
		return true;
	return project_node(project, place) && project->wheres.items[place].age >= project->wheres.items[old].age;
}

size_t
project_only_child(const struct project *project, size_t frame)
{
	const struct frame *f = &project->frames.items[frame];
	const struct plan_group *group = &project->plan->groups[f->group];

	if (!group->n_children || group->children[0].is_group || project->names->steps[group->children[0].index].task)
		return NOWHERE;
	return f->first;
}

static void
attach_item(struct project *project, size_t frame, size_t place)
{
	size_t only = project_only_child(project, frame), inst = project->frames.items[frame].inst;

	if (replaces(project, project->frames.items[frame].place, place))
		project->frames.items[frame].place = place;
	if (only != NOWHERE) {
		project->insts.items[only].place = project->frames.items[frame].place;
		project_mark(project, only);
	}
	project_mark_frame(project, frame);
	if (inst != NOWHERE)
		project_mark(project, inst);
}

void
project_attach(struct project *project, size_t place)
{
	struct where where = project_find(project, place);

	switch (where.role) {
	case ROLE_UNKNOWN:
		return;
	case ROLE_ITEM:
		attach_item(project, where.at, place);
		return;
	case ROLE_ITEM_ATTEMPT:
		if (project_only_child(project, where.at) != NOWHERE)
			project_mark(project, project_only_child(project, where.at));
		return;
	case ROLE_MAIN:
		if (replaces(project, project->insts.items[where.at].place, place))
			project->insts.items[where.at].place = place;
		break;
	case ROLE_ATTEMPT:
	case ROLE_INNER:
		break;
	}
	project_mark(project, where.at);
}
