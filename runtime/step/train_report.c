#include "config.h"

#include "runtime/step/train_report.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/utf8.h"

static const double TELL_EVERY = 0.25, SAY_EVERY = 10, SAY_EVERY_BESIDE = 30; /* seconds; the last where a chart is drawn */

enum { COLUMNS_MIN = 20, COLUMNS_MAX = 500 };

double
train_report_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void
write_time(struct buf *buf, double seconds)
{
	if (seconds < 60)
		buf_printf(buf, "%.0f s", seconds);
	else if (seconds < 3600)
		buf_printf(buf, "%.0f min %.0f s", floor(seconds / 60), floor(fmod(seconds, 60)));
	else
		buf_printf(buf, "%.0f h %.0f min", floor(seconds / 3600), floor(fmod(seconds, 3600) / 60));
}

/* Three digits are all that there is to know of a speed. */
static void
write_speed(struct buf *buf, double rate, double left)
{
	double unit = rate >= 1000 ? pow(10, floor(log10(rate)) - 2) : 1;

	buf_printf(buf, "%.0f tokens/s", round(rate / unit) * unit);
	if (isfinite(left)) {
		buf_puts(buf, ", ");
		write_time(buf, left);
		buf_puts(buf, " left");
	}
}

/* ---- numbers ---- */

static void
tell(struct train_report *r, const struct buf *line)
{
	if (r->progress && (fwrite(line->data, 1, line->len, r->progress) != line->len || fflush(r->progress))) {
		fclose(r->progress);
		r->progress = NULL;
	}
	kept_add(&r->kept, buf_text(line), line->len);
}

void
train_report_open(struct train_report *r, const char *folder, uint64_t done, uint64_t steps)
{
	const char *path = getenv("LATEEN_PROGRESS");
	CLEANUP(buf_release) struct buf before = { 0 };

	*r = (struct train_report){ .terminal = isatty(STDOUT_FILENO), .steps = steps };
	if (path && *path)
		r->progress = fopen(path, "abe");
	kept_open(&r->kept, folder, "progress", done, &before);
	if (r->progress && before.len) {
		fwrite(before.data, 1, before.len, r->progress);
		fflush(r->progress);
	}
	r->told = train_report_now();
	r->every = r->progress ? SAY_EVERY_BESIDE : SAY_EVERY;
	r->said = r->told - r->every; /* the first step is told at once */
}

static void
erase_line(struct train_report *r)
{
	if (r->drawn)
		fputs("\r\033[K", stdout);
	r->drawn = false;
}

void
train_report_close(struct train_report *r)
{
	if (r->drawn)
		putchar('\n');
	r->drawn = false;
	if (r->progress)
		fclose(r->progress);
	r->progress = NULL;
	kept_close(&r->kept);
}

/* ---- lines ---- */

static void
write_step(struct buf *buf, const struct train_report *r, const struct trainer_step *s, double left)
{
	buf_printf(buf, "step %" PRIu64, s->step);
	if (r->steps)
		buf_printf(buf, " of %" PRIu64, r->steps);
	buf_printf(buf, " (epoch %" PRIu64 "): loss %.4f, %.1f %% right, ", s->epoch + 1, s->result.loss, 100 * s->result.accuracy);
	write_speed(buf, r->rate, left);
}

/* A line that is wider than the terminal would leave its first part behind. */
static int
columns(void)
{
	struct winsize size;
	int n = !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) ? size.ws_col : 80;

	return n < COLUMNS_MIN ? 80 : n > COLUMNS_MAX ? COLUMNS_MAX : n;
}

static void
say_step(struct train_report *r, const struct trainer_step *s, double left, double at)
{
	CLEANUP(buf_release) struct buf line = { 0 };

	write_step(&line, r, s, left);
	if (r->terminal) {
		printf("\r%.*s\033[K", columns() - 1, buf_text(&line));
		r->drawn = true;
	} else if (at - r->said >= r->every) {
		puts(buf_text(&line));
		r->said = at;
	}
	fflush(stdout);
}

void
train_report_step(struct train_report *r, const struct trainer_step *s, double left)
{
	CLEANUP(buf_release) struct buf line = { 0 };
	double at = train_report_now();

	r->loss += s->result.loss;
	r->losses++;
	r->tokens += s->tokens;
	if (at - r->told < TELL_EVERY && r->rate > 0 && s->step != r->steps)
		return;
	r->rate = (double)r->tokens / fmax(at - r->told, 1e-9);
	buf_printf(&line, "{\"step\":%" PRIu64 ",\"loss\":%.6g,", s->step, r->loss / (double)r->losses);
	if (r->steps)
		buf_printf(&line, "\"of\":%" PRIu64 ",", r->steps);
	buf_puts(&line, "\"text\":\"");
	write_speed(&line, r->rate, left);
	buf_puts(&line, "\"}\n");
	tell(r, &line);
	say_step(r, s, left, at);
	r->told = at;
	r->loss = 0;
	r->losses = r->tokens = 0;
}

static void
say_text(const struct buf *text)
{
	CLEANUP(buf_release) struct buf clean = { 0 };

	utf8_sanitise(&clean, buf_text(text), text->len);
	for (size_t i = 0; i < clean.len; i++)
		if ((unsigned char)clean.data[i] < ' ' || clean.data[i] == 127)
			clean.data[i] = ' ';
	printf("\"%s\"", buf_text(&clean));
}

void
train_report_samples(const struct train_samples *samples)
{
	if (!samples->n)
		return;
	fputs("  its title: ", stdout);
	say_text(&samples->items[0].made);
	fputs(", the author's: ", stdout);
	say_text(&samples->items[0].title);
	putchar('\n');
	fflush(stdout);
}

void
train_report_end(struct train_report *r, uint64_t step, uint64_t tokens, double seconds)
{
	CLEANUP(buf_release) struct buf line = { 0 }, text = { 0 };

	write_speed(&text, (double)tokens / fmax(seconds, 1e-9), (double)INFINITY);
	buf_puts(&text, ", ");
	write_time(&text, seconds);
	buf_printf(&line, "{\"step\":%" PRIu64 ",\"text\":\"%s\"}\n", step, buf_text(&text));
	tell(r, &line);
	erase_line(r);
	printf("step %" PRIu64 ": %s in all\n", step, buf_text(&text));
	fflush(stdout);
}

void
train_report_dev(struct train_report *r, uint64_t step, const struct model_result *dev, bool best)
{
	CLEANUP(buf_release) struct buf line = { 0 };

	buf_printf(&line, "{\"step\":%" PRIu64 ",\"dev_loss\":%.6g}\n", step, dev->loss);
	tell(r, &line);
	erase_line(r);
	printf("step %" PRIu64 ": dev loss %.4f, %.1f %% right%s\n", step, dev->loss, 100 * dev->accuracy, best ? ", the best so far" : "");
	fflush(stdout);
	r->told = train_report_now(); /* the time that the look took is none of the steps' */
	r->loss = 0;
	r->losses = r->tokens = 0;
}
