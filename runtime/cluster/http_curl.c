/* The http seam over libcurl. */
#include "config.h"

#include "runtime/cluster/http.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "runtime/cluster/curl.h"

struct http_curl {
	struct http http;
	struct curl_library curl;
	bool open;
};

/* One exchange. */
struct exchange {
	struct http_curl *owner;
	const struct curl_library *curl;
	CURL *handle;
	const struct http_request *request;
	struct http_reply *reply;
	size_t max;
	bool too_large, stopped, missing;
	struct curl_slist *headers, *connect_to;
	struct buf url; /* as libcurl gets it */
	char words[CURL_ERROR_SIZE];
};

/* Codes of OpenSSL's X509_V_ERR_…, which libcurl hands on as they are. */
enum { EARLY = 9, EXPIRED = 10, SELF_SIGNED = 18, SELF_SIGNED_IN_CHAIN = 19, NO_ISSUER = 20, NO_LEAF_SIGNATURE = 21 };

/* ---- libcurl calls these ---- */

static size_t
take_body(char *bytes, size_t size, size_t count, void *context)
{
	struct exchange *x = context;
	size_t len = size * count;

	if (len > x->max - x->reply->body.len) {
		x->too_large = true;
		return 0;
	}
	buf_add(&x->reply->body, bytes, len);
	return len;
}

static size_t
take_header(char *bytes, size_t size, size_t count, void *context)
{
	struct exchange *x = context;

	http_reply_header(x->reply, bytes, size * count);
	if (x->request->ret_headers)
		buf_add(x->request->ret_headers, bytes, size * count);
	return size * count;
}

static int
check_stop(void *context, curl_off_t to_get, curl_off_t got, curl_off_t to_put, curl_off_t put)
{
	struct exchange *x = context;

	(void)to_get;
	(void)got;
	(void)to_put;
	(void)put;
	if (x->request->stop && x->request->stop(x->request->context))
		x->stopped = true;
	return x->stopped;
}

/* ---- options ---- */

/* One that must not be left out: an old library that does not know it cannot carry out the request. */
#define must(x, option, value) ((x)->missing |= (x)->curl->setopt((x)->handle, option, value) != CURLE_OK)

static void
add_header(struct exchange *x, const char *name, const char *value)
{
	struct buf line = { 0 };
	struct curl_slist *list;

	buf_printf(&line, "%s: %s", name, value);
	list = x->curl->list_append(x->headers, buf_text(&line));
	if (!list)
		BUG("no memory for a header");
	x->headers = list;
	if (line.len)
		explicit_bzero(line.data, line.len);
	buf_release(&line);
}

static void
set_pem(struct exchange *x, CURLoption option, const struct http_pem *pem)
{
	struct curl_blob blob = { (void *)(uintptr_t)pem->text, pem->len, CURL_BLOB_COPY };

	if (pem->text)
		must(x, option, &blob);
}

/* libcurl takes the name in the certificate from the URL, so the URL gets that name, and the connection is led to the true
 * host. */
static void
set_url(struct exchange *x)
{
	const struct http_request *request = x->request;
	const char *host = strstr(request->url, "://"), *end, *port;
	struct buf to = { 0 }, host_header = { 0 };

	if (!request->server_name || !host) {
		buf_puts(&x->url, request->url);
		return;
	}
	host += 3;
	end = host + strcspn(host, "/?#");
	port = *host == '[' ? memchr(host, ']', (size_t)(end - host)) : host;
	port = port ? memchr(port, ':', (size_t)(end - port)) : NULL;
	buf_add(&x->url, request->url, (size_t)(host - request->url));
	buf_puts(&x->url, request->server_name);
	buf_add(&x->url, port ? port : end, (size_t)(end - (port ? port : end)));
	buf_puts(&x->url, end);
	buf_puts(&to, "::");
	buf_add(&to, host, (size_t)((port ? port : end) - host));
	buf_add(&to, port ? port : end, (size_t)(end - (port ? port : end)));
	if (!port)
		buf_putc(&to, ':');
	x->connect_to = x->curl->list_append(NULL, buf_text(&to));
	if (!x->connect_to)
		BUG("no memory for an address");
	buf_add(&host_header, host, (size_t)(end - host));
	add_header(x, "Host", buf_text(&host_header));
	must(x, CURLOPT_CONNECT_TO, x->connect_to);
	buf_release(&to);
	buf_release(&host_header);
}

static void
set_credentials(struct exchange *x)
{
	const struct http_request *request = x->request;
	struct buf text = { 0 };

	if (request->token) {
		buf_printf(&text, "Bearer %s", request->token);
		add_header(x, "Authorization", buf_text(&text));
		explicit_bzero(text.data, text.len);
		buf_release(&text);
	} else if (request->user) {
		must(x, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		must(x, CURLOPT_USERNAME, request->user);
		must(x, CURLOPT_PASSWORD, request->password ? request->password : "");
	}
	set_pem(x, CURLOPT_SSLCERT_BLOB, &request->certificate);
	set_pem(x, CURLOPT_SSLKEY_BLOB, &request->key);
}

static void
set_trust(struct exchange *x)
{
	const struct http_request *request = x->request;
	const char *file = getenv("SSL_CERT_FILE");

	must(x, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	must(x, CURLOPT_SSL_VERIFYPEER, request->insecure ? 0L : 1L);
	must(x, CURLOPT_SSL_VERIFYHOST, request->insecure ? 0L : 2L);
	if (request->insecure)
		return;
	if (request->authority.text) {
		set_pem(x, CURLOPT_CAINFO_BLOB, &request->authority);
		x->curl->setopt(x->handle, CURLOPT_CAPATH, NULL);
	} else if (file && *file) {
		must(x, CURLOPT_CAINFO, file);
	}
}

static void
set_body(struct exchange *x)
{
	const struct http_request *request = x->request;

	if (request->body) {
		must(x, CURLOPT_POST, 1L);
		must(x, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
		must(x, CURLOPT_POSTFIELDS, request->body);
		add_header(x, "Content-Type", request->content_type ? request->content_type : "application/json");
		add_header(x, "Expect", "");
	}
	must(x, CURLOPT_CUSTOMREQUEST, request->method);
}

static void
set_options(struct exchange *x)
{
	const struct http_request *request = x->request;

	set_url(x);
	must(x, CURLOPT_URL, buf_text(&x->url));
	must(x, CURLOPT_NOSIGNAL, 1L);
	must(x, CURLOPT_FOLLOWLOCATION, 0L);
	must(x, CURLOPT_TIMEOUT_MS, request->timeout ? request->timeout : (long)HTTP_EXCHANGE_TIMEOUT);
	must(x, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_REACH_TIMEOUT);
	must(x, CURLOPT_USERAGENT, "lateen/" PACKAGE_VERSION);
	must(x, CURLOPT_WRITEFUNCTION, take_body);
	must(x, CURLOPT_WRITEDATA, x);
	must(x, CURLOPT_HEADERFUNCTION, take_header);
	must(x, CURLOPT_HEADERDATA, x);
	must(x, CURLOPT_XFERINFOFUNCTION, check_stop);
	must(x, CURLOPT_XFERINFODATA, x);
	must(x, CURLOPT_NOPROGRESS, 0L);
	must(x, CURLOPT_ERRORBUFFER, x->words);
	if (request->proxy)
		must(x, CURLOPT_PROXY, request->proxy);
	set_trust(x);
	set_credentials(x);
	set_body(x);
	add_header(x, "Accept", request->accept ? request->accept : "application/json");
	for (size_t i = 0; i < request->n_headers; i++)
		add_header(x, request->headers[i].name, request->headers[i].value);
	must(x, CURLOPT_HTTPHEADER, x->headers);
}

/* ---- what came of it ---- */

static enum http_outcome
explain_certificate(const struct exchange *x)
{
	long verified = 0;

	/* libcurl looks at names itself, and has no code for it. */
	if (strstr(x->words, "subject name"))
		return HTTP_OTHER_NAME;
	x->curl->getinfo(x->handle, CURLINFO_SSL_VERIFYRESULT, &verified);
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
outcome_of(const struct exchange *x, CURLcode code)
{
	double connected = 0;

	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return HTTP_NO_NAME;
	case CURLE_COULDNT_CONNECT:
		return HTTP_NO_CONNECTION;
	case CURLE_OPERATION_TIMEDOUT:
		x->curl->getinfo(x->handle, CURLINFO_CONNECT_TIME, &connected);
		return connected > 0 ? HTTP_LATE : HTTP_NO_CONNECTION;
	case CURLE_PEER_FAILED_VERIFICATION:
		return explain_certificate(x);
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

static enum http_outcome
conclude(struct exchange *x, CURLcode code, struct error *err)
{
	if (x->stopped) {
		error_set(err, "it was interrupted");
		return HTTP_STOPPED_BY_USER;
	}
	if (x->too_large) {
		error_set(err, "the answer is longer than %zu bytes", x->max);
		return HTTP_TOO_LARGE;
	}
	if (code == CURLE_OK) {
		x->curl->getinfo(x->handle, CURLINFO_RESPONSE_CODE, &x->reply->status);
		return HTTP_ANSWERED;
	}
	error_set(err, "%s", *x->words ? x->words : x->curl->strerror(code));
	return outcome_of(x, code);
}

static enum http_outcome
perform(struct exchange *x, struct error *err)
{
	enum http_outcome outcome;

	x->handle = x->curl->init();
	if (!x->handle)
		BUG("no memory for an exchange");
	set_options(x);
	if (x->missing) {
		error_set(err, "this libcurl is too old, or a proxy or certificate is one that it cannot use; 7.77 or later is needed");
		outcome = HTTP_NO_LIBRARY;
	} else {
		outcome = conclude(x, x->curl->perform(x->handle), err);
	}
	x->curl->cleanup(x->handle);
	x->curl->list_free(x->headers);
	x->curl->list_free(x->connect_to);
	buf_release(&x->url);
	return outcome;
}

static enum http_outcome
http_curl_exchange(struct http *http, const struct http_request *request, struct http_reply *ret, struct error *err)
{
	struct http_curl *owner = (struct http_curl *)http;
	struct exchange x = { .owner = owner, .curl = &owner->curl, .request = request, .reply = ret };

	if (!owner->open && curl_library_open(&owner->curl, err))
		return HTTP_NO_LIBRARY;
	owner->open = true;
	x.max = request->max ? request->max : (size_t)HTTP_REPLY_MAX;
	return perform(&x, err);
}

static void
http_curl_wait(struct http *http, long milliseconds)
{
	struct timespec time = { milliseconds / 1000, milliseconds % 1000 * 1000000 };

	(void)http;
	nanosleep(&time, NULL); /* cut short by a signal is fine */
}

static void
http_curl_free(struct http *http)
{
	struct http_curl *owner = (struct http_curl *)http;

	if (owner->open)
		curl_library_close(&owner->curl);
	free(owner);
}

struct http *
http_curl_new(void)
{
	struct http_curl *owner = xcalloc(1, sizeof *owner);

	owner->http = (struct http){ .exchange = http_curl_exchange, .wait = http_curl_wait, .free = http_curl_free };
	return &owner->http;
}
