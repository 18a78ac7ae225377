/* TensorFlow's files of records: each has its length, a checksum of that, its bytes, a checksum of them. */
#ifndef RUNTIME_TRAIN_TFRECORD_H
#define RUNTIME_TRAIN_TFRECORD_H

#include <stddef.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/error.h"

enum { TFRECORD_MAX = 64 * 1024 * 1024 /* bytes of a record */ };

struct tfrecord;

/* NULL with *err set. */
struct tfrecord *tfrecord_open(const char *path, struct error *err);
/* The same of a file that is open already, and is closed with it; `name` is for errors. */
struct tfrecord *tfrecord_from(FILE *file, const char *name);
void tfrecord_close(struct tfrecord *records); /* NULL is fine */
/* 1: a record, its bytes until the next call; 0: the end; -1 with *err set: cut off, damaged, or too long. */
int tfrecord_next(struct tfrecord *records, const unsigned char **ret, size_t *ret_len, struct error *err);

/* Appends a record. */
void tfrecord_write(struct buf *buf, const void *bytes, size_t len);

#endif
