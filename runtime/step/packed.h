/* A file's bytes as they were before it was packed: by gzip or zstd, told by its first bytes, or not at all. Members and frames
 * may follow each other. What is cut off, damaged, or packed otherwise is an error, and so is a file that grows past PACKED_FREE
 * bytes to more than PACKED_RATIO times its own: texts do not, and what is made to fill a disk does. libzstd is opened when the
 * first such file is. */
#ifndef RUNTIME_STEP_PACKED_H
#define RUNTIME_STEP_PACKED_H

#include <stddef.h>

#include "base/error.h"

enum { PACKED_FREE = 64 * 1024 * 1024, PACKED_RATIO = 250 };

struct packed;

struct packed *packed_open(const char *path, struct error *err);
void packed_close(struct packed *packed); /* NULL is fine */
/* Up to len bytes, len not 0; 0 at the end, -1 with *err set, which does not name the file. A csv_source. */
long packed_read(void *packed, char *bytes, size_t len, struct error *err);

#endif
