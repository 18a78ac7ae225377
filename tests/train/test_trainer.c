/* Batches, checkpoints and trainings: that nothing is lost or twice, and that a training that was stopped is the one that was not. */
#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/train/events.h"
#include "runtime/train/trainer.h"
#include "runtime/train/weights.h"
#include "tests/tap.h"
#include "tests/train/trainings.h"

/* ---- batches ---- */

/* Where a document ends and its padding begins: it ends with <EOS>. */
static int32_t
end_of(const struct model_batch *b, size_t d)
{
	int32_t end = b->starts[d + 1];

	while (end > b->starts[d] && b->labels[end - 1] == LOADER_PAD)
		end--;
	return end;
}

/* A document that a batch begins with has its first tokens as its mark: all of ours differ in them or in length. */
static uint64_t
mark_of(const struct model_batch *b, size_t d)
{
	uint64_t mark = 0;

	for (int32_t i = b->starts[d]; i < end_of(b, d); i++)
		mark = mark * 1000003 + (uint64_t)b->labels[i];
	return mark;
}

static bool
is_well_made(const struct model_batch *b, bool title_only, bool padded)
{
	bool good = b->N <= TOKENS && b->starts[0] == 0 && (size_t)b->starts[b->documents] == b->N;

	for (size_t d = 0; good && d < b->documents; d++) {
		int32_t from = b->starts[d], to = b->starts[d + 1];
		bool in_title = false;

		good = to - from <= CONTEXT && (size_t)(to - from) <= b->longest && b->ids[from] == LOADER_PAD;
		good = good && (padded ? (size_t)(to - from) == b->longest && end_of(b, d) > from : end_of(b, d) == to);
		for (int32_t i = from; good && i < to; i++) {
			bool counts = b->labels[i] != LOADER_PAD && (in_title || !title_only);

			good = b->places[i] == i - from && (i == from || b->ids[i] == b->labels[i - 1]) && b->weights[i] == (float)counts;
			in_title = in_title || b->labels[i] == LOADER_PAD;
		}
	}
	return good;
}

static uint64_t
sum_of_epoch(struct loader *loader, uint64_t epoch, bool title_only, bool padded, uint64_t *ret_order)
{
	struct loader_cursor cursor = { epoch, 0 };
	size_t batches = loader_batches(loader, epoch), documents = 0, tokens = 0, room = 0;
	uint64_t sum = 0;
	bool good = true;

	*ret_order = 0;
	for (size_t i = 0; i < batches; i++) {
		const struct model_batch *b;

		if (loader_next(loader, &cursor, &b, NULL))
			return 0;
		good = good && is_well_made(b, title_only, padded);
		tokens += loader_tokens(loader);
		room += padded ? b->N : TOKENS;
		documents += b->documents;
		for (size_t d = 0; d < b->documents; d++) {
			sum += mark_of(b, d);
			*ret_order = *ret_order * 31 + mark_of(b, d);
		}
	}
	ok(good, "the batches of epoch %d are well made", (int)epoch);
	is_int((int64_t)documents, (int64_t)loader_documents(loader, false), "each document is in one of them");
	ok(cursor.epoch == epoch && cursor.batch == batches, "and the epoch is over");
	ok(fabs(loader_useful(loader, epoch) - (double)tokens / (double)room) < 1e-12, "%.1f %% of them is useful", 100 * loader_useful(loader, epoch));
	return sum;
}

static void
test_loader(const struct shard *shard, bool title_only, enum loader_padding padding)
{
	struct loader_options options = { .tokens = TOKENS, .context = CONTEXT, .target_only = title_only, .padding = padding, .dev_share = 0.2, .seed = 3 };
	struct error err = { "" };
	struct loader *loader = loader_open(shard, &options, &err);
	uint64_t sums[2], orders[2];
	size_t tokens = 0;

	if (!ok(loader != NULL, "opened %s", err.text))
		return;
	is_int((int64_t)(loader_documents(loader, false) + loader_documents(loader, true)), DOCUMENTS, "all documents are in a part");
	ok(loader_documents(loader, true) > 3 && loader_documents(loader, true) < 24, "%zu are kept for looking", loader_documents(loader, true));
	ok(loader_cut(loader) > 0, "%zu are cut", loader_cut(loader));
	for (uint64_t epoch = 0; epoch < 2; epoch++)
		sums[epoch] = sum_of_epoch(loader, epoch, title_only, padding == LOADER_BUCKETED, &orders[epoch]);
	ok(sums[0] == sums[1] && sums[0], "two epochs have the same documents");
	ok(orders[0] != orders[1], "in another order");
	for (size_t i = 0; i < loader_dev_batches(loader); i++) {
		const struct model_batch *b;

		ok(!loader_dev(loader, i, &b, NULL) && is_well_made(b, title_only, false), "a batch to look at");
		tokens += b->N;
	}
	ok(tokens > 0, "there are some");
	loader_close(loader);
}

/* The batch without what pads it. */
static struct model_batch
strip(const struct model_batch *b)
{
	struct model_batch ret = { .ids = xcalloc(b->N, sizeof(int32_t)), .places = xcalloc(b->N, sizeof(int32_t)),
		.labels = xcalloc(b->N, sizeof(int32_t)), .weights = xcalloc(b->N, sizeof(float)), .starts = xcalloc(b->N + 1, sizeof(int32_t)) };

	for (size_t d = 0; d < b->documents; d++) {
		for (int32_t i = b->starts[d]; i < end_of(b, d); i++, ret.N++) {
			ret.ids[ret.N] = b->ids[i];
			ret.places[ret.N] = b->places[i];
			ret.labels[ret.N] = b->labels[i];
			ret.weights[ret.N] = b->weights[i];
		}
		ret.starts[++ret.documents] = (int32_t)ret.N;
	}
	ret.longest = b->longest;
	return ret;
}

static double
largest_difference(const struct model *m, float *gradients, bool keep)
{
	const struct params *params = model_params(m);
	CLEANUP(freep) float *now = xcalloc(params->total, sizeof(*now));
	double largest = 0;

	for (size_t i = 0; i < params->n; i++)
		model_get(m, MODEL_GRADIENTS, &params->items[i], now + params->items[i].at);
	for (size_t i = 0; i < params->total; i++)
		largest = fmax(largest, fabs((double)now[i] - (double)gradients[i]));
	if (keep)
		memcpy(gradients, now, params->total * sizeof(*now));
	return largest;
}

/* Padding is no part of the loss, nor of any gradient. */
static void
test_padding(struct ops_device *d, const struct shard *shard)
{
	struct loader_options options = { .tokens = TOKENS, .context = CONTEXT, .padding = LOADER_BUCKETED, .seed = 3 };
	struct model_config config = { .arch = MODEL_PREPEND, .layers = 2, .channels = 16, .heads = 2, .inner = 24, .vocabulary = VOCABULARY,
		.context = CONTEXT, .epsilon = 1e-6, .smoothing = 0.1 };
	struct loader *loader = loader_open(shard, &options, NULL);
	struct model *m = model_new(d, &config, TOKENS, true, 1, NULL);
	CLEANUP(freep) float *gradients = xcalloc(model_params(m)->total, sizeof(*gradients));
	struct loader_cursor cursor = { 0 };
	size_t padded = 0;

	for (size_t i = loader_batches(loader, 0); i > 0; i--) {
		const struct model_batch *b;
		struct model_batch bare;
		struct model_result with, without;

		loader_next(loader, &cursor, &b, NULL);
		bare = strip(b);
		padded += b->N - bare.N;
		model_gradients(m, b, NULL, 0, &with, NULL);
		largest_difference(m, gradients, true);
		model_gradients(m, &bare, NULL, 0, &without, NULL);
		ok(fabs(with.loss - without.loss) < 1e-6 && with.weight == without.weight, "%zu rows, %zu without padding: losses %.7f and %.7f", b->N, bare.N,
			with.loss, without.loss);
		ok(largest_difference(m, gradients, false) < 1e-6, "and gradients that differ by %g", largest_difference(m, gradients, false));
		free(bare.ids);
		free(bare.places);
		free(bare.labels);
		free(bare.weights);
		free(bare.starts);
	}
	ok(padded > 0, "there was some");
	model_free(m);
	loader_close(loader);
}

static void
test_bad_loaders(const char *folder, const struct shard *two)
{
	struct loader_options options = { .tokens = TOKENS, .context = CONTEXT }, wide = { .tokens = 16, .context = 32 };
	struct shard *three = make_shard(folder, 3);
	struct error err;

	ok(!loader_open(three, &options, &err), "three fields: %s", err.text);
	ok(!loader_open(two, &wide, &err), "documents that are longer than a batch: %s", err.text);
	options.dev_share = 1;
	ok(!loader_open(two, &options, &err), "nothing to learn from: %s", err.text);
	shard_close(three);
}

/* ---- trainings ---- */

static float *
weights_of(const struct trainer *t, size_t *ret_n)
{
	const struct params *params = model_params(trainer_model(t));
	float *ret;

	*ret_n = 3 * params->total;
	ret = xcalloc(*ret_n, sizeof(*ret));
	for (size_t i = 0; i < params->n; i++) {
		model_get(trainer_model(t), MODEL_WEIGHTS, &params->items[i], ret + params->items[i].at);
		model_get(trainer_model(t), MODEL_MEANS, &params->items[i], ret + params->total + params->items[i].at);
		model_get(trainer_model(t), MODEL_SQUARES, &params->items[i], ret + 2 * params->total + params->items[i].at);
	}
	return ret;
}

/* Takes steps until there are `steps`, and stops after each `every` of them to go on from the checkpoint. */
static float *
train(struct ops_device *d, const struct shard *shard, const struct trainer_options *o, uint64_t steps, uint64_t every, size_t *ret_n)
{
	struct error err = { "" };
	struct trainer *t = trainer_open(d, shard, o, &err);
	float *weights;

	while (t && trainer_done(t) < steps) {
		struct trainer_step s;
		struct model_result dev;

		if (trainer_step(t, &s, &err))
			break;
		if (s.step % every == 0) {
			trainer_evaluate(t, 3, &dev, &err);
			trainer_save(t, &err);
			trainer_close(t);
			t = trainer_open(d, shard, o, &err);
		}
	}
	is_str(err.text, "", "a training that stops every %d steps", (int)every);
	weights = weights_of(t, ret_n);
	trainer_close(t);
	return weights;
}

static void
test_resume(struct ops_device *d, const struct shard *shard, const char *folder, struct trainer_options o)
{
	char path[4096];
	size_t n;
	CLEANUP(freep) float *whole = train(d, shard, &o, 31, 1000, &n), *parts = NULL;

	snprintf(path, sizeof(path), "%s/parts-%s-%s-%d/of/it", folder, model_arch_name(o.config.arch), trainer_optimizer_name(o.optimizer),
		(int)o.data.padding);
	o.folder = path;
	parts = train(d, shard, &o, 31, 3, &n);
	ok(!memcmp(whole, parts, n * sizeof(*whole)), "is the one that never stopped, bit for bit");
}

static struct trainer_options
llama_in(const char *folder, const struct buf *tokenizer, enum model_optimizer optimizer)
{
	struct trainer_options o = options_in(folder, tokenizer);

	o.config.arch = MODEL_LLAMA;
	o.config.heads = 4;
	o.config.kv_heads = 2;
	o.config.rope.theta = 100;
	o.config.smoothing = 0;
	o.optimizer = optimizer;
	o.muon_rate = 0.01;
	return o;
}

static void
test_resumes(struct ops_device *d, const struct shard *shard, const char *folder, const struct buf *tokenizer)
{
	struct trainer_options o = options_in(NULL, tokenizer);

	test_resume(d, shard, folder, o);
	o.data.padding = LOADER_BUCKETED;
	test_resume(d, shard, folder, o);
	test_resume(d, shard, folder, llama_in(NULL, tokenizer, MODEL_ADAMW));
	test_resume(d, shard, folder, llama_in(NULL, tokenizer, MODEL_MUON));
}

static void
test_model_folder(struct ops_device *d, const struct shard *shard, const char *folder, const struct buf *tokenizer)
{
	struct trainer_options o = options_in(NULL, tokenizer);
	struct error err = { "" };
	struct trainer *t = trainer_open(d, shard, &o, &err);
	struct model_config config;
	char path[4096];

	snprintf(path, sizeof(path), "%s/model", folder);
	ok(!checkpoint_write_model(path, trainer_model(t), tokenizer, &err), "a model is written %s", err.text);
	ok(!checkpoint_read_config(path, &config, &err) && model_config_equal(&config, &o.config), "with its config");
	ok(!checkpoint_load(path, trainer_model(t), false, &err), "and loaded");
	ok(checkpoint_load(path, trainer_model(t), true, &err) != 0, "without a state: %s", err.text);
	ok(checkpoint_write_model(path, trainer_model(t), tokenizer, &err) != 0, "not over another: %s", err.text);
	ok(!exists(folder, "model.tmp"), "and nothing is left of that");
	trainer_close(t);
}

/* A training begins with another one's weights, and is another training by that. */
static void
test_init(struct ops_device *d, const struct shard *shard, const char *folder, const struct buf *tokenizer)
{
	struct trainer_options first = llama_in(NULL, tokenizer, MODEL_MUON), second;
	struct error err = { "" };
	struct trainer *t = trainer_open(d, shard, &first, &err), *more;
	struct buf a = { 0 }, b = { 0 };
	struct trainer_step s;
	char path[4096];
	size_t n;
	float *trained, *begun;

	snprintf(path, sizeof(path), "%s/init", folder);
	ok(t && !trainer_step(t, &s, &err) && !trainer_step(t, &s, &err), "two steps");
	ok(!checkpoint_write_model(path, trainer_model(t), tokenizer, &err), "of which the model is written %s", err.text);
	trained = weights_of(t, &n);
	second = llama_in(NULL, tokenizer, MODEL_ADAMW);
	second.init = path;
	ok(!weights_digest(path, "model.safetensors", &second.init_digest, &err) && second.init_digest, "its digest");
	more = trainer_open(d, shard, &second, &err);
	if (ok(more != NULL, "another training begins with it %s", err.text)) {
		begun = weights_of(more, &n);
		ok(!memcmp(trained, begun, n / 3 * sizeof(*begun)), "with the same weights");
		ok(!trainer_done(more) && !trainer_step(more, &s, &err), "and its first step");
		trainer_name(&second, shard, d, &a);
		second.init_digest++;
		trainer_name(&second, shard, d, &b);
		ok(strcmp(buf_text(&a), buf_text(&b)) != 0, "from other weights it has another name: %s, %s", buf_text(&a), buf_text(&b));
		free(begun);
	}
	second.config.inner = 25;
	ok(!trainer_open(d, shard, &second, &err), "weights of another config");
	contains(err.text, "another shape", "are refused, and told why");
	trainer_close(more);
	trainer_close(t);
	buf_release(&a);
	buf_release(&b);
	free(trained);
}

int
main(void)
{
	CLEANUP(freep) char *folder = test_temp_dir();
	const char *why;
	struct ops_device *d = ops_open("cpu", 2, OPS_F32, &why);
	struct shard *two = make_shard(folder, 2), *one = make_shard(folder, 1);
	struct buf tokenizer = { 0 };

	buf_puts(&tokenizer, "{}");
	is_int(events_crc("123456789", 9), 0xE3069283, "CRC-32C");
	test_loader(two, false, LOADER_PACKED);
	test_loader(two, true, LOADER_PACKED);
	test_loader(two, false, LOADER_BUCKETED);
	test_loader(two, true, LOADER_BUCKETED);
	test_padding(d, two);
	test_loader(one, false, LOADER_PACKED);
	test_loader(one, false, LOADER_BUCKETED);
	test_bad_loaders(folder, two);
	test_resumes(d, two, folder, &tokenizer);
	test_model_folder(d, two, folder, &tokenizer);
	test_init(d, two, folder, &tokenizer);
	shard_close(two);
	shard_close(one);
	d->ops->close(d);
	buf_release(&tokenizer);
	test_remove_tree(folder);
	return done_testing();
}
