/* One HTTP exchange, as a seam: `struct http` is a table of functions, so that the clients above it can be driven by recorded
 * replies, and by faults, without a network. http_curl_new is the real one.
 *
 * An answer is an answer whatever its status; no redirect is followed, for none belongs to these APIs, and a credential must
 * not travel to another host. Nothing of a request's token, password, key or body ever stands in an error. */
#ifndef RUNTIME_CLUSTER_HTTP_H
#define RUNTIME_CLUSTER_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

enum {
	HTTP_EXCHANGE_TIMEOUT = 30000, /* milliseconds, for all of an exchange */
	HTTP_REACH_TIMEOUT = 10000, /* of those, until the connection stands */
	HTTP_REPLY_MAX = 16 * 1024 * 1024, /* bytes of a reply's body */
	HTTP_HEADER_MAX = 128, /* bytes that are kept of a reply's header */
};

/* PEM text. */
struct http_pem {
	const char *text; /* NULL: none */
	size_t len;
};

/* Beside those that the members below make. */
struct http_header {
	const char *name, *value;
};

struct http_request {
	const char *method; /* "GET", "POST" */
	const char *url; /* http or https */
	const char *content_type; /* of the body; NULL: JSON */
	const char *body; /* NULL: none */
	size_t body_len;
	const struct http_header *headers;
	size_t n_headers;
	const char *token; /* bearer, or NULL */
	const char *user, *password; /* basic authentication, or NULL */
	struct http_pem authority; /* trusted in place of the system's certificates */
	struct http_pem certificate, key; /* of the client */
	const char *server_name; /* what the server's certificate must be for; NULL: the URL's host */
	const char *proxy; /* URL; NULL: as the environment says */
	bool insecure; /* the server's certificate is not looked at */
	long timeout; /* milliseconds; 0: HTTP_EXCHANGE_TIMEOUT */
	size_t max; /* bytes of the reply's body; 0: HTTP_REPLY_MAX */
	bool (*stop)(void *context); /* asked now and then; true ends the exchange; may be NULL */
	void *context;
};

enum http_outcome {
	HTTP_ANSWERED,
	HTTP_STOPPED_BY_USER,
	HTTP_NO_LIBRARY, /* libcurl is missing or cannot do what the request asks */
	HTTP_NO_NAME, /* the host (or the proxy's) is not known */
	HTTP_NO_CONNECTION, /* refused, no route, no answer to the connection */
	HTTP_NOT_TLS, /* something answered that does not speak TLS, or another version of it */
	HTTP_CERTIFICATE_EXPIRED,
	HTTP_CERTIFICATE_EARLY, /* not valid yet */
	HTTP_UNKNOWN_AUTHORITY,
	HTTP_OTHER_NAME, /* a certificate for another host */
	HTTP_BAD_CERTIFICATE, /* anything else that is wrong with it */
	HTTP_BAD_CLIENT, /* our own certificate, key or authority cannot be used */
	HTTP_CUT, /* the connection ended before the answer did: whether the request was carried out is not known */
	HTTP_LATE, /* the deadline came first; as HTTP_CUT */
	HTTP_TOO_LARGE,
};

/* Zero-initialise it; release it. */
struct http_reply {
	long status;
	char content_type[HTTP_HEADER_MAX]; /* "" where the reply has none */
	char retry_after[HTTP_HEADER_MAX];
	char date[HTTP_HEADER_MAX]; /* the server's clock */
	struct buf body;
};

struct http {
	/* Carries out one request. Any outcome but HTTP_ANSWERED sets *err to what happened, without the URL. */
	enum http_outcome (*exchange)(struct http *http, const struct http_request *request, struct http_reply *ret, struct error *err);
	void (*wait)(struct http *http, long milliseconds); /* between two tries */
	void (*free)(struct http *http);
};

void http_reply_release(struct http_reply *reply);
/* Takes one header line, "Name: value" with or without its end; others than the reply's members are passed over. */
void http_reply_header(struct http_reply *reply, const char *line, size_t len);

/* Over libcurl, which is opened with the first exchange. For one thread. Never NULL. */
struct http *http_curl_new(void);
void http_free(struct http *http); /* NULL is fine */

#endif
