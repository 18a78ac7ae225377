/* What a step tells of its progress, from any bytes: read in two pieces, then drawn and said. */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/progress.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
append(const char *path, const uint8_t *data, size_t size)
{
	FILE *file = fopen(path, "ab");

	if (!file || fwrite(data, 1, size, file) != size)
		BUG("cannot write %s", path);
	fclose(file);
}

/* In an attribute, where no text of a step stands. */
static bool
has_no_place(const char *svg)
{
	static const char *const wrong[] = { "=\"nan", "=\"-nan", "=\"inf", "=\"-inf", "\"Mnan", "\"M-nan", "\"Minf" };

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		if (strstr(svg, wrong[i]))
			return true;
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[] = "/tmp/fuzz-progress-XXXXXX";
	int fd = mkstemp(path);
	struct progress progress;
	struct progress_line lines[2] = { { "one", &progress }, { "two", &progress } };
	struct buf text = { 0 }, svg = { 0 };

	if (fd < 0)
		BUG("cannot make %s", path);
	close(fd);
	progress_init(&progress, path);
	append(path, data, size / 2);
	progress_read(&progress);
	append(path, data + size / 2, size - size / 2);
	progress_read(&progress);
	for (size_t n = 1; n <= 2; n++) {
		buf_clear(&svg);
		progress_text(&text, lines, n);
		if (progress_chart(&svg, lines, n, "a title") && has_no_place(buf_text(&svg)))
			BUG("a chart with a place that is no number: %.2000s", buf_text(&svg));
	}
	progress_release(&progress);
	buf_release(&text);
	buf_release(&svg);
	unlink(path);
	return 0;
}
