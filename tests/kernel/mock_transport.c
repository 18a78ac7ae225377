#include "config.h"

#include "tests/kernel/mock_transport.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/json_text.h"

static struct mock_transport *
mock_of(struct transport *transport)
{
	return (struct mock_transport *)(void *)transport; /* its first member */
}

static const char *
channel_name(enum channel channel)
{
	return channel == CHANNEL_CONTROL ? "control" : "shell";
}

static void
log_parent(struct mock_transport *mock, const struct parent *parent)
{
	json_t *header = parent ? json_loadb(parent->json, parent->len, 0, NULL) : NULL;
	const char *id = json_string_value(json_object_get(header, "msg_id"));

	buf_printf(&mock->log, " of %s: ", id ? id : "nothing");
	json_decref(header);
}

static void
on_reply(struct transport *transport, const struct request *request, const char *msg_type, const char *metadata UNUSED,
	const char *content, size_t content_len)
{
	struct mock_transport *mock = mock_of(transport);

	buf_printf(&mock->log, "reply %s on %s", msg_type, channel_name(request->channel));
	log_parent(mock, request->parent);
	buf_add(&mock->log, content, content_len);
	buf_putc(&mock->log, '\n');
}

static void
on_publish(struct transport *transport, struct parent *parent, const char *msg_type, const char *metadata UNUSED, char *content,
	size_t content_len)
{
	struct mock_transport *mock = mock_of(transport);

	buf_printf(&mock->log, "iopub %s", msg_type);
	log_parent(mock, parent);
	buf_add(&mock->log, content, content_len);
	buf_putc(&mock->log, '\n');
	free(content);
}

static void
on_stream(struct transport *transport, struct parent *parent, bool is_stderr, const char *text, size_t len)
{
	struct mock_transport *mock = mock_of(transport);

	buf_printf(&mock->log, "iopub %s", is_stderr ? "stderr" : "stdout");
	log_parent(mock, parent);
	json_text_escape(&mock->log, text, len);
	buf_putc(&mock->log, '\n');
}

static void
on_make_room(struct transport *transport UNUSED)
{
}

static void
on_flush(struct transport *transport UNUSED)
{
}

static struct request *
on_waiting(struct transport *transport)
{
	struct mock_transport *mock = mock_of(transport);

	return mock->n_given < mock->waiting.n ? mock->waiting.items[mock->n_given++] : NULL;
}

static char *
on_input(struct transport *transport, const struct request *request UNUSED, const char *prompt, bool password,
	const char **ret_why)
{
	struct mock_transport *mock = mock_of(transport);

	buf_printf(&mock->log, "stdin %s: %s\n", password ? "password" : "text", prompt);
	*ret_why = mock->answer ? NULL : "nobody is there";
	return mock->answer ? xstrdup(mock->answer) : NULL;
}

static void
on_hurry(struct transport *transport UNUSED, bool hurry UNUSED)
{
}

static const struct transport_ops ops = {
	.reply = on_reply,
	.publish = on_publish,
	.stream = on_stream,
	.make_room = on_make_room,
	.flush = on_flush,
	.waiting = on_waiting,
	.input = on_input,
	.hurry = on_hurry,
};

void
mock_transport_init(struct mock_transport *mock)
{
	*mock = (struct mock_transport){ .transport.ops = &ops };
}

void
mock_transport_release(struct mock_transport *mock)
{
	while (mock->n_given < mock->waiting.n)
		request_free(mock->waiting.items[mock->n_given++]);
	vec_release(&mock->waiting);
	buf_release(&mock->log);
}

struct request *
mock_request(enum channel channel, const char *msg_id, const char *msg_type, const char *header_more, const char *content,
	size_t content_len)
{
	CLEANUP(buf_release) struct buf header = { 0 };
	struct slice ident = { "client", 6 };
	struct envelope envelope = {
		.idents = &ident,
		.n_idents = 1,
		.metadata = { "{}", 2 },
		.content = { content, content_len },
	};

	buf_puts(&header, "{\"msg_id\":");
	json_text_string(&header, msg_id);
	buf_puts(&header, ",\"msg_type\":");
	json_text_string(&header, msg_type);
	buf_printf(&header, "%s}", header_more);
	envelope.header = (struct slice){ header.data, header.len };
	return request_decode(channel, &envelope, "the session's own", NULL);
}
