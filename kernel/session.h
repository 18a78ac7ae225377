/* A kernel's session: serves one language to Jupyter clients until one of them, or a signal, ends it. */
#ifndef KERNEL_SESSION_H
#define KERNEL_SESSION_H

#include <stdbool.h>

#include "base/error.h"
#include "kernel/language.h"

struct session_options {
	const char *connection_file; /* read; written if it does not exist or has ports 0; with JEP 66 the registration */
	const char *history_file; /* NULL: $LATEEN_HISTORY, else in the user's data directory; "": in memory */
	int stall_ms; /* how long a reader may stall before stream text is dropped; 0: 10 s */
	bool verbose; /* says on stderr which messages were thrown away, and why; never their contents */
};

/* Runs on the calling thread, which executes the cells. Returns 0 after a shutdown request or SIGTERM; -1 with a
 * sentence when the session could not begin. Takes SIGINT and SIGTERM over while it runs. */
int session_main(const struct session_options *options, const struct language *language, struct error *err);

#endif
