/* What the parts of the workflow model share. */
#ifndef RUNTIME_CLUSTER_WORKFLOW_PRIVATE_H
#define RUNTIME_CLUSTER_WORKFLOW_PRIVATE_H

#include "base/json_scan.h"
#include "runtime/cluster/workflow.h"

/* How the bytes of a node looked, so that the same bytes need no second reading. */
struct workflow_print {
	uint64_t hash;
	size_t len;
};

/* A node that is new or other than before. */
struct workflow_staged {
	struct workflow_node *node; /* one block of memory; owned */
	struct workflow_print print;
};

/* ---- workflow_node.c ---- */

struct workflow_print workflow_print_of(const char *bytes, size_t n);
/* A node in one block, for free(). NULL with *err set when the bytes are no node. */
struct workflow_node *workflow_node_read(const char *id, const char *bytes, size_t n, struct error *err);
/* What stays of one that is gone. */
struct workflow_node *workflow_node_removed(const struct workflow_node *node);

/* ---- workflow_packed.c: status.compressedNodes ---- */

struct workflow_packed;

/* What comes out is fed to the scan, which is borrowed. */
struct workflow_packed *workflow_packed_new(struct json_scan *scan);
void workflow_packed_free(struct workflow_packed *packed);
int workflow_packed_feed(struct workflow_packed *packed, const char *text, size_t n, struct error *err);
/* -1 when something is missing; of no text at all fine. */
int workflow_packed_end(struct workflow_packed *packed, struct error *err);

/* ---- workflow_read.c ---- */

/* One object being read. */
struct workflow_reader {
	/* Is it known with just these bytes? Called for each node. */
	bool (*known)(void *context, const char *id, const struct workflow_print *print);
	void *context;
	struct json_scan scan, packed_scan;
	struct workflow_packed *packed; /* NULL: there is none */
	unsigned char places[8]; /* where in the object each level is */
	unsigned char place; /* of the value to come */
	struct buf id, bytes; /* of the node being read */
	struct arena *arena; /* of the head's texts */
	struct workflow head;
	bool labelled, outstanding; /* the label `completed`; a result that is not there yet */
	bool has_nodes;
	size_t n_nodes, n_bytes;
	VEC(struct workflow_staged) staged;
	bool failed;
	struct error error;
};

void workflow_reader_begin(struct workflow_reader *reader); /* also in the middle of one: that is dropped */
void workflow_reader_feed(struct workflow_reader *reader, const char *bytes, size_t n);
int workflow_reader_end(struct workflow_reader *reader, struct error *err);
void workflow_reader_release(struct workflow_reader *reader);

#endif
