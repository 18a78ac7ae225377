#include "config.h"

#include <string.h>

#include "base/value.h"
#include "runtime/cluster/retry_private.h"

static const struct {
	const char *word;
	enum retry_type type;
} types[] = {
	{ "DAG", RETRY_GROUP }, { "Steps", RETRY_GROUP }, { "StepGroup", RETRY_STEP_GROUP }, { "TaskGroup", RETRY_TASK_GROUP },
	{ "Retry", RETRY_RETRY }, { "Pod", RETRY_POD }, { "Container", RETRY_CONTAINER }, { "HTTP", RETRY_EXECUTED },
	{ "Plugin", RETRY_EXECUTED },
};

static const char *
text_or(const struct value *dict, const char *key, const char *otherwise)
{
	const char *text = value_text(value_get(dict, key));

	return text ? text : otherwise;
}

static bool
is_phase(const struct value *node, const char *phase)
{
	return !strcmp(text_or(node, "phase", ""), phase);
}

static bool
is_of_exit(const char *workflow, const char *name)
{
	size_t len = strlen(workflow);

	return !strncmp(name, workflow, len) && !strncmp(name + len, ".onExit", 7);
}

static void
fill_node(struct retry_graph *graph, struct retry_node *node, const char *id, const struct value *value)
{
	const char *type = text_or(value, "type", "");

	*node = (struct retry_node){ .id = id, .value = value, .name = text_or(value, "name", ""), .boundary = text_or(value, "boundaryID", ""),
		.type = RETRY_OTHER, .failed = is_phase(value, "Failed") || is_phase(value, "Error") };
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (!strcmp(types[i].word, type))
			node->type = types[i].type;
	node->exit = is_of_exit(graph->workflow, node->name);
}

/* Counts parents first, then keeps them. */
static int
link_children(struct retry_graph *graph, struct retry_node *node)
{
	const struct value *children = value_get(node->value, "children");

	node->children = arena_alloc(graph->arena, (value_count(children) + 1) * sizeof *node->children);
	for (size_t i = 0; i < value_count(children); i++) {
		const char *id = value_text(value_item(children, i));
		struct retry_node *child = id ? map_get(&graph->by_id, id) : NULL;

		if (!child)
			return -1;
		node->children[node->n_children++] = child;
		child->n_parents++;
	}
	return 0;
}

static void
link_parents(struct retry_graph *graph)
{
	for (size_t i = 0; i < graph->n; i++) {
		struct retry_node *node = &graph->nodes[i];

		node->parents = arena_alloc(graph->arena, (node->n_parents + 1) * sizeof *node->parents);
		node->n_parents = 0;
	}
	for (size_t i = 0; i < graph->n; i++) {
		struct retry_node *node = &graph->nodes[i];

		for (size_t c = 0; c < node->n_children; c++) {
			struct retry_node *child = node->children[c];

			child->parents[child->n_parents++] = node;
			if (!child->parent || strcmp(child->parent->id, node->id) < 0)
				child->parent = node;
		}
	}
}

int
retry_graph_build(struct retry_graph *graph, struct arena *arena, const char *workflow, const struct value *nodes)
{
	*graph = (struct retry_graph){ .arena = arena, .workflow = workflow, .n = nodes->dict.n };
	if (graph->n > RETRY_NODES_MAX)
		return -1;
	graph->nodes = arena_alloc(arena, (graph->n + 1) * sizeof *graph->nodes);
	graph->queue = arena_alloc(arena, (graph->n + 1) * sizeof(struct retry_node *));
	graph->stack = arena_alloc(arena, (graph->n + 1) * sizeof(struct retry_node *));
	for (size_t i = 0; i < graph->n; i++) {
		fill_node(graph, &graph->nodes[i], nodes->dict.keys[i], nodes->dict.items[i]);
		map_set(&graph->by_id, graph->nodes[i].id, &graph->nodes[i]);
		if (!strcmp(graph->nodes[i].name, workflow))
			graph->root = &graph->nodes[i];
	}
	for (size_t i = 0; i < graph->n; i++)
		if (link_children(graph, &graph->nodes[i]))
			return -1;
	link_parents(graph);
	return graph->root || !graph->n ? 0 : -1;
}

void
retry_graph_release(struct retry_graph *graph)
{
	map_release(&graph->by_id);
}

/* ---- where something begins anew ---- */

/* All that stands before a success that stays. */
static void
mark_succeeded_after(struct retry_graph *graph)
{
	size_t n = 0;

	for (size_t i = 0; i < graph->n; i++) {
		struct retry_node *node = &graph->nodes[i];

		if (is_phase(node->value, "Succeeded") && !node->wanted)
			for (size_t p = 0; p < node->n_parents; p++)
				if (!node->parents[p]->succeeded_after) {
					node->parents[p]->succeeded_after = true;
					graph->queue[n++] = node->parents[p];
				}
	}
	while (n) {
		struct retry_node *node = graph->queue[--n];

		for (size_t p = 0; p < node->n_parents; p++)
			if (!node->parents[p]->succeeded_after) {
				node->parents[p]->succeeded_after = true;
				graph->queue[n++] = node->parents[p];
			}
	}
}

/* An attempt is judged by its Retry node: another attempt may have succeeded. */
static const struct retry_node *
judged(const struct retry_node *node)
{
	const struct value *attempt = value_get(value_get(node->value, "nodeFlag"), "retried");

	if (!attempt || attempt->kind != VALUE_BOOLEAN || !attempt->boolean)
		return node;
	for (size_t i = 0; i < node->n_parents; i++)
		if (node->parents[i]->type == RETRY_RETRY)
			return node->parents[i];
	return node;
}

static bool
is_executed(const struct retry_node *node)
{
	return node->type == RETRY_POD || node->type == RETRY_CONTAINER || node->type == RETRY_EXECUTED;
}

static void
mark_restarts(struct retry_graph *graph)
{
	mark_succeeded_after(graph);
	for (size_t i = 0; i < graph->n; i++) {
		struct retry_node *node = &graph->nodes[i];

		node->restart = node->wanted || (node->failed && is_executed(node) && !judged(node)->succeeded_after);
	}
}

/* ---- what follows from it ---- */

/* What comes after one that is gone is gone already. */
static void
mark_gone(struct retry_graph *graph, struct retry_node *first)
{
	size_t n = 0;

	if (first->gone)
		return;
	first->gone = true;
	graph->stack[n++] = first;
	while (n) {
		struct retry_node *node = graph->stack[--n];

		for (size_t i = 0; i < node->n_children; i++)
			if (!node->children[i]->gone) {
				node->children[i]->gone = true;
				graph->stack[n++] = node->children[i];
			}
	}
}

static bool
is_group(const struct retry_node *node)
{
	return node->type == RETRY_GROUP || node->type == RETRY_STEP_GROUP || node->type == RETRY_TASK_GROUP;
}

/* Resets the DAG or Steps that a node stands in, with the Retry node, loop or group right above it, and so on to the first; *node is
 * then what stands above that. `left` is how many nodes may still be passed: a graph that is not the controller's may have circles. */
static int
reset_around(struct retry_node **node, size_t *left)
{
	struct retry_node *at = *node;

	for (;;) {
		const char *boundary;

		if (at->parent && at->parent->type == RETRY_RETRY) {
			at = at->parent;
			at->reset = true;
		}
		if (at->parent && (at->parent->type == RETRY_STEP_GROUP || at->parent->type == RETRY_TASK_GROUP))
			at->parent->reset = true;
		boundary = at->boundary;
		if (!*boundary)
			break;
		do
			at = at->parent;
		while (at && --*left && strcmp(at->id, boundary) != 0);
		if (!at || !*left)
			return -1;
		at->reset = true;
	}
	*node = at->parent;
	return 0;
}

/* Above a node that goes. */
static int
reset_above(struct retry_graph *graph, struct retry_node *node)
{
	size_t left = graph->n * 4 + 16;

	while (node && --left) {
		if (is_group(node)) {
			node->reset = true;
			if (reset_around(&node, &left))
				return -1;
			continue;
		}
		if (node->type == RETRY_RETRY && node->failed)
			node->reset = true;
		if (node->type == RETRY_CONTAINER) {
			while (node && --left && node->type != RETRY_POD)
				node = node->parent;
			if (!node || !left)
				return -1;
			mark_gone(graph, node);
		}
		node = node->parent;
	}
	return left ? 0 : -1;
}

int
retry_graph_mark(struct retry_graph *graph)
{
	size_t n = 0;
	CLEANUP(freep) bool *seen = xcalloc(graph->n + 1, sizeof *seen);

	mark_restarts(graph);
	/* From the first one down: what goes because of one above it is not looked at again. The exit handler hangs on nothing. */
	if (graph->root) {
		graph->queue[n++] = graph->root;
		seen[graph->root - graph->nodes] = true;
	}
	for (size_t i = 0; i < n; i++) {
		struct retry_node *node = graph->queue[i];

		if (node->restart && !node->gone) {
			mark_gone(graph, node);
			if (node != graph->root && reset_above(graph, node))
				return -1;
		}
		for (size_t c = 0; c < node->n_children; c++)
			if (!seen[node->children[c] - graph->nodes]) {
				seen[node->children[c] - graph->nodes] = true;
				graph->queue[n++] = node->children[c];
			}
	}
	return 0;
}
