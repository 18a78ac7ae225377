/* The five sockets of a kernel, and messages on them as lists of frames. */
#ifndef KERNEL_CHANNELS_H
#define KERNEL_CHANNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zmq.h>

#include "base/error.h"
#include "kernel/connection.h"
#include "kernel/proto.h"

enum {
	CHANNELS_LINGER = 1000, /* ms that unsent messages may hold up the end */
	CHANNELS_BIND_WAIT = 2000, /* ms for the ports of a kernel that is just ending */
	CHANNELS_IOPUB_HWM = 256, /* messages queued for one reader, of at most IOPUB_STREAM_MAX bytes of text */
	CHANNELS_IOPUB_WAIT = 50, /* ms that one send on iopub waits for a slow reader */
};
#define CHANNELS_FRAME_MAX ((int64_t)16 * 1024 * 1024) /* bytes; longer ones end the peer's connection */

struct channels {
	void *context;
	void *sockets[N_CHANNELS]; /* each used by one thread at a time */
	char *ipc_paths[N_CHANNELS]; /* to unlink, or NULL */
};

/* Binds all five and puts real ports into the connection where it had 0. */
int channels_open(struct channels *channels, struct connection *connection, struct error *err);
/* Closes what is left open; waits for the linger time at most. */
void channels_close(struct channels *channels);

/* One received message. Zero-initialise, reuse, release. */
struct frames {
	zmq_msg_t *msgs;
	struct slice *slices; /* n of them, into msgs */
	size_t n, cap;
};

enum receipt { RECEIPT_MESSAGE, RECEIPT_NONE, RECEIPT_ENDED };

/* Does not wait. Messages of more than PROTO_FRAMES_MAX frames are thrown away. */
enum receipt frames_receive(struct frames *frames, void *socket);
void frames_clear(struct frames *frames);
void frames_release(struct frames *frames);

/* Sends all; false if the first one could not be sent (errno says why). */
bool frames_send(void *socket, const struct slice *parts, size_t n);

#endif
