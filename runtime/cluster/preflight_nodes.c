/* Could the pods be placed: is there a node with the labels and the GPUs that they ask for? */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/preflight_private.h"

/* What the nodes seen so far have to offer to one wish. */
struct offer {
	bool matches; /* a node has the labels */
	int64_t gpus; /* the most of one such node */
};

static const struct value *
next_page(struct flight *flight, struct arena *arena, const char *token, struct api_failure *failure)
{
	const struct api_request request = { .method = "GET", .repeatable = true, .right = { "list", "", "nodes", NULL },
		.path = arena_printf(arena, "/api/v1/nodes?limit=%d%s%s", PREFLIGHT_NODES_PAGE, token ? "&continue=" : "", token ? token : "") };

	return kube_call(flight->kube, &request, arena, failure);
}

static bool
has_labels(const struct value *node, const struct need_node *need)
{
	const struct value *labels = value_get(value_get(node, "metadata"), "labels");

	for (size_t i = 0; i < need->n_labels; i++) {
		const char *text = value_text(value_get(labels, need->labels[i]));

		if (!text || strcmp(text, need->values[i]) != 0)
			return false;
	}
	return true;
}

static void
look_at_node(const struct value *node, const struct needs *needs, struct offer *offers)
{
	const struct value *closed = value_get(value_get(node, "spec"), "unschedulable");
	const char *gpus = value_text(value_get(value_get(value_get(node, "status"), "allocatable"), "nvidia.com/gpu"));
	int64_t n = gpus ? strtoll(gpus, NULL, 10) : 0;

	if (closed && closed->kind == VALUE_BOOLEAN && closed->boolean)
		return;
	for (size_t i = 0; i < needs->nodes.n; i++) {
		if (!has_labels(node, &needs->nodes.items[i]))
			continue;
		offers[i].matches = true;
		offers[i].gpus = n > offers[i].gpus ? n : offers[i].gpus;
	}
}

/* Tokens of pages are base64 for URLs; one that is not is not followed. */
static const char *
token_of(const struct value *page)
{
	const char *token = value_text(value_get(value_get(page, "metadata"), "continue"));

	if (!token || !*token || token[strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=%.~")])
		return NULL;
	return token;
}

/* All nodes, a page at a time; -1 when they cannot be read. */
static int
read_nodes(struct flight *flight, const struct needs *needs, struct offer *offers, struct api_failure *failure)
{
	struct arena *arena = NULL;
	const char *token = NULL;
	size_t n = 0;
	int rc = 0;

	do {
		struct arena *next = arena_new();
		const struct value *page = next_page(flight, next, token, failure), *items = value_get(page, "items");

		arena_free(arena);
		arena = next;
		for (size_t i = 0; items && items->kind == VALUE_LIST && i < items->list.n; i++, n++)
			look_at_node(items->list.items[i], needs, offers);
		token = token_of(page);
		rc = page ? 0 : -1;
	} while (token && n < PREFLIGHT_NODES_MAX);
	arena_free(arena);
	return rc;
}

static const char *
labels_text(struct flight *flight, const struct need_node *need)
{
	struct buf text = { 0 };
	const char *copy;

	for (size_t i = 0; i < need->n_labels; i++)
		buf_printf(&text, "%s`%.100s: %.100s`", i ? ", " : "", need->labels[i], need->values[i]);
	copy = arena_strdup(flight->arena, buf_text(&text));
	buf_release(&text);
	return copy;
}

static const char MORE_NODES[] = "add a node pool that has it; with an autoscaler, nodes may come by themselves once a pod asks for them";

static void
judge_offer(struct flight *flight, const struct need_node *need, const struct offer *offer)
{
	const char *labels = labels_text(flight, need);
	const char *among = need->n_labels ? flight_print(flight, " with %s", labels) : "";
	struct preflight_finding *f;

	if (need->n_labels && !offer->matches)
		f = flight_add(flight, PREFLIGHT_NO_NODE, flight_print(flight, "no node of the cluster is labelled %s", labels),
			"check `node_selector` against `kubectl get nodes --show-labels`; with an autoscaler, nodes may come by themselves");
	else if (need->gpus && !offer->gpus)
		f = flight_add(flight, PREFLIGHT_NO_NODE, flight_print(flight, "no node%s offers a GPU (`nvidia.com/gpu`)", among), MORE_NODES);
	else if (need->gpus > offer->gpus)
		f = flight_add(flight, PREFLIGHT_NO_NODE, flight_print(flight, "a step wants %lld GPUs, and no node%s offers more than %lld",
			(long long)need->gpus, among, (long long)offer->gpus), MORE_NODES);
	else
		return;
	f->template = need->template;
	f->why = need->gpus && offer->matches && !offer->gpus ?
			 "nodes with GPUs offer them only once the GPU driver's daemon set runs there" :
			 "its pod would stay Pending (Unschedulable)";
}

void
flight_check_nodes(struct flight *flight, const struct needs *needs)
{
	struct offer *offers = arena_alloc(flight->arena, needs->nodes.n * sizeof *offers);
	struct api_failure failure;

	if (read_nodes(flight, needs, offers, &failure)) {
		flight_add_failure(flight, &failure, "whether a node can take the steps with GPUs or node selectors is not known");
		return;
	}
	flight->ret->n_checked++;
	for (size_t i = 0; i < needs->nodes.n; i++)
		judge_offer(flight, &needs->nodes.items[i], &offers[i]);
}
