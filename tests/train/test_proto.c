/* The protocol buffers' bytes, as protobuf's own documents have them, and as its libraries would write them. */
#include "config.h"

#include <string.h>

#include "runtime/train/proto.h"
#include "tests/tap.h"

static void
is_bytes(struct buf *buf, const char *want, size_t len, const char *what)
{
	ok(!buf->overflow, "%s fits", what);
	is_mem(buf->data, buf->len, want, len, "%s", what);
	buf_clear(buf);
}

#define IS_BYTES(buf, want, what) is_bytes(buf, want, sizeof(want) - 1, what)

static void
test_fields(struct buf *buf)
{
	static const int64_t ints[] = { 3, 270, 86942 };
	static const float floats[] = { 1, -2.5f };
	static const double doubles[] = { 1, -2.5 };

	proto_int(buf, 1, 150);
	IS_BYTES(buf, "\x08\x96\x01", "a varint of two bytes");
	proto_int(buf, 1, 0);
	proto_int(buf, 15, 127);
	proto_int(buf, 16, 128);
	IS_BYTES(buf, "\x08\x00\x78\x7F\x80\x01\x80\x01", "nothing, and where the varints grow");
	proto_int(buf, 2, -1);
	IS_BYTES(buf, "\x10\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", "a negative number takes ten bytes");
	proto_int(buf, 536870911, 1);
	IS_BYTES(buf, "\xF8\xFF\xFF\xFF\x0F\x01", "the largest number of a field");
	proto_text(buf, 2, "testing");
	IS_BYTES(buf, "\x12\x07testing", "a text");
	proto_bytes(buf, 2, "a\0b", 3);
	proto_text(buf, 2, "");
	IS_BYTES(buf, "\x12\x03" "a\0b\x12\x00", "bytes with a NUL, and none");
	proto_float(buf, 5, 1.0f);
	proto_double(buf, 6, -2.5);
	IS_BYTES(buf, "\x2D\x00\x00\x80\x3F\x31\x00\x00\x00\x00\x00\x00\x04\xC0", "a float and a double");
	proto_packed_ints(buf, 6, ints, 3);
	IS_BYTES(buf, "\x32\x06\x03\x8E\x02\x9E\xA7\x05", "integers in one run");
	proto_packed_floats(buf, 5, floats, 2);
	IS_BYTES(buf, "\x2A\x08\x00\x00\x80\x3F\x00\x00\x20\xC0", "floats in one run");
	proto_packed_doubles(buf, 1, doubles, 2);
	IS_BYTES(buf, "\x0A\x10\x00\x00\x00\x00\x00\x00\xF0\x3F\x00\x00\x00\x00\x00\x00\x04\xC0", "doubles in one run");
	proto_packed_ints(buf, 6, NULL, 0);
	proto_packed_floats(buf, 6, NULL, 0);
	proto_packed_doubles(buf, 6, NULL, 0);
	IS_BYTES(buf, "", "of no numbers nothing is written");
	proto_head(buf, 9, UINT64_C(5000000000));
	IS_BYTES(buf, "\x4A\x80\xE4\x97\xD0\x12", "a field that is written elsewhere, of more than 4 GiB");
	proto_little(buf, 0x0102030405060708, 3);
	IS_BYTES(buf, "\x08\x07\x06", "the low bytes of a number");
}

static void
test_nested(struct buf *buf)
{
	size_t outer, inner;

	proto_int(buf, 1, 1);
	outer = proto_begin(buf, 3);
	proto_int(buf, 1, 150);
	proto_end(buf, outer);
	IS_BYTES(buf, "\x08\x01\x1A\x03\x08\x96\x01", "a message in a message");
	outer = proto_begin(buf, 1);
	inner = proto_begin(buf, 2);
	proto_text(buf, 3, "x");
	proto_end(buf, inner);
	inner = proto_begin(buf, 2);
	proto_end(buf, inner);
	proto_end(buf, outer);
	proto_int(buf, 1, 1);
	IS_BYTES(buf, "\x0A\x07\x12\x03\x1A\x01x\x12\x00\x08\x01", "one in one in one, an empty one, and what follows");
}

/* A message whose length takes two bytes and more moves by as many. */
static void
test_long(struct buf *buf)
{
	static char text[20000];

	memset(text, 'a', sizeof(text));
	for (size_t n = 120; n < sizeof(text); n = n * 3 / 2) {
		struct buf plain = { 0 };
		size_t begun = proto_begin(buf, 4);

		buf_add(buf, text, n);
		proto_end(buf, begun);
		proto_bytes(&plain, 4, text, n);
		is_mem(buf->data, buf->len, plain.data, plain.len, "a message of %zu bytes is what its bytes are as a field", n);
		buf_release(&plain);
		buf_clear(buf);
	}
}

static void
test_overflow(void)
{
	for (size_t max = 1; max < 12; max++) {
		CLEANUP(buf_release) struct buf buf = { .max = max };
		size_t begun = proto_begin(&buf, 1);

		proto_text(&buf, 1, "12345678");
		proto_end(&buf, begun);
		ok(buf.overflow && buf.len <= max, "12 bytes do not fit into %zu", max);
	}
}

int
main(void)
{
	CLEANUP(buf_release) struct buf buf = { 0 };

	test_fields(&buf);
	test_nested(&buf);
	test_long(&buf);
	test_overflow();
	return done_testing();
}
