#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/preflight_private.h"

#define WORKFLOWS "/apis/argoproj.io/v1alpha1"

const char *
flight_print(struct flight *flight, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = arena_vprintf(flight->arena, format, args);
	va_end(args);
	return text;
}

struct preflight_finding *
flight_add(struct flight *flight, enum preflight_kind kind, const char *what, const char *how)
{
	struct preflight *ret = flight->ret;

	if (ret->findings.n == PREFLIGHT_FINDINGS_MAX)
		return arena_new_struct(flight->arena, struct preflight_finding); /* counts for nothing */
	vec_push(&ret->findings, ((struct preflight_finding){ .kind = kind, .what = what, .how = how }));
	return &ret->findings.items[ret->findings.n - 1];
}

static enum preflight_kind
kind_of(const struct api_failure *failure, bool unseen)
{
	switch (failure->kind) {
	case API_STOPPED:
		return PREFLIGHT_STOPPED;
	case API_UNREACHABLE:
		return PREFLIGHT_UNREACHABLE;
	case API_UNKNOWN_USER:
		return PREFLIGHT_DENIED;
	case API_WRONG_SERVER:
		return PREFLIGHT_NO_ARGO;
	case API_FORBIDDEN:
		return unseen ? PREFLIGHT_UNSEEN : PREFLIGHT_DENIED;
	case API_NOT_FOUND:
	case API_REFUSED:
		return unseen ? PREFLIGHT_UNSEEN : PREFLIGHT_REFUSED;
	case API_TROUBLE:
		return unseen ? PREFLIGHT_UNSEEN : PREFLIGHT_UNREACHABLE;
	}
	BUG("failure %d", (int)failure->kind);
}

struct preflight_finding *
flight_add_failure(struct flight *flight, const struct api_failure *failure, const char *while_doing)
{
	const char *what = arena_strdup(flight->arena, failure->what);
	struct preflight_finding *f;

	if (while_doing)
		what = flight_print(flight, "%s: %s", while_doing, what);
	f = flight_add(flight, kind_of(failure, while_doing), what, arena_strdup(flight->arena, failure->help));
	f->why = *failure->note ? arena_strdup(flight->arena, failure->note) : NULL;
	return f;
}

/* ---- is it a cluster with Argo ---- */

static bool
check_server(struct flight *flight)
{
	const struct api_request request = { .method = "GET", .path = "/version", .right = { "get", "", "/version", NULL },
		.repeatable = true };
	struct api_failure failure;
	const struct value *answer = flight_call(flight, &request, flight->arena, &failure);
	const char *version = value_text(value_get(answer, "gitVersion"));

	if (!answer && failure.kind == API_FORBIDDEN)
		return true; /* closed to the public, but it is an API server */
	if (!answer) {
		flight_add_failure(flight, &failure, NULL);
		return false;
	}
	flight->ret->n_checked++;
	if (version) {
		flight->ret->version = api_plain(flight->arena, version, 60);
		return true;
	}
	flight_add(flight, PREFLIGHT_NO_ARGO, flight_print(flight, "what answers at `%s` is not the Kubernetes API: it has another `/version`",
		flight->server), "`server` must be the API server's address, not that of the Argo server or of Kubeflow Pipelines");
	return false;
}

static struct api_request
argo_request(void)
{
	return (struct api_request){ .method = "GET", .path = WORKFLOWS, .right = { "get", "argoproj.io", "workflows", NULL },
		.repeatable = true };
}

static bool
check_argo(struct flight *flight)
{
	const struct api_request request = argo_request();
	struct api_failure failure;
	const struct value *answer = flight_call(flight, &request, flight->arena, &failure);
	struct preflight_finding *f;

	if (answer)
		flight->ret->n_checked++;
	if (answer ? kube_has_workflows(answer) : failure.kind == API_FORBIDDEN)
		return true;
	if (!answer && failure.kind != API_NOT_FOUND) {
		flight_add_failure(flight, &failure, NULL);
		return false;
	}
	f = flight_add(flight, PREFLIGHT_NO_ARGO, flight_print(flight, "Argo Workflows is not installed on the cluster at `%s`", flight->server),
		"install it (https://argo-workflows.readthedocs.io, \"Quick Start\"), or Kubeflow Pipelines, which brings it along");
	f->why = "the API server does not know the resource `workflows.argoproj.io/v1alpha1`";
	return false;
}

/* ---- may we ---- */

static const struct value *
dict2(struct arena *arena, const char *key, const struct value *value, const char *key2, const struct value *value2)
{
	const char *keys[] = { key, key2 };
	const struct value *items[] = { value, value2 };

	return value_dict(arena, keys, items, key2 ? 2 : 1);
}

static const struct value *
review_of(struct flight *flight, const struct api_right *right)
{
	const char *keys[] = { "namespace", "verb", "group", "resource" };
	const char *texts[] = { right->namespace_, right->verb, right->group, right->resource };
	const char *body_keys[] = { "apiVersion", "kind", "spec" };
	const struct value *items[ARRAY_LEN(keys)], *body[ARRAY_LEN(body_keys)];

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		items[i] = value_string(flight->arena, texts[i]);
	body[0] = value_string(flight->arena, "authorization.k8s.io/v1");
	body[1] = value_string(flight->arena, "SelfSubjectAccessReview");
	body[2] = dict2(flight->arena, "resourceAttributes", value_dict(flight->arena, keys, items, ARRAY_LEN(keys)), NULL, NULL);
	return value_dict(flight->arena, body_keys, body, ARRAY_LEN(body_keys));
}

static void
add_denied(struct flight *flight, const struct api_right *right, const char *reason)
{
	struct buf how = { 0 };
	struct preflight_finding *f;

	api_write_grant(&how, right);
	f = flight_add(flight, PREFLIGHT_DENIED, flight_print(flight, "you may not `%s` %s.%s in the namespace `%s`", right->verb, right->resource,
		right->group, right->namespace_), arena_strdup(flight->arena, buf_text(&how)));
	f->why = reason && *reason ? flight_print(flight, "the cluster's reason: %s", api_plain(flight->arena, reason, 300)) : NULL;
	buf_release(&how);
}

static struct api_request
right_request(struct flight *flight, const struct api_right *right)
{
	return (struct api_request){ .method = "POST", .path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
		.body = review_of(flight, right), .right = { "create", "authorization.k8s.io", "selfsubjectaccessreviews", NULL },
		.repeatable = true };
}

static bool
check_right(struct flight *flight)
{
	const struct api_right right = { "create", "argoproj.io", "workflows", flight->namespace_ };
	const struct api_request request = right_request(flight, &right);
	struct api_failure failure;
	const struct value *answer = flight_call(flight, &request, flight->arena, &failure);
	const struct value *status = value_get(answer, "status"), *allowed = value_get(status, "allowed");

	if (!answer) {
		flight_add_failure(flight, &failure, failure.kind == API_FORBIDDEN ? "whether you may create workflows is not known" : NULL);
		return failure.kind == API_FORBIDDEN;
	}
	flight->ret->n_checked++;
	if (allowed && allowed->kind == VALUE_BOOLEAN && allowed->boolean)
		return true;
	add_denied(flight, &right, value_text(value_get(status, "reason")));
	return false;
}

/* ---- the dry run ---- */

/* The template that a field such as `spec.templates[3].container` lies in; NULL if none. */
static const char *
template_of(struct flight *flight, const char *text)
{
	static const char prefix[] = "spec.templates[";
	const struct value *templates = value_get(value_get(flight->workflow, "spec"), "templates");
	const char *at = text ? strstr(text, prefix) : NULL;
	char *end;
	unsigned long index;

	if (!at || !templates || templates->kind != VALUE_LIST)
		return NULL;
	index = strtoul(at + sizeof prefix - 1, &end, 10);
	if (*end != ']' || index >= templates->list.n)
		return NULL;
	return value_text(value_get(templates->list.items[index], "name"));
}

static const char REFUSED_HELP[] = "change that setting of the program; `compile` shows the YAML that the API server has read";

static bool
add_causes(struct flight *flight, const struct value *answer)
{
	const struct value *causes = value_get(value_get(answer, "details"), "causes");

	if (!causes || causes->kind != VALUE_LIST || !causes->list.n)
		return false;
	for (size_t i = 0; i < causes->list.n; i++) {
		const char *field = value_text(value_get(causes->list.items[i], "field"));
		const char *message = value_text(value_get(causes->list.items[i], "message"));
		struct preflight_finding *f;

		f = flight_add(flight, PREFLIGHT_REFUSED, flight_print(flight, "the cluster refuses the workflow: %s",
			message ? api_plain(flight->arena, message, 400) : "it does not say why"), REFUSED_HELP);
		f->template = template_of(flight, field);
		f->why = field ? flight_print(flight, "it is about the field `%s`", api_plain(flight->arena, field, 200)) : NULL;
	}
	return true;
}

/* A namespace that is not there is a 404 on it. */
static bool
add_missing_namespace(struct flight *flight, const struct api_failure *failure)
{
	const char *kind = value_text(value_get(value_get(failure->answer, "details"), "kind"));

	if (failure->kind != API_NOT_FOUND || !kind || strcmp(kind, "namespaces") != 0)
		return false;
	flight_add(flight, PREFLIGHT_MISSING, flight_print(flight, "the cluster has no namespace `%s`", flight->namespace_),
		flight_print(flight, "create it: `kubectl create namespace %s`; or name another: `namespace \"…\"`", flight->namespace_));
	flight->no_namespace = true;
	return true;
}

static struct api_request
dry_run_request(struct flight *flight)
{
	return (struct api_request){ .method = "POST", .body = flight->workflow, .repeatable = true,
		.path = flight_print(flight, WORKFLOWS "/namespaces/%s/workflows?dryRun=All&fieldValidation=Strict", flight->namespace_),
		.right = { "create", "argoproj.io", "workflows", flight->namespace_ } };
}

void
flight_foresee_dry_run(struct flight *flight)
{
	const struct api_request request = dry_run_request(flight);

	flight_foresee(flight, &request);
}

bool
flight_check_dry_run(struct flight *flight)
{
	const struct api_request request = dry_run_request(flight);
	struct api_failure failure;
	const char *message;

	if (flight_call(flight, &request, flight->arena, &failure)) {
		flight->ret->n_checked++;
		return true;
	}
	if (add_missing_namespace(flight, &failure))
		return true;
	message = value_text(value_get(failure.answer, "message"));
	if (failure.kind == API_REFUSED && add_causes(flight, failure.answer))
		return true;
	if (failure.kind == API_REFUSED && message) {
		flight_add(flight, PREFLIGHT_REFUSED, flight_print(flight, "the cluster refuses the workflow: %s", api_plain(flight->arena, message, 600)),
			failure.status == 403 ? arena_strdup(flight->arena, failure.help) : REFUSED_HELP)->template = template_of(flight, message);
		return true;
	}
	flight_add_failure(flight, &failure, flight->beside ? "whether the cluster takes the workflow is not known" : NULL);
	return failure.kind == API_FORBIDDEN;
}

/* ---- all of it ---- */

struct api_request
flight_get(struct flight *flight, const char *group_path, const char *group, const char *plural, const char *name)
{
	return (struct api_request){ .method = "GET", .repeatable = true, .right = { name ? "get" : "list", group, plural, flight->namespace_ },
		.path = flight_print(flight, "%s/namespaces/%s/%s%s%s", group_path, flight->namespace_, plural, name ? "/" : "", name ? name : "") };
}

static void
foresee(struct flight *flight, const struct needs *needs)
{
	const struct api_right right = { "create", "argoproj.io", "workflows", flight->namespace_ };
	const struct api_request requests[] = { argo_request(), right_request(flight, &right) };

	for (size_t i = 0; i < ARRAY_LEN(requests); i++)
		flight_foresee(flight, &requests[i]);
	flight_foresee_dry_run(flight);
	flight_foresee_things(flight, needs);
	flight_foresee_limits(flight);
	if (needs->volumes.n)
		flight_foresee_volumes(flight);
	if (needs->nodes.n)
		flight_foresee_nodes(flight);
	flight_foresee_controller(flight, needs);
	flight_send(flight);
}

void
flight_check_needs(struct flight *flight, const struct needs *needs)
{
	if (!flight->no_namespace) {
		flight_check_things(flight, needs);
		flight_check_limits(flight, needs);
	}
	if (needs->volumes.n)
		flight_check_volumes(flight, needs);
	if (needs->nodes.n)
		flight_check_nodes(flight, needs);
}

static void
check(struct flight *flight, const struct needs *needs)
{
	if (!check_argo(flight) || !check_right(flight) || !flight_check_dry_run(flight))
		return;
	flight_check_needs(flight, needs);
	flight_check_controller(flight, needs);
}

void
preflight_run(struct preflight *ret, struct kube *kube, const char *namespace_, const struct value *workflow)
{
	const struct kubeconfig *config = kube_config(kube);
	struct flight flight = { .ret = ret, .kube = kube, .server = config->server, .workflow = workflow };
	struct needs needs;

	*ret = (struct preflight){ .arena = arena_new() };
	flight.arena = ret->arena;
	flight.namespace_ = namespace_ && *namespace_ ? namespace_ : config->namespace_;
	if (config->insecure)
		flight_add(&flight, PREFLIGHT_INSECURE, flight_print(&flight, "the certificate of `%s` is not checked, so anyone on the way can read and "
			"change what is sent, credentials too", flight.server),
			"put the cluster's `certificate-authority-data` into the kubeconfig in place of `insecure-skip-tls-verify`");
	flight_check_size(&flight);
	flight_check_parameters(&flight);
	if (!check_server(&flight))
		return;
	needs_find(&needs, flight.arena, workflow);
	foresee(&flight, &needs);
	check(&flight, &needs);
	flight_forget(&flight);
	needs_release(&needs);
}

void
preflight_release(struct preflight *preflight)
{
	vec_release(&preflight->findings);
	arena_free(preflight->arena);
	*preflight = (struct preflight){ 0 };
}
