/* One connection of a forward, carried both ways. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/cluster/forward_private.h"

enum {
	DATA = 0, ERRORS = 1, /* channels: the first byte of each message */
	PORT = 2, /* bytes with which each channel begins: the port's number */
	SAID_MAX = 1024, /* bytes that are kept of what the node says */
};

/* ---- frames from the server ---- */

static void
take_data(struct forward_carrying *c, const char *bytes, size_t n)
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
take_frame(struct forward_carrying *c, const struct websocket_frame *frame)
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
take_frames(struct forward_carrying *c)
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
receive(struct forward_carrying *c)
{
	char *room;
	size_t n = 0;
	CURLcode code;

	if (c->remote_ended || c->down.len >= FORWARD_HELD_MAX)
		return false;
	room = buf_space(&c->in, FORWARD_PIECE);
	code = room ? c->request.curl->recv(c->request.handle, room, FORWARD_PIECE, &n) : CURLE_OUT_OF_MEMORY;
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
send_frames(struct forward_carrying *c)
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
read_local(struct forward_carrying *c)
{
	char bytes[FORWARD_PIECE];
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
write_local(struct forward_carrying *c)
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
is_over(const struct forward_carrying *c)
{
	if (c->forward->stopping || c->local_broken || (c->remote_ended && !c->down.len))
		return true;
	return c->local_ended && !c->up.len && !c->sending.len && !c->down.len && http_curl_ticks() - c->heard >= FORWARD_LINGER;
}

static void
wait_for_any(const struct forward_carrying *c)
{
	enum { LONG = 60000 };
	short local = (short)((c->down.len ? POLLOUT : 0) | (!c->local_ended && !c->remote_ended && c->up.len < FORWARD_HELD_MAX ? POLLIN : 0));
	short remote = (short)((c->sending.len ? POLLOUT : 0) | (!c->remote_ended && c->down.len < FORWARD_HELD_MAX ? POLLIN : 0));
	struct pollfd fds[] = { { .fd = c->forward->stop_fd, .events = POLLIN }, { .fd = local ? c->link->local : -1, .events = local },
		{ .fd = remote ? c->remote : -1, .events = remote } };

	poll(fds, ARRAY_LEN(fds), c->local_ended ? 100 : LONG);
}

static void
carry(struct forward_carrying *c)
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
explain_end(struct forward_carrying *c)
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
	struct forward_carrying c = { .link = link, .forward = link->forward, .remote = -1, .channel = -1 };

	if (forward_connect(&c)) {
		carry(&c);
		if (c.said.len || *c.err.text)
			explain_end(&c);
	}
	forward_disconnect(&c);
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
