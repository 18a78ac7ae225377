/* One connection of a forward: libcurl makes the way to the API server (TLS, client certificates, proxies), the rest is WebSocket. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "runtime/cluster/base64.h"
#include "runtime/cluster/forward_private.h"
#include "runtime/cluster/websocket.h"

enum {
	PIECE = 32 * 1024, /* bytes of one frame to the pod */
	DATA = 0, ERRORS = 1, /* channels: the first byte of each message */
	PORT = 2, /* bytes with which each channel begins: the port's number */
	SAID_MAX = 1024, /* bytes that are kept of what the node says */
	REFUSAL_MAX = 64 * 1024, REFUSAL_WAIT = 5000,
};

struct carrying {
	struct forward_link *link;
	struct forward *forward;
	struct http_curl_request request;
	int remote; /* libcurl's socket */
	struct websocket websocket;
	struct buf in; /* from the server, not yet taken apart */
	struct buf up, sending; /* frames for the server; `sending` stays as it is until it is gone, for TLS wants it so */
	size_t sent; /* of `sending` */
	struct buf down; /* for the local side */
	struct buf said; /* on the channel of errors */
	size_t heads[2]; /* bytes of the port's number that each channel has brought */
	int channel; /* of the message that goes on; -1: it is none that we know */
	bool local_ended, local_broken, remote_ended;
	int64_t heard; /* ticks, of the last byte from the pod */
	struct error err; /* of the WebSocket; "": none */
};

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
reach(struct carrying *c, struct error *err)
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

static void
leave(struct carrying *c)
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
wait_for_remote(struct carrying *c, short events, int64_t until)
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
receive_until(struct carrying *c, int64_t until, struct error *err)
{
	for (;;) {
		char *room = buf_space(&c->in, PIECE);
		size_t n = 0;
		CURLcode code = room ? c->request.curl->recv(c->request.handle, room, PIECE, &n) : CURLE_OUT_OF_MEMORY;

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
send_until(struct carrying *c, const struct buf *bytes, int64_t until, struct error *err)
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
shake_hands(struct carrying *c, const struct buf *handshake, const struct websocket_key *key, struct websocket_head *ret, struct error *err)
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

/* The node's server knows no JSON. */
static void
explain(struct carrying *c, const struct api_request *request, struct websocket_head *head, struct arena *arena, struct api_failure *ret)
{
	struct api *api = kube_api(c->forward->kube);

	if (!strncasecmp(head->reply.content_type, "application/json", 16)) {
		api_explain_reply(api, request, &head->reply, arena, ret);
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
prepare(struct carrying *c, const struct api_request *request, bool renew, const struct websocket_key *key, struct arena *arena,
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
try_to_connect(struct carrying *c, bool renew, struct arena *arena, bool *ret_again, struct api_failure *ret_failure)
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

static bool
connect_to_pod(struct carrying *c)
{
	struct arena *arena = arena_new();
	struct api_failure failure = { .kind = API_TROUBLE };
	bool open = false, again = true;

	for (int tries = 0; !open && again && tries < 2; tries++) {
		leave(c);
		buf_clear(&c->in);
		open = try_to_connect(c, tries > 0, arena, &again, &failure);
	}
	if (!open && !c->forward->stopping)
		forward_note_failure(c->forward, &failure);
	arena_free(arena);
	return open;
}

/* ---- frames from the server ---- */

static void
take_data(struct carrying *c, const char *bytes, size_t n)
{
	size_t *head = &c->heads[c->channel], skip;

	skip = PORT - *head < n ? PORT - *head : n;
	*head += skip;
	bytes += skip;
	n -= skip;
	if (c->channel == DATA)
		buf_add(&c->down, bytes, n);
	else if (c->said.len < SAID_MAX)
		buf_add(&c->said, bytes, n < SAID_MAX - c->said.len ? n : SAID_MAX - c->said.len);
}

static void
take_frame(struct carrying *c, const struct websocket_frame *frame)
{
	const char *bytes = frame->bytes;
	size_t n = frame->n;

	switch (frame->kind) {
	case WEBSOCKET_CLOSE:
		if (websocket_close_code(frame) > 1001)
			error_set(&c->err, "the server closed it with code %u", websocket_close_code(frame));
		websocket_write(&c->up, WEBSOCKET_CLOSE, bytes, n < 2 ? n : 2);
		c->remote_ended = true;
		return;
	case WEBSOCKET_PING:
		websocket_write(&c->up, WEBSOCKET_PONG, bytes, n);
		return;
	case WEBSOCKET_PONG:
		return;
	case WEBSOCKET_TEXT:
	case WEBSOCKET_BINARY:
		c->channel = n && (*bytes == DATA || *bytes == ERRORS) ? *bytes : -1;
		if (n) {
			bytes++;
			n--;
		}
		break;
	case WEBSOCKET_MORE:
		break;
	}
	if (c->channel >= 0)
		take_data(c, bytes, n);
}

static void
take_frames(struct carrying *c)
{
	size_t at = 0;

	while (!c->remote_ended) {
		struct websocket_frame frame;
		int rc = websocket_read(&c->websocket, buf_text(&c->in) + at, c->in.len - at, &frame, &c->err);

		if (!rc)
			break;
		if (rc < 0) {
			c->remote_ended = true;
			break;
		}
		take_frame(c, &frame);
		at += frame.used;
	}
	buf_consume(&c->in, at);
}

/* ---- the four directions; each says whether it got on ---- */

static bool
receive(struct carrying *c)
{
	char *room;
	size_t n = 0;
	CURLcode code;

	if (c->remote_ended || c->down.len >= FORWARD_HELD_MAX)
		return false;
	room = buf_space(&c->in, PIECE);
	code = room ? c->request.curl->recv(c->request.handle, room, PIECE, &n) : CURLE_OUT_OF_MEMORY;
	if (code == CURLE_AGAIN)
		return false;
	if (code != CURLE_OK)
		error_set(&c->err, "%s", c->request.curl->strerror(code));
	if (code != CURLE_OK || !n) {
		c->remote_ended = true;
		return true;
	}
	buf_commit(&c->in, n);
	c->heard = http_curl_ticks();
	take_frames(c);
	return true;
}

static bool
send_frames(struct carrying *c)
{
	size_t n = 0;
	CURLcode code;

	if (!c->sending.len) {
		struct buf swap = c->sending;

		c->sending = c->up;
		c->up = swap;
		c->sent = 0;
	}
	if (!c->sending.len)
		return false;
	code = c->request.curl->send(c->request.handle, c->sending.data + c->sent, c->sending.len - c->sent, &n);
	if (code == CURLE_AGAIN)
		return false;
	if (code != CURLE_OK) {
		c->remote_ended = true;
		buf_clear(&c->sending);
		return true;
	}
	c->sent += n;
	if (c->sent == c->sending.len)
		buf_clear(&c->sending);
	return true;
}

static bool
read_local(struct carrying *c)
{
	char bytes[PIECE];
	ssize_t n;

	if (c->local_ended || c->remote_ended || c->up.len >= FORWARD_HELD_MAX)
		return false;
	bytes[0] = DATA;
	n = recv(c->link->local, bytes + 1, sizeof bytes - 1, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		c->local_ended = true;
		c->local_broken = n < 0;
		c->heard = http_curl_ticks();
		return true;
	}
	websocket_write(&c->up, WEBSOCKET_BINARY, bytes, (size_t)n + 1);
	forward_count(c->forward, (size_t)n, 0);
	return true;
}

static bool
write_local(struct carrying *c)
{
	ssize_t n;

	if (!c->down.len)
		return false;
	n = send(c->link->local, c->down.data, c->down.len, MSG_NOSIGNAL);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n < 0) {
		c->local_broken = true;
		return true;
	}
	buf_consume(&c->down, (size_t)n);
	forward_count(c->forward, 0, (size_t)n);
	return true;
}

/* ---- carrying ---- */

static bool
is_over(const struct carrying *c)
{
	if (c->forward->stopping || c->local_broken || (c->remote_ended && !c->down.len))
		return true;
	return c->local_ended && !c->up.len && !c->sending.len && !c->down.len && http_curl_ticks() - c->heard >= FORWARD_LINGER;
}

static void
wait_for_any(const struct carrying *c)
{
	enum { LONG = 60000 };
	short local = (short)((c->down.len ? POLLOUT : 0) | (!c->local_ended && !c->remote_ended && c->up.len < FORWARD_HELD_MAX ? POLLIN : 0));
	short remote = (short)((c->sending.len ? POLLOUT : 0) | (!c->remote_ended && c->down.len < FORWARD_HELD_MAX ? POLLIN : 0));
	struct pollfd fds[] = { { .fd = c->forward->stop_fd, .events = POLLIN }, { .fd = local ? c->link->local : -1, .events = local },
		{ .fd = remote ? c->remote : -1, .events = remote } };

	poll(fds, ARRAY_LEN(fds), c->local_ended ? 100 : LONG);
}

static void
carry(struct carrying *c)
{
	take_frames(c); /* some may have come with the handshake */
	while (!is_over(c)) {
		bool on = send_frames(c);

		on |= receive(c);
		on |= write_local(c);
		on |= read_local(c);
		if (!on)
			wait_for_any(c);
	}
	send_frames(c); /* our own close, if there is one */
}

static void
explain_end(struct carrying *c)
{
	struct arena *arena = arena_new();
	struct api_failure failure = { .kind = API_TROUBLE };
	struct forward *forward = c->forward;

	if (c->said.len && strstr(buf_text(&c->said), "onnection refused")) {
		failure.kind = API_REFUSED;
		api_say(failure.what, "nothing listens on port %d in the pod `%s`", forward->port, forward->pod);
		api_say(failure.help, "it may not be ready yet; what listens there must do so on 0.0.0.0 or localhost");
	} else if (c->said.len) {
		api_say(failure.what, "port %d of the pod `%s` cannot be reached: %s", forward->port, forward->pod,
			api_plain(arena, buf_text(&c->said), 500));
		api_say(failure.help, "see whether the pod still runs");
	} else {
		api_say(failure.what, "the connection to port %d of the pod `%s` ended: %s", forward->port, forward->pod, c->err.text);
		api_say(failure.help, "a proxy on the way may change what passes it");
	}
	forward_note_failure(forward, &failure);
	arena_free(arena);
}

void *
forward_link_run(void *data)
{
	struct forward_link *link = data;
	struct carrying c = { .link = link, .forward = link->forward, .remote = -1, .channel = -1 };

	if (connect_to_pod(&c)) {
		carry(&c);
		if (c.said.len || *c.err.text)
			explain_end(&c);
	}
	leave(&c);
	close(link->local);
	buf_release(&c.in);
	buf_release(&c.up);
	buf_release(&c.sending);
	buf_release(&c.down);
	buf_release(&c.said);
	forward_count_links(link->forward, -1);
	link->done = true;
	return NULL;
}
