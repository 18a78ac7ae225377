#include "config.h"

#include "kernel/handshake.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/channels.h"
#include "kernel/thread.h"

static void
write_content(const struct connection *connection, struct buf *ret)
{
	json_t *content = json_pack("{s:s}", "kernel_id", connection->kernel_id);

	for (size_t i = 0; i < N_CHANNELS; i++)
		json_object_set_new(content, CONNECTION_PORT_NAMES[i], json_sprintf("%d", connection->ports[i]));
	message_dump(content, ret);
	json_decref(content);
}

static void
send_content(void *socket, const struct proto *proto, struct slice content)
{
	char signature[PROTO_SIGNATURE_MAX + 1];
	struct slice parts[] = { PROTO_DELIMITER, { signature, 0 }, content };

	parts[1].len = proto_sign(proto, &content, 1, signature);
	frames_send(socket, parts, ARRAY_LEN(parts));
}

/* The answer ends with a delimiter, a signature and a content, whatever stands before. */
static bool
is_answer(const struct frames *frames, const struct proto *proto)
{
	const struct slice *last = frames->slices + frames->n;

	return frames->n >= 3 && last[-3].len == PROTO_DELIMITER.len &&
		!memcmp(last[-3].data, PROTO_DELIMITER.data, PROTO_DELIMITER.len) &&
		proto_signature_good(proto, last - 1, 1, last[-2]);
}

static int
await_answer(void *socket, const struct proto *proto, struct error *err)
{
	int64_t until = clock_ms() + HANDSHAKE_WAIT;
	struct frames frames = { 0 };
	bool answered = false;
	int64_t left;

	while (!answered && (left = until - clock_ms()) > 0) {
		zmq_pollitem_t item = { .socket = socket, .events = ZMQ_POLLIN };

		zmq_poll(&item, 1, (long)left);
		while (!answered && frames_receive(&frames, socket) == RECEIPT_MESSAGE)
			answered = is_answer(&frames, proto);
	}
	frames_release(&frames);
	return answered ? 0 : error_set(err, "no signed answer to the registration within %d s", HANDSHAKE_WAIT / 1000);
}

static int
register_on(void *socket, const struct connection *connection, const struct proto *proto, struct error *err)
{
	CLEANUP(buf_release) struct buf content = { 0 };
	CLEANUP(buf_release) struct buf endpoint = { 0 };
	bool v6 = strchr(connection->registration_ip, ':') != NULL;
	int ipv6 = v6, linger = 0;

	zmq_setsockopt(socket, ZMQ_IPV6, &ipv6, sizeof ipv6);
	zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
	buf_printf(&endpoint, "tcp://%s%s%s:%d", v6 ? "[" : "", connection->registration_ip, v6 ? "]" : "",
		connection->registration_port);
	if (zmq_connect(socket, endpoint.data) < 0)
		return error_set(err, "cannot connect to %s: %s", endpoint.data, zmq_strerror(errno));
	write_content(connection, &content);
	send_content(socket, proto, (struct slice){ content.data, content.len });
	return await_answer(socket, proto, err);
}

int
handshake_register(void *context, const struct connection *connection, const struct proto *proto, struct error *err)
{
	void *socket = zmq_socket(context, ZMQ_DEALER);
	int rc;

	if (!socket)
		return error_set(err, "libzmq gives no socket: %s", zmq_strerror(errno));
	rc = register_on(socket, connection, proto, err);
	zmq_close(socket);
	return rc;
}

static bool
is_file_name(const char *id)
{
	size_t n = strlen(id);

	if (!n || n > 128)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)id[i]) && !strchr("-_", id[i]))
			return false;
	return true;
}

/* As jupyter_core finds it. */
static void
runtime_folder(struct buf *ret)
{
	const char *runtime = getenv("JUPYTER_RUNTIME_DIR"), *data = getenv("JUPYTER_DATA_DIR");
	const char *xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

	if (runtime && *runtime)
		buf_puts(ret, runtime);
	else if (data && *data)
		buf_printf(ret, "%s/runtime", data);
	else if (xdg && *xdg)
		buf_printf(ret, "%s/jupyter/runtime", xdg);
	else if (home && *home)
		buf_printf(ret, "%s/.local/share/jupyter/runtime", home);
}

char *
handshake_file(const struct connection *connection)
{
	CLEANUP(buf_release) struct buf path = { 0 };
	struct stat st;

	runtime_folder(&path);
	if (!path.len || !is_file_name(connection->kernel_id))
		return NULL;
	if (mkdir(path.data, 0700) < 0 && (errno != EEXIST || stat(path.data, &st) < 0 || !S_ISDIR(st.st_mode)))
		return NULL;
	buf_printf(&path, "/kernel-%s.json", connection->kernel_id);
	return buf_detach(&path, NULL);
}
