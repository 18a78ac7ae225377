#include "config.h"

#include "kernel/server.h"

#include <errno.h>
#include <string.h>

#include "kernel/json_text.h"
#include "kernel/thread.h"

enum {
	CONNECT_WAIT = 2000, /* ms for a client's stdin socket that is still connecting */
	CONNECT_STEP = 20, /* ms between two tries */
};

static const char interrupted[] = "interrupted while waiting for input";

/* Answers to questions of cells that have ended would be taken for the next one's. */
static void
drain(struct server *server)
{
	struct request *stale;

	while ((stale = server_take(server, CHANNEL_STDIN)))
		request_free(stale);
}

/* Sleeps until something is there on stdin; false when an interrupt came or nothing did. */
static bool
wait_stdin(struct server *server, long timeout)
{
	zmq_pollitem_t items[] = {
		{ .socket = server->channels.sockets[CHANNEL_STDIN], .events = timeout < 0 ? ZMQ_POLLIN : 0 },
		{ .fd = server->shell_wake, .events = ZMQ_POLLIN },
	};

	zmq_poll(items, 2, timeout);
	if (items[1].revents)
		wakeup_clear(server->shell_wake);
	return !atomic_load(&server->hurry);
}

static bool
send_question(struct server *server, const struct request *request, const char *prompt, bool password)
{
	CLEANUP(buf_release) struct buf content = { 0 };
	bool sent = false;

	buf_puts(&content, "{\"prompt\":");
	json_text_string(&content, prompt);
	buf_puts(&content, password ? ",\"password\":true}" : ",\"password\":false}");
	for (int waited = 0; !sent && waited < CONNECT_WAIT; waited += CONNECT_STEP) {
		sent = server_send(server, CHANNEL_STDIN, request, "input_request", NULL,
			(struct slice){ content.data, content.len });
		if (!sent && (errno != EHOSTUNREACH || !wait_stdin(server, CONNECT_STEP)))
			break;
	}
	return sent;
}

static bool
same_client(const struct request *a, const struct request *b)
{
	return a->n_idents && b->n_idents && a->idents[0].len == b->idents[0].len &&
		!memcmp(a->idents[0].data, b->idents[0].data, a->idents[0].len);
}

/* The answer's text if this message is one. */
static const json_t *
answer_in(const struct request *message, const struct request *request)
{
	const json_t *value = json_object_get(message->content, "value");

	if (strcmp(message->msg_type, "input_reply") != 0 || !same_client(message, request) || !json_is_string(value))
		return NULL;
	return value;
}

/* One message, if one is there. True when it was the answer; *ret is NULL if that was the end of file. */
static bool
take_answer(struct server *server, const struct request *request, char **ret)
{
	struct request *message = server_take(server, CHANNEL_STDIN);
	const json_t *value = message ? answer_in(message, request) : NULL;
	bool is_answer = value != NULL;

	*ret = NULL;
	if (is_answer && strcmp(json_string_value(value), "\x04") != 0)
		*ret = xstrdup(json_string_value(value));
	request_free(message);
	return is_answer;
}

char *
server_input(struct transport *transport, const struct request *request, const char *prompt, bool password,
	const char **ret_why)
{
	struct server *server = (struct server *)(void *)((char *)transport - offsetof(struct server, transport));
	char *answer;

	drain(server);
	*ret_why = interrupted;
	if (!send_question(server, request, prompt, password)) {
		if (!atomic_load(&server->hurry))
			*ret_why = "the client does not listen for questions";
		return NULL;
	}
	while (!atomic_load(&server->hurry)) {
		if (take_answer(server, request, &answer)) {
			*ret_why = answer ? NULL : "end of file";
			return answer;
		}
		wait_stdin(server, -1);
	}
	return NULL;
}
