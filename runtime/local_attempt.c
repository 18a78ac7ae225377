#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/container.h"
#include "runtime/local_private.h"
#include "runtime/outputs.h"
#include "runtime/paths.h"

enum { PIPE_SIZE = 1024 * 1024, READS_AT_ONCE = 8 };

struct attempt *
attempt_of_node(const struct local *local, size_t node)
{
	for (size_t i = 0; i < local->attempts.n; i++)
		if (local->attempts.items[i]->node == node)
			return local->attempts.items[i];
	return NULL;
}

static struct attempt *
attempt_of_id(const struct local *local, uint64_t id)
{
	for (size_t i = 0; i < local->attempts.n; i++)
		if (local->attempts.items[i]->id == id)
			return local->attempts.items[i];
	return NULL;
}

static const struct plan_step *
step_of(const struct local *local, const struct attempt *attempt)
{
	return &local->plan->steps[engine_node(local->engine, attempt->node)->index];
}

void
attempt_drop_output(struct local *local, struct attempt *attempt)
{
	if (attempt->pipe < 0)
		return;
	epoll_ctl(local->epoll, EPOLL_CTL_DEL, attempt->pipe, NULL);
	close(attempt->pipe);
	attempt->pipe = -1;
}

void
attempt_free(struct local *local, struct attempt *attempt)
{
	attempt_drop_output(local, attempt);
	log_free(attempt->log);
	for (size_t i = 0; i < attempt->launch.n_secrets; i++)
		explicit_bzero((void *)(uintptr_t)attempt->launch.secrets[i], strlen(attempt->launch.secrets[i]));
	arena_free(attempt->arena);
	free(attempt);
}

static void
forget(struct local *local, struct attempt *attempt)
{
	for (size_t i = 0; i < local->attempts.n; i++) {
		if (local->attempts.items[i] != attempt)
			continue;
		local->attempts.items[i] = local->attempts.items[--local->attempts.n];
		break;
	}
	attempt_free(local, attempt);
}

/* ---- what a step may ask while it is prepared ---- */

struct asking {
	struct local *local;
	size_t node;
};

static const struct value *
ask_value(void *context, const struct expr *expr, struct arena *arena, struct error *err)
{
	const struct asking *asking = context;

	return engine_eval(asking->local->engine, asking->node, expr, arena, err);
}

static const char *
ask_fact(void *context, struct arena *arena, enum fact fact)
{
	struct expr expr = { .kind = EXPR_FACT, .type = &TYPE_OF_STRING, .fact = fact };
	const struct value *value = ask_value(context, &expr, arena, NULL);
	struct buf text = { 0 };
	const char *copy;

	if (!value)
		return NULL;
	value_write_plain(&text, value);
	copy = arena_strdup(arena, buf_text(&text));
	buf_release(&text);
	return copy;
}

/* ---- starting ---- */

static int
make_folders(struct local *local, struct attempt *attempt, struct error *err)
{
	struct buf key = { 0 };

	engine_node_key(local->engine, attempt->node, &key);
	attempt->step_folder = arena_printf(attempt->arena, "%s/%s%s", local->run->folder,
		paths_safe(attempt->arena, step_of(local, attempt)->name), buf_text(&key));
	buf_release(&key);
	attempt->folder = arena_printf(attempt->arena, "%s/%d", attempt->step_folder, attempt->number + 1);
	/* For the same step of one run nothing can be there but what an earlier life of the run left. */
	if ((mkdir(attempt->step_folder, 0777) && errno != EEXIST) || mkdir(attempt->folder, 0777))
		return error_errno(err, errno, "cannot make the folder `%s`", attempt->folder);
	return 0;
}

static int
prepare(struct local *local, struct attempt *attempt, struct error *err)
{
	struct asking asking = { local, attempt->node };
	struct process_request request = {
		.step = step_of(local, attempt),
		.inputs = engine_node(local->engine, attempt->node)->inputs,
		.project = local->project,
		.path = local->path,
		.container_tool = local->container_tool,
		.eval = ask_value,
		.fact = ask_fact,
		.context = &asking,
	};

	if (make_folders(local, attempt, err))
		return -1;
	request.folder = attempt->folder;
	request.container_name = arena_printf(attempt->arena, "lateen-%s-%llu", paths_safe(attempt->arena, local->run->name),
		(unsigned long long)attempt->id);
	if (process_prepare(&request, attempt->arena, &attempt->launch, err))
		return -1;
	attempt->log = log_new(arena_printf(attempt->arena, "%s/log", attempt->folder), attempt->launch.secrets,
		attempt->launch.n_secrets, err);
	return attempt->log ? 0 : -1;
}

static int
launch(struct local *local, struct attempt *attempt, struct error *err)
{
	struct spawn spawn = { attempt->launch.program, attempt->launch.argv, attempt->launch.envp, attempt->launch.cwd, -1, -1 };
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = attempt };
	int ends[2], result;

	if (pipe2(ends, O_CLOEXEC))
		return error_errno(err, errno, "cannot make a pipe for the step's output");
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	fcntl(ends[0], F_SETPIPE_SZ, PIPE_SIZE); /* a smaller one does too */
	attempt->pipe = ends[0];
	epoll_ctl(local->epoll, EPOLL_CTL_ADD, attempt->pipe, &event);
	spawn.output = spawn.error = ends[1];
	result = warden_spawn(local->warden, attempt->id, &spawn, err);
	close(ends[1]);
	return result;
}

static void
end_with_error(struct local *local, struct attempt *attempt, const char *text)
{
	struct engine_event event = {
		.kind = ENGINE_EXITED, .now_ms = local_now(local), .node = attempt->node, .attempt = attempt->number,
		.how = EXIT_ERROR, .text = text,
	};

	local_feed(local, &event);
	forget(local, attempt);
}

void
attempt_start(struct local *local, size_t node, int number)
{
	struct attempt *attempt = xcalloc(1, sizeof(*attempt));
	struct error err = { "" };

	attempt->id = ++local->ids;
	attempt->node = node;
	attempt->number = number;
	attempt->arena = arena_new();
	attempt->pipe = -1;
	vec_push(&local->attempts, attempt);
	if (prepare(local, attempt, &err) || launch(local, attempt, &err)) {
		local->nodes.items[node].folder = NULL;
		end_with_error(local, attempt, err.text);
		return;
	}
	local->nodes.items[node].folder = arena_strdup(local->arena, attempt->folder);
	local->nodes.items[node].tail = NULL;
}

void
attempt_kill(struct local *local, struct attempt *attempt, bool at_once)
{
	attempt->killed = true;
	warden_signal(local->warden, attempt->id, at_once ? SIGKILL : SIGTERM);
	attempt->kill_at = at_once ? 0 : local_now(local) + local->grace_ms;
}

/* ---- while it runs ---- */

static void
take_text(struct local *local, struct attempt *attempt, const char *bytes, size_t len)
{
	const char *text;
	size_t shown;

	log_write(attempt->log, bytes, len, local_now(local), &text, &shown);
	run_wrote(local->run, local->nodes.items[attempt->node].run_node, text, shown);
}

void
attempt_read(struct local *local, struct attempt *attempt)
{
	for (int i = 0; i < READS_AT_ONCE && attempt->pipe >= 0; i++) {
		ssize_t n = read(attempt->pipe, local->bytes, LOCAL_READ);

		if (n > 0)
			take_text(local, attempt, local->bytes, (size_t)n);
		else if (!n || (errno != EAGAIN && errno != EINTR))
			attempt_drop_output(local, attempt);
		if (n < 0)
			return;
	}
}

/* The next command after a container's own. False when there is none. */
static bool
follow(struct local *local, struct attempt *attempt)
{
	bool well = attempt->report.kind == REPORT_EXITED && !attempt->report.number && !attempt->killed;

	while (attempt->follow < attempt->launch.n_follows) {
		const struct process_follow *next = &attempt->launch.follows[attempt->follow++];
		struct spawn spawn = { next->argv[0], next->argv, attempt->launch.envp, attempt->launch.cwd, local->null, local->null };

		if (next->only_after_success && !well)
			continue;
		if (!warden_spawn(local->warden, attempt->id, &spawn, NULL))
			return true;
	}
	return false;
}

void
attempt_take_report(struct local *local, const struct report *report)
{
	struct attempt *attempt = attempt_of_id(local, report->id);

	if (!attempt)
		return;
	if (!attempt->follow)
		attempt->report = *report;
	attempt->kill_at = 0;
	if (follow(local, attempt))
		return;
	attempt->exited = true;
	attempt->drain_until = local_now(local) + LOCAL_DRAIN_MS;
	attempt_read(local, attempt);
	attempt_settle(local, attempt);
}

void
attempt_tick(struct local *local, struct attempt *attempt, int64_t now)
{
	if (attempt->kill_at && attempt->kill_at <= now)
		attempt_kill(local, attempt, true);
	if (attempt->drain_until && attempt->drain_until <= now) {
		attempt_drop_output(local, attempt);
		attempt_settle(local, attempt);
	}
}

/* ---- ending ---- */

/* Of a step that ended well the log stays, what it told of its progress, and its outputs, which lie elsewhere. */
static void
clean_up(const struct attempt *attempt)
{
	DIR *folder = opendir(attempt->folder);
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		const char *name = entry->d_name;

		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strcmp(name, "log") != 0 && strcmp(name, "log.idx") != 0 &&
		    strcmp(name, "progress") != 0)
			paths_remove(arena_printf(attempt->arena, "%s/%s", attempt->folder, name));
	}
	if (folder)
		closedir(folder);
}

static int
read_outputs(struct local *local, struct attempt *attempt, struct engine_output *outputs, struct error *err)
{
	const struct plan_step *step = step_of(local, attempt);
	size_t index = engine_node(local->engine, attempt->node)->index;
	bool *wanted = arena_alloc(attempt->arena, step->component->n_outputs + 1);
	struct outputs_request request = {
		.component = step->component,
		.folder = attempt->folder,
		.paths = attempt->launch.output_paths,
		.wants_text = wanted,
		.keep = arena_printf(attempt->arena, "%s/outputs", attempt->step_folder),
		.secrets = attempt->launch.secrets,
		.n_secrets = attempt->launch.n_secrets,
	};

	for (size_t i = 0; i < step->component->n_outputs; i++)
		wanted[i] = engine_wants_text(local->engine, index, i);
	return outputs_read(&request, attempt->arena, outputs, err);
}

static void
set_error(struct engine_event *event, struct attempt *attempt, const char *text)
{
	event->how = EXIT_ERROR;
	event->text = arena_strdup(attempt->arena, text);
}

static void
take_end(struct local *local, struct attempt *attempt, struct engine_event *event)
{
	const struct component *component = step_of(local, attempt)->component;
	struct error err = { "" };

	event->how = attempt->report.kind == REPORT_KILLED ? EXIT_SIGNAL : EXIT_CODE;
	event->number = attempt->report.number;
	if (attempt->report.kind == REPORT_FAILED) {
		error_errno(&err, attempt->report.number, "cannot start `%s`", attempt->launch.argv[0]);
		set_error(event, attempt, err.text);
	} else if (attempt->launch.is_container && event->how == EXIT_CODE && event->number == CONTAINER_CANNOT_START) {
		error_set(&err, "the container of `%s` could not be started", component->image);
		set_error(event, attempt, err.text);
	} else if (log_problem(attempt->log)) {
		set_error(event, attempt, log_problem(attempt->log));
	} else if (event->how == EXIT_CODE && !event->number && !attempt->killed) {
		struct engine_output *outputs = arena_alloc(attempt->arena, component->n_outputs * sizeof(*outputs) + 1);

		event->outputs = outputs;
		if (read_outputs(local, attempt, outputs, &err))
			set_error(event, attempt, err.text);
	}
}

static void
keep_tail(struct local *local, const struct attempt *attempt)
{
	struct buf tail = { 0 };

	log_tail(attempt->log, &tail);
	if (tail.len)
		local->nodes.items[attempt->node].tail = arena_strdup(local->arena, buf_text(&tail));
	buf_release(&tail);
}

void
attempt_settle(struct local *local, struct attempt *attempt)
{
	struct engine_event event = {
		.kind = ENGINE_EXITED, .now_ms = local_now(local), .node = attempt->node, .attempt = attempt->number,
	};
	const char *text;
	size_t len;

	if (!attempt->exited || attempt->pipe >= 0)
		return;
	log_flush(attempt->log, event.now_ms, &text, &len);
	run_wrote(local->run, local->nodes.items[attempt->node].run_node, text, len);
	take_end(local, attempt, &event);
	if (event.how == EXIT_CODE && !event.number && !attempt->killed)
		clean_up(attempt);
	else
		keep_tail(local, attempt);
	local_feed(local, &event);
	forget(local, attempt);
}
