#include "config.h"

#include "runtime/cluster/cleanup.h"

#include <string.h>

#include "runtime/cluster/cleanup_private.h"
#include "runtime/cluster/control_private.h"
#include "runtime/cluster/edit.h"
#include "runtime/cluster/prepare.h"

/* Names and labels, without what the objects hold. */
#define METADATA_ONLY "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"

struct cleanup_item *
cleanup_add(struct cleaning *c, enum cleanup_state state, const char *what)
{
	vec_push(&c->ret->items, ((struct cleanup_item){ .state = state, .what = what }));
	return &c->ret->items.items[c->ret->items.n - 1];
}

void
cleanup_blame(struct cleaning *c, struct cleanup_item *item)
{
	item->state = CLEANUP_FAILED;
	item->note = arena_strdup(c->arena, c->failure->what);
	item->help = *c->failure->help ? arena_strdup(c->arena, c->failure->help) : NULL;
}

const struct value *
cleanup_ask(struct cleaning *c, const struct api_request *request)
{
	const struct value *answer;

	if (c->stopped)
		return NULL;
	answer = kube_call(c->kube, request, c->arena, c->failure);
	c->stopped = !answer && c->failure->kind == API_STOPPED;
	return answer;
}

void
cleanup_delete(struct cleaning *c, struct cleanup_item *item, const char *path, const struct value *object, const struct api_right *right)
{
	const struct value *uid = edit_texts(c->arena, "uid", edit_text_in(object, "metadata", "uid"), NULL);
	const struct value *body = edit_dict(c->arena, "apiVersion", value_string(c->arena, "v1"), "kind", value_string(c->arena, "DeleteOptions"),
		"propagationPolicy", value_string(c->arena, "Background"), "preconditions", uid, NULL);
	const struct api_request request = { .method = "DELETE", .path = path, .body = body, .right = *right, .repeatable = true };

	if (cleanup_ask(c, &request) || c->failure->kind == API_NOT_FOUND)
		item->state = CLEANUP_REMOVED;
	else
		cleanup_blame(c, item);
	if (item->state == CLEANUP_FAILED && c->failure->status == 409) {
		item->state = CLEANUP_KEPT;
		item->note = "it is gone: another has its name now";
		item->help = NULL;
	}
}

static bool
is_lost(const struct cleaning *c)
{
	return c->failure->kind == API_UNREACHABLE || c->failure->kind == API_UNKNOWN_USER || c->failure->kind == API_WRONG_SERVER;
}

/* ---- kinds ---- */

struct kind {
	const char *group, *api, *plural; /* "rbac…", "/apis/rbac…/v1", "roles" */
	const char *namespace_; /* NULL: the one that is cleaned */
	const char *selector;
	const char *word; /* "the Role" */
};

static const char RUNS[] = DOOR_TOKEN_LABEL, PREPARED[] = PREPARE_LABEL "%3D" PREPARE_LABEL_VALUE;

/* Runs come first, for what they need stays while one goes on. */
static const struct kind kinds[] = {
	{ "argoproj.io", "/apis/argoproj.io/v1alpha1", "workflows", NULL, RUNS, "the run" },
	{ "rbac.authorization.k8s.io", "/apis/rbac.authorization.k8s.io/v1", "rolebindings", NULL, PREPARED, "the RoleBinding" },
	{ "rbac.authorization.k8s.io", "/apis/rbac.authorization.k8s.io/v1", "roles", NULL, PREPARED, "the Role" },
	{ "", "/api/v1", "serviceaccounts", NULL, PREPARED, "the service account" },
	{ "apps", "/apis/apps/v1", "daemonsets", "kube-system", PREPARED, "the daemon set" },
};

static bool
is_run(const struct kind *kind)
{
	return kind->selector == RUNS;
}

static const char *
phase_of(const struct value *object)
{
	const char *phase = edit_text_in(value_get(object, "metadata"), "labels", "workflows.argoproj.io/phase");

	return phase && *phase ? phase : "Pending";
}

static bool
has_ended(const struct value *object)
{
	const char *completed = edit_text_in(value_get(object, "metadata"), "labels", "workflows.argoproj.io/completed");

	return completed && !strcmp(completed, "true");
}

static void
clean_object(struct cleaning *c, const struct kind *kind, const char *namespace_, const struct value *object)
{
	const char *name = edit_text_in(object, "metadata", "name"), *path;
	const struct api_right right = { "delete", kind->group, kind->plural, namespace_ };
	struct cleanup_item *item;

	if (!control_is_name(name))
		return;
	item = cleanup_add(c, CLEANUP_FOUND, is_run(kind) ? arena_printf(c->arena, "%s `%s`, %s", kind->word, name, api_plain(c->arena, phase_of(object), 20)) :
							     arena_printf(c->arena, "%s `%s`%s%s", kind->word, name, kind->namespace_ ? " in " : "",
								     kind->namespace_ ? kind->namespace_ : ""));
	if (is_run(kind) && !has_ended(object)) {
		item->state = CLEANUP_KEPT;
		item->note = "it goes on; `stop` it first";
		c->goes_on = true;
		return;
	}
	if (!is_run(kind) && !kind->namespace_ && c->goes_on) {
		item->state = CLEANUP_KEPT;
		item->note = "a run that goes on needs it";
		return;
	}
	path = arena_printf(c->arena, "%s/namespaces/%s/%s/%s", kind->api, namespace_, kind->plural, name);
	if (c->apply)
		cleanup_delete(c, item, path, object, &right);
}

static void
clean_kind(struct cleaning *c, const struct kind *kind)
{
	const char *namespace_ = kind->namespace_ ? kind->namespace_ : c->namespace_, *token = NULL;
	struct api_request request = { .method = "GET", .accept = METADATA_ONLY, .repeatable = true,
		.right = { "list", kind->group, kind->plural, namespace_ } };
	size_t n = 0;

	do {
		const struct value *page, *items;

		request.path = arena_printf(c->arena, "%s/namespaces/%s/%s?labelSelector=%s&limit=%d%s%s", kind->api, namespace_, kind->plural, kind->selector,
			(int)CLEANUP_PAGE, token ? "&continue=" : "", token ? token : "");
		page = cleanup_ask(c, &request);
		items = value_get(page, "items");
		if (!page && c->failure->kind != API_NOT_FOUND && !c->stopped && !is_lost(c))
			cleanup_blame(c, cleanup_add(c, CLEANUP_FAILED, arena_printf(c->arena, "%s: %s", namespace_, kind->plural)));
		for (size_t i = 0; i < value_count(items) && !c->stopped; i++, n++)
			clean_object(c, kind, namespace_, value_item(items, i));
		token = edit_text_in(page, "metadata", "continue");
		token = token && *token ? api_escaped(c->arena, token) : NULL;
	} while (token && n < CLEANUP_MAX && !c->stopped);
}

int
cleanup_run(struct cleanup *ret, const struct cleanup_request *request, struct api_failure *ret_failure)
{
	struct cleaning c = { .ret = ret, .kube = request->kube, .apply = request->apply, .failure = ret_failure };
	bool lost = false;

	*ret = (struct cleanup){ .arena = arena_new() };
	*ret_failure = (struct api_failure){ .kind = API_TROUBLE };
	c.arena = ret->arena;
	c.namespace_ = request->namespace_ && *request->namespace_ ? request->namespace_ : kube_config(c.kube)->namespace_;
	if (!control_is_name(c.namespace_))
		return api_refuse(ret_failure, API_REFUSED, "`%.100s` is no name of a namespace", c.namespace_);
	for (size_t i = 0; i < ARRAY_LEN(kinds) && !c.stopped && !lost; i++) {
		clean_kind(&c, &kinds[i]);
		lost = is_lost(&c);
	}
	if (!c.stopped && !lost)
		cleanup_namespace(&c);
	ret_failure->answer = NULL;
	return c.stopped || lost ? -1 : 0;
}

void
cleanup_release(struct cleanup *cleanup)
{
	vec_release(&cleanup->items);
	arena_free(cleanup->arena);
	*cleanup = (struct cleanup){ 0 };
}
