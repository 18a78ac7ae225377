/* The way of a forward to the pod: libcurl connects to the API server (TLS, client certificates, proxies), then comes WebSocket's
 * handshake. */
#include "config.h"

#include <poll.h>
#include <string.h>
#include <strings.h>

#include "runtime/cluster/base64.h"
#include "runtime/cluster/forward_private.h"

enum { REFUSAL_MAX = 64 * 1024 /* bytes */, REFUSAL_WAIT = 5000 /* milliseconds */ };

/* ---- the way there ---- */

static int
check_stop(void *context, curl_off_t to_get, curl_off_t got, curl_off_t to_put, curl_off_t put)
{
	const struct forward *forward = context;

	(void)to_get;
	(void)got;
	(void)to_put;
	(void)put;
	return forward->stopping;
}

static void
set_options(struct http_curl_request *r, struct forward *forward)
{
	http_curl_must(r, CURLOPT_CONNECT_ONLY, 1L);
	http_curl_must(r, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	http_curl_must(r, CURLOPT_HTTPPROXYTUNNEL, 1L);
	http_curl_must(r, CURLOPT_XFERINFOFUNCTION, check_stop);
	http_curl_must(r, CURLOPT_XFERINFODATA, forward);
	http_curl_must(r, CURLOPT_NOPROGRESS, 0L);
}

static enum http_outcome
reach(struct forward_carrying *c, struct error *err)
{
	struct http_curl_request *r = &c->request;
	curl_socket_t remote = CURL_SOCKET_BAD;

	if (r->missing) {
		error_set(err, "this libcurl is too old; 7.77 or later is needed");
		return HTTP_NO_LIBRARY;
	}
	r->code = r->curl->perform(r->handle);
	if (r->code != CURLE_OK)
		return http_curl_request_outcome(r, err);
	r->curl->getinfo(r->handle, CURLINFO_ACTIVESOCKET, &remote);
	c->remote = remote;
	return HTTP_ANSWERED;
}

void
forward_disconnect(struct forward_carrying *c)
{
	struct http_curl_request *r = &c->request;

	if (!r->handle)
		return;
	r->curl->cleanup(r->handle);
	r->curl->list_free(r->headers);
	r->curl->list_free(r->connect_to);
	buf_release(&r->url);
	*r = (struct http_curl_request){ 0 };
}

/* Waits for the remote socket, and for the end of the forward. False when it is too late. */
static bool
wait_for_remote(struct forward_carrying *c, short events, int64_t until)
{
	struct pollfd fds[] = { { .fd = c->remote, .events = events }, { .fd = c->forward->stop_fd, .events = POLLIN } };
	int64_t left = until - http_curl_ticks();

	if (left <= 0 || c->forward->stopping)
		return false;
	poll(fds, ARRAY_LEN(fds), (int)left);
	return true;
}

/* 1: some came; 0: the other side has ended; -1: with *err set. */
static int
receive_until(struct forward_carrying *c, int64_t until, struct error *err)
{
	for (;;) {
		char *room = buf_space(&c->in, FORWARD_PIECE);
		size_t n = 0;
		CURLcode code = room ? c->request.curl->recv(c->request.handle, room, FORWARD_PIECE, &n) : CURLE_OUT_OF_MEMORY;

		if (code == CURLE_OK) {
			buf_commit(&c->in, n);
			return n > 0;
		}
		if (code != CURLE_AGAIN)
			return error_set(err, "%s", c->request.curl->strerror(code));
		if (!wait_for_remote(c, POLLIN, until))
			return error_set(err, "no answer came");
	}
}

static int
send_until(struct forward_carrying *c, const struct buf *bytes, int64_t until, struct error *err)
{
	size_t at = 0;

	while (at < bytes->len) {
		size_t n = 0;
		CURLcode code = c->request.curl->send(c->request.handle, bytes->data + at, bytes->len - at, &n);

		if (code != CURLE_OK && code != CURLE_AGAIN)
			return error_set(err, "%s", c->request.curl->strerror(code));
		at += n;
		if (code == CURLE_AGAIN && !wait_for_remote(c, POLLOUT, until))
			return error_set(err, "the server takes nothing");
	}
	return 0;
}

/* ---- the handshake ---- */

static void
write_handshake(struct buf *buf, const struct http_request *request, const char *path, const struct websocket_key *key)
{
	const char *host = strstr(request->url, "://") + 3, *end = host + strcspn(host, "/?#");
	CLEANUP(freep) char *name = xstrndup(host, (size_t)(end - host)), *prefix = xstrndup(end, strlen(end) - strlen(path));
	struct buf headers = { 0 }, user = { 0 }, target = { 0 };

	if (request->token) {
		buf_printf(&headers, "Authorization: Bearer %s\r\n", request->token);
	} else if (request->user) {
		buf_printf(&user, "%s:%s", request->user, request->password ? request->password : "");
		buf_puts(&headers, "Authorization: Basic ");
		base64_encode(&headers, buf_text(&user), user.len);
		buf_puts(&headers, "\r\n");
		explicit_bzero(user.data, user.len);
	}
	for (size_t i = 0; i < request->n_headers; i++)
		buf_printf(&headers, "%s: %s\r\n", request->headers[i].name, request->headers[i].value);
	buf_printf(&target, "%s%s", prefix, path);
	websocket_write_request(buf, name, buf_text(&target), key, "v4.channel.k8s.io", buf_text(&headers));
	if (headers.len)
		explicit_bzero(headers.data, headers.len);
	buf_release(&headers);
	buf_release(&user);
	buf_release(&target);
}

static enum http_outcome
shake_hands(struct forward_carrying *c, const struct buf *handshake, const struct websocket_key *key, struct websocket_head *ret, struct error *err)
{
	int64_t until = http_curl_ticks() + HTTP_EXCHANGE_TIMEOUT;
	int rc = send_until(c, handshake, until, err), got = 1;

	while (!rc && !(rc = websocket_read_head(buf_text(&c->in), c->in.len, key, ret, err)))
		if ((got = receive_until(c, until, err)) <= 0)
			rc = got < 0 ? -1 : error_set(err, "the server ended the connection");
	if (rc < 0)
		return got < 0 && http_curl_ticks() >= until ? HTTP_LATE : HTTP_CUT;
	buf_consume(&c->in, ret->len);
	if (ret->open)
		return HTTP_ANSWERED;
	/* A refusal: what it says may still be on the way. */
	until = http_curl_ticks() + REFUSAL_WAIT;
	while (c->in.len < REFUSAL_MAX && c->in.len < ret->length && receive_until(c, until, NULL) > 0)
		;
	buf_add(&ret->reply.body, buf_text(&c->in), c->in.len);
	return HTTP_ANSWERED;
}

/* A WebSocket begins with GET, for which RBAC wants `get`; and since 1.35 the API server wants `create` too, and says nothing of it. */
static void
explain_rights(const struct forward *forward, struct api_failure *ret)
{
	ret->kind = API_FORBIDDEN;
	api_say(ret->note, "it says: %.500s", ret->what);
	api_say(ret->what, "you may not forward ports of pods in the namespace `%s` (403)", forward->namespace_);
	api_say(ret->help, "let whoever runs the cluster grant it: a Role in the namespace `%s` with the rule {apiGroups: [\"\"], resources: "
		"[\"pods/portforward\"], verbs: [\"get\", \"create\"]}, bound to you", forward->namespace_);
}

/* The node's server knows no JSON. */
static void
explain(struct forward_carrying *c, const struct api_request *request, struct websocket_head *head, struct arena *arena, struct api_failure *ret)
{
	struct api *api = kube_api(c->forward->kube);

	if (!strncasecmp(head->reply.content_type, "application/json", 16)) {
		api_explain_reply(api, request, &head->reply, arena, ret);
		if (head->reply.status == 403 && ret->kind != API_UNKNOWN_USER)
			explain_rights(c->forward, ret);
		return;
	}
	*ret = (struct api_failure){ .kind = API_REFUSED, .status = head->reply.status };
	api_say(ret->what, "`%s` does not forward port %d of the pod `%s` over WebSocket: status %ld%s%.300s", api->server, c->forward->port,
		c->forward->pod, head->reply.status, head->reply.body.len ? ": " : "",
		api_plain(arena, buf_text(&head->reply.body), 300));
	api_say(ret->help, "a proxy on the way may not let WebSocket through; `kubectl port-forward` speaks another protocol and may work");
}

/* One try. What signing gives lives until the next, so all that is made of it is made under the lock. */
static int
prepare(struct forward_carrying *c, const struct api_request *request, bool renew, const struct websocket_key *key, struct arena *arena,
	struct buf *ret_handshake, struct api_failure *ret_failure)
{
	struct forward *forward = c->forward;
	struct http_request http;
	int rc;

	pthread_mutex_lock(&forward->signing);
	rc = api_prepare(kube_api(forward->kube), request, renew, arena, &http, ret_failure);
	if (!rc) {
		http_curl_request_begin(&c->request, &forward->curl, &http);
		set_options(&c->request, forward);
		write_handshake(ret_handshake, &http, forward->path, key);
	}
	pthread_mutex_unlock(&forward->signing);
	return rc;
}

/* Returns whether the WebSocket is open; *ret_again: the credentials were not taken. */
static bool
try_to_connect(struct forward_carrying *c, bool renew, struct arena *arena, bool *ret_again, struct api_failure *ret_failure)
{
	struct forward *forward = c->forward;
	struct api *api = kube_api(forward->kube);
	struct api_request request = { .method = "GET", .path = forward->path, .right = { "create", "", "pods/portforward", forward->namespace_ } };
	struct websocket_head head = { 0 };
	struct websocket_key key;
	struct buf handshake = { 0 };
	struct error err = { "" };
	enum http_outcome outcome = HTTP_NO_LIBRARY;

	*ret_again = false;
	if (!websocket_key_new(&key, &err)) {
		if (prepare(c, &request, renew, &key, arena, &handshake, ret_failure))
			return false;
		outcome = reach(c, &err);
	}
	if (outcome == HTTP_ANSWERED)
		outcome = shake_hands(c, &handshake, &key, &head, &err);
	if (outcome != HTTP_ANSWERED)
		api_explain_outcome(api, outcome, &err, ret_failure);
	else if (!head.open)
		explain(c, &request, &head, arena, ret_failure);
	*ret_again = outcome == HTTP_ANSWERED && head.reply.status == 401 && api_renewable(api);
	if (handshake.data)
		explicit_bzero(handshake.data, handshake.len);
	buf_release(&handshake);
	http_reply_release(&head.reply);
	return outcome == HTTP_ANSWERED && head.open;
}

bool
forward_connect(struct forward_carrying *c)
{
	struct arena *arena = arena_new();
	struct api_failure failure = { .kind = API_TROUBLE };
	bool open = false, again = true;

	for (int tries = 0; !open && again && tries < 2; tries++) {
		forward_disconnect(c);
		buf_clear(&c->in);
		open = try_to_connect(c, tries > 0, arena, &again, &failure);
	}
	if (!open && !c->forward->stopping)
		forward_note_failure(c->forward, &failure);
	arena_free(arena);
	return open;
}
