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
add_of_layer(struct params *params, size_t layer, const char *name, size_t rows, size_t columns, enum param_init init, double scale)
{
	char full[PARAM_NAME_MAX];

	snprintf(full, sizeof(full), "transformer.h.%zu.%s", layer, name);
	return add(params, full, rows, columns, init, scale);
}

/* Tensor2Tensor's layers: uniform, by the mean of what goes in and out. */
static double
spread(size_t in, size_t out)
{
	return sqrt(6.0 / (double)(in + out));
}

static void
add_layer(struct params *params, const struct model_config *c, size_t l)
{
	struct layer_params *at = &params->layers[l];
	bool gpt2 = c->arch == MODEL_GPT2;
	enum param_init init = gpt2 ? PARAM_NORMAL : PARAM_UNIFORM;
	double deep = 0.02 / sqrt(2 * (double)c->layers); /* GPT-2: what adds to the residuals begins smaller */
	size_t C = c->channels, F = c->inner;

	at->norm1_gain = add_of_layer(params, l, "ln_1.weight", 0, C, PARAM_ONE, 0);
	at->norm1_bias = add_of_layer(params, l, "ln_1.bias", 0, C, PARAM_ZERO, 0);
	at->qkv = add_of_layer(params, l, "attn.c_attn.weight", C, 3 * C, init, gpt2 ? 0.02 : spread(C, C));
	at->qkv_bias = gpt2 ? add_of_layer(params, l, "attn.c_attn.bias", 0, 3 * C, PARAM_ZERO, 0) : SIZE_MAX;
	at->proj = add_of_layer(params, l, "attn.c_proj.weight", C, C, init, gpt2 ? deep : spread(C, C));
	at->proj_bias = gpt2 ? add_of_layer(params, l, "attn.c_proj.bias", 0, C, PARAM_ZERO, 0) : SIZE_MAX;
	at->norm2_gain = add_of_layer(params, l, "ln_2.weight", 0, C, PARAM_ONE, 0);
	at->norm2_bias = add_of_layer(params, l, "ln_2.bias", 0, C, PARAM_ZERO, 0);
	at->fc = add_of_layer(params, l, "mlp.c_fc.weight", C, F, init, gpt2 ? 0.02 : spread(C, F));
	at->fc_bias = add_of_layer(params, l, "mlp.c_fc.bias", 0, F, PARAM_ZERO, 0);
	at->out = add_of_layer(params, l, "mlp.c_proj.weight", F, C, init, gpt2 ? deep : spread(F, C));
	at->out_bias = add_of_layer(params, l, "mlp.c_proj.bias", 0, C, PARAM_ZERO, 0);
}

void
params_init(struct params *params, const struct model_config *c)
{
	bool gpt2 = c->arch == MODEL_GPT2;

	*params = (struct params){ .layers = xcalloc(c->layers, sizeof(*params->layers)) };
	params->embedding = add(params, "transformer.wte.weight", c->vocabulary, c->channels, PARAM_NORMAL,
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
