/* What a workflow needs of its cluster, read from the object itself: so that it holds for whatever the compiler puts there. */
#ifndef RUNTIME_CLUSTER_NEEDS_H
#define RUNTIME_CLUSTER_NEEDS_H

#include "base/arena.h"
#include "base/value.h"

enum need_kind { NEED_SECRET, NEED_CONFIG_MAP };

struct need {
	enum need_kind kind;
	const char *name, *key; /* key NULL: the whole of it */
	const char *template; /* who needs it first; NULL: the workflow itself */
};

/* Where a template's pod may go. */
struct need_node {
	const char *template;
	const char *const *labels, *const *values; /* of nodeSelector; those that only the run knows are left out */
	size_t n_labels;
	int64_t gpus; /* nvidia.com/gpu; 0: none, or known only as it runs */
};

enum { NEEDS_MAX = 10000 };

struct needs {
	const char *account; /* "default" where the workflow names none */
	VEC(struct need) things; /* each once; optional ones are left out */
	VEC(struct need_node) nodes; /* templates with a selector or a GPU, each wish once */
};

/* Everything lives in the arena; needs_release frees the lists only. */
void needs_find(struct needs *ret, struct arena *arena, const struct value *workflow);
void needs_release(struct needs *needs);

#endif
