/* The handshake of JEP 66: a kernel that was given a place to register instead of ports tells which ports it has bound.
 *
 * The message is [<IDS|MSG>, signature of content, content]; content has the kernel's id and its five ports as strings.
 * Whoever started the kernel answers with any content, signed with the same key. */
#ifndef KERNEL_HANDSHAKE_H
#define KERNEL_HANDSHAKE_H

#include "base/error.h"
#include "kernel/connection.h"
#include "kernel/proto.h"

enum { HANDSHAKE_WAIT = 5000 }; /* ms for the answer */

/* Registers the connection's ports, which must be real by now. An answer that does not come, or that somebody else
 * signed, is an error. */
int handshake_register(void *context, const struct connection *connection, const struct proto *proto, struct error *err);

/* Where others find the connection file of a kernel that registered: jupyter's runtime folder, kernel-ID.json.
 * malloc'ed; NULL if there is no such folder and none can be made, or the id is no file name. */
char *handshake_file(const struct connection *connection);

#endif
