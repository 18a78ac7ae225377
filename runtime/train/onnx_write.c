#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/macros.h"
#include "runtime/train/onnx_private.h"
#include "runtime/train/proto.h"

enum { IR_VERSION = 8, PLACE_BESIDE = 1 };

/* What there is to write of a file, and where it goes. */
struct writing {
	const struct onnx *g;
	const char *path;
	FILE *file;
	uint64_t at;
	safetensors_source source;
	void *context;
};

static uint64_t
size_of(const struct onnx_weight *w)
{
	return (uint64_t)w->n * tensor_dtype_size(w->dtype);
}

uint64_t
onnx_weights_size(const struct onnx *g)
{
	uint64_t ret = 0;

	for (size_t i = 0; i < g->weights.n; i++)
		ret += size_of(&g->weights.items[i]);
	return ret;
}

/* ---- bytes on their way ---- */

static int
put(struct writing *w, const void *bytes, size_t len, struct error *err)
{
	if (len && fwrite(bytes, 1, len, w->file) != len)
		return error_errno(err, errno, "cannot write `%s`", w->path);
	w->at += len;
	return 0;
}

static int
put_buf(struct writing *w, const struct buf *buf, struct error *err)
{
	return put(w, buf_text(buf), buf->len, err);
}

static int
put_numbers(struct writing *w, const struct onnx_weight *weight, struct error *err)
{
	float *numbers = xmalloc((weight->n + 1) * sizeof(*numbers));
	unsigned char *bytes = xmalloc(size_of(weight) + 1);
	int result;

	w->source(w->context, weight->which, numbers);
	if (tensor_pack(weight->dtype, numbers, weight->n, bytes))
		result = put(w, bytes, size_of(weight), err);
	else
		result = error_set(err, "the tensor `%s` holds a number that %s has no room for", weight->name, tensor_dtype_name(weight->dtype));
	free(numbers);
	free(bytes);
	return result;
}

static int
open_file(struct writing *w, struct error *err)
{
	w->file = fopen(w->path, "wbe");
	return w->file ? 0 : error_errno(err, errno, "cannot make `%s`", w->path);
}

static int
close_file(struct writing *w, int result, struct error *err)
{
	if (!result && (fflush(w->file) || fsync(fileno(w->file))))
		result = error_errno(err, errno, "cannot write `%s`", w->path);
	if (fclose(w->file) && !result)
		result = error_errno(err, errno, "cannot write `%s`", w->path);
	return result;
}

/* ---- the model ---- */

static int64_t
type_of(enum tensor_dtype dtype)
{
	return dtype == TENSOR_F16 ? 10 : dtype == TENSOR_BF16 ? 16 : ONNX_FLOAT;
}

static void
put_entry(struct buf *buf, const char *key, const char *text)
{
	size_t entry = proto_begin(buf, TENSOR_BESIDE);

	proto_text(buf, ENTRY_KEY, key);
	proto_text(buf, ENTRY_VALUE, text);
	proto_end(buf, entry);
}

/* A weight's message, but for its numbers where they belong into it. */
static void
describe(const struct onnx_weight *w, const char *beside, struct buf *ret)
{
	int64_t sizes[] = { (int64_t)w->rows, (int64_t)w->columns };
	char number[32];

	proto_packed_ints(ret, TENSOR_SIZES, w->rows ? sizes : sizes + 1, w->rows ? 2 : 1);
	proto_int(ret, TENSOR_TYPE, type_of(w->dtype));
	proto_text(ret, TENSOR_NAME, w->name);
	if (!beside) {
		proto_head(ret, TENSOR_RAW, size_of(w));
		return;
	}
	put_entry(ret, "location", beside);
	snprintf(number, sizeof(number), "%" PRIu64, w->at);
	put_entry(ret, "offset", number);
	snprintf(number, sizeof(number), "%" PRIu64, size_of(w));
	put_entry(ret, "length", number);
	proto_int(ret, TENSOR_PLACE, PLACE_BESIDE);
}

/* A weight as a field of the graph up to its numbers. */
static void
write_head(const struct onnx_weight *w, const char *beside, struct buf *ret)
{
	CLEANUP(buf_release) struct buf message = { 0 };

	describe(w, beside, &message);
	proto_head(ret, GRAPH_INITIALIZER, message.len + (beside ? 0 : size_of(w)));
	buf_add(ret, buf_text(&message), message.len);
}

/* Bytes of the graph's message: the lengths of messages stand before them. */
static uint64_t
graph_size(const struct onnx *g, const struct buf *begin, const char *beside)
{
	uint64_t ret = begin->len + g->nodes.len + g->constants.len + g->ends.len;

	for (size_t i = 0; i < g->weights.n; i++) {
		CLEANUP(buf_release) struct buf head = { 0 };

		write_head(&g->weights.items[i], beside, &head);
		ret += head.len + (beside ? 0 : size_of(&g->weights.items[i]));
	}
	return ret;
}

static void
write_begin(struct buf *model)
{
	size_t opset;

	proto_int(model, MODEL_IR_VERSION, IR_VERSION);
	proto_text(model, MODEL_PRODUCER, PACKAGE_NAME);
	opset = proto_begin(model, MODEL_OPSET);
	proto_text(model, OPSET_DOMAIN, "");
	proto_int(model, OPSET_VERSION, ONNX_OPSET);
	proto_end(model, opset);
}

static int
put_weights(struct writing *w, const char *beside, struct error *err)
{
	for (size_t i = 0; i < w->g->weights.n; i++) {
		CLEANUP(buf_release) struct buf head = { 0 };

		write_head(&w->g->weights.items[i], beside, &head);
		if (put_buf(w, &head, err) || (!beside && put_numbers(w, &w->g->weights.items[i], err)))
			return -1;
	}
	return 0;
}

int
onnx_write(const struct onnx *g, const char *path, const char *beside, safetensors_source source, void *context, struct error *err)
{
	struct writing w = { .g = g, .path = path, .source = source, .context = context };
	CLEANUP(buf_release) struct buf model = { 0 }, begin = { 0 };
	uint64_t size;
	int result;

	if (g->nodes.overflow || g->constants.overflow || g->ends.overflow)
		return error_set(err, "the graph `%s` is too large", g->name);
	proto_text(&begin, GRAPH_NAME, g->name);
	size = graph_size(g, &begin, beside);
	if (size > 0x7FFFFFFF)
		return error_set(err, "the graph `%s` with its weights would have more than 2 GiB", g->name);
	write_begin(&model);
	buf_add(&model, buf_text(&g->notes), g->notes.len);
	proto_head(&model, MODEL_GRAPH, size);
	if (open_file(&w, err))
		return -1;
	result = put_buf(&w, &model, err) || put_buf(&w, &begin, err) || put_buf(&w, &g->nodes, err) || put_buf(&w, &g->constants, err) ||
			 put_buf(&w, &g->ends, err) || put_weights(&w, beside, err) ?
		     -1 :
		     0;
	return close_file(&w, result, err);
}

/* ---- weights in a file of their own ---- */

static int
fill(struct writing *w, uint64_t to, struct error *err)
{
	static const char nothing[ONNX_ALIGN];

	return to > w->at ? put(w, nothing, (size_t)(to - w->at), err) : 0;
}

int
onnx_write_weights(const struct onnx *g, const char *path, safetensors_source source, void *context, struct error *err)
{
	struct writing w = { .g = g, .path = path, .source = source, .context = context };
	int result = 0;

	if (open_file(&w, err))
		return -1;
	for (size_t i = 0; !result && i < g->weights.n; i++)
		result = fill(&w, g->weights.items[i].at, err) || put_numbers(&w, &g->weights.items[i], err) ? -1 : 0;
	return close_file(&w, result, err);
}
