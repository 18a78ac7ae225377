#include "config.h"

#include "tests/dsl/plan_builder.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const struct expr FX_ABSENT = { .kind = EXPR_VALUE };

void
fixture_init(struct fixture *f, const char *name)
{
	*f = (struct fixture){ 0 };
	f->arena = arena_new();
	f->plan = (struct plan){ .refs = 1, .arena = f->arena, .name = name, .params = f->params, .steps = f->steps,
				 .groups = f->groups, .n_groups = 1, .outputs = f->outputs, .settings = &f->settings };
	f->groups[0].children = f->children[0];
}

void
fixture_release(struct fixture *f)
{
	arena_free(f->arena);
}

struct settings *
fixture_settings(struct fixture *f)
{
	return arena_new_struct(f->arena, struct settings);
}

static struct port *
ports(struct fixture *f, const char *text, size_t *ret_n)
{
	struct port *all = arena_alloc(f->arena, FIXTURE_MAX * sizeof *all);
	char *copy = arena_strdup(f->arena, text), *save = NULL;

	*ret_n = 0;
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		char *colon = strchr(word, ':');
		struct port *port = &all[(*ret_n)++];

		*colon = '\0';
		if (colon[1] && colon[strlen(colon + 1)] == '?') {
			port->optional = true;
			colon[strlen(colon + 1)] = '\0';
		}
		port->name = port->id = word;
		port->type = type_predeclared(colon + 1);
		port->passing = port->type->kind == TYPE_ARTIFACT ? PASS_FILE : PASS_VALUE;
		port->produced = true;
	}
	return all;
}

struct component *
fixture_component(struct fixture *f, const char *name, const char *image, const char *inputs, const char *outputs)
{
	struct component *c = arena_new_struct(f->arena, struct component);

	c->name = name;
	c->image = image;
	c->kind = image ? COMPONENT_CONTAINER : COMPONENT_PROCESS;
	c->inputs = ports(f, inputs, &c->n_inputs);
	c->outputs = ports(f, outputs, &c->n_outputs);
	return c;
}

void
fixture_args(struct fixture *f, struct component *component, const char *words)
{
	struct part *parts = arena_alloc(f->arena, FIXTURE_MAX * sizeof *parts);
	char *copy = arena_strdup(f->arena, words), *save = NULL;

	component->args = parts;
	component->n_args = 0;
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		struct part *part = &parts[component->n_args++];

		part->kind = *word == '<' ? PART_INPUT : *word == '>' ? PART_OUTPUT_PATH : *word == '@' || *word == '%' ? PART_FACT : PART_TEXT;
		part->fact = *word == '@' ? FACT_STEP_ATTEMPT : FACT_STEP_NAME;
		part->text = word;
		if (*word == '<')
			part->index = component_input(component, word + 1);
		if (*word == '>')
			part->index = component_output(component, word + 1);
	}
}

size_t
fixture_param(struct fixture *f, const char *name, const char *type, const char *fallback)
{
	struct plan_param *param = &f->params[f->plan.n_params];
	struct error err;

	param->name = name;
	param->type = type_predeclared(type);
	if (fallback && param->type->kind == TYPE_STRING)
		param->fallback = value_string(f->arena, fallback);
	else if (fallback)
		param->fallback = value_read_json(f->arena, fallback, strlen(fallback), &err);
	return f->plan.n_params++;
}

static struct plan_child *
add_child(struct fixture *f, size_t group, const char *needs)
{
	struct plan_child *child = &f->children[group][f->groups[group].n_children++];
	size_t *places = arena_alloc(f->arena, FIXTURE_MAX * sizeof *places);

	child->needs = places;
	for (char *end; *needs; needs = end + (*end == ' '))
		places[child->n_needs++] = strtoul(needs, &end, 10);
	return child;
}

size_t
fixture_step(struct fixture *f, size_t group, const char *name, const struct component *component, const char *needs, ...)
{
	struct plan_step *step = &f->steps[f->plan.n_steps];
	const struct expr **args = arena_alloc(f->arena, (component->n_inputs + 1) * sizeof *args);
	struct plan_child *child = add_child(f, group, needs);
	va_list list;

	va_start(list, needs);
	for (size_t i = 0; i < component->n_inputs; i++) {
		args[i] = va_arg(list, const struct expr *);
		args[i] = args[i] == &FX_ABSENT ? NULL : args[i];
	}
	va_end(list);
	child->index = f->plan.n_steps;
	step->name = name;
	step->component = component;
	step->args = args;
	step->group = group;
	step->settings = component->settings ? component->settings : fixture_settings(f);
	return f->plan.n_steps++;
}

static struct plan_group *
add_group(struct fixture *f, size_t parent, const char *needs)
{
	struct plan_group *group = &f->groups[f->plan.n_groups];
	struct plan_child *child = add_child(f, parent, needs);

	child->is_group = true;
	child->index = f->plan.n_groups;
	group->parent = parent;
	group->chain = f->plan.n_groups;
	group->children = f->children[f->plan.n_groups++];
	return group;
}

size_t
fixture_if(struct fixture *f, size_t parent, const char *needs, const struct expr *condition)
{
	struct plan_group *group = add_group(f, parent, needs);

	group->kind = GROUP_IF;
	group->condition = condition;
	return f->plan.n_groups - 1;
}

size_t
fixture_for(struct fixture *f, size_t parent, const char *needs, const char *variable, const struct expr *items, int64_t parallel)
{
	struct plan_group *group = add_group(f, parent, needs);

	group->kind = GROUP_FOR;
	group->variable = variable;
	group->items = items;
	group->parallel = parallel;
	return f->plan.n_groups - 1;
}

void
fixture_output(struct fixture *f, const char *name, const struct expr *value)
{
	f->outputs[f->plan.n_outputs++] = (struct plan_output){ .name = name, .value = value };
}

/* ---- expressions ---- */

static struct expr *
new_expr(struct fixture *f, enum expr_kind kind, const struct type *type)
{
	struct expr *expr = arena_new_struct(f->arena, struct expr);

	expr->kind = kind;
	expr->type = type;
	return expr;
}

static void
set_items(struct fixture *f, struct expr *expr, const struct expr *const *items, size_t n)
{
	expr->items = arena_copy(f->arena, items, n * sizeof(*items));
	expr->n_items = n;
}

static const struct type *
type_of(const struct value *value)
{
	static const struct type *const types[] = {
		[VALUE_NULL] = &TYPE_OF_NULL,	    [VALUE_BOOLEAN] = &TYPE_OF_BOOLEAN, [VALUE_INTEGER] = &TYPE_OF_INTEGER,
		[VALUE_FLOAT] = &TYPE_OF_FLOAT,	    [VALUE_STRING] = &TYPE_OF_STRING,	[VALUE_LIST] = &TYPE_OF_LIST,
		[VALUE_DICT] = &TYPE_OF_DICT,
	};

	return types[value->kind];
}

static const struct expr *
constant(struct fixture *f, const struct value *value)
{
	struct expr *expr = new_expr(f, EXPR_VALUE, type_of(value));

	expr->value = value;
	return expr;
}

const struct expr *
fx_text(struct fixture *f, const char *text)
{
	return constant(f, value_string(f->arena, text));
}

const struct expr *
fx_integer(struct fixture *f, int64_t integer)
{
	return constant(f, value_integer(f->arena, integer));
}

const struct expr *
fx_json(struct fixture *f, const char *json)
{
	struct error err;

	return constant(f, value_read_json(f->arena, json, strlen(json), &err));
}

const struct expr *
fx_param(struct fixture *f, size_t index)
{
	struct expr *expr = new_expr(f, EXPR_PARAM, f->params[index].type);

	expr->index = index;
	return expr;
}

const struct expr *
fx_of(struct fixture *f, size_t step, const char *output)
{
	const struct component *component = f->steps[step].component;
	size_t index = component_output(component, output);
	struct expr *expr = new_expr(f, EXPR_OUTPUT, component->outputs[index].type);

	expr->index = step;
	expr->output = index;
	return expr;
}

const struct expr *
fx_item(struct fixture *f, size_t group, const char *type)
{
	struct expr *expr = new_expr(f, EXPR_ITEM, type_predeclared(type));

	expr->index = group;
	return expr;
}

const struct expr *
fx_fact(struct fixture *f, enum fact fact)
{
	struct expr *expr = new_expr(f, EXPR_FACT, fact == FACT_STEP_ATTEMPT ? &TYPE_OF_INTEGER : &TYPE_OF_STRING);

	expr->fact = fact;
	return expr;
}

const struct expr *
fx_state(struct fixture *f, size_t step, enum state_test state)
{
	struct expr *expr = new_expr(f, EXPR_STATE, &TYPE_OF_BOOLEAN);

	expr->index = step;
	expr->state = state;
	return expr;
}

const struct expr *
fx_secret(struct fixture *f, enum secret_source source, const char *name, const char *key, bool optional)
{
	struct expr *expr = new_expr(f, EXPR_SECRET, &TYPE_OF_SECRET);
	struct secret *secret = arena_new_struct(f->arena, struct secret);

	*secret = (struct secret){ .source = source, .name = name, .key = key, .optional = optional };
	expr->secret = secret;
	return expr;
}

const struct expr *
fx_concat(struct fixture *f, const struct expr *a, const struct expr *b, const struct expr *c)
{
	struct expr *expr = new_expr(f, EXPR_CONCAT, &TYPE_OF_STRING);
	const struct expr *items[] = { a, b, c };

	set_items(f, expr, items, c ? 3 : 2);
	return expr;
}

const struct expr *
fx_binary(struct fixture *f, enum expr_op op, const struct expr *a, const struct expr *b)
{
	struct expr *expr = new_expr(f, EXPR_BINARY, op >= OP_ADD ? a->type : &TYPE_OF_BOOLEAN);
	const struct expr *items[] = { a, b };

	expr->op = op;
	set_items(f, expr, items, 2);
	return expr;
}

const struct expr *
fx_not(struct fixture *f, const struct expr *a)
{
	struct expr *expr = new_expr(f, EXPR_UNARY, &TYPE_OF_BOOLEAN);

	expr->op = OP_NOT;
	set_items(f, expr, &a, 1);
	return expr;
}

const struct expr *
fx_index(struct fixture *f, const struct expr *a, const struct expr *b)
{
	struct expr *expr = new_expr(f, EXPR_INDEX, &TYPE_OF_ANY);
	const struct expr *items[] = { a, b };

	set_items(f, expr, items, 2);
	return expr;
}

const struct expr *
fx_choice(struct fixture *f, const struct expr *condition, const struct expr *yes, const struct expr *no)
{
	struct expr *expr = new_expr(f, EXPR_CHOICE, yes->type);
	const struct expr *items[] = { condition, yes, no };

	set_items(f, expr, items, 3);
	return expr;
}

const struct expr *
fx_range(struct fixture *f, const struct expr *end)
{
	struct expr *expr = new_expr(f, EXPR_RANGE, &TYPE_OF_LIST);

	set_items(f, expr, &end, 1);
	return expr;
}
