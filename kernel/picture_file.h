/* A plan's picture as the bytes of a file: the end of the name says which form. */
#ifndef KERNEL_PICTURE_FILE_H
#define KERNEL_PICTURE_FILE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"
#include "dsl/plan.h"

/* .svg, .json, .txt, or "-" for text on a terminal (with colour if asked for). Negative for any other name. */
int picture_write(struct buf *buf, const struct plan *plan, const char *path, bool colour, struct error *err);

#endif
