#include "config.h"

#include <string.h>

#include "dsl/eval.h"
#include "runtime/engine_private.h"

static const char *
kind_name(const struct value *value)
{
	static const char *const names[] = { "null", "a Boolean", "an Integer", "a Float", "a String", "a List", "a Dict" };

	return names[value->kind];
}

/* Does the value do for the type as it is? Whatever is wanted as text takes every value's plain text. */
static bool
suits(const struct value *value, const struct type *type)
{
	switch (type->kind) {
	case TYPE_INTEGER:
		return value->kind == VALUE_INTEGER;
	case TYPE_FLOAT:
		return value->kind == VALUE_FLOAT || value->kind == VALUE_INTEGER;
	case TYPE_BOOLEAN:
		return value->kind == VALUE_BOOLEAN;
	case TYPE_LIST:
		return value->kind == VALUE_LIST;
	case TYPE_DICT:
		return value->kind == VALUE_DICT;
	default:
		return true;
	}
}

static const struct value *
as_type(struct arena *arena, const struct value *value, const struct type *type, struct error *err)
{
	const struct value *parsed = NULL;

	if (suits(value, type))
		return value;
	if (value->kind == VALUE_STRING)
		parsed = eval_parse(arena, value->string.text, value->string.len, type, NULL);
	if (!parsed)
		error_set(err, "%s was given where %s is wanted", kind_name(value), type->name);
	return parsed;
}

static int
take_param(struct engine *engine, const struct engine_args *args, size_t i, struct error *err)
{
	const struct plan_param *param = &engine->plan->params[i];
	const struct value *given = args->values ? args->values[i] : NULL;

	if (param->type->kind == TYPE_SECRET) {
		const struct secret **secrets = (const struct secret **)(uintptr_t)engine->args.secrets;

		secrets[i] = args->secrets && args->secrets[i] ? args->secrets[i] : param->secret;
		return secrets[i] ? 0 : error_set(err, "the parameter `%s` needs a secret", param->name);
	}
	if (!given)
		given = param->fallback;
	if (!given)
		return error_set(err, "the parameter `%s` needs a value", param->name);
	given = as_type(engine->arena, value_clone(engine->arena, given), param->type, err);
	if (!given)
		return error_prefix(err, "the parameter `%s`", param->name);
	engine->params[i] = given;
	return 0;
}

int
engine_take_args(struct engine *engine, struct error *err)
{
	size_t n = engine->plan->n_params;
	struct engine_args args = engine->args;

	engine->params = arena_alloc(engine->arena, n * sizeof(*engine->params) + 1);
	engine->args.values = engine->params;
	engine->args.secrets = arena_alloc(engine->arena, n * sizeof(*engine->args.secrets) + 1);
	engine->args.run_id = arena_strdup(engine->arena, args.run_id ? args.run_id : "run");
	engine->args.run_name = arena_strdup(engine->arena, args.run_name ? args.run_name : engine->args.run_id);
	for (size_t i = 0; i < n; i++)
		if (take_param(engine, &args, i, err))
			return -1;
	return 0;
}

static int
give_secret(struct engine *engine, const struct expr *arg, struct engine_input *ret, struct error *err)
{
	const struct secret *secret = arg->kind == EXPR_SECRET ? arg->secret :
		arg->kind == EXPR_PARAM ? engine->args.secrets[arg->index] : NULL;

	if (!secret)
		return error_set(err, "a secret is wanted");
	*ret = (struct engine_input){ .kind = INPUT_SECRET, .secret = secret };
	return 0;
}

/* What a step gets whose argument is an output of a skipped step. */
static int
give_nothing(const struct port *port, struct engine_input *ret, struct error *err)
{
	enum input_kind given = port->passing == PASS_FILE ? INPUT_TEXT : INPUT_VALUE;

	if (!port->fallback && !port->optional)
		return error_set(err, "it has no value, for the step that would give it did not run");
	*ret = (struct engine_input){ .kind = port->fallback ? given : INPUT_ABSENT, .value = port->fallback };
	return 0;
}

static int
give_file(struct engine *engine, size_t frame, const struct port *port, const struct expr *arg, struct engine_input *ret,
	  struct error *err)
{
	const struct value *paths = engine_paths(engine, frame, arg, err);

	if (!paths)
		return -1;
	if (paths->kind == VALUE_NULL)
		return give_nothing(port, ret, err);
	if (paths->kind != VALUE_STRING && paths->kind != VALUE_LIST)
		return error_set(err, "%s was given where a file is wanted", kind_name(paths));
	*ret = (struct engine_input){ .kind = paths->kind == VALUE_STRING ? INPUT_PATH : INPUT_PATHS,
				      .value = paths,
				      .path = value_text(paths) };
	return 0;
}

static int
give(struct engine *engine, size_t node, const struct port *port, const struct expr *arg, struct engine_input *ret,
     struct error *err)
{
	size_t frame = node_at(engine, node)->pub.frame;
	const struct value *value;

	*ret = (struct engine_input){ .kind = INPUT_ABSENT };
	if (!arg)
		return 0;
	if (port->type->kind == TYPE_SECRET || arg->kind == EXPR_SECRET || arg->type->kind == TYPE_SECRET)
		return give_secret(engine, arg, ret, err);
	if (port->passing == PASS_FILE && engine_is_file(engine, arg))
		return give_file(engine, frame, port, arg, ret, err);
	value = engine_eval_in(engine, frame, node, arg, engine->arena, err);
	if (!value)
		return -1;
	if (value->kind == VALUE_NULL && (port->optional || arg->kind != EXPR_VALUE))
		return give_nothing(port, ret, err);
	value = as_type(engine->arena, value, port->type, err);
	*ret = (struct engine_input){ .kind = port->passing == PASS_FILE ? INPUT_TEXT : INPUT_VALUE, .value = value };
	return value ? 0 : -1;
}

const struct engine_input *
engine_resolve(struct engine *engine, size_t node, struct error *err)
{
	const struct plan_step *step = step_of(engine, node_at(engine, node));
	size_t n = step->component->n_inputs;
	struct engine_input *inputs = arena_alloc(engine->arena, n * sizeof(*inputs) + 1);

	for (size_t i = 0; i < n; i++) {
		const struct port *port = &step->component->inputs[i];

		if (give(engine, node, port, step->args[i], &inputs[i], err)) {
			error_prefix(err, "input `%s`", port->name);
			return NULL;
		}
	}
	return inputs;
}
