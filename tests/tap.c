#include "config.h"

#include "tests/tap.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN_MAX = 4000 }; /* bytes of each side that a failure prints */

/* The one place with state of its own: the counters of this program's plan. */
static struct {
	int run, failed;
} tap;

static PRINTF_LIKE(1, 0) void
print_name(const char *format, va_list args)
{
	char name[512];

	vsnprintf(name, sizeof(name), format, args);
	for (char *c = name; *c; c++)
		if (*c == '\n' || *c == '#')
			*c = ' ';
	printf("%s\n", name);
}

static PRINTF_LIKE(2, 0) bool
report(bool held, const char *format, va_list args)
{
	tap.run++;
	tap.failed += !held;
	printf("%sok %d - ", held ? "" : "not ", tap.run);
	print_name(format, args);
	return held;
}

bool
ok(bool condition, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report(condition, format, args);
	va_end(args);
	fflush(stdout);
	return condition;
}

/* One side of a comparison: newlines start a comment line each, other control characters are escaped. */
static void
print_side(const char *label, const char *text, size_t len)
{
	printf("#   %s: ", label);
	if (!text) {
		printf("NULL\n");
		return;
	}
	putchar('"');
	for (size_t i = 0; i < len && i < SHOWN_MAX; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\n')
			printf("\\n%s", i + 1 < len ? "\n#          " : "");
		else if (c == '\t')
			printf("\\t");
		else if (c < ' ' || c == 0x7f)
			printf("\\x%02x", c);
		else
			putchar(c);
	}
	printf("\"%s (%zu bytes)\n", len > SHOWN_MAX ? "…" : "", len);
}

bool
is_str(const char *got, const char *want, const char *format, ...)
{
	bool held = got && want ? !strcmp(got, want) : got == want;
	va_list args;

	va_start(args, format);
	report(held, format, args);
	va_end(args);
	if (!held) {
		print_side(" got", got, got ? strlen(got) : 0);
		print_side("want", want, want ? strlen(want) : 0);
	}
	fflush(stdout);
	return held;
}

bool
is_int(int64_t got, int64_t want, const char *format, ...)
{
	bool held = got == want;
	va_list args;

	va_start(args, format);
	report(held, format, args);
	va_end(args);
	if (!held)
		printf("#    got: %" PRId64 "\n#   want: %" PRId64 "\n", got, want);
	fflush(stdout);
	return held;
}

bool
is_mem(const void *got, size_t got_len, const void *want, size_t want_len, const char *format, ...)
{
	bool held = got_len == want_len && (!got_len || !memcmp(got, want, got_len));
	va_list args;

	va_start(args, format);
	report(held, format, args);
	va_end(args);
	if (!held) {
		print_side(" got", got, got_len);
		print_side("want", want, want_len);
	}
	fflush(stdout);
	return held;
}

bool
contains(const char *text, const char *part, const char *format, ...)
{
	bool held = text && strstr(text, part);
	va_list args;

	va_start(args, format);
	report(held, format, args);
	va_end(args);
	if (!held) {
		print_side("text", text, text ? strlen(text) : 0);
		print_side("part", part, strlen(part));
	}
	fflush(stdout);
	return held;
}

void
tap_note(const char *format, ...)
{
	va_list args;

	printf("# ");
	va_start(args, format);
	print_name(format, args);
	va_end(args);
}

void
skip(int n, const char *why, ...)
{
	for (int i = 0; i < n; i++) {
		va_list args;

		printf("ok %d # SKIP ", ++tap.run);
		va_start(args, why);
		print_name(why, args);
		va_end(args);
	}
	fflush(stdout);
}

void
skip_all(const char *why, ...)
{
	va_list args;

	if (tap.run)
		BUG("skip_all after %d assertions", tap.run);
	printf("1..0 # SKIP ");
	va_start(args, why);
	print_name(why, args);
	va_end(args);
	exit(0);
}

int
done_testing(void)
{
	if (!tap.run)
		printf("not ok 1 - the program made no assertion\n1..1\n");
	else
		printf("1..%d\n", tap.run);
	fflush(stdout); /* a sanitizer's complaint at exit ends the program without */
	return tap.failed || !tap.run ? 1 : 0;
}

static char *
join(const char *folder, const char *name)
{
	size_t size = strlen(folder) + strlen(name) + 2;
	char *path = xmalloc(size);

	snprintf(path, size, "%s/%s", folder, name);
	return path;
}

char *
test_path(const char *name)
{
	return join(TEST_SRCDIR, name);
}

char *
test_build_path(const char *name)
{
	return join(TEST_BUILDDIR, name);
}

char *
test_shared_path(const char *name)
{
	const char *shared = getenv("LATEEN_SHARED");
	char *path;

	if (!shared || !*shared)
		return NULL;
	path = join(shared, name);
	if (access(path, R_OK)) {
		free(path);
		return NULL;
	}
	return path;
}

char *
test_read_file(const char *path, size_t *ret_len)
{
	FILE *file = fopen(path, "rb");
	size_t cap = 0, len = 0;
	char *text = NULL;

	if (!file)
		return NULL;
	do {
		cap = cap ? cap * 2 : 4096;
		text = xrealloc(text, cap + 1);
		len += fread(text + len, 1, cap - len, file);
	} while (len == cap);
	text[len] = '\0';
	fclose(file);
	if (ret_len)
		*ret_len = len;
	return text;
}

char *
test_temp_dir(void)
{
	const char *tmp = getenv("TMPDIR");
	char *path = join(tmp && *tmp ? tmp : "/tmp", "lateen-test-XXXXXX");

	if (!mkdtemp(path))
		BUG("cannot make %s: %s", path, strerror(errno));
	return path;
}

static int
remove_entry(const char *path, const struct stat *st UNUSED, int kind UNUSED, struct FTW *at UNUSED)
{
	return remove(path);
}

void
test_remove_tree(const char *path)
{
	nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}
