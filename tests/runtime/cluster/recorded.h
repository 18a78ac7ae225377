/* The http seam with replies that stand in a text, and a clock of its own, so that a test takes no time:
 *
 *     > GET /version                       what must be asked; the URL without the server
 *     < 200 application/json               status and Content-Type
 *     Retry-After: 1                       headers, perhaps; they begin with a capital letter
 *     {"gitVersion": "v1.35.4"}            the body, until the next `>`
 *     > GET /version
 *     ! cut the peer went away             no answer: one of the outcomes below, and libcurl's words
 *
 * A body `@N` is N bytes of blanks; `@cut N` before a body keeps its first N bytes. Whatever is asked otherwise or past the end
 * is a failure that names it. What was asked, sent and waited for is written into `log`.
 *
 * A stream takes its reply when it is opened. Its body comes a line at a time (each with its newline), one piece a poll. Lines that
 * begin with `@` stand between:
 *
 *     @wait 5000                           so many milliseconds go by
 *     @pieces 7                            what follows comes in pieces of so many bytes
 *     @join                                the newline before is none, and is no end of a piece
 *     @hold                                nothing comes any more, and no end (else the end of the body is the end)
 *     ! cut the peer went away             ends the stream with that outcome
 *
 * The clock goes on only by `wait` and by `poll`, which carries out the one thing that comes first, or leaps over its timeout.
 * A poll that could never return is a bug of the test. */
#ifndef TESTS_RUNTIME_CLUSTER_RECORDED_H
#define TESTS_RUNTIME_CLUSTER_RECORDED_H

#include "runtime/cluster/http.h"

enum { RECORDED_START = 1760000000 }; /* seconds since 1970 when it begins */

struct recorded {
	struct http http;
	const char *text; /* borrowed */
	const char *at; /* the first reply that was not taken, unless any_order */
	struct buf log;
	bool log_bodies, log_headers;
	bool any_order; /* the first reply to what is asked that was not taken yet, wherever it stands */
	size_t cut; /* after so many bytes of streams' bodies, once, the stream is cut; 0: not */
	size_t cut_again; /* and then again after so many; 0: not */
	int64_t now; /* milliseconds since 1970 */
	/* In place of the text: a reply (what stands behind the line `>`) to that path, malloc'ed; NULL takes the text. */
	char *(*answer)(void *context, const char *path);
	void *context;
	VEC(char *) answers;
	VEC(const char *) taken; /* replies, in any order */
	VEC(struct http_stream *) streams;
	VEC(struct http_timer *) timers;
	uint64_t n_made; /* timers and streams, for their order */
	unsigned telling;
};

void recorded_init(struct recorded *recorded, const char *text);
void recorded_release(struct recorded *recorded);
bool recorded_is_done(const struct recorded *recorded); /* all of it was asked */
/* Polls until `done` says so; false when it did not within so many milliseconds of the clock, or nothing more could happen. */
bool recorded_run(struct recorded *recorded, long milliseconds, bool (*done)(void *context), void *context);

#endif
