/* The preflight through a server that stands before the cluster: what that server can be asked, and what the Kubernetes API beside it
 * says, where it is known. */
#include "config.h"

#include <string.h>

#include "runtime/cluster/door_argo_private.h"
#include "runtime/cluster/edit.h"
#include "runtime/cluster/kfp.h"
#include "runtime/cluster/preflight_private.h"

static bool
check_there(struct flight *flight, struct door *door)
{
	struct api_failure failure;
	const char *version = NULL;

	if (door->ops->probe(door, flight->arena, &version, &failure)) {
		flight_add_failure(flight, &failure, NULL);
		return false;
	}
	flight->ret->n_checked++;
	flight->ret->version = version;
	return true;
}

/* ---- beside ---- */

/* What only the Kubernetes API knows: every field of the object, the namespace, the nodes. */
static void
ask_beside(struct flight *flight, const struct needs *needs)
{
	flight_foresee_dry_run(flight);
	flight_foresee_things(flight, needs);
	flight_foresee_limits(flight);
	if (needs->volumes.n)
		flight_foresee_volumes(flight);
	if (needs->nodes.n)
		flight_foresee_nodes(flight);
	flight_send(flight);
}

static void
check_beside(struct flight *flight, const struct needs *needs)
{
	if (!flight->kube)
		return;
	ask_beside(flight, needs);
	if (flight_check_dry_run(flight))
		flight_check_needs(flight, needs);
	flight_forget(flight);
}

/* ---- Argo's server ---- */

/* Argo's own check of a workflow, by the rules of that version. */
static bool
lint(struct flight *flight, struct door *door)
{
	struct api *api = argo_api(((struct door_argo *)door)->argo);
	const struct api_request request = { .method = "POST", .repeatable = true, .max = ARGO_OBJECT_MAX,
		.path = door_argo_path(flight->arena, "workflows", door->namespace_, NULL, "/lint"),
		.body = edit_dict(flight->arena, "namespace", value_string(flight->arena, door->namespace_), "workflow", flight->workflow, NULL),
		.right = { "create", "argoproj.io", "workflows", door->namespace_ } };
	struct api_failure failure;
	const char *message;

	if (api_call(api, &request, flight->arena, &failure)) {
		flight->ret->n_checked++;
		return true;
	}
	message = value_text(value_get(failure.answer, "message"));
	if (failure.kind != API_REFUSED && !(failure.kind == API_TROUBLE && message)) {
		flight_add_failure(flight, &failure, NULL);
		return false;
	}
	flight_add(flight, PREFLIGHT_REFUSED, flight_print(flight, "the Argo server refuses the workflow: %s",
		message ? api_plain(flight->arena, message, 600) : failure.what), "change that setting of the program; `compile` shows the YAML that it has read");
	return true;
}

static void
warn_of_images(struct flight *flight, const struct needs *needs)
{
	for (size_t i = 0; i < needs->images.n; i++) {
		struct preflight_finding *f = flight_add(flight, PREFLIGHT_NO_COMMAND, flight_print(flight,
			"only the image `%s` says what it runs, and Argo must ask its registry for that", needs->images.items[i].image),
			"give the component a `command`: what the image's ENTRYPOINT and CMD are");

		f->template = needs->images.items[i].template;
		f->why = "the controller may have no way to the registry, or no leave to read a private one; then the step fails";
	}
}

/* ---- Kubeflow ---- */

static void
check_parameter_size(struct flight *flight)
{
	const struct value *parameters = value_get(value_get(value_get(flight->workflow, "spec"), "arguments"), "parameters");
	struct buf text = { 0 };

	if (value_count(parameters))
		value_write_json(&text, parameters);
	if (text.len > KFP_PARAMETERS_MAX)
		flight_add(flight, PREFLIGHT_NOT_TAKEN, flight_print(flight, "the parameters are %zu bytes long, and Kubeflow Pipelines takes %d", text.len,
			(int)KFP_PARAMETERS_MAX), "pass large data as a file (an artifact) or by an address, not as a parameter");
	buf_release(&text);
}

/* Is the namespace one of those in a text with commas between? */
static bool
is_among(const char *names, const char *namespace_)
{
	size_t len = strlen(namespace_);

	for (const char *at = names; at && *at; at += strcspn(at, ","), at += *at == ',') {
		at += strspn(at, " ");
		if (!strncmp(at, namespace_, len) && (!at[len] || at[len] == ',' || at[len] == ' '))
			return true;
	}
	return false;
}

/* Whoever runs Kubeflow may have closed it to Argo's workflows; only its configuration says so beforehand. */
static void
check_blocked(struct flight *flight)
{
	const struct api_request request = { .method = "GET", .path = "/api/v1/namespaces/kubeflow/configmaps/pipeline-install-config",
		.repeatable = true, .right = { "get", "", "configmaps", "kubeflow" } };
	struct api_failure failure;
	const struct value *data = flight->kube ? value_get(kube_call(flight->kube, &request, flight->arena, &failure), "data") : NULL;
	const char *blocked = value_text(value_get(data, "BLOCK_V1_PIPELINES")), *allowed = value_text(value_get(data, "V1_ALLOWED_NAMESPACES"));

	if (!blocked || strcmp(blocked, "true") != 0 || is_among(allowed, flight->namespace_))
		return;
	flight_add(flight, PREFLIGHT_NOT_TAKEN, "this Kubeflow takes no Argo workflows any more: BLOCK_V1_PIPELINES is \"true\" there",
		"whoever runs it can change that in the config map pipeline-install-config, or let one namespace pass by V1_ALLOWED_NAMESPACES; or run on its "
		"cluster by the Kubernetes API, with `context`");
}

/* ---- all of it ---- */

static void
check_server(struct flight *flight, struct door *door)
{
	struct needs needs;

	flight_check_size(flight);
	flight_check_parameters(flight);
	if (door->ops->kind == DOOR_KFP)
		check_parameter_size(flight);
	if (!check_there(flight, door))
		return;
	needs_find(&needs, flight->arena, flight->workflow);
	if (door->ops->kind == DOOR_KFP)
		check_blocked(flight);
	if (door->ops->kind == DOOR_KFP || lint(flight, door)) {
		warn_of_images(flight, &needs);
		check_beside(flight, &needs);
	}
	needs_release(&needs);
}

void
preflight_door(struct preflight *ret, struct door *door, const struct value *workflow)
{
	struct flight flight = { .ret = ret, .kube = door->kube, .server = "", .workflow = workflow, .beside = true };

	if (door->ops->kind == DOOR_KUBE) {
		preflight_run(ret, door->kube, door->namespace_, workflow);
		return;
	}
	*ret = (struct preflight){ .arena = arena_new() };
	flight.arena = ret->arena;
	/* A Kubeflow of one user runs all where it is itself. */
	flight.namespace_ = *door->namespace_ ? door->namespace_ : "kubeflow";
	check_server(&flight, door);
}
