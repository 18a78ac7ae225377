#include "config.h"

#include "dsl/plan.h"

#include <stdint.h>
#include <string.h>

#include "base/map.h"
#include "dsl/ast.h"

struct plan *
plan_ref(struct plan *plan)
{
	__atomic_add_fetch(&plan->refs, 1, __ATOMIC_RELAXED);
	return plan;
}

void
plan_unref(struct plan *plan)
{
	if (!plan || __atomic_sub_fetch(&plan->refs, 1, __ATOMIC_ACQ_REL))
		return;
	for (size_t i = 0; i < plan->n_units; i++)
		unit_unref(plan->units[i]);
	arena_free(plan->arena); /* the plan itself lives there */
}

size_t
plan_param_index(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->n_params; i++)
		if (!strcmp(plan->params[i].name, name))
			return i;
	return SIZE_MAX;
}

size_t
plan_step_index(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->n_steps; i++)
		if (!strcmp(plan->steps[i].name, name))
			return i;
	return SIZE_MAX;
}
