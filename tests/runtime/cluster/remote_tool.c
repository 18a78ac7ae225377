/* A run on a cluster, driven by hand or by a script, without the kernel:
 *
 *     remote_tool KUBECONFIG NAMESPACE STORE start PROGRAM [PIPELINE [NAME=VALUE …]]
 *     remote_tool KUBECONFIG NAMESPACE STORE attach RUN [PROGRAM [PIPELINE]]
 *     remote_tool KUBECONFIG NAMESPACE STORE artifact RUN NODE OUTPUT
 *     remote_tool KUBECONFIG NAMESPACE STORE retry RUN
 *
 * With REMOTE_KFP=URL through the Kubeflow Pipelines server there. Each change is one line: `run`, `step`, `log`; the last is the run as JSON. With REMOTE_SECONDS it stops watching after as many;
 * with REMOTE_FILES outputs by file are fetched at the end. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/program_file.h"
#include "runtime/cluster/door_kfp.h"
#include "runtime/cluster/remote.h"

struct tool {
	struct kubeconfig config;
	struct http *http;
	struct kube *kube;
	struct door *door;
	struct program_file file;
};

static void
changed(void *context, struct run *run, size_t node)
{
	(void)context;
	if (node == SIZE_MAX)
		printf("run %s: %s\n", phase_name(run->phase), run->message ? run->message : "");
	else
		printf("step %s%s: %s, %d, %s\n", run->plan->steps[run->nodes[node]->step].name, run->nodes[node]->key,
			phase_name(run->nodes[node]->phase), run->nodes[node]->attempts, run->nodes[node]->message ? run->nodes[node]->message : "");
	fflush(stdout);
}

static void
wrote(void *context, struct run *run, size_t node, const char *text, size_t len)
{
	(void)context;
	printf("log %s%s: %.*s%s", run->plan->steps[run->nodes[node]->step].name, run->nodes[node]->key, (int)len, text,
		len && text[len - 1] == '\n' ? "" : "\n");
	fflush(stdout);
}

static int
open_tool(struct tool *tool, char **argv)
{
	const struct kubeconfig_request request = { .path = argv[1] };
	const struct exec_plugin_limits limits = { 0 };
	struct error err = { "" };

	if (kubeconfig_load(&tool->config, &request, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return -1;
	}
	tool->http = http_curl_new();
	tool->kube = kube_new(&tool->config, tool->http, &limits);
	tool->door = getenv("REMOTE_KFP") ? door_kfp_new(tool->http, tool->kube, &(struct kfp_options){ .url = getenv("REMOTE_KFP") }) :
					    door_kube_new(tool->http, tool->kube, argv[2]);
	return 0;
}

static void
close_tool(struct tool *tool)
{
	door_free(tool->door);
	kube_free(tool->kube);
	http_free(tool->http);
	kubeconfig_release(&tool->config);
	program_file_release(&tool->file);
}

static struct plan *
read_plan(struct tool *tool, const char *program, const char *pipeline)
{
	struct error err = { "" };
	struct plan *plan = NULL;

	if (program_file_open(&tool->file, program, &err) || !tool->file.program)
		program_file_report(&tool->file);
	else
		plan = program_file_plan(&tool->file, pipeline, &err);
	if (!plan)
		fprintf(stderr, "%s\n", err.text);
	return plan;
}

static const struct value *
read_value(struct arena *arena, const char *text)
{
	struct error err;
	const struct value *value = value_read_json(arena, text, strlen(text), &err);

	return value ? value : value_string(arena, text);
}

static struct remote *
start(struct tool *tool, struct plan *plan, const struct remote_options *options, char **words, size_t n, struct remote_problem *problem)
{
	struct arena *arena = arena_new();
	const struct value **values = arena_alloc(arena, (plan->n_params + 1) * sizeof(*values));
	struct remote *remote;

	for (size_t i = 0; i < n; i++) {
		size_t len = strcspn(words[i], "="), param = plan_param_index(plan, arena_strndup(arena, words[i], len));

		if (param != SIZE_MAX)
			values[param] = read_value(arena, words[i] + len + (words[i][len] == '='));
	}
	remote = remote_start(tool->door, plan, &(struct local_args){ .values = values }, options, problem);
	arena_free(arena);
	return remote;
}

static int
say_problem(struct remote_problem *problem)
{
	struct diag_style style = { 0 };
	struct buf text = { 0 };

	if (problem->diags) {
		diags_write_text(&text, problem->diags, &style);
		diags_release(problem->diags);
		free(problem->diags);
	}
	fprintf(stderr, "%s%s: %s\nhelp: %s\n", buf_text(&text), problem->code ? problem->code : "", problem->failure.what, problem->failure.help);
	buf_release(&text);
	return 1;
}

/* With REMOTE_FILES: all outputs by file. */
static void
fetch_files(struct remote *remote)
{
	const struct run *run = remote_run(remote);
	struct api_failure failure;

	for (size_t i = 0; getenv("REMOTE_FILES") && i < run->n_nodes; i++) {
		const struct component *component = run->plan->steps[run->nodes[i]->step].component;

		for (size_t j = 0; j < component->n_outputs; j++)
			if (component->outputs[j].passing == PASS_FILE && remote_fetch(remote, i, j, &failure))
				printf("no file: %s; %s\n", failure.what, failure.help);
	}
}

static int
watch(struct tool *tool, struct remote *remote)
{
	const char *seconds = getenv("REMOTE_SECONDS");
	int64_t until = seconds ? tool->http->now(tool->http) + strtol(seconds, NULL, 10) * 1000 : INT64_MAX;
	struct buf json = { 0 };
	enum phase phase;

	printf("begins %s %s %s\n", remote_run(remote)->name, remote_run(remote)->id, remote_where(remote)->name);
	while (tool->http->now(tool->http) < until && remote_poll(remote, -1, 200))
		;
	if (remote_failure(remote))
		printf("failure %s\n", remote_failure(remote)->what);
	if (remote_log_failure(remote))
		printf("logs: %s\n", remote_log_failure(remote)->what);
	fetch_files(remote);
	run_write_json(remote_run(remote), &json);
	printf("%s\n", buf_text(&json));
	buf_release(&json);
	phase = remote_run(remote)->phase;
	remote_free(remote);
	return phase == PHASE_SUCCEEDED ? 0 : phase_ended(phase) ? 1 : 3;
}

static int
ask(struct tool *tool, char **words)
{
	bool retries = !strcmp(words[-1], "retry");
	struct arena *arena = arena_new();
	struct door_run *runs = NULL;
	struct api_failure failure;
	struct buf bytes = { 0 };
	size_t n = 0;
	int result = tool->door->ops->list(tool->door, &(struct door_list){ .name = words[0], .max = 1 }, arena, &runs, &n, &failure);

	if (!result && n && retries)
		result = tool->door->ops->retry(tool->door, &runs[0], NULL, &failure);
	else if (!result && n)
		result = tool->door->ops->artifact(tool->door, &runs[0], words[1], words[2], 16 * 1024 * 1024, &bytes, &failure);
	if (result || !n)
		fprintf(stderr, "%s\nhelp: %s\n", n ? failure.what : "no such run", n ? failure.help : "");
	fwrite(buf_text(&bytes), 1, bytes.len, stdout);
	buf_release(&bytes);
	arena_free(arena);
	return result || !n;
}

static int
carry_out(struct tool *tool, int argc, char **argv)
{
	const struct run_observer observer = { changed, wrote, NULL };
	const struct remote_options options = { .target = "test", .store = argv[3], .observers = &observer, .n_observers = 1 };
	bool starts = !strcmp(argv[4], "start");
	const char *program = argc > (starts ? 5 : 6) ? argv[starts ? 5 : 6] : NULL;
	const char *pipeline = argc > (starts ? 6 : 7) ? argv[starts ? 6 : 7] : NULL;
	struct plan *plan = program ? read_plan(tool, program, pipeline) : NULL;
	struct remote_problem problem;
	struct remote *remote;

	if ((program || starts) && !plan)
		return 2;
	if (starts && plan)
		remote = start(tool, plan, &options, argv + 7, argc > 7 ? (size_t)(argc - 7) : 0, &problem);
	else
		remote = remote_attach(tool->door, argv[5], plan, &options, &problem);
	return remote ? watch(tool, remote) : say_problem(&problem);
}

int
main(int argc, char **argv)
{
	struct tool tool = { .door = NULL };
	int status;

	if (argc < 6) {
		fprintf(stderr, "usage: remote_tool KUBECONFIG NAMESPACE STORE start PROGRAM [PIPELINE [NAME=VALUE ...]]\n"
				"       remote_tool KUBECONFIG NAMESPACE STORE attach RUN [PROGRAM [PIPELINE]]\n"
				"       remote_tool KUBECONFIG NAMESPACE STORE artifact RUN NODE OUTPUT\n");
		return 2;
	}
	if (open_tool(&tool, argv))
		return 2;
	if ((!strcmp(argv[4], "artifact") && argc > 7) || !strcmp(argv[4], "retry"))
		status = ask(&tool, argv + 5);
	else
		status = carry_out(&tool, argc, argv);
	close_tool(&tool);
	return status;
}
