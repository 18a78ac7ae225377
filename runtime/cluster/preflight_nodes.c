/* Could the pods be placed: is there a node with the labels and the GPUs that they ask for? */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/value.h"
#include "runtime/cluster/preflight_private.h"
#include "runtime/cluster/quantity.h"

/* What the nodes seen so far have to offer to one wish. */
struct offer {
	bool matches; /* a node has the labels … */
	bool open; /* … and no taint that the step does not tolerate */
	const char *taint; /* one that stands against it */
	int64_t gpus; /* the most of one such node */
	int64_t cpu, memory; /* likewise, of one with enough GPUs; thousandths */
	bool fits; /* one has enough of all */
};

static struct api_request
page_request(struct arena *arena, const char *token)
{
	return (struct api_request){ .method = "GET", .repeatable = true, .right = { "list", "", "nodes", NULL },
		.path = arena_printf(arena, "/api/v1/nodes?limit=%d%s%s", PREFLIGHT_NODES_PAGE, token ? "&continue=" : "", token ? token : "") };
}

static const struct value *
next_page(struct flight *flight, struct arena *arena, const char *token, struct api_failure *failure)
{
	const struct api_request request = page_request(arena, token);

	return flight_call(flight, &request, arena, failure);
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

/* ---- taints ---- */

static const char *
text_or(const struct value *dict, const char *key, const char *otherwise)
{
	const char *text = value_text(value_get(dict, key));

	return text ? text : otherwise;
}

/* https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/ */
static bool
tolerates(const struct value *toleration, const struct value *taint)
{
	const char *key = text_or(toleration, "key", ""), *effect = text_or(toleration, "effect", "");

	if (*effect && strcmp(effect, text_or(taint, "effect", "")) != 0)
		return false;
	if (!strcmp(text_or(toleration, "operator", "Equal"), "Exists"))
		return !*key || !strcmp(key, text_or(taint, "key", ""));
	return !strcmp(key, text_or(taint, "key", "")) && !strcmp(text_or(toleration, "value", ""), text_or(taint, "value", ""));
}

static bool
is_tolerated(const struct need_node *need, const struct value *taint)
{
	/* Google's clusters give pods that ask for GPUs this toleration by themselves. */
	if (need->gpus && !strcmp(text_or(taint, "key", ""), "nvidia.com/gpu"))
		return true;
	for (size_t i = 0; i < value_count(need->tolerations); i++)
		if (tolerates(value_item(need->tolerations, i), taint))
			return true;
	return false;
}

/* The first taint that keeps the step away; NULL: none does. */
static const struct value *
taint_against(const struct value *node, const struct need_node *need)
{
	const struct value *taints = value_get(value_get(node, "spec"), "taints");

	for (size_t i = 0; i < value_count(taints); i++) {
		const char *effect = text_or(value_item(taints, i), "effect", "");

		if ((!strcmp(effect, "NoSchedule") || !strcmp(effect, "NoExecute")) && !is_tolerated(need, value_item(taints, i)))
			return value_item(taints, i);
	}
	return NULL;
}

/* ---- nodes ---- */

static int64_t
allocatable(const struct value *node, const char *key, int64_t otherwise)
{
	int64_t milli;

	return quantity_of(value_get(value_get(value_get(node, "status"), "allocatable"), key), &milli) ? milli : otherwise;
}

static int64_t
greater(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static void
look_at(struct flight *flight, const struct value *node, const struct need_node *need, struct offer *offer)
{
	const struct value *taint;
	int64_t gpus = allocatable(node, "nvidia.com/gpu", 0) / 1000, cpu = allocatable(node, "cpu", INT64_MAX);
	int64_t memory = allocatable(node, "memory", INT64_MAX);

	if (!has_labels(node, need))
		return;
	offer->matches = true;
	taint = taint_against(node, need);
	if (taint && !offer->taint)
		offer->taint = flight_print(flight, "%s%s%s:%s", api_plain(flight->arena, text_or(taint, "key", ""), 100), value_get(taint, "value") ? "=" : "",
			api_plain(flight->arena, text_or(taint, "value", ""), 100), text_or(taint, "effect", ""));
	if (taint)
		return;
	offer->open = true;
	offer->gpus = greater(offer->gpus, gpus);
	if (gpus < need->gpus)
		return;
	offer->cpu = greater(offer->cpu, cpu);
	offer->memory = greater(offer->memory, memory);
	offer->fits = offer->fits || (cpu >= need->cpu && memory >= need->memory);
}

static void
look_at_node(struct flight *flight, const struct value *node, const struct needs *needs, struct offer *offers)
{
	const struct value *closed = value_get(value_get(node, "spec"), "unschedulable");

	if (closed && closed->kind == VALUE_BOOLEAN && closed->boolean)
		return;
	for (size_t i = 0; i < needs->nodes.n; i++)
		look_at(flight, node, &needs->nodes.items[i], &offers[i]);
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
			look_at_node(flight, items->list.items[i], needs, offers);
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

static const char *
wish_text(struct flight *flight, const struct need_node *need)
{
	const char *cpu = quantity_text(flight->arena, need->cpu, false), *memory = quantity_text(flight->arena, need->memory, true);

	if (need->cpu && need->memory)
		return flight_print(flight, "%s CPUs and %s of memory", cpu, memory);
	return need->cpu ? flight_print(flight, "%s CPUs", cpu) : flight_print(flight, "%s of memory", memory);
}

/* The most of each, which may be on different nodes; what no node says is not told. */
static const char *
most_text(struct flight *flight, const struct need_node *need, const struct offer *offer)
{
	const char *cpu = quantity_text(flight->arena, offer->cpu, false), *memory = quantity_text(flight->arena, offer->memory, true);
	bool tell_cpu = need->cpu && offer->cpu != INT64_MAX, tell_memory = need->memory && offer->memory != INT64_MAX;

	if (tell_cpu && tell_memory)
		return flight_print(flight, "the most that one has is %s CPUs, and %s of memory", cpu, memory);
	return tell_cpu ? flight_print(flight, "the most that one has is %s CPUs", cpu) : flight_print(flight, "the most that one has is %s of memory", memory);
}

static void
judge_offer(struct flight *flight, const struct need_node *need, const struct offer *offer)
{
	const char *labels = labels_text(flight, need);
	const char *among = need->n_labels ? flight_print(flight, " with %s", labels) : "", *why = NULL;
	struct preflight_finding *f;

	if (need->n_labels && !offer->matches) {
		f = flight_add(flight, PREFLIGHT_NO_NODE, flight_print(flight, "no node of the cluster is labelled %s", labels),
			"check `node_selector` against `kubectl get nodes --show-labels`; with an autoscaler, nodes may come by themselves");
	} else if (offer->matches && !offer->open) {
		f = flight_add(flight, PREFLIGHT_NO_NODE, flight_print(flight, "every node%s keeps the step away by a taint: `%s`", among, offer->taint),
			"let the step go there: `preemptible` for nodes that may be taken away; or add nodes without the taint");
	} else if (need->gpus && !offer->gpus) {
		f = flight_add(flight, PREFLIGHT_NO_NODE, flight_print(flight, "no node%s offers a GPU (`nvidia.com/gpu`)", among), MORE_NODES);
		why = offer->matches ? "nodes with GPUs offer them only once the GPU driver's daemon set runs there" : NULL;
	} else if (need->gpus > offer->gpus) {
		f = flight_add(flight, PREFLIGHT_NO_NODE, flight_print(flight, "a step wants %lld GPUs, and no node%s offers more than %lld",
			(long long)need->gpus, among, (long long)offer->gpus), MORE_NODES);
	} else if (offer->open && !offer->fits) {
		f = flight_add(flight, PREFLIGHT_NO_NODE, flight_print(flight, "no node%s has %s for a step%s", among, wish_text(flight, need),
			need->gpus ? " with a GPU" : ""), MORE_NODES);
		why = most_text(flight, need, offer);
	} else {
		return;
	}
	f->template = need->template;
	f->why = why ? why : "its pod would stay Pending (Unschedulable)";
}

void
flight_foresee_nodes(struct flight *flight)
{
	const struct api_request request = page_request(flight->arena, NULL);

	flight_foresee(flight, &request);
}

void
flight_check_nodes(struct flight *flight, const struct needs *needs)
{
	struct offer *offers = arena_alloc(flight->arena, needs->nodes.n * sizeof *offers);
	struct api_failure failure;

	if (read_nodes(flight, needs, offers, &failure)) {
		flight_add_failure(flight, &failure, "whether a node can take the steps with GPUs, node selectors or requests is not known");
		return;
	}
	flight->ret->n_checked++;
	for (size_t i = 0; i < needs->nodes.n; i++)
		judge_offer(flight, &needs->nodes.items[i], &offers[i]);
}
