/* Protocol buffers, read field by field, of any bytes: nothing is taken on trust. */
#ifndef RUNTIME_TRAIN_PROTO_READ_H
#define RUNTIME_TRAIN_PROTO_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct proto_reader {
	const unsigned char *at, *end;
};

struct proto_field {
	uint32_t number;
	bool is_bytes; /* a text, a message, or a row of numbers: `bytes` and `len`; else `value` */
	uint64_t value; /* an integer, or the bits of a float or double */
	const unsigned char *bytes; /* never NULL */
	size_t len;
};

/* 1: the next field; 0: the end; -1: what is there is no message. */
int proto_next(struct proto_reader *reader, struct proto_field *ret);
/* A number within a packed row: as proto_next. */
int proto_next_varint(struct proto_reader *reader, uint64_t *ret);

#endif
