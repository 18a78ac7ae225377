/* What the codelab's step "Train T2T model" does, with a model of ours in the place of Tensor2Tensor's: its data, layout of documents, loss, schedule and
 * files. Other than there, a training that fails is a step that fails. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/value.h"
#include "runtime/paths.h"
#include "runtime/step/t2t.h"
#include "runtime/step/train.h"
#include "runtime/train/bpe.h"
#include "runtime/train/checkpoint_private.h"
#include "runtime/train/folder.h"
#include "runtime/train/t2t_data.h"

enum { STEPS_MAX = 1000000000, WARMUP = 8000, EVERY = 200, KEEP = 3 };

/* Tensor2Tensor's sets of hyperparameters; what they have in common stands in the setup. */
static const struct hparams {
	const char *name, *size;
	size_t context;
} HPARAMS[] = {
	{ "transformer_prepend", "small", 2048 },
	{ "transformer_prepend_tiny", "tiny", 512 }, /* with the sizes of its transformer_tiny */
};

struct t2t {
	const struct step_call *call;
	struct train_setup setup;
	struct buf data_dir, model_dir, tokens, export;
	struct t2t_data data;
	struct t2t_counts counts;
};

/* ---- the checkpoint ---- */

/* What Tensor2Tensor itself leaves is of a model that reads each text twice, with an encoder too. */
static int
refuse_tensorflow(const char *folder, struct error *err)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int result = 0;

	while (!result && dir && (entry = readdir(dir)))
		if (!strncmp(entry->d_name, "model.ckpt-", 11))
			result = error_set(err, "`%s` holds a checkpoint of TensorFlow, `%s`: its model has an encoder too, and no training goes on from it "
						"here; give a --model-dir without one, and as --train-steps the steps of a training from the beginning",
				folder, entry->d_name);
	if (dir)
		closedir(dir);
	return result;
}

static int
find_hparams(const char *name, const struct hparams **ret, struct error *err)
{
	*ret = &HPARAMS[0];
	if (!*name)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(HPARAMS); i++)
		if (!strcmp(HPARAMS[i].name, name)) {
			*ret = &HPARAMS[i];
			return 0;
		}
	return error_set(err, "--hparams-set wants `%s` or `%s`, not `%s`", HPARAMS[0].name, HPARAMS[1].name, name);
}

/* A checkpoint says what the model is, and the hyperparameters must agree; without one they say it. */
static int
find_model(struct t2t *t, size_t vocabulary, struct error *err)
{
	const char *name = step_text(t->call, "hparams-set");
	struct model_config *config = &t->setup.options.config, kept;
	CLEANUP(buf_release) struct buf path = { 0 };
	const struct hparams *h;
	int found = checkpoint_newest(buf_text(&t->model_dir), 0, &path, err);

	if (found < 0 || (found && checkpoint_read_config(buf_text(&path), &kept, err)))
		return -1;
	if (!found && refuse_tensorflow(buf_text(&t->model_dir), err))
		return -1;
	if (find_hparams(name, &h, err) || model_config_preset(config, "prepend", h->size, vocabulary, h->context, err))
		return -1;
	if (found && *name && (kept.layers != config->layers || kept.channels != config->channels))
		return error_set(err, "`%s` is of a model of %zu layers of %zu channels, which is not `%s`", buf_text(&path), kept.layers,
			kept.channels, name);
	if (found && kept.arch != MODEL_PREPEND)
		return error_set(err, "`%s` is of a model `%s`, and none of Tensor2Tensor's", buf_text(&path), model_arch_name(kept.arch));
	if (found && kept.vocabulary != vocabulary)
		return error_set(err, "`%s` is of a model of %zu subwords, and the data's vocabulary has %zu", buf_text(&path), kept.vocabulary, vocabulary);
	if (found)
		*config = kept;
	return 0;
}

/* ---- the training ---- */

static int
read_data(struct t2t *t, struct error *err)
{
	struct train_setup *s = &t->setup;
	const char *vocabulary;

	if (t2t_data_find(&t->data, buf_text(&t->data_dir), step_text(t->call, "problem"), err) || paths_make(buf_text(&t->model_dir), err))
		return -1;
	vocabulary = buf_text(&t->data.vocabulary);
	printf("data: %zu files to train with, %zu to look at, `%s`\n", t->data.train.n, t->data.dev.n, strrchr(vocabulary, '/') + 1);
	fflush(stdout);
	buf_printf(&t->tokens, "%s/%s.tokens", buf_text(&t->model_dir), step_text(t->call, "problem"));
	if (t2t_data_tokens(&t->data, buf_text(&t->tokens), &t->counts, err))
		return -1;
	if (t->counts.empty)
		printf("left out, for they lack a text or a title: %" PRIu64 "\n", t->counts.empty);
	s->shard = shard_open(buf_text(&t->tokens), err);
	/* It stays until the shard is closed, and does not lie about if the step is killed. */
	unlink(buf_text(&t->tokens));
	s->reader = s->shard ? tokenizer_open(vocabulary, err) : NULL;
	s->tokenizer.max = (size_t)BPE_FILE_MAX * 2;
	return s->reader ? train_read_file(vocabulary, BPE_FILE_MAX, &s->tokenizer, err) : -1;
}

/* learning_rate: 2 / sqrt(hidden size) times the least of (step + 1) / warm-up ^ 1.5 and 1 / sqrt(step + 1); the largest is where they meet. */
static int
set_options(struct t2t *t, struct error *err)
{
	struct trainer_options *o = &t->setup.options;
	int64_t steps, batch, seed;

	if (step_number(t->call, "train-steps", STEPS_MAX, &steps, err) || step_number(t->call, "batch-size", LOADER_TOKENS_MAX, &batch, err) ||
	    step_number(t->call, "seed", INT64_MAX, &seed, err))
		return -1;
	if (!steps)
		return error_set(err, "--train-steps is the step at which training ends, and 0 is none");
	t->setup.steps = (uint64_t)steps;
	t->setup.every = EVERY;
	o->data = (struct loader_options){ .tokens = (size_t)batch, .context = o->config.context, .padding = LOADER_BUCKETED,
		.dev_from = t->counts.dev ? t->counts.train : 0, .seed = (uint64_t)seed };
	if (o->data.context > o->data.tokens)
		o->data.context = o->data.tokens;
	o->optimizer = MODEL_ADAM_TF;
	o->rate = 2 / sqrt((double)o->config.channels) / sqrt(WARMUP);
	o->warmup = WARMUP;
	o->seed = (uint64_t)seed;
	o->keep = KEEP;
	o->folder = buf_text(&t->model_dir);
	o->tokenizer = &t->setup.tokenizer;
	o->adopt = true;
	return 0;
}

/* ---- files ---- */

/* A number for a name, as TensorFlow Serving wants of the versions of a model. */
static int
finish(void *context, struct trainer *trainer, struct error *err)
{
	struct t2t *t = context;
	CLEANUP(buf_release) struct buf path = { 0 }, eval = { 0 };
	struct folder folder;

	buf_printf(&eval, "%s/eval", buf_text(&t->model_dir));
	if (t2t_evaluate(t->setup.shard, &t->setup.options, trainer, buf_text(&eval), step_text(t->call, "problem"), err))
		return -1;
	buf_printf(&path, "%s/%" PRIu64, buf_text(&t->export), trainer_done(trainer));
	if (folder_begin(&folder, buf_text(&path), err))
		return -1;
	if (checkpoint_write_files(buf_text(&folder.made), trainer_model(trainer), &t->setup.tokenizer, err)) {
		folder_abandon(&folder);
		return -1;
	}
	printf("exported: %s\n", buf_text(&path));
	return folder_replace(&folder, err);
}

/* {"outputs": [{"type": "tensorboard", "source": MODEL_DIR}]}, as the container has it. */
static int
write_outputs(struct t2t *t, struct error *err)
{
	CLEANUP(buf_release) struct buf ui = { 0 };

	buf_puts(&ui, "{\"outputs\": [{\"type\": \"tensorboard\", \"source\": ");
	value_write_json_string(&ui, buf_text(&t->model_dir), t->model_dir.len);
	buf_puts(&ui, "}]}");
	return t2t_output(t->call, "launch-server", step_text(t->call, "deploy-webapp"), err) ||
	       t2t_output(t->call, "train-output-path", buf_text(&t->export), err) || t2t_output(t->call, "ui-metadata", buf_text(&ui), err) ? -1 : 0;
}

static int
train(struct t2t *t, struct error *err)
{
	struct train_files files = { .events = buf_text(&t->model_dir), .finish = finish, .context = t };

	return read_data(t, err) || find_model(t, shard_info(t->setup.shard)->vocabulary, err) || set_options(t, err) ||
	       train_open_device(t->call, step_text(t->call, "precision"), &t->setup.device, err) || train_check_memory(&t->setup, err) ||
	       train_run(&t->setup, &files, err) ? -1 : write_outputs(t, err);
}

int
step_t2t_train(const struct step_call *call, struct error *err)
{
	struct t2t t = { .call = call };
	int result;

	if (strcmp(step_text(call, "action"), "train") != 0)
		return error_set(err, "--action wants `train`, not `%s`", step_text(call, "action"));
	result = t2t_folder(call, "data-dir", &t.data_dir, err) || t2t_folder(call, "model-dir", &t.model_dir, err) ? -1 : 0;
	buf_printf(&t.export, "%s/export", buf_text(&t.model_dir));
	if (!result)
		result = train(&t, err);
	train_setup_release(&t.setup);
	t2t_data_release(&t.data);
	buf_release(&t.data_dir);
	buf_release(&t.model_dir);
	buf_release(&t.tokens);
	buf_release(&t.export);
	return result;
}
