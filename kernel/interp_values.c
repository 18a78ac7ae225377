#include "config.h"

#include "kernel/interp_internal.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/fetch.h"

static void
variable_free(struct variable *variable)
{
	if (!variable)
		return;
	arena_free(variable->arena);
	run_unref(variable->run);
	free(variable);
}

void
variables_forget(struct map *variables, const char *name)
{
	variable_free(map_remove(variables, name));
}

void
variables_clear(struct map *variables)
{
	const struct map_entry *e;

	for (size_t at = 0; (e = map_next(variables, &at));)
		variable_free(e->value);
	map_release(variables);
}

void
variables_set_value(struct map *variables, const char *name, const struct value *value)
{
	struct variable *variable = xcalloc(1, sizeof *variable);

	variable->arena = arena_new();
	variable->value = value_clone(variable->arena, value);
	variables_forget(variables, name);
	map_set(variables, name, variable);
}

void
variables_set_run(struct map *variables, const char *name, struct run *run, size_t step)
{
	struct variable *variable = xcalloc(1, sizeof *variable);

	variable->run = run_ref(run);
	variable->step = step;
	variables_forget(variables, name);
	map_set(variables, name, variable);
}

static bool
is_interrupted(void *context)
{
	const struct interp *interp = context;

	return interp->interrupted;
}

/* Which output by file the members of a handle name; false when they name something else, or it was not fetched because it is here. */
static bool
names_file(const struct variable *variable, const char *const *path, size_t n, size_t *ret_step, size_t *ret_output)
{
	const struct plan *plan = variable->run->plan;
	const struct component *component;

	*ret_step = variable->step;
	if (variable->step == SIZE_MAX && n) {
		*ret_step = plan_step_index(plan, path[0]);
		path++;
		n--;
		if (*ret_step == SIZE_MAX && plan->n_steps == 1) { /* a component that was called: its outputs are the run's */
			*ret_step = 0;
			path--;
			n++;
		}
	}
	if (*ret_step == SIZE_MAX)
		return false;
	component = plan->steps[*ret_step].component;
	*ret_output = n ? component_output(component, path[0]) : component->n_outputs == 1 ? 0 : SIZE_MAX;
	if (*ret_output == SIZE_MAX && n == 1 && !strcmp(path[0], "path") && component->n_outputs == 1)
		*ret_output = 0;
	return *ret_output != SIZE_MAX && component->outputs[*ret_output].passing == PASS_FILE;
}

/* A file of a run on a cluster lies in a bucket there until somebody looks at it. */
static const struct value *
fetch(struct interp *interp, const struct variable *variable, const char *const *path, size_t n, struct arena *arena, struct error *err)
{
	struct fetch_request request = { .run = variable->run, .wake = interp->wake, .stop = is_interrupted, .context = interp };

	if (!names_file(variable, path, n, &request.step, &request.output) || variable->run->steps[request.step].phase != PHASE_SUCCEEDED)
		return &VALUE_OF_NULL;
	return fetch_output(&request, arena, err);
}

/* EXPR_VARIABLE: a name that the notebook bound, and members of it. */
static const struct value *
lookup(void *context, struct arena *arena, const struct expr *expr, struct error *err)
{
	struct interp *interp = context;
	const struct variable *variable;
	const struct value *value;

	if (expr->kind != EXPR_VARIABLE) {
		error_set(err, "this is known only inside a pipeline");
		return NULL;
	}
	variable = map_get(&interp->variables, expr->path[0]);
	if (!variable) {
		error_set(err, "`%s` has no value: the cell that binds it did not end well", expr->path[0]);
		return NULL;
	}
	if (variable->value)
		return variable->value;
	run_lock(variable->run);
	value = run_member(variable->run, variable->step, arena, expr->path + 1, expr->n_items - 1, err);
	run_unlock(variable->run);
	if (value && value->kind == VALUE_NULL)
		return fetch(interp, variable, expr->path + 1, expr->n_items - 1, arena, err);
	return value;
}

const struct value *
act_eval(struct act *act, const struct expr *expr)
{
	struct eval_env env = { lookup, act->interp };
	struct error err;
	const struct value *value = eval_expr(act->arena, expr, &env, &err);

	if (!value)
		act_fail(act, DIAG_L0805, "%s", err.text);
	return value;
}

struct run *
act_handle(struct act *act, const struct expr *expr, size_t *ret_step)
{
	const struct variable *variable = expr->kind == EXPR_VARIABLE ? map_get(&act->interp->variables, expr->path[0]) : NULL;

	if (!variable || !variable->run)
		return NULL;
	*ret_step = variable->step;
	if (expr->n_items == 1)
		return variable->run;
	if (expr->n_items == 2 && variable->step == SIZE_MAX)
		*ret_step = plan_step_index(variable->run->plan, expr->path[1]);
	else
		*ret_step = SIZE_MAX;
	return *ret_step == SIZE_MAX ? NULL : variable->run;
}
