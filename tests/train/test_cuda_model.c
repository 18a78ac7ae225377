/* Models on the emulated GPU: the same losses as on the CPU, within what bfloat16 rounds; the same bits in whatever order threads and
 * blocks run, and whether a step's calls are carried out one by one or as a list. */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/cuda/emulate_control.h"
#include "kernels/cuda/plugin.h"
#include "runtime/model/decoder.h"
#include "runtime/model/model.h"
#include "tests/tap.h"

enum { N = 40, CAPACITY = 48, STEPS = 5 };

static const struct model_config CONFIGS[] = {
	{ .arch = MODEL_PREPEND, .layers = 2, .channels = 64, .heads = 2, .kv_heads = 2, .inner = 96, .vocabulary = 70, .context = 24, .dropout = 0.1,
		.epsilon = 1e-6, .smoothing = 0.1 },
	{ .arch = MODEL_GPT2, .layers = 1, .channels = 48, .heads = 3, .kv_heads = 3, .inner = 64, .vocabulary = 33, .context = 24, .dropout = 0.1,
		.epsilon = 1e-5 },
	{ .arch = MODEL_LLAMA, .layers = 1, .channels = 64, .heads = 2, .kv_heads = 1, .inner = 96, .vocabulary = 40, .context = 24,
		.epsilon = 1e-5, .rope = { .theta = 10000 } },
};

struct arrays {
	int32_t ids[N], places[N], labels[N], starts[4];
	float weights[N];
};

static struct model_batch
make_batch(struct arrays *a, int32_t vocabulary)
{
	static const int32_t starts[] = { 0, 21, 22, N };

	memcpy(a->starts, starts, sizeof(starts));
	for (int32_t d = 0; d < 3; d++)
		for (int32_t i = starts[d]; i < starts[d + 1]; i++) {
			a->ids[i] = i * 7 % vocabulary;
			a->places[i] = i - starts[d];
			a->labels[i] = (i * 5 + 1) % vocabulary;
			a->weights[i] = (float)(i % 3);
		}
	return (struct model_batch){ .N = N, .documents = 3, .longest = 21, .ids = a->ids, .places = a->places, .labels = a->labels,
		.weights = a->weights, .starts = a->starts };
}

struct run {
	double losses[STEPS], norms[STEPS], evaluated;
	float *weights;
	size_t n;
};

static struct run
train(struct ops_device *d, const struct model_config *config, enum model_optimizer optimizer)
{
	bool muon = optimizer == MODEL_MUON;
	struct model_update update = { .optimizer = optimizer, .rate = 3e-3, .muon_rate = 1e-2, .momentum = 0.95, .beta1 = 0.9, .beta2 = 0.98, .epsilon = 1e-8,
		.decay = 0.1, .clip = 1 };
	struct arrays arrays;
	struct model_batch b = make_batch(&arrays, (int32_t)config->vocabulary);
	struct error err = { "" };
	struct model *m = model_new(d, config, CAPACITY, muon ? MODEL_TO_TRAIN_BY_MUON : MODEL_TO_TRAIN, 1, &err);
	struct run ret = { .n = m ? model_params(m)->total : 0 };

	for (uint64_t step = 0; m && step < STEPS; step++) {
		struct model_result result = { 0 };

		if (model_train(m, &b, &update, 9, step, &result, &err))
			break;
		ret.losses[step] = result.loss;
		ret.norms[step] = result.norm;
	}
	if (m) {
		struct model_result result = { 0 };

		model_evaluate(m, &b, &result, &err);
		ret.evaluated = result.loss;
		ret.weights = xcalloc(ret.n, sizeof(*ret.weights));
		for (size_t i = 0; i < model_params(m)->n; i++)
			model_get(m, MODEL_WEIGHTS, &model_params(m)->items[i], ret.weights + model_params(m)->items[i].at);
	}
	is_str(err.text, "", "nothing failed");
	model_free(m);
	return ret;
}

static struct run
train_on_gpu(const struct model_config *config, enum model_optimizer optimizer, enum ops_precision precision, enum emulate_order order)
{
	const char *why;
	struct ops_device *d = lateen_cuda_open(OPS_ABI, sizeof(struct ops), precision, &why);
	struct run ret;

	emulate_order(order);
	ret = train(d, config, optimizer);
	d->ops->close(d);
	emulate_order(EMULATE_FORWARD);
	return ret;
}

static void
compare(const struct run *want, const struct run *got, double tolerance, const char *name)
{
	double loss = 0, norm = 0;

	for (int i = 0; i < STEPS; i++) {
		loss = fmax(loss, fabs(got->losses[i] / want->losses[i] - 1));
		norm = fmax(norm, fabs(got->norms[i] / want->norms[i] - 1));
	}
	ok(loss <= tolerance, "%s: %d losses, from %.4f to %.4f, are off by %.2g", name, STEPS, got->losses[0], got->losses[STEPS - 1], loss);
	ok(norm <= 10 * tolerance, "%s: the gradients' norms by %.2g", name, norm);
	ok(fabs(got->evaluated / want->evaluated - 1) <= tolerance, "%s: the loss without dropout, %.4f, by %.2g", name, got->evaluated,
		fabs(got->evaluated / want->evaluated - 1));
}

static void
test_model(const struct model_config *config, enum model_optimizer optimizer)
{
	const char *why, *name = model_arch_name(config->arch);
	struct ops_device *cpu = ops_open("cpu", 1, OPS_F32, &why);
	struct run want = train(cpu, config, optimizer), single = train_on_gpu(config, optimizer, OPS_F32, EMULATE_FORWARD);
	struct run forward = train_on_gpu(config, optimizer, OPS_BF16, EMULATE_FORWARD);
	struct run backward = train_on_gpu(config, optimizer, OPS_BF16, EMULATE_BACKWARD);

	tap_note("%s%s", name, optimizer == MODEL_MUON ? " by Muon" : "");
	compare(&want, &single, 1e-4, "in single precision");
	compare(&want, &forward, 2e-2, "in bfloat16");
	ok(want.losses[STEPS - 1] < want.losses[0], "it learns");
	ok(forward.n && !memcmp(forward.weights, backward.weights, forward.n * sizeof(float)), "the order of threads and blocks changes no bit");
	cpu->ops->close(cpu);
	free(want.weights);
	free(single.weights);
	free(forward.weights);
	free(backward.weights);
}

/* ---- decoding ---- */

enum { PROMPT = 5, MORE = 6, SLOTS = 2 };

/* Two texts, which go on together: all logits one behind the other. */
static float *
decode(struct ops_device *d, const struct model_config *config)
{
	static const int32_t prompt[PROMPT] = { 3, 1, 4, 1, 5 };
	size_t V = config->vocabulary;
	float *ret = xcalloc((SLOTS + SLOTS * MORE) * V, sizeof(*ret));
	struct error err = { "" };
	struct model *m = model_new(d, config, CAPACITY, MODEL_TO_USE, 1, &err);
	struct decoder *decoder = m ? decoder_new(m, SLOTS, PROMPT + MORE, OPS_PACK_F32, &err) : NULL;

	for (size_t slot = 0; decoder && slot < SLOTS; slot++)
		decoder_prompt(decoder, slot, prompt, PROMPT - slot, ret + slot * V, &err);
	for (int32_t i = 0; decoder && i < MORE; i++)
		decoder_next(decoder, (const int32_t[]){ 1, 0 }, (const int32_t[]){ i, 2 * i + 1 }, SLOTS, ret + (SLOTS + (size_t)i * SLOTS) * V, &err);
	is_str(err.text, "", "nothing failed");
	decoder_free(decoder);
	model_free(m);
	return ret;
}

static void
test_decoding(const struct model_config *config)
{
	const char *why;
	struct ops_device *cpu = ops_open("cpu", 1, OPS_F32, &why);
	float *want = decode(cpu, config);

	for (int bf16 = 0; bf16 < 2; bf16++) {
		struct ops_device *d = lateen_cuda_open(OPS_ABI, sizeof(struct ops), bf16 ? OPS_BF16 : OPS_F32, &why);
		float *got = decode(d, config);
		double worst = 0, largest = 0;

		for (size_t i = 0; i < (SLOTS + SLOTS * MORE) * config->vocabulary; i++) {
			largest = fmax(largest, fabs((double)want[i]));
			worst = fmax(worst, fabs((double)(want[i] - got[i])));
		}
		ok(worst <= (bf16 ? 2e-2 : 1e-5) * largest, "%s goes on with texts in %s: logits are off by %.2g of %.2g",
			model_arch_name(config->arch), bf16 ? "bfloat16" : "single precision", worst, largest);
		d->ops->close(d);
		free(got);
	}
	cpu->ops->close(cpu);
	free(want);
}

int
main(void)
{
	setenv("LATEEN_CUDA_TUNE", "0", 1);
	for (size_t i = 0; i < ARRAY_LEN(CONFIGS); i++)
		test_model(&CONFIGS[i], i ? MODEL_ADAMW : MODEL_ADAM_TF);
	for (size_t i = 0; i < ARRAY_LEN(CONFIGS); i++)
		test_decoding(&CONFIGS[i]);
	test_model(&CONFIGS[2], MODEL_MUON);
	return done_testing();
}
