/* A graph of ONNX, written node by node (opset 17, IR version 8): a model for its runtimes.
 *
 * A value is known by its name, which the graph owns. Attributes are given before the node that they are for. Weights are named when the graph
 * is made, and their numbers asked for when it is written: within the file, or in a file of their own, which several graphs may share. What is
 * too large shows when the graph is written. The same calls give the same bytes. */
#ifndef RUNTIME_TRAIN_ONNX_H
#define RUNTIME_TRAIN_ONNX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "runtime/train/safetensors.h"

enum {
	ONNX_OPSET = 17,
	ONNX_FILE_MAX = 0x7FFFFFFF - (64 << 20), /* a message of protocol buffers ends at 2 GiB: with room for the nodes */
};

enum onnx_type { ONNX_FLOAT = 1, ONNX_INT64 = 7, ONNX_BOOL = 9 };

/* A size: a number, or a name where it is another in each call. */
struct onnx_size {
	const char *name;
	int64_t size;
};

struct onnx;

struct onnx *onnx_new(const char *name);
void onnx_free(struct onnx *graph); /* NULL is fine */

/* What goes in, and what comes out, in the order of the calls; the latter is some value that is given later. */
const char *onnx_input(struct onnx *graph, const char *name, enum onnx_type type, const struct onnx_size *shape, size_t rank);
void onnx_output(struct onnx *graph, const char *name, enum onnx_type type, const struct onnx_size *shape, size_t rank);
void onnx_result(struct onnx *graph, const char *value, const char *output);
/* A pair of texts for whoever looks at the model. */
void onnx_note(struct onnx *graph, const char *key, const char *text);

/* Constants: whole numbers in a row, and one number alone. */
const char *onnx_ints(struct onnx *graph, const int64_t *numbers, size_t n);
const char *onnx_int(struct onnx *graph, int64_t number);
const char *onnx_float(struct onnx *graph, float number);
/* A weight of rows x columns (rows 0: a vector) in single precision for the nodes, kept as the dtype. `which` is for the source. */
const char *onnx_weight(struct onnx *graph, const char *name, size_t rows, size_t columns, enum tensor_dtype dtype, size_t which);

/* Attributes of the next node. */
void onnx_attribute_int(struct onnx *graph, const char *name, int64_t number);
void onnx_attribute_ints(struct onnx *graph, const char *name, const int64_t *numbers, size_t n);
void onnx_attribute_float(struct onnx *graph, const char *name, float number);

/* A node of one, two or three inputs and one output: that. b and c may be NULL. */
const char *onnx_node(struct onnx *graph, const char *op, const char *a, const char *b, const char *c);
/* A node of n inputs and n_ret outputs. */
void onnx_node_of(struct onnx *graph, const char *op, const char *const *inputs, size_t n, const char **ret, size_t n_ret);

/* Bytes of all weights. */
uint64_t onnx_weights_size(const struct onnx *graph);
/* Writes the model. beside: the name of the file that has the weights, in the same folder, or NULL: they are in this one. */
int onnx_write(const struct onnx *graph, const char *path, const char *beside, safetensors_source source, void *context, struct error *err);
/* Writes that file. Graphs that have the same weights in the same order can share it. */
int onnx_write_weights(const struct onnx *graph, const char *path, safetensors_source source, void *context, struct error *err);

#endif
