#include "config.h"

#include "base/source.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

static void
index_lines(struct source *source)
{
	VEC(uint32_t) starts = { 0 };

	vec_push(&starts, 0);
	for (size_t i = 0; i < source->len; i++)
		if (source->text[i] == '\n')
			vec_push(&starts, (uint32_t)(i + 1));
	source->line_starts = starts.items;
	source->n_lines = starts.n;
}

struct source *
source_new_part(const char *name, const char *text, size_t len, unsigned first_line)
{
	struct source *source = xcalloc(1, sizeof *source);

	if (len > UINT32_MAX - 1)
		BUG("source of %zu bytes", len);
	source->refs = 1;
	source->name = xstrdup(name);
	source->text = xstrndup(text, len);
	source->len = len;
	source->first_line = first_line;
	index_lines(source);
	return source;
}

struct source *
source_new(const char *name, const char *text, size_t len)
{
	return source_new_part(name, text, len, 1);
}

struct source *
source_ref(struct source *source)
{
	__atomic_add_fetch(&source->refs, 1, __ATOMIC_RELAXED);
	return source;
}

void
source_unref(struct source *source)
{
	if (!source || __atomic_sub_fetch(&source->refs, 1, __ATOMIC_ACQ_REL))
		return;
	free(source->name);
	free(source->text);
	free(source->line_starts);
	free(source);
}

/* Index of the last line that starts at or before the offset. */
static size_t
line_of(const struct source *source, uint32_t offset)
{
	size_t low = 0, high = source->n_lines;

	while (high - low > 1) {
		size_t mid = (low + high) / 2;

		if (source->line_starts[mid] <= offset)
			low = mid;
		else
			high = mid;
	}
	return low;
}

struct place
source_place(const struct source *source, uint32_t offset)
{
	size_t line;
	uint32_t start;

	if (offset > source->len)
		offset = (uint32_t)source->len;
	line = line_of(source, offset);
	start = source->line_starts[line];
	return (struct place){ .line = (unsigned)line + source->first_line,
			       .column = (unsigned)utf8_count(source->text + start, offset - start) + 1 };
}

uint32_t
source_line_start(const struct source *source, unsigned line)
{
	if (line < source->first_line || line - source->first_line >= source->n_lines)
		BUG("line %u of %zu from %u", line, source->n_lines, source->first_line);
	return source->line_starts[line - source->first_line];
}

const char *
source_line(const struct source *source, unsigned line, size_t *ret_len)
{
	uint32_t start = source_line_start(source, line), end;
	size_t at = line - source->first_line;

	end = at + 1 < source->n_lines ? source->line_starts[at + 1] - 1 : (uint32_t)source->len;
	*ret_len = end - start;
	return source->text + start;
}

struct span
span_join(struct span a, struct span b)
{
	a.end = b.end > a.end ? b.end : a.end;
	return a;
}
