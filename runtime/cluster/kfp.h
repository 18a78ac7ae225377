/* A client of Kubeflow Pipelines' API server: api.h with its address and ways of signing in, and its way of refusing. Made for 2.17;
 * it speaks v1beta1, by which alone Argo workflows get parameters. */
#ifndef RUNTIME_CLUSTER_KFP_H
#define RUNTIME_CLUSTER_KFP_H

#include "runtime/cluster/kfp_auth.h"

#define KFP_V1 "/apis/v1beta1"

enum {
	KFP_PARAMETERS_MAX = 10000, /* bytes of a run's parameters as JSON; the server's MAX_PARAMETER_BYTES may be another */
	KFP_UPLOAD_MAX = 32 * 1024 * 1024, /* bytes of a package */
	KFP_LIST_PAGE = 20, /* each comes with its whole manifest */
	KFP_LIST_BYTES_MAX = 64 * 1024 * 1024,
	KFP_RUN_BYTES_MAX = 160 * 1024 * 1024, /* of one run, whose workflow is text within the JSON */
};

/* All but login.kube and texts may be zero; it is copied, what it points at is borrowed. */
struct kfp_options {
	const char *url; /* "https://host/pipeline"; no `/` at the end. NULL with login.kube: by the API server's service proxy */
	const char *service_namespace; /* where Kubeflow Pipelines is, for that proxy; NULL: kubeflow */
	const char *namespace_; /* where runs are, in a Kubeflow of several users; NULL or "": it has one user */
	const char *page; /* address of its pages; NULL: from `url` */
	const char *place; /* "the cluster `prod`", for messages */
	struct http_pem authority; /* trusted in place of the system's */
	bool insecure;
	struct kfp_login login;
	bool (*stop)(void *context); /* may be NULL */
	void *context;
};

struct kfp;

/* Borrows http. Never NULL. */
struct kfp *kfp_new(const struct kfp_options *options, struct http *http);
void kfp_free(struct kfp *kfp); /* NULL is fine */
struct api *kfp_api(struct kfp *kfp);
const struct kfp_options *kfp_options(const struct kfp *kfp);

/* GET of a path, which may be repeated; NULL with *ret_failure set. `max` 0: as http has it. */
const struct value *kfp_get(struct kfp *kfp, const char *path, size_t max, struct arena *arena, struct api_failure *ret_failure);
/* POST of a body (NULL: an empty one), which may not. */
const struct value *kfp_post(struct kfp *kfp, const char *path, const struct value *body, struct arena *arena,
			     struct api_failure *ret_failure);
/* "?a=b" … for lists: "&filter=…" for the key's being that text. */
const char *kfp_filter(struct arena *arena, const char *key, const char *text);

/* kfp_failure.c; of api_ops. */
void kfp_explain(struct api *api, const struct api_request *request, const struct http_reply *reply, const struct value *answer,
		 struct arena *arena, struct api_failure *ret);
const struct kfp_auth *kfp_auth_of(const struct kfp *kfp);

#endif
