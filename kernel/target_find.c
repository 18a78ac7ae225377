/* `cluster auto`, and `kind auto`: what is there, and which of it is taken. */
#include "config.h"

#include "kernel/target_private.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ACCOUNT_TOKEN "/var/run/secrets/kubernetes.io/serviceaccount/token"
#define KFP_NAMESPACE "kubeflow"
#define ENDPOINT "KF_PIPELINES_ENDPOINT" /* what Kubeflow's notebooks are given */

/* ---- what runs on a Kubernetes ---- */

static const struct value *
ask(struct target_opening *opening, const char *path, const char *group, const char *resource, struct api_failure *ret_failure)
{
	struct api_request request = { .method = "GET", .path = path, .repeatable = true,
				       .right = { "get", group, resource, NULL } };

	return kube_call(opening->ret->kube, &request, opening->ret->arena, ret_failure);
}

bool
target_has_kfp(struct target_opening *opening, const char *namespace_)
{
	struct api_failure failure;

	return ask(opening, arena_printf(opening->ret->arena, "/api/v1/namespaces/%s/services/ml-pipeline",
		api_escaped(opening->ret->arena, namespace_)), "", "services", &failure) != NULL;
}

int
target_probe_kind(struct target_opening *opening, enum cluster_kind *ret)
{
	const char *own = opening->cluster->namespace_;
	struct api_failure failure;
	bool argo;

	*ret = CLUSTER_KIND_UNSET;
	argo = ask(opening, "/apis/argoproj.io/v1alpha1", "argoproj.io", "workflows", &failure) != NULL;
	if (!argo && failure.kind != API_NOT_FOUND) {
		if (failure.kind != API_STOPPED)
			target_explain(opening->diags, opening->request->span, NULL, &failure);
		return -1;
	}
	if ((own && target_has_kfp(opening, own)) || target_has_kfp(opening, KFP_NAMESPACE))
		*ret = CLUSTER_KIND_KFP;
	else if (argo)
		*ret = CLUSTER_KIND_ARGO;
	return 0;
}

/* ---- where there is something ---- */

/* KF_PIPELINES_ENDPOINT and ARGO_SERVER may be a host alone. */
static const char *
address(struct arena *arena, const char *text, bool secure)
{
	size_t len = strlen(text);

	while (len && text[len - 1] == '/')
		len--;
	return strstr(text, "://") ? arena_strndup(arena, text, len)
				   : arena_printf(arena, "%s://%.*s", secure ? "https" : "http", (int)len, text);
}

static const struct secret *
variable(struct arena *arena, const char *name)
{
	struct secret *secret = arena_new_struct(arena, struct secret);

	secret->source = SECRET_ENV;
	secret->name = name;
	return secret;
}

static bool
is_set(const char *name)
{
	const char *text = getenv(name);

	return text && *text;
}

static const char *
find_kfp(struct target_opening *opening)
{
	struct cluster *cluster = opening->cluster;
	struct arena *arena = opening->ret->arena;

	cluster->kfp = address(arena, getenv(ENDPOINT), false);
	cluster->kind = CLUSTER_KIND_KFP;
	if (is_set("KF_PIPELINES_SA_TOKEN_PATH") || !access("/var/run/secrets/kubeflow/pipelines/token", R_OK))
		cluster->auth = CLUSTER_AUTH_AUDIENCE;
	return arena_printf(arena, "Kubeflow Pipelines at %s, for the variable " ENDPOINT " names it", cluster->kfp);
}

static const char *
find_argo(struct target_opening *opening)
{
	struct cluster *cluster = opening->cluster;
	struct arena *arena = opening->ret->arena;
	const char *secure = getenv("ARGO_SECURE");

	cluster->argo = address(arena, getenv("ARGO_SERVER"), !secure || strcmp(secure, "false") != 0);
	cluster->kind = CLUSTER_KIND_ARGO;
	cluster->insecure = is_set("ARGO_INSECURE_SKIP_VERIFY") && !strcmp(getenv("ARGO_INSECURE_SKIP_VERIFY"), "true");
	if (is_set("ARGO_TOKEN")) {
		cluster->token = variable(arena, "ARGO_TOKEN");
		cluster->auth = CLUSTER_AUTH_TOKEN;
	}
	if (!cluster->namespace_ && is_set("ARGO_NAMESPACE"))
		cluster->namespace_ = arena_strdup(arena, getenv("ARGO_NAMESPACE"));
	return arena_printf(arena, "the Argo server at %s, for the variable ARGO_SERVER names it", cluster->argo);
}

static int
find_kube(struct target_opening *opening, const char *why)
{
	struct cluster *cluster = opening->cluster;
	struct arena *arena = opening->ret->arena;
	enum cluster_kind kind;
	struct diag *d;

	if (target_open_kube(opening) < 0)
		return -1;
	if (cluster->kind == CLUSTER_KIND_UNSET || cluster->kind == CLUSTER_KIND_AUTO) {
		if (target_probe_kind(opening, &kind) < 0)
			return -1;
		cluster->kind = kind;
	}
	if (!cluster->in_cluster && opening->ret->config)
		cluster->context = opening->ret->config->context;
	if (cluster->kind == CLUSTER_KIND_UNSET) {
		d = diags_add(opening->diags, DIAG_L1016, opening->request->span, "`auto` found %s, and there is neither Argo Workflows nor Kubeflow Pipelines",
			why);
		diag_help(opening->diags, d, "declare the cluster that has one of them: `cluster prod { context \"…\" }`");
		return -1;
	}
	opening->ret->chosen = arena_printf(arena, "%s, where %s is", why,
		cluster->kind == CLUSTER_KIND_KFP ? "Kubeflow Pipelines" : "Argo Workflows");
	return 0;
}

int
target_find(struct target_opening *opening)
{
	struct cluster *cluster = opening->cluster;
	struct arena *arena = opening->ret->arena;
	struct kubeconfig_request request = { .path = NULL };
	struct kubeconfig config;
	struct error err = { "" };
	struct diag *d;
	int rc;

	if (is_set("KUBERNETES_SERVICE_HOST") && !access(ACCOUNT_TOKEN, R_OK)) {
		cluster->in_cluster = true;
		return find_kube(opening, "the cluster of the pod that Lateen runs in");
	}
	if (is_set(ENDPOINT)) {
		opening->ret->chosen = find_kfp(opening);
		return 0;
	}
	if (is_set("ARGO_SERVER")) {
		opening->ret->chosen = find_argo(opening);
		return 0;
	}
	rc = kubeconfig_load(&config, &request, &err);
	if (rc == 0)
		cluster->context = arena_strdup(arena, config.context);
	kubeconfig_release(&config);
	if (rc == 0)
		return find_kube(opening, arena_printf(arena, "the current context of the kubeconfig, `%s`", cluster->context));
	d = diags_add(opening->diags, DIAG_L1016, opening->request->span, "`auto` found no cluster");
	diag_note(opening->diags, d, "there is no service account of a pod, and neither " ENDPOINT " nor ARGO_SERVER is set");
	diag_note(opening->diags, d, "kubeconfig: %s", err.text);
	diag_help(opening->diags, d, "declare the cluster: `cluster prod { context \"…\" }`, or with `kubeconfig \"…\"`, `kfp \"https://…\"`, `argo \"https://…\"`");
	return -1;
}
