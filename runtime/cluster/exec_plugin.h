/* Runs a client-go credential plugin once: no terminal, nothing on standard input, its answer from standard output. It gets
 * KUBERNETES_EXEC_INFO, ends at the deadline, and takes what it has started with it. An error holds the last of what it wrote to
 * standard error, which is meant for people, and nothing of its answer. */
#ifndef RUNTIME_CLUSTER_EXEC_PLUGIN_H
#define RUNTIME_CLUSTER_EXEC_PLUGIN_H

#include "runtime/cluster/kubeconfig.h"

enum {
	EXEC_PLUGIN_TIMEOUT = 60000, /* milliseconds; the tools of clouds take several seconds */
	EXEC_PLUGIN_ANSWER_MAX = 1024 * 1024,
};

struct exec_plugin_limits {
	long timeout; /* milliseconds; 0: EXEC_PLUGIN_TIMEOUT */
	bool (*stop)(void *context);
	void *context;
};

/* Appends what it wrote to *ret, which the caller wipes. */
int exec_plugin_run(const struct kubeconfig *config, const struct exec_plugin_limits *limits, struct buf *ret, struct error *err);

#endif
