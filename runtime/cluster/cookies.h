/* The cookies of a sign-in (RFC 6265, of one host at a time: paths and domains are not looked at, for they never leave the site
 * that they came from). They are credentials: wiped when they go. */
#ifndef RUNTIME_CLUSTER_COOKIES_H
#define RUNTIME_CLUSTER_COOKIES_H

#include "base/buf.h"
#include "base/macros.h"

enum {
	COOKIES_MAX = 64,
	COOKIES_BYTES_MAX = 64 * 1024, /* of the whole header */
};

struct cookie {
	char *name, *value;
	bool secure; /* for https only */
};

struct cookies {
	VEC(struct cookie) list;
};

void cookies_release(struct cookies *cookies);
/* Takes the Set-Cookie lines out of header lines ("Name: value\r\n"…). One that has expired by its Max-Age is taken away. */
void cookies_take(struct cookies *cookies, const char *headers);
/* "a=b; c=d", or nothing. `secure`: it goes over https. */
void cookies_write(const struct cookies *cookies, bool secure, struct buf *ret);

#endif
