#include "config.h"

#include <string.h>

#include "base/macros.h"
#include "runtime/model/model_private.h"

/* The gradients of a product: of its parameters, added; of what went in, written. */
static void
linear_back(const struct pass *pass, const void *in, const void *dout, size_t weight, size_t bias, void *din)
{
	struct model *m = pass->m;
	const struct param *w = &m->params.items[weight];
	struct ops_matmul dw = { .M = w->rows, .N = w->columns, .K = pass->N, .a = in, .lda = w->rows, .at = true, .b = dout, .ldb = w->columns,
		.c = model_at(m, MODEL_GRADIENTS, weight), .ldc = w->columns, .add = true, .wide = true };
	struct ops_matmul dx = { .M = pass->N, .N = w->rows, .K = w->columns, .a = dout, .lda = w->columns,
		.b = model_factor(m, weight), .ldb = w->columns, .bt = true, .c = din, .ldc = w->rows };

	m->d->ops->matmul(m->d, &dw);
	if (bias != SIZE_MAX)
		m->d->ops->column_sums(m->d, pass->N, w->columns, dout, model_at(m, MODEL_GRADIENTS, bias));
	m->d->ops->matmul(m->d, &dx);
}

static void
norm_back(const struct pass *pass, const struct ops_norm *norm, size_t gain, size_t bias)
{
	struct model *m = pass->m;

	m->d->ops->norm_backward(m->d, norm, m->dnorm, m->dsum, norm->branch ? m->branch : NULL, model_at(m, MODEL_GRADIENTS, gain),
		bias == SIZE_MAX ? NULL : model_at(m, MODEL_GRADIENTS, bias));
}

/* From the gradient of what the feed-forward part's last product took, m->dfc, to the one of what went in: where that then is. */
static void *
activate_back(const struct pass *pass, size_t l)
{
	struct model *m = pass->m;
	struct layer_state *s = &m->layers[l];
	struct ops_dropout dropout = model_dropout(pass, l, SITE_ACTIVATION);

	if (m->config.arch == MODEL_LLAMA) {
		m->d->ops->gate_backward(m->d, OPS_SILU, pass->N, m->config.inner, s->fc, m->dfc);
		return s->fc;
	}
	m->d->ops->activate_backward(m->d, model_activation(m), pass->N * m->config.inner, s->fc, m->dfc, &dropout);
	return m->dfc;
}

static void
attend_back(const struct pass *pass, size_t l)
{
	struct model *m = pass->m;
	struct ops_attention attention = model_attention(pass, l);

	m->d->ops->attention_backward(m->d, &attention, m->dnorm, m->dqkv);
	if (m->config.arch == MODEL_LLAMA) {
		struct ops_rotate rotate = model_rotate(pass, m->dqkv, true);

		m->d->ops->rotate(m->d, &rotate);
	}
}

/* m->branch holds the gradient of what the layer's last branch added; behind it the one of the layer before. */
static void
backward_layer(const struct pass *pass, size_t l)
{
	struct model *m = pass->m;
	const struct layer_params *p = &m->params.layers[l];
	struct layer_state *s = &m->layers[l];
	const void *x = l ? m->layers[l - 1].sum2 : m->embedded;
	struct ops_norm norm1 = model_norm(pass, x, l ? m->branch : NULL, p->norm1_gain, p->norm1_bias, s->sum1, s->mean1, s->rstd1,
		(uint32_t)((l - 1) * SITES + SITE_OUT));
	struct ops_norm norm2 = model_norm(pass, l ? s->sum1 : x, m->branch, p->norm2_gain, p->norm2_bias, s->sum2, s->mean2, s->rstd2,
		(uint32_t)(l * SITES + SITE_PROJ));

	linear_back(pass, s->act, m->branch, p->out, p->out_bias, m->dfc);
	linear_back(pass, s->norm2, activate_back(pass, l), p->fc, p->fc_bias, m->dnorm);
	norm_back(pass, &norm2, p->norm2_gain, p->norm2_bias);
	linear_back(pass, s->attended, m->branch, p->proj, p->proj_bias, m->dnorm);
	attend_back(pass, l);
	linear_back(pass, s->norm1, m->dqkv, p->qkv, p->qkv_bias, m->dnorm);
	norm_back(pass, &norm1, p->norm1_gain, p->norm1_bias);
}

void
model_backward(const struct pass *pass)
{
	struct model *m = pass->m;
	size_t last = m->config.layers - 1;
	struct ops_embed embed = model_embed(pass);
	struct ops_norm final = model_norm(pass, m->layers[last].sum2, m->branch, m->params.final_gain, m->params.final_bias, m->final_sum,
		m->final_mean, m->final_rstd, (uint32_t)(last * SITES + SITE_OUT));

	m->d->ops->clear(m->d, m->dsum, pass->N * m->config.channels * m->d->real);
	norm_back(pass, &final, m->params.final_gain, m->params.final_bias);
	for (size_t l = last + 1; l-- > 0 && !model_is_stopped(m);)
		backward_layer(pass, l);
	m->d->ops->embed_backward(m->d, &embed, m->dsum, model_at(m, MODEL_GRADIENTS, m->params.embedding),
		m->config.arch == MODEL_GPT2 ? model_at(m, MODEL_GRADIENTS, m->params.positions) : NULL);
}
