/* The one file in an archive as Argo packs an artifact: tar, gzip around it. */
#ifndef RUNTIME_CLUSTER_UNPACK_H
#define RUNTIME_CLUSTER_UNPACK_H

#include "base/buf.h"
#include "base/error.h"

/* Is it gzip? */
bool unpack_is_packed(const char *bytes, size_t n);
/* Appends the file's bytes, at most max. -1 with *err set: no such archive, a folder of several files, longer than max. */
int unpack_file(const char *bytes, size_t n, size_t max, struct buf *ret, struct error *err);

#endif
