#include "config.h"

#include "runtime/cluster/needs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* Argo puts something in for it as it runs. */
static bool
is_known(const char *text)
{
	return text && *text && !strstr(text, "{{");
}

static void
add_thing(struct needs *needs, enum need_kind kind, const char *name, const char *key, const char *template)
{
	if (!is_known(name) || needs->things.n == NEEDS_MAX)
		return;
	for (size_t i = 0; i < needs->things.n; i++) {
		const struct need *n = &needs->things.items[i];

		if (n->kind == kind && !strcmp(n->name, name) && same_text(n->key, key))
			return;
	}
	vec_push(&needs->things, ((struct need){ kind, name, is_known(key) ? key : NULL, template }));
}

/* Every place of a pod where Kubernetes lets a Secret or config map be named. */
static const struct {
	const char *member; /* whose value is a Dict */
	const char *name, *key; /* its members; key NULL: the whole */
	enum need_kind kind;
} references[] = {
	{ "secretKeyRef", "name", "key", NEED_SECRET }, { "configMapKeyRef", "name", "key", NEED_CONFIG_MAP },
	{ "secretRef", "name", NULL, NEED_SECRET }, { "configMapRef", "name", NULL, NEED_CONFIG_MAP },
	{ "secret", "secretName", NULL, NEED_SECRET }, { "configMap", "name", NULL, NEED_CONFIG_MAP },
};

static void
add_reference(struct needs *needs, const char *member, const struct value *value, const char *template)
{
	const struct value *optional = value_get(value, "optional");

	if (value->kind != VALUE_DICT || (optional && optional->kind == VALUE_BOOLEAN && optional->boolean))
		return;
	for (size_t i = 0; i < ARRAY_LEN(references); i++) {
		const char *key = references[i].key ? value_text(value_get(value, references[i].key)) : NULL;

		if (!strcmp(references[i].member, member) && (!references[i].key || key))
			add_thing(needs, references[i].kind, value_text(value_get(value, references[i].name)), key, template);
	}
}

/* Values nest at most VALUE_DEPTH_MAX deep. */
static void
walk(struct needs *needs, const struct value *value, const char *template)
{
	const struct value *pulls = value_get(value, "imagePullSecrets");

	for (size_t i = 0; pulls && pulls->kind == VALUE_LIST && i < pulls->list.n; i++)
		add_thing(needs, NEED_SECRET, value_text(value_get(pulls->list.items[i], "name")), NULL, template);
	if (value->kind == VALUE_LIST)
		for (size_t i = 0; i < value->list.n; i++)
			walk(needs, value->list.items[i], template);
	if (value->kind != VALUE_DICT)
		return;
	for (size_t i = 0; i < value->dict.n; i++) {
		add_reference(needs, value->dict.keys[i], value->dict.items[i], template);
		walk(needs, value->dict.items[i], template);
	}
}

/* ---- nodes ---- */

static int64_t
gpus_of(const struct value *template)
{
	const struct value *resources = value_get(value_get(template, "container"), "resources"), *count;
	const char *text;
	long n;

	count = value_get(value_get(resources, "limits"), "nvidia.com/gpu");
	text = value_text(count);
	if (count && count->kind == VALUE_INTEGER)
		return count->integer > 0 ? count->integer : 0;
	errno = 0;
	n = text ? strtol(text, NULL, 10) : 0;
	return is_known(text) && n > 0 && !errno ? n : 0;
}

static bool
same_node(const struct need_node *a, const struct need_node *b)
{
	if (a->gpus != b->gpus || a->n_labels != b->n_labels)
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

		if (!text || !is_known(selector->dict.keys[i]) || strstr(text, "{{"))
			continue;
		labels[n] = selector->dict.keys[i];
		values[n++] = text;
	}
	return n;
}

static void
add_node(struct needs *needs, struct arena *arena, const struct value *spec, const struct value *template, const char *name)
{
	/* As Argo does it, the template's selector stands in place of the workflow's. */
	const struct value *own = value_get(template, "nodeSelector"), *selector = own ? own : value_get(spec, "nodeSelector");
	size_t max = selector && selector->kind == VALUE_DICT ? selector->dict.n : 0;
	const char **labels = arena_alloc(arena, (max + 1) * sizeof *labels), **values = arena_alloc(arena, (max + 1) * sizeof *values);
	struct need_node node = { .template = name, .labels = labels, .values = values, .gpus = gpus_of(template) };

	if (!value_get(template, "container") && !value_get(template, "script"))
		return;
	node.n_labels = add_labels(selector, labels, values, 0);
	if ((!node.n_labels && !node.gpus) || needs->nodes.n == NEEDS_MAX)
		return;
	for (size_t i = 0; i < needs->nodes.n; i++)
		if (same_node(&needs->nodes.items[i], &node))
			return;
	vec_push(&needs->nodes, node);
}

void
needs_find(struct needs *ret, struct arena *arena, const struct value *workflow)
{
	const struct value *spec = value_get(workflow, "spec"), *templates = value_get(spec, "templates");
	const char *account = value_text(value_get(spec, "serviceAccountName"));

	*ret = (struct needs){ .account = is_known(account) ? account : "default" };
	for (size_t i = 0; templates && templates->kind == VALUE_LIST && i < templates->list.n; i++) {
		const char *name = value_text(value_get(templates->list.items[i], "name"));

		walk(ret, templates->list.items[i], name);
		add_node(ret, arena, spec, templates->list.items[i], name);
	}
	if (spec)
		walk(ret, spec, NULL);
}

void
needs_release(struct needs *needs)
{
	vec_release(&needs->things);
	vec_release(&needs->nodes);
}
