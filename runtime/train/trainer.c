#include "config.h"

#include "runtime/train/trainer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/train/events.h"

enum { BYTES_OF_DOCUMENT = 32 /* in the loader's tables, at most */, PROGRAM = 16 << 20 /* all that is small */ };

struct trainer {
	struct trainer_options options;
	struct checkpoint_state state;
	struct loader *loader;
	struct model *model;
	bool best_is_now; /* the last look at dev was the best, and no step came after */
	int lock;
};

size_t
trainer_memory(const struct trainer_options *o, struct ops_device *device, uint64_t documents)
{
	return model_memory(&o->config, device, o->data.tokens, true) + (size_t)documents * BYTES_OF_DOCUMENT + PROGRAM;
}

double
trainer_rate(const struct trainer_options *o, uint64_t step)
{
	double s = (double)step + 1, w = o->warmup ? (double)o->warmup : 1;

	return o->rate * (s < w ? s / w : sqrt(w / s));
}

/* Adam as each family is usually trained. */
static struct model_update
update_of(const struct trainer_options *o, uint64_t step)
{
	struct model_update u = { .optimizer = MODEL_ADAM_TF, .beta1 = 0.9, .beta2 = 0.98, .epsilon = 1e-9 };

	if (o->config.arch == MODEL_GPT2)
		u = (struct model_update){ .optimizer = MODEL_ADAMW, .beta1 = 0.9, .beta2 = 0.95, .epsilon = 1e-8, .decay = 0.1, .clip = 1 };
	u.rate = trainer_rate(o, step);
	return u;
}

/* All that the numbers depend on, but for how long it goes. */
static void
write_recipe(const struct trainer_options *o, const struct shard *shard, const struct ops_device *d, char ret[CHECKPOINT_RECIPE_MAX])
{
	const struct model_config *c = &o->config;

	snprintf(ret, CHECKPOINT_RECIPE_MAX,
		"%s %zu layers %zu channels %zu heads %zu inner %zu tokens %zu context dropout %a epsilon %a smoothing %a data %08x batch %zu "
		"loss %s dev %a rate %a warmup %" PRIu64 " seed %" PRIu64 " precision %s%s",
		model_arch_name(c->arch), c->layers, c->channels, c->heads, c->inner, c->vocabulary, c->context, c->dropout, c->epsilon,
		c->smoothing, shard_digest(shard), o->data.tokens, o->data.target_only ? "title" : "all", o->data.dev_share, o->rate,
		o->warmup, o->seed, d->precision == OPS_BF16 ? "bf16" : "f32",
		o->data.padding == LOADER_BUCKETED ? " bucketed" : "");
}

void
trainer_name(const struct trainer_options *options, const struct shard *shard, const struct ops_device *device, struct buf *ret)
{
	char recipe[CHECKPOINT_RECIPE_MAX];

	write_recipe(options, shard, device, recipe);
	buf_printf(ret, "%s-%08x", model_arch_name(options->config.arch), events_crc(recipe, strlen(recipe)));
}

static int
resume(struct trainer *t, struct error *err)
{
	CLEANUP(buf_release) struct buf path = { 0 };
	struct checkpoint_state state;
	int found = checkpoint_newest(t->options.folder, &path, err);

	if (found <= 0)
		return found;
	if (checkpoint_read_state(buf_text(&path), &state, err))
		return -1;
	if (strcmp(state.recipe, t->state.recipe) != 0)
		return error_set(err, "`%s` is of another training: take another folder for this one (there: %s; here: %s)", buf_text(&path),
			state.recipe, t->state.recipe);
	if (checkpoint_load(buf_text(&path), t->model, true, err))
		return -1;
	t->state = state;
	return 0;
}

static int
open_all(struct trainer *t, struct ops_device *device, const struct shard *shard, struct error *err)
{
	const struct trainer_options *o = &t->options;

	if (model_config_check(&o->config, err))
		return -1;
	write_recipe(o, shard, device, t->state.recipe);
	if (o->folder && (t->lock = checkpoint_lock(o->folder, err)) < 0)
		return -1;
	t->loader = loader_open(shard, &o->data, err);
	if (!t->loader)
		return -1;
	t->model = model_new(device, &o->config, o->data.tokens, true, o->seed, err);
	if (!t->model)
		return -1;
	return o->folder ? resume(t, err) : 0;
}

struct trainer *
trainer_open(struct ops_device *device, const struct shard *shard, const struct trainer_options *options, struct error *err)
{
	struct trainer *t = xcalloc(1, sizeof(*t));

	*t = (struct trainer){ .options = *options, .state = { .best = (double)INFINITY }, .lock = -1 };
	if (!open_all(t, device, shard, err))
		return t;
	trainer_close(t);
	return NULL;
}

void
trainer_close(struct trainer *t)
{
	if (!t)
		return;
	loader_close(t->loader);
	model_free(t->model);
	checkpoint_unlock(t->lock);
	free(t);
}

uint64_t
trainer_done(const struct trainer *t)
{
	return t->state.step;
}

struct loader *
trainer_loader(const struct trainer *t)
{
	return t->loader;
}

struct model *
trainer_model(const struct trainer *t)
{
	return t->model;
}

double
trainer_best(const struct trainer *t)
{
	return t->state.best;
}

static int
check_loss(const struct trainer *t, const struct trainer_step *s, struct error *err)
{
	CLEANUP(buf_release) struct buf kept = { 0 };

	if (isfinite(s->result.loss) && isfinite(s->result.norm))
		return 0;
	if (t->options.folder && checkpoint_newest(t->options.folder, &kept, NULL) > 0)
		buf_puts(&kept, " is kept; remove it if it is too near");
	else
		buf_puts(&kept, "no checkpoint was written before");
	return error_set(err, "step %" PRIu64 " (epoch %" PRIu64 ", batch %" PRIu64 "): the loss is no number any more; try a smaller lr than %g, "
			      "or a longer warm-up than %" PRIu64 " steps (%s)",
		s->step, s->epoch + 1, s->batch + 1, t->options.rate, t->options.warmup, buf_text(&kept));
}

int
trainer_step(struct trainer *t, struct trainer_step *ret, struct error *err)
{
	struct model_update update = update_of(&t->options, t->state.step);
	struct loader_cursor cursor = t->state.cursor;
	const struct model_batch *batch;
	int trained;

	if (loader_next(t->loader, &cursor, &batch, err))
		return -1;
	trained = model_train(t->model, batch, &update, t->options.seed, t->state.step, &ret->result, err);
	if (trained)
		return trained;
	ret->step = t->state.step + 1;
	ret->epoch = cursor.epoch;
	ret->batch = cursor.batch - 1;
	ret->tokens = loader_tokens(t->loader);
	ret->rate = update.rate;
	if (check_loss(t, ret, err))
		return -1;
	t->state.cursor = cursor;
	t->state.step++;
	t->state.tokens += ret->tokens;
	t->best_is_now = false;
	return 0;
}

int
trainer_evaluate(struct trainer *t, size_t batches, struct model_result *ret, struct error *err)
{
	size_t n = loader_dev_batches(t->loader) < batches ? loader_dev_batches(t->loader) : batches;
	double loss = 0, hits = 0;

	*ret = (struct model_result){ 0 };
	for (size_t i = 0; i < n; i++) {
		const struct model_batch *batch;
		struct model_result result;

		if (loader_dev(t->loader, i, &batch, err) || model_evaluate(t->model, batch, &result, err))
			return -1;
		loss += result.loss * result.weight;
		hits += result.accuracy * result.weight;
		ret->weight += result.weight;
	}
	if (!(ret->weight > 0))
		return 0;
	ret->loss = loss / ret->weight;
	ret->accuracy = hits / ret->weight;
	if (ret->loss < t->state.best) {
		t->state.best = ret->loss;
		t->state.best_step = t->state.step;
		t->best_is_now = true;
	}
	return 0;
}

int
trainer_save(struct trainer *t, struct error *err)
{
	if (!t->options.folder)
		return 0;
	return checkpoint_save(t->options.folder, t->model, &t->state, t->options.tokenizer, t->options.keep,
		t->best_is_now && t->state.best_step == t->state.step, err);
}
