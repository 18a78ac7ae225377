/* Points in time as Kubernetes, Argo and S3 write them: RFC 3339. */
#ifndef RUNTIME_CLUSTER_MOMENT_H
#define RUNTIME_CLUSTER_MOMENT_H

#include <stddef.h>
#include <stdint.h>

enum { MOMENT_MAX = 40 }; /* bytes of a text with its NUL */

/* Nanoseconds since 1970 from "2026-01-02T03:04:05Z", with a fraction or an offset perhaps; of a finer fraction the rest is
 * dropped. Returns how many bytes it took; 0 if no such text stands there. */
size_t moment_read(const char *text, size_t len, int64_t *ret_ns);
/* "2026-01-02T03:04:05.000000006Z": always nine digits, so that texts sort as times do. */
void moment_write(char ret[MOMENT_MAX], int64_t ns);
/* "2026-01-02T03:04:05Z", the second that it lies in. */
void moment_write_second(char ret[MOMENT_MAX], int64_t ns);

#endif
