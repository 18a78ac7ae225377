/* Transcripts: requests go in, and the whole of what is said comes out. */
#include "config.h"

#include <string.h>

#include "tests/kernel/echo_language.h"
#include "tests/kernel/mock_transport.h"
#include "tests/tap.h"

struct desk {
	struct mock_transport mock;
	struct language *language;
	struct history *history;
	struct session session;
};

static void
desk_init(struct desk *desk)
{
	mock_transport_init(&desk->mock);
	desk->language = echo_language_new();
	desk->history = history_new("");
	session_init(&desk->session, desk->language, &desk->mock.transport, desk->history, NULL);
}

static void
desk_release(struct desk *desk)
{
	session_release(&desk->session);
	history_free(desk->history);
	echo_language_free(desk->language);
	mock_transport_release(&desk->mock);
}

static struct request *
request_of(enum channel channel, const char *msg_id, const char *msg_type, const char *content)
{
	return mock_request(channel, msg_id, msg_type, "", content, strlen(content));
}

#define BUSY(id) "iopub status of " id ": {\"execution_state\":\"busy\"}\n"
#define IDLE(id) "iopub status of " id ": {\"execution_state\":\"idle\"}\n"

static const struct {
	const char *name;
	enum channel channel;
	const char *msg_type, *content, *said;
} cases[] = {
	{ "a cell", CHANNEL_SHELL, "execute_request", "{\"code\":\"print x\\nresult y\"}",
		BUSY("m") "iopub execute_input of m: {\"code\":\"print x\\nresult y\",\"execution_count\":1}\n"
			  "iopub stdout of m: x\\n\n"
			  "iopub execute_result of m: {\"data\":{\"text/plain\":\"y\"},\"metadata\":{},\"execution_count\":1}\n"
			  "reply execute_reply on shell of m: {\"status\":\"ok\",\"payload\":[],\"user_expressions\":{},"
			  "\"execution_count\":1}\n" IDLE("m") },
	{ "a failure", CHANNEL_SHELL, "execute_request", "{\"code\":\"fail x\"}",
		BUSY("m") "iopub execute_input of m: {\"code\":\"fail x\",\"execution_count\":1}\n"
			  "iopub error of m: {\"ename\":\"E0001\",\"evalue\":\"x\",\"traceback\":[\"x\"]}\n"
			  "reply execute_reply on shell of m: {\"status\":\"error\",\"ename\":\"E0001\",\"evalue\":\"x\","
			  "\"traceback\":[\"x\"],\"payload\":[],\"user_expressions\":{},\"execution_count\":1}\n" IDLE("m") },
	{ "silence", CHANNEL_SHELL, "execute_request", "{\"code\":\"print x\",\"silent\":true}",
		BUSY("m") "reply execute_reply on shell of m: {\"status\":\"ok\",\"payload\":[],\"user_expressions\":{},"
			  "\"execution_count\":0}\n" IDLE("m") },
	{ "a question", CHANNEL_SHELL, "execute_request", "{\"code\":\"ask who\",\"silent\":true,\"allow_stdin\":true}",
		BUSY("m") "stdin text: who\n"
			  "reply execute_reply on shell of m: {\"status\":\"ok\",\"payload\":[],\"user_expressions\":{},"
			  "\"execution_count\":0}\n" IDLE("m") },
	{ "more than a message may have", CHANNEL_SHELL, "execute_request", "{\"code\":\"huge 67108864\",\"store_history\":false}",
		BUSY("m") "iopub execute_input of m: {\"code\":\"huge 67108864\",\"execution_count\":0}\n"
			  "iopub stderr of m: [output dropped: a message may have 64 MiB]\\n\n"
			  "reply execute_reply on shell of m: {\"status\":\"error\",\"ename\":\"ReplyTooLong\",\"evalue\":\"the reply would "
			  "have more than 64 MiB\",\"traceback\":[],\"execution_count\":0}\n" IDLE("m") },
	{ "no code", CHANNEL_SHELL, "execute_request", "{}",
		BUSY("m") "reply execute_reply on shell of m: {\"status\":\"error\",\"ename\":\"InvalidRequest\",\"evalue\":\"`code` must "
			  "be a string\",\"traceback\":[],\"execution_count\":0}\n" IDLE("m") },
	{ "no object", CHANNEL_SHELL, "is_complete_request", "[]",
		BUSY("m") "reply is_complete_reply on shell of m: {\"status\":\"error\",\"ename\":\"InvalidRequest\",\"evalue\":\"content "
			  "is not an object\",\"traceback\":[]}\n" IDLE("m") },
	{ "an unknown type", CHANNEL_SHELL, "x_request", "{}", BUSY("m") IDLE("m") },
	{ "a cell on control", CHANNEL_CONTROL, "execute_request", "{\"code\":\"print x\"}", BUSY("m") IDLE("m") },
	{ "shutdown", CHANNEL_CONTROL, "shutdown_request", "{\"restart\":true}",
		BUSY("m") "reply shutdown_reply on control of m: {\"status\":\"ok\",\"restart\":true}\n"
			  "iopub shutdown_reply of m: {\"status\":\"ok\",\"restart\":true}\n" IDLE("m") },
	{ "an unknown comm target", CHANNEL_SHELL, "comm_open", "{\"comm_id\":\"c\",\"target_name\":\"t\",\"data\":{}}",
		BUSY("m") "iopub comm_close of m: {\"comm_id\":\"c\",\"data\":{}}\n" IDLE("m") },
};

static void
test_cases(void)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct request *request = request_of(cases[i].channel, "m", cases[i].msg_type, cases[i].content);
		struct desk desk;

		desk_init(&desk);
		if (cases[i].channel == CHANNEL_CONTROL)
			session_control_request(&desk.session, request);
		else
			session_shell_request(&desk.session, request);
		is_str(buf_text(&desk.mock.log), cases[i].said, "%s", cases[i].name);
		desk_release(&desk);
	}
}

/* Executes that wait when a cell fails are aborted; the rest is served, all in order. */
static void
test_abort(void)
{
	struct request *request;
	struct desk desk;

	desk_init(&desk);
	vec_push(&desk.mock.waiting, request_of(CHANNEL_SHELL, "m2", "execute_request", "{\"code\":\"print x\"}"));
	vec_push(&desk.mock.waiting, request_of(CHANNEL_SHELL, "m3", "is_complete_request", "{\"code\":\"print x\"}"));
	session_shell_request(
		&desk.session, request_of(CHANNEL_SHELL, "m1", "execute_request", "{\"code\":\"fail x\",\"silent\":true}"));
	buf_clear(&desk.mock.log);
	while ((request = session_next_held(&desk.session)))
		session_shell_request(&desk.session, request);
	is_str(buf_text(&desk.mock.log),
		BUSY("m2") "reply execute_reply on shell of m2: {\"status\":\"error\",\"ename\":\"ExecutionAborted\",\"evalue\":\"not "
			   "executed because a cell before it failed\",\"traceback\":[],\"execution_count\":0}\n" IDLE("m2")
			BUSY("m3") "reply is_complete_reply on shell of m3: {\"status\":\"complete\"}\n" IDLE("m3"),
		"what waited when a cell failed");
	desk_release(&desk);
}

static void
test_interrupt_and_stop(void)
{
	struct desk desk;

	desk_init(&desk);
	session_interrupt(&desk.session);
	session_shell_request(&desk.session, request_of(CHANNEL_SHELL, "m", "execute_request", "{\"code\":\"sleep 0\"}"));
	contains(buf_text(&desk.mock.log), "\"status\":\"ok\"", "an interrupt of nothing does nothing");
	session_stop(&desk.session);
	ok(atomic_load(&desk.session.stopping), "the session shall end");
	buf_clear(&desk.mock.log);
	session_shell_request(&desk.session, request_of(CHANNEL_SHELL, "m", "execute_request", "{\"code\":\"deaf 60000\"}"));
	contains(buf_text(&desk.mock.log), "KeyboardInterrupt", "and begins no cell any more");
	desk_release(&desk);
}

int
main(void)
{
	test_cases();
	test_abort();
	test_interrupt_and_stop();
	return done_testing();
}
