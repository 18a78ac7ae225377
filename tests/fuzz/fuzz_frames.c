/* Frames of watches from any bytes: in pieces of any size they are the same, objects begin and end in turn, and what is handed on
 * of an object stands in the text. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "runtime/cluster/frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	struct buf log;
	bool open;
};

static void
begin(void *context, const struct frame *frame)
{
	struct seen *seen = context;

	if (seen->open)
		BUG("an object within another");
	seen->open = true;
	buf_printf(&seen->log, "[%s|", frame->type);
}

static void
feed(void *context, const char *bytes, size_t n)
{
	struct seen *seen = context;

	if (!seen->open || !n)
		BUG("%zu bytes of no object", n);
	buf_add(&seen->log, bytes, n);
}

static void
end(void *context, const struct frame *frame)
{
	struct seen *seen = context;

	if (!seen->open || seen->log.data[seen->log.len - 1] != '}')
		BUG("an object that does not end");
	seen->open = false;
	buf_printf(&seen->log, "|%s %s %s %s]", frame->type, frame->name, frame->uid, frame->version);
}

static void
listed(void *context, const char *version)
{
	struct seen *seen = context;

	if (!*version)
		BUG("a list without version");
	buf_printf(&seen->log, "listed %s", version);
}

static void
run(const char *text, size_t len, size_t piece, struct seen *ret)
{
	struct frames_sink sink = { begin, feed, end, listed, ret };
	struct frames frames;
	struct error err;

	frames_init(&frames, &sink);
	for (size_t at = 0; at < len; at += piece) {
		size_t n = piece < len - at ? piece : len - at;
		char *copy = xmalloc(n); /* so that the sanitizer sees who reads past it */
		int rc;

		memcpy(copy, text + at, n);
		rc = frames_feed(&frames, copy, n, &err);
		free(copy);
		if (rc) {
			buf_printf(&ret->log, "! %s", err.text);
			return;
		}
	}
	buf_puts(&ret->log, frames_is_whole(&frames) ? "whole" : "more");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen whole = { 0 }, pieces = { 0 };
	const char *text = (const char *)data + 1;

	if (size < 2)
		return 0;
	run(text, size - 1, size, &whole);
	run(text, size - 1, data[0] % 16 + 1, &pieces);
	/* In pieces more of an object may have been handed on before the error came. */
	if (!strchr(buf_text(&whole.log), '!') && strcmp(buf_text(&whole.log), buf_text(&pieces.log)) != 0)
		BUG("in pieces of %d: %s; whole: %s", data[0] % 16 + 1, buf_text(&pieces.log), buf_text(&whole.log));
	buf_release(&whole.log);
	buf_release(&pieces.log);
	return 0;
}
