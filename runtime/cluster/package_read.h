/* A pipeline's package as others made it: a Workflow of Argo's as YAML or JSON, as it is or in a .tar.gz or .zip, from a file or an
 * address. What Kubeflow's own reader would hang on (YAML that does not parse), or take for something else, is refused here. */
#ifndef RUNTIME_CLUSTER_PACKAGE_READ_H
#define RUNTIME_CLUSTER_PACKAGE_READ_H

#include "base/arena.h"
#include "base/value.h"
#include "runtime/cluster/http.h"

enum {
	PACKAGE_BYTES_MAX = 32 * 1024 * 1024, /* of the package, and of the text in it */
	PACKAGE_HOPS_MAX = 5, /* redirects of an address */
};

/* The Workflow, in the arena; NULL with *err set. `name` is of the file or the address, for messages. In an archive it is the file
 * pipeline.yaml, else the first that ends in .yaml. */
const struct value *package_read(struct arena *arena, const char *name, const char *bytes, size_t n, struct error *err);
/* Appends what is in a file. */
int package_load(const char *path, struct buf *ret, struct error *err);
/* Appends what an https (or http) address gives, without credentials; redirects are followed, but not from https to http. */
int package_fetch(struct http *http, const char *url, bool (*stop)(void *context), void *context, struct buf *ret, struct error *err);
/* Its parameters, a List of {"name", "value"}, perhaps empty; a value is not there where it is required. */
const struct value *package_parameters(const struct value *workflow);

/* package_archive.c: appends the pipeline's text out of an archive; 1 when the bytes are none, -1 with *err set. */
int package_unpack(const char *bytes, size_t n, struct buf *ret, struct error *err);

#endif
