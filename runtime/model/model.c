#include "config.h"

#include "runtime/model/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/model/model_private.h"

/* ---- memory ---- */

enum { LINE = 64 };

/* Hands out places one behind the other. Without memory it only counts. */
struct plan {
	char *base;
	size_t used;
};

static void *
take(struct plan *plan, size_t bytes)
{
	void *at = plan->base ? plan->base + plan->used : NULL;

	plan->used += (bytes + LINE - 1) / LINE * LINE;
	return at;
}

static void
lay_layer(const struct model_config *c, struct plan *plan, size_t row, size_t narrow, size_t C, struct layer_state *s)
{
	s->sum1 = take(plan, row * C);
	s->norm1 = take(plan, narrow * C);
	s->mean1 = take(plan, row);
	s->rstd1 = take(plan, row);
	s->qkv = take(plan, narrow * (C + 2 * model_config_keys(c)));
	s->attended = take(plan, narrow * C);
	s->logsum = take(plan, row * c->heads);
	s->sum2 = take(plan, row * C);
	s->norm2 = take(plan, narrow * C);
	s->mean2 = take(plan, row);
	s->rstd2 = take(plan, row);
	s->fc = take(plan, narrow * c->inner * (c->arch == MODEL_LLAMA ? 2 : 1));
	s->act = take(plan, narrow * c->inner);
}

static void
lay_batch(struct model *m, struct plan *plan, size_t N, size_t row)
{
	m->ids = take(plan, N * sizeof(int32_t));
	m->places = take(plan, N * sizeof(int32_t));
	m->labels = take(plan, N * sizeof(int32_t));
	m->starts = take(plan, (N + 1) * sizeof(int32_t));
	m->weights = take(plan, row);
	m->losses = take(plan, row);
	m->hits = take(plan, row);
	m->step = take(plan, sizeof(struct ops_step));
}

/* Without gradients to come all layers share one state. */
static void
lay_out(struct model *m, struct plan *plan, const struct ops_device *d)
{
	const struct model_config *c = &m->config;
	size_t N = m->capacity, C = c->channels, real = d->real, row = N * real, narrow = N * d->narrow, logits, matrix, square;

	lay_batch(m, plan, N, row);
	m->positions = take(plan, c->arch == MODEL_GPT2 ? 0 : c->context * (c->arch == MODEL_LLAMA ? model_config_head(c) : C) * real);
	for (size_t l = 0; l < c->layers; l++) {
		if (m->purpose != MODEL_TO_USE || !l)
			lay_layer(c, plan, row, narrow, C, &m->layers[l]);
		else
			m->layers[l] = m->layers[0];
	}
	m->embedded = take(plan, row * C);
	m->branch = take(plan, narrow * C);
	m->final_sum = take(plan, row * C);
	m->final = take(plan, narrow * C);
	m->final_mean = take(plan, row);
	m->final_rstd = take(plan, row);
	logits = model_logit_rows(d, N) * d->narrow;
	m->logits = take(plan, (logits > real ? logits : real) * model_logit_ld(c, d)); /* one row of reals at least, for model_logits */
	if (m->purpose == MODEL_TO_USE)
		return;
	m->dsum = take(plan, row * C);
	m->dnorm = take(plan, narrow * C);
	m->dqkv = take(plan, narrow * (C + 2 * model_config_keys(c)));
	m->dfc = take(plan, narrow * c->inner);
	m->clip = take(plan, 2 * real);
	if (m->purpose != MODEL_TO_TRAIN_BY_MUON)
		return;
	muon_sizes(&m->params, &matrix, &square);
	m->direction = take(plan, matrix * d->narrow);
	for (size_t i = 0; i < ARRAY_LEN(m->squares); i++)
		m->squares[i] = take(plan, square * d->narrow);
}

/* The most that one product of a step takes. The widest ones are the logits' and the feed-forward part's. */
static size_t
scratch_of(const struct model_config *c, struct ops_device *d, size_t N)
{
	size_t C = c->channels, QKV = C + 2 * model_config_keys(c), F = c->inner * (c->arch == MODEL_LLAMA ? 2 : 1);
	size_t rows = model_logit_rows(d, N), most = 0;
	const struct ops_matmul shapes[] = {
		{ .M = rows, .N = c->vocabulary, .K = C }, { .M = rows, .N = C, .K = c->vocabulary }, { .M = c->vocabulary, .N = C, .K = rows },
		{ .M = N, .N = F, .K = C }, { .M = N, .N = C, .K = F }, { .M = C, .N = F, .K = N },
		{ .M = F, .N = C, .K = N }, { .M = N, .N = QKV, .K = C }, { .M = N, .N = C, .K = QKV }, { .M = C, .N = QKV, .K = N },
	};

	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		size_t bytes = d->ops->matmul_scratch(d, &shapes[i]);

		most = bytes > most ? bytes : most;
	}
	return most;
}

size_t
model_memory(const struct model_config *config, struct ops_device *device, size_t N, enum model_purpose purpose)
{
	struct model m = { .config = *config, .capacity = N, .purpose = purpose };
	struct plan plan = { 0 };
	size_t slabs, scratch = scratch_of(config, device, N), more = 0;

	m.layers = xcalloc(config->layers, sizeof(*m.layers));
	params_init(&m.params, config);
	lay_out(&m, &plan, device);
	slabs = (purpose == MODEL_TO_USE ? 1 : MODEL_SLABS) * m.params.total * device->real;
	if (device->narrow != device->real)
		slabs += m.params.total * device->narrow;
	if (purpose == MODEL_TO_TRAIN_BY_MUON)
		more = muon_scratch(&m.params, device);
	params_release(&m.params);
	free(m.layers);
	return plan.used + slabs + (more > scratch ? more : scratch);
}

/* ---- a model ---- */

void
model_sines(size_t place, size_t C, float *ret)
{
	size_t half = C / 2;

	memset(ret, 0, C * sizeof(*ret));
	for (size_t i = 0; i < half; i++) {
		double angle = (double)place * exp(-(double)i * log(10000.0) / (double)(half > 1 ? half - 1 : 1));

		ret[i] = (float)sin(angle);
		ret[half + i] = (float)cos(angle);
	}
}

static void
put_positions(struct model *m)
{
	size_t C = m->config.channels;
	float *row = xcalloc(C, sizeof(*row));

	for (size_t place = 0; place < m->config.context; place++) {
		model_sines(place, C, row);
		m->d->ops->put(m->d, model_further(m, m->positions, place * C), row, C);
	}
	free(row);
}

/* How far the pair of channels i is turned from one place to the next, in radians, as transformers' modeling_rope_utils has it. */
static double
frequency_of(const struct model_config *c, size_t i)
{
	double plain = pow(c->rope.theta, -2 * (double)i / (double)model_config_head(c)), length = 2 * 3.14159265358979323846 / plain, part;

	if (c->rope.kind == MODEL_ROPE_PLAIN)
		return plain;
	if (c->rope.kind == MODEL_ROPE_LINEAR || length > (double)c->rope.original / c->rope.low)
		return plain / c->rope.factor;
	if (length < (double)c->rope.original / c->rope.high)
		return plain;
	part = ((double)c->rope.original / length - c->rope.low) / (c->rope.high - c->rope.low);
	return (1 - part) * plain / c->rope.factor + part * plain;
}

void
model_angles(const struct model_config *config, size_t place, float *ret)
{
	size_t D = model_config_head(config);

	for (size_t i = 0; i < D / 2; i++) {
		double angle = (double)place * frequency_of(config, i);

		ret[i] = (float)cos(angle);
		ret[D / 2 + i] = (float)sin(angle);
	}
}

static void
put_angles(struct model *m)
{
	size_t D = model_config_head(&m->config);
	float *row = xcalloc(D, sizeof(*row));

	for (size_t place = 0; place < m->config.context; place++) {
		model_angles(&m->config, place, row);
		m->d->ops->put(m->d, model_further(m, m->positions, place * D), row, D);
	}
	free(row);
}

static void
put_weights(struct model *m, uint64_t seed)
{
	for (size_t i = 0; i < m->params.n; i++) {
		const struct param *p = &m->params.items[i];
		float *numbers = xmalloc(p->n * sizeof(*numbers));

		params_begin(&m->params, i, seed, numbers);
		model_put(m, MODEL_WEIGHTS, p, numbers);
		free(numbers);
	}
}

static int
take_memory(struct model *m, struct error *err)
{
	struct plan plan = { 0 };

	lay_out(m, &plan, m->d);
	plan.base = m->memory = m->d->ops->alloc(m->d, plan.used);
	for (int i = 0; m->memory && i < (m->purpose == MODEL_TO_USE ? 1 : MODEL_SLABS); i++) {
		m->slabs[i] = m->d->ops->alloc(m->d, m->params.total * m->d->real);
		if (!m->slabs[i])
			plan.base = NULL;
	}
	if (plan.base && m->d->narrow != m->d->real) {
		m->narrow = m->d->ops->alloc(m->d, m->params.total * m->d->narrow);
		if (!m->narrow)
			plan.base = NULL;
	}
	if (!plan.base)
		return error_set(err, "there is no memory for the model: it wants %zu MiB; take a smaller one, or fewer tokens a batch",
			model_memory(&m->config, m->d, m->capacity, m->purpose) >> 20);
	plan.used = 0;
	lay_out(m, &plan, m->d);
	m->host = xcalloc(m->capacity, m->d->real);
	model_steady_init(m);
	return 0;
}

struct model *
model_new(struct ops_device *device, const struct model_config *config, size_t N, enum model_purpose purpose, uint64_t seed,
	struct error *err)
{
	struct model *m = xcalloc(1, sizeof(*m));

	*m = (struct model){ .config = *config, .d = device, .capacity = N, .purpose = purpose };
	m->layers = xcalloc(config->layers, sizeof(*m->layers));
	params_init(&m->params, config);
	if (take_memory(m, err)) {
		model_free(m);
		return NULL;
	}
	if (config->arch == MODEL_PREPEND)
		put_positions(m);
	if (config->arch == MODEL_LLAMA)
		put_angles(m);
	if (seed != MODEL_NO_SEED)
		put_weights(m, seed);
	return m;
}

void
model_free(struct model *m)
{
	if (!m)
		return;
	for (int i = 0; i < MODEL_SLABS; i++)
		m->d->ops->free(m->d, m->slabs[i]);
	m->d->ops->free(m->d, m->narrow);
	m->d->ops->free(m->d, m->memory);
	params_release(&m->params);
	free(m->layers);
	free(m->host);
	model_steady_release(m);
	free(m);
}

const struct model_config *
model_config(const struct model *model)
{
	return &model->config;
}

enum model_purpose
model_purpose(const struct model *model)
{
	return model->purpose;
}

const struct params *
model_params(const struct model *model)
{
	return &model->params;
}

struct ops_device *
model_device(const struct model *model)
{
	return model->d;
}

void *
model_at(const struct model *m, enum model_slab slab, size_t which)
{
	return model_further(m, m->slabs[slab], m->params.items[which].at);
}

void
model_get(const struct model *m, enum model_slab slab, const struct param *param, float *ret)
{
	m->d->ops->get(m->d, ret, model_further(m, m->slabs[slab], param->at), param->n);
}

void
model_put(struct model *m, enum model_slab slab, const struct param *param, const float *from)
{
	m->d->ops->put(m->d, model_further(m, m->slabs[slab], param->at), from, param->n);
	if (slab == MODEL_WEIGHTS && m->narrow)
		m->d->ops->put_narrow(m->d, model_narrow_further(m, m->narrow, param->at), from, param->n);
}

void
model_watch(struct model *m, const volatile sig_atomic_t *stop)
{
	m->stop = stop;
}
