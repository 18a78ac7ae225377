#include "config.h"

#include "kernel/forwards.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/forward.h"

/* One of them, with the way into its cluster, which it borrows. */
struct held {
	struct steered steered;
	struct forward *forward;
	size_t failed; /* connections, as far as was told */
};

struct forwards {
	VEC(struct held *) items;
};

struct forwards *
forwards_new(void)
{
	return xcalloc(1, sizeof(struct forwards));
}

static void
held_free(struct held *held)
{
	forward_free(held->forward);
	steer_release(&held->steered);
	free(held);
}

void
forwards_free(struct forwards *forwards)
{
	if (!forwards)
		return;
	for (size_t i = 0; i < forwards->items.n; i++)
		held_free(forwards->items.items[i]);
	vec_release(&forwards->items);
	free(forwards);
}

/* ---- the pod of a step ---- */

static bool
is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Argo names a node "RUN.GROUP.TASK(0:item)(1)"; tasks are steps in lower case with `-` for what is no letter or digit. */
static bool
is_node_of(const char *node, const char *step)
{
	const char *task = strrchr(node, '.');
	size_t i = 0;

	if (!task)
		return false;
	for (task++; *task && *task != '(' && step[i]; task++, i++) {
		char c = (char)(step[i] >= 'A' && step[i] <= 'Z' ? step[i] - 'A' + 'a' : step[i]);

		if (*task != (is_plain(c) ? c : '-'))
			return false;
	}
	return !step[i] && (!*task || *task == '(');
}

static const char *
pod_in(const struct value *pods, const char *step, const char **ret_other)
{
	const struct value *items = value_get(pods, "items");

	*ret_other = NULL;
	for (size_t i = 0; items && items->kind == VALUE_LIST && i < items->list.n; i++) {
		const struct value *metadata = value_get(items->list.items[i], "metadata");
		const char *node = value_text(value_get(value_get(metadata, "annotations"), "workflows.argoproj.io/node-name"));
		const char *phase = value_text(value_get(value_get(items->list.items[i], "status"), "phase"));
		const char *name = value_text(value_get(metadata, "name"));

		if (!node || !name || !phase || !is_node_of(node, step))
			continue;
		if (!strcmp(phase, "Running"))
			return name;
		*ret_other = phase;
	}
	return NULL;
}

static const char *
find_pod(struct steered *steered, const struct steer_request *request, const char *step, struct diags *diags)
{
	struct arena *arena = steered->arena;
	const char *namespace_ = steered->run.namespace_;
	const struct api_request list = {
		.method = "GET", .repeatable = true, .right = { "list", "", "pods", namespace_ },
		.path = arena_printf(arena, "/api/v1/namespaces/%s/pods?labelSelector=workflows.argoproj.io%%2Fworkflow%%3D%s",
			api_escaped(arena, namespace_), api_escaped(arena, steered->run.name)),
	};
	struct api_failure failure;
	const struct value *pods = kube_call(steered->target.kube, &list, arena, &failure);
	const char *pod, *other;
	struct diag *d;

	if (!pods) {
		if (failure.kind != API_STOPPED)
			target_explain(diags, request->span, NULL, &failure);
		return NULL;
	}
	pod = pod_in(pods, step, &other);
	if (pod)
		return pod;
	d = diags_add(diags, DIAG_L1010, request->span, "the step `%s` of `%s` has no pod that runs now%s%s", step, steered->run.name,
		other ? ": it is " : "", other ? other : "");
	diag_help(diags, d, "a port can be reached while its step runs");
	return NULL;
}

static int
open_port(struct held *held, const struct steer_request *request, const char *step, int port, struct diags *diags, struct buf *said)
{
	struct steered *steered = &held->steered;
	struct forward_state state;
	struct api_failure failure;
	const char *pod;

	pod = find_pod(steered, request, step, diags);
	if (!pod)
		return -1;
	held->forward = forward_start(steered->target.kube, steered->run.namespace_, pod, port, port, &failure);
	if (!held->forward)
		held->forward = forward_start(steered->target.kube, steered->run.namespace_, pod, port, 0, &failure);
	if (!held->forward) {
		if (failure.kind != API_STOPPED)
			target_explain(diags, request->span, NULL, &failure);
		return -1;
	}
	forward_poll(held->forward, &state);
	buf_printf(said, "http://127.0.0.1:%d leads to port %d of the pod %s%s\n", state.port, port, pod,
		state.port == port ? "" : ", for that number is taken here");
	return 0;
}

int
forwards_add(struct forwards *forwards, const struct steer_request *request, const char *step, int port, struct diags *diags,
	     struct buf *said)
{
	struct held *held = xcalloc(1, sizeof *held);
	int rc = steer_find(&held->steered, request, true, diags);
	struct diag *d;

	if (rc == 0 && held->steered.here) {
		d = diags_add(diags, DIAG_L1017, request->span, "the run `%s` is on this machine", held->steered.known.name);
		diag_help(diags, d, "its steps listen on this machine's own ports");
		rc = -1;
	} else if (rc == 0 && !held->steered.target.kube) {
		d = diags_add(diags, DIAG_L1015, request->span, "a port of a pod is reached through Kubernetes, and `%s` has a server's address alone",
			held->steered.target.cluster->name);
		diag_help(diags, d, "give the cluster `context \"…\"` or `kubeconfig \"…\"` beside the address");
		rc = -1;
	}
	if (rc == 0)
		rc = open_port(held, request, step, port, diags, said);
	if (rc == 0)
		vec_push(&forwards->items, held);
	else
		held_free(held);
	return rc;
}

void
forwards_news(struct forwards *forwards, struct buf *said)
{
	for (size_t i = 0; i < forwards->items.n; i++) {
		struct held *held = forwards->items.items[i];
		struct forward_state state;

		forward_poll(held->forward, &state);
		if (state.failed == held->failed)
			continue;
		held->failed = state.failed;
		buf_printf(said, "%s\n", state.failure.what);
		if (*state.failure.help)
			buf_printf(said, "  help: %s\n", state.failure.help);
	}
}
