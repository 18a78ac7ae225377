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

/* Fewer heads of keys than of queries, and an output matrix of its own unless it is tied. */
static struct model_config
config_of(enum model_arch arch, bool tied)
{
	struct model_config config = TINY;

	config.arch = arch;
	if (arch == MODEL_LLAMA) {
		config.heads = 4;
		config.kv_heads = 2;
		config.tied = tied;
		config.rope.theta = 10000;
	}
	return config;
}

static void
test_gradients(enum model_arch arch, bool tied)
{
	const char *why;
	struct ops_device *d = ops_open("reference", 1, OPS_F32, &why);
	struct model_config config = config_of(arch, tied);
	struct arrays arrays;
	struct model_batch b = make_batch(&arrays);
	struct model *model;

	model = model_new(d, &config, N, MODEL_TO_TRAIN, 1, NULL);
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
train(const struct model_config *config, enum model_optimizer optimizer, int threads, size_t *ret_n, struct model_result *ret)
{
	const char *why;
	struct ops_device *d = ops_open("cpu", threads, OPS_F32, &why);
	struct model_update update = { .optimizer = optimizer, .rate = 1e-2, .beta1 = 0.9, .beta2 = 0.98, .epsilon = 1e-9, .decay = 0.1,
		.clip = optimizer == MODEL_ADAM_TF ? 0 : 0.5, .muon_rate = 2e-2, .momentum = 0.95 };
	struct arrays arrays;
	struct model_batch b = make_batch(&arrays);
	struct model *model = model_new(d, config, N, MODEL_TO_TRAIN_BY_MUON, 1, NULL);
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
test_threads(enum model_arch arch, enum model_optimizer optimizer)
{
	const struct model_config config = config_of(arch, false);
	struct model_result one, three;
	size_t n;
	CLEANUP(freep) float *a = train(&config, optimizer, 1, &n, &one), *b = train(&config, optimizer, 3, &n, &three);

	ok(!memcmp(a, b, n * sizeof(*a)), "%s: one thread and three make the same weights", model_arch_name(arch));
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
	struct model *trained = model_new(d, &TINY, N, MODEL_TO_TRAIN, 1, NULL), *plain = model_new(d, &TINY, N, MODEL_TO_USE, 1, NULL);
	struct model_result a, c;

	ok(!model_evaluate(trained, &b, &a, NULL) && !model_evaluate(plain, &b, &c, NULL), "both evaluate");
	ok(a.loss == c.loss && a.accuracy == c.accuracy, "to the same loss, %g and %g", a.loss, c.loss);
	is_int((int64_t)a.weight, 23 / 3 * 3 + 1, "over what counts");
	ok(model_memory(&TINY, d, N, MODEL_TO_USE) < model_memory(&TINY, d, N, MODEL_TO_TRAIN), "with less memory: %zu of %zu bytes",
		model_memory(&TINY, d, N, MODEL_TO_USE), model_memory(&TINY, d, N, MODEL_TO_TRAIN));
	ok(model_memory(&TINY, d, N, MODEL_TO_TRAIN) < model_memory(&TINY, d, N, MODEL_TO_TRAIN_BY_MUON), "Muon wants more: %zu bytes",
		model_memory(&TINY, d, N, MODEL_TO_TRAIN_BY_MUON));
	model_free(trained);
	model_free(plain);
	d->ops->close(d);
}

/* ---- config.json ---- */

#define LLAMA "{\"model_type\": \"llama\", \"num_hidden_layers\": 1, \"hidden_size\": 24, \"intermediate_size\": 8, \"vocab_size\": 9, "

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
		{ "{\"model_type\": \"llama\", \"num_hidden_layers\": 0}", "`num_hidden_layers`" },
		{ LLAMA "\"num_attention_heads\": 1000000000}", "heads: 1000000000" },
		{ LLAMA "\"num_attention_heads\": 99999999999999999999}", "too big" },
		{ LLAMA "\"num_attention_heads\": 4, \"num_key_value_heads\": 3}", "3 heads of keys" },
		{ LLAMA "\"num_attention_heads\": 4, \"num_key_value_heads\": 8}", "8 heads of keys" },
		{ LLAMA "\"num_attention_heads\": 4, \"num_key_value_heads\": 0}", "`num_key_value_heads`" },
		{ LLAMA "\"num_attention_heads\": 8, \"num_key_value_heads\": -8}", "`num_key_value_heads`" },
		{ LLAMA "\"num_attention_heads\": 24}", "even number of channels, not 1" },
		{ LLAMA "\"num_attention_heads\": 5}", "do not part" },
		{ LLAMA "\"num_attention_heads\": 4, \"head_dim\": 8}", "`head_dim` is 8" },
		{ LLAMA "\"num_attention_heads\": 4, \"rope_theta\": 1e300}", "`rope_theta`" },
		{ LLAMA "\"num_attention_heads\": 4, \"rope_theta\": NaN}", "" },
		{ LLAMA "\"num_attention_heads\": 4, \"rope_theta\": 0}", "`rope_theta`" },
		{ LLAMA "\"num_attention_heads\": 4, \"rope_theta\": -10000}", "`rope_theta`" },
		{ LLAMA "\"num_attention_heads\": 4, \"rope_theta\": \"many\"}", "`rope_theta`" },
		{ LLAMA "\"num_attention_heads\": 4, \"rope_scaling\": {\"type\": \"yarn\", \"factor\": 2}}", "`yarn`" },
		{ LLAMA "\"num_attention_heads\": 4, \"rope_scaling\": {\"rope_type\": \"linear\"}}", "`factor`" },
		{ LLAMA "\"num_attention_heads\": 4, \"rope_scaling\": {\"rope_type\": \"linear\", \"factor\": 0}}", "`factor`" },
		{ LLAMA "\"num_attention_heads\": 4, \"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 2, \"low_freq_factor\": 4, "
			    "\"high_freq_factor\": 4}}", "`high_freq_factor`" },
		{ LLAMA "\"num_attention_heads\": 4, \"rope_scaling\": [2]}", "`rope_scaling`" },
		{ LLAMA "\"num_attention_heads\": 4, \"rope_parameters\": {\"rope_type\": \"default\", \"rope_theta\": 1e16}}", "`rope_theta`" },
		{ LLAMA "\"num_attention_heads\": 4, \"attention_bias\": true}", "`attention_bias`" },
		{ LLAMA "\"num_attention_heads\": 4, \"mlp_bias\": true}", "`mlp_bias`" },
		{ LLAMA "\"num_attention_heads\": 4, \"hidden_act\": \"gelu\"}", "`gelu`" },
		{ LLAMA "\"num_attention_heads\": 4, \"rms_norm_eps\": 0}", "epsilon" },
		{ "{\"model_type\": \"gpt2\", \"n_layer\": 1, \"n_embd\": 8, \"n_head\": 2, \"vocab_size\": 2000000000, \"n_positions\": 9}",
		    "vocabulary" },
	};
	static const char *const archs[] = { "prepend", "gpt2", "llama" };
	struct model_config small, again;
	struct error err = { "" };
	struct buf text = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(archs); i++) {
		ok(!model_config_preset(&small, archs[i], "small", 8192, 512, &err), "small %s: %s", archs[i], err.text);
		buf_clear(&text);
		model_config_write(&small, &text);
		ok(!model_config_read(&again, buf_text(&text), text.len, &err) && model_config_equal(&small, &again), "comes back: %s", err.text);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ok(model_config_read(&again, bad[i].json, strlen(bad[i].json), &err) != 0, "is refused: %s", bad[i].json);
		contains(err.text, bad[i].want, "and told why");
	}
	ok(model_config_preset(&small, "prepend", "huge", 8192, 512, &err) != 0, "an unknown size: %s", err.text);
	buf_release(&text);
}

/* Both ways in which transformers write how rotary positions are stretched, and what they mean where nothing is said. */
static void
test_rope(void)
{
	static const char older[] = LLAMA "\"num_attention_heads\": 4, \"num_key_value_heads\": 2, \"max_position_embeddings\": 131072, "
		"\"rope_theta\": 500000.0, \"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 1, "
		"\"high_freq_factor\": 4, \"original_max_position_embeddings\": 8192}}";
	static const char newer[] = LLAMA "\"num_attention_heads\": 4, \"num_key_value_heads\": 2, \"max_position_embeddings\": 131072, "
		"\"rope_parameters\": {\"rope_theta\": 500000.0, \"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 1, "
		"\"high_freq_factor\": 4, \"original_max_position_embeddings\": 8192}, \"head_dim\": 6}";
	static const char plain[] = LLAMA "\"num_attention_heads\": 4, \"rope_scaling\": null}";
	struct model_config a, b, c;
	struct error err = { "" };

	ok(!model_config_read(&a, older, strlen(older), &err) && !model_config_read(&b, newer, strlen(newer), &err), "both are read: %s", err.text);
	ok(model_config_equal(&a, &b), "and mean the same");
	ok(a.context == MODEL_CONTEXT_MAX && a.rope.theta == 5e5 && a.rope.original == 8192 && !a.tied, "of a context that is bounded");
	ok(!model_config_read(&c, plain, strlen(plain), &err), "a plain one: %s", err.text);
	ok(c.kv_heads == 4 && c.rope.kind == MODEL_ROPE_PLAIN && c.rope.theta == 1e4 && c.context == 2048 && c.dropout == 0, "has the defaults");
}

/* Of each size the families have about as many parameters. */
static void
test_sizes(void)
{
	static const char *const sizes[] = { "tiny", "small", "gpt2" }, *const archs[] = { "prepend", "gpt2", "llama" };

	for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
		size_t counts[ARRAY_LEN(archs)];

		for (size_t i = 0; i < ARRAY_LEN(archs); i++) {
			struct model_config config;
			struct params params;
			struct error err = { "" };

			if (!ok(!model_config_preset(&config, archs[i], sizes[s], 8192, 512, &err), "%s %s: %s", archs[i], sizes[s], err.text))
				return;
			params_init(&params, &config);
			counts[i] = params_count(&params);
			params_release(&params);
		}
		for (size_t i = 1; i < ARRAY_LEN(archs); i++)
			ok(fabs((double)counts[i] / (double)counts[0] - 1) < 0.06, "%s: %zu parameters of %s, %zu of %s", sizes[s], counts[i],
				archs[i], counts[0], archs[0]);
	}
}

int
main(void)
{
	test_gradients(MODEL_PREPEND, true);
	test_gradients(MODEL_GPT2, true);
	test_gradients(MODEL_LLAMA, true);
	test_gradients(MODEL_LLAMA, false);
	test_threads(MODEL_PREPEND, MODEL_ADAM_TF);
	test_threads(MODEL_GPT2, MODEL_ADAMW);
	test_threads(MODEL_LLAMA, MODEL_MUON);
	test_evaluate();
	test_config();
	test_rope();
	test_sizes();
	return done_testing();
}
