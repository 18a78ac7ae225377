#include "config.h"

#include "runtime/cluster/needs.h"

#include <string.h>

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* Argo puts something in for it as it runs. */
bool
needs_is_known(const char *text)
{
	return text && *text && !strstr(text, "{{");
}

static void
add_thing(struct needs *needs, enum need_kind kind, const char *name, const char *key, const char *template)
{
	if (!needs_is_known(name) || needs->things.n == NEEDS_MAX)
		return;
	for (size_t i = 0; i < needs->things.n; i++) {
		const struct need *n = &needs->things.items[i];

		if (n->kind == kind && !strcmp(n->name, name) && same_text(n->key, key))
			return;
	}
	vec_push(&needs->things, ((struct need){ kind, name, needs_is_known(key) ? key : NULL, template }));
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
	{ "persistentVolumeClaim", "claimName", NULL, NEED_CLAIM },
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

/* ---- volumes ---- */

static void
add_volumes(struct needs *needs, const struct value *spec)
{
	const struct value *claims = value_get(spec, "volumeClaimTemplates");

	for (size_t i = 0; claims && claims->kind == VALUE_LIST && i < claims->list.n && needs->volumes.n < NEEDS_MAX; i++) {
		const struct value *claim = claims->list.items[i];
		const char *name = value_text(value_get(value_get(claim, "metadata"), "name"));
		const char *class = value_text(value_get(value_get(claim, "spec"), "storageClassName"));

		/* An empty class asks for a volume that somebody has made by hand. */
		if (!class || needs_is_known(class))
			vec_push(&needs->volumes, ((struct need_volume){ name ? name : "", class }));
	}
}

void
needs_find(struct needs *ret, struct arena *arena, const struct value *workflow)
{
	const struct value *spec = value_get(workflow, "spec"), *templates = value_get(spec, "templates");
	const char *account = value_text(value_get(spec, "serviceAccountName"));

	*ret = (struct needs){ .account = needs_is_known(account) ? account : "default" };
	for (size_t i = 0; templates && templates->kind == VALUE_LIST && i < templates->list.n; i++) {
		const char *name = value_text(value_get(templates->list.items[i], "name"));

		walk(ret, templates->list.items[i], name);
		needs_add_pod(ret, arena, spec, templates->list.items[i], name);
	}
	if (spec)
		walk(ret, spec, NULL);
	add_volumes(ret, spec);
}

void
needs_release(struct needs *needs)
{
	vec_release(&needs->things);
	vec_release(&needs->nodes);
	vec_release(&needs->resources);
	vec_release(&needs->volumes);
	vec_release(&needs->images);
}
