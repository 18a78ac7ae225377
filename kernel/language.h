/* The seam between the session (the Jupyter protocol) and the language (what a cell means).
 *
 * The session owns messages, sockets, threads, counters and history; it knows nothing of the language. The language
 * knows nothing of messages: it is asked through `struct language_ops` and answers through `struct output`.
 *
 * Threads: `execute` runs on the shell thread, one call at a time. `complete`, `inspect`, `is_complete` run on the
 * shell thread too, never beside `execute`. `interrupt` may come from any thread, at any time, also when nothing runs
 * (then it does nothing). Calls on a `struct output` come from the thread that was given it, within the call; for what is
 * shown after it, as of a run in the background, the output is kept.
 *
 * JSON values passed in are borrowed; those returned through ret_ pointers belong to the caller (json_decref). */
#ifndef KERNEL_LANGUAGE_H
#define KERNEL_LANGUAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct output;

/* Where what a cell shows goes: to iopub in the session, to stdout in `lateen exec`. Text is UTF-8 in pieces of any
 * size (a character may be split between two); MIME bundles are objects { mime: string or JSON }, metadata may be NULL. */
struct output_ops {
	void (*stream)(struct output *output, bool is_stderr, const char *text, size_t len);
	/* display_id NULL: not to be updated later. */
	void (*display)(struct output *output, json_t *data, json_t *metadata, const char *display_id);
	void (*update)(struct output *output, json_t *data, json_t *metadata, const char *display_id);
	void (*result)(struct output *output, json_t *data, json_t *metadata);
	void (*clear)(struct output *output, bool wait);
	/* A pager's text for the reply's payload: { mime: … } with at least text/plain. */
	void (*page)(struct output *output, json_t *data);
	/* Asks the person. Returns malloc'ed text, or NULL when nobody can be asked, on end of file, and on interrupt;
	 * *ret_why then is a constant sentence. */
	char *(*input)(struct output *output, const char *prompt, bool password, const char **ret_why);
	/* Pushes out what is buffered. */
	void (*flush)(struct output *output);
	/* Another output for the same cell, which stays past its end, until it is released: for one other thread, beside the one that
	 * has this. Only stream, display, update, flush and release of it are called. */
	struct output *(*keep)(struct output *output);
	void (*release)(struct output *output);
};

struct output {
	const struct output_ops *ops;
};

/* One cell. */
struct execute_request {
	const char *code;
	size_t code_len;
	int execution_count; /* the number in In[N] */
	bool silent; /* no result is wanted; the session drops streams and displays */
	bool store_history;
	const char *cell_id; /* JupyterLab's cellId, or NULL */
};

/* How a cell ended. All strings are malloc'ed and released by execute_outcome_release. */
struct execute_outcome {
	bool ok;
	char *ename; /* the stable code, such as L0204; "KeyboardInterrupt" after an interrupt */
	char *evalue; /* one line, plain text */
	char **traceback; /* n_traceback lines, may hold ANSI colours; the rendered diagnostic */
	size_t n_traceback;
};

void execute_outcome_release(struct execute_outcome *outcome);

enum completeness { CODE_COMPLETE, CODE_INCOMPLETE, CODE_INVALID, CODE_UNKNOWN };

struct language_info {
	const char *implementation, *implementation_version;
	const char *name, *version, *mimetype, *file_extension, *pygments_lexer;
	const char *codemirror_mode;
	const char *banner;
	const char *const (*help_links)[2]; /* {text, url}, ends with {NULL, NULL} */
};

struct language_ops {
	const struct language_info *info;
	void (*execute)(void *self, const struct execute_request *request, struct output *output,
			struct execute_outcome *ret_outcome);
	/* One user_expressions entry: a new object { status: "ok", data, metadata } or { status: "error", ename, evalue,
	 * traceback }. */
	json_t *(*evaluate)(void *self, const char *expression);
	/* Offsets are bytes into code; cursor is at most code_len. Returns a new array of
	 * { text, type?, signature? } and the byte range that the texts replace. */
	json_t *(*complete)(void *self, const char *code, size_t code_len, size_t cursor, size_t *ret_start, size_t *ret_end);
	/* A new MIME bundle, or NULL when there is nothing there. */
	json_t *(*inspect)(void *self, const char *code, size_t code_len, size_t cursor, int detail_level);
	/* *ret_indent is a constant string, for CODE_INCOMPLETE. */
	enum completeness (*is_complete)(void *self, const char *code, size_t code_len, const char **ret_indent);
	/* Makes a running execute end soon, with ename KeyboardInterrupt. Async-signal-safe. */
	void (*interrupt)(void *self);
	/* The kernel is about to end: kills what cells have started. Called once, from any thread, also beside an execute
	 * that did not end in time. May be NULL. */
	void (*shutdown)(void *self);
	/* Frontends' comm messages: returns a new array of { msg_type: "comm_msg"|"comm_close", content, metadata? } to
	 * send back, or NULL. An open with a target that the language does not know is closed by the session.
	 * Either may be NULL. */
	bool (*comm_target_known)(void *self, const char *target_name);
	json_t *(*comm)(void *self, const char *msg_type, const char *comm_id, const char *target_name, json_t *content);
};

/* What `lateen kernel` serves; defined by the language's side (kernel/interp.c). */
struct language {
	const struct language_ops *ops;
	void *self;
};

#endif
