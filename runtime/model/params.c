#include "config.h"

#include "runtime/model/params.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "kernels/ops.h"

enum { ALIGN = 16, NO_STEP = 0 };

static size_t
add(struct params *params, const char *name, size_t rows, size_t columns, enum param_init init, double scale)
{
	struct param p = { .rows = rows, .columns = columns, .at = params->total, .n = (rows ? rows : 1) * columns, .init = init,
		.scale = scale, .decay = rows != 0 };

	snprintf(p.name, sizeof(p.name), "%s", name);
	vec_push(params, p);
	params->total += (p.n + ALIGN - 1) / ALIGN * ALIGN;
	return params->n - 1;
}

static size_t
add_of_layer(struct params *params, const char *layers, size_t layer, const char *name, size_t rows, size_t columns, enum param_init init,
	double scale)
{
	char full[PARAM_NAME_MAX];
	size_t at;

	snprintf(full, sizeof(full), "%s.%zu.%s", layers, layer, name);
	at = add(params, full, rows, columns, init, scale);
	params->items[at].hidden = rows != 0;
	if (rows) {
		params->items[at].n_parts = 1;
		params->items[at].parts[0].columns = columns;
	}
	return at;
}

/* Tensor2Tensor's layers: uniform, by the mean of what goes in and out. */
static double
spread(size_t in, size_t out)
{
	return sqrt(6.0 / (double)(in + out));
}

/* What adds to the residuals begins smaller, as in GPT-2. */
static double
deep(const struct model_config *c)
{
	return 0.02 / sqrt(2 * (double)c->layers);
}

/* Side by side, named behind `layers`.LAYER where there are names. */
static void
part(struct param *p, const char *layers, size_t layer, const size_t *columns, const char *const *names, size_t n)
{
	p->n_parts = n;
	p->turned = names != NULL;
	for (size_t i = 0, column = 0; i < n; column += columns[i++]) {
		p->parts[i] = (struct param_part){ .column = column, .columns = columns[i] };
		if (names)
			snprintf(p->parts[i].name, sizeof(p->parts[i].name), "%s.%zu.%s", layers, layer, names[i]);
	}
}

static void
add_layer(struct params *params, const struct model_config *c, size_t l)
{
	static const char layers[] = "transformer.h";
	struct layer_params *at = &params->layers[l];
	bool gpt2 = c->arch == MODEL_GPT2;
	enum param_init init = gpt2 ? PARAM_NORMAL : PARAM_UNIFORM;
	size_t C = c->channels, F = c->inner;
	const size_t qkv[] = { C, C, C };

	at->norm1_gain = add_of_layer(params, layers, l, "ln_1.weight", 0, C, PARAM_ONE, 0);
	at->norm1_bias = add_of_layer(params, layers, l, "ln_1.bias", 0, C, PARAM_ZERO, 0);
	at->qkv = add_of_layer(params, layers, l, "attn.c_attn.weight", C, 3 * C, init, gpt2 ? 0.02 : spread(C, C));
	part(&params->items[at->qkv], NULL, 0, qkv, NULL, 3);
	at->qkv_bias = gpt2 ? add_of_layer(params, layers, l, "attn.c_attn.bias", 0, 3 * C, PARAM_ZERO, 0) : SIZE_MAX;
	at->proj = add_of_layer(params, layers, l, "attn.c_proj.weight", C, C, init, gpt2 ? deep(c) : spread(C, C));
	at->proj_bias = gpt2 ? add_of_layer(params, layers, l, "attn.c_proj.bias", 0, C, PARAM_ZERO, 0) : SIZE_MAX;
	at->norm2_gain = add_of_layer(params, layers, l, "ln_2.weight", 0, C, PARAM_ONE, 0);
	at->norm2_bias = add_of_layer(params, layers, l, "ln_2.bias", 0, C, PARAM_ZERO, 0);
	at->fc = add_of_layer(params, layers, l, "mlp.c_fc.weight", C, F, init, gpt2 ? 0.02 : spread(C, F));
	at->fc_bias = add_of_layer(params, layers, l, "mlp.c_fc.bias", 0, F, PARAM_ZERO, 0);
	at->out = add_of_layer(params, layers, l, "mlp.c_proj.weight", F, C, init, gpt2 ? deep(c) : spread(F, C));
	at->out_bias = add_of_layer(params, layers, l, "mlp.c_proj.bias", 0, C, PARAM_ZERO, 0);
}

static void
add_llama_layer(struct params *params, const struct model_config *c, size_t l)
{
	static const char layers[] = "model.layers";
	static const char *const qkv_names[] = { "self_attn.q_proj.weight", "self_attn.k_proj.weight", "self_attn.v_proj.weight" };
	static const char *const proj_names[] = { "self_attn.o_proj.weight" }, *const out_names[] = { "mlp.down_proj.weight" };
	static const char *const fc_names[] = { "mlp.gate_proj.weight", "mlp.up_proj.weight" };
	struct layer_params *at = &params->layers[l];
	size_t C = c->channels, CK = model_config_keys(c), F = c->inner;
	const size_t qkv[] = { C, CK, CK }, fc[] = { F, F };

	at->norm1_bias = at->qkv_bias = at->proj_bias = at->norm2_bias = at->fc_bias = at->out_bias = SIZE_MAX;
	at->norm1_gain = add_of_layer(params, layers, l, "input_layernorm.weight", 0, C, PARAM_ONE, 0);
	at->qkv = add_of_layer(params, layers, l, "self_attn.qkv_proj.weight", C, C + 2 * CK, PARAM_NORMAL, 0.02);
	part(&params->items[at->qkv], layers, l, qkv, qkv_names, 3);
	at->proj = add_of_layer(params, layers, l, "self_attn.o_proj.weight", C, C, PARAM_NORMAL, deep(c));
	part(&params->items[at->proj], layers, l, &C, proj_names, 1);
	at->norm2_gain = add_of_layer(params, layers, l, "post_attention_layernorm.weight", 0, C, PARAM_ONE, 0);
	at->fc = add_of_layer(params, layers, l, "mlp.gate_up_proj.weight", C, 2 * F, PARAM_NORMAL, 0.02);
	part(&params->items[at->fc], layers, l, fc, fc_names, 2);
	at->out = add_of_layer(params, layers, l, "mlp.down_proj.weight", F, C, PARAM_NORMAL, deep(c));
	part(&params->items[at->out], layers, l, &C, out_names, 1);
}

static void
init_llama(struct params *params, const struct model_config *c)
{
	params->embedding = add(params, "model.embed_tokens.weight", c->vocabulary, c->channels, PARAM_NORMAL, 0.02);
	params->positions = params->final_bias = SIZE_MAX;
	for (size_t l = 0; l < c->layers; l++)
		add_llama_layer(params, c, l);
	params->final_gain = add(params, "model.norm.weight", 0, c->channels, PARAM_ONE, 0);
	params->head = params->embedding;
	if (!c->tied)
		params->head = add(params, "lm_head.weight", c->vocabulary, c->channels, PARAM_NORMAL, 0.02);
}

void
params_init(struct params *params, const struct model_config *c)
{
	bool gpt2 = c->arch == MODEL_GPT2;

	*params = (struct params){ .layers = xcalloc(c->layers, sizeof(*params->layers)) };
	if (c->arch == MODEL_LLAMA) {
		init_llama(params, c);
		return;
	}
	params->embedding = params->head = add(params, "transformer.wte.weight", c->vocabulary, c->channels, PARAM_NORMAL,
		gpt2 ? 0.02 : 1 / sqrt((double)c->channels));
	params->positions = gpt2 ? add(params, "transformer.wpe.weight", c->context, c->channels, PARAM_NORMAL, 0.02) : SIZE_MAX;
	for (size_t l = 0; l < c->layers; l++)
		add_layer(params, c, l);
	params->final_gain = add(params, "transformer.ln_f.weight", 0, c->channels, PARAM_ONE, 0);
	params->final_bias = add(params, "transformer.ln_f.bias", 0, c->channels, PARAM_ZERO, 0);
}

void
params_release(struct params *params)
{
	free(params->layers);
	params->layers = NULL;
	vec_release(params);
}

const struct param *
params_find(const struct params *params, const char *name)
{
	for (size_t i = 0; i < params->n; i++)
		if (!strcmp(params->items[i].name, name))
			return &params->items[i];
	return NULL;
}

/* Two uniform numbers make a normal one (Box and Muller). */
static double
normal(uint64_t seed, uint32_t site, uint64_t i)
{
	double u = ((double)ops_random(seed, NO_STEP, site, 2 * i) + 1) / 4294967296.0;
	double v = (double)ops_random(seed, NO_STEP, site, 2 * i + 1) / 4294967296.0;

	return sqrt(-2 * log(u)) * cos(2 * 3.14159265358979323846 * v);
}

void
params_begin(const struct params *params, size_t which, uint64_t seed, float *ret)
{
	const struct param *p = &params->items[which];
	uint32_t site = 0x80000000u + (uint32_t)which;

	for (size_t i = 0; i < p->n; i++) {
		double x = p->init == PARAM_ONE;

		if (p->init == PARAM_NORMAL)
			x = p->scale * normal(seed, site, i);
		else if (p->init == PARAM_UNIFORM)
			x = p->scale * (((double)ops_random(seed, NO_STEP, site, i) + 0.5) / 2147483648.0 - 1);
		ret[i] = (float)x;
	}
}

size_t
params_count(const struct params *params)
{
	size_t n = 0;

	for (size_t i = 0; i < params->n; i++)
		n += params->items[i].n;
	return n;
}

/* ---- in files ---- */

size_t
param_tensors(const struct param *p)
{
	return p->turned ? p->n_parts : 1;
}

struct param_tensor
param_tensor(const struct param *p, size_t which)
{
	const struct param_part *part = &p->parts[which];

	if (p->turned)
		return (struct param_tensor){ .name = part->name, .rank = 2, .shape = { part->columns, p->rows }, .n = part->columns * p->rows };
	return (struct param_tensor){ .name = p->name, .rank = p->rows ? 2 : 1, .shape = { p->rows ? p->rows : p->columns, p->columns }, .n = p->n };
}

void
param_tensor_from(const struct param *p, size_t which, const float *numbers, float *ret)
{
	const struct param_part *part = &p->parts[which];

	if (!p->turned) {
		memcpy(ret, numbers, p->n * sizeof(*ret));
		return;
	}
	for (size_t j = 0; j < part->columns; j++)
		for (size_t i = 0; i < p->rows; i++)
			ret[j * p->rows + i] = numbers[i * p->columns + part->column + j];
}

void
param_tensor_into(const struct param *p, size_t which, const float *from, float *numbers)
{
	const struct param_part *part = &p->parts[which];

	if (!p->turned) {
		memcpy(numbers, from, p->n * sizeof(*numbers));
		return;
	}
	for (size_t j = 0; j < part->columns; j++)
		for (size_t i = 0; i < p->rows; i++)
			numbers[i * p->columns + part->column + j] = from[j * p->rows + i];
}
