/* Entries of several sessions in one file. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/history.h"
#include "kernel/message.h"
#include "tests/tap.h"

/* Compares and lets go of the JSON. */
static void
is_json(json_t *got, const char *want, const char *name)
{
	struct buf text = { 0 };

	message_dump(got, &text);
	is_str(buf_text(&text), want, "%s", name);
	buf_release(&text);
	json_decref(got);
}

static void
session_of(const char *path, const char *const *codes)
{
	struct history *history = history_new(path);

	for (int line = 1; codes[line - 1]; line++)
		history_add(history, line, codes[line - 1], line == 1 ? "out" : NULL);
	history_free(history);
}

static void
test_sessions(const char *path)
{
	struct history *history;

	session_of(path, (const char *const[]){ "a", "b", NULL });
	session_of(path, (const char *const[]){ NULL });
	session_of(path, (const char *const[]){ "a", "c", "d", NULL });
	history = history_new(path);
	is_json(history_range(history, 0, 1, 0, false), "[]", "a new session has no entries");
	history_add(history, 1, "e", NULL);
	is_json(history_tail(history, 2, false), "[[2,3,\"d\"],[3,1,\"e\"]]", "the tail goes over sessions");
	is_json(history_tail(history, 0, false), "[]", "a tail of none");
	is_json(history_range(history, 0, 1, 0, false), "[[3,1,\"e\"]]", "session 0 is this one");
	is_json(history_range(history, 3, 1, 2, false), "[[3,1,\"e\"]]", "and has a number");
	is_json(history_range(history, -1, 2, 4, false), "[[2,2,\"c\"],[2,3,\"d\"]]", "one back");
	is_json(history_range(history, -2, 0, 2, true), "[[1,1,[\"a\",\"out\"]]]", "two back, with outputs");
	is_json(history_range(history, -9, 0, 0, false), "[]", "further than there is");
	is_json(history_range(history, 77, 0, 0, false), "[]", "a number that never was");
	is_json(history_search(history, "a", 0, false, false), "[[1,1,\"a\"],[2,1,\"a\"]]", "search");
	is_json(history_search(history, "a", 0, true, false), "[[2,1,\"a\"]]", "search for unique ones: the last of each");
	is_json(history_search(history, "?", 2, false, false), "[[2,3,\"d\"],[3,1,\"e\"]]", "the last two that match");
	is_json(history_search(history, "'; DROP TABLE entries; --", 0, false, false), "[]", "a pattern is no SQL");
	history_free(history);
}

static void
is_private(const char *path, const char *suffix)
{
	char name[600];
	struct stat st = { 0 };

	snprintf(name, sizeof name, "%s%s", path, suffix);
	ok(stat(name, &st) == 0 && (st.st_mode & 0777) == 0600, "the file%s is its owner's: mode %o", suffix,
		(unsigned)(st.st_mode & 0777));
}

static void
test_two_at_a_time(const char *path)
{
	struct history *a = history_new(path), *b = history_new(path);
	json_t *entries;

	for (int i = 1; i <= 50; i++) {
		history_add(a, i, "from a", NULL);
		history_settle(a);
		history_add(b, i, "from b", NULL);
		history_settle(b);
	}
	is_private(path, "");
	is_private(path, "-wal");
	is_private(path, "-shm");
	entries = history_range(a, 0, 0, 0, false);
	is_int((int64_t)json_array_size(entries), 50, "two kernels write into one file");
	json_decref(entries);
	history_free(a);
	history_free(b);
}

static void
test_bad_places(const char *folder)
{
	char path[512];
	struct history *history;
	FILE *file;

	snprintf(path, sizeof path, "%s/not.sqlite", folder);
	file = fopen(path, "w");
	fputs("this is no database, and much longer than a header of one hundred bytes would have to be, so that it is read ...", file);
	fclose(file);
	history = history_new(path);
	history_add(history, 1, "x", NULL);
	is_json(history_tail(history, 9, false), "[[1,1,\"x\"]]", "a file that is no database: in memory");
	history_free(history);
	history = history_new("/proc/no/such/place");
	history_add(history, 1, "x", NULL);
	is_json(history_tail(history, 9, false), "[[1,1,\"x\"]]", "a place that cannot be: in memory");
	history_free(history);
}

static void
test_long_entries(void)
{
	struct history *history = history_new("");
	char *text = xcalloc(HISTORY_TEXT_MAX + 3, 1);
	json_t *tail;

	memset(text, 'x', HISTORY_TEXT_MAX - 1);
	memcpy(text + HISTORY_TEXT_MAX - 1, "é", 2);
	history_add(history, 1, text, NULL);
	tail = history_tail(history, 1, false);
	is_int((int64_t)json_string_length(json_array_get(json_array_get(tail, 0), 2)), HISTORY_TEXT_MAX - 1,
		"long inputs are cut, not inside a character");
	json_decref(tail);
	history_free(history);
	free(text);
}

int
main(void)
{
	char *folder = test_temp_dir(), path[512];

	snprintf(path, sizeof path, "%s/a/b/history.sqlite", folder);
	test_sessions(path);
	snprintf(path, sizeof path, "%s/two.sqlite", folder);
	test_two_at_a_time(path);
	test_bad_places(folder);
	test_long_entries();
	test_remove_tree(folder);
	free(folder);
	return done_testing();
}
