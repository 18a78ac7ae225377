#include "config.h"

#include "runtime/process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/paths.h"
#include "runtime/process_private.h"

void
strings_add(struct strings *strings, const char *text)
{
	vec_push(strings, (char *)(uintptr_t)text);
}

char **
strings_settle(struct strings *strings, struct arena *arena)
{
	char **settled;

	strings_add(strings, NULL);
	settled = arena_copy(arena, strings->items, strings->n * sizeof(*strings->items));
	vec_release(strings);
	return settled;
}

static bool
is_given(void *context, size_t input)
{
	const struct making *making = context;

	return making->inputs[input].given;
}

static const char *
known_text(void *context, size_t input)
{
	const struct making *making = context;

	return making->inputs[input].is_secret ? NULL : making->inputs[input].text;
}

/* ---- outputs ---- */

static void
choose_outputs(struct making *making)
{
	const struct component *component = making->component;
	const char **paths = arena_alloc(making->arena, component->n_outputs * sizeof(*paths) + 1);

	for (size_t i = 0; i < component->n_outputs; i++)
		if (component->script || making->resolved.output_path[i] || component->outputs[i].path)
			paths[i] = arena_printf(making->arena, "%s/out/%s", making->request->folder, component->outputs[i].id);
	making->launch->output_paths = paths;
}

static int
make_folders(struct making *making)
{
	const struct process_request *request = making->request;
	const char *out;

	if (!making->component->n_outputs)
		return 0;
	out = arena_printf(making->arena, "%s/out", request->folder);
	if (paths_make(out, making->err))
		return -1;
	/* Inside a container a step may be any user. */
	if (making->component->image && chmod(out, 0777))
		return error_errno(making->err, errno, "cannot open `%s` to the container", out);
	return 0;
}

/* The path of an output as the step sees it. */
static const char *
output_path(const struct making *making, size_t i)
{
	const char *fixed = making->component->outputs[i].path;

	if (!making->component->image)
		return making->launch->output_paths[i];
	return fixed ? fixed : container_output_path(making->arena, making->component, i);
}

static const char *
input_path(const struct making *making, size_t i)
{
	return making->component->image ? container_input_path(making->arena, making->component, i) : making->inputs[i].path;
}

/* ---- arguments and environment ---- */

static int
write_piece(void *context, struct buf *buf, const struct piece *piece, struct error *err)
{
	struct making *making = context;
	const char *text = NULL;

	switch (piece->kind) {
	case PIECE_TEXT:
		text = piece->text;
		break;
	case PIECE_INPUT_VALUE:
	case PIECE_INPUT_SECRET:
		text = making->inputs[piece->index].text;
		break;
	case PIECE_INPUT_PATH:
		text = input_path(making, piece->index);
		break;
	case PIECE_OUTPUT_PATH:
		text = output_path(making, piece->index);
		break;
	case PIECE_FACT:
		text = making->request->fact(making->request->context, making->arena, piece->fact);
		break;
	case PIECE_INPUT_URI:
	case PIECE_OUTPUT_URI:
		return error_set(err, "the component asks for the address of an artifact store, and here there is none");
	}
	if (!text)
		return error_set(err, "the component asks for an input in a form that it does not have");
	buf_puts(buf, text);
	return 0;
}

static const char *
arg_text(struct making *making, const struct resolved_arg *arg)
{
	struct buf text = { 0 };
	const char *copy = NULL;

	if (!resolved_arg_write(&text, arg, write_piece, making, making->err))
		copy = arena_strndup(making->arena, buf_text(&text), text.len);
	buf_release(&text);
	return copy;
}

static int
add_args(struct making *making, const struct resolved_arg *args, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *text = arg_text(making, &args[i]);

		if (!text)
			return -1;
		strings_add(&making->argv, text);
	}
	return 0;
}

/* The interpreter and the file that it reads: `sh` with -e, so that a failed line fails the step. */
static int
add_script(struct making *making)
{
	const struct component *component = making->component;
	const char *path = arena_printf(making->arena, "%s/script", making->request->folder);
	const char *language = component->script_language ? component->script_language : "sh";

	if (paths_write(path, component->script, strlen(component->script), 0644, making->err))
		return -1;
	strings_add(&making->argv, language);
	if (!strcmp(language, "sh"))
		strings_add(&making->argv, "-e");
	strings_add(&making->argv, component->image ? "/tmp/lateen/script" : path);
	return 0;
}

static void
add_variable(struct making *making, const char *name, const char *value)
{
	strings_add(&making->env, arena_printf(making->arena, "%s=%s", name, value));
}

static int
add_component_env(struct making *making)
{
	for (size_t i = 0; i < making->resolved.n_env; i++) {
		const char *text = arg_text(making, &making->resolved.env[i].value);

		if (!text)
			return error_prefix(making->err, "variable `%s`", making->resolved.env[i].name);
		add_variable(making, making->resolved.env[i].name, text);
	}
	return 0;
}

static int
add_step_env(struct making *making, const struct settings *settings)
{
	for (size_t i = 0; i < settings->n_env; i++) {
		const struct process_request *request = making->request;
		const struct value *value = request->eval(request->context, settings->env[i].value, making->arena, making->err);
		struct buf text = { 0 };

		if (!value)
			return error_prefix(making->err, "variable `%s`", settings->env[i].key);
		value_write_plain(&text, value);
		add_variable(making, settings->env[i].key, buf_text(&text));
		buf_release(&text);
	}
	for (size_t i = 0; i < settings->n_secret_env; i++) {
		const char *text;

		if (process_add_secret(making, settings->secret_env[i].secret, &text))
			return error_prefix(making->err, "variable `%s`", settings->secret_env[i].variable);
		if (text)
			add_variable(making, settings->secret_env[i].variable, text);
	}
	return 0;
}

static void
add_script_env(struct making *making)
{
	const struct component *component = making->component;

	for (size_t i = 0; i < component->n_inputs; i++) {
		const char *text = component->inputs[i].passing == PASS_FILE ? input_path(making, i) : making->inputs[i].text;

		if (making->inputs[i].given && text)
			add_variable(making, component->inputs[i].id, text);
	}
	for (size_t i = 0; i < component->n_outputs; i++)
		add_variable(making, arena_printf(making->arena, "out_%s", component->outputs[i].id), output_path(making, i));
}

/* What every process of this machine gets. A later entry of the same name counts in no shell, so ours come only where the
 * step has not set its own. */
static void
add_base_env(struct making *making)
{
	const char *tmp = making->request->folder;
	const char *const base[][2] = {
		{ "PATH", making->request->path }, { "HOME", tmp }, { "TMPDIR", tmp }, { "LANG", "C.UTF-8" },
		{ "LATEEN_PROGRESS", arena_printf(making->arena, "%s/progress", tmp) },
	};

	for (size_t i = 0; i < ARRAY_LEN(base); i++) {
		size_t len = strlen(base[i][0]);
		bool set = false;

		for (size_t j = 0; j < making->env.n; j++)
			set = set || (!strncmp(making->env.items[j], base[i][0], len) && making->env.items[j][len] == '=');
		if (!set)
			add_variable(making, base[i][0], base[i][1]);
	}
}

/* ---- putting it together ---- */

static int
build_argv(struct making *making)
{
	const struct resolved *resolved = &making->resolved;

	if (making->component->script ? add_script(making) : add_args(making, resolved->command, resolved->n_command))
		return -1;
	return add_args(making, resolved->args, resolved->n_args);
}

static int
build_env(struct making *making)
{
	if (add_component_env(making) || add_step_env(making, making->request->step->settings))
		return -1;
	if (making->component->script)
		add_script_env(making);
	if (!making->component->image)
		add_base_env(making);
	return 0;
}

/* The program by its name; a `python` that is only there as python3 is that. */
static int
find_program(struct making *making)
{
	struct process_launch *launch = making->launch;
	const struct process_request *request = making->request;
	const char *name = launch->argv[0];

	if (!name)
		return error_set(making->err, "the component `%s` has neither a command nor a script", making->component->name);
	launch->program = paths_program(making->arena, name, request->path, launch->cwd);
	if (!launch->program && !strcmp(name, "python"))
		launch->program = paths_program(making->arena, "python3", request->path, launch->cwd);
	if (!launch->program)
		return error_set(making->err, "there is no program `%s` here", name);
	return 0;
}

static int
choose_folder(struct making *making)
{
	const struct settings *settings = making->request->step->settings;
	struct stat st;

	making->launch->cwd = making->request->project;
	if (!settings->workdir || making->component->image)
		return 0;
	making->launch->cwd = paths_absolute(making->arena, settings->workdir, making->request->project);
	if (stat(making->launch->cwd, &st) || !S_ISDIR(st.st_mode))
		return error_set(making->err, "there is no folder `%s`", settings->workdir);
	return 0;
}

static int
prepare(struct making *making)
{
	struct resolve_inputs inputs = { is_given, known_text, making };
	struct span span;
	char **argv, **env;

	if (process_take_inputs(making) ||
	    resolve_component(making->arena, making->component, &inputs, &making->resolved, &span, making->err) ||
	    process_place_inputs(making) || make_folders(making))
		return -1;
	choose_outputs(making);
	if (choose_folder(making) || build_argv(making) || build_env(making))
		return -1;
	argv = strings_settle(&making->argv, making->arena);
	env = strings_settle(&making->env, making->arena);
	if (making->component->image)
		return container_wrap(making, argv, env);
	making->launch->argv = argv;
	making->launch->envp = env;
	return find_program(making);
}

int
process_prepare(const struct process_request *request, struct arena *arena, struct process_launch *ret, struct error *err)
{
	const struct component *component = request->step->component;
	struct making making = {
		.request = request, .component = component, .arena = arena, .launch = ret, .err = err,
		.inputs = arena_alloc(arena, component->n_inputs * sizeof(struct process_input) + 1),
	};
	int result;

	*ret = (struct process_launch){ .inputs = making.inputs };
	result = prepare(&making);
	ret->secrets = arena_copy(arena, making.secrets.items, making.secrets.n * sizeof(*making.secrets.items));
	ret->n_secrets = making.secrets.n;
	vec_release(&making.secrets);
	vec_release(&making.argv);
	vec_release(&making.env);
	return result;
}
