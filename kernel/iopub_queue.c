#include "config.h"

#include "kernel/iopub_queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "kernel/json_text.h"

void
iopub_item_free(struct iopub_item *item)
{
	if (!item)
		return;
	parent_unref(item->parent);
	free(item->topic);
	free(item->metadata);
	buf_release(&item->content);
	free(item);
}

void
iopub_queue_init(struct iopub_queue *queue, int64_t stall_limit)
{
	*queue = (struct iopub_queue){ .stream_sent = INT64_MIN, .stall_since = INT64_MIN, .stall_limit = stall_limit };
}

void
iopub_queue_release(struct iopub_queue *queue)
{
	while (queue->head) {
		struct iopub_item *item = queue->head;

		queue->head = item->next;
		iopub_item_free(item);
	}
	iopub_item_free(queue->note);
	parent_unref(queue->note_parent);
	*queue = (struct iopub_queue){ 0 };
}

static void
close_item(struct iopub_item *item)
{
	if (item->open)
		buf_puts(&item->content, "\"}");
	item->open = false;
}

void
iopub_queue_flush(struct iopub_queue *queue)
{
	if (queue->tail)
		close_item(queue->tail);
}

static void
append(struct iopub_queue *queue, struct iopub_item *item)
{
	clock_gettime(CLOCK_REALTIME, &item->when);
	if (queue->tail)
		queue->tail->next = item;
	else
		queue->head = item;
	queue->tail = item;
}

void
iopub_queue_add(struct iopub_queue *queue, struct iopub_item *item)
{
	iopub_queue_flush(queue);
	append(queue, item);
	item->counted = item->content.len;
	queue->bytes += item->counted;
}

static struct iopub_item *
new_stream(int64_t now, struct parent *parent, bool is_stderr)
{
	struct iopub_item *item = xcalloc(1, sizeof *item);

	item->msg_type = "stream";
	item->parent = parent_ref(parent);
	item->since = now;
	item->stream = item->open = true;
	item->is_stderr = is_stderr;
	buf_puts(&item->content, is_stderr ? "{\"name\":\"stderr\",\"text\":\"" : "{\"name\":\"stdout\",\"text\":\"");
	return item;
}

/* The open item that text of this stream may join, a new one if there is none. */
static struct iopub_item *
stream_tail(struct iopub_queue *queue, int64_t now, struct parent *parent, bool is_stderr)
{
	struct iopub_item *tail = queue->tail;

	if (tail && tail->open && tail->parent == parent && tail->is_stderr == is_stderr)
		return tail;
	iopub_queue_flush(queue);
	append(queue, new_stream(now, parent, is_stderr));
	return queue->tail;
}

/* At most `room` bytes, without cutting a character. */
static size_t
cut(const char *text, size_t len, size_t room)
{
	if (len <= room)
		return len;
	while (room > 0 && ((unsigned char)text[room] & 0xC0) == 0x80)
		room--;
	return room;
}

void
iopub_queue_stream(
	struct iopub_queue *queue, int64_t now, struct parent *parent, bool is_stderr, const char *text, size_t len)
{
	while (len > 0) {
		struct iopub_item *item = stream_tail(queue, now, parent, is_stderr);
		size_t take = cut(text, len, IOPUB_STREAM_MAX - item->text_len);

		json_text_escape(&item->content, text, take);
		item->text_len += take;
		item->counted += take;
		queue->bytes += take;
		text += take;
		len -= take;
		if (len > 0 || item->text_len >= IOPUB_STREAM_MAX)
			close_item(item);
	}
}

bool
iopub_queue_full(const struct iopub_queue *queue, bool hurry)
{
	return queue->bytes > (hurry ? IOPUB_HURRY_MAX : IOPUB_QUEUE_MAX);
}

int64_t
iopub_queue_due(const struct iopub_queue *queue, int64_t now)
{
	const struct iopub_item *head = queue->head;
	int64_t due;

	if (!head)
		return INT64_MAX;
	if (!head->open)
		return INT64_MIN;
	due = head->since + IOPUB_GRACE;
	if (queue->stream_sent != INT64_MIN && due < queue->stream_sent + IOPUB_INTERVAL)
		due = queue->stream_sent + IOPUB_INTERVAL;
	return due <= now ? INT64_MIN : due;
}

static struct iopub_item *
make_note(struct iopub_queue *queue)
{
	if (queue->note)
		return queue->note;
	queue->note = new_stream(0, queue->note_parent, true);
	buf_printf(&queue->note->content,
		"\\n[output dropped: %zu bytes of text did not fit because a client had not read for %d s]\\n", queue->dropped,
		(int)(queue->stall_limit / 1000));
	close_item(queue->note);
	clock_gettime(CLOCK_REALTIME, &queue->note->when);
	return queue->note;
}

enum iopub_how
iopub_queue_next(struct iopub_queue *queue, int64_t now, struct iopub_item **ret, int64_t *ret_due)
{
	int64_t due = iopub_queue_due(queue, now);

	if (due != INT64_MIN) {
		*ret_due = due;
		return IOPUB_NOTHING;
	}
	close_item(queue->head);
	if (!queue->dropping) {
		*ret = queue->head;
		return IOPUB_TRY;
	}
	*ret = queue->dropped ? make_note(queue) : queue->head;
	if (queue->head->stream)
		return IOPUB_PROBE;
	return queue->forced > IOPUB_FORCED_MAX ? IOPUB_GIVE_UP : IOPUB_FORCE;
}

static struct iopub_item *
pop(struct iopub_queue *queue)
{
	struct iopub_item *item = queue->head;

	queue->head = item->next;
	if (!queue->head)
		queue->tail = NULL;
	queue->bytes -= item->counted;
	return item;
}

void
iopub_queue_sent(struct iopub_queue *queue, struct iopub_item *item, enum iopub_how how, int64_t now)
{
	if (how == IOPUB_FORCE)
		queue->forced += item->content.len;
	if (how == IOPUB_TRY || how == IOPUB_PROBE) {
		queue->stall_since = INT64_MIN;
		queue->dropping = false;
		queue->forced = 0;
	}
	if (item->stream)
		queue->stream_sent = now;
	if (item == queue->note) {
		queue->note = NULL;
		queue->dropped = 0;
		iopub_item_free(item);
	} else {
		iopub_item_free(pop(queue));
	}
}

void
iopub_queue_refused(struct iopub_queue *queue, int64_t now)
{
	if (queue->stall_since == INT64_MIN)
		queue->stall_since = now;
	if (!queue->dropping) {
		queue->dropping = now - queue->stall_since >= queue->stall_limit;
		return;
	}
	if (!queue->head->stream)
		return;
	iopub_item_free(queue->note); /* it will hold a larger number */
	queue->note = NULL;
	queue->dropped += queue->head->text_len;
	parent_unref(queue->note_parent);
	queue->note_parent = parent_ref(queue->head->parent);
	iopub_item_free(pop(queue));
}
