#include "config.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/markup.h"
#include "base/utf8.h"
#include "runtime/step/rows.h"
#include "runtime/step/step.h"

enum {
	BARS_MAX = 60,
	WIDTH = 720, /* of the picture, in pixels */
	LABEL_COLUMNS = 24, /* characters of a bar's name */
	LABEL_WIDTH = 180,
	VALUE_WIDTH = 80,
	BAR_HEIGHT = 16, BAR_STEP = 24, TITLE_HEIGHT = 44, MARGIN = 12,
};

struct bar {
	char *label;
	double value;
	char *text; /* of the value, as the table has it */
};

struct bars {
	VEC(struct bar) items;
	size_t left_out;
	double largest;
};

static bool
is_number(const char *text, double *ret)
{
	char *end;

	*ret = strtod(text, &end);
	return *text && !*end && isfinite(*ret);
}

static int
named_column(const struct rows *rows, const char *name, size_t *ret, struct error *err)
{
	*ret = rows_column(rows, name);
	return *ret == SIZE_MAX ? error_set(err, "there is no column `%s`", name) : 0;
}

/* The label's column is the first unless it is named, the value's the first other one whose first text is a number. */
static int
choose_columns(const struct step_call *call, const struct rows *rows, const char *const *first, size_t *ret_label,
	       size_t *ret_value, struct error *err)
{
	const char *label = step_text(call, "label"), *value = step_text(call, "value");
	const char *const *names;
	size_t n = rows_columns(rows, &names);
	double ignored;

	*ret_label = 0;
	if (*label && named_column(rows, label, ret_label, err))
		return -1;
	if (*value)
		return named_column(rows, value, ret_value, err);
	for (*ret_value = 0; *ret_value < n; (*ret_value)++)
		if (*ret_value != *ret_label && is_number(first[*ret_value], &ignored))
			return 0;
	return error_set(err, "no column of the table holds numbers");
}

static int
add_bar(struct bars *bars, const char *label, const char *text, const char *column, struct error *err)
{
	struct bar bar = { .label = NULL };

	if (!is_number(text, &bar.value))
		return error_set(err, "`%.60s` in column `%s` is not a number", text, column);
	if (bars->items.n == BARS_MAX) {
		bars->left_out++;
		return 0;
	}
	bar.label = xstrdup(label);
	bar.text = xstrdup(text);
	vec_push(&bars->items, bar);
	if (fabs(bar.value) > bars->largest)
		bars->largest = fabs(bar.value);
	return 0;
}

static int
read_bars(const struct step_call *call, struct rows *rows, struct bars *bars, struct error *err)
{
	size_t label = 0, value = 0;
	const char *const *texts, *const *names;
	bool chosen = false;
	int more;

	rows_columns(rows, &names);
	while ((more = rows_next(rows, &texts, err)) > 0) {
		if (!chosen && choose_columns(call, rows, texts, &label, &value, err))
			return -1;
		chosen = true;
		if (add_bar(bars, texts[label], texts[value], names[value], err))
			return -1;
	}
	return more;
}

/* As much of the label as fits, with an ellipsis. */
static void
write_label(struct buf *buf, const char *label)
{
	size_t len = strlen(label), at = 0;
	int columns = 0;

	while (at < len) {
		uint32_t c;
		size_t size = utf8_decode(label + at, len - at, &c);

		columns += utf8_char_width(c);
		if (columns > LABEL_COLUMNS)
			break;
		at += size;
	}
	markup_escape(buf, label, at);
	if (at < len)
		buf_puts(buf, "…");
}

static void
write_style(struct buf *buf)
{
	buf_puts(buf,
		"<style>"
		"text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-size:16px;font-weight:600}.value{fill:#59636e}"
		".paper{fill:#ffffff}.bar{fill:#2f6fbb}.below{fill:#b3541e}"
		"@media (prefers-color-scheme:dark){text{fill:#e6edf3}.value{fill:#9198a1}.paper{fill:#0d1117}.bar{fill:#6cb0f5}.below{fill:#f0a06a}}"
		"</style>\n");
}

static void
write_bar(struct buf *buf, const struct bars *bars, size_t i)
{
	const struct bar *bar = &bars->items.items[i];
	double room = WIDTH - LABEL_WIDTH - VALUE_WIDTH - 2 * MARGIN;
	double length = bars->largest > 0 ? fabs(bar->value) / bars->largest * room : 0;
	size_t y = TITLE_HEIGHT + i * BAR_STEP;

	buf_printf(buf, "<text x=\"%d\" y=\"%zu\" text-anchor=\"end\" unicode-bidi=\"isolate\">", MARGIN + LABEL_WIDTH - 8, y + 13);
	write_label(buf, bar->label);
	buf_printf(buf, "</text><rect class=\"%s\" x=\"%d\" y=\"%zu\" width=\"%.1f\" height=\"%d\" rx=\"2\"><title>",
		bar->value < 0 ? "below" : "bar", MARGIN + LABEL_WIDTH, y, length < 1 ? 1 : length, BAR_HEIGHT);
	markup_escape(buf, bar->label, strlen(bar->label));
	buf_puts(buf, ": ");
	markup_escape(buf, bar->text, strlen(bar->text));
	buf_printf(buf, "</title></rect><text class=\"value\" x=\"%.1f\" y=\"%zu\">", MARGIN + LABEL_WIDTH + length + 6, y + 13);
	markup_escape(buf, bar->text, strlen(bar->text) < 16 ? strlen(bar->text) : 16);
	buf_puts(buf, "</text>\n");
}

/* What the picture says in words, for those who do not see it. */
static void
write_description(struct buf *buf, const struct bars *bars)
{
	buf_printf(buf, "<desc>A bar chart of %zu values", bars->items.n);
	for (size_t i = 0; i < bars->items.n && i < 5; i++) {
		buf_puts(buf, i ? ", " : ": ");
		write_label(buf, bars->items.items[i].label);
		buf_putc(buf, ' ');
		markup_escape(buf, bars->items.items[i].text, strlen(bars->items.items[i].text));
	}
	buf_printf(buf, "%s.</desc>\n", bars->items.n > 5 ? " and so on" : "");
}

static void
write_svg(struct buf *buf, const struct bars *bars, const char *title)
{
	size_t height = TITLE_HEIGHT + bars->items.n * BAR_STEP + MARGIN + (bars->left_out || !bars->items.n ? BAR_STEP : 0);

	buf_printf(buf, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%zu\" viewBox=\"0 0 %d %zu\" role=\"img\">\n<title>",
		WIDTH, height, WIDTH, height);
	markup_escape(buf, *title ? title : "Chart", strlen(*title ? title : "Chart"));
	buf_puts(buf, "</title>\n");
	write_description(buf, bars);
	write_style(buf);
	/* A paper of its own: the page around it may be light where the reader's system is dark. */
	buf_puts(buf, "<rect class=\"paper\" width=\"100%\" height=\"100%\" rx=\"4\"/>\n");
	buf_printf(buf, "<text class=\"title\" x=\"%d\" y=\"26\">", MARGIN);
	markup_escape(buf, title, strlen(title));
	buf_puts(buf, "</text>\n");
	for (size_t i = 0; i < bars->items.n; i++)
		write_bar(buf, bars, i);
	if (bars->left_out || !bars->items.n)
		buf_printf(buf, "<text class=\"value\" x=\"%d\" y=\"%zu\">%s%.0zu%s</text>\n", MARGIN, height - MARGIN,
			bars->items.n ? "and " : "the table is empty", bars->left_out, bars->items.n ? " more" : "");
	buf_puts(buf, "</svg>\n");
}

int
step_chart(const struct step_call *call, struct error *err)
{
	struct rows *rows = rows_open(step_text(call, "input"), err);
	struct bars bars = { .largest = 0 };
	struct buf svg = { 0 };
	int result;

	if (!rows)
		return -1;
	result = read_bars(call, rows, &bars, err);
	if (!result) {
		write_svg(&svg, &bars, step_text(call, "title"));
		result = step_write(step_text(call, "output"), &svg, err);
	}
	for (size_t i = 0; i < bars.items.n; i++) {
		free(bars.items.items[i].label);
		free(bars.items.items[i].text);
	}
	vec_release(&bars.items);
	buf_release(&svg);
	rows_close(rows);
	return result;
}
