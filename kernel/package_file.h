/* A compiled pipeline in a file or behind an https URL: YAML or JSON, alone or in a .tar.gz or .zip. */
#ifndef KERNEL_PACKAGE_FILE_H
#define KERNEL_PACKAGE_FILE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/value.h"

/* The Workflow object, in the arena; NULL with *err set. `stop` may be NULL. */
const struct value *package_file_read(struct arena *arena, const char *location, bool (*stop)(void *context), void *context, struct error *err);
/* The name of it: what it calls itself, else its file's name without endings. */
const char *package_file_name(struct arena *arena, const char *location, const struct value *workflow);

#endif
