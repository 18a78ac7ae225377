/* The push parser: however the text is cut, it tells the same; what it takes as a value can be written and read again. */
#include "config.h"

#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/json_scan.h"
#include "base/json_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
told(void *context, struct json_scan *scan, enum json_event event, const char *text, size_t len, struct error *err)
{
	struct buf *log = context;

	(void)err;
	if (event != JSON_PIECE && event != JSON_RAW)
		buf_printf(log, "|%d@%zu:", (int)event, scan->depth);
	buf_add(log, text, len);
	if (event == JSON_KEY || event == JSON_ARRAY)
		scan->next = len ? (enum json_way)(text[0] & 3) : JSON_TELL;
	return 0;
}

static void
scan_all(const uint8_t *data, size_t size, size_t piece, struct buf *log)
{
	struct json_scan scan = { .told = told, .context = log };
	struct error err = { 0 };
	int bad = 0;

	for (size_t i = 0; i < size && !bad; i += piece)
		bad = json_scan_feed(&scan, (const char *)data + i, size - i < piece ? size - i : piece, &err);
	if (bad || json_scan_end(&scan, &err)) {
		buf_clear(log);
		buf_puts(log, err.text);
	}
	json_scan_release(&scan);
}

static void
check_value(const char *text, size_t len)
{
	struct arena *arena = arena_new();
	struct buf once = { 0 }, again = { 0 };
	struct error err;
	const struct value *value = json_tree_read(arena, text, len, &err);

	if (value) {
		value_write_json(&once, value);
		value = json_tree_read(arena, once.data, once.len, &err);
		if (!value)
			BUG("what was written is not read: %s", err.text);
		value_write_json(&again, value);
		if (strcmp(buf_text(&once), buf_text(&again)) != 0)
			BUG("written %s, then %s", buf_text(&once), buf_text(&again));
	}
	buf_release(&once);
	buf_release(&again);
	arena_free(arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = { 0 }, pieces = { 0 };

	scan_all(data, size, size ? size : 1, &whole);
	for (size_t piece = 1; piece < 8; piece += 3) {
		buf_clear(&pieces);
		scan_all(data, size, piece, &pieces);
		if (strcmp(buf_text(&whole), buf_text(&pieces)) != 0)
			BUG("at once %s, in pieces %s", buf_text(&whole), buf_text(&pieces));
	}
	check_value((const char *)data, size);
	buf_release(&whole);
	buf_release(&pieces);
	return 0;
}
