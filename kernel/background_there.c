/* Runs in the background on a cluster. */
#include "config.h"

#include "kernel/background_private.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/steer.h"
#include "kernel/thread.h"
#include "runtime/cluster/remote.h"

enum { FIRST_LOOK = 2000 }; /* milliseconds */

struct there {
	struct target_door target;
	struct remote *remote;
};

static void
explain(const struct background_request *request, const struct remote_problem *problem, struct diags *diags)
{
	if (problem->diags) {
		steer_add_diags(diags, problem->diags);
		diags_release(problem->diags);
		free(problem->diags);
	} else if (problem->failure.kind != API_STOPPED) {
		target_explain(diags, request->span, problem->code, &problem->failure);
	}
}

/* A step's name and a task's, which is in lower case with `-` for what is no letter or digit. */
static bool
step_is_named(const char *step, const char *task)
{
	for (; *step && *task; step++, task++) {
		char a = (char)(*step >= 'A' && *step <= 'Z' ? *step - 'A' + 'a' : *step);
		char b = (char)(*task >= 'A' && *task <= 'Z' ? *task - 'A' + 'a' : *task);

		if ((a == '_' ? '-' : a) != (b == '_' ? '-' : b))
			return false;
	}
	return *step == *task;
}

/* Have both the same steps? Then what is said of one's is said of the other's. */
static bool
same_steps(const struct plan *a, const struct plan *b)
{
	if (a->n_steps != b->n_steps)
		return false;
	for (size_t i = 0; i < a->n_steps; i++) {
		bool found = false;

		for (size_t k = 0; k < b->n_steps && !found; k++)
			found = step_is_named(a->steps[i].name, b->steps[k].name);
		if (!found)
			return false;
	}
	return true;
}

/* What the cluster knows of a run has no lines in a program; a pipeline of the same steps has. */
static struct remote *
attach(struct there *there, const struct background_request *request, const struct remote_options *options, struct remote_problem *problem)
{
	struct remote *remote = remote_attach(there->target.door, request->attach, request->plan, options, problem), *again;
	struct remote_problem ignored;

	if (!remote || request->plan || !request->known || !same_steps(remote_run(remote)->plan, request->known))
		return remote;
	remote_free(remote);
	again = remote_attach(there->target.door, request->attach, request->known, options, &ignored);
	if (again)
		return again;
	if (ignored.diags) {
		diags_release(ignored.diags);
		free(ignored.diags);
	}
	return remote_attach(there->target.door, request->attach, NULL, options, problem);
}

static void
say_chosen(struct background *background, const struct target_door *target)
{
	const char *text;

	if (!target->chosen || background->quiet)
		return;
	text = arena_printf(background->arena, "%s: %s\n", target->cluster->name, target->chosen);
	background->output->ops->stream(background->output, false, text, strlen(text));
}

/* A run that is there already has a state that is worth waiting for a moment. */
static void
look_once(struct background *background, struct remote *remote)
{
	int64_t until = clock_ms() + FIRST_LOOK;

	while (remote_run(remote)->phase == PHASE_PENDING && clock_ms() < until && !background_stops(background))
		if (!remote_poll(remote, background->wake, FIRST_LOOK / 4))
			return;
}

static struct run *
there_start(struct background *background, const struct background_request *request, const struct run_observer *observer, struct diags *diags)
{
	const struct target_request where = { .cluster = request->cluster, .where = request->where, .span = request->span,
					      .stop = background_stops, .context = background };
	struct there *there = arena_new_struct(background->arena, struct there);
	struct remote_options options = { .experiment = request->experiment, .no_logs = request->no_logs, .observers = observer, .n_observers = 1 };
	struct remote_problem problem = { 0 };

	background->driven = there;
	if (target_open(&there->target, &where, diags) < 0)
		return NULL;
	say_chosen(background, &there->target);
	options.target = there->target.cluster->name;
	options.where = target_where(there->target.cluster, background->arena);
	if (!options.experiment)
		options.experiment = there->target.cluster->experiment;
	there->remote = request->attach ? attach(there, request, &options, &problem)
					: remote_start(there->target.door, request->plan, &background->args, &options, &problem);
	if (there->remote && request->attach)
		look_once(background, there->remote);
	if (there->remote)
		return run_ref(remote_run(there->remote));
	explain(request, &problem, diags);
	return NULL;
}

static bool
there_go_on(struct background *background, int timeout)
{
	struct there *there = background->driven;

	return remote_poll(there->remote, background->wake, timeout);
}

static bool
there_end(struct background *background UNUSED)
{
	return false;
}

static void
there_close(struct background *background)
{
	struct there *there = background->driven;
	const struct api_failure *failure = there->remote ? remote_failure(there->remote) : NULL;
	struct buf text = { 0 };

	if (failure && !phase_ended(background->run->phase)) {
		buf_printf(&text, "the run `%s` is no longer watched: %s", background->run->name, failure->what);
		if (*failure->help)
			buf_printf(&text, "; %s", failure->help);
		buf_printf(&text, ". It goes on: `attach \"%s\"` looks again", background->run->name);
		background->problem = buf_detach(&text, NULL);
	}
	remote_free(there->remote);
	if (there->target.arena)
		target_close(&there->target);
}

const struct driver background_there = { there_start, there_go_on, there_end, there_close };
