#include "config.h"

#include "kernel/target_private.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/door_argo.h"
#include "runtime/cluster/door_kfp.h"

/* ---- failures ---- */

static enum diag_code
code_of(enum api_failure_kind kind)
{
	switch (kind) {
	case API_UNREACHABLE:
		return DIAG_L1002;
	case API_UNKNOWN_USER:
	case API_FORBIDDEN:
		return DIAG_L1003;
	case API_WRONG_SERVER:
		return DIAG_L1004;
	case API_NOT_FOUND:
		return DIAG_L1011;
	default:
		return DIAG_L1010;
	}
}

struct diag *
target_explain(struct diags *diags, struct span span, const char *code, const struct api_failure *failure)
{
	enum diag_code found = code_of(failure->kind);
	struct diag *d;

	for (int i = 0; code && i < DIAG_CODE_MAX; i++)
		if (!strcmp(diag_info((enum diag_code)i)->code, code))
			found = (enum diag_code)i;
	d = diags_add(diags, found, span, "%s", failure->what);
	if (*failure->note)
		diag_note(diags, d, "%s", failure->note);
	if (*failure->help)
		diag_help(diags, d, "%s", failure->help);
	return d;
}

/* ---- Kubernetes ---- */

int
target_open_kube(struct target_opening *opening)
{
	const struct cluster *cluster = opening->cluster;
	const struct kubeconfig_request where = { .path = cluster->kubeconfig, .context = cluster->context, .in_cluster = cluster->in_cluster };
	const struct exec_plugin_limits limits = { .stop = opening->request->stop, .context = opening->request->context };
	struct target_door *ret = opening->ret;
	struct error err = { "" };
	struct diag *d;

	if (ret->kube)
		return 0;
	ret->config = xcalloc(1, sizeof *ret->config);
	if (kubeconfig_load(ret->config, &where, &err)) {
		d = diags_add(opening->diags, DIAG_L1002, opening->request->span, "the cluster `%s` cannot be used: %s", cluster->name, err.text);
		if (!cluster->in_cluster)
			diag_help(opening->diags, d, "`kubectl config get-contexts` lists the contexts, and `lateen doctor` says which kubeconfig is read");
		return -1;
	}
	if (ret->config->insecure)
		diags_add(opening->diags, DIAG_L1009, opening->request->span,
			"the certificate of the cluster `%s` is not checked: the kubeconfig says `insecure-skip-tls-verify`", cluster->name);
	ret->kube = kube_new(ret->config, ret->http, &limits);
	return 0;
}

/* ---- doors ---- */

static void
open_door_kube(struct target_opening *opening)
{
	const struct cluster *cluster = opening->cluster;
	struct target_door *ret = opening->ret;

	ret->door = door_kube_new(ret->http, ret->kube, cluster->namespace_ ? cluster->namespace_ : ret->config->namespace_);
	if (cluster->page)
		door_kube_set_page(ret->door, cluster->page);
}

/* An address without its last slashes, as the clients want it. */
static const char *
address(struct arena *arena, const char *text)
{
	size_t len = strlen(text);

	while (len && text[len - 1] == '/')
		len--;
	return arena_strndup(arena, text, len);
}

/* Without an address: through the API server. Then `namespace` is where Kubeflow is, unless it has several users. */
static void
open_door_kfp(struct target_opening *opening)
{
	static const enum kfp_auth_kind ways[] = {
		[CLUSTER_AUTH_UNSET] = KFP_AUTH_PLAIN, [CLUSTER_AUTH_PLAIN] = KFP_AUTH_PLAIN, [CLUSTER_AUTH_TOKEN] = KFP_AUTH_TOKEN,
		[CLUSTER_AUTH_AUDIENCE] = KFP_AUTH_AUDIENCE, [CLUSTER_AUTH_DEX] = KFP_AUTH_DEX, [CLUSTER_AUTH_IAP] = KFP_AUTH_IAP,
		[CLUSTER_AUTH_GCP] = KFP_AUTH_GCP,
	};
	const struct cluster *cluster = opening->cluster;
	struct target_door *ret = opening->ret;
	bool proxied = !cluster->kfp;
	struct kfp_options options = {
		.url = cluster->kfp ? address(ret->arena, cluster->kfp) : NULL,
		.namespace_ = proxied && !cluster->user_id ? NULL : cluster->namespace_,
		.service_namespace = proxied && !cluster->user_id ? cluster->namespace_ : NULL,
		.page = cluster->page,
		.place = arena_printf(ret->arena, "the cluster `%s`", cluster->name),
		.insecure = cluster->insecure,
		.login = { .kind = proxied ? KFP_AUTH_KUBE : ways[cluster->auth], .token = cluster->token, .password = cluster->password,
			   .user = cluster->user, .audience = cluster->audience, .client_id = cluster->client_id, .user_id = cluster->user_id, .kube = proxied ? ret->kube : NULL },
		.stop = opening->request->stop,
		.context = opening->request->context,
	};

	if (proxied && options.service_namespace && !target_has_kfp(opening, options.service_namespace))
		options.service_namespace = NULL;
	ret->door = door_kfp_new(ret->http, ret->kube, &options);
}

static void
open_door_argo(struct target_opening *opening)
{
	const struct cluster *cluster = opening->cluster;
	struct target_door *ret = opening->ret;
	const char *namespace_ = cluster->namespace_ ? cluster->namespace_ : ret->config ? ret->config->namespace_ : "default";
	struct argo_options options = {
		.url = address(ret->arena, cluster->argo),
		.place = arena_printf(ret->arena, "the cluster `%s`", cluster->name),
		.page = cluster->page,
		.token = cluster->token,
		.kube = ret->kube,
		.insecure = cluster->insecure,
		.stop = opening->request->stop,
		.context = opening->request->context,
	};

	ret->door = door_argo_new(ret->http, ret->kube, namespace_, &options);
}

static int
open_door(struct target_opening *opening)
{
	struct cluster *cluster = opening->cluster;
	bool file = cluster->context || cluster->kubeconfig || cluster->in_cluster;
	enum cluster_kind kind = cluster->kfp ? CLUSTER_KIND_KFP : cluster->kind;
	struct diag *d;

	if (file && target_open_kube(opening) < 0)
		return -1;
	if (cluster->insecure)
		diags_add(opening->diags, DIAG_L1009, opening->request->span, "the certificate of the cluster `%s` is not checked: it says `insecure`",
			cluster->name);
	if (cluster->argo) {
		open_door_argo(opening);
		return 0;
	}
	if (kind == CLUSTER_KIND_AUTO && target_probe_kind(opening, &kind) < 0)
		return -1;
	if (cluster->kind == CLUSTER_KIND_AUTO && kind == CLUSTER_KIND_UNSET) {
		d = diags_add(opening->diags, DIAG_L1004, opening->request->span, "there is neither Argo Workflows nor Kubeflow Pipelines on `%s`",
			cluster->name);
		diag_help(opening->diags, d, "`prepare %s` says what is missing", cluster->name);
		return -1;
	}
	if (cluster->kind == CLUSTER_KIND_AUTO)
		opening->ret->chosen = kind == CLUSTER_KIND_KFP ? "Kubeflow Pipelines is there" : "Argo Workflows is there, and no Kubeflow Pipelines";
	cluster->kind = kind;
	if (kind == CLUSTER_KIND_KFP)
		open_door_kfp(opening);
	else
		open_door_kube(opening);
	return 0;
}

static int
complain_of_where(const struct target_request *request, struct diags *diags)
{
	diags_add(diags, DIAG_L1010, request->span, "what the store says of the run's cluster cannot be read");
	return -1;
}

int
target_open(struct target_door *ret, const struct target_request *request, struct diags *diags)
{
	struct target_opening opening = { .ret = ret, .request = request, .diags = diags };
	const struct cluster *cluster = request->cluster;

	*ret = (struct target_door){ .arena = arena_new() };
	if (!cluster)
		cluster = target_read_where(ret->arena, request->where);
	if (!cluster)
		return complain_of_where(request, diags);
	opening.cluster = cluster_copy(ret->arena, cluster);
	ret->cluster = opening.cluster;
	ret->http = http_curl_new();
	if (opening.cluster->automatic && target_find(&opening) < 0)
		return -1;
	opening.cluster->automatic = false;
	return open_door(&opening);
}

void
target_close(struct target_door *target)
{
	door_free(target->door);
	kube_free(target->kube);
	if (target->config)
		kubeconfig_release(target->config);
	free(target->config);
	http_free(target->http);
	arena_free(target->arena);
	*target = (struct target_door){ 0 };
}
