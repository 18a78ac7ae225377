#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "runtime/container.h"
#include "runtime/local_private.h"
#include "runtime/paths.h"

static void
watch(struct local *local, int fd, void *what)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = what };

	epoll_ctl(local->epoll, EPOLL_CTL_ADD, fd, &event);
}

static int
open_descriptors(struct local *local, struct error *err)
{
	local->epoll = epoll_create1(EPOLL_CLOEXEC);
	local->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	local->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	local->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (local->epoll < 0 || local->timer < 0 || local->wake < 0 || local->null < 0)
		return error_errno(err, errno, "cannot set up the run");
	watch(local, local->timer, &local->timer);
	watch(local, local->wake, &local->wake);
	return 0;
}

/* Our own programs, then the search path we were given. */
static const char *
search_path(struct local *local, const char *programs)
{
	const char *path = getenv("PATH");
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	struct buf text = { 0 };
	const char *copy;

	if (programs)
		buf_printf(&text, "%s:", programs);
	if (n > 0) {
		const char *folder;

		exe[n] = '\0';
		folder = dirname(exe);
		buf_printf(&text, "%s:%s/../libexec/lateen:", folder, folder);
	}
	buf_puts(&text, path && *path ? path : "/usr/local/bin:/usr/bin:/bin");
	copy = arena_strdup(local->arena, buf_text(&text));
	buf_release(&text);
	return copy;
}

static int
choose_places(struct local *local, const struct local_options *options, struct error *err)
{
	CLEANUP(freep) char *project = realpath(options->project ? options->project : ".", NULL);

	if (!project)
		return error_errno(err, errno, "cannot use the folder `%s`", options->project ? options->project : ".");
	local->project = arena_strdup(local->arena, project);
	local->path = search_path(local, options->programs);
	local->container_tool = container_tool(local->arena, local->path);
	return 0;
}

static int
refuse(struct local_problem *ret, const char *code, struct span span, const char *help)
{
	ret->code = code;
	ret->span = span;
	ret->help = help;
	return -1;
}

static int
check_steps(struct local *local, struct local_problem *ret)
{
	for (size_t i = 0; i < local->plan->n_steps; i++) {
		const struct plan_step *step = &local->plan->steps[i];
		enum component_kind kind = step->component->kind;

		if (kind == COMPONENT_MANIFEST || kind == COMPONENT_GRAPH) {
			error_set(&ret->error, kind == COMPONENT_GRAPH ? "`%s` is a graph component, which this version does not run" :
				"`%s` is a Kubernetes resource, which only a cluster can make", step->name);
			return refuse(ret, "L0706", step->name_span, "compile the pipeline, and run it on a cluster");
		}
		if (!step->component->image || local->container_tool)
			continue;
		error_set(&ret->error, "`%s` runs in the image `%s`, and this machine has neither podman nor docker", step->name,
			step->component->image);
		return refuse(ret, "L0703", step->name_span,
			"install podman or docker, or give the step a component without an image");
	}
	return 0;
}

static const struct value *
args_dict(struct local *local, const struct local_args *args)
{
	size_t n = local->plan->n_params, used = 0;
	CLEANUP(freep) const char **keys = xcalloc(n, sizeof(*keys));
	CLEANUP(freep) const struct value **items = xcalloc(n, sizeof(*items));

	for (size_t i = 0; i < n; i++) {
		const struct plan_param *param = &local->plan->params[i];
		const struct value *value = args && args->values && args->values[i] ? args->values[i] : param->fallback;

		if (param->type->kind == TYPE_SECRET || !value)
			continue;
		keys[used] = param->name;
		items[used++] = value;
	}
	return value_dict(local->arena, keys, items, used);
}

static int
open_store(struct local *local, const struct local_args *args, const struct local_options *options,
	   struct store_run *ret, struct error *err)
{
	CLEANUP(freep) char *folder = options->store ? xstrdup(options->store) : store_folder_of(local->project);

	local->store = store_open(folder, false, err);
	if (!local->store)
		return -1;
	return store_new_run(local->store, local->arena, local->plan->name, args_dict(local, args), ret, err);
}

static size_t
jobs_of(const struct local_options *options)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	size_t jobs = options->jobs ? options->jobs : n > 0 ? (size_t)n : 1;

	return jobs < WARDEN_PROCESSES_MAX ? jobs : WARDEN_PROCESSES_MAX;
}

static int
make_engine(struct local *local, const struct local_args *args, const struct local_options *options,
	    const struct store_run *row, struct error *err)
{
	struct engine_args given = {
		.values = args ? args->values : NULL, .secrets = args ? args->secrets : NULL, .jobs = jobs_of(options),
		.run_id = row ? row->id : "check", .run_name = row ? row->name : "check",
	};

	engine_free(local->engine);
	local->engine = engine_new(local->plan, &given, err);
	return local->engine ? 0 : -1;
}

static int
set_up(struct local *local, const struct local_args *args, const struct local_options *options, struct local_problem *ret)
{
	const struct span nowhere = { 0 };
	struct store_run row;

	if (choose_places(local, options, &ret->error) || open_descriptors(local, &ret->error))
		return refuse(ret, "L0705", nowhere, NULL);
	if (check_steps(local, ret))
		return -1;
	/* An engine first, so that a missing argument leaves no trace in the store. */
	if (make_engine(local, args, options, NULL, &ret->error))
		return refuse(ret, "L0702", local->plan->span, NULL);
	if (open_store(local, args, options, &row, &ret->error))
		return refuse(ret, "L0704", nowhere, "set LATEEN_HOME to a folder that can be written");
	if (make_engine(local, args, options, &row, &ret->error))
		return refuse(ret, "L0702", local->plan->span, NULL);
	local->run = run_new(local->plan, row.id, row.name);
	local->run->folder = xstrdup(row.folder);
	run_set_params(local->run, args ? args->values : NULL);
	local->warden = warden_start(local->grace_ms, &ret->error);
	if (!local->warden)
		return refuse(ret, "L0705", nowhere, NULL);
	watch(local, warden_fd(local->warden), &local->warden);
	return 0;
}

static void
begin(struct local *local, const struct local_options *options)
{
	struct engine_event event = { .kind = ENGINE_START, .now_ms = local_now(local) };

	for (size_t i = 0; i < options->n_observers; i++)
		run_observe(local->run, &options->observers[i]);
	local->look_at = event.now_ms + LOCAL_LOOK_MS;
	run_set_phase(local->run, PHASE_RUNNING, NULL, event.now_ms);
	local_feed(local, &event);
	local_work(local);
}

struct local *
local_start(struct plan *plan, const struct local_args *args, const struct local_options *options,
	    struct local_problem *ret_problem)
{
	static const struct local_options none;
	struct local *local = xcalloc(1, sizeof(*local));

	options = options ? options : &none;
	*ret_problem = (struct local_problem){ 0 };
	local->epoll = local->timer = local->wake = local->null = -1;
	local->plan = plan_ref(plan);
	local->arena = arena_new();
	local->bytes = xmalloc(LOCAL_READ);
	local->grace_ms = options->grace_ms ? options->grace_ms : LOCAL_GRACE_MS;
	local->wall_ms = local_clock(CLOCK_REALTIME);
	local->clock_ms = local_clock(CLOCK_MONOTONIC);
	if (set_up(local, args, options, ret_problem)) {
		local_free(local);
		return NULL;
	}
	begin(local, options);
	return local;
}
