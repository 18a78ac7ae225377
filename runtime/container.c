#include "config.h"

#include "runtime/container.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/paths.h"
#include "runtime/process_private.h"

/* Where a container finds and leaves things. */
#define INSIDE "/tmp/lateen"

const char *
container_tool(struct arena *arena, const char *search)
{
	const char *wanted = getenv("LATEEN_CONTAINER");
	const char *tool;

	if (wanted)
		return *wanted ? paths_program(arena, wanted, search, "/") : NULL;
	tool = paths_program(arena, "podman", search, "/");
	return tool ? tool : paths_program(arena, "docker", search, "/");
}

const char *
container_input_path(struct arena *arena, const struct component *component, size_t input)
{
	return arena_printf(arena, INSIDE "/in/%s", component->inputs[input].id);
}

const char *
container_output_path(struct arena *arena, const struct component *component, size_t output)
{
	return arena_printf(arena, INSIDE "/out/%s", component->outputs[output].id);
}

static void
add_mount(struct making *making, struct strings *argv, const char *from, const char *to, const char *mode)
{
	strings_add(argv, "--volume");
	strings_add(argv, arena_printf(making->arena, "%s:%s%s", from, to, mode));
}

static int
add_mounts(struct making *making, struct strings *argv)
{
	const char *folder = making->request->folder;

	if (strchr(folder, ':'))
		return error_set(making->err, "a container cannot be given the folder `%s`, for its name holds a `:`", folder);
	for (size_t i = 0; i < making->component->n_inputs; i++)
		if (making->inputs[i].path)
			add_mount(making, argv, making->inputs[i].path,
				container_input_path(making->arena, making->component, i), ":ro");
	if (making->component->n_outputs)
		add_mount(making, argv, arena_printf(making->arena, "%s/out", folder), INSIDE "/out", "");
	if (making->component->script)
		add_mount(making, argv, arena_printf(making->arena, "%s/script", folder), INSIDE "/script", ":ro");
	return 0;
}

static int
add_quantity(struct making *making, struct strings *argv, const char *flag, const struct expr *expr)
{
	const struct process_request *request = making->request;
	const struct value *value;
	struct buf text = { 0 };

	if (!expr)
		return 0;
	value = request->eval(request->context, expr, making->arena, making->err);
	if (!value)
		return -1;
	value_write_plain(&text, value);
	strings_add(argv, flag);
	strings_add(argv, arena_strdup(making->arena, buf_text(&text)));
	buf_release(&text);
	return 0;
}

/* Kubernetes' quantities in the words of the tools: "16Gi" is 16g, "500m" of a processor 0.500. */
static void
translate(struct making *making, struct strings *argv, const char *flag)
{
	static const char *const suffixes[][2] = {
		{ "Ki", "k" }, { "Mi", "m" }, { "Gi", "g" }, { "Ti", "024g" }, { "K", "k" }, { "k", "k" }, { "M", "m" }, { "G", "g" },
	};
	char **last = &argv->items[argv->n - 1];
	size_t len = strlen(*last);

	if (!strcmp(flag, "--cpus")) {
		if (len && (*last)[len - 1] == 'm')
			*last = arena_printf(making->arena, "%.3f", strtod(*last, NULL) / 1000);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		size_t n = strlen(suffixes[i][0]);

		if (len <= n || strcmp(*last + len - n, suffixes[i][0]) != 0)
			continue;
		*last = !strcmp(suffixes[i][0], "Ti") ?
			arena_printf(making->arena, "%.0fg", strtod(*last, NULL) * 1024) :
			arena_printf(making->arena, "%.*s%s", (int)(len - n), *last, suffixes[i][1]);
		return;
	}
}

static int
add_limits(struct making *making, struct strings *argv)
{
	const struct settings *settings = making->request->step->settings;

	if (add_quantity(making, argv, "--memory", settings->memory))
		return -1;
	if (settings->memory)
		translate(making, argv, "--memory");
	if (add_quantity(making, argv, "--cpus", settings->cpu))
		return -1;
	if (settings->cpu)
		translate(making, argv, "--cpus");
	return add_quantity(making, argv, "--gpus", settings->gpu);
}

/* The tool's own environment is ours with the step's variables over it; it is told to pass those on by name, so that no
 * value (it may be a secret) stands on its command line. */
static void
add_environment(struct making *making, struct strings *argv, char **env)
{
	struct strings all = { 0 };

	for (char **at = environ; *at; at++)
		strings_add(&all, *at);
	for (char **at = env; *at; at++) {
		const char *equals = strchr(*at, '=');
		const char *name = arena_strndup(making->arena, *at, (size_t)(equals - *at));
		size_t same = 0;

		strings_add(argv, "--env");
		if (!strcmp(name, "PATH") || !strcmp(name, "HOME") || !strncmp(name, "LD_", 3)) {
			strings_add(argv, *at); /* the tool needs its own */
			continue;
		}
		strings_add(argv, name);
		while (same < all.n && (strncmp(all.items[same], *at, strlen(name) + 1) != 0))
			same++;
		if (same < all.n)
			all.items[same] = *at;
		else
			strings_add(&all, *at);
	}
	making->launch->envp = strings_settle(&all, making->arena);
}

static char **
tool_command(struct making *making, const char *const *words, size_t n)
{
	struct strings argv = { 0 };

	strings_add(&argv, making->request->container_tool);
	for (size_t i = 0; i < n; i++)
		strings_add(&argv, words[i]);
	return strings_settle(&argv, making->arena);
}

/* Outputs with a place of their own are copied out of the container; then it is removed. */
static void
add_follows(struct making *making)
{
	const struct component *component = making->component;
	const char *name = making->request->container_name;
	const char *const removal[] = { "rm", "--force", name };
	struct process_follow *follows = arena_alloc(making->arena, (component->n_outputs + 1) * sizeof(*follows));
	size_t n = 0;

	for (size_t i = 0; i < component->n_outputs; i++) {
		const char *words[] = { "cp", NULL, making->launch->output_paths[i] };

		if (!component->outputs[i].path)
			continue;
		words[1] = arena_printf(making->arena, "%s:%s", name, component->outputs[i].path);
		follows[n++] = (struct process_follow){ tool_command(making, words, ARRAY_LEN(words)), true };
	}
	follows[n++] = (struct process_follow){ tool_command(making, removal, ARRAY_LEN(removal)), false };
	making->launch->follows = follows;
	making->launch->n_follows = n;
}

int
container_wrap(struct making *making, char **argv, char **env)
{
	const struct component *component = making->component;
	const struct settings *settings = making->request->step->settings;
	struct strings words = { 0 };
	bool has_command = making->resolved.n_command || component->script;

	if (!making->request->container_tool)
		return error_set(making->err, "its image `%s` needs podman or docker, and neither is installed", component->image);
	strings_add(&words, making->request->container_tool);
	strings_add(&words, "run");
	strings_add(&words, "--name");
	strings_add(&words, making->request->container_name);
	if (add_mounts(making, &words)) {
		vec_release(&words);
		return -1;
	}
	add_environment(making, &words, env);
	if (settings->workdir) {
		strings_add(&words, "--workdir");
		strings_add(&words, settings->workdir);
	}
	if (add_limits(making, &words)) {
		vec_release(&words);
		return -1;
	}
	if (has_command) {
		strings_add(&words, "--entrypoint");
		strings_add(&words, *argv++);
	}
	strings_add(&words, component->image);
	while (*argv)
		strings_add(&words, *argv++);
	making->launch->argv = strings_settle(&words, making->arena);
	making->launch->program = making->request->container_tool;
	making->launch->is_container = true;
	add_follows(making);
	return 0;
}
