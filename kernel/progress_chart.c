/* The chart of what steps tell: lines over steps, with a paper of its own, light or dark as the reader's system is. */
#include "config.h"

#include "kernel/progress.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dsl/graph_text.h"

enum {
	WIDTH = 720, HEIGHT = 346, LEFT = 58, RIGHT = 118, TOP = 82, BOTTOM = 44,
	SIZE = 12, LABEL_GAP = 15, COLOURS = 6,
	LABELS_MAX = PROGRESS_LINES_MAX + PROGRESS_CURVES_MAX,
	DENSE = 30, /* points from which on a curve is smoothed */
	DOTTED = 24, /* and up to which each one is a dot */
	SMOOTHED_OVER = 24, /* a smoothed point is a mean over about so many-th of the curve */
};

struct frame {
	double x_high, y_low, y_high;
};

struct label {
	double x, y;
	size_t colour;
	char text[64];
};

struct drawing {
	struct buf *buf;
	const struct progress_line *lines;
	size_t n;
	struct frame frame;
	struct label labels[LABELS_MAX];
	size_t n_labels;
};

/* ---- scales ---- */

static double
x_of(const struct frame *f, double x)
{
	return LEFT + x / f->x_high * (WIDTH - LEFT - RIGHT);
}

static double
y_of(const struct frame *f, double y)
{
	double share = (y - f->y_low) / (f->y_high - f->y_low);

	return HEIGHT - BOTTOM - fmax(-0.01, fmin(1.01, share)) * (HEIGHT - TOP - BOTTOM);
}

static size_t
points_of(const struct progress_curve *c)
{
	return c->points.n + (c->pending > 0);
}

static struct progress_point
point_of(const struct progress_curve *c, size_t i)
{
	return i < c->points.n ? c->points.items[i] : c->last;
}

static bool
set_frame(struct drawing *d)
{
	struct frame *f = &d->frame;
	bool any = false;

	*f = (struct frame){ 0, (double)INFINITY, -(double)INFINITY };
	for (size_t l = 0; l < d->n; l++) {
		const struct progress *p = d->lines[l].progress;

		f->x_high = fmax(f->x_high, fmax(p->step, p->of));
		for (size_t i = 0; i < p->n_curves; i++)
			for (size_t k = 0; k < points_of(&p->curves[i]); k++) {
				struct progress_point point = point_of(&p->curves[i], k);

				f->x_high = fmax(f->x_high, point.x);
				f->y_low = fmin(f->y_low, point.y);
				f->y_high = fmax(f->y_high, point.y);
				any = true;
			}
	}
	if (f->x_high <= 0)
		f->x_high = 1;
	if (f->y_high - f->y_low <= fmax(1e-12, fmax(fabs(f->y_low), fabs(f->y_high)) * 1e-9)) {
		f->y_low -= fabs(f->y_low) * 0.1 + 0.1;
		f->y_high += fabs(f->y_high) * 0.1 + 0.1;
	} else {
		f->y_low -= (f->y_high - f->y_low) * 0.04;
	}
	return any;
}

/* 1, 2 or 5 times a power of ten: the smallest that makes at most `most` of them. */
static double
tick_of(double range, int most)
{
	double power = pow(10, floor(log10(range / most)));
	double factor = range / most / power;

	return power * (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10);
}

static void
number_text(char *ret, size_t size, double number)
{
	if (number >= 10000 && floor(number / 1000) * 1000 == number)
		snprintf(ret, size, "%.0fk", number / 1000);
	else
		snprintf(ret, size, "%.6g", fabs(number) < 1e-12 ? 0 : number);
}

/* ---- parts ---- */

static void
put_style(struct buf *buf)
{
	static const char *const light[COLOURS] = { "#0b66b3", "#c2540a", "#0a8060", "#a8478a", "#5b628c", "#8a6400" };
	static const char *const dark[COLOURS] = { "#6cb6ff", "#f6a25a", "#57d3ae", "#ee9fd3", "#aab3e6", "#e0bd5c" };

	buf_puts(buf, "<style>text{fill:#1f2328}.p{fill:#fff}.m{fill:#59636e}.g{stroke:#e4e8ee}.a{stroke:#9aa4b2}.h{font-weight:600;font-size:15px}"
		      ".l{font-weight:600;stroke-width:4px;paint-order:stroke;stroke-linejoin:round;stroke:#fff}"
		      ".w{fill:none;stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}.r{fill:none;stroke-width:1;opacity:.3}"
		      ".d{fill:none;stroke-width:1.6;stroke-dasharray:5 4}");
	for (int i = 0; i < COLOURS; i++)
		buf_printf(buf, ".s%d{stroke:%s}.f%d{fill:%s}", i, light[i], i, light[i]);
	buf_puts(buf, "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.p{fill:#14181f}.m{fill:#9aa4b2}.g{stroke:#2a313c}.a{stroke:#66728a}.l{stroke:#14181f}");
	for (int i = 0; i < COLOURS; i++)
		buf_printf(buf, ".s%d{stroke:%s}.f%d{fill:%s}", i, dark[i], i, dark[i]);
	buf_puts(buf, "}</style><rect class=\"p\" width=\"100%\" height=\"100%\" rx=\"6\"/>");
}

static void
put_text(struct buf *buf, const char *class, const char *anchor, double x, double y, const char *text, double room)
{
	size_t len = strlen(text), fits = graph_text_fit(text, len, room, SIZE, TEXT_PLAIN);

	buf_printf(buf, "<text class=\"%s\" text-anchor=\"%s\" x=\"%.1f\" y=\"%.1f\">", class, anchor, x, y);
	graph_text_escape(buf, text, fits);
	buf_puts(buf, fits < len ? "…</text>" : "</text>");
}

static void
put_axes(const struct drawing *d, const char *y_name)
{
	const struct frame *f = &d->frame;
	double y_tick = tick_of(f->y_high - f->y_low, 6), x_tick = fmax(1, tick_of(f->x_high, 8));
	char text[32];

	for (double y = ceil(f->y_low / y_tick) * y_tick; y <= f->y_high; y += y_tick) {
		buf_printf(d->buf, "<path class=\"g\" d=\"M%d %.1fH%d\"/>", LEFT, y_of(f, y), WIDTH - RIGHT);
		number_text(text, sizeof(text), y);
		put_text(d->buf, "m", "end", LEFT - 8, y_of(f, y) + 4, text, LEFT);
	}
	for (double x = 0; x <= f->x_high; x += x_tick) {
		buf_printf(d->buf, "<path class=\"a\" d=\"M%.1f %dv5\"/>", x_of(f, x), HEIGHT - BOTTOM);
		number_text(text, sizeof(text), x);
		put_text(d->buf, "m", "middle", x_of(f, x), HEIGHT - BOTTOM + 18, text, 60);
	}
	buf_printf(d->buf, "<path class=\"a\" d=\"M%d %dH%d\"/>", LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT);
	put_text(d->buf, "m", "middle", (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 10, "step", 100);
	put_text(d->buf, "m", "end", LEFT - 8, TOP - 14, y_name, LEFT);
}

/* The mean of the points around it, as many before it as behind it where there are any: a running mean alone would lag behind where the curve
 * is steep. At the end of a curve that still grows there are none behind. */
static double
smoothed(const struct progress_curve *c, size_t i)
{
	size_t n = points_of(c), half = n / (2 * SMOOTHED_OVER), before = i < half ? i : half, behind = n - 1 - i < half ? n - 1 - i : half;
	double sum = 0;

	if (n < DENSE)
		before = behind = 0;
	if (before < half && behind > before)
		behind = before;
	for (size_t k = i - before; k <= i + behind; k++)
		sum += point_of(c, k).y;
	return sum / (double)(before + behind + 1);
}

static void
put_path(const struct drawing *d, const struct progress_curve *c, const char *class, size_t colour, bool smooth)
{
	size_t n = points_of(c);

	if (n < 2)
		return;
	buf_printf(d->buf, "<path class=\"%s s%zu\" d=\"", class, colour);
	for (size_t i = 0; i < n; i++)
		buf_printf(d->buf, "%c%.1f %.1f", i ? 'L' : 'M', x_of(&d->frame, point_of(c, i).x),
			y_of(&d->frame, smooth ? smoothed(c, i) : point_of(c, i).y));
	buf_puts(d->buf, "\"/>");
}

static void
put_dots(const struct drawing *d, const struct progress_curve *c, size_t colour)
{
	for (size_t i = 0; i < points_of(c); i++) {
		struct progress_point p = point_of(c, i);

		buf_printf(d->buf, "<circle class=\"f%zu\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"><title>step %.0f: %.4g</title></circle>", colour,
			x_of(&d->frame, p.x), y_of(&d->frame, p.y), p.x, p.y);
	}
}

static void
name_text(char *ret, size_t size, const char *name)
{
	snprintf(ret, size, "%s", name);
	for (char *at = ret; *at; at++)
		if (*at == '_')
			*at = ' ';
}

static void
put_curve(struct drawing *d, const struct progress_line *line, size_t curve, size_t colour)
{
	const struct progress_curve *c = &line->progress->curves[curve];
	size_t n = points_of(c);
	struct label *label = &d->labels[d->n_labels];
	char name[48];
	double end;

	if (!n)
		return;
	if (n >= DENSE && d->n == 1)
		put_path(d, c, "r", colour, false);
	put_path(d, c, curve ? "d" : "w", colour, !curve);
	if (n <= DOTTED)
		put_dots(d, c, colour);
	if (d->n_labels == LABELS_MAX || (d->n > 1 && curve))
		return;
	name_text(name, sizeof(name), d->n > 1 ? line->label : c->name);
	end = curve ? c->last.y : smoothed(c, n - 1);
	*label = (struct label){ x_of(&d->frame, c->last.x) + 8, y_of(&d->frame, end) + 4, colour, "" };
	snprintf(label->text, sizeof(label->text), d->n > 1 ? "%s: %#.3g" : "%s %#.3g", name, end);
	d->n_labels++;
}

/* At the ends of their lines, from top to bottom with room between them. */
static void
put_labels(struct drawing *d)
{
	for (size_t i = 1; i < d->n_labels; i++)
		for (size_t k = i; k && d->labels[k - 1].y > d->labels[k].y; k--) {
			struct label swapped = d->labels[k];

			d->labels[k] = d->labels[k - 1];
			d->labels[k - 1] = swapped;
		}
	for (size_t i = 1; i < d->n_labels; i++)
		d->labels[i].y = fmax(d->labels[i].y, d->labels[i - 1].y + LABEL_GAP);
	for (size_t i = d->n_labels; i--;) {
		double lowest = i + 1 < d->n_labels ? d->labels[i + 1].y - LABEL_GAP : HEIGHT - BOTTOM;
		char class[16];

		d->labels[i].y = fmin(d->labels[i].y, lowest);
		snprintf(class, sizeof(class), "l f%zu", d->labels[i].colour);
		put_text(d->buf, class, "start", d->labels[i].x, d->labels[i].y, d->labels[i].text, WIDTH - d->labels[i].x - 4);
	}
}

/* ---- words ---- */

static void
status_text(struct buf *buf, const struct progress *p)
{
	buf_printf(buf, "step %.0f", p->step);
	if (p->of > 0)
		buf_printf(buf, " of %.0f", p->of);
	for (size_t i = 0; i < p->n_curves; i++) {
		char name[48];

		name_text(name, sizeof(name), p->curves[i].name);
		buf_printf(buf, ", %s %.4g", name, p->curves[i].last.y);
	}
	if (*p->text)
		buf_printf(buf, ", %s", p->text);
}

void
progress_text(struct buf *buf, const struct progress_line *lines, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!lines[i].progress->at)
			continue;
		buf_printf(buf, "%s: ", lines[i].label);
		status_text(buf, lines[i].progress);
		buf_putc(buf, '\n');
	}
}

static void
put_head(const struct drawing *d, const char *title)
{
	CLEANUP(buf_release) struct buf status = { 0 };
	const struct progress *p = d->lines[0].progress;
	char name[48];

	put_text(d->buf, "h", "start", 14, 24, title, WIDTH - 40);
	buf_printf(&status, "step %.0f", p->step);
	if (p->of > 0)
		buf_printf(&status, " of %.0f", p->of);
	if (*p->text)
		buf_printf(&status, " · %s", p->text);
	if (d->n > 1) {
		buf_clear(&status);
		name_text(name, sizeof(name), p->curves[0].name);
		buf_printf(&status, "lines: %s, smoothed", name);
		if (p->n_curves > 1) {
			name_text(name, sizeof(name), p->curves[1].name);
			buf_printf(&status, "; dashed: %s", name);
		}
	}
	put_text(d->buf, "m", "start", 14, 42, buf_text(&status), WIDTH - 28);
}

static void
put_description(const struct drawing *d, const char *title)
{
	CLEANUP(buf_release) struct buf words = { 0 };

	buf_puts(d->buf, "<title>");
	graph_text_escape(d->buf, *title ? title : "progress", strlen(*title ? title : "progress"));
	buf_puts(d->buf, "</title><desc>");
	progress_text(&words, d->lines, d->n);
	graph_text_escape(d->buf, buf_text(&words), words.len);
	buf_puts(d->buf, "</desc>");
}

bool
progress_chart(struct buf *buf, const struct progress_line *lines, size_t n, const char *title)
{
	struct drawing d = { .buf = buf, .lines = lines, .n = n };
	const struct progress *first = NULL;
	char y_name[48];

	for (size_t i = 0; i < n && !first; i++)
		first = lines[i].progress->n_curves ? lines[i].progress : NULL;
	if (!first || !set_frame(&d))
		return false;
	buf_printf(buf, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" "
			"font-family=\"system-ui,sans-serif\" font-size=\"%d\">", WIDTH, HEIGHT, WIDTH, HEIGHT, SIZE);
	put_description(&d, title);
	put_style(buf);
	put_head(&d, title);
	name_text(y_name, sizeof(y_name), first->curves[0].name);
	put_axes(&d, y_name);
	for (size_t l = 0; l < n; l++)
		for (size_t i = 0; i < lines[l].progress->n_curves; i++)
			put_curve(&d, &lines[l], i, (n == 1 ? i : l) % COLOURS);
	put_labels(&d);
	buf_puts(buf, "</svg>");
	return true;
}
