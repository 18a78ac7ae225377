/* Would anything take the workflow up, and does its configuration have what this workflow relies on? */
#include "config.h"

#include <string.h>

#include "base/rfc3339.h"
#include "runtime/cluster/edit.h"
#include "runtime/cluster/preflight_private.h"

/* Names, labels and times alone. */
#define METADATA_ONLY "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"

enum { IDLE_PAGE = 100 };

/* ---- is it there ---- */

static struct api_request
deployments_request(void)
{
	return (struct api_request){ .method = "GET", .repeatable = true, .right = { "list", "apps", "deployments", NULL },
		.path = "/apis/apps/v1/deployments?fieldSelector=metadata.name%3Dworkflow-controller&limit=10" };
}

static const char HOW_CONTROLLER[] = "see what it is about: `kubectl get pods -A | grep workflow-controller`; or ask whoever runs the cluster";

static void
judge_deployments(struct flight *flight, const struct value *items)
{
	const struct value *ready;
	const char *namespace_;

	for (size_t i = 0; i < value_count(items); i++) {
		ready = value_get(value_get(value_item(items, i), "status"), "availableReplicas");
		if (ready && ready->kind == VALUE_INTEGER && ready->integer > 0)
			return;
	}
	namespace_ = edit_text_in(value_item(items, 0), "metadata", "namespace");
	flight_add(flight, PREFLIGHT_NO_CONTROLLER, flight_print(flight, "Argo's controller does not run: none of its pods in `%s` is ready",
		namespace_ ? api_plain(flight->arena, namespace_, 100) : ""), HOW_CONTROLLER)->why = "the workflow would be accepted, and stay untouched";
}

/* The controller gives each workflow a phase as soon as it sees it. */
static void
judge_idle(struct flight *flight, const struct value *items)
{
	struct http *http = kube_api(flight->kube)->http;
	int64_t now = http->now(http);

	for (size_t i = 0; i < value_count(items); i++) {
		const struct value *metadata = value_get(value_item(items, i), "metadata");
		const char *created = value_text(value_get(metadata, "creationTimestamp"));
		int64_t since = created ? rfc3339_read(created) : -1;

		if (edit_text_in(metadata, "labels", "workflows.argoproj.io/phase") || since < 0 || now - since < PREFLIGHT_IDLE * 1000)
			continue;
		flight_add(flight, PREFLIGHT_NO_CONTROLLER, flight_print(flight, "nothing seems to take up workflows in the namespace `%s`", flight->namespace_),
			HOW_CONTROLLER)->why = flight_print(flight, "`%s` was created at %s, and nothing has touched it yet",
			api_plain(flight->arena, edit_text_in(value_item(items, i), "metadata", "name"), 100), created);
		return;
	}
}

static void
check_running(struct flight *flight)
{
	const struct api_request deployments = deployments_request();
	struct api_request workflows = flight_get(flight, "/apis/argoproj.io/v1alpha1", "argoproj.io", "workflows", NULL);
	struct api_failure failure;
	const struct value *answer = flight_call(flight, &deployments, flight->arena, &failure), *items = value_get(answer, "items");

	if (value_count(items)) {
		flight->ret->n_checked++;
		judge_deployments(flight, items);
		return;
	}
	if (flight->no_namespace || (!answer && failure.kind == API_STOPPED))
		return;
	/* It may bear another name, or be hidden from us: then what it has done tells. */
	workflows.accept = METADATA_ONLY;
	workflows.path = flight_print(flight, "%s?limit=%d&labelSelector=%s", workflows.path, (int)IDLE_PAGE, "%21workflows.argoproj.io/completed");
	answer = flight_call(flight, &workflows, flight->arena, &failure);
	if (!answer) {
		flight_add_failure(flight, &failure, "whether Argo's controller runs is not known");
		return;
	}
	flight->ret->n_checked++;
	judge_idle(flight, value_get(answer, "items"));
}

/* ---- its configuration ---- */

enum { N_PLACES = 4 };

static const struct {
	const char *namespace_, *name; /* namespace NULL: the run's */
} places[N_PLACES] = { { NULL, "artifact-repositories" }, { NULL, "workflow-controller-configmap" }, { "argo", "workflow-controller-configmap" },
	{ "kubeflow", "workflow-controller-configmap" } };

static bool
is_twice(const struct flight *flight, size_t place)
{
	return places[place].namespace_ && !strcmp(places[place].namespace_, flight->namespace_);
}

static struct api_request
config_request(struct flight *flight, size_t place)
{
	struct api_request request = flight_get(flight, "/api/v1", "", "configmaps", places[place].name);

	if (!places[place].namespace_)
		return request;
	request.right.namespace_ = places[place].namespace_;
	request.path = flight_print(flight, "/api/v1/namespaces/%s/configmaps/%s", places[place].namespace_, places[place].name);
	return request;
}

/* What is said there, all texts in one; NULL: nothing. *ret_unseen: it is there perhaps. */
static const char *
config_text(struct flight *flight, size_t place, bool *ret_unseen)
{
	const struct api_request request = config_request(flight, place);
	struct api_failure failure;
	const struct value *answer = flight_call(flight, &request, flight->arena, &failure), *data = value_get(answer, "data");
	struct buf text = { 0 };
	const char *ret;

	*ret_unseen = *ret_unseen || (!answer && failure.kind != API_NOT_FOUND);
	if (!answer || !data || data->kind != VALUE_DICT)
		return NULL;
	for (size_t i = 0; i < data->dict.n; i++)
		buf_printf(&text, "%s:\n%s\n", data->dict.keys[i], value_text(data->dict.items[i]) ? value_text(data->dict.items[i]) : "");
	ret = arena_strdup(flight->arena, buf_text(&text));
	buf_release(&text);
	return ret;
}

static bool
has_store(const char *text)
{
	static const char *const stores[] = { "s3:", "gcs:", "azure:", "oss:", "hdfs:", "artifactory:", "plugin:" };

	for (size_t i = 0; i < ARRAY_LEN(stores); i++)
		if (strstr(text, stores[i]))
			return true;
	return false;
}

static void
judge_repository(struct flight *flight, const struct needs *needs, bool unseen)
{
	struct preflight_finding *f;

	f = flight_add(flight, unseen ? PREFLIGHT_UNSEEN : PREFLIGHT_NO_REPOSITORY, unseen ?
		"whether an artifact repository is configured is not known: the config maps that say so may not be read" :
		"no artifact repository is configured, where the files that steps pass on would be kept",
		"the config map `artifact-repositories` of the namespace can name a bucket; `prepare` says more");
	f->template = *needs->artifacts ? needs->artifacts : NULL;
	f->why = unseen ? NULL : "neither the namespace nor `argo` nor `kubeflow` has one; a controller elsewhere may, and without one the step fails";
}

/* Argo looks an image's program up at its registry, with what the controller may see there, unless its configuration says it. */
static void
judge_image(struct flight *flight, const struct need_image *image, const char *const *texts)
{
	struct preflight_finding *f;

	for (size_t i = 0; i < N_PLACES; i++)
		if (texts[i] && strstr(texts[i], "images:") && strstr(texts[i], image->image))
			return;
	f = flight_add(flight, PREFLIGHT_NO_COMMAND, flight_print(flight, "only the image `%s` says what it runs, and Argo must ask its registry for that",
		image->image), "give the component a `command`: what the image's ENTRYPOINT and CMD are");
	f->template = image->template;
	f->why = "the controller may have no way to the registry, or no leave to read a private one; then the step fails";
}

static void
check_configuration(struct flight *flight, const struct needs *needs)
{
	const char *texts[N_PLACES] = { NULL };
	bool unseen = false, stored = false;

	for (size_t i = 0; i < N_PLACES; i++) {
		if (is_twice(flight, i) || (flight->no_namespace && !places[i].namespace_))
			continue;
		texts[i] = config_text(flight, i, &unseen);
		stored = stored || (texts[i] && has_store(texts[i]));
	}
	if (!unseen)
		flight->ret->n_checked++;
	if (needs->artifacts && !stored)
		judge_repository(flight, needs, unseen);
	for (size_t i = 0; i < needs->images.n; i++)
		judge_image(flight, &needs->images.items[i], texts);
}

void
flight_foresee_controller(struct flight *flight, const struct needs *needs)
{
	struct api_request request = deployments_request();

	flight_foresee(flight, &request);
	for (size_t i = 0; i < N_PLACES && (needs->artifacts || needs->images.n); i++)
		if (!is_twice(flight, i)) {
			request = config_request(flight, i);
			flight_foresee(flight, &request);
		}
}

void
flight_check_controller(struct flight *flight, const struct needs *needs)
{
	check_running(flight);
	if (needs->artifacts || needs->images.n)
		check_configuration(flight, needs);
}
