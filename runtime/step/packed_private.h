/* Between packed.c and the ways of packing. */
#ifndef RUNTIME_STEP_PACKED_PRIVATE_H
#define RUNTIME_STEP_PACKED_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Bytes of the file that wait to be unpacked. */
struct packed_input {
	const char *bytes;
	size_t len, at;
};

struct zstd;

struct zstd *zstd_open(struct error *err);
void zstd_close(struct zstd *zstd); /* NULL is fine */
/* Unpacks what there is, at most len bytes; *ret_n of them are there then. */
int zstd_unpack(struct zstd *zstd, struct packed_input *input, char *bytes, size_t len, size_t *ret_n, struct error *err);
/* Nothing has begun that has not ended. */
bool zstd_is_whole(const struct zstd *zstd);

#endif
