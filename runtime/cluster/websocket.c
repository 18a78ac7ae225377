#include "config.h"

#include "runtime/cluster/websocket.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "runtime/cluster/base64.h"

/* ---- handshake ---- */

static void
encode(char *ret, size_t size, const void *bytes, size_t n)
{
	struct buf text = { 0 };

	base64_encode(&text, bytes, n);
	snprintf(ret, size, "%s", buf_text(&text));
	buf_release(&text);
}

int
websocket_key_new(struct websocket_key *ret, struct error *err)
{
	static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455, 1.3 */
	unsigned char nonce[16], digest[EVP_MAX_MD_SIZE];
	char text[WEBSOCKET_KEY + sizeof magic];
	unsigned len = 0;

	if (getrandom(nonce, sizeof nonce, 0) != sizeof nonce)
		return error_errno(err, errno, "there are no random numbers to be had");
	encode(ret->key, sizeof ret->key, nonce, sizeof nonce);
	snprintf(text, sizeof text, "%s%s", ret->key, magic);
	if (EVP_Digest(text, strlen(text), digest, &len, EVP_sha1(), NULL) != 1)
		return error_set(err, "OpenSSL has no SHA-1, which WebSocket needs");
	encode(ret->accept, sizeof ret->accept, digest, len);
	return 0;
}

void
websocket_write_request(struct buf *buf, const char *host, const char *target, const struct websocket_key *key, const char *protocol,
			const char *headers)
{
	buf_printf(buf, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: lateen/" PACKAGE_VERSION "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\nSec-WebSocket-Protocol: %s\r\n%s\r\n", target, host, key->key, protocol, headers);
}

/* The value of the line if it is that header, cut to `size`. */
static bool
take_header(const char *line, size_t len, const char *name, char *ret, size_t size)
{
	size_t n = strlen(name), room = size - 1;

	if (len <= n || line[n] != ':' || strncasecmp(line, name, n) != 0)
		return false;
	for (line += n + 1, len -= n + 1; len && (*line == ' ' || *line == '\t'); line++)
		len--;
	while (len && (line[len - 1] == ' ' || line[len - 1] == '\t'))
		len--;
	snprintf(ret, size, "%.*s", (int)(len < room ? len : room), line);
	return true;
}

static int
read_status(const char *bytes, size_t n, struct http_reply *ret, struct error *err)
{
	if (n < 12 || memcmp(bytes, "HTTP/1.", 7) != 0 || bytes[8] != ' ' || strspn(bytes + 9, "0123456789") < 3)
		return error_set(err, "the answer to a WebSocket's beginning is not HTTP/1.1");
	ret->status = (bytes[9] - '0') * 100 + (bytes[10] - '0') * 10 + (bytes[11] - '0');
	return 0;
}

int
websocket_read_head(const char *bytes, size_t n, const struct websocket_key *key, struct websocket_head *ret, struct error *err)
{
	const char *end = memmem(bytes, n, "\r\n\r\n", 4), *line, *next;
	char accept[HTTP_HEADER_MAX] = "", upgrade[HTTP_HEADER_MAX] = "", length[HTTP_HEADER_MAX] = "";

	if (!end)
		return n <= WEBSOCKET_HEAD_MAX ? 0 : error_set(err, "the answer's head is longer than %d bytes", WEBSOCKET_HEAD_MAX);
	*ret = (struct websocket_head){ .len = (size_t)(end - bytes) + 4, .length = SIZE_MAX };
	if (read_status(bytes, (size_t)(end - bytes), &ret->reply, err))
		return -1;
	line = memmem(bytes, ret->len, "\r\n", 2);
	for (line += 2; line < end; line = next + 2) {
		size_t len;

		next = memmem(line, (size_t)(end + 2 - line), "\r\n", 2);
		len = (size_t)(next - line);
		http_reply_header(&ret->reply, line, len);
		take_header(line, len, "Sec-WebSocket-Accept", accept, sizeof accept);
		take_header(line, len, "Sec-WebSocket-Protocol", ret->protocol, sizeof ret->protocol);
		take_header(line, len, "Upgrade", upgrade, sizeof upgrade);
		if (take_header(line, len, "Content-Length", length, sizeof length))
			ret->length = strtoul(length, NULL, 10);
	}
	if (ret->reply.status != 101)
		return 1;
	if (strcasecmp(upgrade, "websocket") != 0 || strcmp(accept, key->accept) != 0)
		return error_set(err, "what answers speaks no WebSocket, or something on the way has changed its answer");
	ret->open = true;
	return 1;
}

/* ---- frames ---- */

static uint64_t
read_number(const unsigned char *at, size_t n)
{
	uint64_t ret = 0;

	while (n--)
		ret = ret << 8 | *at++;
	return ret;
}

static int
check_kind(struct websocket *websocket, unsigned first, uint64_t len, struct error *err)
{
	unsigned kind = first & 15;
	bool last = first & 0x80, control = kind & 8;

	if (first & 0x70)
		return error_set(err, "a WebSocket frame has reserved bits");
	if (kind != WEBSOCKET_MORE && kind != WEBSOCKET_TEXT && kind != WEBSOCKET_BINARY && kind != WEBSOCKET_CLOSE && kind != WEBSOCKET_PING &&
	    kind != WEBSOCKET_PONG)
		return error_set(err, "a WebSocket frame is of no known kind: %u", kind);
	if (control)
		return last && len <= WEBSOCKET_CONTROL_MAX ? 0 : error_set(err, "a WebSocket control frame is too long, or in parts");
	if (websocket->in_message != (kind == WEBSOCKET_MORE))
		return error_set(err, "a WebSocket message is begun within another, or continued without one");
	return 0;
}

int
websocket_read(struct websocket *websocket, const char *bytes, size_t n, struct websocket_frame *ret, struct error *err)
{
	const unsigned char *at = (const unsigned char *)bytes;
	size_t head, more;
	uint64_t len;

	if (n < 2)
		return 0;
	if (at[1] & 0x80)
		return error_set(err, "a WebSocket frame of the server has a mask");
	more = at[1] == 127 ? 8 : at[1] == 126 ? 2 : 0;
	head = 2 + more;
	if (n < head)
		return 0;
	len = more ? read_number(at + 2, more) : at[1];
	if (check_kind(websocket, at[0], len, err))
		return -1;
	if (len > WEBSOCKET_FRAME_MAX)
		return error_set(err, "a WebSocket frame is longer than %d bytes", WEBSOCKET_FRAME_MAX);
	if (n - head < len)
		return 0;
	*ret = (struct websocket_frame){ (enum websocket_kind)(at[0] & 15), at[0] & 0x80, bytes + head, (size_t)len, head + (size_t)len };
	if (!(at[0] & 8))
		websocket->in_message = !ret->last;
	return 1;
}

void
websocket_write(struct buf *buf, enum websocket_kind kind, const char *bytes, size_t n)
{
	unsigned char head[14] = { (unsigned char)(0x80 | kind) }, *mask;
	size_t len = 2, more = n < 126 ? 0 : n < 65536 ? 2 : 8;
	char *at;

	head[1] = (unsigned char)(0x80 | (!more ? n : more == 2 ? 126 : 127));
	for (size_t i = more; i-- > 0;)
		head[len++] = (unsigned char)((uint64_t)n >> (8 * i));
	mask = head + len;
	/* The mask keeps caches from being fooled; it need not be secret from the server, so bad chance is no harm. */
	if (getrandom(mask, 4, GRND_NONBLOCK) != 4)
		memcpy(mask, &n, 4);
	buf_add(buf, head, len + 4);
	at = buf_space(buf, n);
	if (!at)
		return;
	for (size_t i = 0; i < n; i++)
		at[i] = (char)((unsigned char)bytes[i] ^ mask[i & 3]);
	buf_commit(buf, n);
}

unsigned
websocket_close_code(const struct websocket_frame *frame)
{
	return frame->n < 2 ? 0 : (unsigned)read_number((const unsigned char *)frame->bytes, 2);
}
