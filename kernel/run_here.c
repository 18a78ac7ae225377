#include "config.h"

#include "kernel/run_here.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernel/live.h"
#include "kernel/progress.h"

/* What the observer of a run needs. */
struct watch {
	const struct run_request *request;
	struct live *live;
	struct timespec watched; /* when request->watch was called last */
};

static void
on_changed(void *context, struct run *run UNUSED, size_t node UNUSED)
{
	struct watch *watch = context;

	if (watch->live)
		live_changed(watch->live);
}

static void
on_wrote(void *context, struct run *run UNUSED, size_t node UNUSED, const char *text, size_t len)
{
	struct watch *watch = context;

	if (watch->request->echo)
		watch->request->output->ops->stream(watch->request->output, false, text, len);
}

static enum diag_code
code_of(const char *name)
{
	for (int i = 0; i < DIAG_CODE_MAX; i++)
		if (!strcmp(diag_info((enum diag_code)i)->code, name))
			return (enum diag_code)i;
	BUG("no code %s", name);
}

void
run_explain_start(const struct plan *plan, const struct local_problem *problem, struct diags *diags)
{
	struct span span = problem->span.source ? problem->span : plan->span;
	struct diag *d = diags_add(diags, code_of(problem->code), span, "%s", problem->error.text);

	if (problem->help)
		diag_help(diags, d, "%s", problem->help);
}

static bool
was_interrupted(const struct run_request *request)
{
	return request->interrupted && *request->interrupted;
}

/* Each interrupt is passed on once: the second does not wait for steps that take their time to end. */
static bool
take_interrupt(const struct run_request *request, bool *stopping)
{
	uint64_t count;
	bool anew;

	if (!was_interrupted(request))
		return false;
	anew = request->wake >= 0 && read(request->wake, &count, sizeof count) > 0;
	anew = anew || !*stopping;
	*stopping = true;
	return anew;
}

/* Waits for the run, an interrupt, or the time of the next update. */
static void
wait_for_news(const struct run_request *request, struct local *local, const struct watch *watch)
{
	struct pollfd fds[] = { { .fd = local_fd(local), .events = POLLIN }, { .fd = request->wake, .events = POLLIN } };

	if (poll(fds, ARRAY_LEN(fds), watch->live ? live_due(watch->live) : request->watch ? PROGRESS_LOOK_MS : -1) < 0 && errno != EINTR)
		BUG("poll: %s", strerror(errno));
}

static void
look(struct watch *watch, const struct run *run)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!watch->request->watch || (now.tv_sec - watch->watched.tv_sec) * 1000 + (now.tv_nsec - watch->watched.tv_nsec) / 1000000 < PROGRESS_LOOK_MS)
		return;
	watch->watched = now;
	watch->request->watch(watch->request->watch_context, run);
}

static void
drive(const struct run_request *request, struct local *local, struct watch *watch)
{
	bool stopping = false;

	while (local_poll(local, 0)) {
		if (take_interrupt(request, &stopping)) {
			local_interrupt(local);
			continue;
		}
		wait_for_news(request, local, watch);
		if (watch->live)
			live_update(watch->live);
		look(watch, local_run(local));
	}
}

struct run *
run_here(const struct run_request *request, struct diags *diags)
{
	struct watch watch = { .request = request };
	struct run_observer observer = { .changed = on_changed, .wrote = on_wrote, .context = &watch };
	struct local_options options = { .jobs = request->jobs, .observers = &observer, .n_observers = 1 };
	struct local_problem problem = { 0 };
	struct local *local = local_start(request->plan, &request->args, &options, &problem);
	struct run *run;

	if (!local) {
		run_explain_start(request->plan, &problem, diags);
		return NULL;
	}
	run = run_ref(local_run(local));
	if (!request->quiet)
		watch.live = live_new(request->output, run);
	drive(request, local, &watch);
	run_forget_observer(run, &watch);
	if (request->watch)
		request->watch(request->watch_context, run);
	local_free(local);
	if (watch.live) {
		live_finish(watch.live);
		live_free(watch.live);
	}
	return run;
}

/* The last lines of a step, each as a note. */
static void
note_tail(struct diags *diags, struct diag *d, const char *tail)
{
	diag_note(diags, d, "its last lines:");
	while (*tail) {
		size_t n = strcspn(tail, "\n");

		diag_note(diags, d, "  %.*s", (int)n, tail);
		tail += n + (tail[n] == '\n');
	}
}

void
run_explain(const struct run *run, struct diags *diags)
{
	size_t culprit = run_culprit(run);
	const struct run_node *node;
	const struct plan_step *step;
	const char *quote; /* for a shell */
	struct diag *d;

	if (culprit == SIZE_MAX) {
		diags_add(diags, DIAG_L0701, run->plan->span, "the run `%s` ended as %s%s%s", run->name, phase_name(run->phase),
			  run->message ? ": " : "", run->message ? run->message : "");
		return;
	}
	node = run->nodes[culprit];
	step = &run->plan->steps[node->step];
	d = diags_add(diags, DIAG_L0701, step->name_span, "the step `%s%s` ended as %s%s%s", step->name, node->key,
		      phase_name(node->phase), node->message ? ": " : "", node->message ? node->message : "");
	if (node->attempts > 1)
		diag_note(diags, d, "it was tried %d times", node->attempts);
	if (node->tail && *node->tail)
		note_tail(diags, d, node->tail);
	if (node->help)
		diag_help(diags, d, "%s", node->help);
	quote = step->name[strspn(step->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] ? "'" : "";
	diag_help(diags, d, "all that it wrote: `logs \"%s.%s\"` in a cell, `lateen logs %s%s.%s%s` in a terminal", run->name,
		  step->name, quote, run->name, step->name, quote);
}
