#include "config.h"

#include "runtime/train/onnx_model.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "runtime/train/loader.h"
#include "runtime/train/onnx.h"

enum { NAME = 64 };

static const struct onnx_size BATCH = { .name = "batch" }, SEQUENCE = { .name = "sequence" }, PAST = { .name = "past" },
			      TOTAL = { .name = "total" };

struct building {
	struct onnx *g;
	const struct model *model;
	const struct model_config *config;
	enum tensor_dtype dtype;
	bool decode;
	size_t layer;
	const char *ids, *places, *mask; /* inputs; the mask as what may be looked at */
	const char *embedding;
	const char *cosines, *sines; /* (B, 1, S, D / 2): MODEL_LLAMA's */
};

/* What is a weight here and no parameter: their numbers follow those of the parameters. */
enum table { TABLE_SINES, TABLE_TURN_COSINES, TABLE_TURN_SINES };

static void
give_angles(const struct model_config *config, bool sines, float *ret)
{
	size_t D = model_config_head(config);
	float *row = xcalloc(D, sizeof(*row));

	for (size_t place = 0; place < config->context; place++) {
		model_angles(config, place, row);
		memcpy(ret + place * (D / 2), row + (sines ? D / 2 : 0), D / 2 * sizeof(*row));
	}
	free(row);
}

static void
give(void *context, size_t which, float *ret)
{
	const struct model *model = context;
	const struct params *params = model_params(model);
	const struct model_config *config = model_config(model);

	if (which < params->n) {
		model_get(model, MODEL_WEIGHTS, &params->items[which], ret);
		return;
	}
	if (which - params->n != TABLE_SINES) {
		give_angles(config, which - params->n == TABLE_TURN_SINES, ret);
		return;
	}
	for (size_t place = 0; place < config->context; place++)
		model_sines(place, config->channels, ret + place * config->channels);
}

/* ---- small things ---- */

static const char *
weight(struct building *b, size_t which)
{
	const struct param *p = &model_params(b->model)->items[which];

	return onnx_weight(b->g, p->name, p->rows, p->columns, b->dtype, which);
}

/* A row for each place: what is picked of it, (B, S, columns). Tables are not rounded. */
static const char *
table(struct building *b, enum table which, const char *name, size_t columns)
{
	const char *rows = onnx_weight(b->g, name, b->config->context, columns, TENSOR_F32, model_params(b->model)->n + which);

	return onnx_node(b->g, "Gather", rows, b->places, NULL);
}

static const char *
add(struct building *b, const char *x, const char *y)
{
	return onnx_node(b->g, "Add", x, y, NULL);
}

static const char *
multiply(struct building *b, const char *x, const char *y)
{
	return onnx_node(b->g, "Mul", x, y, NULL);
}

static const char *
matmul(struct building *b, const char *x, const char *y)
{
	return onnx_node(b->g, "MatMul", x, y, NULL);
}

/* (…, rows) times a parameter, plus its bias. */
static const char *
linear(struct building *b, const char *x, size_t matrix, size_t bias)
{
	const char *y = matmul(b, x, weight(b, matrix));

	return bias == SIZE_MAX ? y : add(b, y, weight(b, bias));
}

/* 0 of a shape is what the input has there, -1 what is left. */
static const char *
reshape(struct building *b, const char *x, const int64_t *shape, size_t rank)
{
	return onnx_node(b->g, "Reshape", x, onnx_ints(b->g, shape, rank), NULL);
}

static const char *
transpose(struct building *b, const char *x, const int64_t *order, size_t rank)
{
	onnx_attribute_ints(b->g, "perm", order, rank);
	return onnx_node(b->g, "Transpose", x, NULL, NULL);
}

static const char *
unsqueeze(struct building *b, const char *x, const int64_t *axes, size_t n)
{
	return onnx_node(b->g, "Unsqueeze", x, onnx_ints(b->g, axes, n), NULL);
}

static void
split(struct building *b, const char *x, const int64_t *sizes, size_t n, const char **ret)
{
	const char *inputs[] = { x, onnx_ints(b->g, sizes, n) };

	onnx_attribute_int(b->g, "axis", -1);
	onnx_node_of(b->g, "Split", inputs, 2, ret, n);
}

/* x / sqrt(mean of x^2 + epsilon), times the gain. */
static const char *
norm_by_square(struct building *b, const char *x, const char *gain)
{
	static const int64_t last[] = { -1 };
	const char *mean;

	mean = multiply(b, x, x);
	onnx_attribute_ints(b->g, "axes", last, 1);
	mean = onnx_node(b->g, "ReduceMean", mean, NULL, NULL);
	mean = onnx_node(b->g, "Sqrt", add(b, mean, onnx_float(b->g, (float)b->config->epsilon)), NULL, NULL);
	return multiply(b, onnx_node(b->g, "Div", x, mean, NULL), gain);
}

static const char *
norm(struct building *b, const char *x, size_t gain, size_t bias)
{
	const char *g = weight(b, gain), *shift;

	if (bias == SIZE_MAX)
		return norm_by_square(b, x, g);
	shift = weight(b, bias);
	onnx_attribute_int(b->g, "axis", -1);
	onnx_attribute_float(b->g, "epsilon", (float)b->config->epsilon);
	return onnx_node(b->g, "LayerNormalization", x, g, shift);
}

/* ---- what goes in ---- */

/* Which earlier tokens of the batch itself a token sees: (1, 1, 1, S, S). */
static const char *
causal(struct building *b)
{
	static const int64_t row[] = { 0, 1, 2, 3 }, column[] = { 0, 1, 2, 4 };
	const char *length = onnx_node(b->g, "Gather", onnx_node(b->g, "Shape", b->ids, NULL, NULL), onnx_int(b->g, 1), NULL);
	const char *range = onnx_node(b->g, "Range", onnx_int(b->g, 0), length, onnx_int(b->g, 1));

	return onnx_node(b->g, "LessOrEqual", unsqueeze(b, range, row, 4), unsqueeze(b, range, column, 4), NULL);
}

static void
begin(struct building *b)
{
	static const int64_t inner[] = { 1, 2, 3 }; /* heads in their groups, and tokens that look */
	const struct onnx_size tokens[] = { BATCH, b->decode ? (struct onnx_size){ .size = 1 } : SEQUENCE,
		{ .size = (int64_t)b->config->vocabulary } };
	const struct onnx_size all[] = { BATCH, b->decode ? TOTAL : SEQUENCE };
	const char *mask;

	b->ids = onnx_input(b->g, "input_ids", ONNX_INT64, tokens, 2);
	mask = onnx_input(b->g, "attention_mask", ONNX_INT64, all, 2);
	b->places = onnx_input(b->g, "position_ids", ONNX_INT64, tokens, 2);
	onnx_output(b->g, "logits", ONNX_FLOAT, tokens, 3);
	onnx_attribute_int(b->g, "to", ONNX_BOOL);
	b->mask = unsqueeze(b, onnx_node(b->g, "Cast", mask, NULL, NULL), inner, 3);
	if (!b->decode)
		b->mask = onnx_node(b->g, "And", b->mask, causal(b), NULL);
}

/* (B, S, C) */
static const char *
embed(struct building *b)
{
	static const int64_t last[] = { -1 }, heads[] = { 1 };
	const struct model_config *c = b->config;
	const struct params *params = model_params(b->model);
	const char *x, *is_blank;

	b->embedding = weight(b, params->embedding);
	x = onnx_node(b->g, "Gather", b->embedding, b->ids, NULL);
	if (c->arch == MODEL_LLAMA) {
		b->cosines = unsqueeze(b, table(b, TABLE_TURN_COSINES, "turn.cosines", model_config_head(c) / 2), heads, 1);
		b->sines = unsqueeze(b, table(b, TABLE_TURN_SINES, "turn.sines", model_config_head(c) / 2), heads, 1);
		return x;
	}
	if (c->arch == MODEL_GPT2)
		return add(b, x, onnx_node(b->g, "Gather", weight(b, params->positions), b->places, NULL));
	is_blank = unsqueeze(b, onnx_node(b->g, "Equal", b->ids, onnx_int(b->g, LOADER_PAD), NULL), last, 1);
	x = multiply(b, x, onnx_float(b->g, (float)sqrt((double)c->channels)));
	x = onnx_node(b->g, "Where", is_blank, onnx_float(b->g, 0), x);
	return add(b, x, table(b, TABLE_SINES, "sines", c->channels));
}

/* ---- a layer ---- */

/* (B, S, n D) as (B, n, S, D). */
static const char *
part_heads(struct building *b, const char *x, size_t n)
{
	static const int64_t order[] = { 0, 2, 1, 3 };
	const int64_t shape[] = { 0, 0, (int64_t)n, (int64_t)model_config_head(b->config) };

	return transpose(b, reshape(b, x, shape, 4), order, 4);
}

/* Keys or values with those of earlier tokens before them; what comes out is to be given back with the next token. */
static const char *
keep(struct building *b, const char *x, const char *what)
{
	struct onnx_size shape[] = { BATCH, { .size = (int64_t)model_config_kv_heads(b->config) }, PAST,
		{ .size = (int64_t)model_config_head(b->config) } };
	char name[NAME];

	if (b->decode) {
		const char *past;

		snprintf(name, sizeof(name), "past_key_values.%zu.%s", b->layer, what);
		past = onnx_input(b->g, name, ONNX_FLOAT, shape, 4);
		onnx_attribute_int(b->g, "axis", 2);
		x = onnx_node(b->g, "Concat", past, x, NULL);
	}
	shape[2] = b->decode ? TOTAL : SEQUENCE;
	snprintf(name, sizeof(name), "present.%zu.%s", b->layer, what);
	onnx_output(b->g, name, ONNX_FLOAT, shape, 4);
	onnx_result(b->g, x, name);
	return x;
}

/* Queries or keys turned by their places: of each pair of channels, one in each half of a head, as a point of a plane. */
static const char *
turn(struct building *b, const char *x)
{
	const int64_t half = (int64_t)model_config_head(b->config) / 2, sizes[] = { half, half };
	const char *parts[2], *sides[2], *ret;

	if (b->config->arch != MODEL_LLAMA)
		return x;
	split(b, x, sizes, 2, parts);
	sides[0] = onnx_node(b->g, "Sub", multiply(b, parts[0], b->cosines), multiply(b, parts[1], b->sines), NULL);
	sides[1] = add(b, multiply(b, parts[1], b->cosines), multiply(b, parts[0], b->sines));
	onnx_attribute_int(b->g, "axis", -1);
	onnx_node_of(b->g, "Concat", sides, 2, &ret, 1);
	return ret;
}

/* Queries (B, NH, S, D), keys and values (B, NKV, T, D): (B, NH, S, D). Each head of keys is for NH / NKV heads of queries: these have an axis of
 * their own, over which keys and values are the same. */
static const char *
mix(struct building *b, const char *q, const char *k, const char *v)
{
	static const int64_t turned[] = { 0, 1, 2, 4, 3 }, group[] = { 2 };
	const struct model_config *c = b->config;
	const int64_t NKV = (int64_t)model_config_kv_heads(c), D = (int64_t)model_config_head(c);
	const int64_t parted[] = { 0, NKV, (int64_t)c->heads / NKV, -1, D }, whole[] = { 0, (int64_t)c->heads, -1, D };
	const char *scores;

	q = multiply(b, q, onnx_float(b->g, (float)(1 / sqrt((double)D))));
	q = reshape(b, q, parted, 5);
	scores = matmul(b, q, transpose(b, unsqueeze(b, k, group, 1), turned, 5));
	scores = onnx_node(b->g, "Where", b->mask, scores, onnx_float(b->g, -FLT_MAX));
	onnx_attribute_int(b->g, "axis", -1);
	scores = onnx_node(b->g, "Softmax", scores, NULL, NULL);
	return reshape(b, matmul(b, scores, unsqueeze(b, v, group, 1)), whole, 4);
}

static const char *
attend(struct building *b, const char *qkv)
{
	static const int64_t back[] = { 0, 2, 1, 3 };
	const struct model_config *c = b->config;
	const int64_t CK = (int64_t)model_config_keys(c), sizes[] = { (int64_t)c->channels, CK, CK }, whole[] = { 0, 0, (int64_t)c->channels };
	const char *parts[3], *q, *k, *v;

	split(b, qkv, sizes, 3, parts);
	q = turn(b, part_heads(b, parts[0], c->heads));
	k = keep(b, turn(b, part_heads(b, parts[1], model_config_kv_heads(c))), "key");
	v = keep(b, part_heads(b, parts[2], model_config_kv_heads(c)), "value");
	return reshape(b, transpose(b, mix(b, q, k, v), back, 4), whole, 3);
}

/* GPT-2's: x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), which opset 17 has no node for. */
static const char *
gelu(struct building *b, const char *x)
{
	const char *one = onnx_float(b->g, 1), *inner;

	inner = add(b, multiply(b, multiply(b, x, x), onnx_float(b->g, 0.044715f)), one);
	inner = multiply(b, multiply(b, x, inner), onnx_float(b->g, 0.7978845608028654f));
	inner = add(b, onnx_node(b->g, "Tanh", inner, NULL, NULL), one);
	return multiply(b, multiply(b, x, inner), onnx_float(b->g, 0.5f));
}

/* What MODEL_LLAMA's first matrix gives are gates and what passes them: x / (1 + e^-x) of the former times the latter. */
static const char *
gate(struct building *b, const char *x)
{
	const int64_t F = (int64_t)b->config->inner, sizes[] = { F, F };
	const char *parts[2];

	split(b, x, sizes, 2, parts);
	return multiply(b, multiply(b, parts[0], onnx_node(b->g, "Sigmoid", parts[0], NULL, NULL)), parts[1]);
}

static const char *
activate(struct building *b, const char *x)
{
	return b->config->arch == MODEL_GPT2 ? gelu(b, x) : b->config->arch == MODEL_LLAMA ? gate(b, x) : onnx_node(b->g, "Relu", x, NULL, NULL);
}

static const char *
layer(struct building *b, const char *x)
{
	const struct layer_params *p = &model_params(b->model)->layers[b->layer];
	const char *y = norm(b, x, p->norm1_gain, p->norm1_bias);

	y = attend(b, linear(b, y, p->qkv, p->qkv_bias));
	x = add(b, x, linear(b, y, p->proj, p->proj_bias));
	y = norm(b, x, p->norm2_gain, p->norm2_bias);
	y = activate(b, linear(b, y, p->fc, p->fc_bias));
	return add(b, x, linear(b, y, p->out, p->out_bias));
}

/* ---- the whole ---- */

/* The output's matrix has a row for each id: Gemm turns it without a copy, but for two dimensions only. */
static void
classify(struct building *b, const char *x)
{
	const int64_t rows[] = { -1, (int64_t)b->config->channels }, V = (int64_t)b->config->vocabulary;
	const struct params *params = model_params(b->model);
	const char *head = params->head == params->embedding ? b->embedding : weight(b, params->head), *logits, *sizes;

	x = reshape(b, x, rows, 2);
	onnx_attribute_int(b->g, "transB", 1);
	logits = onnx_node(b->g, "Gemm", x, head, NULL);
	sizes = onnx_node(b->g, "Shape", b->ids, NULL, NULL);
	onnx_attribute_int(b->g, "axis", 0);
	sizes = onnx_node(b->g, "Concat", sizes, onnx_ints(b->g, &V, 1), NULL);
	onnx_result(b->g, onnx_node(b->g, "Reshape", logits, sizes, NULL), "logits");
}

/* What the ids 0 and 1 are for is nowhere else. */
static void
annotate(struct onnx *g, const struct model_config *config)
{
	char number[NAME];

	onnx_note(g, "family", model_arch_name(config->arch));
	snprintf(number, sizeof(number), "%zu", config->context);
	onnx_note(g, "context", number);
	snprintf(number, sizeof(number), "%d", LOADER_PAD);
	onnx_note(g, "bos_token_id", number);
	onnx_note(g, "pad_token_id", number);
	snprintf(number, sizeof(number), "%d", LOADER_EOS);
	onnx_note(g, "eos_token_id", number);
}

static struct onnx *
build(const struct model *model, enum tensor_dtype dtype, bool decode)
{
	struct building b = { .g = onnx_new(decode ? "decode" : "prefill"), .model = model, .config = model_config(model), .dtype = dtype,
		.decode = decode };
	const struct params *params = model_params(model);
	const char *x;

	begin(&b);
	x = embed(&b);
	for (b.layer = 0; b.layer < b.config->layers; b.layer++)
		x = layer(&b, x);
	classify(&b, norm(&b, x, params->final_gain, params->final_bias));
	annotate(b.g, b.config);
	return b.g;
}

static int
write_graph(const char *folder, const char *name, const struct onnx *g, const char *beside, const struct model *model, struct error *err)
{
	CLEANUP(buf_release) struct buf path = { 0 };

	buf_printf(&path, "%s/%s", folder, name);
	return onnx_write(g, buf_text(&path), beside, give, (void *)(uintptr_t)model, err);
}

static int
write_weights(const char *folder, const char *name, const struct onnx *g, const struct model *model, struct error *err)
{
	CLEANUP(buf_release) struct buf path = { 0 };

	buf_printf(&path, "%s/%s", folder, name);
	return onnx_write_weights(g, buf_text(&path), give, (void *)(uintptr_t)model, err);
}

int
onnx_model_write(const char *folder, const struct model *model, enum tensor_dtype dtype, enum onnx_model_weights weights, struct error *err)
{
	struct onnx *prefill = build(model, dtype, false), *decode = build(model, dtype, true);
	bool beside = weights == ONNX_WEIGHTS_BESIDE || (weights == ONNX_WEIGHTS_AUTO && onnx_weights_size(prefill) > ONNX_FILE_MAX);
	const char *name = beside ? "weights.data" : NULL;
	int result = write_graph(folder, "prefill.onnx", prefill, name, model, err) || write_graph(folder, "decode.onnx", decode, name, model, err) ||
				     (beside && write_weights(folder, name, prefill, model, err)) ?
			     -1 :
			     0;

	onnx_free(prefill);
	onnx_free(decode);
	return result;
}
