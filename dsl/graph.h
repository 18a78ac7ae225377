/* The picture of a plan, before anyone has drawn it: boxes for steps and groups, and what joins them, with what they are
 * called and how far a run of them is. The drawings (dsl/svg.h, dsl/tree.h, dsl/graph_json.h) read this and a layout.
 *
 * Node 0 is the pipeline; every other node has a parent with a smaller index, and nodes stand in the order of the program,
 * a group before what is in it. Everything lives in the arena that was given; the plan is borrowed and must outlive it.
 * Text is as the program has it: not escaped, of any length. */
#ifndef DSL_GRAPH_H
#define DSL_GRAPH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "dsl/plan.h"

enum graph_phase {
	GRAPH_PENDING, GRAPH_RUNNING, GRAPH_SUCCEEDED, GRAPH_FAILED, GRAPH_ERROR, GRAPH_SKIPPED, GRAPH_OMITTED, GRAPH_PHASE_MAX,
};

/* "Pending", "Running" … as Argo writes them. */
const char *graph_phase_name(enum graph_phase phase);
bool graph_phase_failed(enum graph_phase phase); /* Failed or Error */

/* How far one step or group is. Zero-initialised: Pending. */
struct graph_state {
	enum graph_phase phase;
	unsigned attempts; /* begun so far */
	double seconds; /* from its start to its end, or to now; 0: not started */
	const char *message; /* why it is so, or NULL */
	size_t done, total; /* of a step in a loop, and of a loop: items that have ended, and all; total 0: not known */
};

/* A run of the plan, as far as it is. */
struct graph_run {
	const char *id; /* or NULL */
	enum graph_phase phase;
	double seconds;
	const char *message;
	const struct graph_state *steps; /* plan->n_steps */
	const struct graph_state *groups; /* plan->n_groups; NULL: worked out from their steps */
	const struct value *const *params; /* plan->n_params: what was given, or NULL: the default; NULL: none is known; borrowed */
};

enum graph_kind {
	GRAPH_STEP,
	GRAPH_GROUP, /* drawn as a frame around what is in it */
	GRAPH_FOLDED, /* a group drawn as one box */
};

struct graph_node {
	enum graph_kind kind;
	enum group_kind group_kind; /* of groups; GROUP_ROOT for node 0 */
	size_t parent; /* of node 0: 0 */
	size_t index; /* of plan->steps or plan->groups */
	size_t n_steps; /* of groups: in them at any depth */
	const char *id; /* unique; a step's name, or "group-" and its index */
	const char *label; /* a step's name; a group's head as written: `if trained.launch_server == "true"` */
	const char *sublabel; /* what the step runs, or NULL */
	const char *const *badges; /* "gpu 1", "retry 5", "preemptible" … */
	size_t n_badges;
	struct graph_state state; /* of a graph with a run */
};

enum graph_edge_kind { GRAPH_DATA, GRAPH_AFTER, GRAPH_CONDITION };

const char *graph_edge_kind_name(enum graph_edge_kind kind); /* "data" … */

/* An output, and the input (of a step), "when" (of a condition) or "items" (of a loop) that it goes to. */
struct graph_port {
	const char *output, *input;
};

/* At most one for a pair of nodes; the kind is the first that applies: condition (to a group), data, after. */
struct graph_edge {
	size_t from, to; /* nodes; from is a step (or a folded group) */
	enum graph_edge_kind kind;
	const struct graph_port *ports;
	size_t n_ports;
};

enum { GRAPH_EDGES_MAX = 1000000 }; /* more are left out of the picture */

struct graph {
	const struct plan *plan;
	struct graph_node *nodes; /* at least node 0 */
	size_t n_nodes;
	struct graph_edge *edges; /* in the order of the nodes they go to */
	size_t n_edges;
	const size_t *roots; /* nodes that wait for nothing, groups not among them */
	size_t n_roots;
	bool has_run;
	const char *run_id, *run_message; /* of a run, or NULL */
	enum graph_phase run_phase;
	double run_seconds;
	size_t phases[GRAPH_PHASE_MAX]; /* of a run: how many steps are in each */
	const struct value *const *params; /* of a run: see there */
};

/* run may be NULL. */
struct graph *graph_new(struct arena *arena, const struct plan *plan, const struct graph_run *run);
/* Takes over a later state of the same plan's run; the nodes and edges stay as they are. Text is copied. */
void graph_update(struct arena *arena, struct graph *graph, const struct graph_run *run);
/* A graph whose groups are folded where it has more than `max` nodes: the deepest first, as many levels as it takes. The
 * same graph when it is small enough. */
struct graph *graph_fold(struct arena *arena, struct graph *graph, size_t max);

#endif
