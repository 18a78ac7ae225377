#include "config.h"

#include "kernel/run_list.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/markup.h"
#include "base/value.h"
#include "runtime/store.h"

/* Local time, or in UTC as ISO 8601; "" for none. */
static void
format_time(char ret[32], int64_t ms, bool iso)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm when;

	ret[0] = '\0';
	if (!ms)
		return;
	if (iso && gmtime_r(&seconds, &when))
		strftime(ret, 32, "%Y-%m-%dT%H:%M:%SZ", &when);
	else if (!iso && localtime_r(&seconds, &when))
		strftime(ret, 32, "%Y-%m-%d %H:%M:%S", &when);
}

static void
format_duration(char ret[32], const struct store_run *run)
{
	double seconds = run->ended_ms > run->started_ms ? (double)(run->ended_ms - run->started_ms) / 1000 : 0;

	ret[0] = '\0';
	if (run->started_ms && run->ended_ms)
		snprintf(ret, 32, seconds < 60 ? "%.1f s" : "%.0f s", seconds);
}

/* Of a run that goes on where nobody looks, what is listed is what was seen last. */
static bool
is_seen_last(const struct store_run *run)
{
	return run->place.target && !run->owned && !phase_ended(run->phase);
}

static const char *
message_of(const struct store_run *run)
{
	if (is_seen_last(run))
		return "as last seen: `attach` looks again";
	return run->message ? run->message : "";
}

static void
text_row(struct buf *buf, const struct store_run *run)
{
	const char *message = message_of(run);
	char started[32], duration[32];

	format_time(started, run->started_ms, false);
	format_duration(duration, run);
	buf_printf(buf, "%-28s %-10s %-20s %9s  %zu/%zu steps%s%s%s%s\n", run->name, phase_name(run->phase), started, duration, run->done, run->steps,
		   run->place.target ? "  on " : "", run->place.target ? run->place.target : "", *message ? "  " : "", message);
}

static void
html_cell(struct buf *buf, const char *text)
{
	buf_puts(buf, "<td style=\"text-align:left\">");
	markup_isolate(buf, text, strlen(text));
	buf_puts(buf, "</td>");
}

static void
html_row(struct buf *buf, const struct store_run *run)
{
	char started[32], duration[32], steps[48];

	format_time(started, run->started_ms, false);
	format_duration(duration, run);
	snprintf(steps, sizeof steps, "%zu/%zu", run->done, run->steps);
	buf_puts(buf, "<tr>");
	html_cell(buf, run->name);
	html_cell(buf, phase_name(run->phase));
	html_cell(buf, started);
	html_cell(buf, duration);
	html_cell(buf, steps);
	html_cell(buf, run->place.target ? run->place.target : "");
	html_cell(buf, message_of(run));
	buf_puts(buf, "</tr>");
}

static void
write_rows(const struct store_run *runs, size_t n, struct buf *text, struct buf *html)
{
	if (html)
		buf_puts(html, "<table><caption>Runs of this folder, the newest first</caption><thead><tr><th>run</th><th>phase</th>"
			       "<th>started</th><th>took</th><th>steps</th><th>on</th><th>message</th></tr></thead><tbody>");
	for (size_t i = 0; i < n; i++) {
		text_row(text, &runs[i]);
		if (html)
			html_row(html, &runs[i]);
	}
	if (html)
		buf_puts(html, "</tbody></table>");
}

static const struct value *
time_value(struct arena *arena, int64_t ms)
{
	char text[32];

	format_time(text, ms, true);
	return *text ? value_string(arena, text) : &VALUE_OF_NULL;
}

static const struct value *
run_value(struct arena *arena, const struct store_run *run)
{
	static const char *const keys[] = { "id", "name", "pipeline", "phase", "message", "started", "ended", "steps", "done", "failed", "on",
					    "as_last_seen" };
	const struct value *items[] = {
		value_string(arena, run->id), value_string(arena, run->name), value_string(arena, run->pipeline),
		value_string(arena, phase_name(run->phase)), run->message ? value_string(arena, run->message) : &VALUE_OF_NULL,
		time_value(arena, run->started_ms), time_value(arena, run->ended_ms), value_integer(arena, (int64_t)run->steps),
		value_integer(arena, (int64_t)run->done), value_integer(arena, (int64_t)run->bad),
		run->place.target ? value_string(arena, run->place.target) : &VALUE_OF_NULL, is_seen_last(run) ? &VALUE_OF_TRUE : &VALUE_OF_FALSE,
	};

	return value_dict(arena, keys, items, ARRAY_LEN(keys));
}

/* The runs of the store, none when there is no store yet. */
static int
read_runs(const char *folder, struct arena *arena, struct store_run **ret, size_t *ret_n, struct error *err)
{
	struct store *store;

	*ret = NULL;
	*ret_n = 0;
	if (access(folder, F_OK) < 0)
		return 0;
	store = store_open(folder, true, err);
	if (!store)
		return -1;
	*ret = store_runs(store, arena, RUN_LIST_MAX, ret_n, err);
	store_close(store);
	return *ret || !*ret_n ? 0 : -1;
}

int
run_list_write(const char *folder, struct buf *text, struct buf *html, struct error *err)
{
	struct arena *arena = arena_new();
	struct store_run *runs;
	size_t n;
	int rc = read_runs(folder, arena, &runs, &n, err);

	if (rc == 0 && n)
		write_rows(runs, n, text, html);
	else if (rc == 0)
		buf_puts(text, "nothing has run in this folder yet\n");
	if (rc == 0 && !n && html)
		buf_puts(html, "<p>nothing has run in this folder yet</p>");
	arena_free(arena);
	return rc;
}

int
run_list_write_json(const char *folder, struct buf *buf, struct error *err)
{
	struct arena *arena = arena_new();
	struct store_run *runs;
	size_t n;
	int rc = read_runs(folder, arena, &runs, &n, err);

	if (rc == 0) {
		const struct value **items = arena_alloc(arena, (n + 1) * sizeof *items);

		for (size_t i = 0; i < n; i++)
			items[i] = run_value(arena, &runs[i]);
		value_write_json_pretty(buf, value_list(arena, items, n), 2);
		buf_putc(buf, '\n');
	}
	arena_free(arena);
	return rc;
}
