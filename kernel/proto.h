/* The wire format of Jupyter messages: bytes in, verified envelopes out. No sockets, no JSON.
 *
 * What proto_open returns was signed with our key and was not seen before; nothing of a message that fails is looked
 * at past its frame lengths and its signature. Envelopes borrow the frames they were opened from. Any thread may call
 * any function. Section "The Wire Protocol" of the Jupyter messaging document. */
#ifndef KERNEL_PROTO_H
#define KERNEL_PROTO_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/macros.h"

enum {
	PROTO_FRAMES_MAX = 1024, /* in one message, buffers included */
	PROTO_IDENTS_MAX = 16, /* routing identities before the delimiter */
	PROTO_HEADER_MAX = 64 * 1024, /* bytes in a header frame or a parent header frame */
	PROTO_CONTENT_MAX = 16 * 1024 * 1024, /* bytes in a content or metadata frame */
	PROTO_SIGNATURE_MAX = 128, /* hex digits: SHA-512 */
	PROTO_REPLAY_KEPT = 32768, /* at least so many last signatures are remembered, at most twice as many */
};

struct slice {
	const char *data;
	size_t len;
};

struct envelope {
	const struct slice *idents;
	size_t n_idents;
	struct slice header, parent_header, metadata, content;
	const struct slice *buffers;
	size_t n_buffers;
};

struct proto;

/* `scheme` is the connection file's signature_scheme, such as "hmac-sha256"; an unknown one is an error. With an
 * empty key messages are neither signed nor checked. NULL on error. */
struct proto *proto_new(const char *scheme, const char *key, size_t key_len, struct error *err);
void proto_free(struct proto *proto);

/* Splits and checks one message. */
int proto_open(struct proto *proto, const struct slice *frames, size_t n, struct envelope *ret, struct error *err)
	MUST_CHECK;

/* The signature over `n` frames: lower-case hex with a NUL behind it, "" with an empty key. Returns its length. */
size_t proto_sign(const struct proto *proto, const struct slice *parts, size_t n, char ret_hex[PROTO_SIGNATURE_MAX + 1]);
/* The same, checked: for the one message without a header, the handshake's (JEP 66). */
bool proto_signature_good(const struct proto *proto, const struct slice *parts, size_t n, struct slice signature);

extern const struct slice PROTO_DELIMITER; /* <IDS|MSG> */

#endif
