/* What steps tell of their progress: what is taken of a file that anybody may have written, and the chart of it. */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/progress.h"
#include "tests/tap.h"

enum { MANY = 100000 };

static const struct {
	const char *what, *lines;
	const char *text; /* what progress_text says; "": nothing was taken */
	size_t curves, points; /* points: of the first curve */
} cases[] = {
	{ "a line", "{\"step\":4,\"of\":10,\"loss\":2.5,\"text\":\"3 left\"}\n", "t: step 4 of 10, loss 2.5, 3 left\n", 1, 1 },
	{ "two curves", "{\"step\":1,\"loss\":2}\n{\"step\":2,\"dev_loss\":3}\n", "t: step 2, loss 2, dev loss 3\n", 2, 1 },
	{ "a line that has not ended", "{\"step\":1,\"loss\":2}\n{\"step\":2,\"loss\":3}", "t: step 1, loss 2\n", 1, 1 },
	{ "no JSON between lines", "step 5\n{\"step\":1,\"loss\":2}\n[1]\n{\n\n{\"step\":3,\"loss\":4}\n", "t: step 3, loss 4\n", 1, 2 },
	{ "no step, a step below 0, a step that is a text", "{\"loss\":2}\n{\"step\":-1,\"loss\":2}\n{\"step\":\"1\",\"loss\":2}\n", "t: step 0\n", 0, 0 },
	{ "numbers past all sense", "{\"step\":1,\"loss\":1e300}\n{\"step\":1e99,\"loss\":1}\n{\"step\":2,\"loss\":NaN}\n", "t: step 1\n", 0, 0 },
	{ "more curves than are taken", "{\"step\":1,\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5}\n", NULL, PROGRESS_CURVES_MAX, 1 },
	{ "names and texts that mean something in SVG", "{\"step\":1,\"<b>&\":1,\"text\":\"</svg><script>\"}\n", "t: step 1, <b>& 1, </svg><script>\n", 1, 1 },
};

static void
write_text(const char *path, const char *text, size_t len)
{
	FILE *file = fopen(path, "wb");

	if (!file || fwrite(text, 1, len, file) != len)
		ok(false, "%s can be written", path);
	if (file)
		fclose(file);
}

static void
test_case(const char *path, size_t i)
{
	struct progress progress;
	struct progress_line line = { "t", &progress };
	struct buf text = { 0 }, svg = { 0 };

	write_text(path, cases[i].lines, strlen(cases[i].lines));
	progress_init(&progress, path);
	ok(progress_read(&progress) && !progress_read(&progress), "%s: read once", cases[i].what);
	progress_text(&text, &line, 1);
	if (cases[i].text)
		is_str(buf_text(&text), cases[i].text, "%s", cases[i].what);
	is_int((int64_t)progress.n_curves, (int64_t)cases[i].curves, "its curves");
	if (progress.n_curves)
		is_int((int64_t)progress.curves[0].points.n, (int64_t)cases[i].points, "its points");
	ok(progress_chart(&svg, &line, 1, "<t>") == (cases[i].curves > 0), "a chart where there is something to draw");
	ok(!strstr(buf_text(&svg), "<b>") && !strstr(buf_text(&svg), "<script") && !strstr(buf_text(&svg), "nan"), "in which nothing is markup of others");
	progress_release(&progress);
	buf_release(&text);
	buf_release(&svg);
}

/* Piece by piece, as a step writes it; and so much of it that points are put together. */
static void
test_growth(const char *path)
{
	FILE *file = fopen(path, "wb");
	struct progress progress;
	struct progress_line lines[3] = { { "a", &progress }, { "b", &progress }, { "c", &progress } };
	struct buf svg = { 0 };
	bool good = true;

	progress_init(&progress, path);
	for (int i = 0; file && i < MANY; i++) {
		fprintf(file, "{\"step\":%d,\"lo", i + 1);
		if (i % 1000 == 7)
			fflush(file);
		if (i % 1000 == 7)
			while (progress_read(&progress))
				continue;
		fprintf(file, "ss\":%d}\n", i % 2 ? 3 : 1);
	}
	if (file)
		fclose(file);
	while (progress_read(&progress))
		continue;
	is_int((int64_t)progress.step, MANY, "all of it is taken");
	ok(progress.curves[0].points.n < PROGRESS_POINTS_MAX && progress.curves[0].points.n >= PROGRESS_POINTS_MAX / 4, "in %zu points",
		progress.curves[0].points.n);
	for (size_t i = 0; i < progress.curves[0].points.n; i++)
		good = good && fabs(progress.curves[0].points.items[i].y - 2) < 1e-9;
	ok(good, "which are means of neighbours");
	ok(progress_chart(&svg, lines, 3, "three") && strstr(buf_text(&svg), "a: 2.") && strstr(buf_text(&svg), "c: 2."), "a line for each");
	progress_release(&progress);
	buf_release(&svg);
}

static void
test_files(const char *folder, const char *path)
{
	static const char longer[PROGRESS_LINE_MAX + 10] = "{\"step\":1,\"loss\":2,\"text\":\"";
	struct progress progress;
	struct buf text = { 0 };
	char link[4096];

	buf_add(&text, longer, strlen(longer));
	buf_repeat(&text, 'x', PROGRESS_LINE_MAX);
	buf_puts(&text, "\"}\n{\"step\":7,\"loss\":1}\n");
	write_text(path, buf_text(&text), text.len);
	progress_init(&progress, path);
	ok(progress_read(&progress) && (int)progress.step == 7, "a line that is too long is passed over");
	progress_release(&progress);

	snprintf(link, sizeof(link), "%s/pipe", folder);
	ok(!mkfifo(link, 0600), "a pipe");
	progress_init(&progress, link);
	ok(!progress_read(&progress), "is not waited for");
	progress_release(&progress);
	snprintf(link, sizeof(link), "%s/link", folder);
	ok(!symlink(path, link), "a link");
	progress_init(&progress, link);
	ok(!progress_read(&progress), "is not followed");
	progress_release(&progress);
	progress_init(&progress, "/nowhere");
	ok(!progress_read(&progress), "what is not there has nothing");
	progress_release(&progress);
	buf_release(&text);
}

int
main(void)
{
	CLEANUP(freep) char *folder = test_temp_dir();
	char path[4096];

	snprintf(path, sizeof(path), "%s/progress", folder);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		test_case(path, i);
	test_growth(path);
	test_files(folder, path);
	test_remove_tree(folder);
	return done_testing();
}
