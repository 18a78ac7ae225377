/* What runs and `prepare` have made in a namespace, and, with `apply`, its removal. Nothing else is touched: only what bears our
 * labels counts, each is deleted only as the object that was looked at (by its uid), and a namespace that prepare made goes only
 * when nothing of anybody else's is left in it. Runs that still go on are let be. */
#ifndef RUNTIME_CLUSTER_CLEANUP_H
#define RUNTIME_CLUSTER_CLEANUP_H

#include "runtime/cluster/door.h"

enum { CLEANUP_PAGE = 200, CLEANUP_MAX = 10000 }; /* objects of one kind */

enum cleanup_state {
	CLEANUP_FOUND, /* `apply` would remove it */
	CLEANUP_REMOVED,
	CLEANUP_KEPT, /* `note` says why */
	CLEANUP_FAILED, /* it could not be looked at or removed: `note` and `help` say why */
};

struct cleanup_item {
	enum cleanup_state state;
	const char *what; /* "the run `gh-summ-x7k2p`, Succeeded" */
	const char *note, *help; /* or NULL */
};

struct cleanup_request {
	struct kube *kube;
	const char *namespace_; /* NULL or "": the kubeconfig's */
	bool apply;
};

struct cleanup {
	struct arena *arena; /* of all that follows */
	VEC(struct cleanup_item) items;
};

/* -1 with *ret_failure set when the cluster cannot be reached or the user wants an end. Release it in either case. */
int cleanup_run(struct cleanup *ret, const struct cleanup_request *request, struct api_failure *ret_failure);
void cleanup_release(struct cleanup *cleanup);

#endif
