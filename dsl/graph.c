#include "config.h"

#include "dsl/graph.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "dsl/graph_label.h"

const char *
graph_phase_name(enum graph_phase phase)
{
	static const char *const names[GRAPH_PHASE_MAX] = {
		[GRAPH_PENDING] = "Pending", [GRAPH_RUNNING] = "Running", [GRAPH_SUCCEEDED] = "Succeeded", [GRAPH_FAILED] = "Failed",
		[GRAPH_ERROR] = "Error", [GRAPH_SKIPPED] = "Skipped", [GRAPH_OMITTED] = "Omitted",
	};

	return phase < GRAPH_PHASE_MAX ? names[phase] : "Pending";
}

bool
graph_phase_failed(enum graph_phase phase)
{
	return phase == GRAPH_FAILED || phase == GRAPH_ERROR;
}

const char *
graph_edge_kind_name(enum graph_edge_kind kind)
{
	return kind == GRAPH_DATA ? "data" : kind == GRAPH_AFTER ? "after" : "condition";
}

/* ---- nodes ---- */

struct port_item {
	struct graph_port port;
	struct port_item *next;
};

/* An edge while its ports are still being found. */
struct edge_item {
	struct graph_edge edge;
	struct port_item *first, **last;
};

struct builder {
	struct arena *arena;
	const struct plan *plan;
	struct graph *graph;
	size_t *step_nodes, *group_nodes; /* node of each step and group */
	VEC(struct edge_item *) edges;
	size_t *edge_from; /* by node: its latest edge, plus 1 */
	/* of the expression that is being walked */
	size_t to;
	enum graph_edge_kind kind;
	const char *input;
};

static void
add_step(struct builder *b, size_t index, size_t parent)
{
	const struct plan_step *step = &b->plan->steps[index];
	struct graph_node *node = &b->graph->nodes[b->graph->n_nodes];

	node->kind = GRAPH_STEP;
	node->parent = parent;
	node->index = index;
	node->n_steps = 1;
	node->id = node->label = step->name;
	node->sublabel = graph_step_sublabel(b->arena, step);
	node->n_badges = graph_step_badges(b->arena, step, &node->badges);
	b->step_nodes[index] = b->graph->n_nodes++;
}

/* The depth is that of the plan's groups, so this recursion is bounded. */
static void
add_group(struct builder *b, size_t index, size_t parent)
{
	const struct plan_group *group = &b->plan->groups[index];
	size_t number = b->graph->n_nodes++;
	struct graph_node *node = &b->graph->nodes[number];

	node->kind = GRAPH_GROUP;
	node->group_kind = group->kind;
	node->parent = parent;
	node->index = index;
	node->id = arena_printf(b->arena, "group-%zu", index);
	node->label = index ? graph_group_label(b->arena, group) : b->plan->name ? b->plan->name : "";
	b->group_nodes[index] = number;
	for (size_t i = 0; i < group->n_children; i++) {
		const struct plan_child *child = &group->children[i];
		size_t first = b->graph->n_nodes;

		if (child->is_group)
			add_group(b, child->index, number);
		else
			add_step(b, child->index, number);
		node->n_steps += b->graph->nodes[first].n_steps;
	}
}

/* ---- edges ---- */

/* The edge between two nodes, new or known; NULL within one, and past GRAPH_EDGES_MAX. */
static struct edge_item *
edge_between(struct builder *b, size_t from, size_t to, enum graph_edge_kind kind)
{
	size_t known = b->edge_from[from];
	struct edge_item *item;

	if (from == to)
		return NULL;
	if (known && b->edges.items[known - 1]->edge.to == to)
		return b->edges.items[known - 1];
	if (b->edges.n == GRAPH_EDGES_MAX)
		return NULL;
	item = arena_new_struct(b->arena, struct edge_item);
	item->edge = (struct graph_edge){ .from = from, .to = to, .kind = kind };
	item->last = &item->first;
	vec_push(&b->edges, item);
	b->edge_from[from] = b->edges.n;
	return item;
}

static void
add_port(struct builder *b, struct edge_item *item, const char *output, const char *input)
{
	struct port_item *port;

	for (port = item->first; port; port = port->next)
		if (!strcmp(port->port.output, output) && !strcmp(port->port.input, input))
			return;
	port = arena_new_struct(b->arena, struct port_item);
	port->port = (struct graph_port){ output, input };
	*item->last = port;
	item->last = &port->next;
	item->edge.n_ports++;
}

static const char *
state_name(enum state_test state)
{
	return state == STATE_SUCCEEDED ? "succeeded" : state == STATE_FAILED ? "failed" : "skipped";
}

static void
visit(const struct expr *expr, void *context)
{
	struct builder *b = context;
	struct edge_item *item;
	const char *output;

	if (expr->kind == EXPR_OUTPUT)
		output = b->plan->steps[expr->index].component->outputs[expr->output].name;
	else if (expr->kind == EXPR_STATE)
		output = state_name(expr->state);
	else
		return;
	item = edge_between(b, b->step_nodes[expr->index], b->to, b->kind);
	if (item)
		add_port(b, item, output, b->input);
}

static void
add_uses(struct builder *b, const struct expr *expr, const char *input)
{
	b->input = input;
	if (expr)
		expr_walk(expr, visit, b);
}

static void
add_pairs(struct builder *b, const struct setting_pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add_uses(b, pairs[i].value, pairs[i].key);
}

static void
add_step_edges(struct builder *b, size_t index)
{
	const struct plan_step *step = &b->plan->steps[index];
	const struct settings *s = step->settings;

	b->to = b->step_nodes[index];
	b->kind = GRAPH_DATA;
	for (size_t i = 0; step->args && i < step->component->n_inputs; i++)
		add_uses(b, step->args[i], step->component->inputs[i].name);
	add_uses(b, s->gpu, "gpu");
	add_uses(b, s->cpu, "cpu");
	add_uses(b, s->memory, "memory");
	add_pairs(b, s->env, s->n_env);
	add_pairs(b, s->labels, s->n_labels);
	add_pairs(b, s->annotations, s->n_annotations);
	add_pairs(b, s->node_selector, s->n_node_selector);
	for (size_t i = 0; i < step->n_after; i++)
		edge_between(b, b->step_nodes[step->after[i]], b->to, GRAPH_AFTER);
}

static void
add_edges(struct builder *b)
{
	struct graph *graph = b->graph;

	for (size_t i = 1; i < graph->n_nodes; i++) {
		const struct plan_group *group = &b->plan->groups[graph->nodes[i].index];

		if (graph->nodes[i].kind == GRAPH_STEP) {
			add_step_edges(b, graph->nodes[i].index);
			continue;
		}
		b->to = i;
		b->kind = GRAPH_CONDITION;
		add_uses(b, group->condition, "when");
		b->kind = GRAPH_DATA;
		add_uses(b, group->items, "items");
	}
	graph->n_edges = b->edges.n;
	graph->edges = arena_alloc(b->arena, b->edges.n * sizeof *graph->edges);
	for (size_t i = 0; i < b->edges.n; i++) {
		const struct edge_item *item = b->edges.items[i];
		struct graph_port *ports = arena_alloc(b->arena, item->edge.n_ports * sizeof *ports);
		size_t n = 0;

		for (const struct port_item *port = item->first; port; port = port->next)
			ports[n++] = port->port;
		graph->edges[i] = item->edge;
		graph->edges[i].ports = ports;
	}
}

/* Steps that neither they nor a group around them wait for anything. */
static void
find_roots(struct arena *arena, struct graph *graph)
{
	bool *waits = arena_alloc(arena, graph->n_nodes * sizeof *waits);
	size_t *roots = arena_alloc(arena, graph->n_nodes * sizeof *roots);

	for (size_t i = 0; i < graph->n_edges; i++)
		waits[graph->edges[i].to] = true;
	graph->n_roots = 0;
	for (size_t i = 1; i < graph->n_nodes; i++) {
		waits[i] |= waits[graph->nodes[i].parent];
		if (!waits[i] && graph->nodes[i].kind != GRAPH_GROUP)
			roots[graph->n_roots++] = i;
	}
	graph->roots = roots;
}

/* ---- a run ---- */

static struct graph_state
copy_state(struct arena *arena, const struct graph_state *state)
{
	struct graph_state copy = *state;

	if (copy.phase >= GRAPH_PHASE_MAX)
		copy.phase = GRAPH_PENDING;
	copy.message = state->message ? arena_strdup(arena, state->message) : NULL;
	return copy;
}

/* How a group does, from how its members do. */
struct tally {
	size_t phases[GRAPH_PHASE_MAX], n;
	double seconds;
};

static struct graph_state
tally_state(const struct tally *t)
{
	struct graph_state state = { .seconds = t->seconds };
	size_t ended = t->n - t->phases[GRAPH_PENDING] - t->phases[GRAPH_RUNNING];

	if (t->phases[GRAPH_RUNNING] || (ended && t->phases[GRAPH_PENDING]))
		state.phase = GRAPH_RUNNING;
	else if (t->phases[GRAPH_PENDING] || !t->n)
		state.phase = GRAPH_PENDING;
	else if (t->phases[GRAPH_ERROR])
		state.phase = GRAPH_ERROR;
	else if (t->phases[GRAPH_FAILED])
		state.phase = GRAPH_FAILED;
	else if (t->phases[GRAPH_SUCCEEDED])
		state.phase = GRAPH_SUCCEEDED;
	else
		state.phase = t->phases[GRAPH_SKIPPED] ? GRAPH_SKIPPED : GRAPH_OMITTED;
	return state;
}

static void
count(struct tally *t, const struct graph_state *state)
{
	t->phases[state->phase < GRAPH_PHASE_MAX ? state->phase : GRAPH_PENDING]++;
	t->n++;
	t->seconds = state->seconds > t->seconds ? state->seconds : t->seconds;
}

/* A state for each of the plan's groups: what the run says, or else worked out. */
static struct graph_state *
group_states(struct arena *arena, const struct plan *plan, const struct graph_run *run)
{
	struct graph_state *states = arena_alloc(arena, plan->n_groups * sizeof *states);
	struct tally *tallies = xcalloc(plan->n_groups + 1, sizeof *tallies);

	for (size_t i = 0; i < plan->n_steps; i++)
		count(&tallies[plan->steps[i].group], &run->steps[i]);
	for (size_t i = plan->n_groups; i-- > 0;) {
		states[i] = run->groups ? copy_state(arena, &run->groups[i]) : tally_state(&tallies[i]);
		if (i)
			count(&tallies[plan->groups[i].parent], &states[i]);
	}
	free(tallies);
	return states;
}

void
graph_update(struct arena *arena, struct graph *graph, const struct graph_run *run)
{
	const struct plan *plan = graph->plan;
	struct graph_state *groups = group_states(arena, plan, run);

	graph->has_run = true;
	graph->run_id = run->id ? arena_strdup(arena, run->id) : NULL;
	graph->run_message = run->message ? arena_strdup(arena, run->message) : NULL;
	graph->run_phase = run->phase < GRAPH_PHASE_MAX ? run->phase : GRAPH_PENDING;
	graph->run_seconds = run->seconds;
	graph->params = run->params;
	memset(graph->phases, 0, sizeof graph->phases);
	for (size_t i = 0; i < plan->n_steps; i++)
		graph->phases[run->steps[i].phase < GRAPH_PHASE_MAX ? run->steps[i].phase : GRAPH_PENDING]++;
	for (size_t i = 0; i < graph->n_nodes; i++) {
		struct graph_node *node = &graph->nodes[i];

		node->state = node->kind == GRAPH_STEP ? copy_state(arena, &run->steps[node->index]) : groups[node->index];
	}
}

struct graph *
graph_new(struct arena *arena, const struct plan *plan, const struct graph_run *run)
{
	struct graph *graph = arena_new_struct(arena, struct graph);
	size_t n = plan->n_steps + plan->n_groups;
	struct builder b = {
		.arena = arena,
		.plan = plan,
		.graph = graph,
		.step_nodes = arena_alloc(arena, plan->n_steps * sizeof *b.step_nodes),
		.group_nodes = arena_alloc(arena, plan->n_groups * sizeof *b.group_nodes),
		.edge_from = arena_alloc(arena, n * sizeof *b.edge_from),
	};

	graph->plan = plan;
	graph->nodes = arena_alloc(arena, n * sizeof *graph->nodes);
	add_group(&b, 0, 0);
	add_edges(&b);
	vec_release(&b.edges);
	find_roots(arena, graph);
	if (run)
		graph_update(arena, graph, run);
	return graph;
}

/* ---- folding ---- */

/* How deep groups may stay open: at most `max` nodes, or none but the pipeline itself. */
static size_t
open_depth(const struct graph *graph, const size_t *depths, size_t max)
{
	enum { DEEPEST = PLAN_GROUP_DEPTH_MAX + 2 };
	size_t at[DEEPEST + 1] = { 0 }, sum = 0, depth = 1;

	for (size_t i = 1; i < graph->n_nodes; i++)
		at[depths[i] < DEEPEST ? depths[i] : DEEPEST]++;
	for (sum = at[1]; depth < DEEPEST && sum + at[depth + 1] <= max; depth++)
		sum += at[depth + 1];
	return depth;
}

static void
fold_node(struct arena *arena, struct graph_node *node)
{
	node->kind = GRAPH_FOLDED;
	node->sublabel = arena_printf(arena, node->n_steps == 1 ? "%zu step" : "%zu steps", node->n_steps);
}

static void
fold_edges(struct builder *b, const struct graph *old, const size_t *to_new)
{
	for (size_t i = 0; i < old->n_edges; i++) {
		const struct graph_edge *edge = &old->edges[i];

		edge_between(b, to_new[edge->from], to_new[edge->to], edge->kind);
	}
	b->graph->edges = arena_alloc(b->arena, b->edges.n * sizeof *b->graph->edges);
	for (size_t i = 0; i < b->edges.n; i++)
		b->graph->edges[i] = b->edges.items[i]->edge;
	b->graph->n_edges = b->edges.n;
}

struct graph *
graph_fold(struct arena *arena, struct graph *graph, size_t max)
{
	size_t *depths, *to_new, open;
	struct graph *folded;
	struct builder b;

	if (graph->n_nodes - 1 <= max)
		return graph;
	depths = arena_alloc(arena, graph->n_nodes * sizeof *depths);
	to_new = arena_alloc(arena, graph->n_nodes * sizeof *to_new);
	folded = arena_copy(arena, graph, sizeof *graph);
	for (size_t i = 1; i < graph->n_nodes; i++)
		depths[i] = depths[graph->nodes[i].parent] + 1;
	open = open_depth(graph, depths, max);
	folded->nodes = arena_alloc(arena, graph->n_nodes * sizeof *folded->nodes);
	folded->nodes[0] = graph->nodes[0];
	folded->n_nodes = 1;
	for (size_t i = 1; i < graph->n_nodes; i++) {
		struct graph_node *node = &folded->nodes[folded->n_nodes];

		if (depths[i] > open) {
			to_new[i] = to_new[graph->nodes[i].parent];
			continue;
		}
		*node = graph->nodes[i];
		node->parent = to_new[node->parent];
		to_new[i] = folded->n_nodes++;
		if (node->kind == GRAPH_GROUP && depths[i] == open)
			fold_node(arena, node);
	}
	b = (struct builder){ .arena = arena, .graph = folded };
	b.edge_from = arena_alloc(arena, folded->n_nodes * sizeof *b.edge_from);
	fold_edges(&b, graph, to_new);
	vec_release(&b.edges);
	find_roots(arena, folded);
	return folded;
}
