/* A cluster that the program declares, as a door that is open: where it is, as whom one comes to it, which of the three doors it
 * has. The same from the JSON text that the store keeps of a run, which holds no secret: only where the secrets are. */
#ifndef KERNEL_TARGET_H
#define KERNEL_TARGET_H

#include "dsl/diag.h"
#include "dsl/scope.h"
#include "runtime/cluster/door.h"

struct target_request {
	const struct cluster *cluster; /* or NULL */
	const char *where; /* else the store's text */
	struct span span; /* what problems are told at */
	bool (*stop)(void *context); /* as in exec_plugin_limits */
	void *context;
};

struct target_door {
	struct door *door;
	const char *chosen; /* what `auto` found and why, one sentence; or NULL */
	const struct cluster *cluster; /* with what was found in place of `auto`; lives as long as this */
	/* the rest is the module's */
	struct kubeconfig *config;
	struct kube *kube;
	struct http *http;
	struct arena *arena;
};

/* 0, or -1 with a diagnostic added (none when the person has stopped it). Warnings may be added in either case. Close it in either
 * case. For one thread. */
int target_open(struct target_door *ret, const struct target_request *request, struct diags *diags);
void target_close(struct target_door *target);
/* A failure as a diagnostic; `code` ("L1010") or NULL: by its kind. */
struct diag *target_explain(struct diags *diags, struct span span, const char *code, const struct api_failure *failure);
/* What the store keeps: JSON, in the arena. */
const char *target_where(const struct cluster *cluster, struct arena *arena);
/* The cluster of that text, in the arena; NULL when it is none. */
const struct cluster *target_read_where(struct arena *arena, const char *where);

#endif
