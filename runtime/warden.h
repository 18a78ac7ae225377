/* The warden: a process of ours, forked once for a run, that starts the steps' processes and sees to it that none outlives
 * the run.
 *
 * Each step's process leads a process group of its own, with /dev/null as standard input, the descriptors it is given as output and error,
 * and nothing else open. When it has exited, what is left of its group is killed, and so is what it put into the background under
 * another session (found by the marker in its environment). When the owner dies, however it dies, the warden sees its
 * socket close: it sends TERM to everything, KILL after a grace, and ends. The owner's signals, threads and other children
 * are not touched: the warden is a session of its own and the only child of the owner. */
#ifndef RUNTIME_WARDEN_H
#define RUNTIME_WARDEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { WARDEN_PROCESSES_MAX = 1024 }; /* at once */
#define WARDEN_MARKER "LATEEN_ATTEMPT" /* set in every step's environment */

struct warden;

struct spawn {
	const char *path; /* of the program, absolute */
	char *const *argv; /* NULL behind the last */
	char *const *envp; /* without the marker */
	const char *cwd;
	int output, error; /* become standard output and error; stay open here; may be the same */
};

enum report_kind {
	REPORT_FAILED, /* number: why it could not be started, an errno */
	REPORT_EXITED, /* number: the exit code */
	REPORT_KILLED, /* number: the signal */
};

struct report {
	uint64_t id;
	enum report_kind kind;
	int number;
};

struct warden *warden_start(int grace_ms, struct error *err);
/* Kills what runs (TERM, grace, KILL), and waits for the warden's end. NULL is fine. */
void warden_free(struct warden *warden);
int warden_fd(const struct warden *warden); /* readable when there is a report */
/* Exactly one report comes for each spawn that returned 0. */
int warden_spawn(struct warden *warden, uint64_t id, const struct spawn *spawn, struct error *err);
/* To the whole process group; TERM also wakes what was stopped. Nothing happens when it has ended. */
void warden_signal(struct warden *warden, uint64_t id, int number);
/* 1: a report; 0: none yet; -1: the warden is gone, and with it every process. */
int warden_next(struct warden *warden, struct report *ret);

#endif
