/* What is known of runs when nobody remembers: one store for each project, the folder `.lateen` in it (or $LATEEN_HOME).
 *
 *     .lateen/store.db                       runs, the journal of their events, where each step is, which cluster a run is on
 *     .lateen/runs/RUN/STEP/ATTEMPT/log      what an attempt wrote, log.idx its lines and times
 *     .lateen/runs/RUN/STEP/outputs/NAME     its outputs by file
 *     .lateen/runs/RUN/stop                  somebody wants it to end
 *     .lateen/runs/RUN/watch                 locked by the one that watches a run on a cluster and writes of it
 *
 * store.db is SQLite in WAL mode: what was written survives the death of the writer, and readers see whole transactions. Its
 * version is that of the schema; a store of a newer version is opened to read, and writing says why not. A run whose owner
 * died (its process is gone, or its number belongs to another) is never listed as running, unless it is on a cluster: there it
 * goes on without us, and is listed as it was seen last. No secret is ever given to it. */
#ifndef RUNTIME_STORE_H
#define RUNTIME_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/map.h"
#include "base/value.h"
#include "runtime/engine.h"
#include "runtime/phase.h"

enum {
	STORE_VERSION = 2, /* 2: runs on clusters, and how far their logs have been read */
	STORE_BUSY_MS = 10000,
};

struct store;

/* Where a run on a cluster is. */
struct store_place {
	const char *target; /* the program's name for the cluster; NULL: the run is on this machine */
	const char *where; /* JSON: how to come to it again, see kernel/target.h */
	const char *door; /* "kube", "argo", "kfp" */
	const char *namespace_, *workflow, *workflow_id; /* "" where not known; the id is the one that its door knows it by */
};

/* A run in the list. */
struct store_run {
	const char *id, *name, *pipeline;
	enum phase phase;
	const char *message; /* or NULL */
	int64_t started_ms, ended_ms; /* 0: not yet */
	int64_t owner; /* process number */
	bool owned; /* that process lives, or watches it still; a run on a cluster that has not ended and is not owned can be attached to */
	struct store_place place;
	size_t steps, done, bad; /* instances of steps: all so far, ended, Failed or Error */
	const char *folder;
};

/* A step's instance in the list. */
struct store_step {
	const char *name, *key;
	enum phase phase;
	int attempts, exit_code;
	int64_t started_ms, ended_ms;
	const char *message, *folder; /* of the last attempt; or NULL */
	const struct value *outputs; /* a Dict */
};

/* The folder of the store for the project: $LATEEN_HOME, else PROJECT/.lateen. Absolute, malloc'ed. */
char *store_folder_of(const char *project);
/* Opens the store there, making it (unless `must_exist`). NULL with *err set. */
struct store *store_open(const char *folder, bool must_exist, struct error *err);
void store_close(struct store *store); /* NULL is fine */
const char *store_folder(const struct store *store);
bool store_read_only(const struct store *store);

/* ---- the owner of a run ---- */

/* Chooses id (a UUID) and name (the pipeline's, and five letters or digits), makes the run's folder and its row, owned by this
 * process. args: a Dict without secrets. Texts live in the arena. */
int store_new_run(struct store *store, struct arena *arena, const char *pipeline, const struct value *args,
		  struct store_run *ret, struct error *err);
/* The same of a run on a cluster, under an id and a name that are given: store_choose makes them. An error when the name is taken. */
int store_new_run_there(struct store *store, struct arena *arena, const struct store_run *run, const struct value *args,
			struct store_run *ret, struct error *err);
/* An id and a name for a run of that pipeline, in the arena; the name is fit for an object of Kubernetes. */
int store_choose(struct arena *arena, const char *pipeline, const char **ret_id, const char **ret_name, struct error *err);
/* One that was never carried out: its row and its folder go. */
void store_forget_run(struct store *store, const struct store_run *run);
/* Its steps are told anew. */
int store_forget_steps(struct store *store, const char *run, struct error *err);
/* It goes on: one that had ended was retried. */
int store_go_on(struct store *store, const char *run, const char *message, struct error *err);
/* What has become known of its place. */
int store_set_place(struct store *store, const char *run, const struct store_place *place, struct error *err);
/* Becomes the one that watches the run and writes of it; until *ret_claim is released, or this process dies, no other can be,
 * in this process or another. 1: another is it. */
int store_claim(struct store *store, const struct store_run *run, int *ret_claim, struct error *err);
void store_release_claim(int claim);
/* Its cluster has it no longer: one that had not ended is over, as Error. Where somebody watches it nothing is written: that one sees it. */
int store_end_gone(struct store *store, const struct store_run *run, int64_t now_ms, struct error *err);

/* How much of an attempt's log is in its file. */
struct store_log {
	int64_t bytes;
	const char *last; /* RFC 3339 with nanoseconds: the time of the last line that is; "" before the first */
	bool whole; /* there is no more of it */
};

int store_set_log(struct store *store, const char *run, const char *folder, const struct store_log *log, struct error *err);
/* All zero, last "", when nothing is known. */
int store_get_log(struct store *store, struct arena *arena, const char *run, const char *folder, struct store_log *ret, struct error *err);
/* Has a log of the run not been had from its cluster, or not to its end? By name or id, as for store_find. */
bool store_lacks_logs(struct store *store, const char *which);
/* What comes between is written in one transaction. */
int store_begin(struct store *store, struct error *err);
int store_commit(struct store *store, struct error *err);
/* Appends to the journal. n_outputs: of the event's outputs. */
int store_event(struct store *store, const char *run, const struct engine_event *event, size_t n_outputs, struct error *err);
int store_step(struct store *store, const char *run, size_t node, const struct store_step *step, struct error *err);
int store_end_run(struct store *store, const char *run, enum phase phase, const char *message, const struct value *outputs,
		  int64_t now_ms, struct error *err);
/* Has somebody asked for its end? The folder is the run's. */
bool store_stop_wanted(const char *run_folder);

/* ---- everybody ---- */

/* The runs, the newest first, at most max of them; an arena array. */
struct store_run *store_runs(struct store *store, struct arena *arena, size_t max, size_t *ret_n, struct error *err);
/* By name, or id, or the only one that begins so; "" or "last": the newest. */
int store_find(struct store *store, struct arena *arena, const char *which, struct store_run *ret, struct error *err);
/* What the run was given: a Dict; NULL: nothing is known. */
const struct value *store_args(struct store *store, struct arena *arena, const char *run_id);
struct store_step *store_steps(struct store *store, struct arena *arena, const char *run_id, size_t *ret_n,
			       struct error *err);
/* The journal, in order; an arena array. Fed to a new engine it gives the state that the run was in. */
struct engine_event *store_events(struct store *store, struct arena *arena, const char *run_id, size_t *ret_n,
				  struct error *err);
/* Asks the owner to end the run, whoever it is. An error when it has ended, or is on a cluster: that is asked, not the owner. */
int store_stop(struct store *store, const char *which, struct error *err);
/* Appends the last `lines` lines (SIZE_MAX: all) of the log of the step's last attempt (name with key: "train", "train[2]"; of a
 * step in a loop without key all items, one after the other); step NULL: of all steps, their lines by time, each under its name. */
int store_logs(struct store *store, const char *which, const char *step, size_t lines, const char *grep, struct buf *buf,
	       struct error *err);

/* The same, time after time: each call appends what has come since the one before. */
struct log_follower {
	const char *run, *step, *grep; /* borrowed; run and step as for store_logs */
	size_t last; /* of each log the first time */
	struct map places; /* of a log → how much of it has been given; owned */
	char *shown; /* the log whose name was given last; owned */
	bool ended; /* set by the call that found the run ended: there is nothing more to come */
};

void log_follower_release(struct log_follower *follower); /* zero-initialised is fine */
/* While the run goes on, a step that has not begun is no error. */
int store_follow(struct store *store, struct log_follower *follower, struct buf *buf, struct error *err);

#endif
