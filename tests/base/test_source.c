#include "config.h"

#include <string.h>

#include "base/source.h"
#include "tests/tap.h"

/* é is 2 bytes, 漢 3, 🚀 4; a tab and an invalid byte count one each. */
static const char text[] = "é\t漢🚀x\n\nlast\xFFy";

static const struct {
	uint32_t offset;
	unsigned line, column;
	const char *why;
} places[] = {
	{ 0, 1, 1, "the first byte" },
	{ 2, 1, 2, "behind two bytes of one character" },
	{ 3, 1, 3, "behind a tab" },
	{ 6, 1, 4, "behind three bytes" },
	{ 10, 1, 5, "behind four bytes" },
	{ 11, 1, 6, "a newline belongs to its line" },
	{ 12, 2, 1, "an empty line" },
	{ 13, 3, 1, "the last line" },
	{ 18, 3, 6, "behind an invalid byte" },
	{ 19, 3, 7, "the end" },
	{ 999, 3, 7, "past the end is the end" },
};

static void
test_places(void)
{
	struct source *source = source_new("In[1]", text, sizeof text - 1);

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		struct place p = source_place(source, places[i].offset);

		is_int(p.line, places[i].line, "line: %s", places[i].why);
		is_int(p.column, places[i].column, "column: %s", places[i].why);
	}
	source_unref(source);
}

static void
test_lines(void)
{
	struct source *part = source_new_part("x.lateen", "ab\ncd", 5, 41);
	size_t len;
	const char *line = source_line(part, 42, &len);

	is_mem(line, len, "cd", 2, "a part keeps the file's line numbers");
	is_int(source_place(part, 4).line, 42, "also in places");
	line = source_line(part, 41, &len);
	is_mem(line, len, "ab", 2, "its first line, without the newline");
	source_unref(source_ref(part));
	is_int(source_line_start(part, 42), 3, "where a line starts: it was looked for past the end, for the part's first line is not line 1");
	is_str(part->name, "x.lateen", "a reference keeps it");
	source_unref(part);
	source_unref(NULL);
}

int
main(void)
{
	test_places();
	test_lines();
	return done_testing();
}
