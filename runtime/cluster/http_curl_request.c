/* One request as libcurl is told it, and what came of it; for exchanges and streams. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/http_curl_private.h"

/* Codes of OpenSSL's X509_V_ERR_…, which libcurl hands on as they are. */
enum { EARLY = 9, EXPIRED = 10, SELF_SIGNED = 18, SELF_SIGNED_IN_CHAIN = 19, NO_ISSUER = 20, NO_LEAF_SIGNATURE = 21 };

/* ---- options ---- */

static void
add_header(struct http_curl_request *r, const char *name, const char *value)
{
	struct buf line = { 0 };
	struct curl_slist *list;

	buf_printf(&line, "%s: %s", name, value);
	list = r->curl->list_append(r->headers, buf_text(&line));
	if (!list)
		BUG("no memory for a header");
	r->headers = list;
	if (line.len)
		explicit_bzero(line.data, line.len);
	buf_release(&line);
}

static void
set_pem(struct http_curl_request *r, CURLoption option, const struct http_pem *pem)
{
	struct curl_blob blob = { (void *)(uintptr_t)pem->text, pem->len, CURL_BLOB_COPY };

	if (pem->text)
		http_curl_must(r, option, &blob);
}

/* libcurl takes the name in the certificate from the URL, so the URL gets that name, and the connection is led to the true
 * host. */
static void
set_url(struct http_curl_request *r, const struct http_request *request)
{
	const char *host = strstr(request->url, "://"), *end, *port;
	struct buf to = { 0 }, host_header = { 0 };

	if (!request->server_name || !host) {
		buf_puts(&r->url, request->url);
		return;
	}
	host += 3;
	end = host + strcspn(host, "/?#");
	port = *host == '[' ? memchr(host, ']', (size_t)(end - host)) : host;
	port = port ? memchr(port, ':', (size_t)(end - port)) : NULL;
	buf_add(&r->url, request->url, (size_t)(host - request->url));
	buf_puts(&r->url, request->server_name);
	buf_add(&r->url, port ? port : end, (size_t)(end - (port ? port : end)));
	buf_puts(&r->url, end);
	buf_puts(&to, "::");
	buf_add(&to, host, (size_t)((port ? port : end) - host));
	buf_add(&to, port ? port : end, (size_t)(end - (port ? port : end)));
	if (!port)
		buf_putc(&to, ':');
	r->connect_to = r->curl->list_append(NULL, buf_text(&to));
	if (!r->connect_to)
		BUG("no memory for an address");
	buf_add(&host_header, host, (size_t)(end - host));
	add_header(r, "Host", buf_text(&host_header));
	http_curl_must(r, CURLOPT_CONNECT_TO, r->connect_to);
	buf_release(&to);
	buf_release(&host_header);
}

static void
set_credentials(struct http_curl_request *r, const struct http_request *request)
{
	struct buf text = { 0 };

	if (request->token) {
		buf_printf(&text, "Bearer %s", request->token);
		add_header(r, "Authorization", buf_text(&text));
		explicit_bzero(text.data, text.len);
		buf_release(&text);
	} else if (request->user) {
		http_curl_must(r, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		http_curl_must(r, CURLOPT_USERNAME, request->user);
		http_curl_must(r, CURLOPT_PASSWORD, request->password ? request->password : "");
	}
	set_pem(r, CURLOPT_SSLCERT_BLOB, &request->certificate);
	set_pem(r, CURLOPT_SSLKEY_BLOB, &request->key);
}

static void
set_trust(struct http_curl_request *r, const struct http_request *request)
{
	const char *file = getenv("SSL_CERT_FILE");

	http_curl_must(r, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	http_curl_must(r, CURLOPT_SSL_VERIFYPEER, request->insecure ? 0L : 1L);
	http_curl_must(r, CURLOPT_SSL_VERIFYHOST, request->insecure ? 0L : 2L);
	if (request->insecure)
		return;
	if (request->authority.text) {
		set_pem(r, CURLOPT_CAINFO_BLOB, &request->authority);
		r->curl->setopt(r->handle, CURLOPT_CAPATH, NULL);
	} else if (file && *file) {
		http_curl_must(r, CURLOPT_CAINFO, file);
	}
}

static size_t
give_body(char *ret, size_t size, size_t count, void *context)
{
	struct http_curl_request *r = context;
	size_t left = r->body_len - r->body_sent, len = size * count < left ? size * count : left;

	memcpy(ret, r->body + r->body_sent, len);
	r->body_sent += len;
	return len;
}

/* libcurl asks for this to send a request a second time, when a connection that stood already turns out to be dead. Whether the
 * first was carried out is not known then, so it is for the caller to decide. */
static int
refuse_again(void *context, curl_off_t offset, int origin)
{
	const struct http_curl_request *r = context;

	return !r->body_sent && !offset && origin == SEEK_SET ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

static void
set_body(struct http_curl_request *r, const struct http_request *request)
{
	if (request->body) {
		r->body = request->body;
		r->body_len = request->body_len;
		http_curl_must(r, CURLOPT_POST, 1L);
		http_curl_must(r, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
		http_curl_must(r, CURLOPT_READFUNCTION, give_body);
		http_curl_must(r, CURLOPT_READDATA, r);
		http_curl_must(r, CURLOPT_SEEKFUNCTION, refuse_again);
		http_curl_must(r, CURLOPT_SEEKDATA, r);
		add_header(r, "Content-Type", request->content_type ? request->content_type : "application/json");
		add_header(r, "Expect", "");
	} else if (strcmp(request->method, "GET") != 0) {
		/* Without a body nothing would keep it from being sent again. */
		http_curl_must(r, CURLOPT_FRESH_CONNECT, 1L);
	}
	http_curl_must(r, CURLOPT_CUSTOMREQUEST, request->method);
}

static void
set_headers(struct http_curl_request *r, const struct http_request *request)
{
	/* No Accept-Encoding: the API server never compresses a watch, and what is large in Argo's objects is compressed already. */
	add_header(r, "Accept", request->accept ? request->accept : "application/json");
	for (size_t i = 0; i < request->n_headers; i++)
		add_header(r, request->headers[i].name, request->headers[i].value);
	http_curl_must(r, CURLOPT_HTTPHEADER, r->headers);
}

static void
set_options(struct http_curl_request *r, const struct http_request *request)
{
	set_url(r, request);
	http_curl_must(r, CURLOPT_URL, buf_text(&r->url));
	http_curl_must(r, CURLOPT_NOSIGNAL, 1L);
	http_curl_must(r, CURLOPT_FOLLOWLOCATION, 0L);
	http_curl_must(r, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_REACH_TIMEOUT);
	http_curl_must(r, CURLOPT_USERAGENT, "lateen/" PACKAGE_VERSION);
	http_curl_must(r, CURLOPT_ERRORBUFFER, r->words);
	http_curl_must(r, CURLOPT_PRIVATE, r);
	http_curl_must(r, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	/* Wait for a connection that is being made if it could serve this one too, as with HTTP/2. */
	http_curl_must(r, CURLOPT_PIPEWAIT, 1L);
	if (request->proxy)
		http_curl_must(r, CURLOPT_PROXY, request->proxy);
	set_trust(r, request);
	set_credentials(r, request);
	set_body(r, request);
	set_headers(r, request);
}

void
http_curl_request_begin(struct http_curl_request *r, const struct curl_library *curl, const struct http_request *request)
{
	*r = (struct http_curl_request){ .curl = curl, .handle = curl->init() };
	if (!r->handle)
		BUG("no memory for a request");
	set_options(r, request);
}

enum http_outcome
http_curl_request_add(struct http_curl_request *r, struct http_curl *owner, struct error *err)
{
	if (r->missing) {
		error_set(err, "this libcurl is too old, or a proxy or certificate is one that it cannot use; 7.77 or later is needed");
		return HTTP_NO_LIBRARY;
	}
	if (http_curl_ticks() < owner->distrust)
		r->curl->setopt(r->handle, CURLOPT_FRESH_CONNECT, 1L);
	if (owner->curl.multi_add(owner->multi, r->handle) != CURLM_OK)
		BUG("a request cannot be added");
	r->added = true;
	return HTTP_ANSWERED;
}

void
http_curl_distrust(struct http_curl *owner, struct http_curl_request *r)
{
	enum { LONG = 180 * 1000 }; /* until TCP has noticed */

	owner->distrust = http_curl_ticks() + LONG;
	r->curl->setopt(r->handle, CURLOPT_FORBID_REUSE, 1L);
}

void
http_curl_request_end(struct http_curl_request *r, struct http_curl *owner)
{
	if (!r->handle)
		return;
	if (r->added)
		owner->curl.multi_remove(owner->multi, r->handle);
	r->curl->cleanup(r->handle);
	r->curl->list_free(r->headers);
	r->curl->list_free(r->connect_to);
	buf_release(&r->url);
	r->handle = NULL;
}

/* ---- what came of it ---- */

static enum http_outcome
explain_certificate(const struct http_curl_request *r)
{
	long verified = 0;

	/* libcurl looks at names itself, and has no code for it. */
	if (strstr(r->words, "subject name"))
		return HTTP_OTHER_NAME;
	r->curl->getinfo(r->handle, CURLINFO_SSL_VERIFYRESULT, &verified);
	switch (verified) {
	case EARLY:
		return HTTP_CERTIFICATE_EARLY;
	case EXPIRED:
		return HTTP_CERTIFICATE_EXPIRED;
	case SELF_SIGNED:
	case SELF_SIGNED_IN_CHAIN:
	case NO_ISSUER:
	case NO_LEAF_SIGNATURE:
		return HTTP_UNKNOWN_AUTHORITY;
	default:
		return HTTP_BAD_CERTIFICATE;
	}
}

static enum http_outcome
outcome_of(const struct http_curl_request *r)
{
	double sent = 0; /* seconds until the request could be; 0: it could not */

	switch (r->code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return HTTP_NO_NAME;
	case CURLE_COULDNT_CONNECT:
		return HTTP_NO_CONNECTION;
	case CURLE_OPERATION_TIMEDOUT:
		r->curl->getinfo(r->handle, CURLINFO_PRETRANSFER_TIME, &sent);
		return sent > 0 ? HTTP_LATE : HTTP_NO_CONNECTION;
	case CURLE_PEER_FAILED_VERIFICATION:
		return explain_certificate(r);
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
		return HTTP_BAD_CLIENT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY: /* an answer in another protocol */
		return HTTP_NOT_TLS;
	default:
		return HTTP_CUT;
	}
}

enum http_outcome
http_curl_request_outcome(const struct http_curl_request *r, struct error *err)
{
	if (r->code == CURLE_OK)
		return HTTP_ANSWERED;
	error_set(err, "%s", *r->words ? r->words : r->curl->strerror(r->code));
	return outcome_of(r);
}
