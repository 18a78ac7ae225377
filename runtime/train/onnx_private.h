#ifndef RUNTIME_TRAIN_ONNX_PRIVATE_H
#define RUNTIME_TRAIN_ONNX_PRIVATE_H

#include "base/arena.h"
#include "base/buf.h"
#include "runtime/train/onnx.h"

enum { ONNX_ALIGN = 4096 /* where a weight begins in a file of its own: it can be mapped */ };

/* The fields of ONNX's messages that are written here (onnx.proto, IR version 8). */
enum {
	MODEL_IR_VERSION = 1, MODEL_PRODUCER = 2, MODEL_GRAPH = 7, MODEL_OPSET = 8, MODEL_NOTE = 14,
	OPSET_DOMAIN = 1, OPSET_VERSION = 2,
	ENTRY_KEY = 1, ENTRY_VALUE = 2,
	GRAPH_NODE = 1, GRAPH_NAME = 2, GRAPH_INITIALIZER = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12,
	NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_NAME = 3, NODE_OP = 4, NODE_ATTRIBUTE = 5,
	ATTRIBUTE_NAME = 1, ATTRIBUTE_F = 2, ATTRIBUTE_I = 3, ATTRIBUTE_ROW = 8, ATTRIBUTE_KIND = 20,
	TENSOR_SIZES = 1, TENSOR_TYPE = 2, TENSOR_NAME = 8, TENSOR_RAW = 9, TENSOR_BESIDE = 13, TENSOR_PLACE = 14,
	VALUE_NAME = 1, VALUE_TYPE = 2, TYPE_TENSOR = 1, TENSOR_TYPE_ELEMENT = 1, TENSOR_TYPE_SHAPE = 2,
	SHAPE_SIZE = 1, SIZE_VALUE = 1, SIZE_NAME = 2,
};

struct onnx_weight {
	const char *name;
	enum tensor_dtype dtype;
	size_t rows, columns, n, which;
	uint64_t at; /* in a file of their own */
};

struct onnx {
	struct arena *arena;
	const char *name;
	struct buf nodes, constants, ends, notes; /* fields of the graph; of the model */
	struct buf attributes; /* of the node to come */
	size_t n_nodes, n_constants;
	struct {
		struct onnx_weight *items;
		size_t n, cap;
	} weights;
};

#endif
