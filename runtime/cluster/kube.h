/* A small client of the Kubernetes API: api.h with a kubeconfig's address, trust and credentials, and Kubernetes' way of refusing. */
#ifndef RUNTIME_CLUSTER_KUBE_H
#define RUNTIME_CLUSTER_KUBE_H

#include "runtime/cluster/api.h"
#include "runtime/cluster/credentials.h"

struct kube;

/* Borrows both. */
struct kube *kube_new(const struct kubeconfig *config, struct http *http, const struct exec_plugin_limits *limits);
void kube_free(struct kube *kube); /* NULL is fine */
const struct kubeconfig *kube_config(const struct kube *kube);
/* For what api.h does; the kube's. */
struct api *kube_api(struct kube *kube);

/* api_call. */
const struct value *kube_call(struct kube *kube, const struct api_request *request, struct arena *arena, struct api_failure *ret_failure);

/* A refusal in words, for `explain` of api_ops; kube_failure.c. */
void kube_explain(struct api *api, const struct api_request *request, const struct http_reply *reply, const struct value *answer,
		  struct arena *arena, struct api_failure *ret);

/* Is Argo installed? The answer to a GET of /apis/argoproj.io/v1alpha1. */
bool kube_has_workflows(const struct value *answer);

#endif
