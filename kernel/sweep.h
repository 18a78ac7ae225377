/* What a sweep shows: one table with a row a run, and one chart: of the runs' curves where their steps tell of their progress (progress.h),
 * else of the outputs that are numbers. Rows come in the order of the runs;
 * columns are found as runs end and tell of their outputs. Texts are copied. For one thread. */
#ifndef KERNEL_SWEEP_H
#define KERNEL_SWEEP_H

#include <jansson.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/value.h"
#include "kernel/progress.h"

/* Past these a table or chart would show nobody anything; further columns are left out. */
enum { SWEEP_ITEMS_MAX = 1000, SWEEP_COLUMNS_MAX = 24, SWEEP_PANELS_MAX = 6 };

struct sweep_cell {
	const char *text; /* NULL: none */
	double number; /* NAN: none */
};

struct sweep_row {
	const char *item; /* what the sweep's name stands for, as text */
	double at; /* the same as a number; NAN: it is none */
	const char *what; /* what was run */
	size_t series; /* which of the things that were run, in the order of their first rows */
	const char *state, *message; /* message: why it did not succeed, or NULL */
	double seconds; /* below 0: not known */
	struct sweep_cell cells[SWEEP_COLUMNS_MAX];
	struct run_progress progress; /* of its run's steps; owned */
};

struct sweep {
	struct arena *arena;
	const char *name; /* of the item */
	struct {
		struct sweep_row *items;
		size_t n, cap;
	} rows;
	const char *columns[SWEEP_COLUMNS_MAX];
	size_t n_columns;
};

void sweep_init(struct sweep *sweep, const char *name);
void sweep_release(struct sweep *sweep);
/* A new row at the end, Running; good until the next. */
struct sweep_row *sweep_add(struct sweep *sweep, const struct value *item, const char *what);
/* An output of the last row's run. A name that differs only in `-` and `_` from one that has its value is passed over. */
void sweep_set(struct sweep *sweep, const char *column, const struct value *value);
/* { text/plain, text/html }: the table, and in the HTML the chart if there is something to draw. */
json_t *sweep_bundle(const struct sweep *sweep);

/* The chart as SVG: a panel for each of the first columns that have two numbers or more. false: there is none. */
bool sweep_chart(const struct sweep *sweep, struct buf *buf);

#endif
