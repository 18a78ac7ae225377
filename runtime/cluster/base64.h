/* Base64 (RFC 4648), as kubeconfig files hold certificates. */
#ifndef RUNTIME_CLUSTER_BASE64_H
#define RUNTIME_CLUSTER_BASE64_H

#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"

/* The bytes with a NUL behind them; NULL when the text is no base64. Blanks and line ends between the letters are passed over. */
char *base64_decode(struct arena *arena, const char *text, size_t len, size_t *ret_len);
void base64_encode(struct buf *buf, const char *bytes, size_t len); /* on one line */

#endif
