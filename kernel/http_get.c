#include "config.h"

#include "kernel/http_get.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "runtime/cluster/curl.h"

struct http_client {
	struct curl_library curl;
};

/* One transfer. */
struct transfer {
	const struct http_options *options;
	struct buf *body;
	size_t received;
	bool too_large, stopped;
	char words[CURL_ERROR_SIZE];
};

struct http_client *
http_client_open(struct error *err)
{
	struct http_client *client = xcalloc(1, sizeof *client);

	if (!curl_library_open(&client->curl, err))
		return client;
	free(client);
	return NULL;
}

void
http_client_close(struct http_client *client)
{
	if (!client)
		return;
	curl_library_close(&client->curl);
	free(client);
}

int
http_check_url(const char *url, struct error *err)
{
	static const char scheme[] = "https://";
	const char *host = url + sizeof scheme - 1, *end;

	if (strncasecmp(url, scheme, sizeof scheme - 1))
		return error_set(err, "only https is spoken, not `%.100s`", url);
	if (strlen(url) > HTTP_URL_MAX)
		return error_set(err, "the URL is longer than %d bytes", HTTP_URL_MAX);
	for (const char *c = url; *c; c++)
		if (*c <= ' ' || *c > '~')
			return error_set(err, "the URL `%.100s` holds a character that belongs in no URL: write it as %%XX", url);
	end = host + strcspn(host, "/?#");
	if (end == host)
		return error_set(err, "the URL `%.100s` has no host", url);
	if (memchr(host, '@', (size_t)(end - host)))
		return error_set(err, "a URL must not hold a user name or password: it is shown and stored");
	return 0;
}

/* ---- libcurl calls these ---- */

static size_t
take_body(char *bytes, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	size_t len = size * count;

	if (len > transfer->options->max - transfer->received) {
		transfer->too_large = true;
		return 0;
	}
	transfer->received += len;
	buf_add(transfer->body, bytes, len);
	return len;
}

static int
check_stop(void *context, curl_off_t to_get, curl_off_t got, curl_off_t to_put, curl_off_t put)
{
	struct transfer *transfer = context;

	(void)to_get;
	(void)got;
	(void)to_put;
	(void)put;
	if (transfer->options->stop && transfer->options->stop(transfer->options->context))
		transfer->stopped = true;
	return transfer->stopped;
}

/* ---- one transfer ---- */

static void
allow_https_only(struct http_client *client, CURL *curl)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	/* A library older than its header does not know these; then nothing but https is in the URL, and no redirect is taken. */
	if (client->curl.setopt(curl, CURLOPT_PROTOCOLS_STR, "https") || client->curl.setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https"))
		client->curl.setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
#else
	client->curl.setopt(curl, CURLOPT_PROTOCOLS, (long)CURLPROTO_HTTPS);
	client->curl.setopt(curl, CURLOPT_REDIR_PROTOCOLS, (long)CURLPROTO_HTTPS);
#endif
}

static void
set_options(struct http_client *client, CURL *curl, const char *url, struct transfer *transfer)
{
	const struct http_options *options = transfer->options;
	const char *ca_file = options->ca_file ? options->ca_file : getenv("SSL_CERT_FILE");

	client->curl.setopt(curl, CURLOPT_URL, url);
	client->curl.setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
	client->curl.setopt(curl, CURLOPT_MAXREDIRS, (long)HTTP_REDIRECTS_MAX);
	allow_https_only(client, curl);
	client->curl.setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	client->curl.setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	if (ca_file && *ca_file)
		client->curl.setopt(curl, CURLOPT_CAINFO, ca_file);
	client->curl.setopt(curl, CURLOPT_TIMEOUT_MS, options->timeout_ms ? options->timeout_ms : HTTP_TIMEOUT * 1000L);
	client->curl.setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)HTTP_CONNECT_TIMEOUT);
	client->curl.setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)options->max);
	client->curl.setopt(curl, CURLOPT_NOSIGNAL, 1L);
	client->curl.setopt(curl, CURLOPT_USERAGENT, "lateen/" PACKAGE_VERSION);
	client->curl.setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	client->curl.setopt(curl, CURLOPT_WRITEDATA, transfer);
	client->curl.setopt(curl, CURLOPT_XFERINFOFUNCTION, check_stop);
	client->curl.setopt(curl, CURLOPT_XFERINFODATA, transfer);
	client->curl.setopt(curl, CURLOPT_NOPROGRESS, 0L);
	client->curl.setopt(curl, CURLOPT_ERRORBUFFER, transfer->words);
}

static enum http_result
explain(const struct http_client *client, CURLcode code, const char *url, const struct transfer *transfer, struct error *err)
{
	if (transfer->stopped) {
		error_set(err, "loading `%s` was interrupted", url);
		return HTTP_STOPPED;
	}
	if (transfer->too_large || code == CURLE_FILESIZE_EXCEEDED) {
		error_set(err, "`%s` is larger than %zu bytes", url, transfer->options->max);
		return HTTP_REFUSED;
	}
	switch (code) {
	case CURLE_UNSUPPORTED_PROTOCOL:
		error_set(err, "`%s` redirects to what is not https", url);
		return HTTP_REFUSED;
	case CURLE_TOO_MANY_REDIRECTS:
		error_set(err, "`%s` redirects more than %d times", url, HTTP_REDIRECTS_MAX);
		return HTTP_REFUSED;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
		error_set(err, "the certificate of `%s` cannot be trusted: %s", url,
			*transfer->words ? transfer->words : client->curl.strerror(code));
		return HTTP_REFUSED;
	case CURLE_OPERATION_TIMEDOUT:
		error_set(err, "`%s` did not answer in time", url);
		return HTTP_UNREACHABLE;
	default:
		error_set(err, "`%s` cannot be loaded: %s", url, *transfer->words ? transfer->words : client->curl.strerror(code));
		return HTTP_UNREACHABLE;
	}
}

enum http_result
http_get(struct http_client *client, const char *url, const struct http_options *options, struct buf *ret, struct error *err)
{
	CLEANUP(buf_release) struct buf body = { .max = options->max };
	struct transfer transfer = { .options = options, .body = &body };
	enum http_result result;
	CURL *curl;
	CURLcode code;
	long status = 0;

	if (http_check_url(url, err))
		return HTTP_REFUSED;
	curl = client->curl.init();
	if (!curl)
		BUG("no memory for a transfer");
	set_options(client, curl, url, &transfer);
	code = client->curl.perform(curl);
	client->curl.getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (code) {
		result = explain(client, code, url, &transfer, err);
	} else if (status != 200) {
		error_set(err, "`%s` cannot be loaded: the server answered %ld", url, status);
		/* A server in trouble says nothing about the file. */
		result = status >= 500 ? HTTP_UNREACHABLE : HTTP_REFUSED;
	} else {
		buf_add(ret, buf_text(&body), body.len);
		result = HTTP_OK;
	}
	client->curl.cleanup(curl);
	return result;
}
