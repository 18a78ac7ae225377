#include "config.h"

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
	test_detach();
	return done_testing();
}
