/* The publisher: a thread of its own that owns the iopub socket and sends what others queue, in order.
 *
 * Every subscriber gets a welcome (JEP 65); the first one also gets the "starting" status. Any thread may publish.
 * Publishing never waits, but for iopub_stream and iopub_make_room, which hold their callers up while more than
 * IOPUB_QUEUE_MAX bytes are queued (never longer than the stall limit; after iopub_hurry hardly ever). */
#ifndef KERNEL_IOPUB_H
#define KERNEL_IOPUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "kernel/message.h"
#include "kernel/proto.h"

struct iopub;

/* Borrows all it is given; the socket is its own to close. NULL on error. */
struct iopub *iopub_start(
	void *socket, struct proto *proto, struct writer *writer, int64_t stall_limit, struct error *err);
/* Sends what is queued, then ends the thread; waits no longer than `wait_ms`. */
void iopub_stop(struct iopub *iopub, int64_t wait_ms);

/* msg_type is a constant; metadata (NULL for {}) is copied; content is malloc'ed and taken. */
void iopub_publish(struct iopub *iopub, struct parent *parent, const char *msg_type, const char *metadata, char *content,
	size_t content_len);
/* Text is valid UTF-8. */
void iopub_stream(struct iopub *iopub, struct parent *parent, bool is_stderr, const char *text, size_t len);
void iopub_make_room(struct iopub *iopub);
void iopub_flush(struct iopub *iopub);
/* The cell shall end: until called with false, iopub_stream lets IOPUB_HURRY_MAX bytes through without waiting. */
void iopub_hurry(struct iopub *iopub, bool hurry);

#endif
