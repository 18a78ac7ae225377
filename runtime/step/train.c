#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/macros.h"
#include "runtime/step/step.h"
#include "runtime/step/train.h"
#include "runtime/train/events.h"
#include "runtime/train/trainer.h"

enum { DEV_BATCHES = 8 /* that are looked at each time */ };

static const double SAY_EVERY = 2; /* seconds */

/* Set by a signal: the step at hand is the last one. */
static volatile sig_atomic_t stop_asked;

static void
ask_stop(int number)
{
	(void)number;
	stop_asked = 1;
}

struct train {
	const struct step_call *call;
	struct train_setup setup;
	struct trainer *trainer;
	struct events *events;
	struct buf curve;

	double begun, said; /* seconds of the clock */
	uint64_t first; /* steps that were done before this start */
	uint64_t tokens; /* since `said` */
	double loss; /* summed, since the curve's last row */
	uint64_t losses;
	struct model_result last, dev;
};

static double
now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- what is said ---- */

static void
say_time(double seconds)
{
	if (seconds < 60)
		printf("%.0f s", seconds);
	else if (seconds < 3600)
		printf("%.0f min %.0f s", floor(seconds / 60), fmod(seconds, 60));
	else
		printf("%.0f h %.0f min", floor(seconds / 3600), floor(fmod(seconds, 3600) / 60));
}

static double
time_left(const struct train *t, double at)
{
	double gone = at - t->begun, left = (double)INFINITY;
	uint64_t done = trainer_done(t->trainer);

	if (t->setup.steps && done > t->first)
		left = gone / (double)(done - t->first) * (double)(t->setup.steps - done);
	if (t->setup.seconds > 0)
		left = fmin(left, t->setup.seconds - gone);
	return fmax(left, 0);
}

static void
say_step(struct train *t, const struct trainer_step *s, double at)
{
	printf("step %" PRIu64, s->step);
	if (t->setup.steps)
		printf(" of %" PRIu64, t->setup.steps);
	printf(" (epoch %" PRIu64 "): loss %.4f, %.1f %% right, %.0f tokens/s, ", s->epoch + 1, s->result.loss, 100 * s->result.accuracy,
		(double)t->tokens / (at - t->said));
	say_time(time_left(t, at));
	puts(" left");
	fflush(stdout);
	t->said = at;
	t->tokens = 0;
}

static void
say_beginning(const struct train *t)
{
	struct loader *loader = trainer_loader(t->trainer);
	const struct trainer_options *o = &t->setup.options;

	printf("device: %s, %d threads, %s\n", t->setup.device->name, t->setup.device->threads, t->setup.device->precision == OPS_BF16 ? "bf16" : "f32");
	printf("model: %s, %zu layers, %zu channels, %zu parameters\n", model_arch_name(o->config.arch), o->config.layers, o->config.channels,
		params_count(model_params(trainer_model(t->trainer))));
	printf("data: %zu documents to learn from, %zu to look at, %zu batches of up to %zu tokens in an epoch, %.1f %% of them useful\n",
		loader_documents(loader, false), loader_documents(loader, true), loader_batches(loader, 0), o->data.tokens,
		100 * loader_useful(loader, 0));
	if (loader_cut(loader))
		printf("%zu documents are longer than %zu tokens and were cut\n", loader_cut(loader), o->data.context);
	if (o->folder)
		printf("checkpoints: %s\n", o->folder);
	if (trainer_done(t->trainer))
		printf("goes on behind step %" PRIu64 "\n", trainer_done(t->trainer));
	fflush(stdout);
}

/* ---- one step after the other ---- */

/* Which scalars of a step go into the event file. */
static int
write_events(struct train *t, const struct trainer_step *s, double rate, struct error *err)
{
	double wall = now(CLOCK_REALTIME);
	int64_t step = (int64_t)s->step;

	if (!t->events)
		return 0;
	return events_scalar(t->events, step, wall, "loss", s->result.loss, err) ||
	       events_scalar(t->events, step, wall, "accuracy", s->result.accuracy, err) ||
	       events_scalar(t->events, step, wall, "gradient_norm", s->result.norm, err) ||
	       events_scalar(t->events, step, wall, "learning_rate", s->rate, err) ||
	       events_scalar(t->events, step, wall, "tokens_per_second", rate, err) ? -1 : 0;
}

/* Looks at dev, writes a row of the curve and a checkpoint. */
static int
take_stock(struct train *t, const struct trainer_step *s, struct error *err)
{
	double best = trainer_best(t->trainer);

	if (trainer_evaluate(t->trainer, DEV_BATCHES, &t->dev, err))
		return -1;
	buf_printf(&t->curve, "%" PRIu64 ",%.6f,", s->step, t->loss / (double)t->losses);
	t->loss = 0;
	t->losses = 0;
	if (t->dev.weight > 0) {
		buf_printf(&t->curve, "%.6f", t->dev.loss);
		printf("step %" PRIu64 ": dev loss %.4f, %.1f %% right%s\n", s->step, t->dev.loss, 100 * t->dev.accuracy,
			t->dev.loss < best ? ", the best so far" : "");
		fflush(stdout);
		if (t->events && (events_scalar(t->events, (int64_t)s->step, now(CLOCK_REALTIME), "dev/loss", t->dev.loss, err) ||
					 events_scalar(t->events, (int64_t)s->step, now(CLOCK_REALTIME), "dev/accuracy", t->dev.accuracy, err)))
			return -1;
	}
	buf_printf(&t->curve, ",%.8g\n", s->rate);
	return trainer_save(t->trainer, err);
}

static bool
is_over(const struct train *t)
{
	return stop_asked || (t->setup.steps && trainer_done(t->trainer) >= t->setup.steps) ||
	       (t->setup.seconds > 0 && now(CLOCK_MONOTONIC) - t->begun >= t->setup.seconds);
}

static int
run_steps(struct train *t, struct error *err)
{
	struct trainer_step s = { 0 };
	bool stock = true;

	t->begun = t->said = now(CLOCK_MONOTONIC);
	t->first = trainer_done(t->trainer);
	while (!is_over(t)) {
		double from = now(CLOCK_MONOTONIC), at;
		int taken;

		taken = trainer_step(t->trainer, &s, err);
		if (taken < 0)
			return -1;
		if (taken > 0)
			break;
		at = now(CLOCK_MONOTONIC);
		t->last = s.result;
		t->tokens += s.tokens;
		t->loss += s.result.loss;
		t->losses++;
		if (write_events(t, &s, (double)s.tokens / (at - from), err))
			return -1;
		if (at - t->said >= SAY_EVERY || s.step == t->first + 1)
			say_step(t, &s, at);
		stock = s.step % t->setup.every == 0;
		if (stock && take_stock(t, &s, err))
			return -1;
	}
	/* Who stops it waits for a few seconds only. */
	if (stop_asked)
		return trainer_save(t->trainer, err);
	return !stock ? take_stock(t, &s, err) : 0;
}

/* ---- outputs ---- */

static void
add_metric(struct buf *buf, const char *name, double number)
{
	if (isfinite(number))
		buf_printf(buf, "%s{\"name\":\"%s\",\"numberValue\":%.9g,\"format\":\"RAW\"}", buf->data[buf->len - 1] == '[' ? "" : ",", name,
			number);
}

static int
write_text(const struct train *t, const char *option, const struct buf *text, struct error *err)
{
	return *step_text(t->call, option) ? step_write(step_text(t->call, option), text, err) : 0;
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
	if (events_close(t->events, err)) {
		t->events = NULL;
		return -1;
	}
	t->events = NULL;
	return write_text(t, "metrics", &metrics, err) || write_text(t, "curve", &t->curve, err) || write_text(t, "dev-loss", &dev, err) ||
	       checkpoint_write_model(step_text(t->call, "output"), trainer_model(t->trainer), &t->setup.tokenizer, err) ? -1 : 0;
}

static int
train(struct train *t, struct error *err)
{
	struct sigaction action = { .sa_handler = ask_stop };

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	t->trainer = trainer_open(t->setup.device, t->setup.shard, &t->setup.options, err);
	if (!t->trainer)
		return -1;
	model_watch(trainer_model(t->trainer), &stop_asked);
	say_beginning(t);
	if (*step_text(t->call, "events")) {
		t->events = events_open(step_text(t->call, "events"), now(CLOCK_REALTIME), err);
		if (!t->events)
			return -1;
	}
	buf_puts(&t->curve, "step,loss,dev_loss,learning_rate\n");
	if (run_steps(t, err))
		return -1;
	if (stop_asked)
		return error_set(err, "stopped behind step %" PRIu64 "; %s", trainer_done(t->trainer),
			t->setup.options.folder ? "its checkpoint is kept, and the same training goes on from there" :
					    "with no folder for checkpoints nothing of it is kept");
	if (t->first == trainer_done(t->trainer)) {
		printf("nothing is left to do: step %" PRIu64 " was reached before\n", t->first);
		if (trainer_evaluate(t->trainer, DEV_BATCHES, &t->dev, err))
			return -1;
	}
	return write_outputs(t, err);
}

int
step_train(const struct step_call *call, struct error *err)
{
	struct train t = { .call = call };
	int result = train_setup(call, &t.setup, err) || train(&t, err) ? -1 : 0;

	events_close(t.events, NULL);
	trainer_close(t.trainer);
	train_setup_release(&t.setup);
	buf_release(&t.curve);
	return result;
}
