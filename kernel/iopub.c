#include "config.h"

#include "kernel/iopub.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/utf8.h"
#include "kernel/channels.h"
#include "kernel/iopub_queue.h"
#include "kernel/json_text.h"
#include "kernel/thread.h"

enum { TOPIC_MAX = 1024 }; /* bytes of a subscription that is worth a welcome */

struct iopub {
	void *socket; /* the thread's own, with starting, frames and header */
	struct proto *proto;
	struct writer *writer;
	bool started; /* the "starting" status is queued */
	struct frames frames;
	struct buf header, topic;

	pthread_t thread;
	int wake_fd;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t room; /* the queue has become shorter */
	struct iopub_queue queue;
	int64_t sleeps_until; /* INT64_MIN while awake */
	int64_t stop_at; /* INT64_MAX until it shall stop */
	bool hurry;
};

static void
wake_if_due(struct iopub *iopub, int64_t now)
{
	if (iopub->sleeps_until == INT64_MIN || iopub_queue_due(&iopub->queue, now) >= iopub->sleeps_until)
		return;
	iopub->sleeps_until = INT64_MIN;
	wakeup_send(iopub->wake_fd);
}

void
iopub_publish(struct iopub *iopub, struct parent *parent, const char *msg_type, const char *metadata, char *content,
	size_t content_len)
{
	struct iopub_item *item = xcalloc(1, sizeof *item);

	item->parent = parent_ref(parent);
	item->msg_type = msg_type;
	item->metadata = metadata ? xstrdup(metadata) : NULL;
	item->content = (struct buf){ .data = content, .len = content_len, .cap = content_len + 1 };
	pthread_mutex_lock(&iopub->lock);
	iopub_queue_add(&iopub->queue, item);
	wake_if_due(iopub, clock_ms());
	pthread_mutex_unlock(&iopub->lock);
}

/* The lock is held. */
static void
wait_for_room(struct iopub *iopub)
{
	while (iopub_queue_full(&iopub->queue, iopub->hurry))
		pthread_cond_wait(&iopub->room, &iopub->lock);
}

void
iopub_make_room(struct iopub *iopub)
{
	pthread_mutex_lock(&iopub->lock);
	wait_for_room(iopub);
	pthread_mutex_unlock(&iopub->lock);
}

void
iopub_stream(struct iopub *iopub, struct parent *parent, bool is_stderr, const char *text, size_t len)
{
	int64_t now;

	pthread_mutex_lock(&iopub->lock);
	wait_for_room(iopub);
	now = clock_ms();
	iopub_queue_stream(&iopub->queue, now, parent, is_stderr, text, len);
	wake_if_due(iopub, now);
	pthread_mutex_unlock(&iopub->lock);
}

void
iopub_flush(struct iopub *iopub)
{
	pthread_mutex_lock(&iopub->lock);
	iopub_queue_flush(&iopub->queue);
	wake_if_due(iopub, clock_ms());
	pthread_mutex_unlock(&iopub->lock);
}

void
iopub_hurry(struct iopub *iopub, bool hurry)
{
	pthread_mutex_lock(&iopub->lock);
	iopub->hurry = hurry;
	pthread_cond_broadcast(&iopub->room);
	pthread_mutex_unlock(&iopub->lock);
}

static void
set_int(struct iopub *iopub, int option, int value)
{
	zmq_setsockopt(iopub->socket, option, &value, sizeof value);
}

/* Puts the topic on its way. If that works, the rest of the message will: the high-water mark counts messages. */
static bool
send_topic(struct iopub *iopub, const struct iopub_item *item, enum iopub_how how)
{
	bool good;

	buf_clear(&iopub->topic);
	if (item->topic)
		buf_puts(&iopub->topic, item->topic);
	else
		buf_printf(&iopub->topic, "kernel.%s.%s", iopub->writer->session_id, item->msg_type);
	if (how == IOPUB_FORCE)
		set_int(iopub, ZMQ_SNDHWM, 0);
	if (how == IOPUB_GIVE_UP)
		set_int(iopub, ZMQ_XPUB_NODROP, 0);
	do
		good = zmq_send(iopub->socket, buf_text(&iopub->topic), iopub->topic.len,
			       ZMQ_SNDMORE | (how == IOPUB_PROBE ? ZMQ_DONTWAIT : 0)) >= 0;
	while (!good && errno == EINTR);
	return good;
}

static void
send_rest(struct iopub *iopub, const struct iopub_item *item)
{
	const char *metadata = item->metadata ? item->metadata : "{}";
	char signature[PROTO_SIGNATURE_MAX + 1];
	struct slice parts[6] = { PROTO_DELIMITER };

	buf_clear(&iopub->header);
	writer_header(iopub->writer, item->msg_type, &item->when, &iopub->header);
	parts[2] = (struct slice){ iopub->header.data, iopub->header.len };
	parts[3] = item->parent ? (struct slice){ item->parent->json, item->parent->len } : (struct slice){ "{}", 2 };
	parts[4] = (struct slice){ metadata, strlen(metadata) };
	parts[5] = (struct slice){ item->content.data, item->content.len };
	parts[1] = (struct slice){ signature, proto_sign(iopub->proto, parts + 2, 4, signature) };
	frames_send(iopub->socket, parts, ARRAY_LEN(parts));
}

static bool
transmit(struct iopub *iopub, const struct iopub_item *item, enum iopub_how how)
{
	bool good = send_topic(iopub, item, how);

	if (good)
		send_rest(iopub, item);
	if (how == IOPUB_FORCE)
		set_int(iopub, ZMQ_SNDHWM, CHANNELS_IOPUB_HWM);
	if (how == IOPUB_GIVE_UP)
		set_int(iopub, ZMQ_XPUB_NODROP, 1);
	return good;
}

static void
queue_text(struct iopub *iopub, const char *msg_type, char *topic, struct buf *content)
{
	struct iopub_item *item = xcalloc(1, sizeof *item);

	item->msg_type = msg_type;
	item->topic = topic;
	item->content = *content;
	pthread_mutex_lock(&iopub->lock);
	iopub_queue_add(&iopub->queue, item);
	pthread_mutex_unlock(&iopub->lock);
}

/* A subscription is the byte 1 and the topic; all else that comes in here is noise. */
static void
welcome(struct iopub *iopub, struct slice frame)
{
	struct buf content = { 0 };
	char *topic;

	if (frame.len < 1 || frame.len > TOPIC_MAX || frame.data[0] != 1 || !utf8_valid(frame.data + 1, frame.len - 1) ||
		memchr(frame.data + 1, '\0', frame.len - 1))
		return;
	topic = xstrndup(frame.data + 1, frame.len - 1);
	buf_puts(&content, "{\"subscription\":");
	json_text_string(&content, topic);
	buf_putc(&content, '}');
	queue_text(iopub, "iopub_welcome", topic, &content);
	if (iopub->started)
		return;
	iopub->started = true;
	content = (struct buf){ 0 };
	buf_puts(&content, "{\"execution_state\":\"starting\"}");
	queue_text(iopub, "status", NULL, &content);
}

static enum receipt
take_subscriptions(struct iopub *iopub)
{
	enum receipt receipt;

	while ((receipt = frames_receive(&iopub->frames, iopub->socket)) == RECEIPT_MESSAGE)
		if (iopub->frames.n == 1)
			welcome(iopub, iopub->frames.slices[0]);
	return receipt;
}

/* One item; false when there is nothing to send before *ret_due. The lock is held, but not while sending. */
static bool
send_next(struct iopub *iopub, int64_t *ret_due)
{
	struct iopub_item *item;
	enum iopub_how how = iopub_queue_next(&iopub->queue, clock_ms(), &item, ret_due);
	bool sent;

	if (how == IOPUB_NOTHING)
		return false;
	pthread_mutex_unlock(&iopub->lock);
	sent = transmit(iopub, item, how);
	pthread_mutex_lock(&iopub->lock);
	if (sent)
		iopub_queue_sent(&iopub->queue, item, how, clock_ms());
	else
		iopub_queue_refused(&iopub->queue, clock_ms());
	if (!iopub_queue_full(&iopub->queue, false))
		pthread_cond_broadcast(&iopub->room);
	return true;
}

static void
sleep_until(struct iopub *iopub, int64_t due)
{
	zmq_pollitem_t items[] = {
		{ .socket = iopub->socket, .events = ZMQ_POLLIN },
		{ .fd = iopub->wake_fd, .events = ZMQ_POLLIN },
	};
	int64_t wait = due == INT64_MAX ? -1 : due - clock_ms();

	zmq_poll(items, ARRAY_LEN(items), due == INT64_MAX ? -1L : wait > 0 ? (long)wait : 0L);
	if (items[1].revents)
		wakeup_clear(iopub->wake_fd);
}

static bool
shall_end(const struct iopub *iopub)
{
	return iopub->stop_at != INT64_MAX && (!iopub->queue.head || clock_ms() >= iopub->stop_at);
}

static void *
run(void *data)
{
	struct iopub *iopub = data;
	int64_t due;

	pthread_mutex_lock(&iopub->lock);
	while (!shall_end(iopub)) {
		pthread_mutex_unlock(&iopub->lock);
		if (take_subscriptions(iopub) == RECEIPT_ENDED)
			return NULL;
		pthread_mutex_lock(&iopub->lock);
		if (send_next(iopub, &due) || shall_end(iopub))
			continue;
		iopub->sleeps_until = due;
		pthread_mutex_unlock(&iopub->lock);
		sleep_until(iopub, due);
		pthread_mutex_lock(&iopub->lock);
		iopub->sleeps_until = INT64_MIN;
	}
	pthread_mutex_unlock(&iopub->lock);
	return NULL;
}

struct iopub *
iopub_start(void *socket, struct proto *proto, struct writer *writer, int64_t stall_limit, struct error *err)
{
	struct iopub *iopub = xcalloc(1, sizeof *iopub);

	iopub->socket = socket;
	iopub->proto = proto;
	iopub->writer = writer;
	iopub->sleeps_until = INT64_MIN;
	iopub->stop_at = INT64_MAX;
	pthread_mutex_init(&iopub->lock, NULL);
	pthread_cond_init(&iopub->room, NULL);
	iopub_queue_init(&iopub->queue, stall_limit);
	iopub->wake_fd = wakeup_new(err);
	if (iopub->wake_fd >= 0 && thread_start(&iopub->thread, "iopub", run, iopub, err) == 0)
		return iopub;
	if (iopub->wake_fd >= 0)
		close(iopub->wake_fd);
	free(iopub);
	return NULL;
}

void
iopub_stop(struct iopub *iopub, int64_t wait_ms)
{
	if (!iopub)
		return;
	pthread_mutex_lock(&iopub->lock);
	iopub->stop_at = clock_ms() + wait_ms;
	iopub_queue_flush(&iopub->queue);
	pthread_mutex_unlock(&iopub->lock);
	wakeup_send(iopub->wake_fd);
	pthread_join(iopub->thread, NULL);
	close(iopub->wake_fd);
	iopub_queue_release(&iopub->queue);
	frames_release(&iopub->frames);
	buf_release(&iopub->header);
	buf_release(&iopub->topic);
	pthread_mutex_destroy(&iopub->lock);
	pthread_cond_destroy(&iopub->room);
	free(iopub);
}
