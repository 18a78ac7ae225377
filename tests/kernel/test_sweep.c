#include "config.h"

#include <math.h>
#include <string.h>

#include "kernel/sweep.h"
#include "tests/tap.h"

/* One row of a sweep; columns that are NULL have no value, a `why` of NULL is a run that went well. */
struct row {
	const char *item, *what, *why, *outputs; /* item and outputs: JSON */
	double seconds;
};

static const struct {
	const char *what;
	struct row rows[5];
	const char *text; /* NULL: not looked at */
	size_t points; /* of the chart; 0: there is none */
} cases[] = {
	{ "one run", { { "1", "p", NULL, "{\"loss\":0.5}", 2 } }, "x  state      time  loss\n1  Succeeded  2.0s  0.5\n", 0 },
	{ "two, and a column that only one has",
	  { { "0.1", "p", NULL, "{\"loss\":0.5}", 2 }, { "0.2", "p", NULL, "{\"loss\":1,\"n\":3}", 63 } },
	  "x    state      time   loss  n\n0.1  Succeeded  2.0s   0.5   \n0.2  Succeeded  1m 3s  1     3\n", 2 },
	{ "one that failed", { { "\"a\"", "p", "exit code 3", "{}", -1 }, { "\"b\"", "p", NULL, "{\"t\":\"text\"}", 0.5 } },
	  "x  state      time  t     why\na  Failed                 exit code 3\nb  Succeeded  0.5s  text  \n", 0 },
	{ "two things that were run",
	  { { "1", "p", NULL, "{\"n\":1}", 1 }, { "1", "q", NULL, "{\"n\":2}", 1 }, { "2", "p", NULL, "{\"n\":3}", 1 },
	    { "2", "q", NULL, "{\"n\":4}", 1 } },
	  NULL, 4 },
	{ "a name that differs in a dash only", { { "1", "p", NULL, "{\"dev_loss\":1.5,\"dev-loss\":2}", 1 } },
	  "x  state      time  dev_loss\n1  Succeeded  1.0s  1.5\n", 0 },
	{ "texts that mean something in HTML",
	  { { "\"<b>&\"", "p", NULL, "{\"<i>\":1,\"t\":\"</table>\"}", 1 }, { "\"\\u202e\"", "p", "<script>", "{\"<i>\":2}", 1 } }, NULL, 2 },
	{ "numbers at the ends of what there is",
	  { { "-1e308", "p", NULL, "{\"a\":1e308}", 1 }, { "1e308", "p", NULL, "{\"a\":-1e308,\"b\":1e-308}", 1 }, { "0", "p", NULL, "{\"b\":1e-308}", 1 } },
	  NULL, 2 },
	{ "the same number each time", { { "1e-4", "p", NULL, "{\"n\":7}", 1 }, { "1", "p", NULL, "{\"n\":7}", 1 } }, NULL, 2 },
};

static const struct value *
read_json(struct arena *arena, const char *text)
{
	const struct value *value = value_read_json(arena, text, strlen(text), NULL);

	if (!ok(value != NULL, "`%s` is JSON", text))
		return &VALUE_OF_NULL;
	return value;
}

static void
fill(struct sweep *sweep, struct arena *arena, const struct row *row)
{
	struct sweep_row *added = sweep_add(sweep, read_json(arena, row->item), row->what);
	const struct value *outputs = read_json(arena, row->outputs);

	is_str(added->state, "Running", "a row begins as one of a run that goes on");
	added->state = row->why ? "Failed" : "Succeeded";
	added->message = row->why;
	added->seconds = row->seconds;
	for (size_t i = 0; outputs->kind == VALUE_DICT && i < outputs->dict.n; i++)
		sweep_set(sweep, outputs->dict.keys[i], outputs->dict.items[i]);
}

static size_t
count(const char *text, const char *word)
{
	size_t n = 0;

	for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
		n++;
	return n;
}

static void
check_chart(const struct sweep *sweep, size_t points, const char *what)
{
	struct buf svg = { 0 };
	bool drawn = sweep_chart(sweep, &svg);

	is_int(drawn, points > 0, "%s: whether there is a chart", what);
	is_int((long long)count(buf_text(&svg), "<circle"), (long long)points, "%s: its points", what);
	ok(!strstr(buf_text(&svg), "nan") && !strstr(buf_text(&svg), "inf"), "%s: each is somewhere", what);
	ok(!strstr(buf_text(&svg), "<i>"), "%s: texts are escaped in the chart", what);
	buf_release(&svg);
}

static void
check_case(size_t i)
{
	struct arena *arena = arena_new();
	struct sweep sweep;
	json_t *bundle;
	const char *html;

	sweep_init(&sweep, "x");
	for (size_t k = 0; k < 5 && cases[i].rows[k].item; k++)
		fill(&sweep, arena, &cases[i].rows[k]);
	bundle = sweep_bundle(&sweep);
	html = json_string_value(json_object_get(bundle, "text/html"));
	if (cases[i].text)
		is_str(json_string_value(json_object_get(bundle, "text/plain")), cases[i].text, "%s: the table", cases[i].what);
	ok(html && count(html, "<table") == 1 && count(html, "</table>") == 1 && !strstr(html, "<b>") && !strstr(html, "<script"),
	   "%s: one table, and texts are escaped", cases[i].what);
	is_int(html && strstr(html, "<img"), cases[i].points > 0, "%s: the picture stands below it", cases[i].what);
	check_chart(&sweep, cases[i].points, cases[i].what);
	json_decref(bundle);
	sweep_release(&sweep);
	arena_free(arena);
}

/* More than anyone would look at. */
static void
check_ceilings(void)
{
	struct arena *arena = arena_new();
	struct sweep sweep;
	struct buf svg = { 0 };

	sweep_init(&sweep, "x");
	for (int row = 0; row < SWEEP_ITEMS_MAX * 3; row++) {
		sweep_add(&sweep, value_integer(arena, row / 3), row % 3 ? "p" : "q");
		for (int i = 0; i < SWEEP_COLUMNS_MAX * 2; i++)
			sweep_set(&sweep, arena_printf(arena, "c%d", i), value_integer(arena, row * i));
	}
	is_int((long long)sweep.n_columns, SWEEP_COLUMNS_MAX, "further columns are left out");
	ok(sweep_chart(&sweep, &svg), "many rows are drawn");
	is_int((long long)count(buf_text(&svg), "stroke-width"), SWEEP_PANELS_MAX * 2, "so many panels with two lines each");
	buf_release(&svg);
	sweep_release(&sweep);
	arena_free(arena);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		check_case(i);
	check_ceilings();
	return done_testing();
}
