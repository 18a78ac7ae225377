/* Times as Kubernetes and others write them: "2026-11-26T12:00:00Z", with a fraction of a second, an offset, or both. */
#ifndef BASE_RFC3339_H
#define BASE_RFC3339_H

#include <stdint.h>

#include "base/buf.h"

/* Milliseconds since 1970; -1 when the text is none. Finer fractions are cut off. */
int64_t rfc3339_read(const char *text);
/* In UTC; milliseconds are written when there are any. */
void rfc3339_write(struct buf *buf, int64_t ms);

#endif
