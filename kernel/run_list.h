/* The list of runs of a store, as a table. */
#ifndef KERNEL_RUN_LIST_H
#define KERNEL_RUN_LIST_H

#include "base/buf.h"
#include "base/error.h"

enum { RUN_LIST_MAX = 100 };

/* The newest runs of the store in that folder: as text, and as an HTML table (html may be NULL). A store that does not exist
 * yet has none. */
int run_list_write(const char *folder, struct buf *text, struct buf *html, struct error *err);
/* [{id, name, pipeline, phase, message, started, ended, steps, done, failed}], times in ISO 8601. */
int run_list_write_json(const char *folder, struct buf *buf, struct error *err);

#endif
