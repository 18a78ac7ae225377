#include "config.h"

#include <stdint.h>
#include <string.h>

#include "dsl/component_yaml_load.h"

static const char *const container_keys[] = { "image", "command", "args", "env", "fileOutputs" };

static void
load_image(struct loading *l, const struct yaml_node *container)
{
	const struct yaml_node *image = yaml_get(container, "image");

	if (!loading_has(image)) {
		diags_add(l->diags, DIAG_L0505, container->span, "the container has no `image`");
		return;
	}
	if (image->value->kind == VALUE_DICT) {
		diags_add(l->diags, DIAG_L0512, image->span, "the image must be a text");
		return;
	}
	l->component->image = loading_text(l, image, "`image`");
	if (l->component->image && !*l->component->image)
		diags_add(l->diags, DIAG_L0516, image->span, "the image is empty");
}

static void
load_env(struct loading *l, const struct yaml_node *env)
{
	struct component_env *variables;

	if (!loading_has(env) || !loading_is(l, env, VALUE_DICT, "`env`"))
		return;
	variables = arena_alloc(l->arena, env->n * sizeof *variables);
	for (size_t i = 0; i < env->n; i++) {
		const struct yaml_node *item = env->items[i];
		struct component_env *variable = &variables[l->component->n_env];
		struct part value = { .kind = PART_TEXT, .span = item->span };

		value.text = loading_scalar_text(l, item);
		if (!value.text) {
			diags_add(l->diags, DIAG_L0512, item->span, "the variable `%.100s` must be a text, not %s",
				env->value->dict.keys[i], loading_kind_name(item->value->kind));
			continue;
		}
		variable->name = env->value->dict.keys[i];
		variable->value = value;
		l->component->n_env++;
	}
	l->component->env = variables;
}

/* ---- fileOutputs ---- */

/* Where the SDK lets `outputPath` point: the same path in fileOutputs is no contradiction. */
static bool
is_generated_path(const char *path, const char *name)
{
	static const char head[] = "/tmp/outputs/", tail[] = "/data";
	bool in_run = false;

	if (strncmp(path, head, sizeof head - 1))
		return false;
	for (path += sizeof head - 1; *name; name++) {
		bool kept = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') || (*name && strchr("-_.0123456789", *name));

		if (!kept && in_run)
			continue;
		in_run = !kept;
		if (*path++ != (kept ? *name : '_'))
			return false;
	}
	return !strcmp(path, tail);
}

static void
load_file_output(struct loading *l, const char *name, struct span name_span, const struct yaml_node *item)
{
	const char *path = loading_text(l, item, "the path of an output");
	size_t index = loading_find_port(l, true, name, name_span);
	struct diag *diag;

	if (!path || index == SIZE_MAX)
		return;
	if (*path != '/') {
		diag = diags_add(l->diags, DIAG_L0503, item->span, "the path of the output `%.100s` must be absolute", name);
		diag_primary(l->diags, diag, "does not begin with `/`");
		return;
	}
	l->outputs[index].path = path;
	l->outputs[index].produced = true;
	if (!l->written[index].source || is_generated_path(path, name))
		return;
	diag = diags_add(l->diags, DIAG_L0509, item->span, "the output `%.100s` is written in two places", name);
	diag_primary(l->diags, diag, "a fixed path here");
	diag_label(l->diags, diag, l->written[index], "a path of the step's here");
}

static void
load_file_outputs(struct loading *l, const struct yaml_node *file_outputs)
{
	if (!loading_has(file_outputs) || !loading_is(l, file_outputs, VALUE_DICT, "`fileOutputs`"))
		return;
	for (size_t i = 0; i < file_outputs->n; i++)
		load_file_output(l, file_outputs->value->dict.keys[i], file_outputs->keys[i], file_outputs->items[i]);
}

void
loading_container(struct loading *l, const struct yaml_node *container)
{
	struct component *component = l->component;
	const struct yaml_node *command, *args;

	if (!loading_is(l, container, VALUE_DICT, "`container`"))
		return;
	loading_check_keys(l, container, container_keys, ARRAY_LEN(container_keys), "a container");
	load_image(l, container);
	command = yaml_get(container, "command");
	args = yaml_get(container, "args");
	component->has_command = loading_has(command);
	if (loading_has(command))
		loading_parts(l, command, "`command`", &component->command, &component->n_command);
	if (loading_has(args))
		loading_parts(l, args, "`args`", &component->args, &component->n_args);
	load_env(l, yaml_get(container, "env"));
	load_file_outputs(l, yaml_get(container, "fileOutputs"));
}
