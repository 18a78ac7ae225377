/* Signing in at a web page with a user name and a password, as a browser would, for servers that let in whoever brings the cookie of
 * a session: Kubeflow with dex behind its gateway (oidc-authservice or oauth2-proxy).
 *
 * The first page is asked for; redirects are followed, but only to the same site and never from https to http; dex's choice of a
 * connector, its form and its approval are answered; what comes last is the cookie. The password goes into a form of the same site
 * and nowhere else, and stands in no error. */
#ifndef RUNTIME_CLUSTER_SESSION_H
#define RUNTIME_CLUSTER_SESSION_H

#include "runtime/cluster/cookies.h"
#include "runtime/cluster/http.h"

enum {
	SESSION_HOPS_MAX = 20,
	SESSION_TIMEOUT = 60000, /* milliseconds, for all of a sign-in */
	SESSION_PAGE_MAX = 1024 * 1024, /* bytes of a page */
};

struct session_request {
	const char *url; /* of the first page */
	const char *user, *password;
	struct http_pem authority;
	bool insecure;
	bool (*stop)(void *context); /* may be NULL */
	void *context;
};

/* Fills *ret with fresh cookies; -1 with *err set. */
int session_sign_in(const struct session_request *request, struct http *http, struct cookies *ret, struct error *err);
/* Is that no answer of an API, but the way to a sign-in? */
bool session_is_sign_in(const struct http_reply *reply);

#endif
