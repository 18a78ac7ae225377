/* Texts that were loaded from URLs, kept by their sha256, so that they are there without a network.
 *
 *     FOLDER/SHA256.yaml        a text
 *     FOLDER/urls/SHA256        the SHA256 of the text that the URL with that sha256 last had, a blank, the URL
 *
 * Written atomically. A text whose bytes do not have its name's digest is as good as absent. Failing to write is no failure
 * of what is being done: the text is at hand. */
#ifndef KERNEL_URL_CACHE_H
#define KERNEL_URL_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* $XDG_CACHE_HOME/lateen/components, else under ~/.cache; malloc'ed; NULL when neither is known. */
char *url_cache_default(void);

void url_cache_put(const char *folder, const char *url, const char *text, size_t len);
/* Appends the text that the URL last had. */
bool url_cache_get(const char *folder, const char *url, size_t max, struct buf *ret);
/* Appends the text with that digest. */
bool url_cache_get_by_digest(const char *folder, const char *digest, size_t max, struct buf *ret);

#endif
