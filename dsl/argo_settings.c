#include "config.h"

#include "dsl/argo.h"

#include <string.h>

/* ---- resources ---- */

/* Argo's schema knows quantities and numbers of this kind as texts only; its readers take both. */
static void
put_number(struct object *object, const char *key, int64_t number)
{
	object_put_text(object, key, arena_printf(object->arena, "%lld", (long long)number));
}

/* One limit: known now, or through a patch of the pod as the run knows it. */
static void
put_limit(struct argo_pod *pod, struct object *limits, const char *resource, enum argo_slot_kind kind, const char *slot,
	  const struct expr *expr)
{
	struct arena *arena = pod->argo->arena;
	const char *name;

	if (!expr)
		return;
	if (argo_constant(arena, expr)) {
		object_put_text(limits, resource, argo_constant(arena, expr));
		return;
	}
	name = argo_pod_slot(pod, kind, 0, slot);
	object_put_text(&pod->runtime_limits, resource, arena_printf(arena, "{{=toJson(inputs.parameters['%s'])}}", name));
}

const struct value *
argo_resources(struct argo_pod *pod)
{
	const struct settings *settings = pod->step->settings;
	struct object limits = { .arena = pod->argo->arena };

	put_limit(pod, &limits, "nvidia.com/gpu", SLOT_GPU, "gpu", settings->gpu);
	put_limit(pod, &limits, "cpu", SLOT_CPU, "cpu", settings->cpu);
	put_limit(pod, &limits, "memory", SLOT_MEMORY, "memory", settings->memory);
	return argo_nest(pod->argo->arena, "limits", object_take(&limits));
}

/* The tags are JSON when they are filled in, so they stand without quotes. */
static const char *
limits_patch(struct argo_pod *pod, const struct value *limits)
{
	CLEANUP(buf_release) struct buf buf = { 0 };

	buf_puts(&buf, "{\"containers\":[{\"name\":\"main\",\"resources\":{\"limits\":{");
	for (size_t i = 0; i < limits->dict.n; i++)
		buf_printf(&buf, "%s\"%s\":%s", i ? "," : "", limits->dict.keys[i], value_text(limits->dict.items[i]));
	buf_puts(&buf, "}}}]}");
	return arena_strndup(pod->argo->arena, buf_text(&buf), buf.len);
}

static void
put_patch(struct argo_pod *pod, struct object *ret)
{
	const struct value *limits = object_take(&pod->runtime_limits);
	const char *patch = pod->step->settings->patch;

	if (patch && limits)
		argo_refuse(pod->argo, pod->step->name_span, "`patch` beside resources that only the run knows",
			    "set the resources in the patch");
	else if (patch && strstr(patch, "{{"))
		argo_refuse(pod->argo, pod->step->name_span, "`{{` in a `patch`", "write a space between the braces");
	else if (patch)
		object_put_text(ret, "podSpecPatch", patch);
	else if (limits)
		object_put_text(ret, "podSpecPatch", limits_patch(pod, limits));
}

/* ---- retry ---- */

static const char *
duration(struct arena *arena, int64_t seconds)
{
	return arena_printf(arena, "%llds", (long long)seconds);
}

static const struct value *
backoff_of(struct argo_pod *pod, const struct retry *retry)
{
	struct arena *arena = pod->argo->arena;
	struct object backoff = { .arena = arena };

	if (!retry->backoff)
		return NULL;
	object_put_text(&backoff, "duration", duration(arena, retry->backoff));
	if (retry->factor > 0 && (retry->factor < 1 || retry->factor > 1000 || retry->factor != (double)(int64_t)retry->factor))
		argo_refuse(pod->argo, pod->step->name_span, "a `factor` that is no whole number", "use 2 or 3");
	else if (retry->factor > 0)
		put_number(&backoff, "factor", (int64_t)retry->factor);
	if (retry->max)
		object_put_text(&backoff, "cap", duration(arena, retry->max));
	return object_take(&backoff);
}

/* What Argo and the kubelet say of a pod that was taken away with its node. One that is evicted, as when a node is drained, is
 * asked to end by SIGTERM, and the message has nothing but that. */
#define PREEMPTION \
	"lastRetry.message matches '(?i)pod deleted|preempt|node.*shut|exit code 143'"

static const struct value *
retry_strategy(struct argo_pod *pod)
{
	static const char *const policies[] = {
		[RETRY_ON_FAILURE] = "OnFailure",
		[RETRY_ON_ERROR] = "OnError",
		[RETRY_ON_PREEMPTION] = "Always",
		[RETRY_ALWAYS] = "Always",
	};
	const struct retry *retry = &pod->step->settings->retry;
	struct object strategy = { .arena = pod->argo->arena };

	if (!retry->set)
		return NULL;
	put_number(&strategy, "limit", retry->limit);
	/* Without a word about it Argo retries on failure, which is what the language means too. */
	if (retry->when_set)
		object_put_text(&strategy, "retryPolicy", policies[retry->when]);
	object_put(&strategy, "backoff", backoff_of(pod, retry));
	if (retry->when_set && retry->when == RETRY_ON_PREEMPTION)
		object_put_text(&strategy, "expression", PREEMPTION);
	return object_take(&strategy);
}

/* ---- where the pod may run ---- */

static const struct value *
toleration(struct arena *arena, const char *key, const char *value, const char *effect)
{
	struct object row = { .arena = arena };

	object_put_text(&row, "effect", effect);
	object_put_text(&row, "key", key);
	object_put_text(&row, "operator", value ? "Equal" : "Exists");
	object_put_text(&row, "value", value);
	return object_take(&row);
}

static const struct value *
tolerations(struct argo_pod *pod)
{
	const struct settings *settings = pod->step->settings;
	struct rows rows = { .arena = pod->argo->arena };

	if (settings->preemptible != PREEMPTIBLE_NO)
		rows_add(&rows, toleration(pod->argo->arena, "preemptible", "true", "NoSchedule"));
	for (size_t i = 0; i < settings->n_tolerations; i++)
		rows_add(&rows, toleration(pod->argo->arena, settings->tolerations[i].key, settings->tolerations[i].value,
					   settings->tolerations[i].effect));
	return rows_take(&rows);
}

/* {matchExpressions: [{key: …, operator: In, values: ["true"]}]} for nodes of a preemptible pool on Google's clusters. */
static const struct value *
preemptible_nodes(struct arena *arena)
{
	struct object expression = { .arena = arena };
	struct rows values = { .arena = arena }, expressions = { .arena = arena };

	rows_add_text(&values, "true");
	object_put_text(&expression, "key", "cloud.google.com/gke-preemptible");
	object_put_text(&expression, "operator", "In");
	object_put(&expression, "values", rows_take(&values));
	rows_add(&expressions, object_take(&expression));
	return argo_nest(arena, "matchExpressions", rows_take(&expressions));
}

static const struct value *
affinity(struct argo_pod *pod)
{
	struct arena *arena = pod->argo->arena;
	enum preemptible preemptible = pod->step->settings->preemptible;
	struct object preference = { .arena = arena };
	struct rows terms = { .arena = arena };
	const struct value *node;

	if (preemptible == PREEMPTIBLE_NO)
		return NULL;
	if (preemptible == PREEMPTIBLE_REQUIRED) {
		rows_add(&terms, preemptible_nodes(arena));
		node = argo_nest(arena, "requiredDuringSchedulingIgnoredDuringExecution",
				 argo_nest(arena, "nodeSelectorTerms", rows_take(&terms)));
	} else {
		object_put_integer(&preference, "weight", 50);
		object_put(&preference, "preference", preemptible_nodes(arena));
		rows_add(&terms, object_take(&preference));
		node = argo_nest(arena, "preferredDuringSchedulingIgnoredDuringExecution", rows_take(&terms));
	}
	return argo_nest(arena, "nodeAffinity", node);
}

/* Pairs of a setting, each a text of its own or a slot. */
static void
put_pairs(struct argo_pod *pod, struct object *ret, enum argo_slot_kind kind, const struct setting_pair *pairs, size_t n,
	  const char *prefix)
{
	for (size_t i = 0; i < n; i++)
		object_put_text(ret, pairs[i].key,
				argo_pod_setting(pod, kind, i, arena_printf(pod->argo->arena, "%s-%s", prefix, pairs[i].key),
						 pairs[i].value));
}

void
argo_put_schedule(struct argo_pod *pod, struct object *ret)
{
	const struct settings *settings = pod->step->settings;
	struct object selector = { .arena = pod->argo->arena };

	object_put(ret, "retryStrategy", retry_strategy(pod));
	if (settings->timeout)
		put_number(ret, "activeDeadlineSeconds", settings->timeout);
	put_pairs(pod, &selector, SLOT_NODE_SELECTOR, settings->node_selector, settings->n_node_selector, "node");
	object_put(ret, "nodeSelector", object_take(&selector));
	object_put(ret, "tolerations", tolerations(pod));
	object_put(ret, "affinity", affinity(pod));
	put_patch(pod, ret);
}

/* ---- labels and annotations ---- */

/* A component.yaml's own pairs, but for those that the step sets itself. */
static void
put_component_pairs(struct argo_pod *pod, struct object *ret, const struct setting_pair *pairs, size_t n,
		    const struct setting_pair *over, size_t n_over)
{
	for (size_t i = 0; i < n; i++) {
		bool hidden = false;

		for (size_t k = 0; k < n_over; k++)
			hidden = hidden || !strcmp(over[k].key, pairs[i].key);
		if (!hidden)
			object_put_text(ret, pairs[i].key, argo_constant(pod->argo->arena, pairs[i].value));
	}
}

const struct value *
argo_metadata(struct argo_pod *pod)
{
	const struct component *component = pod->step->component;
	const struct settings *settings = pod->step->settings;
	struct object labels = { .arena = pod->argo->arena }, annotations = { .arena = pod->argo->arena };
	struct object metadata = { .arena = pod->argo->arena };

	put_component_pairs(pod, &labels, component->labels, component->n_labels, settings->labels, settings->n_labels);
	put_pairs(pod, &labels, SLOT_LABEL, settings->labels, settings->n_labels, "label");
	put_component_pairs(pod, &annotations, component->annotations, component->n_annotations, settings->annotations,
			    settings->n_annotations);
	put_pairs(pod, &annotations, SLOT_ANNOTATION, settings->annotations, settings->n_annotations, "annotation");
	if (pod->argo->target == TARGET_KFP)
		kfp_pod_annotations(pod, &annotations);
	object_put(&metadata, "labels", object_take(&labels));
	object_put(&metadata, "annotations", object_take(&annotations));
	return object_take(&metadata);
}
