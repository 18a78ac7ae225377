#include "config.h"

#include "runtime/step/kept.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEPT_MAX = 64 * 1024 * 1024 };

static uint64_t
step_of(const char *line)
{
	return strtoull(line + strcspn(line, "0123456789\n"), NULL, 10);
}

/* How much of the text is whole lines of steps up to `done`. */
static size_t
good_part(const struct buf *text, uint64_t done)
{
	size_t at = 0;

	while (at < text->len) {
		const char *line = text->data + at, *end = memchr(line, '\n', text->len - at);

		if (!end || step_of(line) > done)
			break;
		at = (size_t)(end - text->data) + 1;
	}
	return at;
}

static void
read_all(FILE *file, struct buf *text)
{
	char *space;
	size_t n;

	while (text->len < KEPT_MAX && (space = buf_space(text, 65536)) && (n = fread(space, 1, 65536, file)) > 0)
		buf_commit(text, n);
}

void
kept_open(struct kept *k, const char *folder, const char *name, uint64_t done, struct buf *ret)
{
	CLEANUP(buf_release) struct buf path = { 0 }, text = { 0 };
	size_t good;

	*k = (struct kept){ 0 };
	if (!folder)
		return;
	buf_printf(&path, "%s/%s", folder, name);
	k->file = fopen(buf_text(&path), "a+e");
	if (!k->file)
		return;
	rewind(k->file);
	read_all(k->file, &text);
	good = good_part(&text, done);
	if (good < text.len && ftruncate(fileno(k->file), (off_t)good))
		kept_close(k);
	buf_add(ret, buf_text(&text), good);
}

void
kept_add(struct kept *k, const char *text, size_t len)
{
	if (k->file && (fwrite(text, 1, len, k->file) != len || fflush(k->file)))
		kept_close(k);
}

void
kept_close(struct kept *k)
{
	if (k->file)
		fclose(k->file);
	k->file = NULL;
}
