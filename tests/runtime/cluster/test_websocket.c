/* WebSocket as bytes: frames and heads in pieces of every size, and what a server must not send. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "runtime/cluster/websocket.h"
#include "tests/tap.h"

#define BYTES(text) text, sizeof text - 1

static const struct {
	const char *what, *bytes;
	size_t n;
	const char *want;
} frames[] = {
	{ "a message", BYTES("\x82\x03\0ab"), "2 last 3\n" },
	{ "an empty one", BYTES("\x82\x00"), "2 last 0\n" },
	{ "in parts, with a ping between", BYTES("\x02\x01X\x89\x00\x00\x01Y\x80\x01Z"), "2 1\n9 last 0\n0 1\n0 last 1\n" },
	{ "a longer one", BYTES("\x82\x7e\x00\x04" "abcd"), "2 last 4\n" },
	{ "a length in eight bytes", BYTES("\x81\x7f\0\0\0\0\0\0\0\x02hi"), "1 last 2\n" },
	{ "a close with its code", BYTES("\x88\x02\x03\xe8"), "8 last 2 code 1000\n" },
	{ "a close without", BYTES("\x88\x00"), "8 last 0 code 0\n" },
	{ "not whole", BYTES("\x82\x05" "abc"), "more\n" },
	{ "a mask", BYTES("\x82\x81\0\0\0\0a"), "! a WebSocket frame of the server has a mask\n" },
	{ "reserved bits", BYTES("\xc2\x01x"), "! a WebSocket frame has reserved bits\n" },
	{ "a kind that is none", BYTES("\x83\x01x"), "! a WebSocket frame is of no known kind: 3\n" },
	{ "a control kind that is none", BYTES("\x8b\x00"), "! a WebSocket frame is of no known kind: 11\n" },
	{ "a ping in parts", BYTES("\x09\x01x"), "! a WebSocket control frame is too long, or in parts\n" },
	{ "a long ping", BYTES("\x89\x7e\x00\x7e"), "! a WebSocket control frame is too long, or in parts\n" },
	{ "a continuation of nothing", BYTES("\x80\x01x"), "! a WebSocket message is begun within another, or continued without one\n" },
	{ "a message within another", BYTES("\x02\x01x\x82\x01y"), "2 1\n! a WebSocket message is begun within another, or continued without one\n" },
	{ "longer than the ceiling", BYTES("\x82\x7f\0\0\0\0\x01\0\0\x01"), "! a WebSocket frame is longer than 16777216 bytes\n" },
	{ "longer than there is memory", BYTES("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff"), "! a WebSocket frame is longer than 16777216 bytes\n" },
};

/* Gives the bytes in pieces of `piece`, as they would come. */
static void
read_all(const char *bytes, size_t n, size_t piece, struct buf *got)
{
	struct websocket websocket = { 0 };
	struct buf in = { 0 };
	int rc = 0;

	for (size_t at = 0; at < n && rc >= 0; at += piece) {
		struct websocket_frame frame;
		struct error err;

		buf_add(&in, bytes + at, piece < n - at ? piece : n - at);
		while ((rc = websocket_read(&websocket, buf_text(&in), in.len, &frame, &err)) > 0) {
			buf_printf(got, "%d%s %zu", frame.kind, frame.last ? " last" : "", frame.n);
			if (frame.kind == WEBSOCKET_CLOSE)
				buf_printf(got, " code %u", websocket_close_code(&frame));
			buf_putc(got, '\n');
			buf_consume(&in, frame.used);
		}
		if (rc < 0)
			buf_printf(got, "! %s\n", err.text);
	}
	if (in.len && rc >= 0)
		buf_puts(got, "more\n");
	buf_release(&in);
}

static void
test_frames(void)
{
	for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
		size_t wrong = 0;
		struct buf got = { 0 };

		read_all(frames[i].bytes, frames[i].n, frames[i].n, &got);
		is_str(buf_text(&got), frames[i].want, "%s", frames[i].what);
		for (size_t piece = 1; piece < frames[i].n; piece++) {
			buf_clear(&got);
			read_all(frames[i].bytes, frames[i].n, piece, &got);
			wrong += strcmp(buf_text(&got), frames[i].want) != 0;
		}
		is_int((int64_t)wrong, 0, "and in pieces of each size");
		buf_release(&got);
	}
}

/* What is written, without its mask, is what a reader gets. */
static void
test_write(void)
{
	static const size_t sizes[] = { 0, 1, 125, 126, 127, 65535, 65536, 100000 };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct buf text = { 0 }, out = { 0 };
		size_t n = sizes[i], head = n < 126 ? 2 : n < 65536 ? 4 : 10, wrong = 0;

		for (size_t j = 0; j < n; j++)
			buf_putc(&text, (char)(j * 7));
		websocket_write(&out, WEBSOCKET_BINARY, buf_text(&text), n);
		is_int((int64_t)out.len, (int64_t)(head + 4 + n), "a frame of %zu bytes", n);
		is_int((unsigned char)out.data[0], 0x82, "is one message");
		ok((unsigned char)out.data[1] >= 0x80, "with a mask");
		for (size_t j = 0; j < n; j++)
			wrong += (out.data[head + 4 + j] ^ out.data[head + (j & 3)]) != text.data[j];
		is_int((int64_t)wrong, 0, "under which the bytes lie");
		buf_release(&text);
		buf_release(&out);
	}
}

static void
test_head(void)
{
	/* The key and its answer of RFC 6455, 1.3. */
	static const struct websocket_key key = { "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" };
	static const struct {
		const char *what, *text, *want;
	} cases[] = {
		{ "the answer", "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
		  "Sec-WebSocket-Protocol:v4.channel.k8s.io \r\n\r\n\x82", "open v4.channel.k8s.io, 1 behind" },
		{ "another key's", "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: AAAA\r\n\r\n",
		  "! what answers speaks no WebSocket, or something on the way has changed its answer" },
		{ "no upgrade", "HTTP/1.1 101 x\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
		  "! what answers speaks no WebSocket, or something on the way has changed its answer" },
		{ "a refusal", "HTTP/1.1 403 Forbidden\r\nContent-Length: 7\r\nContent-Type: application/json\r\n\r\n", "403 application/json, 7 bytes" },
		{ "a short refusal", "HTTP/1.1 403 Forbidden\r\n\r\n", "403 , more bytes" },
		{ "not whole", "HTTP/1.1 101 x\r\nUpgrade: websocket\r\n", "more" },
		{ "another protocol", "SSH-2.0-OpenSSH_9.2\r\n\r\n", "! the answer to a WebSocket's beginning is not HTTP/1.1" },
		{ "a status that is none", "HTTP/1.1 1x1 no\r\n\r\n", "! the answer to a WebSocket's beginning is not HTTP/1.1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t n = strlen(cases[i].text);
		struct websocket_head head = { 0 };
		struct error err;
		struct buf got = { 0 };
		int rc = websocket_read_head(cases[i].text, n, &key, &head, &err);

		if (rc < 0)
			buf_printf(&got, "! %s", err.text);
		else if (!rc)
			buf_puts(&got, "more");
		else if (head.open)
			buf_printf(&got, "open %s, %zu behind", head.protocol, n - head.len);
		else if (head.length == SIZE_MAX)
			buf_printf(&got, "%ld %s, more bytes", head.reply.status, head.reply.content_type);
		else
			buf_printf(&got, "%ld %s, %zu bytes", head.reply.status, head.reply.content_type, head.length);
		is_str(buf_text(&got), cases[i].want, "head: %s", cases[i].what);
		buf_release(&got);
	}
}

static void
test_key(void)
{
	struct websocket_key a, b;
	struct error err;

	ok(!websocket_key_new(&a, &err) && !websocket_key_new(&b, &err), "a key");
	is_int((int64_t)strlen(a.key), WEBSOCKET_KEY - 1, "of 16 bytes");
	is_int((int64_t)strlen(a.accept), WEBSOCKET_ACCEPT - 1, "whose answer is of 20");
	ok(strcmp(a.key, b.key) != 0, "and another each time");
}

int
main(void)
{
	test_frames();
	test_write();
	test_head();
	test_key();
	return done_testing();
}
