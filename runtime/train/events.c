#include "config.h"

#include "runtime/train/events.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macros.h"
#include "runtime/train/events_private.h"
#include "runtime/train/proto.h"
#include "runtime/train/tfrecord.h"

struct events {
	char *path;
	FILE *file;
};

/* ---- checksums ---- */

uint32_t
events_crc(const void *bytes, size_t len)
{
	const unsigned char *at = bytes;
	uint32_t crc = ~0u;

	for (size_t i = 0; i < len; i++) {
		crc ^= at[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
	}
	return ~crc;
}

/* ---- the file ---- */

static int
put_record(struct events *events, const struct buf *event, struct error *err)
{
	CLEANUP(buf_release) struct buf record = { 0 };

	tfrecord_write(&record, event->data, event->len);
	if (fwrite(record.data, 1, record.len, events->file) != record.len || fflush(events->file))
		return error_errno(err, errno, "cannot write `%s`", events->path);
	return 0;
}

struct events *
events_open(const char *folder, double wall, struct error *err)
{
	CLEANUP(buf_release) struct buf path = { 0 }, event = { 0 };
	struct events *events = xcalloc(1, sizeof(*events));
	char host[HOST_NAME_MAX + 1] = "";

	gethostname(host, sizeof(host) - 1);
	buf_printf(&path, "%s/events.out.tfevents.%010lld.%s.%ld.0", folder, (long long)wall, *host ? host : "localhost", (long)getpid());
	events->path = buf_detach(&path, NULL);
	if (mkdir(folder, 0777) && errno != EEXIST) {
		error_errno(err, errno, "cannot make the folder `%s`", folder);
		events_close(events, NULL);
		return NULL;
	}
	events->file = fopen(events->path, "wbe");
	if (!events->file) {
		error_errno(err, errno, "cannot make `%s`", events->path);
		events_close(events, NULL);
		return NULL;
	}
	proto_double(&event, EVENT_WALL_TIME, wall);
	proto_text(&event, EVENT_FILE_VERSION, "brain.Event:2");
	if (put_record(events, &event, err)) {
		events_close(events, NULL);
		return NULL;
	}
	return events;
}

void
event_begin(struct event *event, int64_t step, double wall, const char *tag)
{
	*event = (struct event){ 0 };
	proto_double(&event->buf, EVENT_WALL_TIME, wall);
	proto_int(&event->buf, EVENT_STEP, step);
	event->summary = proto_begin(&event->buf, EVENT_SUMMARY);
	event->value = proto_begin(&event->buf, SUMMARY_VALUE);
	proto_text(&event->buf, VALUE_TAG, tag);
}

int
event_end(struct event *event, struct events *events, struct error *err)
{
	int result;

	proto_end(&event->buf, event->value);
	proto_end(&event->buf, event->summary);
	result = put_record(events, &event->buf, err);
	buf_release(&event->buf);
	return result;
}

int
events_scalar(struct events *events, int64_t step, double wall, const char *tag, double number, struct error *err)
{
	struct event event;

	event_begin(&event, step, wall, tag);
	proto_float(&event.buf, VALUE_SIMPLE, (float)number);
	return event_end(&event, events, err);
}

int
events_close(struct events *events, struct error *err)
{
	int result = 0;

	if (!events)
		return 0;
	if (events->file && fclose(events->file))
		result = error_errno(err, errno, "cannot write `%s`", events->path);
	free(events->path);
	free(events);
	return result;
}
