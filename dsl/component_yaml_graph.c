#include "config.h"

#include <stdint.h>
#include <string.h>

#include "dsl/component_yaml_load.h"

static const char *const graph_keys[] = { "tasks", "outputValues" };
static const char *const task_keys[] = { "componentRef", "arguments", "isEnabled", "executionOptions", "annotations" };
static const char *const argument_keys[] = { "graphInput", "taskOutput" };

static void
find_task(struct loading *l, const struct yaml_node *graph, const struct yaml_node *reference)
{
	const struct yaml_node *id = yaml_get(reference, "taskId");
	const char *text = id ? value_text(id->value) : NULL;

	if (!text)
		diags_add(l->diags, DIAG_L0505, reference->span, "a `taskOutput` names its task by `taskId`, a text");
	else if (!yaml_get(yaml_get(graph, "tasks"), text))
		diags_add(l->diags, DIAG_L0507, id->span, "the graph has no task `%.100s`", text);
}

static void
find_graph_input(struct loading *l, const struct yaml_node *reference)
{
	const struct yaml_node *name = yaml_get(reference, "inputName");
	const char *text = name ? value_text(name->value) : NULL;

	if (text)
		loading_find_port(l, false, text, name->span);
	else
		diags_add(l->diags, DIAG_L0505, reference->span, "a `graphInput` names its input by `inputName`, a text");
}

/* A text, {graphInput: …} or {taskOutput: …}. */
static void
check_argument(struct loading *l, const struct yaml_node *graph, const struct yaml_node *argument)
{
	const struct yaml_node *input = yaml_get(argument, "graphInput"), *output = yaml_get(argument, "taskOutput");

	if (argument->value->kind == VALUE_LIST || argument->value->kind == VALUE_NULL) {
		loading_is(l, argument, VALUE_STRING, "an argument");
		return;
	}
	if (argument->value->kind != VALUE_DICT)
		return;
	loading_check_keys(l, argument, argument_keys, ARRAY_LEN(argument_keys), "an argument");
	if (input)
		find_graph_input(l, input);
	else if (output)
		find_task(l, graph, output);
	else
		diags_add(l->diags, DIAG_L0505, argument->span, "an argument is a text, a `graphInput` or a `taskOutput`");
}

static void
check_task(struct loading *l, const struct yaml_node *graph, const struct yaml_node *task)
{
	const struct yaml_node *reference, *arguments;

	if (!loading_is(l, task, VALUE_DICT, "a task"))
		return;
	loading_check_keys(l, task, task_keys, ARRAY_LEN(task_keys), "a task");
	reference = yaml_get(task, "componentRef");
	if (!loading_has(reference))
		diags_add(l->diags, DIAG_L0505, task->span, "a task without `componentRef`");
	else
		loading_is(l, reference, VALUE_DICT, "`componentRef`");
	arguments = yaml_get(task, "arguments");
	if (!loading_has(arguments) || !loading_is(l, arguments, VALUE_DICT, "`arguments`"))
		return;
	for (size_t i = 0; i < arguments->n; i++)
		check_argument(l, graph, arguments->items[i]);
}

static void
check_output_values(struct loading *l, const struct yaml_node *graph)
{
	const struct yaml_node *values = yaml_get(graph, "outputValues");

	if (!loading_has(values) || !loading_is(l, values, VALUE_DICT, "`outputValues`"))
		return;
	for (size_t i = 0; i < values->n; i++) {
		size_t index = loading_find_port(l, true, values->value->dict.keys[i], values->keys[i]);

		if (index != SIZE_MAX)
			l->outputs[index].produced = true;
		check_argument(l, graph, values->items[i]);
	}
}

void
loading_graph(struct loading *l, const struct yaml_node *graph)
{
	const struct yaml_node *tasks;

	if (!loading_is(l, graph, VALUE_DICT, "`graph`"))
		return;
	loading_check_keys(l, graph, graph_keys, ARRAY_LEN(graph_keys), "a graph");
	tasks = yaml_get(graph, "tasks");
	if (!loading_has(tasks)) {
		diags_add(l->diags, DIAG_L0505, graph->span, "a graph without `tasks`");
		return;
	}
	if (!loading_is(l, tasks, VALUE_DICT, "`tasks`"))
		return;
	for (size_t i = 0; i < tasks->n; i++)
		check_task(l, graph, tasks->items[i]);
	check_output_values(l, graph);
}
