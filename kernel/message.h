/* A request as the session reads it, and the texts that every answer needs.
 *
 * A request is decoded from a verified envelope: its header is an object with the fields that the protocol demands;
 * metadata is an object; content is an object or, when it was malformed, NULL with `problem` saying why. Requests own
 * all they point to. A parent is the request's header, byte for byte as it came, shared by every answer to it. */
#ifndef KERNEL_MESSAGE_H
#define KERNEL_MESSAGE_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/buf.h"
#include "base/error.h"
#include "kernel/proto.h"

#define PROTOCOL_VERSION "5.6"

enum {
	MESSAGE_DEPTH_MAX = 128, /* nesting of a request's JSON; jansson's own limit overruns a small stack */
	MESSAGE_ID_MAX = 512, /* bytes in a message's type, identity or comm */
};

enum channel { CHANNEL_SHELL, CHANNEL_IOPUB, CHANNEL_STDIN, CHANNEL_CONTROL, CHANNEL_HB, N_CHANNELS };

struct parent {
	atomic_uint refs;
	size_t len;
	char json[]; /* NUL behind it */
};

struct parent *parent_new(const char *json, size_t len);
struct parent *parent_ref(struct parent *parent);
void parent_unref(struct parent *parent); /* NULL is fine: what has no parent */

struct request {
	enum channel channel;
	struct slice *idents; /* one block with what they point to */
	size_t n_idents;
	struct parent *parent;
	json_t *header, *metadata, *content;
	const char *msg_type; /* in header */
	char *problem;
	bool aborted; /* shall be answered, but not executed */
};

/* NULL when the header is no header, or says that the message is one of our own (session_id) come back. */
struct request *request_decode(
	enum channel channel, const struct envelope *envelope, const char *session_id, struct error *err);
void request_free(struct request *request);

/* Parses one JSON object with the limits above; NULL on error. */
json_t *message_parse(const char *what, struct slice text, struct error *err);

/* Who writes: one for the whole process, the same on every channel and thread. */
struct writer {
	char session_id[37];
	char username[128]; /* escaped for JSON */
	atomic_uint_least64_t count;
};

void writer_init(struct writer *writer);
/* Appends a header object with a new msg_id. */
void writer_header(struct writer *writer, const char *msg_type, const struct timespec *when, struct buf *ret);

/* ISO 8601, UTC, always six digits of a second, "Z". */
enum { TIMESTAMP_SIZE = 28 };
void timestamp_format(const struct timespec *when, char ret[TIMESTAMP_SIZE]);

/* Appends compact JSON, or a part of it and sets overflow. */
void message_dump(const json_t *json, struct buf *ret);

#endif
