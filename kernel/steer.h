/* What is asked of clusters besides to run: a run that is there is found and steered, a cluster is listed, prepared, given a pipeline.
 * What verbs of a cell and commands of a terminal share: each opens its own way into the cluster, asks, and says in a text what came
 * of it. Failures are diagnostics; -1 without an error among them: the person has stopped it. */
#ifndef KERNEL_STEER_H
#define KERNEL_STEER_H

#include "kernel/target.h"
#include "runtime/local.h"
#include "runtime/store.h"

/* Which run, and where. */
struct steer_request {
	const char *run; /* by name, id, or the beginning of either that only one run of the store has */
	const struct cluster *cluster; /* NULL: what the store knows of it says where it is */
	struct span span;
	bool (*stop)(void *context); /* may be NULL */
	void *context;
};

struct steered {
	struct arena *arena; /* of what follows */
	bool here; /* it is on this machine; nothing was opened */
	struct store_run known; /* what the store knows; id NULL: nothing */
	struct target_door target;
	struct door_run run;
};

/* What the store knows of it, in the arena. */
int steer_known(const struct steer_request *request, struct arena *arena, struct store_run *ret, struct diags *diags);
/* Release it in either case. With `look` the cluster is asked for it; otherwise what the store knows is trusted. */
int steer_find(struct steered *ret, const struct steer_request *request, bool look, struct diags *diags);
void steer_release(struct steered *steered);

/* Each says in *said what was done. */
int steer_control(const struct steer_request *request, enum door_control what, struct diags *diags, struct buf *said);
int steer_retry(const struct steer_request *request, const char *from, struct diags *diags, struct buf *said);
/* The address of its page. */
int steer_open(const struct steer_request *request, struct diags *diags, struct buf *said);

/* Of a whole cluster. */
struct steer_cluster {
	const struct cluster *cluster;
	struct span span;
	bool (*stop)(void *context);
	void *context;
};

/* All runs that it has, the newest first, at most STEER_RUNS_MAX; html may be NULL. */
enum { STEER_RUNS_MAX = 200 };
int steer_runs(const struct steer_cluster *request, struct diags *diags, struct buf *text, struct buf *html);
int steer_prepare(const struct steer_cluster *request, bool apply, struct diags *diags, struct buf *said);
int steer_cleanup(const struct steer_cluster *request, bool apply, struct diags *diags, struct buf *said);

/* What is uploaded, scheduled or submitted: a plan, or a package that was read. */
struct steer_pipeline {
	const char *name;
	const struct plan *plan; /* or NULL */
	const struct local_args *args; /* of the plan; or NULL */
	const struct value *workflow; /* of a package */
	const char *const (*given)[2]; /* its parameters by name and text */
	size_t n_given;
};

int steer_upload(const struct steer_cluster *request, const struct steer_pipeline *what, struct diags *diags, struct buf *said);
int steer_schedule(const struct steer_cluster *request, const struct steer_pipeline *what, const char *name, const char *cron,
		   const char *zone, const char *experiment, struct diags *diags, struct buf *said);
/* A run of the package; *ret_run gets its name, and *ret_where how to come to it, in the arena. */
int steer_submit(const struct steer_cluster *request, const struct steer_pipeline *what, const char *experiment, struct arena *arena,
		 const char **ret_run, const char **ret_where, struct diags *diags);
/* A run of what that run was made of, with other values. */
int steer_clone(const struct steer_request *request, const char *const (*given)[2], size_t n_given, struct arena *arena,
		const char **ret_run, const char **ret_where, struct diags *diags);

/* One list of diagnostics at the end of another. */
void steer_add_diags(struct diags *to, const struct diags *from);

#endif
