#include "config.h"

#include "kernel/channels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/macros.h"
#include "kernel/zmq_library.h"

static const int socket_types[N_CHANNELS] = {
	[CHANNEL_SHELL] = ZMQ_ROUTER,
	[CHANNEL_IOPUB] = ZMQ_XPUB,
	[CHANNEL_STDIN] = ZMQ_ROUTER,
	[CHANNEL_CONTROL] = ZMQ_ROUTER,
	[CHANNEL_HB] = ZMQ_ROUTER,
};

static int
set_int(void *socket, int option, int value)
{
	return zmq_setsockopt(socket, option, &value, sizeof value);
}

/* A client that comes back with its old identity while its old connection lingers must be heard: HANDOVER. Every
 * subscriber gets a welcome, not the first of each topic only: VERBOSE. A reader that is slow holds the publisher up
 * instead of losing messages: NODROP. Asking somebody who is not there is an error on stdin: MANDATORY. */
static int
set_role(void *socket, enum channel channel)
{
	if (channel == CHANNEL_IOPUB)
		return set_int(socket, ZMQ_XPUB_VERBOSE, 1) | set_int(socket, ZMQ_XPUB_NODROP, 1) |
			set_int(socket, ZMQ_SNDHWM, CHANNELS_IOPUB_HWM) |
			set_int(socket, ZMQ_SNDTIMEO, CHANNELS_IOPUB_WAIT);
	if (channel == CHANNEL_STDIN && set_int(socket, ZMQ_ROUTER_MANDATORY, 1) < 0)
		return -1;
	return set_int(socket, ZMQ_ROUTER_HANDOVER, 1) | set_int(socket, ZMQ_SNDHWM, 0);
}

static int
set_curve(void *socket, const struct connection *c, struct error *err)
{
	if (!c->curve_secret)
		return 0;
	if (!zmq_has("curve"))
		return error_set(err, "the connection file asks for encryption, but this libzmq has no curve");
	if (set_int(socket, ZMQ_CURVE_SERVER, 1) < 0 ||
		zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, c->curve_secret, CONNECTION_CURVE_KEY + 1) < 0 ||
		zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, c->curve_public, CONNECTION_CURVE_KEY + 1) < 0)
		return error_set(err, "the connection file's curve keys are not Z85");
	return 0;
}

static int
set_options(void *socket, enum channel channel, const struct connection *c, struct error *err)
{
	int64_t frame_max = CHANNELS_FRAME_MAX;

	if (set_role(socket, channel) < 0 || set_int(socket, ZMQ_LINGER, CHANNELS_LINGER) < 0 ||
		zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &frame_max, sizeof frame_max) < 0 ||
		set_int(socket, ZMQ_IPV6, !c->ipc && strchr(c->ip, ':') != NULL) < 0)
		return error_set(err, "libzmq refuses a socket option: %s", zmq_strerror(errno));
	return set_curve(socket, c, err);
}

/* After a restart the old process may still be letting go of the port. */
static int
bind_patiently(void *socket, const char *endpoint, struct error *err)
{
	for (int waited = 0;; waited += 10) {
		if (zmq_bind(socket, endpoint) == 0)
			return 0;
		if (errno != EADDRINUSE || waited >= CHANNELS_BIND_WAIT)
			return error_set(err, "cannot listen on %s: %s", endpoint, zmq_strerror(errno));
		nanosleep(&(struct timespec){ .tv_nsec = 10 * 1000 * 1000 }, NULL);
	}
}

static int
bind_tcp(void *socket, const struct connection *c, int *port, struct error *err)
{
	char endpoint[CONNECTION_ENDPOINT_MAX];
	size_t len = sizeof endpoint;

	if (connection_endpoint(c, *port, endpoint, err) < 0 || bind_patiently(socket, endpoint, err) < 0)
		return -1;
	if (*port)
		return 0;
	if (zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &len) < 0 || !strrchr(endpoint, ':'))
		return error_set(err, "libzmq does not say where it listens");
	*port = (int)strtol(strrchr(endpoint, ':') + 1, NULL, 10);
	return 0;
}

/* libzmq makes the socket's file here, in this thread: for its owner only. */
static int
bind_private(void *socket, const char *endpoint, struct error *err)
{
	mode_t old = umask(0077);
	int rc = bind_patiently(socket, endpoint, err);

	umask(old);
	return rc;
}

/* libzmq unlinks what stands in its way, so a free number is one without a file. */
static int
bind_ipc(void *socket, const struct connection *c, int *port, char **ret_path, struct error *err)
{
	char endpoint[CONNECTION_ENDPOINT_MAX];
	const char *path = endpoint + strlen("ipc://");
	struct stat st;
	int number = *port ? *port : 1;

	if (connection_endpoint(c, number, endpoint, err) < 0)
		return -1;
	while (!*port && lstat(path, &st) == 0) {
		if (++number > 65535)
			return error_set(err, "no free number behind `%s`", c->ip);
		if (connection_endpoint(c, number, endpoint, err) < 0)
			return -1;
	}
	if (bind_private(socket, endpoint, err) < 0)
		return -1;
	*port = number;
	*ret_path = xstrdup(path);
	return 0;
}

static int
open_channel(struct channels *channels, enum channel channel, struct connection *c, struct error *err)
{
	void *socket = zmq_socket(channels->context, socket_types[channel]);

	channels->sockets[channel] = socket;
	if (!socket)
		return error_set(err, "libzmq gives no socket: %s", zmq_strerror(errno));
	if (set_options(socket, channel, c, err) < 0)
		return -1;
	if (c->ipc)
		return bind_ipc(socket, c, &c->ports[channel], &channels->ipc_paths[channel], err);
	return bind_tcp(socket, c, &c->ports[channel], err);
}

int
channels_open(struct channels *channels, struct connection *connection, struct error *err)
{
	*channels = (struct channels){ 0 };
	if (zmq_library_open(err) < 0)
		return -1;
	channels->context = zmq_ctx_new();
	if (!channels->context)
		return error_set(err, "libzmq does not start: %s", zmq_strerror(errno));
	zmq_ctx_set(channels->context, ZMQ_MAX_SOCKETS, 16);
	for (int i = 0; i < N_CHANNELS; i++)
		if (open_channel(channels, (enum channel)i, connection, err) < 0) {
			channels_close(channels);
			return -1;
		}
	return 0;
}

void
channels_close(struct channels *channels)
{
	for (size_t i = 0; i < N_CHANNELS; i++) {
		if (channels->sockets[i])
			zmq_close(channels->sockets[i]);
		if (channels->ipc_paths[i])
			unlink(channels->ipc_paths[i]);
		free(channels->ipc_paths[i]);
	}
	if (channels->context)
		while (zmq_ctx_term(channels->context) < 0 && errno == EINTR)
			;
	*channels = (struct channels){ 0 };
}

void
frames_clear(struct frames *frames)
{
	for (size_t i = 0; i < frames->n; i++)
		zmq_msg_close(&frames->msgs[i]);
	frames->n = 0;
}

void
frames_release(struct frames *frames)
{
	frames_clear(frames);
	free(frames->msgs);
	free(frames->slices);
	*frames = (struct frames){ 0 };
}

/* A zmq_msg_t may not be moved as bytes once it holds something, so the array grows by moving each. */
static void
grow(struct frames *frames)
{
	size_t cap = frames->cap ? frames->cap * 2 : 8;
	zmq_msg_t *msgs = xcalloc(cap, sizeof *msgs);

	for (size_t i = 0; i < frames->n; i++) {
		zmq_msg_init(&msgs[i]);
		zmq_msg_move(&msgs[i], &frames->msgs[i]);
		zmq_msg_close(&frames->msgs[i]);
	}
	free(frames->msgs);
	frames->msgs = msgs;
	frames->slices = xrealloc(frames->slices, cap * sizeof *frames->slices);
	frames->cap = cap;
}

static void
fill_slices(struct frames *frames)
{
	for (size_t i = 0; i < frames->n; i++)
		frames->slices[i] = (struct slice){ zmq_msg_data(&frames->msgs[i]), zmq_msg_size(&frames->msgs[i]) };
}

static enum receipt
failed_receipt(void)
{
	return errno == ETERM || errno == ENOTSOCK ? RECEIPT_ENDED : RECEIPT_NONE;
}

static int
receive_one(zmq_msg_t *msg, void *socket)
{
	int rc;

	do
		rc = zmq_msg_recv(msg, socket, ZMQ_DONTWAIT);
	while (rc < 0 && errno == EINTR);
	return rc;
}

enum receipt
frames_receive(struct frames *frames, void *socket)
{
	size_t count = 0;
	bool more = true;

	frames_clear(frames);
	for (; more; count++) {
		zmq_msg_t *msg;

		if (count < PROTO_FRAMES_MAX && frames->n == frames->cap)
			grow(frames);
		if (count < PROTO_FRAMES_MAX)
			frames->n++;
		else
			zmq_msg_close(&frames->msgs[frames->n - 1]); /* too many: the rest goes through the last place */
		msg = &frames->msgs[frames->n - 1];
		zmq_msg_init(msg);
		if (receive_one(msg, socket) < 0) {
			enum receipt receipt = failed_receipt();

			frames_clear(frames);
			return receipt;
		}
		more = zmq_msg_more(msg);
	}
	if (count > PROTO_FRAMES_MAX)
		frames_clear(frames);
	fill_slices(frames);
	return RECEIPT_MESSAGE;
}

bool
frames_send(void *socket, const struct slice *parts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int flags = i + 1 < n ? ZMQ_SNDMORE : 0;

		while (zmq_send(socket, parts[i].data, parts[i].len, flags) < 0) {
			if (i == 0 && errno != EINTR)
				return false;
			if (errno != EINTR && errno != EAGAIN)
				return false;
		}
	}
	return true;
}
