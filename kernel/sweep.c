#include "config.h"

#include "kernel/sweep.h"

#include <math.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/markup.h"
#include "dsl/graph_text.h"
#include "kernel/json_text.h"
#include "kernel/table.h"

void
sweep_init(struct sweep *sweep, const char *name)
{
	*sweep = (struct sweep){ .arena = arena_new() };
	sweep->name = arena_strdup(sweep->arena, name);
}

void
sweep_release(struct sweep *sweep)
{
	for (size_t i = 0; i < sweep->rows.n; i++)
		run_progress_release(&sweep->rows.items[i].progress);
	vec_release(&sweep->rows);
	arena_free(sweep->arena);
}

static const char *
plain_text(struct arena *arena, const struct value *value)
{
	CLEANUP(buf_release) struct buf text = { .max = 4096 };

	value_write_plain(&text, value);
	return arena_strdup(arena, buf_text(&text));
}

static double
number_of(const struct value *value)
{
	if (value->kind == VALUE_INTEGER)
		return (double)value->integer;
	return value->kind == VALUE_FLOAT && isfinite(value->number) ? value->number : (double)NAN;
}

static size_t
series_of(const struct sweep *sweep, const char *what)
{
	size_t n = 0;

	for (size_t i = 0; i < sweep->rows.n; i++) {
		if (!strcmp(sweep->rows.items[i].what, what))
			return sweep->rows.items[i].series;
		n = sweep->rows.items[i].series < n ? n : sweep->rows.items[i].series + 1;
	}
	return n;
}

struct sweep_row *
sweep_add(struct sweep *sweep, const struct value *item, const char *what)
{
	struct sweep_row row = {
		.item = plain_text(sweep->arena, item),
		.at = number_of(item),
		.what = arena_strdup(sweep->arena, what),
		.state = "Running",
		.seconds = -1,
	};

	for (size_t i = 0; i < SWEEP_COLUMNS_MAX; i++)
		row.cells[i].number = (double)NAN;
	row.series = series_of(sweep, row.what);
	vec_push(&sweep->rows, row);
	return &sweep->rows.items[sweep->rows.n - 1];
}

static bool
same_name(const char *a, const char *b)
{
	while (*a && (*a == *b || (*a == '-' && *b == '_') || (*a == '_' && *b == '-')))
		a++, b++;
	return *a == *b;
}

void
sweep_set(struct sweep *sweep, const char *column, const struct value *value)
{
	struct sweep_cell *cell;
	size_t i = 0;

	while (i < sweep->n_columns && !same_name(sweep->columns[i], column))
		i++;
	if (i == SWEEP_COLUMNS_MAX || !sweep->rows.n)
		return;
	if (i == sweep->n_columns)
		sweep->columns[sweep->n_columns++] = arena_strdup(sweep->arena, column);
	cell = &sweep->rows.items[sweep->rows.n - 1].cells[i];
	if (cell->text)
		return;
	*cell = (struct sweep_cell){ plain_text(sweep->arena, value), number_of(value) };
}

/* ---- the table ---- */

/* Columns that would say the same in every row, or nothing, are left out. */
struct shown {
	bool what, message;
};

static struct shown
what_is_shown(const struct sweep *sweep)
{
	struct shown shown = { false, false };

	for (size_t i = 0; i < sweep->rows.n; i++) {
		shown.what = shown.what || strcmp(sweep->rows.items[i].what, sweep->rows.items[0].what) != 0;
		shown.message = shown.message || sweep->rows.items[i].message;
	}
	return shown;
}

static const char *
duration(struct arena *arena, double seconds)
{
	CLEANUP(buf_release) struct buf text = { 0 };

	if (seconds < 0)
		return "";
	graph_text_duration(&text, seconds);
	return arena_strdup(arena, buf_text(&text));
}

static void
fill_row(struct arena *arena, const struct sweep *sweep, const struct sweep_row *row, struct shown shown, const char **cells)
{
	size_t n = 0;

	cells[n++] = row ? row->item : sweep->name;
	if (shown.what)
		cells[n++] = row ? row->what : "run";
	cells[n++] = row ? row->state : "state";
	cells[n++] = row ? duration(arena, row->seconds) : "time";
	for (size_t i = 0; i < sweep->n_columns; i++)
		cells[n++] = !row ? sweep->columns[i] : row->cells[i].text ? row->cells[i].text : "";
	if (shown.message)
		cells[n++] = row ? row->message ? row->message : "" : "why";
}

static void
fill_table(struct table *table, const struct sweep *sweep)
{
	struct shown shown = what_is_shown(sweep);

	table->n_columns = sweep->n_columns + 3 + (shown.what ? 1 : 0) + (shown.message ? 1 : 0);
	table->n_rows = sweep->rows.n + 1;
	table->cells = arena_alloc(table->arena, table->n_rows * table->n_columns * sizeof *table->cells);
	for (size_t r = 0; r < table->n_rows; r++)
		fill_row(table->arena, sweep, r ? &sweep->rows.items[r - 1] : NULL, shown, table->cells + r * table->n_columns);
}

/* ---- the bundle ---- */

/* In an <img>, which an untrusted notebook and every converter keep. */
static void
put_chart(struct buf *html, const struct sweep *sweep)
{
	CLEANUP(buf_release) struct buf svg = { 0 };
	CLEANUP(freep) char *code = NULL;

	if (!sweep_chart(sweep, &svg))
		return;
	code = xmalloc((svg.len + 2) / 3 * 4 + 1);
	EVP_EncodeBlock((unsigned char *)code, (const unsigned char *)buf_text(&svg), (int)svg.len);
	buf_printf(html, "<p><img src=\"data:image/svg+xml;base64,%s\" alt=\"outputs over ", code);
	markup_escape(html, sweep->name, strlen(sweep->name));
	buf_puts(html, "\"></p>");
}

/* Of the last rows that have curves; of a run with several such steps the first. */
static size_t
collect_lines(struct arena *arena, const struct sweep *sweep, struct progress_line lines[PROGRESS_LINES_MAX])
{
	size_t n = 0;

	for (size_t i = sweep->rows.n; i-- && n < PROGRESS_LINES_MAX;) {
		const struct sweep_row *row = &sweep->rows.items[i];

		if (row->progress.steps.n && row->progress.steps.items[0].progress.n_curves)
			lines[n++] = (struct progress_line){ arena_printf(arena, "%s %s", sweep->name, row->item), &row->progress.steps.items[0].progress };
	}
	for (size_t i = 0; i < n / 2; i++) {
		struct progress_line swapped = lines[i];

		lines[i] = lines[n - 1 - i];
		lines[n - 1 - i] = swapped;
	}
	return n;
}

static void
put_curves(struct buf *text, struct buf *html, struct arena *arena, const struct sweep *sweep, const struct progress_line *lines, size_t n)
{
	const struct sweep_row *last = &sweep->rows.items[sweep->rows.n - 1];

	if (last->progress.steps.n && !strcmp(last->state, "Running"))
		progress_text(text, &lines[n - 1], 1);
	progress_chart_html(html, lines, n, arena_printf(arena, "%zu run%s over %s", n, n == 1 ? "" : "s", sweep->name));
}

json_t *
sweep_bundle(const struct sweep *sweep)
{
	CLEANUP(buf_release) struct buf text = { 0 };
	CLEANUP(buf_release) struct buf html = { 0 };
	struct arena *arena = arena_new();
	struct table table = { .arena = arena };
	struct progress_line lines[PROGRESS_LINES_MAX];
	json_t *bundle;
	size_t n;

	fill_table(&table, sweep);
	table_write_text(&text, &table);
	table_write_html(&html, &table, arena_printf(arena, "%zu run%s over %s", sweep->rows.n, sweep->rows.n == 1 ? "" : "s", sweep->name));
	n = collect_lines(arena, sweep, lines);
	if (n)
		put_curves(&text, &html, arena, sweep, lines, n);
	else
		put_chart(&html, sweep);
	bundle = json_pack("{s:o, s:o}", "text/plain", json_text_new(buf_text(&text)), "text/html", json_text_new(buf_text(&html)));
	arena_free(arena);
	return bundle;
}
