/* WebSocket (RFC 6455) as a client speaks it: the handshake and the frames, as bytes in and out. No sockets.
 *
 * What a server must not send (frames with a mask, reserved bits, control frames in parts, text where something is to be continued)
 * is an error. Whole frames are given, not whole messages. */
#ifndef RUNTIME_CLUSTER_WEBSOCKET_H
#define RUNTIME_CLUSTER_WEBSOCKET_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "runtime/cluster/http.h"

enum {
	WEBSOCKET_KEY = 25, /* bytes with NUL */
	WEBSOCKET_ACCEPT = 29,
	WEBSOCKET_HEAD_MAX = 64 * 1024, /* bytes of the answer's head */
	WEBSOCKET_FRAME_MAX = 16 * 1024 * 1024, /* bytes of a frame's payload */
	WEBSOCKET_CONTROL_MAX = 125,
};

/* What the client chooses, and what the server must say to it. */
struct websocket_key {
	char key[WEBSOCKET_KEY], accept[WEBSOCKET_ACCEPT];
};

struct websocket_head {
	struct http_reply reply; /* status, content type, …; the body is empty. Release it */
	char protocol[HTTP_HEADER_MAX]; /* that the server has chosen, or "" */
	size_t len; /* bytes of the head */
	size_t length; /* of the body of a refusal; SIZE_MAX: not known */
	bool open; /* 101, and the server has understood */
};

int websocket_key_new(struct websocket_key *ret, struct error *err);
/* The request's head. `target` is path and query; `headers` are lines, each with its end. */
void websocket_write_request(struct buf *buf, const char *host, const char *target, const struct websocket_key *key, const char *protocol,
			     const char *headers);
/* 1: the head is there; 0: more is needed; -1 with *err set: it is none. `open` false with 101 cannot be: that is an error, too. */
int websocket_read_head(const char *bytes, size_t n, const struct websocket_key *key, struct websocket_head *ret, struct error *err);

enum websocket_kind { WEBSOCKET_MORE = 0, WEBSOCKET_TEXT = 1, WEBSOCKET_BINARY = 2, WEBSOCKET_CLOSE = 8, WEBSOCKET_PING = 9, WEBSOCKET_PONG = 10 };

struct websocket_frame {
	enum websocket_kind kind;
	bool last; /* of its message */
	const char *bytes; /* in what was given */
	size_t n;
	size_t used; /* bytes of the frame */
};

/* Between frames. Zero-initialise it. */
struct websocket {
	bool in_message; /* the next data frame must be WEBSOCKET_MORE */
};

/* 1: a frame; 0: it is not whole yet; -1 with *err set: this is no WebSocket. */
int websocket_read(struct websocket *websocket, const char *bytes, size_t n, struct websocket_frame *ret, struct error *err);
/* One frame that is a whole message. n at most WEBSOCKET_CONTROL_MAX for CLOSE, PING, PONG. */
void websocket_write(struct buf *buf, enum websocket_kind kind, const char *bytes, size_t n);
unsigned websocket_close_code(const struct websocket_frame *frame); /* 0: none is given */

#endif
