/* What the files of remote.c share. */
#ifndef RUNTIME_CLUSTER_REMOTE_PRIVATE_H
#define RUNTIME_CLUSTER_REMOTE_PRIVATE_H

#include "base/map.h"
#include "runtime/cluster/pods.h"
#include "runtime/cluster/project.h"
#include "runtime/cluster/remote.h"
#include "runtime/log.h"
#include "runtime/store.h"

enum {
	REMOTE_FOLLOWS_MAX = 16, /* logs of running pods that are followed at once; the others come when their step has ended … */
	REMOTE_FETCHES_MAX = 4, /* … so many at once */
	REMOTE_LOGS_WAIT = 30000, /* milliseconds without news of any log after which a run that has ended is left without the rest */
	REMOTE_CLAIM = 5000, /* milliseconds between two looks whether the one that writes of the run is gone */
	REMOTE_SAVE = 500, /* milliseconds between two writings of how far the logs are */
};

enum remote_log_state {
	REMOTE_LOG_WAITS, /* for its turn */
	REMOTE_LOG_OPEN,
	REMOTE_LOG_DONE,
};

/* The log of one pod: one attempt of a step. */
struct remote_log {
	struct remote *remote;
	size_t place; /* of the workflow's node */
	size_t node; /* of the run */
	const char *id, *pod; /* the node's, and the name of its pod */
	const char *folder; /* of the attempt, absolute */
	const char *key; /* the folder, as the store knows the log by it */
	enum remote_log_state state;
	bool follows; /* its step runs */
	bool over; /* its step has ended */
	bool forgotten; /* its node is not there any more */
	struct door_log *stream;
	struct log *file; /* NULL: nothing has come yet, or another one writes it */
	struct store_log known; /* how much of it was in the file when we began */
	int64_t last; /* nanoseconds: the time of the last line; -1 before the first */
	int64_t shown; /* as `last`, of what was shown while another wrote: it is not shown again */
	bool in_line;
	bool tried; /* to follow it, in vain */
	bool unsaved;
	bool whole;
};

struct remote {
	struct door *door; /* borrowed */
	struct plan *plan;
	struct run *run;
	struct target_report names;
	const struct value **params; /* plan->n_params: what was given; NULL: the fallback, or a run of others */
	struct arena *arena;
	struct door_run where;
	struct store_place place; /* target, where, door */
	struct store *store; /* NULL: another process writes of the run, and this one only looks */
	int claim;
	char *store_folder; /* where it is, while another writes; NULL: we do, or nobody has to */
	int64_t claim_at; /* when it is next looked whether that one is gone */
	struct workflow_model *model;
	struct project *project;
	struct door_watch *watch;
	struct pods *pods;
	struct api_failure *failure; /* for good; NULL: none */
	struct api_failure *log_failure; /* of the first log that is not whole; NULL: none */
	bool no_logs;
	bool writing; /* a transaction is open */
	bool fresh; /* the steps that an earlier life of the run wrote are gone */
	bool ended;
	bool was_ended; /* in the store, when we came */
	char *lost; /* why the cluster cannot be reached now, or NULL */
	VEC(struct remote_log *) logs;
	struct map log_of; /* of a workflow node's id */
	int64_t news_at; /* of any log; milliseconds */
	int64_t save_at;
};

int64_t remote_now(const struct remote *remote); /* milliseconds since 1970 */
/* Whether the store can be written to now; a transaction is open then. */
bool remote_can_write(struct remote *remote);

/* remote.c */
/* Everything is set but what watches. */
void remote_begin(struct remote *remote);
/* Writes where the run is, as it is known now. */
void remote_keep_place(struct remote *remote);
void remote_log_came_to_end(struct remote *remote, size_t place); /* the log of the node at the place */

/* remote_logs.c */
/* The node runs or has run as a pod, as that attempt (from 0) of the run's node. */
void remote_log_add(struct remote *remote, size_t place, size_t node, int attempt);
/* Begins with those whose turn it is. */
void remote_logs_go_on(struct remote *remote);
bool remote_logs_whole(const struct remote *remote); /* all, or nothing more is to be hoped for */
void remote_logs_save(struct remote *remote, bool now);
/* Another wrote so far, and we do from now on: what of the logs is not in the store is asked for once more. */
void remote_logs_take_over(struct remote *remote);
void remote_logs_free(struct remote *remote);
/* Its attempt never was: a retry has reset it. */
void remote_log_forget(struct remote *remote, const char *id);
const char *remote_log_folder(const struct remote *remote, size_t place); /* of the attempt; NULL: it has none */
/* The last lines of the node's last attempt, in the arena; NULL: none. */
const char *remote_log_tail(const struct remote *remote, size_t place, struct arena *arena);

#endif
