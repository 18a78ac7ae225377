#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "tests/tap.h"

static void
test_growing(void)
{
	struct buf buf = { 0 };

	is_str(buf_text(&buf), "", "an empty buffer is an empty string");
	buf_puts(&buf, "ab");
	buf_putc(&buf, 'c');
	buf_printf(&buf, "%d", 42);
	buf_repeat(&buf, '-', 3);
	is_str(buf_text(&buf), "abc42---", "pieces are joined");
	buf_consume(&buf, 3);
	is_str(buf_text(&buf), "42---", "consumed from the front");
	buf_clear(&buf);
	is_int((int64_t)buf.len, 0, "cleared");
	buf_release(&buf);
}

static void
test_ceiling(void)
{
	struct buf buf = { .max = 8 };

	buf_puts(&buf, "12345678");
	ok(!buf.overflow, "up to the ceiling is fine");
	buf_putc(&buf, '9');
	ok(buf.overflow, "one more byte is past it");
	is_str(buf_text(&buf), "12345678", "the buffer stays as it was");
	buf_clear(&buf);
	buf_printf(&buf, "%s", "a text that is too long");
	is_mem(buf_text(&buf), buf.len, "", 0, "printf past the ceiling appends nothing");
	buf_clear(&buf);
	buf_puts(&buf, "1234");
	buf_printf(&buf, "%s", "56789");
	is_str(buf_text(&buf), "1234", "and leaves what was there");
	buf_puts(&buf, "5");
	is_str(buf_text(&buf), "1234", "what comes later is dropped, even if it would fit");
	buf_release(&buf);
}

/* What broke: room was counted past the highest ceiling there is, which left none. */
static void
test_no_ceiling(void)
{
	struct buf buf = { .max = SIZE_MAX };

	buf_putc(&buf, 'a');
	buf_add(&buf, "bc", 2);
	is_str(buf_text(&buf), "abc", "the ceiling may be the highest there is");
	buf_release(&buf);
}

/* Text is formatted where there is room, and anew where there was too little. */
static void
test_formatting(void)
{
	struct buf buf = { 0 };
	char want[1024] = "";
	size_t len = 0;

	for (int width = 0; width < 40; width++) {
		buf_printf(&buf, "%*d|", width, 7);
		len += (size_t)snprintf(want + len, sizeof want - len, "%*d|", width, 7);
	}
	is_str(buf_text(&buf), want, "texts of all lengths");
	is_int((int64_t)buf.len, (int64_t)len, "are counted");
	buf_release(&buf);
}

static void
test_detach(void)
{
	struct buf buf = { 0 };
	size_t len = 1;
	char *text = buf_detach(&buf, &len);

	is_str(text, "", "detaching an empty buffer gives a string");
	is_int((int64_t)len, 0, "of no length");
	free(text);
	buf_add(&buf, "a\0b", 3);
	text = buf_detach(&buf, &len);
	is_mem(text, len, "a\0b", 3, "NUL bytes are bytes");
	free(text);
	is_int((int64_t)buf.len, 0, "the buffer is empty afterwards");
}

int
main(void)
{
	test_growing();
	test_ceiling();
	test_no_ceiling();
	test_formatting();
	test_detach();
	return done_testing();
}
