/* The session's transport over real sockets: struct transport_ops by channels, proto and iopub.
 *
 * Shell and stdin are used by the shell thread, control by the control thread. */
#ifndef KERNEL_SERVER_H
#define KERNEL_SERVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "kernel/channels.h"
#include "kernel/iopub.h"
#include "kernel/session_state.h"

/* Frames of one channel's messages, kept for the next. */
struct scratch {
	struct frames in;
	struct buf header;
	struct slice out[PROTO_IDENTS_MAX + 6];
};

struct server {
	struct transport transport;
	struct channels channels;
	struct proto *proto;
	struct writer writer;
	struct iopub *iopub;
	int shell_wake; /* eventfd: something changed that the shell thread shall look at */
	struct scratch scratch[N_CHANNELS];
	atomic_bool hurry;
	bool verbose;
};

/* Binds the connection's ports (and fills in those that were 0) and starts to publish. */
int server_open(struct server *server, struct connection *connection, int64_t stall_limit, bool verbose, struct error *err);
/* Sends what is queued, then closes; other threads must have let go of their sockets, or do so when these end. */
void server_stop_publishing(struct server *server);
void server_close(struct server *server);

/* The next good message that is there on the channel, or NULL. Bad ones are thrown away. */
struct request *server_take(struct server *server, enum channel channel);
/* Sends an answer to whom the request came from; false if they are gone (stdin only). */
bool server_send(struct server *server, enum channel channel, const struct request *request, const char *msg_type,
	const char *metadata, struct slice content);

/* stdin.c: struct transport_ops' input. */
char *server_input(struct transport *transport, const struct request *request, const char *prompt, bool password,
	const char **ret_why);

#endif
