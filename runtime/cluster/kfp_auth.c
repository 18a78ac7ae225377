#include "config.h"

#include "runtime/cluster/kfp_auth.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/base64.h"
#include "base/value.h"
#include "runtime/cluster/google_token.h"
#include "runtime/cluster/session.h"
#include "runtime/cluster/url.h"
#include "runtime/secrets.h"

#define AUDIENCE_PATH "/var/run/secrets/kubeflow/pipelines/token"

struct kfp_auth {
	const struct kfp_login *login;
	struct kfp_auth_site site;
	struct http *http;
	struct buf token, password, cookie;
	int64_t expires; /* of the token, seconds since 1970; 0: it does not say */
	struct cookies cookies;
	bool known; /* there is a token or a session */
	VEC(struct http_header) headers;
};

static void
forget(struct buf *buf)
{
	if (buf->data)
		explicit_bzero(buf->data, buf->cap);
	buf_release(buf);
}

struct kfp_auth *
kfp_auth_new(const struct kfp_login *login, const struct kfp_auth_site *site, struct http *http)
{
	struct kfp_auth *auth = xcalloc(1, sizeof *auth);

	auth->login = login;
	auth->site = *site;
	auth->http = http;
	return auth;
}

void
kfp_auth_free(struct kfp_auth *auth)
{
	if (!auth)
		return;
	forget(&auth->token);
	forget(&auth->password);
	forget(&auth->cookie);
	cookies_release(&auth->cookies);
	vec_release(&auth->headers);
	free(auth);
}

/* ---- one way each ---- */

static int
read_reference(const struct secret *secret, const char *what, struct buf *ret, struct error *err)
{
	int rc;

	forget(ret);
	if (!secret)
		return error_set(err, "no %s is given", what);
	rc = secret_read(secret, ret, err);
	if (rc > 0)
		return error_set(err, "the %s is not there", what);
	return rc ? error_prefix(err, "the %s cannot be read", what) : 0;
}

static int
read_file(struct kfp_auth *auth, const char *path, struct error *err)
{
	struct arena *arena = arena_new();
	const char *token = kubeconfig_read_token(arena, path, err);

	forget(&auth->token);
	if (token)
		buf_puts(&auth->token, token);
	arena_free(arena);
	return token ? 0 : -1;
}

static int
use_token(struct kfp_auth *auth, bool renew, struct error *err)
{
	const struct kfp_login *login = auth->login;

	if (login->token_file)
		return read_file(auth, login->token_file, err);
	if (auth->known && !renew)
		return 0;
	if (read_reference(login->token, "token", &auth->token, err))
		return -1;
	if (!kubeconfig_is_token(buf_text(&auth->token)))
		return error_set(err, "the token is none: it holds blanks, line ends or other characters that a token has not");
	return 0;
}

static bool
names(const struct value *aud, const char *wanted)
{
	const char *one = value_text(aud);

	if (one && !strcmp(one, wanted))
		return true;
	for (size_t i = 0; i < value_count(aud); i++) {
		one = value_text(value_item(aud, i));
		if (one && !strcmp(one, wanted))
			return true;
	}
	return false;
}

/* The claims of a JSON Web Token are its middle part; what is no such token passes, for the server to judge. */
static int
check_audience(struct kfp_auth *auth, const char *path, struct error *err)
{
	const char *wanted = auth->login->audience, *text = buf_text(&auth->token), *first = strchr(text, '.'), *second;
	struct arena *arena = arena_new();
	const struct value *claims = NULL, *aud;
	char *part, *bytes;
	size_t n;
	int rc = 0;

	second = first ? strchr(first + 1, '.') : NULL;
	if (wanted && second) {
		part = arena_strndup(arena, first + 1, (size_t)(second - first - 1));
		for (char *c = part; *c; c++)
			*c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
		bytes = base64_decode(arena, part, strlen(part), &n);
		claims = bytes ? value_read_json(arena, bytes, n, NULL) : NULL;
	}
	aud = value_get(claims, "aud");
	if (aud && !names(aud, wanted))
		rc = error_set(err, "the token in `%s` is not for `%.100s`", path, wanted);
	arena_free(arena);
	return rc;
}

static int
use_audience(struct kfp_auth *auth, struct error *err)
{
	const char *named = getenv("KF_PIPELINES_SA_TOKEN_PATH"), *path = auth->login->token_file;

	if (!path)
		path = named && *named ? named : AUDIENCE_PATH;
	return read_file(auth, path, err) ? -1 : check_audience(auth, path, err);
}

static int
use_google(struct kfp_auth *auth, bool renew, struct error *err)
{
	const struct kfp_login *login = auth->login;
	struct google_login google = { login->google_file, login->google_metadata, login->google_token_url, auth->site.stop, auth->site.context };
	bool old = auth->expires && auth->http->now(auth->http) / 1000 >= auth->expires - KFP_AUTH_EARLY;

	if (auth->known && !old && !renew)
		return 0;
	forget(&auth->token);
	if (login->kind == KFP_AUTH_IAP && !login->client_id)
		return error_set(err, "the OAuth client of the Identity-Aware Proxy is not given: `client_id \"….apps.googleusercontent.com\"`");
	return google_token(&google, auth->http, login->kind == KFP_AUTH_IAP ? login->client_id : NULL, &auth->token, &auth->expires, err);
}

static int
use_session(struct kfp_auth *auth, bool renew, struct error *err)
{
	const struct kfp_login *login = auth->login;
	struct session_request request = { .user = login->user, .authority = auth->site.authority, .insecure = auth->site.insecure,
		.stop = auth->site.stop, .context = auth->site.context };
	struct buf url = { 0 };
	int rc;

	if (auth->known && !renew)
		return 0;
	if (!login->user)
		return error_set(err, "no user name is given: `user \"…\"`");
	if (read_reference(login->password, "password", &auth->password, err))
		return -1;
	buf_printf(&url, "%s/", auth->site.url);
	request.url = buf_text(&url);
	request.password = buf_text(&auth->password);
	rc = session_sign_in(&request, auth->http, &auth->cookies, err);
	forget(&auth->password);
	buf_release(&url);
	return rc;
}

static int
use_basic(struct kfp_auth *auth, struct http_request *ret, struct error *err)
{
	if (!auth->login->user)
		return 0;
	if (read_reference(auth->login->password, "password", &auth->password, err))
		return -1;
	ret->user = auth->login->user;
	ret->password = buf_text(&auth->password);
	return 0;
}

static int
renew_credentials(struct kfp_auth *auth, bool renew, struct http_request *ret, struct error *err)
{
	switch (auth->login->kind) {
	case KFP_AUTH_PLAIN:
		return use_basic(auth, ret, err);
	case KFP_AUTH_TOKEN:
		return use_token(auth, renew, err);
	case KFP_AUTH_AUDIENCE:
		return use_audience(auth, err);
	case KFP_AUTH_DEX:
		return use_session(auth, renew, err);
	case KFP_AUTH_IAP:
	case KFP_AUTH_GCP:
		return use_google(auth, renew, err);
	case KFP_AUTH_KUBE:
		return kube_api(auth->login->kube)->ops->sign(kube_api(auth->login->kube), renew, ret, err);
	}
	BUG("kind %d", (int)auth->login->kind);
}

/* ---- all ---- */

/* Beside those that are there already. */
static void
add_headers(struct kfp_auth *auth, struct http_request *ret)
{
	const struct kfp_login *login = auth->login;

	auth->headers.n = 0;
	for (size_t i = 0; i < ret->n_headers; i++)
		vec_push(&auth->headers, ret->headers[i]);
	forget(&auth->cookie);
	cookies_write(&auth->cookies, url_is_secure(auth->site.url), &auth->cookie);
	if (auth->cookie.len)
		vec_push(&auth->headers, ((struct http_header){ "Cookie", buf_text(&auth->cookie) }));
	if (login->user_id)
		vec_push(&auth->headers, ((struct http_header){ login->user_header ? login->user_header : "kubeflow-userid", login->user_id }));
	ret->headers = auth->headers.items;
	ret->n_headers = auth->headers.n;
}

int
kfp_auth_sign(struct kfp_auth *auth, bool renew, struct http_request *ret, struct error *err)
{
	if (auth->login->user_id && !kubeconfig_is_token(auth->login->user_id))
		return error_set(err, "`user_id` holds blanks or other characters that a header cannot have");
	if (auth->login->kind != KFP_AUTH_KUBE) {
		ret->authority = auth->site.authority;
		ret->insecure = auth->site.insecure;
	}
	if (renew_credentials(auth, renew, ret, err)) {
		auth->known = false;
		return -1;
	}
	auth->known = true;
	if (auth->token.len)
		ret->token = buf_text(&auth->token);
	add_headers(auth, ret);
	return 0;
}

bool
kfp_auth_renewable(const struct kfp_auth *auth)
{
	switch (auth->login->kind) {
	case KFP_AUTH_PLAIN:
		return false;
	case KFP_AUTH_TOKEN:
		return auth->login->token_file;
	case KFP_AUTH_AUDIENCE:
	case KFP_AUTH_DEX:
	case KFP_AUTH_IAP:
	case KFP_AUTH_GCP:
		return true;
	case KFP_AUTH_KUBE:
		return api_renewable(kube_api(auth->login->kube));
	}
	BUG("kind %d", (int)auth->login->kind);
}

bool
kfp_auth_is_refusal(const struct kfp_auth *auth, const struct http_reply *reply)
{
	return reply->status == 401 || (auth->login->kind == KFP_AUTH_DEX && session_is_sign_in(reply));
}

const char *
kfp_auth_help(const struct kfp_auth *auth)
{
	switch (auth->login->kind) {
	case KFP_AUTH_PLAIN:
		return "it wants to be signed in to: `auth dex` with `user` and `password`, `auth token`, `auth gcp` or `auth iap`, as it is set up";
	case KFP_AUTH_TOKEN:
		return "the token is not valid, or no longer: get a new one";
	case KFP_AUTH_AUDIENCE:
		return "the service account's token is not for this server: its audience must be `pipelines.kubeflow.org`, or what the server is set up for";
	case KFP_AUTH_DEX:
		return "see whether the same user name and password work in a browser";
	case KFP_AUTH_IAP:
		return "check `client_id`, and that the account has the role `IAP-secured Web App User`";
	case KFP_AUTH_GCP:
		return "sign in again (`gcloud auth application-default login`), and see whether the account may use this Kubeflow";
	case KFP_AUTH_KUBE:
		return "see whether `kubectl get namespaces` works: it signs in the same way";
	}
	BUG("kind %d", (int)auth->login->kind);
}
