#include "config.h"

#include "kernel/fetch.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/steer.h"
#include "kernel/thread.h"
#include "runtime/cluster/remote.h"

struct fetching {
	const struct fetch_request *request;
	struct arena *arena;
	struct steered steered;
	struct remote *remote;
	struct error *err;
};

/* A second look at the run, which has what the first one may no longer have. */
static int
look_again(struct fetching *f)
{
	const struct run *run = f->request->run;
	const struct steer_request which = { .run = run->id, .stop = f->request->stop, .context = f->request->context };
	struct remote_options full = { .no_logs = true };
	struct remote_problem problem;
	struct diags diags;
	int rc;

	diags_init(&diags);
	rc = steer_find(&f->steered, &which, false, &diags);
	if (rc < 0)
		error_set(f->err, "%s", diags.n ? diags.items[0]->message : "interrupted");
	else if (f->steered.here)
		rc = error_set(f->err, "the file is not there any more");
	diags_release(&diags);
	if (rc < 0)
		return -1;
	full.target = f->steered.known.place.target;
	full.where = f->steered.known.place.where;
	f->remote = remote_attach(f->steered.target.door, run->id, run->plan, &full, &problem);
	if (f->remote)
		return 0;
	if (!problem.diags)
		return error_set(f->err, "%s", problem.failure.what);
	diags_release(problem.diags);
	free(problem.diags);
	return error_set(f->err, "the pipeline cannot be compiled any more");
}

/* The same instance of the step in the other look; SIZE_MAX while it is not known there, or has not ended. */
static size_t
node_like(const struct run *there, const struct run_node *node)
{
	for (size_t i = 0; i < there->n_nodes; i++)
		if (there->nodes[i]->step == node->step && !strcmp(there->nodes[i]->key, node->key))
			return there->nodes[i]->phase == PHASE_SUCCEEDED ? i : SIZE_MAX;
	return SIZE_MAX;
}

static const char *
fetch_node(struct fetching *f, const struct run_node *node)
{
	int64_t until = clock_ms() + FETCH_WAIT;
	struct run *there = remote_run(f->remote);
	struct api_failure failure;
	size_t found;

	while ((found = node_like(there, node)) == SIZE_MAX) {
		bool goes_on = remote_poll(f->remote, f->request->wake, 1000);

		if (f->request->stop && f->request->stop(f->request->context))
			return error_set(f->err, "interrupted"), NULL;
		if (!goes_on && node_like(there, node) == SIZE_MAX)
			return error_set(f->err, "the cluster does not know the step's files any more"), NULL;
		if (clock_ms() > until)
			return error_set(f->err, "the cluster has not said within %d seconds where the file is", FETCH_WAIT / 1000), NULL;
	}
	if (remote_fetch(f->remote, found, f->request->output, &failure) < 0)
		return error_set(f->err, *failure.help ? "%s; %s" : "%s", failure.what, failure.help), NULL;
	return there->nodes[found]->outputs[f->request->output].path;
}

static const struct value *
fetch_all(struct fetching *f)
{
	const struct run *run = f->request->run;
	const struct run_step *step = &run->steps[f->request->step];
	const struct value **paths = arena_alloc(f->arena, (step->n_nodes + 1) * sizeof *paths);
	bool loop = false;

	for (size_t i = 0; i < step->n_nodes; i++) {
		const struct run_node *node = run->nodes[step->nodes[i]];
		const char *path = fetch_node(f, node);

		if (!path)
			return NULL;
		paths[i] = value_string(f->arena, path);
		loop = loop || *node->key;
	}
	return loop ? value_list(f->arena, paths, step->n_nodes) : step->n_nodes ? paths[0] : &VALUE_OF_NULL;
}

const struct value *
fetch_output(const struct fetch_request *request, struct arena *arena, struct error *err)
{
	struct fetching f = { .request = request, .arena = arena, .err = err };
	const struct value *value = NULL;

	if (look_again(&f) == 0)
		value = fetch_all(&f);
	remote_free(f.remote);
	steer_release(&f.steered);
	return value;
}
