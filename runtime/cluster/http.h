/* HTTP exchanges and streams, timers and the clock, as a seam: `struct http` is a table of functions, so that the clients above it
 * can be driven by recorded replies, and by faults, without a network. http_curl_new is the real one.
 *
 * An answer is an answer whatever its status; no redirect is followed, for none belongs to these APIs, and a credential must
 * not travel to another host. Nothing of a request's token, password, key or body ever stands in an error. */
#ifndef RUNTIME_CLUSTER_HTTP_H
#define RUNTIME_CLUSTER_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
	const char *accept; /* the type that is wanted; NULL: JSON */
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
	struct buf *ret_headers; /* where `exchange` puts all header lines of the answer, as they are; NULL: they are not wanted */
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

/* An answer that is taken as it comes: a watch, a log that is followed. The functions are called within `poll` (never within
 * `open`), in the thread that calls it; each may close this stream or any other, open further ones, and carry out exchanges,
 * but not poll. */
struct http_listener {
	void (*began)(void *context, const struct http_reply *head); /* status and headers; the body is empty. May be NULL */
	void (*came)(void *context, const char *bytes, size_t n);
	/* The last one, unless the stream was closed before. HTTP_ANSWERED: the body is whole. The stream is gone when it returns. */
	void (*ended)(void *context, enum http_outcome outcome, const struct error *err);
	void *context;
};

struct http_stream;
struct http_timer;

struct http {
	/* Carries out one request. Any outcome but HTTP_ANSWERED sets *err to what happened, without the URL. */
	enum http_outcome (*exchange)(struct http *http, const struct http_request *request, struct http_reply *ret, struct error *err);
	void (*wait)(struct http *http, long milliseconds); /* between two tries */
	/* Begins a request; what it points at is copied. Its `timeout` is for the time without a byte (0: there may be none for ever; a
	 * peer that has vanished is noticed all the same, after minutes), `max` and `stop` do not count. Never NULL. */
	struct http_stream *(*open)(struct http *http, const struct http_request *request, const struct http_listener *listener);
	void (*close)(struct http *http, struct http_stream *stream); /* nothing more of it is told; NULL is fine */
	/* Calls `due` once within `poll`, when the time has come. The timer is gone when `due` is called. */
	struct http_timer *(*after)(struct http *http, long milliseconds, void (*due)(void *context), void *context);
	void (*cancel)(struct http *http, struct http_timer *timer); /* NULL is fine */
	/* Carries streams and timers on: waits until something of theirs happens, `wake` is readable (-1: there is none), or at
	 * most timeout milliseconds (-1: as long as it takes), and calls listeners. It may return early, and does so at once when
	 * there is nothing to wait for. */
	void (*poll)(struct http *http, int wake, long timeout);
	int64_t (*now)(struct http *http); /* milliseconds since 1970, as this world's clock has it */
	void (*free)(struct http *http);
};

void http_reply_release(struct http_reply *reply);
/* Takes one header line, "Name: value" with or without its end; others than the reply's members are passed over. */
void http_reply_header(struct http_reply *reply, const char *line, size_t len);

/* Over libcurl, which is opened with the first exchange. For one thread. Never NULL. */
struct http *http_curl_new(void);
void http_free(struct http *http); /* NULL is fine */

#endif
