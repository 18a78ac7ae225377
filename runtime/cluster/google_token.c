#include "config.h"

#include "runtime/cluster/google_token.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/value.h"
#include "runtime/cluster/api.h"
#include "runtime/cluster/kubeconfig.h"
#include "runtime/cluster/url.h"

#define TOKEN_URL "https://oauth2.googleapis.com/token"
#define METADATA "http://metadata.google.internal"
#define ACCOUNT "/computeMetadata/v1/instance/service-accounts/default/"
#define SCOPE "https://www.googleapis.com/auth/cloud-platform"

/* What one token is got with. */
struct grant {
	const struct google_login *login;
	struct http *http;
	const char *audience; /* of an identity token; NULL: an access token */
	struct arena *arena; /* holds secrets: the request's only */
	const char *path; /* of the credentials' file */
	struct buf *ret;
	int64_t *ret_expires;
	struct error *err;
};

static const char *print(struct grant *grant, const char *format, ...) PRINTF_LIKE(2, 3);

static const char *
print(struct grant *grant, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = arena_vprintf(grant->arena, format, args);
	va_end(args);
	return text;
}

/* ---- asking ---- */

/* The answer's body goes to the arena; NULL with err set. */
static const char *
ask(struct grant *grant, struct http_request *request, const char *whose, size_t *ret_len)
{
	struct http_reply reply = { 0 };
	struct error why = { "" };
	const char *body = NULL;
	enum http_outcome outcome;

	request->max = GOOGLE_ANSWER_MAX;
	request->stop = grant->login->stop;
	request->context = grant->login->context;
	outcome = grant->http->exchange(grant->http, request, &reply, &why);
	if (outcome != HTTP_ANSWERED) {
		error_set(grant->err, "%s, `%s`, does not answer: %s", whose, url_host(grant->arena, request->url), why.text);
	} else if (reply.status != 200) {
		const struct value *answer = value_read_json(grant->arena, buf_text(&reply.body), reply.body.len, NULL);
		const char *said = value_text(value_get(answer, "error_description"));

		if (!said)
			said = value_text(value_get(answer, "error"));
		error_set(grant->err, "%s, `%s`, gives no token (%ld)%s%.300s", whose, url_host(grant->arena, request->url), reply.status,
			said ? ": " : "", said ? said : "");
	} else {
		body = arena_strndup(grant->arena, buf_text(&reply.body), reply.body.len);
		*ret_len = reply.body.len;
	}
	if (reply.body.data)
		explicit_bzero(reply.body.data, reply.body.len);
	http_reply_release(&reply);
	return body;
}

static int
take_token(struct grant *grant, const char *token, int64_t life, const char *whose)
{
	if (!token || !kubeconfig_is_token(token) || strlen(token) > KUBECONFIG_TOKEN_MAX)
		return error_set(grant->err, "%s answered without a token", whose);
	buf_puts(grant->ret, token);
	*grant->ret_expires = grant->http->now(grant->http) / 1000 + (life > 0 ? life : GOOGLE_LIFE);
	return 0;
}

/* {"access_token", "expires_in"} or {"id_token"}. */
static int
take_answer(struct grant *grant, const char *body, size_t len, const char *whose)
{
	const struct value *answer = value_read_json(grant->arena, body, len, NULL), *life = value_get(answer, "expires_in");

	return take_token(grant, value_text(value_get(answer, grant->audience ? "id_token" : "access_token")),
			  life && life->kind == VALUE_INTEGER ? life->integer : 0, whose);
}

static int
post(struct grant *grant, const char *url, struct buf *form, const char *whose)
{
	struct http_request request = { .method = "POST", .url = url, .content_type = "application/x-www-form-urlencoded",
		.body = buf_text(form), .body_len = form->len };
	size_t len = 0;
	const char *body = ask(grant, &request, whose, &len);

	explicit_bzero(form->data, form->cap);
	buf_release(form);
	return body ? take_answer(grant, body, len, whose) : -1;
}

/* ---- files ---- */

static int
by_refresh_token(struct grant *grant, const struct value *file)
{
	static const char *const keys[] = { "client_id", "client_secret", "refresh_token" };
	const char *url = grant->login->token_url ? grant->login->token_url : TOKEN_URL;
	struct buf form = { 0 };

	if (grant->audience)
		return error_set(grant->err, "the credentials in `%s` are a person's, for which Google gives no identity token: use a service account's "
			"key, or run on a machine of Google's", grant->path);
	buf_puts(&form, "grant_type=refresh_token");
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const char *text = value_text(value_get(file, keys[i]));

		if (!text) {
			buf_release(&form);
			return error_set(grant->err, "`%s` has no `%s`", grant->path, keys[i]);
		}
		buf_printf(&form, "&%s=", keys[i]);
		api_write_escaped(&form, text);
	}
	return post(grant, url, &form, "Google's token service");
}

/* RFC 7523; with `target_audience` Google answers with an identity token. */
static const char *
claims_of(struct grant *grant, const char *email, const char *url)
{
	int64_t now = grant->http->now(grant->http) / 1000;
	const char *keys[] = { "iss", "sub", "aud", grant->audience ? "target_audience" : "scope", "iat", "exp" };
	const struct value *items[] = { value_string(grant->arena, email), value_string(grant->arena, email), value_string(grant->arena, url),
		value_string(grant->arena, grant->audience ? grant->audience : SCOPE), value_integer(grant->arena, now),
		value_integer(grant->arena, now + GOOGLE_LIFE) };
	struct buf text = { 0 };
	const char *ret;

	value_write_json(&text, value_dict(grant->arena, keys, items, ARRAY_LEN(keys)));
	ret = arena_strdup(grant->arena, buf_text(&text));
	buf_release(&text);
	return ret;
}

static int
by_key(struct grant *grant, const struct value *file)
{
	const char *email = value_text(value_get(file, "client_email")), *key = value_text(value_get(file, "private_key"));
	const char *url = value_text(value_get(file, "token_uri")), *given = grant->login->token_url;
	struct buf form = { 0 }, assertion = { 0 };
	int rc;

	if (given || !url)
		url = given ? given : TOKEN_URL;
	if (!email || !key)
		return error_set(grant->err, "`%s` is no whole key of a service account: `%s` is missing", grant->path, email ? "private_key" : "client_email");
	if (!given && !url_is_secure(url))
		return error_set(grant->err, "`token_uri` of `%s` is no https address", grant->path);
	if (google_sign(key, value_text(value_get(file, "private_key_id")), claims_of(grant, email, url), &assertion, grant->err)) {
		buf_release(&assertion);
		return error_prefix(grant->err, "`%s`", grant->path);
	}
	buf_puts(&form, "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=");
	api_write_escaped(&form, buf_text(&assertion));
	rc = post(grant, url, &form, "Google's token service");
	explicit_bzero(assertion.data, assertion.cap);
	buf_release(&assertion);
	return rc;
}

static int
by_file(struct grant *grant)
{
	FILE *file = fopen(grant->path, "re");
	char *text = arena_alloc(grant->arena, GOOGLE_FILE_MAX + 1);
	const struct value *root;
	const char *type;
	size_t n;

	if (!file)
		return error_errno(grant->err, errno, "cannot open Google's credentials `%s`", grant->path);
	n = fread(text, 1, GOOGLE_FILE_MAX + 1, file);
	fclose(file);
	root = n <= GOOGLE_FILE_MAX ? value_read_json(grant->arena, text, n, NULL) : NULL;
	explicit_bzero(text, n);
	type = value_text(value_get(root, "type"));
	if (!type)
		return error_set(grant->err, "`%s` holds no credentials of Google's", grant->path);
	if (!strcmp(type, "authorized_user"))
		return by_refresh_token(grant, root);
	if (!strcmp(type, "service_account"))
		return by_key(grant, root);
	return error_set(grant->err, "the credentials in `%s` are of the kind `%.60s`, which is not known here: `gcloud auth application-default login` "
		"makes such as are", grant->path, type);
}

/* ---- the metadata server ---- */

static int
by_metadata(struct grant *grant)
{
	static const struct http_header header = { "Metadata-Flavor", "Google" };
	const char *host = getenv("GCE_METADATA_HOST"), *base = grant->login->metadata;
	struct http_request request = { .method = "GET", .headers = &header, .n_headers = 1, .accept = "*/*" };
	struct buf url = { 0 };
	size_t len = 0;
	const char *body;

	if (!base)
		base = host && *host ? print(grant, "http://%s", host) : METADATA;
	buf_printf(&url, "%s" ACCOUNT "%s", base, grant->audience ? "identity?format=full&audience=" : "token");
	if (grant->audience)
		api_write_escaped(&url, grant->audience);
	request.url = buf_text(&url);
	body = ask(grant, &request, "Google's metadata server", &len);
	buf_release(&url);
	if (!body)
		return error_prefix(grant->err, "there is no file of Google's application default credentials, and");
	if (!grant->audience)
		return take_answer(grant, body, len, "Google's metadata server");
	len = strcspn(body, "\r\n");
	return take_token(grant, arena_strndup(grant->arena, body, len), 0, "Google's metadata server");
}

/* ---- which ---- */

/* Where the file is; NULL: there is none. */
static const char *
find_file(struct grant *grant)
{
	const char *named = grant->login->file ? grant->login->file : getenv("GOOGLE_APPLICATION_CREDENTIALS");
	const char *folder = getenv("CLOUDSDK_CONFIG"), *home = getenv("HOME"), *path;
	FILE *file;

	if (named && *named)
		return named;
	if (folder && *folder)
		path = print(grant, "%s/application_default_credentials.json", folder);
	else if (home && *home)
		path = print(grant, "%s/.config/gcloud/application_default_credentials.json", home);
	else
		return NULL;
	file = fopen(path, "re");
	if (!file)
		return errno == ENOENT || errno == ENOTDIR ? NULL : path;
	fclose(file);
	return path;
}

int
google_token(const struct google_login *login, struct http *http, const char *audience, struct buf *ret, int64_t *ret_expires,
	     struct error *err)
{
	struct grant grant = { .login = login, .http = http, .audience = audience, .arena = arena_new(), .ret = ret, .ret_expires = ret_expires,
		.err = err };
	int rc;

	grant.path = find_file(&grant);
	rc = grant.path ? by_file(&grant) : by_metadata(&grant);
	arena_free(grant.arena);
	return rc;
}
