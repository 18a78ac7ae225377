#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/step/kept.h"
#include "runtime/step/memory.h"
#include "runtime/step/step.h"
#include "runtime/step/train.h"
#include "runtime/step/train_events.h"
#include "runtime/step/train_report.h"
#include "runtime/step/train_samples.h"
#include "runtime/step/ui_metadata.h"
#include "runtime/train/trainer.h"

enum { DEV_BATCHES = 8 /* that are looked at each time */, EXACT_DOCUMENTS = 50000000 };

/* Set by a signal: the step at hand is the last one. */
static volatile sig_atomic_t stop_asked;

static void
ask_stop(int number)
{
	(void)number;
	stop_asked = 1;
}

struct train {
	const struct train_files *files;
	const struct train_setup *setup;
	struct trainer *trainer;
	struct train_events events;
	struct train_samples samples;
	struct train_report report;
	struct kept kept; /* the curve's rows */
	struct buf curve;

	double begun; /* seconds of the clock */
	uint64_t first; /* steps that were done before this start */
	uint64_t steps; /* when it ends; 0: by the time alone */
	double loss; /* summed, since the curve's last row */
	uint64_t losses, tokens; /* tokens: of this start */
	struct model_result last, dev;
};

/* ---- what is said ---- */

static double
time_left(const struct train *t, double at)
{
	double gone = at - t->begun, left = (double)INFINITY;
	uint64_t done = trainer_done(t->trainer);

	if (t->steps && done > t->first)
		left = gone / (double)(done - t->first) * (double)(t->steps - done);
	if (t->setup->seconds > 0)
		left = fmin(left, t->setup->seconds - gone);
	return fmax(left, 0);
}

static void
say_beginning(const struct train *t)
{
	struct loader *loader = trainer_loader(t->trainer);
	const struct trainer_options *o = &t->setup->options;

	printf("model: %s, %zu layers, %zu channels, %zu parameters, %s\n", model_arch_name(o->config.arch), o->config.layers, o->config.channels,
		params_count(model_params(trainer_model(t->trainer))), trainer_optimizer_name(o->optimizer));
	if (o->init && !trainer_done(t->trainer))
		printf("begins with the weights of %s\n", o->init);
	printf("data: %zu documents to learn from, %zu to look at, %zu batches of up to %zu tokens in an epoch, %.1f %% of them useful\n",
		loader_documents(loader, false), loader_documents(loader, true), loader_batches(loader, 0), o->data.tokens,
		100 * loader_useful(loader, 0));
	if (loader_cut(loader))
		printf("%zu documents are longer than %zu tokens and were cut\n", loader_cut(loader), o->data.context);
	if (o->folder)
		printf("checkpoints: %s\n", o->folder);
	if (trainer_warning(t->trainer))
		printf("warning: %s\n", trainer_warning(t->trainer));
	if (trainer_done(t->trainer))
		printf("goes on behind step %" PRIu64 "\n", trainer_done(t->trainer));
	fflush(stdout);
}

static void
say_memory(const struct train *t)
{
	size_t took = memory_peak();

	if (took && !t->setup->device->ops->available)
		printf("memory: at most %zu MiB were taken, %zu were promised\n", took >> 20, t->setup->memory >> 20);
}

/* How many steps so many epochs are. Epochs differ by a batch or two; of very many the first stands for all. */
static uint64_t
steps_of_epochs(struct loader *loader, uint64_t epochs)
{
	uint64_t steps = 0;

	if (epochs * (uint64_t)loader_documents(loader, false) > EXACT_DOCUMENTS)
		return epochs * (uint64_t)loader_batches(loader, 0);
	for (uint64_t i = 0; i < epochs; i++)
		steps += loader_batches(loader, i);
	return steps;
}

/* Whichever comes first. */
static void
find_end(struct train *t)
{
	uint64_t epochs = t->setup->epochs ? steps_of_epochs(trainer_loader(t->trainer), t->setup->epochs) : 0;

	t->steps = t->setup->steps;
	if (epochs && (!t->steps || epochs < t->steps))
		t->steps = epochs;
}

/* ---- one step after the other ---- */

static void
add_row(struct train *t, const struct trainer_step *s)
{
	size_t at = t->curve.len;

	buf_printf(&t->curve, "%" PRIu64 ",%.6f,", s->step, t->loss / (double)t->losses);
	if (t->dev.weight > 0)
		buf_printf(&t->curve, "%.6f", t->dev.loss);
	buf_printf(&t->curve, ",%.8g\n", s->rate);
	if (!t->curve.overflow)
		kept_add(&t->kept, t->curve.data + at, t->curve.len - at);
	t->loss = 0;
	t->losses = 0;
}

/* Looks at dev, writes a row of the curve and a checkpoint. */
static int
take_stock(struct train *t, const struct trainer_step *s, struct error *err)
{
	double best = trainer_best(t->trainer);

	if (trainer_evaluate(t->trainer, DEV_BATCHES, &t->dev, err))
		return -1;
	if (t->dev.weight > 0)
		train_report_dev(&t->report, s->step, &t->dev, t->dev.loss < best);
	if (train_samples_make(&t->samples, t->trainer, t->setup->reader, err) ||
	    train_events_stock(&t->events, s->step, t->trainer, &t->dev, &t->samples, err))
		return -1;
	train_report_samples(&t->samples);
	if (trainer_save(t->trainer, err))
		return -1;
	add_row(t, s);
	return 0;
}

static bool
is_over(const struct train *t)
{
	return stop_asked || (t->steps && trainer_done(t->trainer) >= t->steps) ||
	       (t->setup->seconds > 0 && step_seconds() - t->begun >= t->setup->seconds);
}

/* 1: stopped within it. */
static int
run_step(struct train *t, struct trainer_step *s, bool *ret_stock, struct error *err)
{
	double from = step_seconds(), at;
	int taken = trainer_step(t->trainer, s, err);

	if (taken)
		return taken;
	at = step_seconds();
	t->last = s->result;
	t->loss += s->result.loss;
	t->losses++;
	t->tokens += s->tokens;
	if (train_events_step(&t->events, s, (double)s->tokens / (at - from), err))
		return -1;
	train_report_step(&t->report, s, time_left(t, at));
	*ret_stock = s->step % t->setup->every == 0;
	return *ret_stock ? take_stock(t, s, err) : 0;
}

static int
run_steps(struct train *t, struct error *err)
{
	struct trainer_step s = { 0 };
	bool stock = true;
	int result = 0;

	t->begun = step_seconds();
	t->first = trainer_done(t->trainer);
	while (!result && !is_over(t))
		result = run_step(t, &s, &stock, err);
	if (result < 0)
		return -1;
	/* Who stops it waits for a few seconds only. */
	if (stop_asked)
		return trainer_save(t->trainer, err);
	if (!stock && take_stock(t, &s, err))
		return -1;
	if (trainer_done(t->trainer) > t->first)
		train_report_end(&t->report, trainer_done(t->trainer), t->tokens, step_seconds() - t->begun);
	return 0;
}

/* ---- outputs ---- */

static void
add_metric(struct buf *buf, const char *name, double number)
{
	if (isfinite(number))
		buf_printf(buf, "%s{\"name\":\"%s\",\"numberValue\":%.6g,\"format\":\"RAW\"}", buf->data[buf->len - 1] == '[' ? "" : ",", name,
			number);
}

static bool
is_wanted(const char *path)
{
	return path && *path;
}

static int
write_text(const char *path, const struct buf *text, struct error *err)
{
	return is_wanted(path) ? step_write(path, text, err) : 0;
}

static int
write_ui_metadata(const struct train *t, struct error *err)
{
	CLEANUP(buf_release) struct buf ui = { 0 }, page = { 0 };

	ui_metadata_begin(&ui);
	if (is_wanted(t->files->events))
		ui_metadata_tensorboard(&ui, t->files->events);
	buf_printf(&page, "%" PRIu64 " steps", trainer_done(t->trainer));
	if (t->last.weight > 0)
		buf_printf(&page, ", loss %.4f", t->last.loss);
	if (t->dev.weight > 0)
		buf_printf(&page, ", on dev %.4f", t->dev.loss);
	buf_puts(&page, "\n\n");
	if (t->samples.n)
		train_samples_write(&t->samples, &page);
	ui_metadata_markdown(&ui, buf_text(&page), page.len);
	ui_metadata_end(&ui);
	return write_text(t->files->ui_metadata, &ui, err);
}

static int
write_outputs(struct train *t, struct error *err)
{
	CLEANUP(buf_release) struct buf metrics = { 0 }, dev = { 0 };

	buf_puts(&metrics, "{\"metrics\":[");
	if (t->last.weight > 0) {
		add_metric(&metrics, "loss", t->last.loss);
		add_metric(&metrics, "accuracy", t->last.accuracy);
	}
	if (t->dev.weight > 0) {
		add_metric(&metrics, "dev-loss", t->dev.loss);
		add_metric(&metrics, "dev-accuracy", t->dev.accuracy);
	}
	add_metric(&metrics, "steps", (double)trainer_done(t->trainer));
	buf_puts(&metrics, "]}\n");
	buf_printf(&dev, "%.6f\n", t->dev.weight > 0 ? t->dev.loss : t->last.loss);
	return train_events_close(&t->events, true, err) || write_text(t->files->metrics, &metrics, err) ||
	       write_text(t->files->curve, &t->curve, err) || write_text(t->files->dev_loss, &dev, err) || write_ui_metadata(t, err) ||
	       (is_wanted(t->files->output) && checkpoint_write_model(t->files->output, trainer_model(t->trainer), &t->setup->tokenizer, err)) ||
	       (t->files->finish && t->files->finish(t->files->context, t->trainer, err)) ? -1 : 0;
}

/* What would be found out after hours only. */
static int
check_output(const char *path, struct error *err)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	bool empty = true;

	if (!dir)
		return errno == ENOENT ? 0 : error_errno(err, errno, "cannot write the model to `%s`", path);
	while ((entry = readdir(dir)))
		empty = empty && (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."));
	closedir(dir);
	return empty ? 0 : error_set(err, "the folder `%s`, for the model, is not empty", path);
}

static int
open_all(struct train *t, struct error *err)
{
	const char *folder = t->setup->options.folder;

	if (is_wanted(t->files->output) && check_output(t->files->output, err))
		return -1;
	t->trainer = trainer_open(t->setup->device, t->setup->shard, &t->setup->options, err);
	if (!t->trainer)
		return -1;
	model_watch(trainer_model(t->trainer), &stop_asked);
	find_end(t);
	say_beginning(t);
	if (train_events_open(&t->events, is_wanted(t->files->events) ? t->files->events : "", t->setup, err) ||
	    train_samples_open(&t->samples, t->trainer, t->setup->reader, err))
		return -1;
	buf_puts(&t->curve, "step,loss,dev_loss,learning_rate\n");
	kept_open(&t->kept, folder, "curve", trainer_done(t->trainer), &t->curve);
	train_report_open(&t->report, folder, trainer_done(t->trainer), t->steps);
	return 0;
}

static int
train(struct train *t, struct error *err)
{
	struct sigaction action = { .sa_handler = ask_stop };

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	if (open_all(t, err) || run_steps(t, err))
		return -1;
	train_report_close(&t->report);
	if (stop_asked)
		return error_set(err, "stopped behind step %" PRIu64 "; %s", trainer_done(t->trainer),
			t->setup->options.folder ? "its checkpoint is kept, and the same training goes on from there" :
					    "with no folder for checkpoints nothing of it is kept");
	if (t->first == trainer_done(t->trainer)) {
		printf("nothing is left to do: step %" PRIu64 " was reached before\n", t->first);
		if (trainer_evaluate(t->trainer, DEV_BATCHES, &t->dev, err))
			return -1;
	}
	say_memory(t);
	return write_outputs(t, err);
}

int
train_run(const struct train_setup *setup, const struct train_files *files, struct error *err)
{
	struct train t = { .files = files, .setup = setup };
	int result = train(&t, err);

	train_report_close(&t.report);
	kept_close(&t.kept);
	train_events_close(&t.events, false, NULL);
	train_samples_release(&t.samples);
	trainer_close(t.trainer);
	buf_release(&t.curve);
	return result;
}

int
step_train(const struct step_call *call, struct error *err)
{
	struct train_files files = { step_text(call, "metrics"), step_text(call, "curve"), step_text(call, "dev-loss"),
		step_text(call, "ui-metadata"), step_text(call, "events"), step_text(call, "output"), NULL, NULL };
	struct train_setup setup = { 0 };
	int result = train_setup(call, &setup, err) || train_run(&setup, &files, err) ? -1 : 0;

	train_setup_release(&setup);
	return result;
}
