#include "config.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/value.h"
#include "runtime/step/rows.h"
#include "tests/cases.h"
#include "tests/tap.h"
#include "tests/text.h"

/* A file that has these bytes; its name goes into `path`. */
static void
make_file(const char *bytes, size_t len, char path[32])
{
	int fd;

	snprintf(path, 32, "test_rows-XXXXXX");
	fd = mkstemp(path);
	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len || close(fd))
		BUG("cannot write `%s`", path);
}

static void
add_error(struct buf *buf, const char *what, const char *text, const char *path)
{
	const char *at = strstr(text, path);

	buf_printf(buf, "%s: ", what);
	if (at)
		buf_printf(buf, "%.*sFILE%s\n", (int)(at - text), text, at + strlen(path));
	else
		buf_printf(buf, "%s\n", text);
}

static void
add_row(struct buf *buf, const struct rows *rows, const char *const *texts)
{
	const char *const *names;
	size_t n = rows_columns(rows, &names);

	texts = texts ? texts : names;
	for (size_t i = 0; i < n; i++) {
		buf_puts(buf, i ? " " : "");
		if (texts != names && !rows_has(rows, i))
			buf_putc(buf, '-');
		else
			value_write_json_string(buf, texts[i], strlen(texts[i]));
	}
	buf_puts(buf, n ? "\n" : "");
}

/* The names, then each row a line; whether it ended without an error. */
static bool
describe(const char *path, struct buf *buf)
{
	const char *const *texts;
	struct error err;
	struct rows *rows = rows_open(path, &err);
	int more = -1;

	if (rows) {
		add_row(buf, rows, NULL);
		while ((more = rows_next(rows, &texts, &err)) > 0 || (more && rows_is_bad_row(rows))) {
			if (more > 0)
				add_row(buf, rows, texts);
			else
				add_error(buf, "bad", err.text, path);
		}
	}
	if (more < 0)
		add_error(buf, "error", err.text, path);
	rows_close(rows);
	return more == 0;
}

static void
describe_bytes(const char *bytes, size_t len, struct buf *buf, bool *ret_whole)
{
	char path[32];

	make_file(bytes, len, path);
	*ret_whole = describe(path, buf);
	unlink(path);
}

/* What is packed is an error wherever it is cut: it never looks like a table that is shorter. */
static void
test_cuts(const char *name, const struct buf *file)
{
	size_t cuts = 0;

	for (size_t len = 4; len < file->len; len++) {
		struct buf got = { 0 };
		bool whole;

		describe_bytes(file->data, len, &got, &whole);
		if (whole || !strstr(buf_text(&got), "is cut off"))
			tap_note("%s, %zu bytes of it: %s", name, len, buf_text(&got));
		else
			cuts++;
		buf_release(&got);
	}
	ok(cuts && cuts == file->len - 4, "%s: cut off at each of %zu places", name, file->len - 4);
}

static bool
can_unpack(const char *needs)
{
	void *library;

	if (!needs)
		return true;
	library = dlopen("libzstd.so.1", RTLD_NOW | RTLD_LOCAL);
	if (library)
		dlclose(library);
	return library != NULL;
}

static void
test_case(struct case_file *file, struct test_case *test)
{
	struct buf input = { 0 }, got = { 0 };
	bool whole;

	if (!can_unpack(case_text(test, "needs"))) {
		skip(1, "%s: libzstd.so.1 is not here", test->name);
		return;
	}
	text_unescape(&input, case_text(test, "file"));
	describe_bytes(buf_text(&input), input.len, &got, &whole);
	case_is(file, test, "rows", buf_text(&got), got.len);
	if (!strcmp(test->name, "gzip") || !strcmp(test->name, "zstd"))
		test_cuts(test->name, &input);
	buf_release(&input);
	buf_release(&got);
}

int
main(void)
{
	struct case_file file;

	cases_open(&file, "tests/step/rows.cases");
	for (size_t i = 0; i < file.n_cases; i++)
		test_case(&file, &file.cases[i]);
	cases_close(&file);
	return done_testing();
}
