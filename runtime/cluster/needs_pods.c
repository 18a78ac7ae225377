/* What a template's pod asks for: a node, resources, an image that says what it runs, a place for files. */
#include "config.h"

#include <string.h>

#include "base/value.h"
#include "runtime/cluster/needs.h"
#include "runtime/cluster/quantity.h"

static const struct value *
container_of(const struct value *template)
{
	const struct value *container = value_get(template, "container");

	return container ? container : value_get(template, "script");
}

/* ---- resources ---- */

static bool
amount(const struct value *resources, const char *which, const char *key, int64_t *ret)
{
	const struct value *value = value_get(value_get(resources, which), key);
	const char *text = value_text(value);

	return value && (!text || needs_is_known(text)) && quantity_of(value, ret);
}

static struct need_resources
resources_of(const struct value *container, const char *name)
{
	const struct value *resources = value_get(container, "resources");
	struct need_resources ret = { .template = name };

	ret.limits_cpu = amount(resources, "limits", "cpu", &ret.cpu_max);
	ret.limits_memory = amount(resources, "limits", "memory", &ret.memory_max);
	ret.requests_cpu = amount(resources, "requests", "cpu", &ret.cpu);
	ret.requests_memory = amount(resources, "requests", "memory", &ret.memory);
	if (!ret.requests_cpu)
		ret.cpu = ret.cpu_max;
	if (!ret.requests_memory)
		ret.memory = ret.memory_max;
	if (!amount(resources, "limits", "nvidia.com/gpu", &ret.gpus))
		amount(resources, "requests", "nvidia.com/gpu", &ret.gpus);
	return ret;
}

/* ---- nodes ---- */

static bool
same_node(const struct need_node *a, const struct need_node *b)
{
	if (a->gpus != b->gpus || a->n_labels != b->n_labels || a->cpu != b->cpu || a->memory != b->memory)
		return false;
	if (!a->tolerations != !b->tolerations || (a->tolerations && !value_equal(a->tolerations, b->tolerations)))
		return false;
	for (size_t i = 0; i < a->n_labels; i++)
		if (strcmp(a->labels[i], b->labels[i]) != 0 || strcmp(a->values[i], b->values[i]) != 0)
			return false;
	return true;
}

static size_t
add_labels(const struct value *selector, const char **labels, const char **values, size_t n)
{
	for (size_t i = 0; selector && selector->kind == VALUE_DICT && i < selector->dict.n; i++) {
		const char *text = value_text(selector->dict.items[i]);

		if (!text || !needs_is_known(selector->dict.keys[i]) || strstr(text, "{{"))
			continue;
		labels[n] = selector->dict.keys[i];
		values[n++] = text;
	}
	return n;
}

/* Argo gives a pod the template's tolerations and the workflow's. */
static const struct value *
tolerations_of(struct arena *arena, const struct value *spec, const struct value *template)
{
	const struct value *own = value_get(template, "tolerations"), *all = value_get(spec, "tolerations");
	size_t n = value_count(own) + value_count(all);
	const struct value **items = arena_alloc(arena, (n + 1) * sizeof *items);

	for (size_t i = 0; i < n; i++)
		items[i] = i < value_count(own) ? value_item(own, i) : value_item(all, i - value_count(own));
	return n ? value_list(arena, items, n) : NULL;
}

static void
add_node(struct needs *needs, struct arena *arena, const struct value *spec, const struct value *template,
	 const struct need_resources *resources)
{
	/* As Argo does it, the template's selector stands in place of the workflow's. */
	const struct value *own = value_get(template, "nodeSelector"), *selector = own ? own : value_get(spec, "nodeSelector");
	size_t max = selector && selector->kind == VALUE_DICT ? selector->dict.n : 0;
	const char **labels = arena_alloc(arena, (max + 1) * sizeof *labels), **values = arena_alloc(arena, (max + 1) * sizeof *values);
	struct need_node node = { .template = resources->template, .labels = labels, .values = values, .gpus = resources->gpus / 1000,
		.cpu = resources->cpu, .memory = resources->memory, .tolerations = tolerations_of(arena, spec, template) };

	node.n_labels = add_labels(selector, labels, values, 0);
	if ((!node.n_labels && !node.gpus && !node.cpu && !node.memory) || needs->nodes.n == NEEDS_MAX)
		return;
	for (size_t i = 0; i < needs->nodes.n; i++)
		if (same_node(&needs->nodes.items[i], &node))
			return;
	vec_push(&needs->nodes, node);
}

/* ---- images, files ---- */

static void
add_image(struct needs *needs, const struct value *template, const char *name)
{
	const struct value *container = value_get(template, "container"), *command = value_get(container, "command");
	const char *image = value_text(value_get(container, "image"));

	if (!container || value_count(command) || !needs_is_known(image) || strstr(image, "{{") || needs->images.n == NEEDS_MAX)
		return;
	for (size_t i = 0; i < needs->images.n; i++)
		if (!strcmp(needs->images.items[i].image, image))
			return;
	vec_push(&needs->images, ((struct need_image){ image, name }));
}

/* Argo's kinds of places. */
static bool
has_place(const struct value *artifact)
{
	static const char *const places[] = { "s3", "gcs", "azure", "oss", "hdfs", "http", "git", "raw", "artifactory", "plugin" };

	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (value_get(artifact, places[i]))
			return true;
	return false;
}

static bool
passes_files(const struct value *template)
{
	const struct value *artifacts = value_get(value_get(template, "outputs"), "artifacts");

	for (size_t i = 0; i < value_count(artifacts); i++)
		if (!has_place(value_item(artifacts, i)))
			return true;
	return false;
}

void
needs_add_pod(struct needs *needs, struct arena *arena, const struct value *spec, const struct value *template, const char *name)
{
	const struct value *container = container_of(template);
	const struct need_resources resources = resources_of(container, name);

	if (!container)
		return;
	add_node(needs, arena, spec, template, &resources);
	add_image(needs, template, name);
	if (needs->resources.n < NEEDS_MAX)
		vec_push(&needs->resources, resources);
	if (!needs->artifacts && passes_files(template) && !value_get(template, "archiveLocation") && !value_get(spec, "artifactRepositoryRef"))
		needs->artifacts = name ? name : "";
}
