/* What the parts of a session share. The session knows messages and not sockets: those are behind struct transport,
 * so that tests and fuzzers drive it without any.
 *
 * Threads: session_shell_request runs on the shell thread, session_control_request on the control thread beside it.
 * What both touch is atomic or under run_lock. */
#ifndef KERNEL_SESSION_STATE_H
#define KERNEL_SESSION_STATE_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"
#include "base/map.h"
#include "kernel/connection.h"
#include "kernel/history.h"
#include "kernel/language.h"
#include "kernel/message.h"

enum {
	SESSION_CODE_MAX = 8 * 1024 * 1024, /* bytes in one cell: base/source.h's ceiling */
	SESSION_MESSAGE_MAX = 64 * 1024 * 1024, /* bytes in the content of what is sent */
	SESSION_COMMS_MAX = 4096, /* open at a time */
	SESSION_EXPRESSIONS_MAX = 256, /* user_expressions in one request */
};

struct transport;

/* metadata NULL means {}. Contents are JSON texts. */
struct transport_ops {
	/* An answer on the channel that the request came on. */
	void (*reply)(struct transport *transport, const struct request *request, const char *msg_type,
		const char *metadata, const char *content, size_t content_len);
	/* On iopub; takes the malloc'ed content. Never waits. */
	void (*publish)(struct transport *transport, struct parent *parent, const char *msg_type, const char *metadata,
		char *content, size_t content_len);
	/* Waits while too much is queued, as does make_room, which is for who publishes much. */
	void (*stream)(struct transport *transport, struct parent *parent, bool is_stderr, const char *text, size_t len);
	void (*make_room)(struct transport *transport);
	/* Stream text waits no longer. */
	void (*flush)(struct transport *transport);
	/* The next request that is there already on shell, or NULL. */
	struct request *(*waiting)(struct transport *transport);
	/* As struct output_ops' input, for the client that sent the request. */
	char *(*input)(struct transport *transport, const struct request *request, const char *prompt, bool password,
		const char **ret_why);
	/* Ends a wait in input or stream; from any thread. */
	void (*hurry)(struct transport *transport, bool hurry);
};

struct transport {
	const struct transport_ops *ops;
};

struct session {
	const struct language *language;
	struct transport *transport;
	const struct connection *connection; /* for connect_request; or NULL */
	struct history *history;
	struct map comms; /* comm id to its target's name (malloc'ed); shell thread */
	int execution_count; /* of the last execute that counted */
	struct {
		struct request **items;
		size_t n, cap;
	} held; /* requests taken from shell while looking for ones to abort, to be served in order */

	pthread_mutex_t run_lock; /* guards running */
	bool running;
	atomic_bool interrupted; /* the cell that runs was asked to end */
	atomic_bool stopping;
};

void session_init(struct session *session, const struct language *language, struct transport *transport,
	struct history *history, const struct connection *connection);
void session_release(struct session *session);

/* Serve one request and free it. */
void session_shell_request(struct session *session, struct request *request);
void session_control_request(struct session *session, struct request *request);
/* A request that was set aside, or NULL. */
struct request *session_next_held(struct session *session);

/* Ends what runs, soon; does nothing when nothing runs. From any thread. */
void session_interrupt(struct session *session);
/* The session shall end: what runs is interrupted, the loops find `stopping` set. */
void session_stop(struct session *session);

/* What a handler has to say; all NULL: no reply. */
struct answer {
	json_t *content; /* owned */
	struct buf metadata; /* {} if empty */
	bool aborts_queue; /* queued executes shall not run */
	bool stops; /* the session ends after the reply */
};

typedef void (*handler)(struct session *session, const struct request *request, struct answer *answer);

/* One for each type of request: execute.c, introspect.c, info.c, comm.c, history_request.c, control.c. */
void handle_execute(struct session *session, const struct request *request, struct answer *answer);
void handle_complete(struct session *session, const struct request *request, struct answer *answer);
void handle_inspect(struct session *session, const struct request *request, struct answer *answer);
void handle_is_complete(struct session *session, const struct request *request, struct answer *answer);
void handle_history(struct session *session, const struct request *request, struct answer *answer);
void handle_kernel_info(struct session *session, const struct request *request, struct answer *answer);
void handle_connect(struct session *session, const struct request *request, struct answer *answer);
void handle_comm_info(struct session *session, const struct request *request, struct answer *answer);
void handle_comm_open(struct session *session, const struct request *request, struct answer *answer);
void handle_comm_msg(struct session *session, const struct request *request, struct answer *answer);
void handle_comm_close(struct session *session, const struct request *request, struct answer *answer);
void handle_interrupt(struct session *session, const struct request *request, struct answer *answer);
void handle_shutdown(struct session *session, const struct request *request, struct answer *answer);
void handle_usage(struct session *session, const struct request *request, struct answer *answer);
void handle_debug(struct session *session, const struct request *request, struct answer *answer);
void handle_subshell(struct session *session, const struct request *request, struct answer *answer);

/* {status: "error", ename, evalue, traceback: []} */
json_t *error_content(const char *ename, const char *evalue);
/* Publishes JSON and lets go of it. What is longer than SESSION_MESSAGE_MAX becomes a line on stderr that says so. */
void publish_json(struct session *session, struct parent *parent, const char *msg_type, const char *metadata, json_t *content);

#endif
