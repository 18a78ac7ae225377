#include "config.h"

#include <string.h>

#include "base/macros.h"
#include "base/value.h"
#include "runtime/step/generate.h"
#include "runtime/step/rows.h"

enum { KEYS_MAX = 16 };

static const double SAY_EVERY = 2; /* seconds */

struct writing {
	struct generator *g;
	struct rows *rows;
	size_t field;
	struct {
		size_t items[KEYS_MAX]; /* columns that go along */
		char *names[KEYS_MAX];
		size_t n;
	} keys;
	struct buf along[SEARCH_TEXTS_MAX]; /* their texts, as the beginning of a row, of the batch at hand */
	struct step_output output;
	double said;
};

static int
write_batch(struct writing *w, struct error *err)
{
	CLEANUP(buf_release) struct buf text = { 0 };

	if (generator_run(w->g, err))
		return -1;
	for (size_t i = 0; i < w->g->n; i++) {
		buf_clear(&text);
		if (generator_text(w->g, i, &text, err))
			return -1;
		buf_add(&w->output.buf, w->along[i].data, w->along[i].len);
		step_write_pair(&w->output.buf, "title", buf_text(&text), text.len);
		buf_puts(&w->output.buf, "}\n");
	}
	if (step_seconds() - w->said >= SAY_EVERY) {
		w->said = step_seconds();
		printf("%llu titles\n", (unsigned long long)w->g->done);
		fflush(stdout);
	}
	return step_output_flush(&w->output, false, err);
}

/* What is known of the titles that people gave does not take the place of the one that is made. */
static void
take_along(const struct writing *w, const char *const *texts, struct buf *ret)
{
	buf_clear(ret);
	buf_putc(ret, '{');
	for (size_t i = 0; i < w->keys.n; i++)
		step_write_pair(ret, !strcmp(w->keys.names[i], "title") ? "reference" : w->keys.names[i], texts[w->keys.items[i]],
			strlen(texts[w->keys.items[i]]));
}

static int
write_all(struct writing *w, uint64_t rows, struct error *err)
{
	const char *const *texts;
	uint64_t taken = 0;
	bool full = false;
	int more = 0;

	while ((!rows || taken < rows) && (more = rows_next(w->rows, &texts, err)) > 0) {
		size_t at = full || !w->g->n ? 0 : w->g->n;

		if (generator_add(w->g, texts[w->field], &full, err))
			return -1;
		take_along(w, texts, &w->along[at]);
		taken++;
		if (full && write_batch(w, err))
			return -1;
	}
	if (more < 0)
		return -1;
	return !full && w->g->n && write_batch(w, err) ? -1 : 0;
}

static int
find_keys(struct writing *w, const char *names, struct error *err)
{
	while (*names) {
		size_t len = strcspn(names, ","), i = w->keys.n;

		if (i == KEYS_MAX)
			return error_set(err, "--key takes at most %d columns", KEYS_MAX);
		w->keys.names[w->keys.n++] = xstrndup(names, len);
		if (rows_need_column(w->rows, w->keys.names[i], &w->keys.items[i], err))
			return -1;
		names += len + (names[len] == ',');
	}
	return 0;
}

static int
open_rows(struct writing *w, const char *input, const char *field, const char *keys, struct error *err)
{
	w->rows = rows_open(input, err);
	if (!w->rows || rows_need_column(w->rows, field, &w->field, err))
		return -1;
	return find_keys(w, keys, err);
}

static void
writing_release(struct writing *w)
{
	for (size_t i = 0; i < w->keys.n; i++)
		freep(&w->keys.names[i]);
	for (size_t i = 0; i < SEARCH_TEXTS_MAX; i++)
		buf_release(&w->along[i]);
	rows_close(w->rows);
}

int
generate_titles(struct generator *g, const char *input, const char *field, const char *key, uint64_t rows, const char *output,
	struct error *err)
{
	struct writing w = { .g = g, .said = step_seconds() };
	int result = -1;

	if (!open_rows(&w, input, field, key, err) && !step_output_open(&w.output, output, err)) {
		result = write_all(&w, rows, err);
		if (result && w.output.file)
			step_output_abandon(&w.output);
		else if (!result)
			result = step_output_flush(&w.output, true, err);
	}
	writing_release(&w);
	return result;
}

int
step_generate(const struct step_call *call, struct error *err)
{
	struct generator *g = xcalloc(1, sizeof(*g));
	int64_t rows;
	int result = step_number(call, "rows", INT64_MAX, &rows, err) || generator_open(g, call, err) ? -1 : 0;

	if (!result)
		result = generate_titles(g, step_text(call, "input"), step_text(call, "field"), step_text(call, "key"), (uint64_t)rows,
			step_text(call, "output"), err);
	if (!result)
		generator_say(g);
	generator_release(g);
	freep(&g);
	return result;
}
