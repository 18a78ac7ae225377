/* Steps of training for bench/train.py, timed one by one; batches for it and for bench/quality.py.
 *
 *     step_tool batches SHARD TOKENS CONTEXT N FILE [SEED DEV_SHARE]    writes the first N batches: of each N, documents, then ids, labels,
 *         weights, starts
 *     step_tool dev SHARD TOKENS CONTEXT N FILE SEED DEV_SHARE    likewise N batches of those that are kept for looking
 *     step_tool train SHARD TOKENS CONTEXT N SIZE f32|bf16 THREADS    takes a step on each, and prints tokens, seconds of the clock and of the
 *         processor; at the end the device, the greatest memory in KiB, and what `train` would promise to need
 *     step_tool logits FOLDER ID...    what a model says behind each of these ids, as single-precision numbers (n, V)
 *     step_tool matmul f32|bf16 THREADS    the most GFLOP/s of one product of matrices, of sizes as `small` has them */
#include "config.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "runtime/model/model.h"
#include "runtime/train/checkpoint.h"
#include "runtime/train/loader.h"
#include "runtime/train/trainer.h"

static double
now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static size_t
number(const char *text)
{
	return (size_t)strtoull(text, NULL, 10);
}

static struct loader *
open_loader(char **argv, uint64_t seed, double dev_share)
{
	struct error err;
	struct loader_options options = { .tokens = number(argv[3]), .context = number(argv[4]), .seed = seed, .dev_share = dev_share };
	struct shard *shard = shard_open(argv[2], &err);
	struct loader *loader = shard ? loader_open(shard, &options, &err) : NULL;

	if (!loader)
		BUG("%s", err.text);
	return loader;
}

static const struct model_batch *
next_batch(struct loader *loader, struct loader_cursor *cursor)
{
	const struct model_batch *b;
	struct error err;

	if (loader_next(loader, cursor, &b, &err))
		BUG("%s", err.text);
	return b;
}

static void
write_batch(FILE *file, const struct model_batch *b)
{
	int32_t sizes[2] = { (int32_t)b->N, (int32_t)b->documents };

	fwrite(sizes, sizeof(*sizes), 2, file);
	fwrite(b->ids, sizeof(*b->ids), b->N, file);
	fwrite(b->labels, sizeof(*b->labels), b->N, file);
	fwrite(b->weights, sizeof(*b->weights), b->N, file);
	fwrite(b->starts, sizeof(*b->starts), b->documents + 1, file);
}

static int
write_batches(int argc, char **argv, bool dev)
{
	struct loader *loader = open_loader(argv, argc > 7 ? number(argv[7]) : 1, argc > 8 ? strtod(argv[8], NULL) : 0);
	struct loader_cursor cursor = { 0 };
	FILE *file = fopen(argv[6], "wbe");
	size_t n = number(argv[5]);

	if (!file)
		BUG("cannot make %s", argv[6]);
	for (size_t i = 0; i < n && (!dev || i < loader_dev_batches(loader)); i++) {
		const struct model_batch *b;
		struct error err;

		if (dev ? loader_dev(loader, i, &b, &err) : loader_next(loader, &cursor, &b, &err))
			BUG("%s", err.text);
		write_batch(file, b);
	}
	return fclose(file) != 0;
}

static struct ops_device *
open_device(const char *precision, const char *threads)
{
	const char *why;
	struct ops_device *d = ops_open("cpu", (int)number(threads), !strcmp(precision, "bf16") ? OPS_BF16 : OPS_F32, &why);

	if (!d)
		BUG("%s", why);
	return d;
}

static int
train(char **argv)
{
	struct model_update update = { .optimizer = MODEL_ADAM_TF, .rate = 1e-3, .beta1 = 0.9, .beta2 = 0.98, .epsilon = 1e-9 };
	struct loader *loader = open_loader(argv, 1, 0);
	struct loader_cursor cursor = { 0 };
	struct ops_device *d = open_device(argv[7], argv[8]);
	struct trainer_options options = { .data.tokens = number(argv[3]) };
	struct model_result result;
	struct rusage usage;
	struct error err;
	struct model *model;

	if (model_config_preset(&options.config, "prepend", argv[6], 8192, number(argv[4]), &err))
		BUG("%s", err.text);
	model = model_new(d, &options.config, number(argv[3]), true, 1, &err);
	for (size_t i = 0; model && i < number(argv[5]); i++) {
		const struct model_batch *b = next_batch(loader, &cursor);
		double wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);

		if (model_train(model, b, &update, 1, i, &result, &err))
			BUG("%s", err.text);
		printf("%zu %.6f %.6f %.5f\n", b->N, now(CLOCK_MONOTONIC) - wall, now(CLOCK_PROCESS_CPUTIME_ID) - cpu, result.loss);
	}
	getrusage(RUSAGE_SELF, &usage);
	printf("%s %ld %zu\n", d->name, usage.ru_maxrss, trainer_memory(&options, d, loader_documents(loader, false)));
	model_free(model);
	d->ops->close(d);
	return 0;
}

static int
matmul(char **argv)
{
	enum { M = 1024, N = 2048, K = 512, TIMES = 12 };
	struct ops_device *d = open_device(argv[2], argv[3]);
	float *a = xcalloc(M * K, sizeof(*a)), *b = xcalloc(K * N, sizeof(*b)), *c = xcalloc(M * N, sizeof(*c));
	struct ops_matmul m = { .M = M, .N = N, .K = K, .a = a, .lda = K, .b = b, .ldb = N, .c = c, .ldc = N };
	double best = 0;

	/* Zeros would be faster than numbers. */
	for (size_t i = 0; i < M * K; i++)
		a[i] = (float)(i * 37 % 101) / 101 - 0.5f;
	for (size_t i = 0; i < K * N; i++)
		b[i] = (float)(i * 53 % 97) / 97 - 0.5f;
	for (int i = 0; i < TIMES; i++) {
		double begun = now(CLOCK_MONOTONIC), rate;

		d->ops->matmul(d, &m);
		rate = 2e-9 * M * N * K / (now(CLOCK_MONOTONIC) - begun);
		best = rate > best ? rate : best;
	}
	printf("%.1f\n", best);
	free(a);
	free(b);
	free(c);
	d->ops->close(d);
	return 0;
}

static int
logits(int n, char **ids, const char *folder)
{
	struct model_batch b = { .N = (size_t)n, .documents = 1, .longest = (size_t)n, .ids = xcalloc((size_t)n, sizeof(int32_t)),
		.places = xcalloc((size_t)n, sizeof(int32_t)), .labels = xcalloc((size_t)n, sizeof(int32_t)),
		.weights = xcalloc((size_t)n, sizeof(float)), .starts = (int32_t[]){ 0, n } };
	struct ops_device *d = open_device("f32", "2");
	struct model_config config;
	struct model *model;
	struct error err;
	float *ret;
	size_t written;

	if (checkpoint_read_config(folder, &config, &err))
		BUG("%s", err.text);
	for (int i = 0; i < n; i++) {
		b.ids[i] = (int32_t)number(ids[i]);
		b.places[i] = i;
	}
	model = model_new(d, &config, b.N, MODEL_TO_USE, 0, &err);
	ret = xcalloc(b.N * config.vocabulary, sizeof(*ret));
	if (!model || checkpoint_load(folder, model, false, &err) || model_logits(model, &b, b.places, b.N, ret, &err))
		BUG("%s", err.text);
	written = fwrite(ret, sizeof(*ret), b.N * config.vocabulary, stdout);
	model_free(model);
	d->ops->close(d);
	free(ret);
	free(b.ids);
	free(b.places);
	free(b.labels);
	free(b.weights);
	return written != b.N * config.vocabulary;
}

int
main(int argc, char **argv)
{
	mallopt(M_MMAP_THRESHOLD, 1 << 20); /* as lateen-step has it */
	if ((argc == 7 || argc == 9) && !strcmp(argv[1], "batches"))
		return write_batches(argc, argv, false);
	if (argc == 9 && !strcmp(argv[1], "dev"))
		return write_batches(argc, argv, true);
	if (argc == 9 && !strcmp(argv[1], "train"))
		return train(argv);
	if (argc == 4 && !strcmp(argv[1], "matmul"))
		return matmul(argv);
	if (argc > 3 && !strcmp(argv[1], "logits"))
		return logits(argc - 3, argv + 3, argv[2]);
	fprintf(stderr, "see the top of tests/train/step_tool.c\n");
	return 2;
}
