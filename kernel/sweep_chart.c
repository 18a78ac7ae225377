/* The chart of a sweep: small panels below each other, all over the same items. */
#include "config.h"

#include "kernel/sweep.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dsl/graph_text.h"

enum { WIDTH = 560, LEFT = 90, RIGHT = 24, TOP = 30, PANEL = 130, GAP = 30, BOTTOM = 48, SIZE = 12, TICKS_MAX = 12, SERIES_MAX = 6 };

/* Dark enough on white for each other, also for who sees no red or green. */
static const char *const colours[SERIES_MAX] = { "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56608a", "#b07d00" };

/* Where the rows stand from left to right, from 0 to 1. */
struct places {
	double at[SWEEP_ITEMS_MAX * 2];
	size_t order[SWEEP_ITEMS_MAX * 2]; /* rows from left to right */
	size_t n;
};

struct range {
	double low, high;
	bool flat; /* one number only, which stands in the middle */
};

static size_t
drawn_rows(const struct sweep *sweep)
{
	return sweep->rows.n < SWEEP_ITEMS_MAX * 2 ? sweep->rows.n : SWEEP_ITEMS_MAX * 2;
}

static void
order_rows(struct places *places)
{
	for (size_t i = 0; i < places->n; i++) {
		size_t k = i;

		for (; k && places->at[places->order[k - 1]] > places->at[i]; k--)
			places->order[k] = places->order[k - 1];
		places->order[k] = i;
	}
}

/* Items that are numbers stand where they belong, over a power of ten or more in its logarithm; all others one beside the other. */
static void
place_rows(const struct sweep *sweep, struct places *places)
{
	struct range range = { (double)INFINITY, -(double)INFINITY, false };
	size_t item = 0;
	bool numbers = true, logarithm;

	places->n = drawn_rows(sweep);
	for (size_t i = 0; i < places->n; i++) {
		double at = sweep->rows.items[i].at;

		numbers = numbers && !isnan(at);
		range.low = fmin(range.low, at);
		range.high = fmax(range.high, at);
	}
	numbers = numbers && range.high > range.low && isfinite(range.high - range.low);
	logarithm = numbers && range.low > 0 && range.high / range.low >= 10;
	for (size_t i = 0; i < places->n; i++) {
		double at = sweep->rows.items[i].at;

		item += i && strcmp(sweep->rows.items[i].item, sweep->rows.items[i - 1].item) != 0;
		places->at[i] = !numbers ? (double)item :
			logarithm ? log(at / range.low) / log(range.high / range.low) : (at - range.low) / (range.high - range.low);
	}
	for (size_t i = 0; i < places->n && !numbers; i++)
		places->at[i] = item ? places->at[i] / (double)item : 0.5;
	order_rows(places);
}

static double
x_of(double at)
{
	return LEFT + at * (WIDTH - LEFT - RIGHT);
}

static double
y_of(double top, const struct range *range, double number)
{
	if (range->flat)
		return top + PANEL / 2.0;
	return top + PANEL - (number - range->low) / (range->high - range->low) * PANEL;
}

static void
put_text(struct buf *buf, double x, double y, const char *anchor, const char *text, double room)
{
	size_t len = strlen(text), fits = graph_text_fit(text, len, room, SIZE, TEXT_PLAIN);

	buf_printf(buf, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
	graph_text_escape(buf, text, fits);
	buf_puts(buf, fits < len ? "…</text>" : "</text>");
}

static void
put_line(struct buf *buf, double x1, double y1, double x2, double y2)
{
	buf_printf(buf, "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"#cccccc\" fill=\"none\"/>", x1, y1, x2, y2);
}

/* ---- a panel ---- */

static bool
range_of(const struct sweep *sweep, size_t column, struct range *ret)
{
	size_t n = 0;

	*ret = (struct range){ (double)INFINITY, -(double)INFINITY, false };
	for (size_t i = 0; i < drawn_rows(sweep); i++) {
		double number = sweep->rows.items[i].cells[column].number;

		if (isnan(number))
			continue;
		ret->low = fmin(ret->low, number);
		ret->high = fmax(ret->high, number);
		n++;
	}
	if (n < 2 || !isfinite(ret->high - ret->low))
		return false;
	ret->flat = ret->high - ret->low <= fabs(ret->high) * 1e-12;
	return true;
}

/* Past the colours, series share the last. */
static bool
belongs_to(const struct sweep_row *row, size_t series)
{
	return row->series == series || (series == SERIES_MAX - 1 && row->series > series);
}

static void
put_series(struct buf *buf, const struct sweep *sweep, const struct places *places, size_t column, const struct range *range, double top,
	   size_t series)
{
	CLEANUP(buf_release) struct buf path = { 0 };

	for (size_t k = 0; k < places->n; k++) {
		size_t i = places->order[k];
		double number = sweep->rows.items[i].cells[column].number, x, y;

		if (isnan(number) || !belongs_to(&sweep->rows.items[i], series))
			continue;
		x = x_of(places->at[i]);
		y = y_of(top, range, number);
		buf_printf(&path, "%s%.1f %.1f", path.len ? "L" : "M", x, y);
		buf_printf(buf, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\"><title>", x, y, colours[series]);
		graph_text_escape(buf, sweep->rows.items[i].item, strlen(sweep->rows.items[i].item));
		buf_puts(buf, ": ");
		graph_text_escape(buf, sweep->rows.items[i].cells[column].text, strlen(sweep->rows.items[i].cells[column].text));
		buf_puts(buf, "</title></circle>");
	}
	if (path.len)
		buf_printf(buf, "<path d=\"%s\" stroke=\"%s\" stroke-width=\"1.5\" fill=\"none\"/>", buf_text(&path), colours[series]);
}

static void
put_panel(struct buf *buf, const struct sweep *sweep, const struct places *places, size_t column, const struct range *range, double top)
{
	char text[32];

	put_text(buf, LEFT, top - 10, "start", sweep->columns[column], WIDTH - LEFT - RIGHT);
	put_line(buf, LEFT, top, WIDTH - RIGHT, top);
	put_line(buf, LEFT, top + PANEL, WIDTH - RIGHT, top + PANEL);
	put_line(buf, LEFT, top, LEFT, top + PANEL);
	snprintf(text, sizeof text, "%.5g", range->high);
	put_text(buf, LEFT - 8, y_of(top, range, range->high) + 4, "end", text, LEFT - 8);
	snprintf(text, sizeof text, "%.5g", range->low);
	if (!range->flat)
		put_text(buf, LEFT - 8, top + PANEL + 4, "end", text, LEFT - 8);
	for (size_t series = 0; series < SERIES_MAX; series++)
		put_series(buf, sweep, places, column, range, top, series);
}

/* Columns that change come first; the others say nothing new. */
static size_t
choose_columns(const struct sweep *sweep, size_t *columns, struct range *ranges)
{
	size_t n = 0;

	for (int flat = 0; flat < 2; flat++)
		for (size_t i = 0; i < sweep->n_columns && n < SWEEP_PANELS_MAX; i++)
			if (range_of(sweep, i, &ranges[n]) && ranges[n].flat == (flat != 0))
				columns[n++] = i;
	return n;
}

/* The items below all panels, as many as there is room for. */
static void
put_items(struct buf *buf, const struct sweep *sweep, const struct places *places, double y)
{
	double last = -(double)INFINITY;

	for (size_t k = 0; k < places->n; k++) {
		size_t i = places->order[k];
		double x = x_of(places->at[i]);

		if (x - last < (double)(WIDTH - LEFT - RIGHT) / TICKS_MAX)
			continue;
		put_text(buf, x, y, "middle", sweep->rows.items[i].item, (double)(WIDTH - LEFT - RIGHT) / TICKS_MAX * 1.6);
		last = x;
	}
}

bool
sweep_chart(const struct sweep *sweep, struct buf *buf)
{
	struct range ranges[SWEEP_PANELS_MAX];
	size_t columns[SWEEP_PANELS_MAX], n = choose_columns(sweep, columns, ranges);
	CLEANUP(freep) struct places *places = NULL;
	double height, y;

	if (!n)
		return false;
	places = xcalloc(1, sizeof *places);
	place_rows(sweep, places);
	height = TOP + (double)n * (PANEL + GAP) - GAP + BOTTOM;
	buf_printf(buf, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\" viewBox=\"0 0 %d %.0f\" role=\"img\" "
			"font-family=\"sans-serif\" font-size=\"%d\" fill=\"#333333\"><rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>",
		   WIDTH, height, WIDTH, height, SIZE);
	for (size_t i = 0; i < n; i++)
		put_panel(buf, sweep, places, columns[i], &ranges[i], TOP + (double)i * (PANEL + GAP));
	y = height - BOTTOM + 18;
	put_items(buf, sweep, places, y);
	put_text(buf, (LEFT + WIDTH - RIGHT) / 2.0, y + 18, "middle", sweep->name, WIDTH - LEFT - RIGHT);
	buf_puts(buf, "</svg>");
	return true;
}
