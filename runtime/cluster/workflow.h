/* What is known of one Workflow on a cluster: the object's status as data, read from its JSON as that comes in, piece by piece,
 * and kept in memory between two versions, so that only what changed is told.
 *
 * Argo's fields: metadata (name, uid, resourceVersion, labels), spec.suspend and spec.shutdown, status.phase and message,
 * status.nodes (also out of status.compressedNodes: base64, then gzip; other compressions, and status.offloadNodeStatusVersion,
 * are told as what they are). Fields that are not kept cost no memory. What is not JSON, too deep, too long or no Workflow is an
 * error, and the model stays as it was before. Not for two threads at a time. */
#ifndef RUNTIME_CLUSTER_WORKFLOW_H
#define RUNTIME_CLUSTER_WORKFLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/value.h"
#include "runtime/phase.h"

enum {
	WORKFLOW_BYTES_MAX = 128 * 1024 * 1024, /* of one object */
	WORKFLOW_NODES_MAX = 200000,
};

/* Argo's `type`. */
enum workflow_node_type {
	WORKFLOW_POD, WORKFLOW_DAG, WORKFLOW_STEPS, WORKFLOW_STEP_GROUP, WORKFLOW_TASK_GROUP, WORKFLOW_RETRY, WORKFLOW_SKIPPED,
	WORKFLOW_SUSPEND, WORKFLOW_OTHER,
};

struct workflow_port {
	const char *name;
	const char *text; /* of a parameter; NULL: an artifact */
	const struct value *artifact; /* as Argo has it (s3, gcs, …), or NULL */
};

struct workflow_node {
	const char *id, *name, *display; /* name: "run.train(0:a)(1)" */
	const char *template; /* or NULL */
	const char *boundary; /* id of the DAG node that it stands in; "" for the first */
	enum workflow_node_type type;
	enum phase phase;
	const char *message; /* or NULL */
	int64_t started_ms, ended_ms; /* 0: not yet */
	int exit_code; /* -1: none yet */
	const char *host; /* node of the cluster, or NULL */
	const char *const *children; /* ids */
	size_t n_children;
	const struct workflow_port *outputs;
	size_t n_outputs;
	bool hit; /* memoized: nothing was run */
	bool hooked; /* of a hook: what runs at the end, or when something happens */
	bool removed; /* it was there and is not any more: a retry has reset it */
	const char *waits; /* for a lock: its name; or NULL */
};

struct workflow {
	const char *name, *uid, *namespace_, *version; /* version: metadata.resourceVersion; "" before the first object */
	enum phase phase;
	const char *message; /* or NULL */
	int64_t started_ms, ended_ms;
	bool suspended; /* spec.suspend */
	const char *shutdown; /* "Stop", "Terminate", or NULL */
	bool offloaded; /* the nodes are in Argo's database: only its server has them */
	bool deleted; /* the object is gone; the rest is what was known last */
	bool completed; /* phase is final and no result is outstanding */
};

struct workflow_model;

struct workflow_model *workflow_model_new(void);
void workflow_model_free(struct workflow_model *model); /* NULL is fine */
const struct workflow *workflow_model_head(const struct workflow_model *model);
/* Nodes in the order in which they were first seen; a node's place never changes. Valid until the next object. */
size_t workflow_model_count(const struct workflow_model *model);
const struct workflow_node *workflow_model_node(const struct workflow_model *model, size_t place);
size_t workflow_model_find(const struct workflow_model *model, const char *id); /* SIZE_MAX: there is none */

/* One object: begin, feed its JSON text in any pieces, end. `end` takes it over if it was whole and says which nodes are new or
 * changed since the one before (places; valid until the next call); a node that is no longer there is told as changed, and counts
 * as Pending without times (a retry resets nodes so). While the nodes are offloaded the known ones stay. Another version by itself
 * does not make the head another. An object of another uid starts the model anew: places begin at 0, and all nodes are told. -1 with
 * *err set. */
void workflow_model_begin(struct workflow_model *model);
void workflow_model_feed(struct workflow_model *model, const char *bytes, size_t n);
int workflow_model_end(struct workflow_model *model, const size_t **ret_changed, size_t *ret_n, bool *ret_head_changed, struct error *err);
void workflow_model_drop(struct workflow_model *model); /* the one begun is not wanted */
void workflow_model_gone(struct workflow_model *model); /* the object was deleted */

#endif
