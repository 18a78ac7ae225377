/* What the owner's side and the warden's side of the socket agree on. */
#ifndef RUNTIME_WARDEN_PRIVATE_H
#define RUNTIME_WARDEN_PRIVATE_H

#include <stdint.h>
#include <sys/types.h>

#include "runtime/warden.h"

enum order_kind { ORDER_SPAWN, ORDER_SIGNAL };

enum { ORDER_FDS = 3 };

/* A message to the warden. A spawn comes with three descriptors: the program (a sealed memory file), output and error.
 * The program is `n_strings` strings, each with its NUL: path, cwd, n_argv arguments, then the environment. */
struct order {
	enum order_kind kind;
	int number; /* of the signal */
	uint64_t id;
	uint32_t n_argv, n_envp;
	uint64_t size; /* of the program */
};

struct warden_process {
	pid_t pid; /* 0: free */
	uint64_t id;
};

struct warden_table {
	struct warden_process processes[WARDEN_PROCESSES_MAX];
	int grace_ms;
};

/* Never returns. Runs in a child forked from a process that may have had threads: no stdio, no malloc. */
void warden_main(int socket, struct warden_table *table) __attribute__((noreturn));

#endif
