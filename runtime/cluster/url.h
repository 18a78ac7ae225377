/* URLs, as far as a sign-in that redirects needs them. */
#ifndef RUNTIME_CLUSTER_URL_H
#define RUNTIME_CLUSTER_URL_H

#include <stdbool.h>

#include "base/arena.h"

enum { URL_MAX = 8192 };

/* Where a link or Location of the page at `base` leads; without a fragment. NULL for what is neither http nor https, holds a user,
 * blanks or control characters, or is longer than URL_MAX. */
const char *url_resolve(struct arena *arena, const char *base, const char *link);
/* May what was meant for `from` be given to `to`? Of the same host, whatever the port, and not from https to http. */
bool url_same_site(const char *from, const char *to);
/* "host" or "host:port", for messages. */
const char *url_host(struct arena *arena, const char *url);
bool url_is_secure(const char *url); /* https */

#endif
