/* A pipeline's package as others made it: a Workflow of Argo's as YAML or JSON, as it is or in a .tar.gz or .zip. What Kubeflow's own reader would hang on (YAML that does not parse), or take for something else, is refused here. */
#ifndef RUNTIME_CLUSTER_PACKAGE_READ_H
#define RUNTIME_CLUSTER_PACKAGE_READ_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/value.h"

enum {
	PACKAGE_BYTES_MAX = 32 * 1024 * 1024, /* of the package, and of all in it */
};

/* The Workflow, in the arena; NULL with *err set. `name` is of the file or the address, for messages. In an archive it is the file
 * pipeline.yaml, else the first that ends in .yaml. */
const struct value *package_read(struct arena *arena, const char *name, const char *bytes, size_t n, struct error *err);
/* package_archive.c: appends the pipeline's text out of an archive; 1 when the bytes are none, -1 with *err set. */
int package_unpack(const char *bytes, size_t n, struct buf *ret, struct error *err);

#endif
