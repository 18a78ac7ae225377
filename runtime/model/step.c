/* What is done with a batch. */
#include "config.h"

#include <math.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/model/model_private.h"

static double
sum_of(const float *numbers, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)numbers[i];
	return sum;
}

/* Of n reals of the device, in their own precision. */
static double
sum_on_device(struct model *m, const void *at, size_t n)
{
	double sum = 0;

	m->d->ops->download(m->d, m->host, at, n * m->d->real);
	if (m->d->real == sizeof(float))
		return sum_of(m->host, n);
	for (size_t i = 0; i < n; i++)
		sum += ((const double *)m->host)[i];
	return sum;
}

static void
check_batch(const struct model *m, const struct model_batch *b)
{
	if (!b->N || b->N > m->capacity || b->documents > b->N || b->longest > m->config.context)
		BUG("a batch of %zu tokens, %zu documents, the longest %zu, for a model made for %zu and %zu", b->N, b->documents, b->longest,
			m->capacity, m->config.context);
	for (size_t i = 0; i < b->N; i++)
		if (b->ids[i] < 0 || (size_t)b->ids[i] >= m->config.vocabulary || b->labels[i] < 0 ||
		    (size_t)b->labels[i] >= m->config.vocabulary || b->places[i] < 0 || (size_t)b->places[i] >= m->config.context)
			BUG("token %zu of a batch is outside of the model", i);
}

struct pass
model_begin(struct model *m, const struct model_batch *b, const struct ops_step *step)
{
	const struct ops *ops = m->d->ops;

	check_batch(m, b);
	ops->upload(m->d, m->ids, b->ids, b->N * sizeof(int32_t));
	ops->upload(m->d, m->places, b->places, b->N * sizeof(int32_t));
	ops->upload(m->d, m->labels, b->labels, b->N * sizeof(int32_t));
	ops->upload(m->d, m->starts, b->starts, (b->documents + 1) * sizeof(int32_t));
	ops->put(m->d, m->weights, b->weights, b->N);
	ops->upload(m->d, m->step, step, sizeof(*step));
	return (struct pass){ .m = m, .N = b->N, .documents = b->documents, .longest = b->longest };
}

static int
finish(struct model *m, const struct model_batch *b, struct model_result *ret, struct error *err)
{
	const struct ops *ops = m->d->ops;

	if (ops->sync(m->d))
		return error_set(err, "the device `%s` failed: %s", m->d->name, m->d->failure);
	*ret = (struct model_result){ .weight = sum_of(b->weights, b->N) };
	ret->loss = sum_on_device(m, m->losses, b->N);
	ret->accuracy = sum_on_device(m, m->hits, b->N);
	if (ret->weight > 0) {
		ret->loss /= ret->weight;
		ret->accuracy /= ret->weight;
	}
	return 0;
}

static void
run_backward(struct model *m, const struct model_batch *batch, struct ops_step *step, bool dropout)
{
	double weight = sum_of(batch->weights, batch->N);
	struct pass pass;

	step->loss_scale = weight > 0 ? 1 / weight : 0;
	pass = model_begin(m, model_steady(m, batch), step);
	pass.dropout = dropout ? m->config.dropout : 0;
	pass.smoothing = m->config.smoothing;
	pass.backward = true;
	m->d->ops->clear(m->d, m->slabs[MODEL_GRADIENTS], m->params.total * m->d->real);
	model_forward(&pass);
	model_classify(&pass);
	model_backward(&pass);
}

int
model_gradients(struct model *m, const struct model_batch *batch, const uint64_t *seed, uint64_t step, struct model_result *ret,
	struct error *err)
{
	struct ops_step s = { .seed = seed ? *seed : 0, .step = step };

	run_backward(m, batch, &s, seed != NULL);
	return finish(m, batch, ret, err);
}

/* What the rate of learning means in struct ops_step's formula. */
static void
set_rates(struct ops_step *step, const struct model_update *u)
{
	double t = (double)step->step + 1, correct1 = 1 - pow(u->beta1, t), correct2 = sqrt(1 - pow(u->beta2, t));

	if (u->optimizer == MODEL_ADAM_TF) {
		step->rate = u->rate * correct2 / correct1;
		step->root = 1;
	} else {
		step->rate = u->rate / correct1;
		step->root = 1 / correct2;
		step->decay = u->rate * u->decay;
		step->muon_rate = u->muon_rate;
		step->muon_decay = u->muon_rate * u->decay;
	}
}

static void
update_all(struct model *m, const struct model_update *u)
{
	const struct ops *ops = m->d->ops;
	void *norm = model_further(m, m->clip, 1);

	ops->clip(m->d, m->params.total, m->slabs[MODEL_GRADIENTS], u->clip > 0 ? u->clip : (double)INFINITY, m->clip, norm);
	if (u->optimizer == MODEL_MUON && m->purpose != MODEL_TO_TRAIN_BY_MUON)
		BUG("this model was not made for Muon");
	for (size_t i = 0; i < m->params.n; i++) {
		struct ops_adam adam = { .n = m->params.items[i].n, .p = model_at(m, MODEL_WEIGHTS, i), .m = model_at(m, MODEL_MEANS, i),
			.v = model_at(m, MODEL_SQUARES, i), .g = model_at(m, MODEL_GRADIENTS, i), .beta1 = u->beta1, .beta2 = u->beta2,
			.epsilon = u->epsilon, .clip = m->clip, .decay = u->optimizer != MODEL_ADAM_TF && m->params.items[i].decay,
			.step = m->step, .narrow = m->narrow ? model_narrow_further(m, m->narrow, m->params.items[i].at) : NULL };

		if (u->optimizer == MODEL_MUON && m->params.items[i].hidden)
			muon_update(m, u, i);
		else
			ops->adam(m->d, &adam);
	}
}

int
model_train(struct model *m, const struct model_batch *batch, const struct model_update *update, uint64_t seed, uint64_t step,
	struct model_result *ret, struct error *err)
{
	struct ops_step s = { .seed = seed, .step = step };
	float norm;

	set_rates(&s, update);
	m->d->ops->begin(m->d);
	run_backward(m, batch, &s, true);
	if (model_is_stopped(m)) {
		m->d->ops->end(m->d);
		return 1;
	}
	update_all(m, update);
	m->d->ops->end(m->d);
	if (finish(m, batch, ret, err))
		return -1;
	m->d->ops->get(m->d, &norm, model_further(m, m->clip, 1), 1);
	ret->norm = (double)norm;
	return 0;
}

int
model_evaluate(struct model *m, const struct model_batch *batch, struct model_result *ret, struct error *err)
{
	struct ops_step step = { 0 };
	struct pass pass = model_begin(m, model_steady(m, batch), &step);

	model_forward(&pass);
	model_classify(&pass);
	return finish(m, batch, ret, err);
}

int
model_logits(struct model *m, const struct model_batch *batch, const int32_t *rows, size_t n, float *ret, struct error *err)
{
	struct ops_step step = { 0 };
	struct pass pass = model_begin(m, batch, &step);
	size_t C = m->config.channels, V = m->config.vocabulary, max = model_logit_rows(m->d, m->capacity) * m->d->narrow / m->d->real;

	model_forward(&pass);
	/* Rows that follow each other, as a title's do, are one product. */
	for (size_t i = 0, run; i < n; i += run) {
		struct ops_matmul op = { .N = V, .K = C, .a = model_narrow_further(m, m->final, (size_t)rows[i] * C), .lda = C,
			.b = model_factor(m, m->params.head), .ldb = C, .bt = true, .c = m->logits, .ldc = V, .wide = true };

		for (run = 1; i + run < n && run < max && rows[i + run] == rows[i] + (int32_t)run;)
			run++;
		op.M = run;
		m->d->ops->matmul(m->d, &op);
		m->d->ops->get(m->d, ret + i * V, m->logits, run * V);
	}
	return m->d->ops->sync(m->d) ? error_set(err, "the device `%s` failed: %s", m->d->name, m->d->failure) : 0;
}
