/* A GET whose answer is taken as it comes, with the credentials and the failures of api.h. A 401 is asked once more, with fresh
 * credentials, where there can be any; nothing else is tried again. */
#ifndef RUNTIME_CLUSTER_API_STREAM_H
#define RUNTIME_CLUSTER_API_STREAM_H

#include "runtime/cluster/api.h"

enum {
	API_STREAM_REFUSAL_MAX = 64 * 1024, /* bytes of a refusal that are read */
	API_STREAM_REFUSAL_WAIT = 5000, /* milliseconds for them */
};

/* How it ended. Valid within `ended` only. */
struct api_stream_end {
	const struct api_failure *failure; /* NULL: the body is whole */
	enum http_outcome outcome; /* HTTP_ANSWERED with a failure: a refusal, of failure->status */
	const char *retry_after; /* or "" */
};

/* As http_listener: called within the http's poll, may close this stream or any other, may not poll. */
struct api_stream_listener {
	void (*began)(void *context, const struct http_reply *head); /* with a 2xx only. May be NULL */
	void (*came)(void *context, const char *bytes, size_t n);
	void (*ended)(void *context, const struct api_stream_end *end); /* the last one; the stream is gone when it returns */
	void *context;
};

struct api_stream;

/* Method, body, raw, max and repeatable do not count; timeout: milliseconds without a byte, 0: none. All is copied. Never NULL. */
struct api_stream *api_stream_open(struct api *api, const struct api_request *request, const struct api_stream_listener *listener);
void api_stream_close(struct api_stream *stream); /* nothing more of it is told; NULL is fine */

#endif
