#include "config.h"

#include "kernel/heartbeat.h"

#include <errno.h>

#include "kernel/channels.h"
#include "kernel/thread.h"

static void *
run(void *socket)
{
	struct frames frames = { 0 };
	enum receipt receipt = RECEIPT_NONE;

	while (receipt != RECEIPT_ENDED) {
		zmq_pollitem_t item = { .socket = socket, .events = ZMQ_POLLIN };

		if (zmq_poll(&item, 1, -1) < 0 && errno == ETERM)
			break;
		while ((receipt = frames_receive(&frames, socket)) == RECEIPT_MESSAGE)
			frames_send(socket, frames.slices, frames.n);
	}
	frames_release(&frames);
	zmq_close(socket);
	return NULL;
}

int
heartbeat_start(void *socket, pthread_t *ret, struct error *err)
{
	return thread_start(ret, "heartbeat", run, socket, err);
}
