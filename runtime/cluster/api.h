/* One request to a server with a JSON API: its answer as a value, or a failure in words that a person can act on. The clients of
 * the Kubernetes API (kube.h), of the Argo server and of Kubeflow Pipelines share it; each brings its words, its credentials and
 * its way of reading a refusal.
 *
 * What is tried again: a 429 always (the server did not begin), a cut connection and 502, 503, 504 only where the request says
 * that it may be carried out twice; a 401 once, with fresh credentials, where there can be any. In between is a wait that grows,
 * with chance in it, or what Retry-After says. A deadline is not tried again. Nothing secret stands in a failure. */
#ifndef RUNTIME_CLUSTER_API_H
#define RUNTIME_CLUSTER_API_H

#include "base/arena.h"
#include "base/value.h"
#include "runtime/cluster/http.h"

enum {
	API_TRIES = 4,
	API_WAIT_FIRST = 250, /* milliseconds; doubled for each further one, and half of it is chance */
	API_WAIT_MAX = 10000, /* also of a Retry-After */
	API_SKEW = 300, /* seconds between two clocks that are worth a word */
	API_TEXT_MAX = ERROR_TEXT_MAX,
};

enum api_failure_kind {
	API_STOPPED, /* by the user */
	API_UNREACHABLE,
	API_UNKNOWN_USER, /* 401, or no credentials to be had */
	API_FORBIDDEN,
	API_NOT_FOUND,
	API_REFUSED, /* 400, 409, 413, 422: the server has read it and does not take it; or we know that it would not */
	API_WRONG_SERVER, /* it answers, and not as such a server does */
	API_TROUBLE, /* the server has trouble of its own */
};

struct api_failure {
	enum api_failure_kind kind;
	long status; /* 0: there was no answer */
	bool unsure; /* whether the request was carried out is not known: the connection was cut, the deadline came first, or it was and the
			* answer cannot be read */
	const struct value *answer; /* the server's own words (Kubernetes' Status), or NULL; in the caller's arena */
	char what[API_TEXT_MAX]; /* one sentence */
	char help[API_TEXT_MAX]; /* the next thing to try */
	char note[API_TEXT_MAX]; /* a fact besides, or "" */
};

/* What a request needs leave for; RBAC's words. */
struct api_right {
	const char *verb, *group, *resource; /* group "" is the core */
	const char *namespace_; /* NULL: of the whole cluster */
};

struct api_request {
	const char *method, *path; /* "/api/v1/nodes?limit=100" */
	const struct value *body; /* JSON; NULL: none */
	const char *bytes; /* in place of `body`: as they are, of the type below; or NULL */
	size_t n_bytes;
	const char *content_type; /* of either; NULL: JSON. A merge patch has one of its own */
	const char *accept; /* NULL: JSON */
	struct api_right right; /* for the failure's help; all NULL: it is not known */
	struct buf *raw; /* where the body of a 2xx goes as it is; the answer is then null. NULL: it is JSON */
	long timeout; /* milliseconds of one try; 0: HTTP_EXCHANGE_TIMEOUT */
	size_t max; /* bytes of the answer; 0: HTTP_REPLY_MAX */
	bool repeatable; /* may be carried out twice: all GETs, dry runs, reviews */
	bool secret; /* the answer is wiped from memory; the arena is the caller's to keep short */
};

/* How a kind of server is spoken of. Texts outlive the client. */
struct api_words {
	const char *name; /* "the Kubernetes API" */
	const char *server, *a_server; /* "the API server", "an API server" */
	const char *address; /* where its address is written: "`server` of the context `x` in `y`" */
	const char *place; /* where address and credentials are written: "the context `x` in `y`" */
	const char *port; /* what its port should be: "the API server's own (443 or 6443 mostly)" */
	const char *others; /* what it is taken for: "the Argo server (port 2746 mostly) or of Kubeflow Pipelines" */
	/* What to try when … */
	const char *reach; /* nothing answers */
	const char *sign_in; /* there are no credentials */
	const char *expired; /* its certificate has */
	const char *authority; /* that is not known */
	const char *other_name; /* its certificate is for another host */
	const char *bad_client; /* our own certificate cannot be used */
};

struct api;

struct api_ops {
	/* Fills the request's token, user, certificate, headers, proxy, trust: what it needs to be let in. What they point at stays until
	 * the next call. `renew`: the server did not take the last ones. */
	int (*sign)(struct api *api, bool renew, struct http_request *ret, struct error *err);
	/* Could they be others the next time? */
	bool (*renewable)(const struct api *api);
	/* Does the answer ask who we are? NULL: a 401 does, and nothing else. */
	bool (*asks_who)(const struct api *api, const struct http_reply *reply);
	/* An answer that is no 2xx, or not what was asked for. `answer` may be NULL; *ret has status and answer already. */
	void (*explain)(struct api *api, const struct api_request *request, const struct http_reply *reply, const struct value *answer,
			struct arena *arena, struct api_failure *ret);
};

/* A client begins with it. */
struct api {
	const struct api_ops *ops;
	struct http *http; /* borrowed */
	const char *server; /* "https://host:port", with a path perhaps; no `/` at the end */
	const struct api_words *words;
	bool (*stop)(void *context); /* the user wants an end; may be NULL */
	void *context;
};

/* The answer to a 2xx, a Dict in the arena (null with `raw`); NULL with *ret_failure set. */
const struct value *api_call(struct api *api, const struct api_request *request, struct arena *arena, struct api_failure *ret_failure);

/* The same request for http's `open`, with credentials; what it points at lives in the arena, or until the next call. -1 with
 * *ret_failure when there are no credentials. */
int api_prepare(struct api *api, const struct api_request *request, bool renew, struct arena *arena, struct http_request *ret,
		struct api_failure *ret_failure);
/* Could an answer that asks who we are be mended by api_prepare with `renew`? */
bool api_renewable(const struct api *api);
bool api_asks_who(const struct api *api, const struct http_reply *reply); /* is it such a one? */
/* May it be tried again, after what has come of it? `status` counts with HTTP_ANSWERED only. */
bool api_may_repeat(const struct api_request *request, enum http_outcome outcome, long status);
/* Milliseconds before the next try; the first is 0. `retry_after` may be "". */
long api_wait_of(const char *retry_after, unsigned tries);

/* What has happened, in words: no answer … */
void api_explain_outcome(const struct api *api, enum http_outcome outcome, const struct error *err, struct api_failure *ret);
/* … an answer that is a refusal, whose body has been read as far as it goes … */
void api_explain_reply(struct api *api, const struct api_request *request, const struct http_reply *reply, struct arena *arena,
		       struct api_failure *ret);
/* … and one that no such server would give; for `explain`. */
void api_explain_wrong(const struct api *api, const struct http_reply *reply, const struct value *answer, struct api_failure *ret);

/* Formats into one of a failure's texts. */
void api_say(char *ret, const char *format, ...) PRINTF_LIKE(2, 3);
/* A failure that we know without asking. Returns -1. */
int api_refuse(struct api_failure *ret, enum api_failure_kind kind, const char *what, ...) PRINTF_LIKE(3, 4);
/* The server's clock against ours: tokens and certificates end by them. Sets the note if they differ by API_SKEW. */
void api_note_skew(const struct http_reply *reply, char *ret);
/* "let whoever runs the cluster grant it: a Role in the namespace `x` with the rule {…}, bound to you". */
void api_write_grant(struct buf *buf, const struct api_right *right);
/* A text of the server's for a message: on one line, cut to `max` bytes. */
const char *api_plain(struct arena *arena, const char *text, size_t max);
/* Appends text as one part of a path or query: all but letters, digits and "-._~" as %XX. */
void api_write_escaped(struct buf *buf, const char *text);
const char *api_escaped(struct arena *arena, const char *text);

#endif
