#include "config.h"

#include "runtime/train/trainer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/train/events.h"

enum { BYTES_OF_DOCUMENT = 32 /* in the loader's tables, at most */, PROGRAM = 20 << 20 /* all that is small */ };

struct trainer {
	struct trainer_options options;
	struct checkpoint_state state;
	struct loader *loader;
	struct model *model;
	bool best_is_now; /* the last look at dev was the best, and no step came after */
	int lock;
	struct buf warning; /* empty: none */
};

static enum model_purpose
purpose_of(const struct trainer_options *o)
{
	return o->optimizer == MODEL_MUON ? MODEL_TO_TRAIN_BY_MUON : MODEL_TO_TRAIN;
}

enum model_optimizer
trainer_usual(enum model_arch arch)
{
	return arch == MODEL_PREPEND ? MODEL_ADAM_TF : MODEL_ADAMW;
}

const char *
trainer_optimizer_name(enum model_optimizer optimizer)
{
	static const char *const names[] = { [MODEL_ADAM_TF] = "adam", [MODEL_ADAMW] = "adamw", [MODEL_MUON] = "muon" };

	return names[optimizer];
}

size_t
trainer_memory(const struct trainer_options *o, struct ops_device *device, uint64_t documents)
{
	return model_memory(&o->config, device, o->data.tokens, purpose_of(o)) + (size_t)documents * BYTES_OF_DOCUMENT + PROGRAM;
}

static double
part_of_rate(const struct trainer_options *o, uint64_t step)
{
	double s = (double)step + 1, w = o->warmup ? (double)o->warmup : 1;

	return s < w ? s / w : sqrt(w / s);
}

double
trainer_rate(const struct trainer_options *o, uint64_t step)
{
	return o->rate * part_of_rate(o, step);
}

/* Tensor2Tensor's numbers, or else those that GPT-2 is usually trained with; Muon's own are its authors'. */
static struct model_update
update_of(const struct trainer_options *o, uint64_t step)
{
	struct model_update u = { .optimizer = o->optimizer, .beta1 = 0.9, .beta2 = 0.98, .epsilon = 1e-9 };

	if (o->optimizer != MODEL_ADAM_TF)
		u = (struct model_update){ .optimizer = o->optimizer, .beta1 = 0.9, .beta2 = 0.95, .epsilon = 1e-8, .decay = 0.1, .clip = 1,
			.momentum = 0.95 };
	u.rate = trainer_rate(o, step);
	u.muon_rate = o->muon_rate * part_of_rate(o, step);
	return u;
}

/* What is not as it usually is, so that a recipe stays the same when there is something new to choose. */
static void
write_specials(const struct trainer_options *o, char *at, size_t room)
{
	CLEANUP(buf_release) struct buf buf = { 0 };
	const struct model_config *c = &o->config;

	if (o->data.padding == LOADER_BUCKETED)
		buf_puts(&buf, " bucketed");
	if (o->data.dev_from)
		buf_printf(&buf, " dev from %" PRIu64, o->data.dev_from);
	if (c->arch == MODEL_LLAMA)
		buf_printf(&buf, " %zu kv %s theta %a rope %d %a %a %a %zu", c->kv_heads, c->tied ? "tied" : "untied", c->rope.theta,
			(int)c->rope.kind, c->rope.factor, c->rope.low, c->rope.high, c->rope.original);
	if (o->optimizer != trainer_usual(c->arch))
		buf_printf(&buf, " optimizer %s", trainer_optimizer_name(o->optimizer));
	if (o->optimizer == MODEL_MUON)
		buf_printf(&buf, " muon %a", o->muon_rate);
	if (o->init)
		buf_printf(&buf, " init %08x", (unsigned)o->init_digest);
	snprintf(at, room, "%s", buf_text(&buf));
}

/* All that the numbers depend on, but for how long it goes. */
static void
write_recipe(const struct trainer_options *o, const struct shard *shard, const struct ops_device *d, char ret[CHECKPOINT_RECIPE_MAX])
{
	const struct model_config *c = &o->config;

	snprintf(ret, CHECKPOINT_RECIPE_MAX,
		"%s %zu layers %zu channels %zu heads %zu inner %zu tokens %zu context dropout %a epsilon %a smoothing %a data %08x batch %zu "
		"loss %s dev %a rate %a warmup %" PRIu64 " seed %" PRIu64 " precision %s",
		model_arch_name(c->arch), c->layers, c->channels, c->heads, c->inner, c->vocabulary, c->context, c->dropout, c->epsilon,
		c->smoothing, shard_digest(shard), o->data.tokens, o->data.target_only ? "title" : "all", o->data.dev_share, o->rate,
		o->warmup, o->seed, d->precision == OPS_BF16 ? "bf16" : "f32");
	write_specials(o, ret + strlen(ret), CHECKPOINT_RECIPE_MAX - strlen(ret));
}

void
trainer_name(const struct trainer_options *options, const struct shard *shard, const struct ops_device *device, struct buf *ret)
{
	char recipe[CHECKPOINT_RECIPE_MAX];

	write_recipe(options, shard, device, recipe);
	buf_printf(ret, "%s-%08x", model_arch_name(options->config.arch), events_crc(recipe, strlen(recipe)));
}

/* What is known of a training that goes on with other data, or at another rate: its losses are none of this one's. */
static void
adopt(struct checkpoint_state *state, const char *recipe)
{
	state->cursor = (struct loader_cursor){ 0 };
	state->best = state->least = (double)INFINITY;
	state->best_step = state->above = 0;
	snprintf(state->recipe, sizeof(state->recipe), "%s", recipe);
}

/* 1: it is damaged; *err says how. */
static int
resume_from(struct trainer *t, const char *path, struct error *err)
{
	struct checkpoint_state state;
	bool other;

	if (checkpoint_read_state(path, &state, err))
		return 1;
	other = strcmp(state.recipe, t->state.recipe) != 0;
	if (other && !t->options.adopt)
		return error_set(err, "`%s` is of another training: take another folder for this one (there: %s; here: %s)", path, state.recipe,
			t->state.recipe);
	if (checkpoint_load(path, t->model, true, err))
		return 1;
	if (other) {
		adopt(&state, t->state.recipe);
		buf_printf(&t->warning, "%s`%s` is of another training of such a model: it goes on with this data, from its beginning",
			t->warning.len ? "; " : "", path);
	}
	t->state = state;
	return 0;
}

static void
warn(struct trainer *t, const char *path, const struct error *why)
{
	buf_printf(&t->warning, "%s`%s` is damaged (%s); it was set aside, and the one before it is taken", t->warning.len ? "; " : "", path, why->text);
}

/* The newer ones than the one that was whole. */
static int
set_aside(struct trainer *t, size_t n, struct error *err)
{
	while (n--) {
		CLEANUP(buf_release) struct buf path = { 0 };

		if (checkpoint_newest(t->options.folder, 0, &path, err) < 0 || checkpoint_set_aside(buf_text(&path), err))
			return -1;
	}
	return 0;
}

static int
resume(struct trainer *t, struct error *err)
{
	CLEANUP(buf_release) struct buf path = { 0 };
	struct error why;
	size_t nth = 0;
	int found;

	for (; (found = checkpoint_newest(t->options.folder, nth, &path, err)) > 0; nth++) {
		int result = resume_from(t, buf_text(&path), &why);

		if (result < 0)
			return error_set(err, "%s", why.text);
		if (!result)
			return set_aside(t, nth, err) || checkpoint_mend(t->options.folder, &t->state, err) ? -1 : 0;
		warn(t, buf_text(&path), &why);
		buf_clear(&path);
	}
	if (nth)
		return error_set(err, "no checkpoint of `%s` is whole: %s; remove the folder to begin anew", t->options.folder, buf_text(&t->warning));
	return found;
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
	t->model = model_new(device, &o->config, o->data.tokens, purpose_of(o), o->seed, err);
	if (!t->model || (o->init && checkpoint_load(o->init, t->model, false, err)))
		return -1;
	return o->folder ? resume(t, err) : 0;
}

struct trainer *
trainer_open(struct ops_device *device, const struct shard *shard, const struct trainer_options *options, struct error *err)
{
	struct trainer *t = xcalloc(1, sizeof(*t));

	*t = (struct trainer){ .options = *options, .state = { .best = (double)INFINITY, .least = (double)INFINITY }, .lock = -1 };
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
	buf_release(&t->warning);
	free(t);
}

uint64_t
trainer_done(const struct trainer *t)
{
	return t->state.step;
}

const char *
trainer_warning(const struct trainer *t)
{
	return t->warning.len ? buf_text(&t->warning) : NULL;
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

/* ---- a step ---- */

/* Numbers of the batch's documents, as they stand in the data, from 1. */
static void
write_documents(const struct trainer *t, const struct trainer_step *s, struct buf *buf)
{
	const uint32_t *documents;
	size_t n = loader_batch_documents(t->loader, &(struct loader_cursor){ s->epoch, s->batch }, &documents);

	buf_puts(buf, n == 1 ? "document " : "documents ");
	for (size_t i = 0; i < n && i < TRAINER_DOCUMENTS_NAMED; i++)
		buf_printf(buf, "%s%" PRIu32, i ? ", " : "", documents[i] + 1);
	if (n > TRAINER_DOCUMENTS_NAMED)
		buf_printf(buf, " and %zu more", n - TRAINER_DOCUMENTS_NAMED);
}

static int
diverged(const struct trainer *t, const struct trainer_step *s, const char *what, struct error *err)
{
	CLEANUP(buf_release) struct buf kept = { 0 }, documents = { 0 };

	write_documents(t, s, &documents);
	if (t->options.folder && checkpoint_newest(t->options.folder, 0, &kept, NULL) > 0)
		buf_printf(&kept, " is kept; another training may begin with the best, --init %s/best", t->options.folder);
	else
		buf_puts(&kept, "no checkpoint was written before");
	return error_set(err, "step %" PRIu64 " (epoch %" PRIu64 ", batch %" PRIu64 ": %s): %s; try a smaller lr than %g, "
			      "or a longer warm-up than %" PRIu64 " steps (%s)",
		s->step, s->epoch + 1, s->batch + 1, buf_text(&documents), what, t->options.rate, t->options.warmup, buf_text(&kept));
}

/* The state that a step leaves behind, which is the trainer's only if the step is taken. */
static int
watch_loss(const struct trainer *t, const struct trainer_step *s, struct checkpoint_state *state, struct error *err)
{
	double share = 1.0 / (s->step < TRAINER_MEAN_STEPS ? (double)s->step : TRAINER_MEAN_STEPS);
	char what[160];

	if (!isfinite(s->result.loss) || !isfinite(s->result.norm))
		return diverged(t, s, isfinite(s->result.loss) ? "the gradients are no numbers any more" : "the loss is no number any more", err);
	state->mean += share * (s->result.loss - state->mean);
	if (s->step >= TRAINER_MEAN_STEPS && state->mean < state->least)
		state->least = state->mean;
	state->above = state->mean > TRAINER_FAR * state->least + TRAINER_FAR_AT_LEAST ? state->above + 1 : 0;
	if (state->above < TRAINER_PATIENCE)
		return 0;
	snprintf(what, sizeof(what), "the loss has been about %.3g for %d steps, and was %.3g before: the training diverges", state->mean,
		TRAINER_PATIENCE, state->least);
	return diverged(t, s, what, err);
}

/* What a device has no memory for shows only when it is told what to do. */
static int
explain_failure(const struct trainer *t, const struct loader_cursor *cursor, struct error *err)
{
	const struct trainer_options *o = &t->options;
	struct error why;

	if (err && strstr(err->text, "memory")) {
		why = *err;
		error_set(err, "%.1500s; the training was to take %zu MiB: lower --batch-tokens (%zu), or take a smaller --size", why.text,
			model_memory(&o->config, model_device(t->model), o->data.tokens, true) >> 20, o->data.tokens);
	}
	return error_prefix(err, "step %" PRIu64 " (epoch %" PRIu64 ", batch %" PRIu64 ")", t->state.step + 1, cursor->epoch + 1, cursor->batch);
}

int
trainer_step(struct trainer *t, struct trainer_step *ret, struct error *err)
{
	struct model_update update = update_of(&t->options, t->state.step);
	struct checkpoint_state state = t->state;
	const struct model_batch *batch;
	int trained;

	if (loader_next(t->loader, &state.cursor, &batch, err))
		return -1;
	trained = model_train(t->model, batch, &update, t->options.seed, t->state.step, &ret->result, err);
	if (trained)
		return trained < 0 ? explain_failure(t, &state.cursor, err) : trained;
	ret->step = ++state.step;
	ret->epoch = state.cursor.epoch;
	ret->batch = state.cursor.batch - 1;
	ret->tokens = loader_tokens(t->loader);
	ret->rate = update.rate;
	state.tokens += ret->tokens;
	if (watch_loss(t, ret, &state, err))
		return -1;
	t->state = state;
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
