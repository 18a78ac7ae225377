#include "config.h"

#include "runtime/train/proto_read.h"

enum { VARINT_BITS = 7, VARINT_BYTES = 10, FIELD_MAX = (1 << 29) - 1 };

int
proto_next_varint(struct proto_reader *r, uint64_t *ret)
{
	*ret = 0;
	if (r->at == r->end)
		return 0;
	for (unsigned i = 0; i < VARINT_BYTES && r->at < r->end; i++) {
		unsigned char byte = *r->at++;

		/* Of the tenth byte one bit has a place. */
		if (i == VARINT_BYTES - 1 && byte > 1)
			return -1;
		*ret |= (uint64_t)(byte & 0x7F) << (VARINT_BITS * i);
		if (byte < 0x80)
			return 1;
	}
	return -1;
}

static int
fixed(struct proto_reader *r, unsigned bytes, uint64_t *ret)
{
	if ((size_t)(r->end - r->at) < bytes)
		return -1;
	*ret = 0;
	for (unsigned i = 0; i < bytes; i++)
		*ret |= (uint64_t)*r->at++ << (8 * i);
	return 1;
}

int
proto_next(struct proto_reader *r, struct proto_field *ret)
{
	uint64_t key, len;
	int more = proto_next_varint(r, &key);

	if (more <= 0)
		return more;
	*ret = (struct proto_field){ .number = (uint32_t)(key >> 3), .bytes = r->at };
	if (key >> 3 < 1 || key >> 3 > FIELD_MAX)
		return -1;
	switch (key & 7) {
	case 0:
		return proto_next_varint(r, &ret->value) > 0 ? 1 : -1;
	case 1:
		return fixed(r, 8, &ret->value);
	case 5:
		return fixed(r, 4, &ret->value);
	case 2:
		if (proto_next_varint(r, &len) <= 0 || len > (size_t)(r->end - r->at))
			return -1;
		ret->is_bytes = true;
		ret->bytes = r->at;
		ret->len = (size_t)len;
		r->at += len;
		return 1;
	default: /* groups went out of use before any of this */
		return -1;
	}
}
