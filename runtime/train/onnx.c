#include "config.h"

#include "runtime/train/onnx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/macros.h"
#include "runtime/train/onnx_private.h"
#include "runtime/train/proto.h"

enum attribute_type { ATTRIBUTE_FLOAT = 1, ATTRIBUTE_INT = 2, ATTRIBUTE_INTS = 7 };

struct onnx *
onnx_new(const char *name)
{
	struct onnx *g = xcalloc(1, sizeof(*g));

	g->arena = arena_new();
	g->name = arena_strdup(g->arena, name);
	return g;
}

void
onnx_free(struct onnx *g)
{
	if (!g)
		return;
	buf_release(&g->nodes);
	buf_release(&g->constants);
	buf_release(&g->ends);
	buf_release(&g->notes);
	buf_release(&g->attributes);
	vec_release(&g->weights);
	arena_free(g->arena);
	free(g);
}

/* ---- what goes in and out ---- */

static void
put_end(struct onnx *g, unsigned field, const char *name, enum onnx_type type, const struct onnx_size *shape, size_t rank)
{
	size_t end = proto_begin(&g->ends, field), kind, tensor, sizes;

	proto_text(&g->ends, VALUE_NAME, name);
	kind = proto_begin(&g->ends, VALUE_TYPE);
	tensor = proto_begin(&g->ends, TYPE_TENSOR);
	proto_int(&g->ends, TENSOR_TYPE_ELEMENT, type);
	sizes = proto_begin(&g->ends, TENSOR_TYPE_SHAPE);
	for (size_t i = 0; i < rank; i++) {
		size_t size = proto_begin(&g->ends, SHAPE_SIZE);

		if (shape[i].name)
			proto_text(&g->ends, SIZE_NAME, shape[i].name);
		else
			proto_int(&g->ends, SIZE_VALUE, shape[i].size);
		proto_end(&g->ends, size);
	}
	proto_end(&g->ends, sizes);
	proto_end(&g->ends, tensor);
	proto_end(&g->ends, kind);
	proto_end(&g->ends, end);
}

const char *
onnx_input(struct onnx *g, const char *name, enum onnx_type type, const struct onnx_size *shape, size_t rank)
{
	put_end(g, GRAPH_INPUT, name, type, shape, rank);
	return arena_strdup(g->arena, name);
}

void
onnx_output(struct onnx *g, const char *name, enum onnx_type type, const struct onnx_size *shape, size_t rank)
{
	put_end(g, GRAPH_OUTPUT, name, type, shape, rank);
}

void
onnx_result(struct onnx *g, const char *value, const char *output)
{
	size_t node = proto_begin(&g->nodes, GRAPH_NODE);

	proto_text(&g->nodes, NODE_INPUT, value);
	proto_text(&g->nodes, NODE_OUTPUT, output);
	proto_text(&g->nodes, NODE_NAME, output);
	proto_text(&g->nodes, NODE_OP, "Identity");
	proto_end(&g->nodes, node);
}

void
onnx_note(struct onnx *g, const char *key, const char *text)
{
	size_t note = proto_begin(&g->notes, MODEL_NOTE);

	proto_text(&g->notes, ENTRY_KEY, key);
	proto_text(&g->notes, ENTRY_VALUE, text);
	proto_end(&g->notes, note);
}

/* ---- constants and weights ---- */

/* Numbers of a type as they are in memory are what is wanted: little-endian words are made one by one all the same. */
static const char *
put_constant(struct onnx *g, enum onnx_type type, const int64_t *row, size_t n, const uint64_t *words, int bytes)
{
	const char *name = arena_printf(g->arena, "constant_%zu", g->n_constants++);
	CLEANUP(buf_release) struct buf raw = { 0 };
	size_t tensor = proto_begin(&g->constants, GRAPH_INITIALIZER);

	for (size_t i = 0; i < n; i++)
		proto_little(&raw, words[i], bytes);
	if (row)
		proto_packed_ints(&g->constants, TENSOR_SIZES, row, 1);
	proto_int(&g->constants, TENSOR_TYPE, type);
	proto_text(&g->constants, TENSOR_NAME, name);
	proto_bytes(&g->constants, TENSOR_RAW, buf_text(&raw), raw.len);
	proto_end(&g->constants, tensor);
	return name;
}

const char *
onnx_ints(struct onnx *g, const int64_t *numbers, size_t n)
{
	int64_t row = (int64_t)n;

	return put_constant(g, ONNX_INT64, &row, n, (const uint64_t *)numbers, 8);
}

const char *
onnx_int(struct onnx *g, int64_t number)
{
	uint64_t word = (uint64_t)number;

	return put_constant(g, ONNX_INT64, NULL, 1, &word, 8);
}

const char *
onnx_float(struct onnx *g, float number)
{
	uint32_t bits;
	uint64_t word;

	memcpy(&bits, &number, sizeof(bits));
	word = bits;
	return put_constant(g, ONNX_FLOAT, NULL, 1, &word, 4);
}

const char *
onnx_weight(struct onnx *g, const char *name, size_t rows, size_t columns, enum tensor_dtype dtype, size_t which)
{
	struct onnx_weight w = { .name = arena_strdup(g->arena, name), .dtype = dtype, .rows = rows, .columns = columns,
		.n = (rows ? rows : 1) * columns, .which = which };

	if (g->weights.n) {
		const struct onnx_weight *last = &g->weights.items[g->weights.n - 1];

		w.at = (last->at + last->n * tensor_dtype_size(last->dtype) + ONNX_ALIGN - 1) / ONNX_ALIGN * ONNX_ALIGN;
	}
	vec_push(&g->weights, w);
	if (dtype == TENSOR_F32)
		return w.name;
	onnx_attribute_int(g, "to", ONNX_FLOAT);
	return onnx_node(g, "Cast", w.name, NULL, NULL);
}

/* ---- nodes ---- */

static size_t
begin_attribute(struct onnx *g, const char *name, int kind)
{
	size_t attribute = proto_begin(&g->attributes, NODE_ATTRIBUTE);

	proto_text(&g->attributes, ATTRIBUTE_NAME, name);
	proto_int(&g->attributes, ATTRIBUTE_KIND, kind);
	return attribute;
}

void
onnx_attribute_int(struct onnx *g, const char *name, int64_t number)
{
	size_t attribute = begin_attribute(g, name, ATTRIBUTE_INT);

	proto_int(&g->attributes, ATTRIBUTE_I, number);
	proto_end(&g->attributes, attribute);
}

void
onnx_attribute_ints(struct onnx *g, const char *name, const int64_t *numbers, size_t n)
{
	size_t attribute = begin_attribute(g, name, ATTRIBUTE_INTS);

	for (size_t i = 0; i < n; i++)
		proto_int(&g->attributes, ATTRIBUTE_ROW, numbers[i]);
	proto_end(&g->attributes, attribute);
}

void
onnx_attribute_float(struct onnx *g, const char *name, float number)
{
	size_t attribute = begin_attribute(g, name, ATTRIBUTE_FLOAT);

	proto_float(&g->attributes, ATTRIBUTE_F, number);
	proto_end(&g->attributes, attribute);
}

void
onnx_node_of(struct onnx *g, const char *op, const char *const *inputs, size_t n, const char **ret, size_t n_ret)
{
	size_t node = proto_begin(&g->nodes, GRAPH_NODE), number = g->n_nodes++;

	for (size_t i = 0; i < n; i++)
		proto_text(&g->nodes, NODE_INPUT, inputs[i]);
	for (size_t i = 0; i < n_ret; i++) {
		ret[i] = n_ret > 1 ? arena_printf(g->arena, "%s_%zu_%zu", op, number, i) : arena_printf(g->arena, "%s_%zu", op, number);
		proto_text(&g->nodes, NODE_OUTPUT, ret[i]);
	}
	proto_text(&g->nodes, NODE_NAME, arena_printf(g->arena, "node_%zu", number));
	proto_text(&g->nodes, NODE_OP, op);
	buf_add(&g->nodes, buf_text(&g->attributes), g->attributes.len);
	buf_clear(&g->attributes);
	proto_end(&g->nodes, node);
}

const char *
onnx_node(struct onnx *g, const char *op, const char *a, const char *b, const char *c)
{
	const char *inputs[] = { a, b, c }, *ret;

	onnx_node_of(g, op, inputs, !b ? 1 : !c ? 2 : 3, &ret, 1);
	return ret;
}
