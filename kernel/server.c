#include "config.h"

#include "kernel/server.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel/thread.h"

enum { DRAIN_WAIT = 500 }; /* ms that iopub may take to send what is queued at the end */

static struct server *
server_of(struct transport *transport)
{
	return (struct server *)(void *)((char *)transport - offsetof(struct server, transport));
}

static void
complain(const struct server *server, const struct error *err)
{
	if (server->verbose)
		fprintf(stderr, "lateen kernel: thrown away: %s\n", err->text);
}

struct request *
server_take(struct server *server, enum channel channel)
{
	struct frames *in = &server->scratch[channel].in;

	while (frames_receive(in, server->channels.sockets[channel]) == RECEIPT_MESSAGE) {
		struct request *request = NULL;
		struct envelope envelope;
		struct error err;

		if (proto_open(server->proto, in->slices, in->n, &envelope, &err) == 0)
			request = request_decode(channel, &envelope, server->writer.session_id, &err);
		frames_clear(in);
		if (request)
			return request;
		complain(server, &err);
	}
	return NULL;
}

bool
server_send(struct server *server, enum channel channel, const struct request *request, const char *msg_type,
	const char *metadata, struct slice content)
{
	struct scratch *scratch = &server->scratch[channel];
	struct slice *parts = scratch->out + request->n_idents;
	char signature[PROTO_SIGNATURE_MAX + 1];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	buf_clear(&scratch->header);
	writer_header(&server->writer, msg_type, &now, &scratch->header);
	memcpy(scratch->out, request->idents, request->n_idents * sizeof *request->idents);
	parts[0] = PROTO_DELIMITER;
	parts[2] = (struct slice){ scratch->header.data, scratch->header.len };
	parts[3] = (struct slice){ request->parent->json, request->parent->len };
	parts[4] = metadata ? (struct slice){ metadata, strlen(metadata) } : (struct slice){ "{}", 2 };
	parts[5] = content;
	parts[1] = (struct slice){ signature, proto_sign(server->proto, parts + 2, 4, signature) };
	return frames_send(server->channels.sockets[channel], scratch->out, request->n_idents + 6);
}

static void
on_reply(struct transport *transport, const struct request *request, const char *msg_type, const char *metadata,
	const char *content, size_t content_len)
{
	server_send(server_of(transport), request->channel, request, msg_type, metadata,
		(struct slice){ content, content_len });
}

static void
on_publish(struct transport *transport, struct parent *parent, const char *msg_type, const char *metadata, char *content,
	size_t content_len)
{
	iopub_publish(server_of(transport)->iopub, parent, msg_type, metadata, content, content_len);
}

static void
on_stream(struct transport *transport, struct parent *parent, bool is_stderr, const char *text, size_t len)
{
	iopub_stream(server_of(transport)->iopub, parent, is_stderr, text, len);
}

static void
on_make_room(struct transport *transport)
{
	iopub_make_room(server_of(transport)->iopub);
}

static void
on_flush(struct transport *transport)
{
	iopub_flush(server_of(transport)->iopub);
}

static struct request *
on_waiting(struct transport *transport)
{
	return server_take(server_of(transport), CHANNEL_SHELL);
}

static void
on_hurry(struct transport *transport, bool hurry)
{
	struct server *server = server_of(transport);

	atomic_store(&server->hurry, hurry);
	iopub_hurry(server->iopub, hurry);
	if (hurry)
		wakeup_send(server->shell_wake);
}

static const struct transport_ops ops = {
	.reply = on_reply,
	.publish = on_publish,
	.stream = on_stream,
	.make_room = on_make_room,
	.flush = on_flush,
	.waiting = on_waiting,
	.input = server_input,
	.hurry = on_hurry,
};

int
server_open(struct server *server, struct connection *connection, int64_t stall_limit, bool verbose, struct error *err)
{
	*server = (struct server){ .transport.ops = &ops, .shell_wake = -1, .verbose = verbose };
	atomic_init(&server->hurry, false);
	writer_init(&server->writer);
	server->proto = proto_new(connection->scheme, connection->key, strlen(connection->key), err);
	if (!server->proto)
		return -1;
	server->shell_wake = wakeup_new(err);
	if (server->shell_wake < 0 || channels_open(&server->channels, connection, err) < 0) {
		server_close(server);
		return -1;
	}
	server->iopub = iopub_start(
		server->channels.sockets[CHANNEL_IOPUB], server->proto, &server->writer, stall_limit, err);
	if (server->iopub)
		return 0;
	server_close(server);
	return -1;
}

void
server_stop_publishing(struct server *server)
{
	iopub_stop(server->iopub, DRAIN_WAIT);
	server->iopub = NULL;
}

void
server_close(struct server *server)
{
	server_stop_publishing(server);
	channels_close(&server->channels);
	for (size_t i = 0; i < N_CHANNELS; i++) {
		frames_release(&server->scratch[i].in);
		buf_release(&server->scratch[i].header);
	}
	if (server->shell_wake >= 0)
		close(server->shell_wake);
	proto_free(server->proto);
	server->proto = NULL;
}
