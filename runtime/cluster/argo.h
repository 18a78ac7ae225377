/* A client of the Argo server's REST API (https://argo-workflows.readthedocs.io/en/latest/rest-api/): api.h with its address, its
 * bearer token and its way of refusing. Written to the published API of v3.4 to v4.1; no Argo server was at hand to try it on. */
#ifndef RUNTIME_CLUSTER_ARGO_H
#define RUNTIME_CLUSTER_ARGO_H

#include "dsl/expr.h"
#include "runtime/cluster/kube.h"

enum {
	ARGO_OBJECT_MAX = 128 * 1024 * 1024, /* bytes of one workflow: the server gives offloaded nodes too */
	ARGO_LIST_MAX = 64 * 1024 * 1024,
	ARGO_LIST_PAGE = 200,
};

/* All but `url` may be zero. Copied; what it points at is borrowed. */
struct argo_options {
	const char *url; /* "https://host:2746", with a path perhaps; no `/` at the end */
	const char *place; /* "the cluster `prod`", for messages */
	const char *page; /* address of its pages, if another */
	/* The token: of this reference; NULL: the variable ARGO_TOKEN, with "Bearer " or "Basic " before it or without; if that is not set,
	 * the one of this kubeconfig, for the server takes the cluster's own tokens; else none. */
	const struct secret *token;
	struct kube *kube;
	struct http_pem authority; /* trusted in place of the system's */
	bool insecure; /* its certificate is not looked at: Argo makes one by itself that nobody knows */
	bool (*stop)(void *context); /* may be NULL */
	void *context;
};

struct argo;

/* Borrows http. Never NULL. */
struct argo *argo_new(const struct argo_options *options, struct http *http);
void argo_free(struct argo *argo); /* NULL is fine */
struct api *argo_api(struct argo *argo);
const struct argo_options *argo_options(const struct argo *argo);

/* A refusal in words, for `explain` of api_ops; argo_failure.c. */
void argo_explain(struct api *api, const struct api_request *request, const struct http_reply *reply, const struct value *answer,
		  struct arena *arena, struct api_failure *ret);
/* The same of an error that came within a stream: {"grpc_code", "http_code", "message"} or {"code", "message"}. */
void argo_explain_error(const struct api *api, const struct value *error, struct arena *arena, struct api_failure *ret);

#endif
