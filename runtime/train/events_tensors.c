/* Values that belong to a plugin of TensorBoard: texts, histograms, settings. */
#include "config.h"

#include <math.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/train/events_private.h"
#include "runtime/train/proto.h"

/* Numbers that TensorFlow gave its types, and TensorBoard its classes of data. */
enum { TYPE_FLOAT = 1, TYPE_DOUBLE = 2, TYPE_STRING = 7, CLASS_TENSOR = 2 };
/* Fields of tensorboard/plugins/hparams/plugin_data.proto, and of google.protobuf.Value in a map. */
enum {
	DATA_START = 3, DATA_END = 4, START_SETTINGS = 1, START_GROUP = 4, START_TIME = 5, END_STATUS = 1, END_TIME = 2, STATUS_SUCCESS = 1,
	STATUS_FAILURE = 2, MAP_KEY = 1, MAP_VALUE = 2, VALUE_NUMBER = 2, VALUE_TEXT = 3,
};

static void
put_metadata(struct buf *buf, const char *plugin, const struct buf *content, int class)
{
	size_t metadata = proto_begin(buf, VALUE_METADATA), data = proto_begin(buf, METADATA_PLUGIN);

	proto_text(buf, PLUGIN_NAME, plugin);
	if (content)
		proto_bytes(buf, PLUGIN_CONTENT, buf_text(content), content->len);
	proto_end(buf, data);
	if (class)
		proto_int(buf, METADATA_CLASS, class);
	proto_end(buf, metadata);
}

static void
put_shape(struct buf *buf, const int64_t *sizes, size_t n)
{
	size_t shape = proto_begin(buf, TENSOR_SHAPE);

	for (size_t i = 0; i < n; i++) {
		size_t dimension = proto_begin(buf, SHAPE_DIMENSION);

		proto_int(buf, DIMENSION_SIZE, sizes[i]);
		proto_end(buf, dimension);
	}
	proto_end(buf, shape);
}

int
events_text(struct events *events, int64_t step, double wall, const char *tag, const char *text, struct error *err)
{
	struct event event;
	size_t tensor;

	event_begin(&event, step, wall, tag);
	put_metadata(&event.buf, "text", NULL, CLASS_TENSOR);
	tensor = proto_begin(&event.buf, VALUE_TENSOR);
	proto_int(&event.buf, TENSOR_TYPE, TYPE_STRING);
	put_shape(&event.buf, &(int64_t){ 1 }, 1);
	proto_text(&event.buf, TENSOR_STRINGS, text);
	proto_end(&event.buf, tensor);
	return event_end(&event, events, err);
}

/* ---- histograms ---- */

struct histogram {
	double low, width;
	double counts[EVENTS_BUCKETS];
};

static void
count(struct histogram *h, const float *numbers, size_t n)
{
	double low = (double)INFINITY, high = -(double)INFINITY;

	*h = (struct histogram){ 0 };
	for (size_t i = 0; i < n; i++)
		if (isfinite(numbers[i])) {
			low = fmin(low, (double)numbers[i]);
			high = fmax(high, (double)numbers[i]);
		}
	if (!(low <= high))
		return;
	h->low = low;
	h->width = (high - low) / EVENTS_BUCKETS;
	for (size_t i = 0; i < n; i++)
		if (isfinite(numbers[i])) {
			double at = h->width > 0 ? ((double)numbers[i] - low) / h->width : 0;

			h->counts[at >= EVENTS_BUCKETS ? EVENTS_BUCKETS - 1 : (int)at]++;
		}
}

static void
put_double(struct buf *buf, double number)
{
	uint64_t bits;

	memcpy(&bits, &number, sizeof(bits));
	proto_little(buf, bits, sizeof(bits));
}

int
events_histogram(struct events *events, int64_t step, double wall, const char *tag, const float *numbers, size_t n, struct error *err)
{
	static const int64_t shape[] = { EVENTS_BUCKETS, 3 };
	CLEANUP(buf_release) struct buf content = { 0 };
	struct histogram h;
	struct event event;
	size_t tensor;

	count(&h, numbers, n);
	for (int i = 0; i < EVENTS_BUCKETS; i++) {
		put_double(&content, h.low + i * h.width);
		put_double(&content, h.low + (i + 1) * h.width);
		put_double(&content, h.counts[i]);
	}
	event_begin(&event, step, wall, tag);
	put_metadata(&event.buf, "histograms", NULL, CLASS_TENSOR);
	tensor = proto_begin(&event.buf, VALUE_TENSOR);
	proto_int(&event.buf, TENSOR_TYPE, TYPE_DOUBLE);
	put_shape(&event.buf, shape, ARRAY_LEN(shape));
	proto_bytes(&event.buf, TENSOR_CONTENT, buf_text(&content), content.len);
	proto_end(&event.buf, tensor);
	return event_end(&event, events, err);
}

/* ---- settings ---- */

/* All that there is to say stands in the metadata; the value itself is a number that nobody looks at. */
static int
put_session(struct events *events, double wall, const char *tag, const struct buf *content, struct error *err)
{
	struct event event;
	size_t tensor;

	event_begin(&event, 0, wall, tag);
	put_metadata(&event.buf, "hparams", content, 0);
	tensor = proto_begin(&event.buf, VALUE_TENSOR);
	proto_int(&event.buf, TENSOR_TYPE, TYPE_FLOAT);
	put_shape(&event.buf, NULL, 0);
	proto_packed_floats(&event.buf, TENSOR_FLOATS, &(float){ 0 }, 1);
	proto_end(&event.buf, tensor);
	return event_end(&event, events, err);
}

static void
put_setting(struct buf *buf, const struct events_setting *s)
{
	size_t entry = proto_begin(buf, START_SETTINGS), value;

	proto_text(buf, MAP_KEY, s->name);
	value = proto_begin(buf, MAP_VALUE);
	if (s->text)
		proto_text(buf, VALUE_TEXT, s->text);
	else
		proto_double(buf, VALUE_NUMBER, s->number);
	proto_end(buf, value);
	proto_end(buf, entry);
}

int
events_settings(struct events *events, double wall, const char *group, const struct events_setting *settings, size_t n, struct error *err)
{
	CLEANUP(buf_release) struct buf content = { 0 };
	size_t start = proto_begin(&content, DATA_START);

	for (size_t i = 0; i < n; i++)
		put_setting(&content, &settings[i]);
	proto_text(&content, START_GROUP, group);
	proto_double(&content, START_TIME, wall);
	proto_end(&content, start);
	return put_session(events, wall, "_hparams_/session_start_info", &content, err);
}

int
events_ended(struct events *events, double wall, bool well, struct error *err)
{
	CLEANUP(buf_release) struct buf content = { 0 };
	size_t end = proto_begin(&content, DATA_END);

	proto_int(&content, END_STATUS, well ? STATUS_SUCCESS : STATUS_FAILURE);
	proto_double(&content, END_TIME, wall);
	proto_end(&content, end);
	return put_session(events, wall, "_hparams_/session_end_info", &content, err);
}
