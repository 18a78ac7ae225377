/* How one comes into a Kubeflow Pipelines server: what each request gets of credentials, fresh when the last ones have expired or were
 * not taken. Where several are given, they go together: a header of who we are beside any of the ways.
 *
 * A token or password is read where its reference says, when it is needed, and stands in no error. */
#ifndef RUNTIME_CLUSTER_KFP_AUTH_H
#define RUNTIME_CLUSTER_KFP_AUTH_H

#include <stdint.h>

#include "dsl/expr.h"
#include "runtime/cluster/kube.h"

enum { KFP_AUTH_EARLY = 60 }; /* seconds before its end that a token is asked for again */

enum kfp_auth_kind {
	KFP_AUTH_PLAIN, /* nothing; or user and password by basic authentication */
	KFP_AUTH_TOKEN, /* a bearer token, by reference or from a file that is read for each request */
	KFP_AUTH_AUDIENCE, /* the pod's service account token for Kubeflow, from a file that the kubelet renews */
	KFP_AUTH_DEX, /* user and password at a sign-in page, then a cookie */
	KFP_AUTH_IAP, /* Google's Identity-Aware Proxy: an identity token for its OAuth client */
	KFP_AUTH_GCP, /* an access token by Google's application default credentials */
	KFP_AUTH_KUBE, /* the kubeconfig's, for the API server through which one comes to it */
};

struct kfp_login {
	enum kfp_auth_kind kind;
	const struct secret *token, *password; /* or NULL */
	const char *token_file; /* of KFP_AUTH_TOKEN in place of `token`; of KFP_AUTH_AUDIENCE: NULL: KF_PIPELINES_SA_TOKEN_PATH, else
				 * where Kubeflow mounts it */
	const char *audience; /* whom the token of KFP_AUTH_AUDIENCE must be for; NULL: that is the server's to say */
	const char *user;
	const char *client_id; /* of KFP_AUTH_IAP */
	const char *user_id; /* whom a Kubeflow of several users is told; NULL: it is not told */
	const char *user_header; /* in that header; NULL: kubeflow-userid */
	const char *google_file, *google_metadata, *google_token_url; /* as in google_login; NULL mostly */
	struct kube *kube; /* of KFP_AUTH_KUBE; borrowed */
};

struct kfp_auth_site {
	const char *url; /* of the server */
	struct http_pem authority; /* trusted in place of the system's */
	bool insecure;
	bool (*stop)(void *context); /* may be NULL */
	void *context;
};

struct kfp_auth;

/* Borrows all. */
struct kfp_auth *kfp_auth_new(const struct kfp_login *login, const struct kfp_auth_site *site, struct http *http);
void kfp_auth_free(struct kfp_auth *auth); /* NULL is fine */
/* As `sign` of api_ops. */
int kfp_auth_sign(struct kfp_auth *auth, bool renew, struct http_request *ret, struct error *err);
bool kfp_auth_renewable(const struct kfp_auth *auth);
/* Does the answer say that the cookie is none, or no longer? */
bool kfp_auth_is_refusal(const struct kfp_auth *auth, const struct http_reply *reply);
/* What to try when the server does not accept who we are. */
const char *kfp_auth_help(const struct kfp_auth *auth);

#endif
