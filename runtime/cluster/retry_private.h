/* The nodes of a run as a graph; shared by the parts of retry, nobody else includes it. */
#ifndef RUNTIME_CLUSTER_RETRY_PRIVATE_H
#define RUNTIME_CLUSTER_RETRY_PRIVATE_H

#include "base/map.h"
#include "runtime/cluster/retry.h"

enum retry_type { RETRY_GROUP, RETRY_STEP_GROUP, RETRY_TASK_GROUP, RETRY_RETRY, RETRY_POD, RETRY_CONTAINER, RETRY_EXECUTED, RETRY_OTHER };

struct retry_node {
	const char *id, *name, *boundary;
	const struct value *value;
	enum retry_type type; /* RETRY_GROUP: a DAG or Steps; RETRY_EXECUTED: an HTTP or plugin step */
	bool failed; /* or Error */
	bool wanted; /* by `from` */
	bool exit; /* of the exit handler */
	bool succeeded_after; /* something that came after it succeeded, and is not wanted */
	bool restart; /* is where something begins anew */
	bool reset, gone;
	struct retry_node *parent; /* of several the one with the greatest id, so that it is always the same; NULL: there is none */
	struct retry_node **children, **parents;
	size_t n_children, n_parents;
};

struct retry_graph {
	struct arena *arena;
	const char *workflow; /* its name, which is also the first node's */
	struct retry_node *nodes; /* in the order of the object */
	size_t n;
	struct map by_id; /* of struct retry_node */
	struct retry_node **queue, **stack; /* room for n, for walks */
	struct retry_node *root;
};

/* -1 when the nodes do not hang together. */
int retry_graph_build(struct retry_graph *graph, struct arena *arena, const char *workflow, const struct value *nodes);
void retry_graph_release(struct retry_graph *graph);
/* Sets `reset` and `gone` for all that follows from `wanted` and `failed`; -1 as above. */
int retry_graph_mark(struct retry_graph *graph);

#endif
