/* Frames from a peer: cut from the input by length bytes, opened without a key (so that what lies behind the signature is
 * reached) and with one, then decoded as a request. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/message.h"
#include "kernel/proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FRAMES_MAX = 64 };

/* A frame is a byte that says how long it is (255: all the rest) and its bytes; 254 stands for the delimiter. */
static size_t
cut_frames(const char *data, size_t size, struct slice *ret)
{
	size_t n = 0;

	while (size > 0 && n < FRAMES_MAX) {
		size_t len = (unsigned char)*data++;

		size--;
		if (len == 254) {
			ret[n++] = PROTO_DELIMITER;
			continue;
		}
		if (len > size || len == 255)
			len = size;
		ret[n++] = (struct slice){ data, len };
		data += len;
		size -= len;
	}
	return n;
}

static void
open_frames(const char *key, const struct slice *frames, size_t n)
{
	struct proto *proto = proto_new("hmac-sha256", key, strlen(key), NULL);
	struct envelope envelope;
	struct error err;

	if (proto_open(proto, frames, n, &envelope, &err) == 0)
		request_free(request_decode(CHANNEL_SHELL, &envelope, "own", &err));
	proto_free(proto);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice frames[FRAMES_MAX];
	size_t n = cut_frames((const char *)data, size, frames);

	open_frames("", frames, n);
	open_frames("k", frames, n);
	return 0;
}
