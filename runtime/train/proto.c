#include "config.h"

#include "runtime/train/proto.h"

#include <string.h>

/* How the bytes of a field are told apart from those of the next. */
enum wire { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

void
proto_little(struct buf *buf, uint64_t number, int bytes)
{
	for (int i = 0; i < bytes; i++)
		buf_putc(buf, (char)(number >> 8 * i & 0xFF));
}

static size_t
varint(char ret[PROTO_VARINT_MAX], uint64_t number)
{
	size_t n = 0;

	for (; number > 127; number >>= 7)
		ret[n++] = (char)(number | 0x80);
	ret[n++] = (char)number;
	return n;
}

void
proto_varint(struct buf *buf, uint64_t number)
{
	char bytes[PROTO_VARINT_MAX];

	buf_add(buf, bytes, varint(bytes, number));
}

static void
put_key(struct buf *buf, unsigned field, enum wire wire)
{
	proto_varint(buf, (uint64_t)field << 3 | (unsigned)wire);
}

static uint64_t
bits_of_double(double number)
{
	uint64_t bits;

	memcpy(&bits, &number, sizeof(bits));
	return bits;
}

static uint32_t
bits_of_float(float number)
{
	uint32_t bits;

	memcpy(&bits, &number, sizeof(bits));
	return bits;
}

void
proto_int(struct buf *buf, unsigned field, int64_t number)
{
	put_key(buf, field, WIRE_VARINT);
	proto_varint(buf, (uint64_t)number);
}

void
proto_float(struct buf *buf, unsigned field, float number)
{
	put_key(buf, field, WIRE_FIXED32);
	proto_little(buf, bits_of_float(number), 4);
}

void
proto_double(struct buf *buf, unsigned field, double number)
{
	put_key(buf, field, WIRE_FIXED64);
	proto_little(buf, bits_of_double(number), 8);
}

void
proto_head(struct buf *buf, unsigned field, uint64_t len)
{
	put_key(buf, field, WIRE_BYTES);
	proto_varint(buf, len);
}

void
proto_bytes(struct buf *buf, unsigned field, const void *bytes, size_t len)
{
	proto_head(buf, field, len);
	buf_add(buf, bytes, len);
}

void
proto_text(struct buf *buf, unsigned field, const char *text)
{
	proto_bytes(buf, field, text, strlen(text));
}

void
proto_packed_ints(struct buf *buf, unsigned field, const int64_t *numbers, size_t n)
{
	size_t begun;

	if (!n)
		return;
	begun = proto_begin(buf, field);
	for (size_t i = 0; i < n; i++)
		proto_varint(buf, (uint64_t)numbers[i]);
	proto_end(buf, begun);
}

void
proto_packed_floats(struct buf *buf, unsigned field, const float *numbers, size_t n)
{
	if (n)
		proto_head(buf, field, (uint64_t)n * 4);
	for (size_t i = 0; i < n; i++)
		proto_little(buf, bits_of_float(numbers[i]), 4);
}

void
proto_packed_doubles(struct buf *buf, unsigned field, const double *numbers, size_t n)
{
	if (n)
		proto_head(buf, field, (uint64_t)n * 8);
	for (size_t i = 0; i < n; i++)
		proto_little(buf, bits_of_double(numbers[i]), 8);
}

size_t
proto_begin(struct buf *buf, unsigned field)
{
	put_key(buf, field, WIRE_BYTES);
	return buf->len;
}

/* How long the message is is known now, and stands before it: it moves on by as many bytes as that takes. */
void
proto_end(struct buf *buf, size_t begun)
{
	char bytes[PROTO_VARINT_MAX];
	size_t len, n;

	if (buf->overflow)
		return;
	len = buf->len - begun;
	n = varint(bytes, len);
	if (!buf_space(buf, n))
		return;
	memmove(buf->data + begun + n, buf->data + begun, len);
	memcpy(buf->data + begun, bytes, n);
	buf_commit(buf, n);
}
