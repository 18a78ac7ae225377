#include "config.h"

#include "runtime/step/train_events.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/macros.h"

enum { SETTINGS_MAX = 24, LARGEST_HISTOGRAM = 1 << 24 /* numbers: what is larger takes too long to fetch and to count */ };

static double
wall(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static size_t
list_settings(const struct train_setup *setup, struct events_setting ret[SETTINGS_MAX])
{
	const struct trainer_options *o = &setup->options;
	const struct events_setting all[] = {
		{ "arch", model_arch_name(o->config.arch), 0 },
		{ "layers", NULL, (double)o->config.layers },
		{ "channels", NULL, (double)o->config.channels },
		{ "heads", NULL, (double)o->config.heads },
		{ "vocabulary", NULL, (double)o->config.vocabulary },
		{ "context", NULL, (double)o->config.context },
		{ "dropout", NULL, o->config.dropout },
		{ "optimizer", trainer_optimizer_name(o->optimizer), 0 },
		{ "lr", NULL, o->rate },
		{ "warmup", NULL, (double)o->warmup },
		{ "batch_tokens", NULL, (double)o->data.tokens },
		{ "loss_on", o->data.target_only ? "title" : "all", 0 },
		{ "seed", NULL, (double)o->seed },
		{ "precision", setup->device->precision == OPS_BF16 ? "bf16" : "f32", 0 },
		{ "device", setup->device->name, 0 },
	};

	_Static_assert(ARRAY_LEN(all) <= SETTINGS_MAX, "there is room for all settings");
	memcpy(ret, all, sizeof(all));
	return ARRAY_LEN(all);
}

static void
write_table(struct buf *buf, const struct events_setting *settings, size_t n)
{
	buf_puts(buf, "| setting | |\n|---|---|\n");
	for (size_t i = 0; i < n; i++) {
		if (settings[i].text)
			buf_printf(buf, "| %s | %s |\n", settings[i].name, settings[i].text);
		else
			buf_printf(buf, "| %s | %.6g |\n", settings[i].name, settings[i].number);
	}
}

int
train_events_open(struct train_events *e, const char *folder, const struct train_setup *setup, struct error *err)
{
	CLEANUP(buf_release) struct buf table = { 0 }, group = { 0 };
	struct events_setting settings[SETTINGS_MAX];
	size_t n = list_settings(setup, settings);

	*e = (struct train_events){ 0 };
	if (!*folder)
		return 0;
	e->events = events_open(folder, wall(), err);
	if (!e->events)
		return -1;
	write_table(&table, settings, n);
	trainer_name(&setup->options, setup->shard, setup->device, &group);
	return events_settings(e->events, wall(), buf_text(&group), settings, n, err) ||
	       events_text(e->events, 0, wall(), "config", buf_text(&table), err) ? -1 : 0;
}

int
train_events_step(struct train_events *e, const struct trainer_step *s, double speed, struct error *err)
{
	const struct { const char *tag; double number; } scalars[] = {
		{ "loss", s->result.loss }, { "accuracy", s->result.accuracy }, { "gradient_norm", s->result.norm }, { "learning_rate", s->rate },
		{ "tokens_per_second", speed },
	};
	double at = wall();

	for (size_t i = 0; e->events && i < ARRAY_LEN(scalars); i++)
		if (events_scalar(e->events, (int64_t)s->step, at, scalars[i].tag, scalars[i].number, err))
			return -1;
	return 0;
}

/* ---- histograms ---- */

/* The embedding, and the matrices of the first and the last layer. */
static bool
is_chosen(const struct params *params, size_t i, size_t layers)
{
	const struct param *p = &params->items[i];
	char first[32], last[32];

	if (!p->rows || p->n > LARGEST_HISTOGRAM)
		return false;
	snprintf(first, sizeof(first), ".0.");
	snprintf(last, sizeof(last), ".%zu.", layers - 1);
	return i == params->embedding || strstr(p->name, first) || strstr(p->name, last);
}

static int
write_histogram(struct events *events, uint64_t step, const struct model *model, enum model_slab slab, const struct param *p, struct error *err)
{
	float *numbers = xmalloc((p->n + 1) * sizeof(*numbers));
	char tag[PARAM_NAME_MAX + 16];
	int result;

	snprintf(tag, sizeof(tag), "%s/%s", slab == MODEL_GRADIENTS ? "gradients" : "weights", p->name);
	model_get(model, slab, p, numbers);
	result = events_histogram(events, (int64_t)step, wall(), tag, numbers, p->n, err);
	free(numbers);
	return result;
}

static int
write_histograms(struct events *events, uint64_t step, const struct model *model, struct error *err)
{
	const struct params *params = model_params(model);

	for (size_t i = 0; i < params->n; i++)
		if (is_chosen(params, i, model_config(model)->layers) &&
		    (write_histogram(events, step, model, MODEL_WEIGHTS, &params->items[i], err) ||
			    write_histogram(events, step, model, MODEL_GRADIENTS, &params->items[i], err)))
			return -1;
	return 0;
}

int
train_events_stock(struct train_events *e, uint64_t step, struct trainer *trainer, const struct model_result *dev,
	const struct train_samples *samples, struct error *err)
{
	CLEANUP(buf_release) struct buf table = { 0 };

	if (!e->events)
		return 0;
	if (dev->weight > 0 && (events_scalar(e->events, (int64_t)step, wall(), "dev/loss", dev->loss, err) ||
				       events_scalar(e->events, (int64_t)step, wall(), "dev/accuracy", dev->accuracy, err)))
		return -1;
	if (samples->n) {
		train_samples_write(samples, &table);
		if (events_text(e->events, (int64_t)step, wall(), "samples", buf_text(&table), err))
			return -1;
	}
	return write_histograms(e->events, step, trainer_model(trainer), err);
}

int
train_events_close(struct train_events *e, bool well, struct error *err)
{
	struct events *events = e->events;

	e->events = NULL;
	if (!events)
		return 0;
	if (events_ended(events, wall(), well, err)) {
		events_close(events, NULL);
		return -1;
	}
	return events_close(events, err);
}
