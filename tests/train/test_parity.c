/* Tiny models against what PyTorch makes of them (make_parity.py): logits, every gradient, the losses of 50 steps. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/model/model.h"
#include "runtime/train/safetensors.h"
#include "tests/tap.h"

enum { BATCHES = 3, NAME = 128 };

static float *
numbers(const struct safetensors *file, const char *name, size_t *ret_n)
{
	const struct tensor *t = safetensors_find(file, name);
	float *ret;

	if (!t)
		BUG("the fixture has no `%s`", name);
	ret = xmalloc((t->n + 1) * sizeof(*ret));
	if (tensor_floats(t, ret, NULL))
		BUG("`%s` is of another dtype", name);
	if (ret_n)
		*ret_n = t->n;
	return ret;
}

static int32_t *
whole(const struct safetensors *file, const char *name, size_t *ret_n)
{
	size_t n;
	float *from = numbers(file, name, &n);
	int32_t *ret = xmalloc((n + 1) * sizeof(*ret));

	for (size_t i = 0; i < n; i++)
		ret[i] = (int32_t)from[i];
	free(from);
	*ret_n = n;
	return ret;
}

static void
read_batch(const struct safetensors *file, int i, struct model_batch *b)
{
	char name[NAME];
	int32_t *lengths;

	snprintf(name, sizeof(name), "batch.%d.ids", i);
	b->ids = whole(file, name, &b->N);
	snprintf(name, sizeof(name), "batch.%d.labels", i);
	b->labels = whole(file, name, &b->N);
	snprintf(name, sizeof(name), "batch.%d.weights", i);
	b->weights = numbers(file, name, NULL);
	snprintf(name, sizeof(name), "batch.%d.lengths", i);
	lengths = whole(file, name, &b->documents);
	b->starts = xcalloc(b->documents + 1, sizeof(int32_t));
	b->places = xcalloc(b->N, sizeof(int32_t));
	b->longest = 0;
	for (size_t d = 0; d < b->documents; d++) {
		b->starts[d + 1] = b->starts[d] + lengths[d];
		b->longest = (size_t)lengths[d] > b->longest ? (size_t)lengths[d] : b->longest;
		for (int32_t t = 0; t < lengths[d]; t++)
			b->places[b->starts[d] + t] = t;
	}
	free(lengths);
}

static void
release_batch(struct model_batch *b)
{
	free(b->ids);
	free(b->labels);
	free(b->weights);
	free(b->starts);
	free(b->places);
}

/* How far apart: the norm of the difference over the norm of what is wanted. */
static double
distance(const float *got, const float *want, size_t n)
{
	double difference = 0, size = 0;

	for (size_t i = 0; i < n; i++) {
		difference += pow((double)got[i] - (double)want[i], 2);
		size += pow((double)want[i], 2);
	}
	return sqrt(difference / (size > 0 ? size : 1));
}

static void
test_logits(const struct safetensors *file, struct model *model, const struct model_batch *b)
{
	size_t n, V = model_config(model)->vocabulary;
	float *want = numbers(file, "logits", &n), *got = xcalloc(n, sizeof(*got));
	int32_t *rows = xcalloc(b->N, sizeof(*rows));

	for (size_t i = 0; i < b->N; i++)
		rows[i] = (int32_t)i;
	ok(n == b->N * V && !model_logits(model, b, rows, b->N, got, NULL), "there are %zu logits", n);
	ok(distance(got, want, n) < 1e-5, "logits: off by %.3g", distance(got, want, n));
	free(want);
	free(got);
	free(rows);
}

static void
test_gradients(const struct safetensors *file, struct model *model, const struct model_batch *b)
{
	const struct params *params = model_params(model);
	struct model_result result;

	ok(!model_gradients(model, b, NULL, 0, &result, NULL), "backward");
	for (size_t i = 0; i < params->n; i++) {
		const struct param *p = &params->items[i];
		float *all = xcalloc(p->n, sizeof(*all)), *got = xcalloc(p->n, sizeof(*got)), *want;

		model_get(model, MODEL_GRADIENTS, p, all);
		for (size_t k = 0; k < param_tensors(p); k++) {
			const struct param_tensor t = param_tensor(p, k);
			char name[NAME];

			snprintf(name, sizeof(name), "gradients.%s", t.name);
			want = numbers(file, name, NULL);
			param_tensor_from(p, k, all, got);
			ok(distance(got, want, t.n) < 1e-4, "gradient of %s: off by %.3g", t.name, distance(got, want, t.n));
			free(want);
		}
		free(all);
		free(got);
	}
}

static struct model_update
update_of(enum model_optimizer optimizer)
{
	if (optimizer == MODEL_ADAM_TF)
		return (struct model_update){ .optimizer = optimizer, .rate = 2e-3, .beta1 = 0.9, .beta2 = 0.98, .epsilon = 1e-9 };
	return (struct model_update){ .optimizer = optimizer, .rate = 2e-3, .beta1 = 0.9, .beta2 = 0.95, .epsilon = 1e-8, .decay = 0.1,
		.clip = 0.5, .muon_rate = 5e-3, .momentum = 0.95 };
}

static void
test_curve(const struct safetensors *file, struct model *model, const struct model_batch *batches, enum model_optimizer optimizer)
{
	const char *prefix = optimizer == MODEL_MUON ? "muon." : "";
	struct model_update update = update_of(optimizer);
	size_t n;
	char losses[NAME], norms_name[NAME];
	float *want, *norms;
	double worst = 0, worst_norm = 0, last = 0;

	snprintf(losses, sizeof(losses), "%slosses", prefix);
	snprintf(norms_name, sizeof(norms_name), "%snorms", prefix);
	want = numbers(file, losses, &n);
	norms = numbers(file, norms_name, NULL);
	for (size_t i = 0; i < n; i++) {
		struct model_result result;

		if (model_train(model, &batches[i % BATCHES], &update, 1, i, &result, NULL))
			break;
		last = result.loss;
		worst = fmax(worst, fabs(last - (double)want[i]));
		worst_norm = fmax(worst_norm, fabs(result.norm / (double)norms[i] - 1));
	}
	ok(worst < 1e-4, "%s%zu steps to a loss of %.4f: off by at most %.3g", optimizer == MODEL_MUON ? "Muon: " : "", n, last, worst);
	ok(worst_norm < 1e-3, "the norms of their gradients are off by at most %.3g of themselves", worst_norm);
	ok(last < (double)want[0] * 0.9, "the loss falls, from %.4f", (double)want[0]);
	free(want);
	free(norms);
}

static void
load_weights(const struct safetensors *file, struct model *model)
{
	const struct params *params = model_params(model);

	for (size_t i = 0; i < params->n; i++) {
		const struct param *p = &params->items[i];
		float *all = xcalloc(p->n, sizeof(*all));

		for (size_t k = 0; k < param_tensors(p); k++) {
			char name[NAME];
			float *weights;

			snprintf(name, sizeof(name), "weights.%s", param_tensor(p, k).name);
			weights = numbers(file, name, NULL);
			param_tensor_into(p, k, weights, all);
			free(weights);
		}
		model_put(model, MODEL_WEIGHTS, p, all);
		free(all);
	}
}

static void
test_muon(const struct safetensors *file, struct ops_device *d, const struct model_config *config, const struct model_batch *batches)
{
	struct model *model = model_new(d, config, 4 * config->context, MODEL_TO_TRAIN_BY_MUON, 0, NULL);

	load_weights(file, model);
	test_curve(file, model, batches, MODEL_MUON);
	model_free(model);
}

static void
test_family(const char *folder, const char *arch, const char *device)
{
	const char *why, *json;
	struct error err = { "" };
	char path[4096];
	struct safetensors *file;
	struct ops_device *d = ops_open(device, 2, OPS_F32, &why);
	struct model_batch batches[BATCHES];
	struct model_config config;
	struct model *model;

	snprintf(path, sizeof(path), "%s/%s.safetensors", folder, arch);
	file = safetensors_open(path, &err);
	if (!ok(file != NULL, "%s on %s: %s", arch, device, err.text))
		return;
	json = safetensors_metadata(file, "config");
	if (!ok(!model_config_read(&config, json, strlen(json), &err), "its config: %s", err.text))
		return;
	config.dropout = 0;
	for (int i = 0; i < BATCHES; i++)
		read_batch(file, i, &batches[i]);
	model = model_new(d, &config, 4 * config.context, MODEL_TO_TRAIN, 0, &err);
	load_weights(file, model);
	test_logits(file, model, &batches[0]);
	test_gradients(file, model, &batches[0]);
	test_curve(file, model, batches, config.arch == MODEL_PREPEND ? MODEL_ADAM_TF : MODEL_ADAMW);
	if (safetensors_find(file, "muon.losses"))
		test_muon(file, d, &config, batches);
	for (int i = 0; i < BATCHES; i++)
		release_batch(&batches[i]);
	model_free(model);
	d->ops->close(d);
	safetensors_close(file);
}

int
main(int argc, char **argv)
{
	CLEANUP(freep) char *folder = argc > 1 ? xstrdup(argv[1]) : test_path("tests/train/parity");

	test_family(folder, "prepend", "cpu");
	test_family(folder, "prepend", "cpu-base");
	test_family(folder, "gpt2", "cpu");
	test_family(folder, "gpt2", "reference");
	test_family(folder, "llama", "cpu");
	test_family(folder, "llama", "reference");
	test_family(folder, "llama-tied", "cpu");
	return done_testing();
}
