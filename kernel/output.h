/* What a cell shows, as iopub messages of the request that runs it. Text comes out as whole UTF-8 characters: what was
 * cut is held back until the rest comes, what is invalid becomes U+FFFD. */
#ifndef KERNEL_OUTPUT_H
#define KERNEL_OUTPUT_H

#include "base/buf.h"
#include "kernel/session_state.h"

struct cell_output {
	struct output output;
	struct session *session;
	const struct request *request;
	bool silent, allow_stdin;
	int execution_count;
	struct buf tails[2]; /* the unfinished character at the end of stdout, stderr */
	json_t *payload; /* array, for the reply */
	json_t *result_text; /* text/plain of the result, for the history; or NULL */
};

/* An output that is kept outlives the request: it holds the parent of its messages, and the session must live longer. */
void cell_output_init(struct cell_output *cell, struct session *session, const struct request *request);
/* Everything is on its way; unfinished characters are shown as U+FFFD. */
void cell_output_finish(struct cell_output *cell);
void cell_output_release(struct cell_output *cell);

#endif
