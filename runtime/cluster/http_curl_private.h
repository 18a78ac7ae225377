/* What the files of the http seam over libcurl share. Everything of one owner goes through one multi handle, so that exchanges and
 * streams share connections. libcurl's callbacks only collect; listeners are called when it has returned, for within its
 * callbacks it cannot be called. */
#ifndef RUNTIME_CLUSTER_HTTP_CURL_PRIVATE_H
#define RUNTIME_CLUSTER_HTTP_CURL_PRIVATE_H

#include "runtime/cluster/curl.h"
#include "runtime/cluster/http.h"

/* One easy handle with what it was told and what libcurl holds pointers to. */
struct http_curl_request {
	const struct curl_library *curl;
	CURL *handle;
	struct curl_slist *headers, *connect_to;
	struct buf url; /* as libcurl gets it */
	const char *body; /* borrowed */
	size_t body_len, body_sent;
	bool missing; /* this libcurl cannot do what is asked */
	bool added; /* to the multi handle */
	bool done;
	CURLcode code; /* once done */
	char words[CURL_ERROR_SIZE];
};

struct http_curl {
	struct http http;
	struct curl_library curl;
	CURLM *multi; /* NULL: libcurl is not open yet */
	VEC(struct http_stream *) streams; /* in the order in which they were opened */
	VEC(struct http_timer *) timers;
	uint64_t n_timers; /* that were ever made */
	int64_t distrust; /* ticks; until then no connection that stands already is used */
	unsigned telling; /* listeners are being called: streams that are closed are freed afterwards */
};

/* Opens libcurl if it is not. */
int http_curl_ready(struct http_curl *owner, struct error *err);
/* Lets libcurl work for a moment and notes who is done. Calls no listener. */
void http_curl_carry(struct http_curl *owner);

/* Nothing came in time over a connection that stands: it may lead nowhere any more, which TCP notices only after minutes. With
 * HTTP/2 all later requests would go the same way. */
void http_curl_distrust(struct http_curl *owner, struct http_curl_request *r);

/* Sets all but where the reply goes. The request's body is borrowed, all else is copied. */
void http_curl_request_begin(struct http_curl_request *r, const struct curl_library *curl, const struct http_request *request);
/* HTTP_ANSWERED when it was added to the multi handle. */
enum http_outcome http_curl_request_add(struct http_curl_request *r, struct http_curl *owner, struct error *err);
void http_curl_request_end(struct http_curl_request *r, struct http_curl *owner); /* at any time, once */
/* What came of it, once it is done; sets err unless it was answered. */
enum http_outcome http_curl_request_outcome(const struct http_curl_request *r, struct error *err);
/* An option that must not be left out: an old library that does not know it cannot carry out the request. */
#define http_curl_must(r, option, value) ((r)->missing |= (r)->curl->setopt((r)->handle, option, value) != CURLE_OK)

/* Members of struct http; http_curl_stream.c, http_curl_timer.c. */
struct http_stream *http_curl_open(struct http *http, const struct http_request *request, const struct http_listener *listener);
void http_curl_close(struct http *http, struct http_stream *stream);
struct http_timer *http_curl_after(struct http *http, long milliseconds, void (*due)(void *context), void *context);
void http_curl_cancel(struct http *http, struct http_timer *timer);

int64_t http_curl_ticks(void); /* milliseconds of a clock that never jumps */
/* Milliseconds until the next stream is due: 0, news lie there; -1: none is. */
long http_curl_streams_wait(const struct http_curl *owner);
/* Calls the listeners of all that have news. */
void http_curl_tell(struct http_curl *owner);
void http_curl_close_all(struct http_curl *owner);
long http_curl_timers_wait(const struct http_curl *owner); /* as http_curl_streams_wait */
void http_curl_ring(struct http_curl *owner); /* calls those that are due */
void http_curl_cancel_all(struct http_curl *owner);

#endif
