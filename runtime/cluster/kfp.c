#include "config.h"

#include "runtime/cluster/kfp.h"

#include <stdlib.h>
#include <string.h>

struct kfp {
	struct api api;
	struct kfp_options options;
	struct api_words words;
	struct kfp_auth *auth;
	struct arena *arena; /* of the words and the address */
};

static int
sign(struct api *api, bool renew, struct http_request *ret, struct error *err)
{
	return kfp_auth_sign(((struct kfp *)api)->auth, renew, ret, err);
}

static bool
renewable(const struct api *api)
{
	return kfp_auth_renewable(((const struct kfp *)api)->auth);
}

static bool
asks_who(const struct api *api, const struct http_reply *reply)
{
	return kfp_auth_is_refusal(((const struct kfp *)api)->auth, reply);
}

static const struct api_ops ops = { .sign = sign, .renewable = renewable, .asks_who = asks_who, .explain = kfp_explain };

static void
fill_words(struct kfp *kfp)
{
	const char *place = kfp->options.place ? kfp->options.place : "the cluster";
	bool proxied = kfp->options.login.kind == KFP_AUTH_KUBE;

	kfp->words = (struct api_words){
		.name = "the API of Kubeflow Pipelines",
		.server = "Kubeflow Pipelines",
		.a_server = "Kubeflow Pipelines",
		.address = proxied ? kube_api(kfp->options.login.kube)->words->address : arena_printf(kfp->arena, "`kfp` of %s", place),
		.place = place,
		.port = "the port of Kubeflow's pages or of `ml-pipeline` (8888)",
		.others = "the Kubernetes API or of the Argo server",
		.reach = "does Kubeflow Pipelines run, and does a way lead there from this network (VPN, firewall, a `kubectl port-forward` that must go on)?",
		.sign_in = kfp_auth_help(kfp->auth),
		.expired = "whoever runs Kubeflow must renew it; unless this machine's clock is wrong",
		.authority = "name the authority's certificates in a file, and that file in the variable SSL_CERT_FILE",
		.other_name = "use the address that the certificate names",
		.bad_client = "write the kubeconfig anew; a key must be without a password, and belong to its certificate",
	};
}

/* Through the API server, the path of its service proxy stands before Kubeflow's own. */
static const char *
address_of(struct kfp *kfp)
{
	const struct kfp_options *options = &kfp->options;

	if (options->login.kind != KFP_AUTH_KUBE)
		return options->url;
	return arena_printf(kfp->arena, "%s/api/v1/namespaces/%s/services/ml-pipeline:http/proxy", kube_api(options->login.kube)->server,
			    api_escaped(kfp->arena, options->service_namespace ? options->service_namespace : "kubeflow"));
}

struct kfp *
kfp_new(const struct kfp_options *options, struct http *http)
{
	struct kfp *kfp = xcalloc(1, sizeof *kfp);
	struct kfp_auth_site site = { .authority = options->authority, .insecure = options->insecure, .stop = options->stop,
		.context = options->context };

	kfp->options = *options;
	kfp->arena = arena_new();
	site.url = address_of(kfp);
	kfp->auth = kfp_auth_new(&kfp->options.login, &site, http);
	fill_words(kfp);
	kfp->api = (struct api){ .ops = &ops, .http = http, .server = site.url, .words = &kfp->words, .stop = options->stop,
		.context = options->context };
	return kfp;
}

void
kfp_free(struct kfp *kfp)
{
	if (!kfp)
		return;
	kfp_auth_free(kfp->auth);
	arena_free(kfp->arena);
	free(kfp);
}

struct api *
kfp_api(struct kfp *kfp)
{
	return &kfp->api;
}

const struct kfp_options *
kfp_options(const struct kfp *kfp)
{
	return &kfp->options;
}

const struct kfp_auth *
kfp_auth_of(const struct kfp *kfp)
{
	return kfp->auth;
}

const struct value *
kfp_get(struct kfp *kfp, const char *path, size_t max, struct arena *arena, struct api_failure *ret_failure)
{
	const struct api_request request = { .method = "GET", .path = path, .max = max, .repeatable = true };

	return api_call(&kfp->api, &request, arena, ret_failure);
}

const struct value *
kfp_post(struct kfp *kfp, const char *path, const struct value *body, struct arena *arena, struct api_failure *ret_failure)
{
	const struct api_request request = { .method = "POST", .path = path, .body = body ? body : value_dict(arena, NULL, NULL, 0) };

	return api_call(&kfp->api, &request, arena, ret_failure);
}

const char *
kfp_filter(struct arena *arena, const char *key, const char *text)
{
	struct buf filter = { 0 };
	const char *ret;

	buf_printf(&filter, "{\"predicates\":[{\"key\":\"%s\",\"op\":\"EQUALS\",\"string_value\":", key);
	value_write_json_string(&filter, text, strlen(text));
	buf_puts(&filter, "}]}");
	ret = arena_printf(arena, "filter=%s", api_escaped(arena, buf_text(&filter)));
	buf_release(&filter);
	return ret;
}
