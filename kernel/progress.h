/* How far running steps say they are, as numbers over steps, and the chart of it.
 *
 * A step of this machine finds in LATEEN_PROGRESS the name of a file that it may append to, an object of JSON a line:
 *
 *     {"step": 40, "of": 1000, "loss": 5.25, "text": "8100 tokens/s, 2 min left"}
 *
 * `step` must be there. Every other number is a point of the curve of its name; they share one scale. What is no such line is passed over:
 * nobody has checked the step. Everything here belongs to one thread. */
#ifndef KERNEL_PROGRESS_H
#define KERNEL_PROGRESS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/macros.h"
#include "runtime/run.h"

enum {
	PROGRESS_CURVES_MAX = 4,
	PROGRESS_POINTS_MAX = 1024, /* of a curve; of more, two become their mean */
	PROGRESS_STEPS_MAX = 8, /* of a run: the first that tell something */
	PROGRESS_LINES_MAX = 12, /* of a chart */
	PROGRESS_LINE_MAX = 4096, /* bytes */
	PROGRESS_LOOK_MS = 1000,
};

struct progress_point {
	double x, y;
};

struct progress_curve {
	char name[32];
	VEC(struct progress_point) points;
	struct progress_point sum, last; /* sum: of `pending` points that are to become one */
	size_t stride, pending;
};

/* What one attempt of a step tells. */
struct progress {
	char *path;
	off_t at; /* bytes read */
	struct buf rest; /* a line's beginning */
	double step, of; /* of: 0 where that is not known */
	char text[160];
	struct progress_curve curves[PROGRESS_CURVES_MAX];
	size_t n_curves;
};

void progress_init(struct progress *progress, const char *path);
void progress_release(struct progress *progress);
/* Takes what has been written since; whether there was anything. A file that is not there has nothing. */
bool progress_read(struct progress *progress);

/* All of a run's steps that tell something. */
struct run_progress {
	VEC(struct run_progress_step) steps;
};
struct run_progress_step {
	size_t node;
	const char *name; /* of the step; the run's */
	bool ended;
	struct progress progress;
};

void run_progress_release(struct run_progress *all);
/* Looks at what runs, and once more at what has ended; whether there is anything new. The run is the caller's, locked or its own. */
bool run_progress_look(struct run_progress *all, const struct run *run);

/* A line of the chart. */
struct progress_line {
	const char *label;
	const struct progress *progress;
};

/* Appends an SVG: of one progress all of its curves, of several the curves of each in one colour. Raw points are faint, a smoothed line goes
 * through them; few points are dots. false: there is nothing to draw. */
bool progress_chart(struct buf *buf, const struct progress_line *lines, size_t n, const char *title);
/* Appends "train: step 40 of 1000, loss 5.25, 8100 tokens/s, 2 min left\n" for each. */
void progress_text(struct buf *buf, const struct progress_line *lines, size_t n);
/* Appends the chart as an image in HTML, if there is one. */
void progress_chart_html(struct buf *buf, const struct progress_line *lines, size_t n, const char *title);
/* Adds text and chart to the bundle of a run, below what is there. */
void run_progress_add_to_bundle(json_t *bundle, const struct run_progress *all);

#endif
