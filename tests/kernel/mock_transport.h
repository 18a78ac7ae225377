/* A session's transport without sockets: what is sent becomes lines of text.
 *
 *     iopub status of m1: {"execution_state":"busy"}
 *     reply execute_reply on shell of m1: {"status":"ok",…}
 *
 * Stream text is not coalesced. Contents are as they were sent; a parent is told by its msg_id. */
#ifndef TESTS_MOCK_TRANSPORT_H
#define TESTS_MOCK_TRANSPORT_H

#include "base/buf.h"
#include "kernel/session_state.h"

struct mock_transport {
	struct transport transport;
	struct buf log;
	VEC(struct request *) waiting; /* given out by `waiting`, in order; owned */
	size_t n_given;
	const char *answer; /* what a person types; NULL: nobody is there */
};

void mock_transport_init(struct mock_transport *mock);
void mock_transport_release(struct mock_transport *mock);

/* A request as if it had come over the wire; content and header_more are JSON (header_more: members, or ""). NULL when
 * the header is none. */
struct request *mock_request(enum channel channel, const char *msg_id, const char *msg_type, const char *header_more,
	const char *content, size_t content_len);

#endif
