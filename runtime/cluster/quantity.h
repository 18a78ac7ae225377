/* Kubernetes' quantities: "500m" (of a CPU), "2", "1.5", "48Gi", "100M", "1e3".
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
#ifndef RUNTIME_CLUSTER_QUANTITY_H
#define RUNTIME_CLUSTER_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/value.h"

/* In thousandths, rounded up; as large as fits where it is larger. False when the text is none, or negative. */
bool quantity_read(const char *text, int64_t *ret_milli);
/* A String or a number. */
bool quantity_of(const struct value *value, int64_t *ret_milli);
/* "1.5", "500m"; and as bytes "48Gi". */
const char *quantity_text(struct arena *arena, int64_t milli, bool bytes);

#endif
