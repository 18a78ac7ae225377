#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/step/near.h"
#include "runtime/step/rows.h"
#include "runtime/step/step.h"

enum { HELD_MAX = 1024 * 1024 * 1024, SHOWN_MAX = 3, LOOKED_MAX = 256 };

struct mark {
	uint64_t hash;
	size_t dev; /* whose: index into dev_keys */
	size_t next; /* the mark behind, or a later one when those between are of keys that are known to be near */
};

struct dev_key {
	char *text;
	bool is_near; /* one of the first part has been found */
};

struct split {
	const struct step_call *call;
	struct rows *rows;
	size_t key;
	double share;
	bool move;
	struct step_output train, dev;
	struct buf near;
	VEC(struct dev_key) dev_keys;
	VEC(struct mark) marks; /* by hash, once all of them are there */
	VEC(size_t) found; /* the near ones, as they were found */
	size_t held_bytes, n_train;
};

/* Does this share of all hashes hold it? */
static bool
is_dev(const struct split *split, const char *key)
{
	return (double)(near_hash_words(key) >> 11) * 0x1p-53 < split->share;
}

/* ---- the keys of the second part, and which of them are near ---- */

static void
write_row(struct buf *buf, const struct rows *rows, const char *const *texts)
{
	const char *const *names;
	size_t n = rows_columns(rows, &names);

	buf_putc(buf, '{');
	for (size_t i = 0; i < n; i++)
		step_write_pair(buf, names[i], texts[i], strlen(texts[i]));
	buf_puts(buf, "}\n");
}

static int
add_dev(struct split *split, const char *key, struct error *err)
{
	struct dev_key dev = { .text = NULL };
	struct near_key near;

	near_read(key, &near);
	split->held_bytes += strlen(key) + near.n * sizeof(struct mark) + sizeof(dev);
	if (split->held_bytes > HELD_MAX)
		return error_set(err, "the second part is too large: its keys hold more than %d bytes", HELD_MAX);
	for (size_t i = 0; i < near.n; i++) {
		struct mark mark = { near.hashes[i], split->dev_keys.n, 0 };

		vec_push(&split->marks, mark);
	}
	dev.text = xstrdup(key);
	vec_push(&split->dev_keys, dev);
	return 0;
}

static int
compare_marks(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->dev > y->dev) - (x->dev < y->dev);
}

static size_t
first_mark(const struct split *split, uint64_t hash)
{
	size_t from = 0, to = split->marks.n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (split->marks.items[middle].hash < hash)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static void
sort_marks(struct split *split)
{
	if (split->marks.n)
		qsort(split->marks.items, split->marks.n, sizeof(*split->marks.items), compare_marks);
	for (size_t m = 0; m < split->marks.n; m++)
		split->marks.items[m].next = m + 1;
}

/* The first mark from there on whose key is not known to be near. The way is made shorter for who comes next. */
static size_t
open_mark(struct split *split, size_t m)
{
	struct mark *marks = split->marks.items;
	size_t n = split->marks.n, end = m;

	while (end < n && split->dev_keys.items[marks[end].dev].is_near)
		end = marks[end].next;
	while (m < end) {
		size_t next = marks[m].next;

		marks[m].next = end;
		m = next;
	}
	return end;
}

static void
found_near(struct split *split, size_t index, const char *key)
{
	struct dev_key *dev = &split->dev_keys.items[index];

	dev->is_near = true;
	if (split->found.n < SHOWN_MAX)
		printf("nearly equal: `%s` and `%s`\n", dev->text, key);
	vec_push(&split->found, index);
	buf_putc(&split->near, '{');
	step_write_pair(&split->near, "dev", dev->text, strlen(dev->text));
	step_write_pair(&split->near, "train", key, strlen(key));
	buf_puts(&split->near, "}\n");
}

/* Finds the keys of the second part that are near one of the first. */
static void
find_near(struct split *split, const char *key)
{
	struct near_key near;
	size_t looked = 0;

	near_read(key, &near);
	for (size_t i = 0; i < near.n; i++) {
		size_t m = open_mark(split, first_mark(split, near.hashes[i]));

		for (; m < split->marks.n && split->marks.items[m].hash == near.hashes[i]; m = open_mark(split, m + 1)) {
			size_t dev = split->marks.items[m].dev;

			if (i >= near.n_sure && (looked++ >= LOOKED_MAX || !near_runs(split->dev_keys.items[dev].text, key)))
				continue;
			found_near(split, dev, key);
		}
	}
}

/* ---- three ways through the table ---- */

static int
take_keys(struct split *split, const char *const *texts, size_t *n UNUSED, struct error *err)
{
	return is_dev(split, texts[split->key]) ? add_dev(split, texts[split->key], err) : 0;
}

static int
take_train(struct split *split, const char *const *texts, size_t *n UNUSED, struct error *err)
{
	if (is_dev(split, texts[split->key]))
		return 0;
	split->n_train++;
	find_near(split, texts[split->key]);
	write_row(&split->train.buf, split->rows, texts);
	return step_output_flush(&split->train, false, err);
}

/* The n-th row of the second part, into it or to the first. */
static int
take_dev(struct split *split, const char *const *texts, size_t *n, struct error *err)
{
	struct step_output *output = &split->dev;

	if (!is_dev(split, texts[split->key]))
		return 0;
	if (*n == split->dev_keys.n)
		return error_set(err, "the table has changed while it was read");
	if (split->dev_keys.items[(*n)++].is_near && split->move)
		output = &split->train;
	write_row(&output->buf, split->rows, texts);
	return step_output_flush(output, false, err);
}

static int
pass(struct split *split, int (*take)(struct split *split, const char *const *texts, size_t *n, struct error *err), struct error *err)
{
	const char *const *texts;
	int more = -1;
	size_t n = 0;

	split->rows = rows_open(step_text(split->call, "input"), err);
	if (split->rows && !rows_need_column(split->rows, step_text(split->call, "key"), &split->key, err))
		while ((more = rows_next(split->rows, &texts, err)) > 0)
			if (take(split, texts, &n, err)) {
				more = -1;
				break;
			}
	rows_close(split->rows);
	split->rows = NULL;
	return more;
}

static int
write_parts(struct split *split, struct error *err)
{
	if (pass(split, take_keys, err))
		return -1;
	sort_marks(split);
	if (step_output_open(&split->train, step_text(split->call, "train"), err) || pass(split, take_train, err))
		return -1;
	/* A key that moves may be near one that stays. */
	for (size_t i = 0; split->move && i < split->found.n; i++)
		find_near(split, split->dev_keys.items[split->found.items[i]].text);
	if (step_output_open(&split->dev, step_text(split->call, "dev"), err) || pass(split, take_dev, err))
		return -1;
	return step_output_flush(&split->train, true, err) || step_output_flush(&split->dev, true, err) ? -1 : 0;
}

static int
report(const struct split *split, struct error *err)
{
	const char *near = step_text(split->call, "near");
	size_t moved = split->move ? split->found.n : 0;

	printf("%zu rows in the first part, %zu in the second; equal keys are in the same part\n", split->n_train + moved,
		split->dev_keys.n - moved);
	if (split->found.n)
		printf("%zu keys of the second part %s nearly equal to one of the first%s\n", split->found.n, split->move ? "were" : "are",
			split->move ? " and were moved to it" : "");
	return *near ? step_write(near, &split->near, err) : 0;
}

int
step_split(const struct step_call *call, struct error *err)
{
	struct split split = { .call = call };
	int result;

	if (step_real(call, "share", 1, &split.share, err) || step_boolean(call, "move", &split.move, err))
		return -1;
	result = write_parts(&split, err) || report(&split, err) ? -1 : 0;
	if (result && split.train.file)
		step_output_abandon(&split.train);
	if (result && split.dev.file)
		step_output_abandon(&split.dev);
	for (size_t i = 0; i < split.dev_keys.n; i++)
		free(split.dev_keys.items[i].text);
	vec_release(&split.dev_keys);
	vec_release(&split.marks);
	vec_release(&split.found);
	buf_release(&split.near);
	return result;
}
