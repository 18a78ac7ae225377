/* Runs in the background on this machine. */
#include "config.h"

#include "kernel/background_private.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "kernel/run_here.h"

static struct run *
here_start(struct background *background, const struct background_request *request, const struct run_observer *observer, struct diags *diags)
{
	struct local_options options = { .jobs = request->jobs, .observers = observer, .n_observers = 1 };
	struct local_problem problem = { 0 };
	struct local *local = local_start(request->plan, &background->args, &options, &problem);

	if (!local) {
		run_explain_start(request->plan, &problem, diags);
		return NULL;
	}
	background->driven = local;
	return run_ref(local_run(local));
}

static bool
here_go_on(struct background *background, int timeout)
{
	struct local *local = background->driven;
	struct pollfd fds[] = { { .fd = local_fd(local), .events = POLLIN }, { .fd = background->wake, .events = POLLIN } };

	if (!local_poll(local, 0))
		return false;
	if (poll(fds, ARRAY_LEN(fds), timeout) < 0 && errno != EINTR)
		BUG("poll: %s", strerror(errno));
	return local_poll(local, 0);
}

static bool
here_end(struct background *background)
{
	local_interrupt(background->driven);
	return true;
}

static void
here_close(struct background *background)
{
	if (background->driven)
		local_free(background->driven);
	background->driven = NULL;
}

const struct driver background_here = { here_start, here_go_on, here_end, here_close };
