/* Whole files, in and out: bounded reads, atomic writes. */
#ifndef KERNEL_FILE_H
#define KERNEL_FILE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

/* Appends the file's bytes; "-" is standard input. More than max bytes, a folder or a device is an error. */
int file_read(const char *path, size_t max, struct buf *buf, struct error *err);
/* A program: the same, without the byte order mark that some editors put before a text; it is no part of its first line. */
int file_read_program(const char *path, struct buf *buf, struct error *err);
/* Writes a temporary file beside it and renames it over the path, so that nobody ever sees half of it. "-" is standard output.
 * It does not wait for the disk, which costs more than to compile: for what can be made again should the power fail. */
int file_write(const char *path, const void *bytes, size_t len, struct error *err);
/* The same, on the disk before the old bytes are given up: for what nobody could make again. */
int file_write_durably(const char *path, const void *bytes, size_t len, struct error *err);

#endif
