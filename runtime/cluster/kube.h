/* A small client of the Kubernetes API: one request, its answer as a value, or a failure in words that a person can act on.
 *
 * What is tried again: a 429 always (the server did not begin), a cut connection and 502, 503, 504 only where the request says
 * that it may be carried out twice; a 401 once, with fresh credentials, where there can be any. In between is a wait that grows,
 * with chance in it, or what Retry-After says. A deadline is not tried again. Nothing secret stands in a failure. */
#ifndef RUNTIME_CLUSTER_KUBE_H
#define RUNTIME_CLUSTER_KUBE_H

#include "base/arena.h"
#include "base/value.h"
#include "runtime/cluster/credentials.h"

enum {
	KUBE_TRIES = 4,
	KUBE_WAIT_FIRST = 250, /* milliseconds; doubled for each further one, and half of it is chance */
	KUBE_WAIT_MAX = 10000, /* also of a Retry-After */
	KUBE_SKEW = 300, /* seconds between two clocks that are worth a word */
	KUBE_TEXT_MAX = ERROR_TEXT_MAX,
};

enum kube_failure_kind {
	KUBE_STOPPED, /* by the user */
	KUBE_UNREACHABLE,
	KUBE_UNKNOWN_USER, /* 401, or no credentials to be had */
	KUBE_FORBIDDEN,
	KUBE_NOT_FOUND,
	KUBE_REFUSED, /* 400, 409, 413, 422: the server has read it and does not take it */
	KUBE_WRONG_SERVER, /* it answers, and not as the Kubernetes API does */
	KUBE_TROUBLE, /* the server has trouble of its own */
};

struct kube_failure {
	enum kube_failure_kind kind;
	long status; /* 0: there was no answer */
	const struct value *answer; /* Kubernetes' Status, or NULL; in the caller's arena */
	char what[KUBE_TEXT_MAX]; /* one sentence */
	char help[KUBE_TEXT_MAX]; /* the next thing to try */
	char note[KUBE_TEXT_MAX]; /* a fact besides, or "" */
};

/* What a request needs leave for; RBAC's words. */
struct kube_right {
	const char *verb, *group, *resource; /* group "" is the core */
	const char *namespace_; /* NULL: of the whole cluster */
};

struct kube_request {
	const char *method, *path; /* "/api/v1/nodes?limit=100" */
	const struct value *body; /* JSON; NULL: none */
	const char *content_type; /* of the body; NULL: JSON. A PATCH says by it which kind of patch it is */
	struct kube_right right;
	bool repeatable; /* may be carried out twice: all GETs, dry runs, reviews */
	bool secret; /* the answer is wiped from memory; the arena is the caller's to keep short */
};

struct kube;

/* Borrows both. */
struct kube *kube_new(const struct kubeconfig *config, struct http *http, const struct exec_plugin_limits *limits);
void kube_free(struct kube *kube); /* NULL is fine */
const struct kubeconfig *kube_config(const struct kube *kube);

/* The answer to a 2xx, a Dict in the arena; NULL with *ret_failure set. */
const struct value *kube_call(struct kube *kube, const struct kube_request *request, struct arena *arena,
			      struct kube_failure *ret_failure);

/* "let whoever runs the cluster grant it: a Role in the namespace `x` with the rule {…}, bound to you". */
void kube_write_grant(struct buf *buf, const struct kube_right *right);

/* What happened, in words; kube_failure.c. `answer` may be NULL. */
void kube_explain_outcome(const struct kubeconfig *config, enum http_outcome outcome, const struct error *err, struct kube_failure *ret);
void kube_explain_status(const struct kubeconfig *config, const struct kube_request *request, const struct http_reply *reply,
			 const struct value *answer, struct kube_failure *ret);
/* A text of the server's for a message: on one line, cut to `max` bytes. */
const char *kube_plain(struct arena *arena, const char *text, size_t max);

#endif
