/* From plans to graphs: nodes, edges with their kinds, roots, states of a run, folding. */
#include "config.h"

#include <string.h>

#include "base/arena.h"
#include "dsl/graph.h"
#include "tests/dsl/graph_plan.h"
#include "tests/tap.h"

static const char program[] =
	"component a(x: String = \"\") -> (out: String, ok: Boolean) { script sh \"\"\"true\"\"\" }\n"
	"component b(x: String, y: String = \"\") -> (out: String) {\n"
	"    image \"registry.example.com:5000/team/tool:1.2@sha256:0000000000000000000000000000000000000000000000000000000000000000\"\n"
	"    args [x, y, out]\n"
	"}\n"
	"pipeline p(n: Integer = 1) {\n"
	"    first = a()\n"
	"    alone = a(x: \"{n}\") with retry 2, timeout 90s\n"
	"    second = b(x: first.out, y: first.out) after alone with gpu 2, preemptible\n"
	"    if first.ok   and\n"
	"        second.out == \"{{\" {\n"
	"        third = a(x: second.out)\n"
	"        for i in [1, 2] { each = a(x: \"{i}{third.out}\") }\n"
	"    } else { other = a() after first }\n"
	"}\n";

static const struct graph_edge *
edge(const struct graph *graph, const char *from, const char *to)
{
	for (size_t i = 0; i < graph->n_edges; i++)
		if (!strcmp(graph->nodes[graph->edges[i].from].id, from) && !strcmp(graph->nodes[graph->edges[i].to].id, to))
			return &graph->edges[i];
	return NULL;
}

static const struct graph_node *
node(const struct graph *graph, const char *id)
{
	for (size_t i = 0; i < graph->n_nodes; i++)
		if (!strcmp(graph->nodes[i].id, id))
			return &graph->nodes[i];
	BUG("no node `%s`", id);
}

static void
test_nodes(const struct graph *graph)
{
	static const struct {
		const char *id, *label, *sublabel, *parent;
		size_t n_badges;
	} want[] = {
		{ "group-0", "p", NULL, "group-0", 0 },
		{ "first", "first", "a", "group-0", 0 },
		{ "alone", "alone", "a", "group-0", 2 },
		{ "second", "second", "tool:1.2", "group-0", 2 },
		{ "group-1", "if first.ok and second.out == \"{{\"", NULL, "group-0", 0 },
		{ "third", "third", "a", "group-1", 0 },
		{ "group-2", "for i in [1, 2]", NULL, "group-1", 0 },
		{ "each", "each", "a", "group-2", 0 },
		{ "group-3", "else", NULL, "group-0", 0 },
		{ "other", "other", "a", "group-3", 0 },
	};

	if (!is_int((int64_t)graph->n_nodes, (int64_t)ARRAY_LEN(want), "number of nodes"))
		return;
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		const struct graph_node *n = &graph->nodes[i];

		is_str(n->id, want[i].id, "id of %s", want[i].id);
		is_str(n->label, want[i].label, "label of %s", want[i].id);
		is_str(n->sublabel, want[i].sublabel, "what %s runs", want[i].id);
		is_str(graph->nodes[n->parent].id, want[i].parent, "parent of %s", want[i].id);
		is_int((int64_t)n->n_badges, (int64_t)want[i].n_badges, "badges of %s", want[i].id);
	}
	is_str(node(graph, "second")->badges[0], "gpu 2", "a badge");
	is_str(node(graph, "alone")->badges[1], "timeout 90s", "another");
	is_int((int64_t)node(graph, "group-1")->n_steps, 2, "steps in a branch");
}

static void
test_edges(const struct graph *graph)
{
	const struct graph_edge *e = edge(graph, "first", "second");

	if (ok(e && e->kind == GRAPH_DATA && e->n_ports == 2, "data from first to second, by two ports")) {
		is_str(e->ports[0].output, "out", "from the output");
		is_str(e->ports[1].input, "y", "to the second input");
	}
	ok(edge(graph, "alone", "second") && edge(graph, "alone", "second")->kind == GRAPH_AFTER, "`after` is an edge");
	e = edge(graph, "first", "group-1");
	ok(e && e->kind == GRAPH_CONDITION && e->n_ports == 1 && !strcmp(e->ports[0].input, "when"), "a condition is an edge to its branch");
	ok(edge(graph, "second", "group-3") && edge(graph, "second", "group-3")->kind == GRAPH_CONDITION, "`else` has the whole condition");
	ok(edge(graph, "third", "each") && !edge(graph, "third", "group-2"), "an edge into a loop goes to the step");
	is_int((int64_t)graph->n_roots, 2, "two steps wait for nothing");
	is_str(graph->nodes[graph->roots[1]].id, "alone", "alone is one");
}

static void
test_run(struct arena *arena, const struct plan *plan)
{
	struct graph_run *run = graph_run_from(arena, plan,
		"Failed/60 first=Succeeded/1 alone=Running/2 second=Failed/3/3//no_disk third=Skipped each=Skipped other=Omitted");
	struct graph *graph = graph_new(arena, plan, run);

	ok(graph->has_run && graph->run_phase == GRAPH_FAILED, "a failed run");
	is_int((int64_t)graph->phases[GRAPH_SKIPPED], 2, "two skipped");
	is_str(node(graph, "second")->state.message, "no disk", "a message");
	is_str(graph_phase_name(node(graph, "group-1")->state.phase), "Skipped", "a branch is as its steps");
	is_str(graph_phase_name(node(graph, "group-0")->state.phase), "Running", "while one runs, so does what is around it");
	run = graph_run_from(arena, plan, "Succeeded first=Succeeded alone=Succeeded second=Succeeded third=Succeeded each=Succeeded other=Skipped");
	graph_update(arena, graph, run);
	is_str(graph_phase_name(node(graph, "group-0")->state.phase), "Succeeded", "skipped steps do not hinder success");
	is_int((int64_t)graph->phases[GRAPH_FAILED], 0, "an update forgets what was");
}

static void
test_fold(struct arena *arena, const struct plan *plan)
{
	struct graph *graph = graph_new(arena, plan, NULL), *folded;

	ok(graph_fold(arena, graph, 9) == graph, "a graph that is small enough stays");
	folded = graph_fold(arena, graph, 8);
	is_int((int64_t)folded->n_nodes, 9, "the loop is folded");
	ok(node(folded, "group-2")->kind == GRAPH_FOLDED && node(folded, "group-1")->kind == GRAPH_GROUP, "and nothing else");
	ok(edge(folded, "third", "group-2") != NULL, "edges end at the fold");
	folded = graph_fold(arena, graph, 3);
	is_int((int64_t)folded->n_nodes, 6, "only what stands outside");
	is_str(node(folded, "group-1")->sublabel, "2 steps", "a folded group counts its steps");
	ok(edge(folded, "second", "group-1") != NULL, "one edge for all");
	is_int((int64_t)folded->n_roots, 2, "roots are numbered anew");
	graph_update(arena, folded, graph_run_from(arena, plan, "third=Failed each=Omitted"));
	is_str(graph_phase_name(node(folded, "group-1")->state.phase), "Failed", "a folded group tells of what is in it");
}

int
main(void)
{
	struct arena *arena = arena_new();
	struct plan *plan = graph_plan(program, sizeof program - 1);
	struct graph *graph = graph_new(arena, plan, NULL);

	test_nodes(graph);
	test_edges(graph);
	test_run(arena, plan);
	test_fold(arena, plan);
	plan_unref(plan);
	arena_free(arena);
	return done_testing();
}
