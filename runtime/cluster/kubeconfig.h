/* Where a cluster is, and as whom one comes to it: from kubeconfig files as kubectl reads them, or from the service account of
 * the pod that we run in.
 *
 * Files are named by a path, else by KUBECONFIG (several with `:` between; missing ones are passed over; whoever names a context,
 * cluster or user first wins), else ~/.kube/config. Paths within a file are relative to it. What stands there is checked: a server
 * that is no URL, a token with a line break in it, both an authority and insecure, and ways of signing in that Kubernetes has
 * dropped are errors with a way out. Errors name files and fields, never what stands in a secret one. */
#ifndef RUNTIME_CLUSTER_KUBECONFIG_H
#define RUNTIME_CLUSTER_KUBECONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "runtime/cluster/http.h"

enum {
	KUBECONFIG_BYTES_MAX = 4 * 1024 * 1024, /* of one file */
	KUBECONFIG_FILES_MAX = 64,
	KUBECONFIG_PEM_MAX = 1024 * 1024,
	KUBECONFIG_TOKEN_MAX = 64 * 1024,
	KUBECONFIG_ARGS_MAX = 256, /* arguments and variables of a plugin */
};

struct kubeconfig_request {
	const char *path; /* a kubeconfig file that must be there; NULL: KUBECONFIG, else ~/.kube/config */
	const char *context; /* NULL: the current one */
	bool in_cluster; /* as the pod's service account instead */
	const char *account; /* its folder; NULL: where Kubernetes puts it */
};

/* A program that signs us in, by Kubernetes' client-go credential plugins, v1 and v1beta1. */
struct kubeconfig_exec {
	const char *command; /* NULL: no plugin */
	const char *folder; /* a command with a slash is relative to it: the file's */
	const char *const *args;
	size_t n_args;
	const char *const *env; /* "NAME=value", over ours */
	size_t n_env;
	const char *version; /* "client.authentication.k8s.io/v1" */
	const char *hint; /* how to install it, or NULL */
	bool wants_cluster; /* gets the cluster's address and authority */
};

struct kubeconfig {
	struct arena *arena; /* of all that follows */
	const char *context; /* "" within a pod */
	const char *from; /* for messages: the context's file, or "the pod's service account" */
	const char *server; /* "https://host:port", with a path perhaps; no `/` at the end */
	const char *namespace_; /* "default" where nothing says another */
	const char *server_name, *proxy; /* or NULL */
	bool insecure;
	struct http_pem authority, certificate, key;
	const char *token, *token_file; /* the file is read again for each request and goes before */
	const char *user, *password;
	const struct http_header *headers; /* of impersonation */
	size_t n_headers;
	struct kubeconfig_exec exec;
};

/* Release it in either case. */
int kubeconfig_load(struct kubeconfig *ret, const struct kubeconfig_request *request, struct error *err);
void kubeconfig_release(struct kubeconfig *config);

/* A bearer token from a file, without blanks at its end; NULL with *err set. */
const char *kubeconfig_read_token(struct arena *arena, const char *path, struct error *err);
/* May it stand in a header? Printable ASCII, not empty. */
bool kubeconfig_is_token(const char *text);

#endif
