#include "config.h"

#include "kernel/session_state.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/json_text.h"

enum { ON_SHELL = 1, ON_CONTROL = 2 };

/* Requests with reply NULL are not answered. */
static const struct route {
	const char *msg_type, *reply;
	handler handle;
	int channels;
} routes[] = {
	{ "execute_request", "execute_reply", handle_execute, ON_SHELL },
	{ "kernel_info_request", "kernel_info_reply", handle_kernel_info, ON_SHELL | ON_CONTROL },
	{ "complete_request", "complete_reply", handle_complete, ON_SHELL },
	{ "inspect_request", "inspect_reply", handle_inspect, ON_SHELL },
	{ "is_complete_request", "is_complete_reply", handle_is_complete, ON_SHELL },
	{ "history_request", "history_reply", handle_history, ON_SHELL },
	{ "comm_info_request", "comm_info_reply", handle_comm_info, ON_SHELL },
	{ "comm_open", NULL, handle_comm_open, ON_SHELL },
	{ "comm_msg", NULL, handle_comm_msg, ON_SHELL },
	{ "comm_close", NULL, handle_comm_close, ON_SHELL },
	{ "connect_request", "connect_reply", handle_connect, ON_SHELL | ON_CONTROL },
	{ "interrupt_request", "interrupt_reply", handle_interrupt, ON_SHELL | ON_CONTROL },
	{ "shutdown_request", "shutdown_reply", handle_shutdown, ON_SHELL | ON_CONTROL },
	{ "usage_request", "usage_reply", handle_usage, ON_CONTROL },
	{ "debug_request", "debug_reply", handle_debug, ON_SHELL | ON_CONTROL },
	{ "create_subshell_request", "create_subshell_reply", handle_subshell, ON_CONTROL },
	{ "delete_subshell_request", "delete_subshell_reply", handle_subshell, ON_CONTROL },
	{ "list_subshell_request", "list_subshell_reply", handle_subshell, ON_CONTROL },
};

void
session_init(struct session *session, const struct language *language, struct transport *transport,
	struct history *history, const struct connection *connection)
{
	*session = (struct session){
		.language = language,
		.transport = transport,
		.history = history,
		.connection = connection,
	};
	pthread_mutex_init(&session->run_lock, NULL);
	atomic_init(&session->interrupted, false);
	atomic_init(&session->stopping, false);
}

void
session_release(struct session *session)
{
	const struct map_entry *entry;
	size_t at = 0;

	while ((entry = map_next(&session->comms, &at)))
		free(entry->value);
	map_release(&session->comms);
	for (size_t i = 0; i < session->held.n; i++)
		request_free(session->held.items[i]);
	vec_release(&session->held);
	pthread_mutex_destroy(&session->run_lock);
}

/* The lock makes sure that the cell which was meant is the one that gets it, not the next. */
void
session_interrupt(struct session *session)
{
	pthread_mutex_lock(&session->run_lock);
	if (session->running) {
		atomic_store(&session->interrupted, true);
		session->language->ops->interrupt(session->language->self);
		session->transport->ops->hurry(session->transport, true);
	}
	pthread_mutex_unlock(&session->run_lock);
}

void
session_stop(struct session *session)
{
	atomic_store(&session->stopping, true);
	session_interrupt(session);
}

struct request *
session_next_held(struct session *session)
{
	struct request *first;

	if (!session->held.n)
		return NULL;
	first = session->held.items[0];
	session->held.n--;
	memmove(session->held.items, session->held.items + 1, session->held.n * sizeof(struct request *));
	return first;
}

json_t *
error_content(const char *ename, const char *evalue)
{
	json_t *content = json_object();

	json_object_set_new(content, "status", json_string("error"));
	json_object_set_new(content, "ename", json_text_new(ename));
	json_object_set_new(content, "evalue", json_text_new(evalue));
	json_object_set_new(content, "traceback", json_array());
	return content;
}

void
publish_json(struct session *session, struct parent *parent, const char *msg_type, const char *metadata, json_t *content)
{
	static const char too_long[] = "[output dropped: a message may have 64 MiB]\n";
	struct transport *transport = session->transport;
	struct buf text = { .max = SESSION_MESSAGE_MAX };
	size_t len;
	char *bytes;

	message_dump(content, &text);
	json_decref(content);
	if (text.overflow) {
		transport->ops->stream(transport, parent, true, too_long, strlen(too_long));
		buf_release(&text);
		return;
	}
	bytes = buf_detach(&text, &len);
	transport->ops->publish(transport, parent, msg_type, metadata, bytes, len);
}

static void
publish_status(struct session *session, const struct request *request, const char *content)
{
	session->transport->ops->publish(
		session->transport, request->parent, "status", NULL, xstrdup(content), strlen(content));
}

static void
send_reply(struct session *session, const struct request *request, const char *msg_type, const struct answer *answer)
{
	CLEANUP(buf_release) struct buf text = { .max = SESSION_MESSAGE_MAX };

	message_dump(answer->content, &text);
	if (text.overflow) {
		buf_clear(&text);
		buf_printf(&text,
			"{\"status\":\"error\",\"ename\":\"ReplyTooLong\",\"evalue\":\"the reply would have more than 64 MiB\","
			"\"traceback\":[],\"execution_count\":%d}",
			session->execution_count);
	}
	session->transport->ops->reply(session->transport, request, msg_type,
		answer->metadata.len ? answer->metadata.data : NULL, buf_text(&text), text.len);
}

/* The protocol lets clients address subshells; there are none here. */
static const char *
subshell_of(const struct request *request)
{
	return json_string_value(json_object_get(request->header, "subshell_id"));
}

static void
answer_request(struct session *session, const struct request *request, const struct route *route, struct answer *answer)
{
	bool is_shell = request->channel == CHANNEL_SHELL;

	if (request->aborted)
		answer->content = error_content("ExecutionAborted", "not executed because a cell before it failed");
	else if (!request->content)
		answer->content = route->reply ? error_content("InvalidRequest", request->problem) : NULL;
	else if (is_shell && subshell_of(request))
		answer->content = route->reply ? error_content("NoSuchSubshell", "there are no subshells in this kernel") : NULL;
	else
		route->handle(session, request, answer);
	/* Clients read execution_count without looking at the status. */
	if (answer->content && route->handle == handle_execute && !json_object_get(answer->content, "execution_count"))
		json_object_set_new(answer->content, "execution_count", json_integer(session->execution_count));
}

static const struct route *
find_route(const struct request *request)
{
	int on = request->channel == CHANNEL_CONTROL ? ON_CONTROL : ON_SHELL;

	for (size_t i = 0; i < ARRAY_LEN(routes); i++)
		if ((routes[i].channels & on) && !strcmp(routes[i].msg_type, request->msg_type))
			return &routes[i];
	return NULL;
}

/* What a client sent before it could know of the failure is there by now; what comes after the reply shall run. Only
 * executes are aborted: a client that asks for something else waits for an answer. */
static void
abort_waiting(struct session *session)
{
	struct request *request;

	while ((request = session->transport->ops->waiting(session->transport)))
		vec_push(&session->held, request);
	for (size_t i = 0; i < session->held.n; i++)
		if (!strcmp(session->held.items[i]->msg_type, "execute_request"))
			session->held.items[i]->aborted = true;
}

/* Busy, the outputs, the reply, idle: around every request, also around those that make no sense. */
static void
serve(struct session *session, struct request *request)
{
	const struct route *route = find_route(request);
	struct answer answer = { 0 };

	publish_status(session, request, "{\"execution_state\":\"busy\"}");
	if (route)
		answer_request(session, request, route, &answer);
	if (answer.aborts_queue)
		abort_waiting(session);
	if (answer.content)
		send_reply(session, request, route->reply, &answer);
	if (answer.stops)
		publish_json(session, request->parent, "shutdown_reply", NULL, json_incref(answer.content));
	publish_status(session, request, "{\"execution_state\":\"idle\"}");
	if (answer.stops)
		session_stop(session);
	json_decref(answer.content);
	buf_release(&answer.metadata);
	request_free(request);
}

void
session_shell_request(struct session *session, struct request *request)
{
	serve(session, request);
	history_settle(session->history);
}

void
session_control_request(struct session *session, struct request *request)
{
	serve(session, request);
}
