/* The whole model: its gradients against finite differences in double precision, dropout included; the same bits from any number of
 * threads; what model_memory promises; config.json. */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "runtime/model/model.h"
#include "tests/tap.h"

enum { N = 23, PROBES = 3 };

static const struct model_config TINY = { .arch = MODEL_PREPEND, .layers = 2, .channels = 16, .heads = 2, .inner = 24, .vocabulary = 19,
	.context = 12, .dropout = 0.2, .epsilon = 1e-6, .smoothing = 0.1 };

struct arrays {
	int32_t ids[N], places[N], labels[N], starts[4];
	float weights[N];
};

static struct model_batch
make_batch(struct arrays *a)
{
	static const int32_t starts[] = { 0, 12, 13, N };

	memcpy(a->starts, starts, sizeof(starts));
	for (int32_t d = 0; d < 3; d++)
		for (int32_t i = starts[d]; i < starts[d + 1]; i++) {
			a->ids[i] = i * 7 % 19;
			a->places[i] = i - starts[d];
			a->labels[i] = (i * 5 + 1) % 19;
			a->weights[i] = (float)(i % 3);
		}
	return (struct model_batch){ .N = N, .documents = 3, .longest = 12, .ids = a->ids, .places = a->places, .labels = a->labels,
		.weights = a->weights, .starts = a->starts };
}

/* ---- finite differences ---- */

static double
loss_with(struct model *model, const struct model_batch *b, double *weight, double value)
{
	static const uint64_t seed = 5;
	struct model_result result = { 0 };
	double before = *weight;

	*weight = value;
	model_gradients(model, b, &seed, 3, &result, NULL);
	*weight = before;
	return result.loss;
}

static void
test_gradient(struct model *model, const struct model_batch *b, size_t which)
{
	static const uint64_t seed = 5;
	const struct param *p = &model_params(model)->items[which];
	double *weights = model_at(model, MODEL_WEIGHTS, which), *gradients = xmalloc(p->n * sizeof(*gradients)), worst = 0, size = 0;
	struct model_result result;

	model_gradients(model, b, &seed, 3, &result, NULL);
	memcpy(gradients, model_at(model, MODEL_GRADIENTS, which), p->n * sizeof(*gradients));
	for (size_t i = 0; i < p->n; i++)
		size = fmax(size, fabs(gradients[i]));
	for (size_t probe = 0; probe < PROBES; probe++) {
		size_t i = (probe * 7919 + 11) % p->n;
		double step = 1e-6, up = loss_with(model, b, &weights[i], weights[i] + step);

		worst = fmax(worst, fabs((up - loss_with(model, b, &weights[i], weights[i] - step)) / (2 * step) - gradients[i]));
	}
	ok(worst <= 1e-6 * size && size > 0, "%s: finite differences are off by %.3g of %.3g", p->name, worst, size);
	free(gradients);
}

static void
test_gradients(enum model_arch arch)
{
	const char *why;
	struct ops_device *d = ops_open("reference", 1, OPS_F32, &why);
	struct model_config config = TINY;
	struct arrays arrays;
	struct model_batch b = make_batch(&arrays);
	struct model *model;

	config.arch = arch;
	model = model_new(d, &config, N, true, 1, NULL);
	/* GPT-2 begins with a twentieth of these: differences would drown. */
	for (size_t i = 0; i < model_params(model)->n; i++) {
		double *weights = model_at(model, MODEL_WEIGHTS, i);

		for (size_t k = 0; k < model_params(model)->items[i].n; k++)
			weights[k] += 0.2 * sin((double)(k * 37 + i));
	}
	for (size_t i = 0; i < model_params(model)->n; i++)
		test_gradient(model, &b, i);
	model_free(model);
	d->ops->close(d);
}

/* ---- bits ---- */

/* All weights after a few steps with dropout. */
static float *
train(int threads, size_t *ret_n, struct model_result *ret)
{
	const char *why;
	struct ops_device *d = ops_open("cpu", threads, OPS_F32, &why);
	struct model_update update = { .optimizer = MODEL_ADAM_TF, .rate = 1e-2, .beta1 = 0.9, .beta2 = 0.98, .epsilon = 1e-9 };
	struct arrays arrays;
	struct model_batch b = make_batch(&arrays);
	struct model *model = model_new(d, &TINY, N, true, 1, NULL);
	float *weights;

	for (uint64_t step = 0; step < 5; step++)
		model_train(model, &b, &update, 9, step, ret, NULL);
	*ret_n = model_params(model)->total;
	weights = xmalloc(*ret_n * sizeof(*weights));
	memcpy(weights, model_at(model, MODEL_WEIGHTS, 0), *ret_n * sizeof(*weights));
	model_free(model);
	d->ops->close(d);
	return weights;
}

static void
test_threads(void)
{
	struct model_result one, three;
	size_t n;
	CLEANUP(freep) float *a = train(1, &n, &one), *b = train(3, &n, &three);

	ok(!memcmp(a, b, n * sizeof(*a)), "one thread and three make the same weights");
	ok(one.loss == three.loss && one.norm == three.norm && one.loss > 0, "and the same loss, %g", one.loss);
}

/* A model that is not to be trained keeps less, and says the same. */
static void
test_evaluate(void)
{
	const char *why;
	struct ops_device *d = ops_open("cpu", 2, OPS_F32, &why);
	struct arrays arrays;
	struct model_batch b = make_batch(&arrays);
	struct model *trained = model_new(d, &TINY, N, true, 1, NULL), *plain = model_new(d, &TINY, N, false, 1, NULL);
	struct model_result a, c;

	ok(!model_evaluate(trained, &b, &a, NULL) && !model_evaluate(plain, &b, &c, NULL), "both evaluate");
	ok(a.loss == c.loss && a.accuracy == c.accuracy, "to the same loss, %g and %g", a.loss, c.loss);
	is_int((int64_t)a.weight, 23 / 3 * 3 + 1, "over what counts");
	ok(model_memory(&TINY, d, N, false) < model_memory(&TINY, d, N, true), "with less memory: %zu of %zu bytes",
		model_memory(&TINY, d, N, false), model_memory(&TINY, d, N, true));
	model_free(trained);
	model_free(plain);
	d->ops->close(d);
}

/* ---- config.json ---- */

static void
test_config(void)
{
	static const struct {
		const char *json, *want;
	} bad[] = {
		{ "", "" },
		{ "[]", "`model_type`" },
		{ "{\"model_type\": \"bert\"}", "`bert`" },
		{ "{\"model_type\": \"gpt2\", \"n_layer\": 0}", "`n_layer`" },
		{ "{\"model_type\": \"gpt2\", \"n_layer\": 1000000000, \"n_embd\": 8, \"n_head\": 2, \"vocab_size\": 9, \"n_positions\": 9}", "layers" },
		{ "{\"model_type\": \"gpt2\", \"n_layer\": 1, \"n_embd\": 9, \"n_head\": 2, \"vocab_size\": 9, \"n_positions\": 9}", "heads" },
		{ "{\"model_type\": \"gpt2\", \"activation_function\": \"swish\"}", "`swish`" },
		{ "{\"model_type\": \"gpt2\", \"n_layer\": 1, \"n_embd\": 8, \"n_head\": 2, \"vocab_size\": 9, \"n_positions\": 9, "
		  "\"resid_pdrop\": 1}", "dropout" },
		{ "{\"model_type\": \"gpt2\", \"n_layer\": 1, \"n_embd\": 8, \"n_head\": 2, \"vocab_size\": 9, \"n_positions\": 9, "
		  "\"tie_word_embeddings\": false}", "`tie_word_embeddings`" },
	};
	struct model_config small, again;
	struct error err = { "" };
	struct buf text = { 0 };

	ok(!model_config_preset(&small, "prepend", "small", 8192, 512, &err), "small: %s", err.text);
	model_config_write(&small, &text);
	ok(!model_config_read(&again, buf_text(&text), text.len, &err) && model_config_equal(&small, &again), "comes back: %s", err.text);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ok(model_config_read(&again, bad[i].json, strlen(bad[i].json), &err) != 0, "is refused: %s", bad[i].json);
		contains(err.text, bad[i].want, "and told why");
	}
	ok(model_config_preset(&small, "prepend", "huge", 8192, 512, &err) != 0, "an unknown size: %s", err.text);
	buf_release(&text);
}

int
main(void)
{
	test_gradients(MODEL_PREPEND);
	test_gradients(MODEL_GPT2);
	test_threads();
	test_evaluate();
	test_config();
	return done_testing();
}
