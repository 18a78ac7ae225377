/* What a workflow needs of its cluster, read from the object itself: so that it holds for whatever the compiler puts there. */
#ifndef RUNTIME_CLUSTER_NEEDS_H
#define RUNTIME_CLUSTER_NEEDS_H

#include "base/arena.h"
#include "base/value.h"

enum need_kind { NEED_SECRET, NEED_CONFIG_MAP, NEED_CLAIM };

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
	int64_t cpu, memory; /* thousandths of what is requested, of a CPU and of a byte; 0: nothing */
	const struct value *tolerations; /* a List, or NULL */
};

/* What one container of a template asks for and may use at most; thousandths, 0: it does not say. */
struct need_resources {
	const char *template;
	int64_t cpu, memory, gpus; /* requested; where only a limit is given, that */
	int64_t cpu_max, memory_max;
	bool requests_cpu, requests_memory, limits_cpu, limits_memory;
};

/* A volume that the run claims for itself. */
struct need_volume {
	const char *name, *class; /* class NULL: the cluster's default one */
};

struct need_image {
	const char *image, *template;
};

enum { NEEDS_MAX = 10000 };

struct needs {
	const char *account; /* "default" where the workflow names none */
	VEC(struct need) things; /* each once; optional ones are left out */
	VEC(struct need_node) nodes; /* templates with a selector, a GPU or a request, each wish once */
	VEC(struct need_resources) resources; /* of each template with a container or script */
	VEC(struct need_volume) volumes;
	VEC(struct need_image) images; /* of containers without a command: the image says itself what it runs; each once */
	const char *artifacts; /* the first template that passes files without saying where they are kept; NULL: none does */
};

/* Everything lives in the arena; needs_release frees the lists only. */
void needs_find(struct needs *ret, struct arena *arena, const struct value *workflow);
void needs_release(struct needs *needs);

/* needs_pods.c: what one template's pod asks for. */
void needs_add_pod(struct needs *needs, struct arena *arena, const struct value *spec, const struct value *template, const char *name);
bool needs_is_known(const char *text); /* not empty, and nothing that Argo puts in as it runs */

#endif
