#include "config.h"

#include "runtime/cluster/kube.h"

#include <stdlib.h>
#include <string.h>

struct kube {
	struct api api;
	const struct kubeconfig *config;
	struct api_words words;
	struct credentials credentials;
	struct arena *arena; /* of the words */
};

static int
sign(struct api *api, bool renew, struct http_request *ret, struct error *err)
{
	struct kube *kube = (struct kube *)api;
	const struct kubeconfig *config = kube->config;

	ret->headers = config->headers;
	ret->n_headers = config->n_headers;
	ret->authority = config->authority;
	ret->server_name = config->server_name;
	ret->proxy = config->proxy;
	ret->insecure = config->insecure;
	return credentials_fill(&kube->credentials, renew, ret, err);
}

static bool
renewable(const struct api *api)
{
	return credentials_renewable(&((const struct kube *)api)->credentials);
}

static const struct api_ops ops = { .sign = sign, .renewable = renewable, .explain = kube_explain };

/* "the context `x` in `path`", or the pod's account. */
static const char *
place_of(const struct kubeconfig *config, struct arena *arena)
{
	return *config->context ? arena_printf(arena, "the context `%.100s` in `%.300s`", config->context, config->from) :
				  "the pod's service account";
}

static void
fill_words(struct api_words *ret, const struct kubeconfig *config, struct arena *arena)
{
	const char *place = place_of(config, arena);

	*ret = (struct api_words){
		.name = "the Kubernetes API",
		.server = "the API server",
		.a_server = "an API server",
		.address = arena_printf(arena, "`server` of %s", place),
		.place = place,
		.port = "the API server's own (443 or 6443 mostly)",
		.others = "the Argo server (port 2746 mostly) or of Kubeflow Pipelines",
		.reach = "does the cluster run, and does a way lead there from this network (VPN, firewall, `proxy-url`)?",
		.sign_in = "see whether `kubectl get namespaces` works: it signs in the same way",
		.expired = "whoever runs the cluster must renew it (with kubeadm: `kubeadm certs renew all`); unless this machine's clock is wrong",
		.authority = "write the kubeconfig anew, for `certificate-authority-data` must be this cluster's; a proxy that looks into TLS has an "
			"authority of its own, which can be put there",
		.other_name = arena_printf(arena, "give the cluster of %s the address that the certificate names, or its name as "
			"`tls-server-name`", place),
		.bad_client = "write the kubeconfig anew; a key must be without a password, and belong to its certificate",
	};
}

struct kube *
kube_new(const struct kubeconfig *config, struct http *http, const struct exec_plugin_limits *limits)
{
	struct kube *kube = xcalloc(1, sizeof *kube);

	kube->arena = arena_new();
	kube->config = config;
	fill_words(&kube->words, config, kube->arena);
	kube->api = (struct api){ .ops = &ops, .http = http, .server = config->server, .words = &kube->words, .stop = limits->stop,
		.context = limits->context };
	credentials_init(&kube->credentials, config, limits);
	return kube;
}

void
kube_free(struct kube *kube)
{
	if (!kube)
		return;
	credentials_release(&kube->credentials);
	arena_free(kube->arena);
	free(kube);
}

const struct kubeconfig *
kube_config(const struct kube *kube)
{
	return kube->config;
}

struct api *
kube_api(struct kube *kube)
{
	return &kube->api;
}

const struct value *
kube_call(struct kube *kube, const struct api_request *request, struct arena *arena, struct api_failure *ret_failure)
{
	return api_call(&kube->api, request, arena, ret_failure);
}

bool
kube_has_workflows(const struct value *answer)
{
	const struct value *resources = value_get(answer, "resources");

	for (size_t i = 0; resources && resources->kind == VALUE_LIST && i < resources->list.n; i++) {
		const char *name = value_text(value_get(resources->list.items[i], "name"));

		if (name && !strcmp(name, "workflows"))
			return true;
	}
	return false;
}
