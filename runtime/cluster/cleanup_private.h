/* What the parts of cleanup share; nobody else includes it. */
#ifndef RUNTIME_CLUSTER_CLEANUP_PRIVATE_H
#define RUNTIME_CLUSTER_CLEANUP_PRIVATE_H

#include "runtime/cluster/cleanup.h"

struct cleaning {
	struct cleanup *ret;
	struct arena *arena;
	struct kube *kube;
	const char *namespace_;
	bool apply, stopped;
	bool goes_on; /* some run does */
	struct api_failure *failure; /* of the question asked last */
};

struct cleanup_item *cleanup_add(struct cleaning *c, enum cleanup_state state, const char *what);
void cleanup_blame(struct cleaning *c, struct cleanup_item *item);
const struct value *cleanup_ask(struct cleaning *c, const struct api_request *request);
/* Deletes the object at the path if it still is this one; the item is then REMOVED or FAILED. */
void cleanup_delete(struct cleaning *c, struct cleanup_item *item, const char *path, const struct value *object,
		    const struct api_right *right);

/* cleanup_namespace.c: the namespace itself, if prepare made it. */
void cleanup_namespace(struct cleaning *c);

#endif
