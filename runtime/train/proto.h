/* Protocol buffers, written field by field behind what a buffer holds: for event files and ONNX, of which only few messages are needed.
 *
 * Fields come in the order of the calls. A message within a message is written between proto_begin and proto_end, as deep as one likes. What
 * does not fit leaves the buffer's `overflow` set, as all appending does; who writes looks at it once, at the end. */
#ifndef RUNTIME_TRAIN_PROTO_H
#define RUNTIME_TRAIN_PROTO_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { PROTO_VARINT_MAX = 10 /* bytes of the largest */, PROTO_HEAD_MAX = 2 * PROTO_VARINT_MAX /* of a field's number and length */ };

/* An integer, an enumeration or a boolean; negative ones as int64 has them. */
void proto_int(struct buf *buf, unsigned field, int64_t number);
void proto_float(struct buf *buf, unsigned field, float number);
void proto_double(struct buf *buf, unsigned field, double number);
void proto_bytes(struct buf *buf, unsigned field, const void *bytes, size_t len);
void proto_text(struct buf *buf, unsigned field, const char *text);
/* A repeated field as one run of bytes: n may be 0, and then nothing is written. */
void proto_packed_ints(struct buf *buf, unsigned field, const int64_t *numbers, size_t n);
void proto_packed_floats(struct buf *buf, unsigned field, const float *numbers, size_t n);
void proto_packed_doubles(struct buf *buf, unsigned field, const double *numbers, size_t n);

/* A message that is a field: all that is appended until proto_end, which gets what proto_begin gave. */
size_t proto_begin(struct buf *buf, unsigned field);
void proto_end(struct buf *buf, size_t begun);

/* The number and length of a field whose len bytes are written elsewhere, behind this. */
void proto_head(struct buf *buf, unsigned field, uint64_t len);

/* One number of a packed row: between proto_begin and proto_end. */
void proto_varint(struct buf *buf, uint64_t number);

/* The low bytes of a number, the lowest first. */
void proto_little(struct buf *buf, uint64_t number, int bytes);

#endif
