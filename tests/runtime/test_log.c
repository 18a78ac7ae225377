#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/log.h"
#include "tests/tap.h"

static char *folder, path[512];

/* What is stored of the text when it comes in pieces of that size, and what was shown. */
static void
write_log(const char *text, size_t piece, const char *const *secrets, size_t n, struct buf *shown, struct buf *tail)
{
	struct error err;
	struct log *log = log_new(path, secrets, n, &err);
	const char *out;
	size_t len = strlen(text), out_len;

	for (size_t at = 0; at < len; at += piece) {
		log_write(log, text + at, at + piece < len ? piece : len - at, 1000 + (int64_t)at, &out, &out_len);
		buf_add(shown, out, out_len);
	}
	log_flush(log, 9999, &out, &out_len);
	buf_add(shown, out, out_len);
	if (tail)
		log_tail(log, tail);
	log_free(log);
}

static void
test_masking(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "nothing here", "nothing here" },
		{ "token=hunter2", "token=***" },
		{ "hunter2hunter2", "******" },
		{ "hunterhunter2", "hunter***" },
		{ "hunter", "hunter" },
		{ "hunter2-and-more", "***" },
		{ "hunter2-and-mor", "***-and-mor" },
		{ "abcabcabd", "abc***" },
		{ "no: abc", "no: abc" },
		{ "", "" },
	};
	static const char *const secrets[] = { "hunter2", "hunter2-and-more", "abcabd", "abc" };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t piece = 1; piece < 20; piece += 3) {
			struct buf shown = { 0 };
			size_t len = 0;
			char *stored;

			write_log(cases[i].text, piece, secrets, ARRAY_LEN(secrets), &shown, NULL);
			stored = test_read_file(path, &len);
			is_str(stored, cases[i].want, "`%s` by %zu bytes", cases[i].text, piece);
			is_str(buf_text(&shown), cases[i].want, "and what is shown");
			free(stored);
			buf_release(&shown);
		}
}

static void
test_tail(void)
{
	struct buf text = { 0 }, shown = { 0 }, tail = { 0 };

	for (int i = 1; i <= 100; i++)
		buf_printf(&text, "line %d\n", i);
	write_log(buf_text(&text), 7, NULL, 0, &shown, &tail);
	contains(buf_text(&tail), "line 81\nline 82\n", "the last twenty lines");
	ok(!strstr(buf_text(&tail), "line 80\n"), "and no more");
	buf_clear(&tail);
	write_log("one\ntwo", 3, NULL, 0, &shown, &tail);
	is_str(buf_text(&tail), "one\ntwo", "a last line without a newline");
	buf_release(&text);
	buf_release(&shown);
	buf_release(&tail);
}

static void
test_index(void)
{
	struct buf shown = { 0 };
	struct log_mark *marks;
	char index[600];
	size_t len = 0;

	write_log("one\ntwo\nthree\n", 6, NULL, 0, &shown, NULL);
	snprintf(index, sizeof(index), "%s.idx", path);
	marks = (struct log_mark *)(void *)test_read_file(index, &len);
	is_int((int64_t)(len / sizeof(*marks)), 3, "a mark for each piece");
	is_int((int64_t)marks[1].offset, 6, "its place");
	is_int((int64_t)marks[1].line, 1, "the lines before it");
	is_int(marks[2].time_ms, 1012, "its time");
	free(marks);
	buf_release(&shown);
}

static void
test_read(void)
{
	static const struct {
		size_t lines;
		const char *grep;
		const char *want;
	} cases[] = {
		{ SIZE_MAX, NULL, "red one\ngreen two\nred three\nlast" },
		{ 2, NULL, "red three\nlast" },
		{ 0, NULL, "" },
		{ SIZE_MAX, "red", "red one\nred three\n" },
		{ 1, "red", "red three\n" },
		{ SIZE_MAX, "blue", "" },
		{ 99, NULL, "red one\ngreen two\nred three\nlast" },
	};
	struct buf shown = { 0 }, got = { 0 };
	struct error err;

	write_log("red one\ngreen two\nred three\nlast", 1000, NULL, 0, &shown, NULL);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		buf_clear(&got);
		log_read(path, cases[i].lines, cases[i].grep, 1 << 20, &got, &err);
		is_str(buf_text(&got), cases[i].want, "last %zd grep %s", (ssize_t)cases[i].lines, cases[i].grep ? cases[i].grep : "-");
	}
	is_int(log_read("/nowhere/log", 1, NULL, 10, &got, &err), -1, "a log that is not there");
	contains(err.text, "cannot read the log `/nowhere/log`", "is an error");
	buf_release(&shown);
	buf_release(&got);
}

/* A log that is gone on with has what it had up to the place, then what comes: its bytes, its index and its last lines. */
static void
test_resume(void)
{
	struct error err;
	struct log *log = log_new(path, NULL, 0, &err);
	char index[600];
	const char *out;
	size_t len, size = 0;
	struct log_mark *marks;
	struct buf tail = { 0 };
	char *stored;

	log_write(log, "one\n", 4, 10, &out, &len);
	log_write(log, "two\n", 4, 20, &out, &len);
	log_write(log, "thr", 3, 30, &out, &len);
	log_free(log);
	log = log_resume(path, 8, &err);
	log_write(log, "three\n", 6, 40, &out, &len);
	log_tail(log, &tail);
	is_str(buf_text(&tail), "one\ntwo\nthree\n", "the last lines are those of the file");
	is_int((int64_t)log_size(log), 14, "its size");
	log_free(log);
	stored = test_read_file(path, &size);
	is_str(stored, "one\ntwo\nthree\n", "what was beyond the place is gone");
	free(stored);
	snprintf(index, sizeof(index), "%s.idx", path);
	marks = (struct log_mark *)(void *)test_read_file(index, &size);
	is_int((int64_t)(size / sizeof(*marks)), 3, "a mark for each piece");
	ok(marks[2].offset == 8 && marks[2].line == 2 && marks[2].time_ms == 40, "the last is of the new one");
	free(marks);
	log = log_resume(path, 1000, &err);
	is_int((int64_t)log_size(log), 14, "a place beyond the end is the end");
	log_free(log);
	unlink(path);
	log = log_resume(path, 5, &err);
	ok(log && !log_size(log), "a file that is gone is made");
	log_free(log);
	buf_release(&tail);
}

int
main(void)
{
	folder = test_temp_dir();
	snprintf(path, sizeof(path), "%s/log", folder);
	test_masking();
	test_tail();
	test_index();
	test_read();
	test_resume();
	test_remove_tree(folder);
	free(folder);
	return done_testing();
}
