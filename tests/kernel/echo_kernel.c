/* A kernel for the protocol's tests: serves the echo language.
 * Usage: echo_kernel -f FILE [--stall MS] [--history FILE] [--verbose] */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/session.h"
#include "tests/kernel/echo_language.h"

int
main(int argc, char **argv)
{
	struct session_options options = { .history_file = "" };
	struct language *language = echo_language_new();
	struct error err;
	int rc;

	for (int i = 1; i < argc; i++) {
		bool has_value = i + 1 < argc;

		if (has_value && !strcmp(argv[i], "-f"))
			options.connection_file = argv[++i];
		else if (has_value && !strcmp(argv[i], "--stall"))
			options.stall_ms = (int)strtol(argv[++i], NULL, 10);
		else if (has_value && !strcmp(argv[i], "--history"))
			options.history_file = argv[++i];
		else if (!strcmp(argv[i], "--verbose"))
			options.verbose = true;
		else
			return 2;
	}
	if (!options.connection_file)
		return 2;
	rc = session_main(&options, language, &err);
	if (rc)
		fprintf(stderr, "echo_kernel: %s\n", err.text);
	echo_language_free(language);
	return rc ? 3 : 0;
}
