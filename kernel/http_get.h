/* Fetching one text over https. libcurl is opened on first use: it draws in two dozen libraries, and most sessions never
 * need it. Only https is spoken, on redirects too (at most HTTP_REDIRECTS_MAX); the certificate is checked; a user name or
 * password in the URL is refused, for URLs are shown and stored. Any number of clients may live; one is for one thread. */
#ifndef KERNEL_HTTP_GET_H
#define KERNEL_HTTP_GET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

enum {
	HTTP_URL_MAX = 2048, /* bytes */
	HTTP_REDIRECTS_MAX = 5,
	HTTP_TIMEOUT = 30, /* seconds for all of it */
	HTTP_CONNECT_TIMEOUT = 10,
};

struct http_options {
	size_t max; /* bytes of the answer */
	long timeout_ms; /* 0: HTTP_TIMEOUT */
	const char *ca_file; /* certificates to trust; NULL: SSL_CERT_FILE, else the system's */
	/* Asked now and then; true ends the transfer. May be NULL. */
	bool (*stop)(void *context);
	void *context;
};

enum http_result {
	HTTP_OK,
	HTTP_UNREACHABLE, /* no network, no such host, nobody answers: an older copy may do */
	HTTP_REFUSED, /* the answer is known, and it is no: 404, too large, a bad certificate, not https */
	HTTP_STOPPED,
};

struct http_client;

struct http_client *http_client_open(struct error *err); /* NULL when libcurl cannot be opened */
void http_client_close(struct http_client *client); /* NULL is fine */

/* Appends the body of a 200 answer to *ret. Otherwise *err is set: one sentence that names the URL. */
enum http_result http_get(struct http_client *client, const char *url, const struct http_options *options, struct buf *ret,
			  struct error *err);

/* 0 for an https URL that may be fetched; else -1 and why. Needs no client. */
int http_check_url(const char *url, struct error *err);

#endif
