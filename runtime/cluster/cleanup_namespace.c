/* A namespace takes all that is in it along, so one goes only when the API server's own list of kinds has been gone through and
 * nothing but what Kubernetes puts into each namespace, and what just went, was seen. What cannot be looked at counts as something. */
#include "config.h"

#include <string.h>

#include "runtime/cluster/cleanup_private.h"
#include "runtime/cluster/control_private.h"
#include "runtime/cluster/edit.h"
#include "runtime/cluster/prepare.h"

#define DISCOVERY "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
#define METADATA_ONLY "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"

/* What is no thing of anybody's: it comes and goes by itself, or is in every namespace. */
static const struct {
	const char *plural, *name; /* name NULL: any */
} by_itself[] = {
	{ "events", NULL }, { "endpoints", NULL }, { "endpointslices", NULL }, { "leases", NULL }, { "configmaps", "kube-root-ca.crt" },
	{ "configmaps", "istio-ca-root-cert" }, { "serviceaccounts", "default" }, { "workflowtaskresults", NULL },
};

static bool
is_by_itself(const char *plural, const struct value *object)
{
	const char *name = edit_text_in(object, "metadata", "name");
	const char *made_by = edit_text_in(value_get(object, "metadata"), "labels", PREPARE_LABEL);

	if (made_by && !strcmp(made_by, PREPARE_LABEL_VALUE))
		return true;
	/* What goes with its owner, or is going already. */
	if (value_count(value_get(value_get(object, "metadata"), "ownerReferences")) || edit_text_in(object, "metadata", "deletionTimestamp"))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(by_itself); i++)
		if (!strcmp(by_itself[i].plural, plural) && (!by_itself[i].name || (name && !strcmp(by_itself[i].name, name))))
			return true;
	return false;
}

/* What of this kind stands against it; NULL: nothing. */
static const char *
look_into(struct cleaning *c, const char *api, const char *group, const char *plural)
{
	const struct api_request request = { .method = "GET", .accept = METADATA_ONLY, .repeatable = true, .right = { "list", group, plural, c->namespace_ },
		.path = arena_printf(c->arena, "%s/namespaces/%s/%s?limit=%d", api, c->namespace_, plural, (int)CLEANUP_PAGE) };
	const struct value *answer = cleanup_ask(c, &request), *items = value_get(answer, "items");
	const char *more = edit_text_in(answer, "metadata", "continue");

	if (!answer)
		return c->failure->kind == API_NOT_FOUND || c->failure->status == 405 ? NULL :
			arena_printf(c->arena, "whether it holds %s could not be looked at", plural);
	for (size_t i = 0; i < value_count(items); i++) {
		const char *name = edit_text_in(value_item(items, i), "metadata", "name");

		if (!is_by_itself(plural, value_item(items, i)))
			return arena_printf(c->arena, "it holds something else: `%s` of %s", name ? api_plain(c->arena, name, 100) : "", plural);
	}
	return more && *more ? arena_printf(c->arena, "it holds very many %s", plural) : NULL;
}

static bool
can_list(const struct value *resource)
{
	const struct value *verbs = value_get(resource, "verbs");
	const char *scope = value_text(value_get(resource, "scope"));
	bool list = false, remove = false;

	for (size_t i = 0; i < value_count(verbs); i++) {
		const char *verb = value_text(value_item(verbs, i));

		list = list || (verb && !strcmp(verb, "list"));
		remove = remove || (verb && !strcmp(verb, "delete"));
	}
	return list && remove && scope && !strcmp(scope, "Namespaced");
}

static bool
is_word(const char *text)
{
	return text && *text && !text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.")];
}

/* All kinds of one group, in the version that the server prefers. */
static const char *
look_into_group(struct cleaning *c, const struct value *group)
{
	const char *name = edit_text_in(group, "metadata", "name");
	const struct value *version = value_item(value_get(group, "versions"), 0), *resources = value_get(version, "resources");
	const char *word = value_text(value_get(version, "version")), *api;

	if (!name)
		name = "";
	if ((*name && !is_word(name)) || !is_word(word))
		return "the server's list of kinds cannot be read";
	api = *name ? arena_printf(c->arena, "/apis/%s/%s", name, word) : arena_printf(c->arena, "/api/%s", word);
	for (size_t i = 0; i < value_count(resources); i++) {
		const char *plural = value_text(value_get(value_item(resources, i), "resource")), *found;

		if (!can_list(value_item(resources, i)) || !is_word(plural))
			continue;
		found = look_into(c, api, name, plural);
		if (found || c->stopped)
			return found;
	}
	return NULL;
}

static const char *
look_into_all(struct cleaning *c)
{
	static const char *const roots[] = { "/api", "/apis" };

	for (size_t r = 0; r < ARRAY_LEN(roots); r++) {
		const struct api_request request = { .method = "GET", .path = roots[r], .accept = DISCOVERY, .repeatable = true,
			.right = { "get", "", roots[r], NULL } };
		const struct value *answer = cleanup_ask(c, &request), *groups = value_get(answer, "items");

		if (!value_count(groups))
			return "what it holds could not be looked at: the server does not list its kinds (Kubernetes does since 1.27)";
		for (size_t i = 0; i < value_count(groups); i++) {
			const char *found = look_into_group(c, value_item(groups, i));

			if (found || c->stopped)
				return found;
		}
	}
	return NULL;
}

void
cleanup_namespace(struct cleaning *c)
{
	struct api_request request = { .method = "GET", .repeatable = true, .right = { "get", "", "namespaces", NULL },
		.path = arena_printf(c->arena, "/api/v1/namespaces/%s", c->namespace_) };
	const struct api_right right = { "delete", "", "namespaces", NULL };
	const struct value *object = cleanup_ask(c, &request);
	const char *made_by = edit_text_in(value_get(object, "metadata"), "labels", PREPARE_LABEL), *found;
	struct cleanup_item *item;

	if (!made_by || strcmp(made_by, PREPARE_LABEL_VALUE) != 0)
		return;
	item = cleanup_add(c, CLEANUP_FOUND, arena_printf(c->arena, "the namespace `%s`", c->namespace_));
	item->note = "only if nothing else is in it by then";
	if (!c->apply)
		return;
	found = look_into_all(c);
	if (c->stopped)
		return;
	item->note = NULL;
	if (!found) {
		cleanup_delete(c, item, request.path, object, &right);
		return;
	}
	item->state = CLEANUP_KEPT;
	item->note = found;
	item->help = arena_printf(c->arena, "`kubectl delete namespace %s` removes it with all that is in it", c->namespace_);
}
