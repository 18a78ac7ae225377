/* Files that steps made, shown by what they hold: tables (CSV, TSV, JSON lines), pictures (SVG, PNG, JPEG), Markdown, text; anything
 * else by name and size. Reads at most ARTIFACT_READ_MAX bytes; says when there is more. */
#ifndef KERNEL_ARTIFACT_H
#define KERNEL_ARTIFACT_H

#include <jansson.h>

#include "base/error.h"

enum { ARTIFACT_READ_MAX = 1024 * 1024, ARTIFACT_ROWS_MAX = 20, ARTIFACT_CELL_MAX = 120, ARTIFACT_COLUMNS_MAX = 30 };

/* A new MIME bundle, always with text/plain. type_name: "Dataset", "Markdown" …, a hint. NULL with *err set. */
json_t *artifact_bundle(const char *path, const char *type_name, struct error *err);

#endif
