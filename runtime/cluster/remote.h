/* A run on a cluster, driven as runtime/local.h drives one here: submitted or found, watched, its logs kept, and shown by the same
 * `struct run` and the same store.
 *
 *     remote = remote_start(door, plan, &args, &options, &problem);
 *     while (remote_poll(remote, wake, timeout))
 *             ;
 *     run = run_ref(remote_run(remote));
 *     remote_free(remote);
 *
 * It belongs to the thread that polls it. To free it, or to die, ends the watching, never the run. What was seen is in the store
 * (runs, steps, logs), under the same id that the workflow bears as label DOOR_TOKEN_LABEL, with what is needed to find it again;
 * so `remote_attach` after a restart goes on where the last one stopped and shows no line of a log twice. */
#ifndef RUNTIME_CLUSTER_REMOTE_H
#define RUNTIME_CLUSTER_REMOTE_H

#include "runtime/cluster/door.h"
#include "runtime/local.h"
#include "runtime/run.h"

enum { REMOTE_FILE_MAX = 256 * 1024 * 1024 }; /* bytes of an output by file that is fetched */

struct remote;

struct remote_options {
	const char *target; /* the name by which the program knows the cluster; stored */
	const char *where; /* JSON that says how to come to it again, without secrets; stored, see kernel/target.h */
	const char *experiment;
	const char *name; /* of the run; NULL: the pipeline's and five letters or digits */
	const char *project, *store; /* as in local_options */
	bool no_logs; /* are not followed */
	const struct run_observer *observers;
	size_t n_observers;
};

/* Why it could not be started, or watched. */
struct remote_problem {
	const char *code; /* "L1010", of dsl/errors.def */
	struct api_failure failure; /* what, help, note */
	struct diags *diags; /* of a plan that the target cannot express; NULL: none. The caller's to release and free */
};

/* Compiles, submits, begins to watch. NULL with *ret_problem filled. */
struct remote *remote_start(struct door *door, struct plan *plan, const struct local_args *args, const struct remote_options *options,
			    struct remote_problem *ret_problem);
/* A run that is there already, by name, id or token, whoever started it. plan NULL: one is made from what the cluster knows. */
struct remote *remote_attach(struct door *door, const char *which, struct plan *plan, const struct remote_options *options,
			     struct remote_problem *ret_problem);
void remote_free(struct remote *remote); /* NULL is fine */

/* Waits for news at most `timeout` milliseconds, or until `wake` is readable (-1: none). Returns whether it goes on: false once
 * the run has ended and its logs are kept, or watching has failed. */
bool remote_poll(struct remote *remote, int wake, long timeout);
/* Fetches the output by file of the run's node, which has then a path; waits for it. -1 with *ret_failure set. */
int remote_fetch(struct remote *remote, size_t node, size_t output, struct api_failure *ret_failure);
struct run *remote_run(const struct remote *remote);
const struct door_run *remote_where(const struct remote *remote);
/* The first log that could not be kept whole, and why; NULL: none so far. It is no failure of the run. */
const struct api_failure *remote_log_failure(const struct remote *remote);
/* Set once watching has failed for good; NULL before. */
const struct api_failure *remote_failure(const struct remote *remote);

#endif
