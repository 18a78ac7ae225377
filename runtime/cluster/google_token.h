/* Tokens of Google's, by the application default credentials: the file that GOOGLE_APPLICATION_CREDENTIALS names, else the one that
 * `gcloud auth application-default login` writes, else the metadata server of the machine that we run on.
 *
 * A file of the kinds authorized_user (a refresh token) and service_account (a key, RS256) is taken; others are refused by name.
 * Nothing secret stands in an error. */
#ifndef RUNTIME_CLUSTER_GOOGLE_TOKEN_H
#define RUNTIME_CLUSTER_GOOGLE_TOKEN_H

#include "runtime/cluster/http.h"

enum {
	GOOGLE_FILE_MAX = 64 * 1024,
	GOOGLE_ANSWER_MAX = 256 * 1024,
	GOOGLE_LIFE = 3600, /* seconds that a token is asked for, the most that Google gives */
};

struct google_login {
	const char *file; /* NULL: as above */
	const char *metadata; /* "http://host"; NULL: GCE_METADATA_HOST, else Google's */
	const char *token_url; /* where a refresh token is exchanged; NULL: Google's */
	bool (*stop)(void *context); /* may be NULL */
	void *context;
};

/* Appends an access token (audience NULL) or an OpenID Connect identity token for that audience, which the caller wipes;
 * *ret_expires in seconds since 1970. */
int google_token(const struct google_login *login, struct http *http, const char *audience, struct buf *ret, int64_t *ret_expires,
		 struct error *err);

/* google_key.c: appends "header.claims.signature", RS256, of the claims' JSON, by a private key in PEM. */
int google_sign(const char *key, const char *key_id, const char *claims, struct buf *ret, struct error *err);

#endif
