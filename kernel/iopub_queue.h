/* What is to be published, in order; a pure state machine: no sockets, threads or clock. Times are milliseconds of any
 * clock that does not go back.
 *
 * Stream text is coalesced: text of the same stream and parent joins the last item as long as that has not been taken.
 * Text goes out IOPUB_GRACE after its first byte, but IOPUB_INTERVAL after the stream message before it at the earliest;
 * at once when IOPUB_STREAM_MAX bytes are together or anything else was queued behind it. Order is never changed.
 *
 * Nothing is lost while readers read. When sending has been impossible for `stall_limit`, a reader has stalled: from
 * then on stream text that cannot be sent is dropped and counted, and all else is sent past the high-water mark
 * (IOPUB_FORCE). The count is published, on stderr, before whatever comes next. */
#ifndef KERNEL_IOPUB_QUEUE_H
#define KERNEL_IOPUB_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/buf.h"
#include "kernel/message.h"

enum {
	IOPUB_GRACE = 2, /* ms; a line that is written in pieces comes as one */
	IOPUB_INTERVAL = 60, /* ms between two stream messages */
	IOPUB_STREAM_MAX = 64 * 1024, /* bytes of text in one stream message */
	IOPUB_QUEUE_MAX = 1024 * 1024, /* bytes queued before who writes text has to wait */
	IOPUB_HURRY_MAX = 64 * 1024 * 1024, /* the same while a cell is being interrupted */
	IOPUB_STALL_LIMIT = 10000, /* ms */
	IOPUB_FORCED_MAX = 256 * 1024 * 1024, /* bytes kept for a reader that has stalled before it is given up */
};

struct iopub_item {
	struct iopub_item *next;
	struct parent *parent; /* or NULL */
	const char *msg_type; /* a constant */
	char *topic; /* or NULL: the usual one */
	char *metadata; /* JSON, or NULL for {} */
	struct buf content; /* JSON; of a stream without its last two characters while `open` */
	struct timespec when;
	int64_t since; /* of a stream: when its first byte came */
	size_t text_len; /* of a stream: bytes before escaping */
	size_t counted; /* its part of the queue's bytes */
	bool stream, is_stderr, open;
};

struct iopub_queue {
	struct iopub_item *head, *tail;
	struct iopub_item *note; /* made when text was dropped, sent before the head */
	struct parent *note_parent;
	size_t bytes, forced, dropped;
	int64_t stream_sent, stall_since; /* INT64_MIN: never, not */
	int64_t stall_limit;
	bool dropping;
};

enum iopub_how {
	IOPUB_NOTHING, /* nothing before *ret_due (INT64_MAX: before something is queued) */
	IOPUB_TRY, /* send, waiting a little if a reader is slow */
	IOPUB_PROBE, /* send if that is possible at once */
	IOPUB_FORCE, /* send past the high-water mark */
	IOPUB_GIVE_UP, /* send, readers that have stalled lose it */
};

void iopub_queue_init(struct iopub_queue *queue, int64_t stall_limit);
void iopub_queue_release(struct iopub_queue *queue);

/* Takes the item and what it owns. */
void iopub_queue_add(struct iopub_queue *queue, struct iopub_item *item);
/* Text must be valid UTF-8. */
void iopub_queue_stream(
	struct iopub_queue *queue, int64_t now, struct parent *parent, bool is_stderr, const char *text, size_t len);
/* Queued text waits no longer. */
void iopub_queue_flush(struct iopub_queue *queue);
bool iopub_queue_full(const struct iopub_queue *queue, bool hurry);

/* When something will have to be sent: INT64_MIN for now. */
int64_t iopub_queue_due(const struct iopub_queue *queue, int64_t now);
/* What to do now. The item stays the queue's and does not change until iopub_queue_sent or _refused is called. */
enum iopub_how iopub_queue_next(struct iopub_queue *queue, int64_t now, struct iopub_item **ret, int64_t *ret_due);
void iopub_queue_sent(struct iopub_queue *queue, struct iopub_item *item, enum iopub_how how, int64_t now);
void iopub_queue_refused(struct iopub_queue *queue, int64_t now);

void iopub_item_free(struct iopub_item *item);

#endif
