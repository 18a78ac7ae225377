/* The http seam with replies that stand in a text, one exchange after the other:
 *
 *     > GET /version                       what must be asked; the URL without the server
 *     < 200 application/json               status and Content-Type
 *     Retry-After: 1                       headers, perhaps
 *     {"gitVersion": "v1.35.4"}            the body, until the next `>`
 *     > GET /version
 *     ! cut the peer went away             no answer: one of the outcomes below, and libcurl's words
 *
 * A body `@N` is N bytes of blanks; `@cut N` before a body keeps its first N bytes. Whatever is asked otherwise or past the end
 * is a failure that names it. What was asked, sent and waited for is written into `log`. */
#ifndef TESTS_RUNTIME_CLUSTER_RECORDED_H
#define TESTS_RUNTIME_CLUSTER_RECORDED_H

#include "runtime/cluster/http.h"

struct recorded {
	struct http http;
	const char *text; /* borrowed */
	const char *at;
	struct buf log;
	bool log_bodies;
};

void recorded_init(struct recorded *recorded, const char *text);
void recorded_release(struct recorded *recorded);
bool recorded_is_done(const struct recorded *recorded); /* all of it was asked */

#endif
