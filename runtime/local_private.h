/* What local.c and local_attempt.c share. */
#ifndef RUNTIME_LOCAL_PRIVATE_H
#define RUNTIME_LOCAL_PRIVATE_H

#include <time.h>

#include "base/macros.h"
#include "runtime/local.h"
#include "runtime/log.h"
#include "runtime/process.h"
#include "runtime/store.h"
#include "runtime/warden.h"

enum {
	LOCAL_READ = 256 * 1024, /* bytes of a log taken at once */
	LOCAL_GRACE_MS = 10000,
	LOCAL_DRAIN_MS = 3000, /* how long the end of the output is waited for after the process's own */
	LOCAL_LOOK_MS = 500, /* how often somebody's wish to stop the run is looked for */
};

/* One attempt that runs. */
struct attempt {
	uint64_t id; /* for the warden */
	size_t node;
	int number;
	struct arena *arena;
	struct process_launch launch;
	const char *folder, *step_folder;
	struct log *log;
	int pipe; /* its output; -1: at an end */
	bool exited; /* its process has, and what follows a container */
	bool killed;
	size_t follow; /* the next of launch.follows */
	struct report report; /* of the first process */
	int64_t kill_at, drain_until; /* 0: not set */
};

/* What an engine's node is to the run. */
struct local_node {
	size_t run_node; /* SIZE_MAX: a group */
	const char *folder, *tail;
};

struct local {
	struct plan *plan;
	struct engine *engine;
	struct run *run;
	struct store *store;
	struct warden *warden;
	struct arena *arena;
	const char *project, *path, *container_tool;
	int epoll, timer, wake, null;
	int grace_ms;
	int64_t wall_ms, clock_ms; /* one moment, by both clocks */
	int64_t look_at, timer_at;
	uint64_t ids;
	VEC(struct attempt *) attempts;
	VEC(struct local_node) nodes;
	VEC(struct engine_action) todo;
	size_t todo_at;
	bool writing; /* a transaction is open */
	bool ended, stopping;
	bool store_failed;
	char *bytes; /* LOCAL_READ of them */
};

int64_t local_clock(clockid_t clock); /* milliseconds */
int64_t local_now(const struct local *local);
/* Gives the engine an event, and takes what it says into the run, the store and the list of things to do. */
void local_feed(struct local *local, const struct engine_event *event);
/* Carries out what the engine said. The journal is written before anything is started, and so can only know too much. */
void local_work(struct local *local);

/* local_attempt.c */
/* Starts the attempt; what fails comes back as its Error. */
void attempt_start(struct local *local, size_t node, int number);
void attempt_kill(struct local *local, struct attempt *attempt, bool at_once);
void attempt_take_report(struct local *local, const struct report *report);
void attempt_read(struct local *local, struct attempt *attempt);
/* Timers: KILL after the grace, the end of draining. */
void attempt_tick(struct local *local, struct attempt *attempt, int64_t now);
/* Ends it when its process and its output have ended. The attempt may be gone afterwards. */
void attempt_settle(struct local *local, struct attempt *attempt);
struct attempt *attempt_of_node(const struct local *local, size_t node);
/* Its output is of no interest any more. */
void attempt_drop_output(struct local *local, struct attempt *attempt);
void attempt_free(struct local *local, struct attempt *attempt);

#endif
