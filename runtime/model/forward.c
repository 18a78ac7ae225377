#include "config.h"

#include <math.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/model/model_private.h"

struct ops_dropout
model_dropout(const struct pass *pass, size_t layer, enum model_site site)
{
	double rate = site == SITE_ACTIVATION && pass->m->config.arch != MODEL_PREPEND ? 0 : pass->dropout;

	return (struct ops_dropout){ .rate = rate, .site = (uint32_t)(layer * SITES + site), .step = pass->m->step };
}

struct ops_norm
model_norm(const struct pass *pass, const void *x, const void *branch, size_t gain, size_t bias, void *sum, void *mean, void *rstd,
	uint32_t site)
{
	bool rms = pass->m->config.arch == MODEL_LLAMA;

	return (struct ops_norm){ .kind = rms ? OPS_RMS_NORM : OPS_LAYER_NORM, .N = pass->N, .C = pass->m->config.channels, .x = x, .branch = branch, .sum = sum, .mean = rms ? NULL : mean,
		.rstd = rstd, .gain = model_at(pass->m, MODEL_WEIGHTS, gain), .bias = rms ? NULL : model_at(pass->m, MODEL_WEIGHTS, bias),
		.epsilon = pass->m->config.epsilon,
		.dropout = { .rate = branch ? pass->dropout : 0, .site = site, .step = pass->m->step } };
}

struct ops_attention
model_attention(const struct pass *pass, size_t layer)
{
	struct layer_state *s = &pass->m->layers[layer];

	return (struct ops_attention){ .N = pass->N, .C = pass->m->config.channels, .NH = pass->m->config.heads, .NKV = model_config_kv_heads(&pass->m->config),
		.documents = pass->documents, .longest = pass->longest, .starts = pass->m->starts, .qkv = s->qkv, .out = s->attended,
		.logsum = s->logsum, .dropout = model_dropout(pass, layer, SITE_ATTENTION) };
}

struct ops_rotate
model_rotate(const struct pass *pass, void *qkv, bool back)
{
	const struct model *m = pass->m;

	return (struct ops_rotate){ .N = pass->N, .C = m->config.channels, .NH = m->config.heads, .NKV = m->config.kv_heads, .places = m->places,
		.angles = m->positions, .qkv = qkv, .back = back };
}

struct ops_embed
model_embed(const struct pass *pass)
{
	struct model *m = pass->m;
	const void *positions = m->positions;
	bool blank = m->config.arch == MODEL_PREPEND;

	if (!blank)
		positions = m->config.arch == MODEL_GPT2 ? model_at(m, MODEL_WEIGHTS, m->params.positions) : NULL;

	return (struct ops_embed){ .N = pass->N, .C = m->config.channels, .ids = m->ids, .places = m->places,
		.table = model_at(m, MODEL_WEIGHTS, m->params.embedding),
		.positions = positions, .scale = blank ? sqrt((double)m->config.channels) : 1, .blank = blank,
		.dropout = { .rate = pass->dropout, .site = SITE_EMBED, .step = m->step } };
}

static void
packed_linear(const struct pass *pass, const void *in, size_t weight, const void *bias, void *out)
{
	struct model *m = pass->m;
	const struct param *w = &m->params.items[weight];
	struct ops_packed op = { .M = pass->N, .N = w->columns, .K = w->rows, .packing = pass->packed->packing, .a = in,
		.b = pass->packed->weights[weight], .c = out, .bias = bias };

	m->d->ops->packed_matmul(m->d, &op);
}

/* out (N, columns) = in (N, rows) times a parameter, plus its bias. */
static void
linear(const struct pass *pass, const void *in, size_t weight, size_t bias, void *out)
{
	struct model *m = pass->m;
	const struct param *w = &m->params.items[weight];
	struct ops_matmul op = { .M = pass->N, .N = w->columns, .K = w->rows, .a = in, .lda = w->rows, .b = model_factor(m, weight),
		.ldb = w->columns, .c = out, .ldc = w->columns, .bias = bias == SIZE_MAX ? NULL : model_factor(m, bias) };

	if (pass->packed && pass->packed->weights[weight])
		packed_linear(pass, in, weight, op.bias, out);
	else
		m->d->ops->matmul(m->d, &op);
}

/* Over the tokens of the batch itself, or over what is kept of earlier ones. */
static void
attend(const struct pass *pass, size_t l)
{
	struct model *m = pass->m;
	const struct ops *ops = m->d->ops;
	const struct kept *kept = pass->kept;
	struct layer_state *s = &m->layers[l];
	size_t C = m->config.channels, NKV = model_config_kv_heads(&m->config);

	if (m->config.arch == MODEL_LLAMA) {
		struct ops_rotate rotate = model_rotate(pass, s->qkv, false);

		ops->rotate(m->d, &rotate);
	}
	if (kept) {
		struct ops_keep keep = { .N = pass->N, .C = C, .NH = m->config.heads, .NKV = NKV, .L = kept->length, .slots = kept->slots,
			.at = m->places, .qkv = s->qkv,
			.keys = kept->keys[l], .values = kept->values[l], .halves = kept->halves };

		ops->keep(m->d, &keep);
	}
	if (kept && kept->alone) {
		struct ops_decode decode = { .R = pass->N, .C = C, .NH = m->config.heads, .NKV = NKV, .L = kept->length, .slots = kept->slots,
			.at = m->places, .from = kept->from, .qkv = s->qkv, .keys = kept->keys[l], .values = kept->values[l],
			.halves = kept->halves, .out = s->attended };

		ops->decode_attention(m->d, &decode);
	} else {
		struct ops_attention attention = model_attention(pass, l);

		ops->attention_forward(m->d, &attention);
	}
}

/* From what goes into the feed-forward part to what its last product takes. */
static void
activate(const struct pass *pass, size_t l)
{
	struct model *m = pass->m;
	struct layer_state *s = &m->layers[l];
	struct ops_dropout dropout = model_dropout(pass, l, SITE_ACTIVATION);

	if (m->config.arch == MODEL_LLAMA) {
		m->d->ops->gate_forward(m->d, OPS_SILU, pass->N, m->config.inner, s->fc, s->act);
		return;
	}
	m->d->ops->activate_forward(m->d, model_activation(m), pass->N * m->config.inner, s->fc, s->act, &dropout);
}

/* x is the residuals that come in; a branch of the layer before may still have to be added. */
static void
forward_layer(const struct pass *pass, size_t l, const void *x, const void *branch)
{
	struct model *m = pass->m;
	const struct ops *ops = m->d->ops;
	const struct layer_params *p = &m->params.layers[l];
	struct layer_state *s = &m->layers[l];
	struct ops_norm norm1 = model_norm(pass, x, branch, p->norm1_gain, p->norm1_bias, s->sum1, s->mean1, s->rstd1,
		(uint32_t)((l - 1) * SITES + SITE_OUT));
	struct ops_norm norm2 = model_norm(pass, branch ? s->sum1 : x, m->branch, p->norm2_gain, p->norm2_bias, s->sum2, s->mean2, s->rstd2,
		(uint32_t)(l * SITES + SITE_PROJ));

	ops->norm_forward(m->d, &norm1, s->norm1);
	linear(pass, s->norm1, p->qkv, p->qkv_bias, s->qkv);
	attend(pass, l);
	linear(pass, s->attended, p->proj, p->proj_bias, m->branch);
	ops->norm_forward(m->d, &norm2, s->norm2);
	linear(pass, s->norm2, p->fc, p->fc_bias, s->fc);
	activate(pass, l);
	linear(pass, s->act, p->out, p->out_bias, m->branch);
}

void
model_forward(const struct pass *pass)
{
	struct model *m = pass->m;
	size_t last = m->config.layers - 1;
	struct ops_embed embed = model_embed(pass);
	struct ops_norm final = model_norm(pass, m->layers[last].sum2, m->branch, m->params.final_gain, m->params.final_bias, m->final_sum,
		m->final_mean, m->final_rstd, (uint32_t)(last * SITES + SITE_OUT));

	m->d->ops->embed_forward(m->d, &embed, m->embedded);
	for (size_t l = 0; l <= last && !model_is_stopped(m); l++)
		forward_layer(pass, l, l ? m->layers[l - 1].sum2 : m->embedded, l ? m->branch : NULL);
	m->d->ops->norm_forward(m->d, &final, m->final);
}

/* A few rows at a time, so that the logits never take more memory than that. */
void
model_classify(const struct pass *pass)
{
	struct model *m = pass->m;
	const struct ops *ops = m->d->ops;
	size_t C = m->config.channels, V = m->config.vocabulary, ld = model_logit_ld(&m->config, m->d);
	size_t rows = model_logit_rows(m->d, pass->N);
	const void *table = model_factor(m, m->params.head);

	for (size_t row = 0; row < pass->N && !model_is_stopped(m); row += rows) {
		size_t n = pass->N - row < rows ? pass->N - row : rows;
		void *x = model_narrow_further(m, m->final, row * C);
		struct ops_matmul logits = { .M = n, .N = V, .K = C, .a = x, .lda = C, .b = table, .ldb = C, .bt = true, .c = m->logits, .ldc = ld };
		struct ops_xent xent = { .N = n, .V = V, .ld = ld, .logits = m->logits, .labels = m->labels + row,
			.weights = model_further(m, m->weights, row), .smoothing = pass->smoothing, .backward = pass->backward, .step = m->step,
			.losses = model_further(m, m->losses, row), .hits = model_further(m, m->hits, row) };

		ops->matmul(m->d, &logits);
		ops->xent(m->d, &xent);
		if (pass->backward) {
			struct ops_matmul dx = { .M = n, .N = C, .K = V, .a = m->logits, .lda = ld, .b = table, .ldb = C,
				.c = model_narrow_further(m, m->dnorm, row * C), .ldc = C };
			struct ops_matmul dtable = { .M = V, .N = C, .K = n, .a = m->logits, .lda = ld, .at = true, .b = x, .ldb = C, .add = true,
				.wide = true, .c = model_at(m, MODEL_GRADIENTS, m->params.head), .ldc = C };

			ops->matmul(m->d, &dx);
			ops->matmul(m->d, &dtable);
		}
	}
}
