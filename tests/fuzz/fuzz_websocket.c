/* WebSocket from any bytes: the answer's head, then frames, in pieces of any size the same. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The key and its answer of RFC 6455, 1.3. */
static const struct websocket_key key = { "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" };

static int
read_some(const char *bytes, size_t n, struct websocket *websocket, bool *open, struct buf *log, size_t *ret_used)
{
	struct websocket_frame frame;
	struct websocket_head head = { 0 };
	struct error err;
	int rc;

	if (!*open) {
		rc = websocket_read_head(bytes, n, &key, &head, &err);
		*ret_used = head.len;
		*open = rc > 0;
		if (rc > 0 && head.len > n)
			BUG("a head longer than the text");
		if (rc > 0)
			buf_printf(log, "head %ld %zu %s ", head.reply.status, head.length, head.protocol);
		http_reply_release(&head.reply);
	} else {
		rc = websocket_read(websocket, bytes, n, &frame, &err);
		*ret_used = frame.used;
		if (rc > 0 && (frame.used > n || frame.bytes < bytes || frame.bytes + frame.n > bytes + n))
			BUG("a frame longer than the text");
		if (rc > 0)
			buf_printf(log, "%d %d %zu %u ", (int)frame.kind, frame.last, frame.n, websocket_close_code(&frame));
	}
	if (rc < 0)
		buf_printf(log, "! %s", err.text);
	return rc;
}

static void
run(const char *text, size_t len, size_t piece, bool open, struct buf *log)
{
	struct websocket websocket = { 0 };
	size_t at = 0;

	for (size_t n = 0; n < len;) {
		int rc = 1;

		n = piece < len - n ? n + piece : len;
		while (rc > 0) {
			size_t used = 0;
			char *copy = xmalloc(n - at + 1);

			memcpy(copy, text + at, n - at);
			rc = read_some(copy, n - at, &websocket, &open, log, &used);
			free(copy);
			at += rc > 0 ? used : 0;
		}
		if (rc < 0)
			return;
	}
	buf_printf(log, "left %zu", len - at);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = { 0 }, pieces = { 0 };
	bool open;

	if (size < 2)
		return 0;
	open = data[0] & 1;
	run((const char *)data + 1, size - 1, size, open, &whole);
	run((const char *)data + 1, size - 1, data[0] / 2 % 16 + 1, open, &pieces);
	if (strcmp(buf_text(&whole), buf_text(&pieces)) != 0)
		BUG("in pieces: %s; whole: %s", buf_text(&pieces), buf_text(&whole));
	buf_release(&whole);
	buf_release(&pieces);
	return 0;
}
