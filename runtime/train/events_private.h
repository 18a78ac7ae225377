/* Between events.c and events_tensors.c. */
#ifndef RUNTIME_TRAIN_EVENTS_PRIVATE_H
#define RUNTIME_TRAIN_EVENTS_PRIVATE_H

#include "base/buf.h"
#include "runtime/train/events.h"

/* Fields of TensorBoard's messages that are written here (tensorboard/compat/proto). */
enum {
	EVENT_WALL_TIME = 1, EVENT_STEP = 2, EVENT_FILE_VERSION = 3, EVENT_SUMMARY = 5,
	SUMMARY_VALUE = 1, VALUE_TAG = 1, VALUE_SIMPLE = 2, VALUE_TENSOR = 8, VALUE_METADATA = 9,
	METADATA_PLUGIN = 1, METADATA_CLASS = 4, PLUGIN_NAME = 1, PLUGIN_CONTENT = 2,
	TENSOR_TYPE = 1, TENSOR_SHAPE = 2, TENSOR_CONTENT = 4, TENSOR_FLOATS = 5, TENSOR_STRINGS = 8, SHAPE_DIMENSION = 2, DIMENSION_SIZE = 1,
};

/* An event of one value, which is appended between the two calls. */
struct event {
	struct buf buf;
	size_t summary, value;
};

void event_begin(struct event *event, int64_t step, double wall, const char *tag);
/* Writes it to the file, and releases it. */
int event_end(struct event *event, struct events *events, struct error *err);

#endif
