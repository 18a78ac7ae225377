#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/runtime/plan_fixtures_private.h"

/* The child of the group that the step lies in, SIZE_MAX if it lies elsewhere. */
static size_t
place_of(const struct building *b, size_t group, size_t step)
{
	const struct group_plan *in = b->groups.items[group];
	size_t child_group = b->steps.items[step]->step.group, index = step;
	bool is_group = false;

	while (child_group != group) {
		if (!child_group)
			return SIZE_MAX;
		is_group = true;
		index = child_group;
		child_group = b->groups.items[child_group]->group.parent;
	}
	for (size_t i = 0; i < in->children.n; i++)
		if (in->children.items[i].is_group == is_group && in->children.items[i].index == index)
			return i;
	BUG("a step is nowhere");
}

/* A need of a child belongs to the ancestor that stands beside what is needed. */
static void
add_need(struct building *b, size_t group, bool is_group, size_t index, size_t step)
{
	for (;;) {
		struct group_plan *in = b->groups.items[group];
		size_t place = place_of(b, group, step);

		for (size_t i = 0; place != SIZE_MAX && i < in->children.n; i++) {
			struct plan_child *child = &in->children.items[i];
			size_t *needs;

			if (child->is_group != is_group || child->index != index)
				continue;
			needs = arena_alloc(b->arena, (child->n_needs + 1) * sizeof(*needs));
			if (child->n_needs)
				memcpy(needs, child->needs, child->n_needs * sizeof(*needs));
			needs[child->n_needs++] = place;
			child->needs = needs;
			return;
		}
		is_group = true;
		index = group;
		group = in->group.parent;
	}
}

static void
settle_needs(struct building *b)
{
	for (size_t i = 0; i < b->steps.n; i++)
		for (size_t j = 0; j < b->steps.items[i]->needs.n; j++)
			add_need(b, b->steps.items[i]->step.group, false, i, b->steps.items[i]->needs.items[j]);
	for (size_t i = 1; i < b->groups.n; i++)
		for (size_t j = 0; j < b->groups.items[i]->needs.n; j++)
			add_need(b, b->groups.items[i]->group.parent, true, i, b->groups.items[i]->needs.items[j]);
}

void
fixture_settle(struct building *b)
{
	struct plan *plan = b->plan;
	struct plan_step *steps = arena_alloc(b->arena, b->steps.n * sizeof(*steps) + 1);
	struct plan_group *groups = arena_alloc(b->arena, b->groups.n * sizeof(*groups));

	settle_needs(b);
	for (size_t i = 0; i < b->steps.n; i++) {
		steps[i] = b->steps.items[i]->step;
		vec_release(&b->steps.items[i]->needs);
	}
	for (size_t i = 0; i < b->groups.n; i++) {
		struct group_plan *group = b->groups.items[i];

		groups[i] = group->group;
		groups[i].children = arena_copy(b->arena, group->children.items, group->children.n * sizeof(*group->children.items));
		groups[i].n_children = group->children.n;
		vec_release(&group->children);
		vec_release(&group->needs);
	}
	plan->steps = steps;
	plan->n_steps = b->steps.n;
	plan->groups = groups;
	plan->n_groups = b->groups.n;
	vec_release(&b->steps);
	vec_release(&b->groups);
}
