#include "config.h"

#include "runtime/cluster/prepare.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/edit.h"
#include "runtime/cluster/prepare_private.h"

/* Without what the object holds. */
#define METADATA_ONLY "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"

const char *
prepare_state_name(enum prepare_state state)
{
	static const char *const names[] = { [PREPARE_THERE] = "there", [PREPARE_MISSING] = "missing", [PREPARE_MADE] = "made",
		[PREPARE_YOURS] = "yours to do", [PREPARE_UNSEEN] = "not looked at", [PREPARE_FAILED] = "failed" };

	return names[state];
}

bool
prepare_read_gke(struct arena *arena, const char *context, struct prepare_gke *ret)
{
	const char *project = context + 4, *location, *name;
	size_t len;

	*ret = (struct prepare_gke){ 0 };
	if (strncmp(context, "gke_", 4) != 0 || !(location = strchr(project, '_')) || !(name = strchr(location + 1, '_')))
		return false;
	if (location == project || name == location + 1 || !name[1])
		return false;
	/* It becomes part of commands: nothing that a shell would read otherwise. */
	if (project[strspn(project, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:")])
		return false;
	ret->project = arena_strndup(arena, project, (size_t)(location - project));
	ret->location = arena_strndup(arena, location + 1, (size_t)(name - location) - 1);
	ret->name = arena_strdup(arena, name + 1);
	len = strlen(ret->location);
	ret->region = len > 2 && ret->location[len - 2] == '-' ? arena_strndup(arena, ret->location, len - 2) : ret->location;
	return true;
}

/* ---- asking ---- */

struct prepare_item *
prepare_add(struct preparing *p, enum prepare_state state, const char *what)
{
	vec_push(&p->ret->items, ((struct prepare_item){ .state = state, .what = what }));
	return &p->ret->items.items[p->ret->items.n - 1];
}

void
prepare_blame(struct preparing *p, struct prepare_item *item, enum prepare_state state)
{
	item->state = state;
	item->note = arena_strdup(p->arena, p->failure->what);
	item->help = *p->failure->help ? arena_strdup(p->arena, p->failure->help) : NULL;
}

const char *
prepare_path(struct arena *arena, const struct prepare_object *object, bool with_name)
{
	return arena_printf(arena, "%s%s%s/%s%s%s", object->group, object->namespace_ ? "/namespaces/" : "",
		object->namespace_ ? object->namespace_ : "", object->plural, with_name ? "/" : "", with_name ? object->name : "");
}

static const char *
group_of(struct arena *arena, const char *path)
{
	const char *name = strncmp(path, "/apis/", 6) != 0 ? "" : path + 6;

	return arena_strndup(arena, name, strcspn(name, "/"));
}

const struct value *
prepare_ask(struct preparing *p, const char *method, const char *path, const struct value *body, const struct api_right *right)
{
	const struct api_request request = { .method = method, .path = path, .body = body, .right = *right, .repeatable = !strcmp(method, "GET") };
	const struct value *answer;

	if (p->stopped)
		return NULL;
	p->ret->n_asked++;
	answer = kube_call(p->kube, &request, p->arena, p->failure);
	p->stopped = !answer && p->failure->kind == API_STOPPED;
	return answer;
}

const struct value *
prepare_get(struct preparing *p, const struct prepare_object *object)
{
	const struct api_right right = { "get", group_of(p->arena, object->group), object->plural, object->namespace_ };

	return prepare_ask(p, "GET", prepare_path(p->arena, object, true), NULL, &right);
}

bool
prepare_is_there(struct preparing *p, const struct prepare_object *object)
{
	const struct api_request request = { .method = "GET", .path = prepare_path(p->arena, object, true), .accept = METADATA_ONLY,
		.right = { "get", group_of(p->arena, object->group), object->plural, object->namespace_ }, .repeatable = true, .secret = true };
	bool there;

	if (p->stopped)
		return false;
	p->ret->n_asked++;
	there = kube_call(p->kube, &request, p->arena, p->failure) != NULL;
	p->stopped = !there && p->failure->kind == API_STOPPED;
	return there;
}

/* ---- making ---- */

const struct value *
prepare_manifest(struct arena *arena, const char *version, const char *kind, const char *name, const char *namespace_,
		 const struct value *more)
{
	const struct value *metadata = edit_texts(arena, "name", name, "namespace", namespace_, NULL);
	const struct value *manifest = edit_texts(arena, "apiVersion", version, "kind", kind, NULL);

	metadata = edit_set(arena, metadata, "labels", edit_texts(arena, PREPARE_LABEL, PREPARE_LABEL_VALUE, NULL));
	manifest = edit_set(arena, manifest, "metadata", metadata);
	for (size_t i = 0; more && i < more->dict.n; i++)
		manifest = edit_set(arena, manifest, more->dict.keys[i], more->dict.items[i]);
	return manifest;
}

void
prepare_make(struct preparing *p, struct prepare_item *item, const struct prepare_object *object)
{
	const struct api_right right = { "create", group_of(p->arena, object->group), object->plural, object->namespace_ };

	if (prepare_ask(p, "POST", prepare_path(p->arena, object, false), item->manifest, &right))
		item->state = PREPARE_MADE;
	else if (p->failure->status == 409)
		item->state = PREPARE_THERE; /* somebody was faster */
	else
		prepare_blame(p, item, PREPARE_FAILED);
	if (item->state != PREPARE_FAILED)
		item->command = NULL; /* nothing is left to be done */
}

void
prepare_want(struct preparing *p, const struct prepare_object *object, const char *what, const struct value *manifest, const char *command)
{
	struct prepare_item *item = prepare_add(p, PREPARE_THERE, what);

	item->manifest = manifest;
	if (!p->no_namespace || !object->namespace_) {
		if (prepare_is_there(p, object))
			return;
		if (p->failure->kind != API_NOT_FOUND) {
			prepare_blame(p, item, PREPARE_UNSEEN);
			return;
		}
	}
	item->state = PREPARE_MISSING;
	item->command = command;
	if (p->request->apply && (!p->no_namespace || !object->namespace_))
		prepare_make(p, item, object);
}

/* ---- the list ---- */

static bool
check_server(struct preparing *p)
{
	const struct api_right right = { "get", "", "/version", NULL };
	const struct value *answer = prepare_ask(p, "GET", "/version", NULL, &right);
	const char *version = value_text(value_get(answer, "gitVersion"));
	struct prepare_item *item;

	if (!answer && p->failure->kind != API_FORBIDDEN)
		return false;
	item = prepare_add(p, PREPARE_THERE, arena_printf(p->arena, "a cluster at `%s`", kube_config(p->kube)->server));
	item->note = version ? arena_printf(p->arena, "Kubernetes %s", api_plain(p->arena, version, 60)) : NULL;
	return true;
}

/* Which kinds of Argo's there are says which Argo it is. */
static void
check_argo(struct preparing *p)
{
	const struct api_right right = { "get", "argoproj.io", "workflows", NULL };
	const struct value *answer = prepare_ask(p, "GET", "/apis/argoproj.io/v1alpha1", NULL, &right), *kinds = value_get(answer, "resources");
	struct prepare_item *item = prepare_add(p, PREPARE_YOURS, "Argo Workflows");

	p->task_results = !answer;
	for (size_t i = 0; i < value_count(kinds); i++) {
		const char *name = value_text(value_get(value_item(kinds, i), "name"));

		if (name && !strcmp(name, "workflows"))
			item->state = PREPARE_THERE;
		p->task_results = p->task_results || (name && !strcmp(name, "workflowtaskresults"));
	}
	if (!answer && p->failure->kind != API_NOT_FOUND) {
		prepare_blame(p, item, PREPARE_UNSEEN);
	} else if (item->state != PREPARE_THERE) {
		item->note = "it runs the workflows; Kubeflow Pipelines brings it along";
		item->command = "kubectl create namespace argo\n"
				"kubectl apply -n argo -f https://github.com/argoproj/argo-workflows/releases/latest/download/install.yaml";
	}
}

static void
check_namespace(struct preparing *p)
{
	const struct prepare_object object = { "/api/v1", "namespaces", NULL, p->namespace_ };
	const struct value *manifest = prepare_manifest(p->arena, "v1", "Namespace", p->namespace_, NULL, NULL);
	const struct prepare_item *item;

	prepare_want(p, &object, arena_printf(p->arena, "the namespace `%s`", p->namespace_), manifest,
		arena_printf(p->arena, "kubectl create namespace %s", p->namespace_));
	item = &p->ret->items.items[p->ret->items.n - 1];
	p->no_namespace = item->state == PREPARE_MISSING || item->state == PREPARE_FAILED;
}

static bool
is_word(const char *text)
{
	return *text && strlen(text) < 64 && !text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-.")];
}

static void
fill_places(struct preparing *p)
{
	p->is_gke = prepare_read_gke(p->arena, kube_config(p->kube)->context, &p->gke);
	if (!p->is_gke)
		p->gke = (struct prepare_gke){ "PROJECT", "ZONE", "CLUSTER", "REGION" };
}

int
prepare_run(struct prepare *ret, const struct prepare_request *request, struct api_failure *ret_failure)
{
	struct preparing p = { .ret = ret, .request = request, .kube = request->kube, .failure = ret_failure };
	bool reached;

	*ret = (struct prepare){ .arena = arena_new() };
	p.arena = ret->arena;
	p.namespace_ = request->namespace_ && *request->namespace_ ? request->namespace_ : kube_config(p.kube)->namespace_;
	p.account = request->account && *request->account ? request->account : PREPARE_ACCOUNT;
	fill_places(&p);
	if (!is_word(p.namespace_) || !is_word(p.account))
		return api_refuse(ret_failure, API_REFUSED, "`%.100s` is no name of Kubernetes", is_word(p.namespace_) ? p.account : p.namespace_);
	reached = check_server(&p);
	if (reached) {
		check_argo(&p);
		check_namespace(&p);
		prepare_rights(&p);
		prepare_secrets(&p);
		prepare_bucket(&p);
		prepare_nodes(&p);
	}
	if (p.stopped)
		ret->items.n = 0; /* half a list would say that the rest is well */
	else
		prepare_cloud(&p, reached);
	ret_failure->answer = NULL;
	return reached && !p.stopped ? 0 : -1;
}

void
prepare_release(struct prepare *prepare)
{
	vec_release(&prepare->items);
	arena_free(prepare->arena);
	*prepare = (struct prepare){ 0 };
}
