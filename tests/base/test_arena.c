#include "config.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "tests/tap.h"

static bool
is_zero(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i])
			return false;
	return true;
}

/* What is wrong with the allocation, or NULL; leaves it full of ones, so that an overlap is seen in the next. */
static const char *
problem_of(char *bytes, size_t size)
{
	if ((uintptr_t)bytes % alignof(max_align_t))
		return "not aligned";
	if (!is_zero(bytes, size))
		return "not zeroed";
	memset(bytes, 1, size);
	return NULL;
}

/* Past a few hundred KiB the blocks are of another kind: all must be as the first. */
static void
check_sizes(const char *what, size_t first, size_t step, size_t n)
{
	struct arena *arena = arena_new();
	const char *problem = NULL;
	size_t asked = 0, at = 0;

	for (size_t i = 0; i < n && !problem; i++) {
		size_t size = first + i * step;

		problem = problem_of(arena_alloc(arena, size), size);
		asked += size;
		at = i;
	}
	ok(!problem, "%s: allocation %zu is %s", what, at, problem ? problem : "aligned and zeroed");
	ok(arena_used(arena) >= asked && arena_used(arena) < asked + n * alignof(max_align_t), "%s: %zu bytes asked for, %zu used", what,
		asked, arena_used(arena));
	arena_free(arena);
}

static void
check_copies(void)
{
	struct arena *arena = arena_new();
	char *big = arena_alloc(arena, 5 * 1024 * 1024);
	const char *text;

	memset(big, 'x', 5 * 1024 * 1024);
	text = arena_printf(arena, "%s %d", "a text", 7);
	is_str(text, "a text 7", "formatted");
	is_str(arena_strdup(arena, text), text, "copied");
	is_str(arena_strndup(arena, text, 6), "a text", "its beginning");
	is_str(arena_strndup(arena, text, 0), "", "nothing of it");
	ok(!arena_copy(arena, text, 0), "no copy of no bytes");
	is_str(arena_copy(arena, text, 9), text, "bytes");
	ok(big[5 * 1024 * 1024 - 1] == 'x', "what came before is still there");
	arena_free(arena);
	arena_free(NULL);
}

int
main(void)
{
	check_sizes("small", 1, 0, 100000);
	check_sizes("growing", 0, 7, 2000);
	check_sizes("structs past many blocks", 200, 0, 40000);
	check_sizes("as large as a block", 255 * 1024, 1, 40);
	check_sizes("larger than any block", 3 * 1024 * 1024, 12345, 5);
	check_copies();
	return done_testing();
}
