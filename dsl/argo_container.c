#include "config.h"

#include "dsl/argo.h"

#include <string.h>

enum { ARGUMENT_MAX = 128 * 1024 }; /* bytes, with the NUL: MAX_ARG_STRLEN of Linux */

/* How a script of each language is started; the text follows. */
static const struct {
	const char *language;
	const char *words[3];
} interpreters[] = {
	{ "sh", { "sh", "-e", "-c" } },	    { "bash", { "bash", "-e", "-c" } }, { "python", { "python3", "-c" } },
	{ "python3", { "python3", "-c" } }, { "perl", { "perl", "-e" } },	{ "ruby", { "ruby", "-e" } },
	{ "node", { "node", "-e" } },	    { "javascript", { "node", "-e" } }, { "R", { "Rscript", "-e" } },
	{ "r", { "Rscript", "-e" } },
};

/* Sets the variable, in its old place if there is one: of two definitions the last would count. */
static void
put_env(struct argo_pod *pod, const char *name, const char *key, const struct value *value)
{
	struct object row = { .arena = pod->argo->arena };

	object_put_text(&row, "name", name);
	object_put(&row, key, value);
	for (size_t i = 0; i < pod->env.n; i++) {
		if (!strcmp(pod->env_names.items[i], name)) {
			pod->env.items[i] = object_take(&row);
			return;
		}
	}
	vec_push(&pod->env_names, name);
	vec_push(&pod->env, object_take(&row));
}

static void
put_env_text(struct argo_pod *pod, const char *name, const char *text)
{
	put_env(pod, name, "value", value_string(pod->argo->arena, text));
}

static void
put_env_field(struct argo_pod *pod, const char *name, const char *field)
{
	struct arena *arena = pod->argo->arena;
	const struct value *path = argo_nest(arena, "fieldPath", value_string(arena, field));

	put_env(pod, name, "valueFrom", argo_nest(arena, "fieldRef", path));
}

static void
put_env_secret(struct argo_pod *pod, const char *name, const struct secret *secret, struct span span)
{
	struct object ref = { .arena = pod->argo->arena };
	struct diag *diag;

	if (secret && ((secret->name && strstr(secret->name, "{{")) || (secret->key && strstr(secret->key, "{{"))))
		argo_refuse(pod->argo, span, "`{{` in the name or key of a Secret", "write it out");
	if (!secret || secret->source == SECRET_ENV) {
		diag = diags_add(pod->argo->diags, DIAG_L0607, span, "target `%s` cannot read the variable `%s` of this machine",
				 argo_target_name(pod->argo), secret ? secret->name : name);
		diag_help(pod->argo->diags, diag, "name a Kubernetes Secret: `secret(\"name\", \"key\")`");
		return;
	}
	object_put_text(&ref, "name", secret->name);
	object_put_text(&ref, "key", secret->key);
	if (secret->optional)
		object_put(&ref, "optional", &VALUE_OF_TRUE);
	put_env(pod, name, "valueFrom", argo_nest(pod->argo->arena, "secretKeyRef", object_take(&ref)));
}

static struct span
span_of_input(const struct argo_pod *pod, size_t input)
{
	const struct expr *arg = pod->step->args[input];

	return arg->span.source ? arg->span : pod->step->name_span;
}

/* The variable that holds a Secret for `$(NAME)`. */
static const char *
secret_variable(struct argo_pod *pod, size_t input)
{
	const struct component *component = pod->step->component;
	const char *name = component->inputs[input].id;

	/* A script's variables are the checker's concern; a component.yaml may set one of that name itself. */
	for (size_t i = 0; i < component->n_env; i++)
		if (!strcmp(component->env[i].name, name))
			name = arena_printf(pod->argo->arena, "SECRET_%s", name);
	put_env_secret(pod, name, argo_secret(pod->argo->plan, pod->step->args[input]), span_of_input(pod, input));
	return name;
}

/* ---- texts of the component ---- */

/* A variable of Argo's that component files are known to use; the bytes of its tag, or 0. */
static size_t
known_tag(const char *text)
{
	static const char *const known[] = { "pod.name}}", "workflow.", "retries}}", "node.name}}" };
	const char *end = strstr(text, "}}");

	for (size_t i = 0; end && i < ARRAY_LEN(known); i++)
		if (!strncmp(text + 2, known[i], strlen(known[i])))
			return (size_t)(end - text) + 2;
	return 0;
}

/* A component.yaml is written for Kubernetes and Argo: `$(VAR)` and Argo's own variables in it mean what they mean there.
 * Other `{{` would end in an error of Argo's. */
static void
write_foreign(struct argo_pod *pod, struct buf *buf, const char *text, bool before_hole)
{
	bool after_brace = false;

	while (*text) {
		size_t n = text[0] == '{' && text[1] == '{' ? known_tag(text) : 0;

		if (n && !after_brace) {
			buf_add(buf, text, n);
			text += n;
			continue;
		}
		if (*text == '{' && (after_brace || (before_hole && !text[1]))) {
			buf_puts(buf, "$(" ARGO_BRACE ")");
			pod->needs_brace = true;
		} else {
			buf_putc(buf, *text);
		}
		after_brace = *text++ == '{';
	}
}

static void
write_literal(struct argo_pod *pod, struct buf *buf, const char *text, bool before_hole)
{
	size_t len = strlen(text);

	if (pod->step->component->spec) {
		write_foreign(pod, buf, text, before_hole);
		return;
	}
	pod->needs_brace = pod->needs_brace || strstr(text, "{{") || (before_hole && len && text[len - 1] == '{');
	argo_literal(buf, text, FORM_KUBELET, before_hole);
}

static const char *
input_text(struct argo_pod *pod, size_t input)
{
	struct arena *arena = pod->argo->arena;
	struct argo_site site = pod->site;

	if (pod->inputs[input] == INPUT_FIXED) {
		site.form = FORM_KUBELET;
		return argo_text(&site, pod->step->args[input]);
	}
	return arena_printf(arena, "{{inputs.parameters.%s}}",
			    argo_pod_slot(pod, SLOT_VALUE, input, pod->step->component->inputs[input].name));
}

static const char *
input_path(struct argo_pod *pod, size_t input)
{
	argo_pod_slot(pod, SLOT_FILE, input, pod->step->component->inputs[input].name);
	return argo_input_path(pod->argo->arena, pod->step->component, input);
}

static const char *
fact_text(struct argo_pod *pod, const struct piece *piece)
{
	struct arena *arena = pod->argo->arena;

	if (piece->fact == FACT_STEP_NAME)
		return arena_printf(arena, "{{inputs.parameters.%s}}", argo_pod_slot(pod, SLOT_STEP_NAME, 0, "step-name"));
	if (piece->fact == FACT_STEP_ATTEMPT && !pod->step->settings->retry.set)
		return "0";
	return arena_printf(arena, "{{%s}}", argo_fact(piece->fact));
}

static const char *
hole_text(struct argo_pod *pod, const struct piece *piece)
{
	struct arena *arena = pod->argo->arena;

	switch (piece->kind) {
	case PIECE_INPUT_VALUE:
		return input_text(pod, piece->index);
	case PIECE_INPUT_SECRET:
		return arena_printf(arena, "$(%s)", secret_variable(pod, piece->index));
	case PIECE_INPUT_PATH:
		return input_path(pod, piece->index);
	case PIECE_OUTPUT_PATH:
		return argo_output_path(arena, pod->step->component, piece->index);
	case PIECE_FACT:
		return fact_text(pod, piece);
	case PIECE_INPUT_URI:
	case PIECE_OUTPUT_URI:
		argo_refuse(pod->argo, pod->step->name_span, "`{inputUri}` and `{outputUri}`",
			    "use a component that takes `{inputPath}` and `{outputPath}`");
		break;
	case PIECE_TEXT:
		break;
	}
	return "";
}

static const char *
arg_text(struct argo_pod *pod, const struct resolved_arg *arg)
{
	CLEANUP(buf_release) struct buf buf = { 0 };

	for (size_t i = 0; i < arg->n; i++) {
		const struct piece *piece = &arg->pieces[i];

		if (piece->kind == PIECE_TEXT)
			write_literal(pod, &buf, piece->text, i + 1 < arg->n);
		else
			buf_puts(&buf, hole_text(pod, piece));
	}
	return arena_strndup(pod->argo->arena, buf_text(&buf), buf.len);
}

/* Linux takes no longer argument; a longer one Argo would hand over as the name of a file. */
static const char *
fitting(struct argo_pod *pod, const char *text)
{
	if (strlen(text) < ARGUMENT_MAX)
		return text;
	argo_refuse(pod->argo, pod->step->name_span, "an argument of 128 KiB or more", "put the text into the image, or into a file input");
	return "";
}

static const struct value *
arg_list(struct argo_pod *pod, const struct resolved_arg *args, size_t n)
{
	struct rows rows = { .arena = pod->argo->arena };

	for (size_t i = 0; i < n; i++)
		rows_add_text(&rows, fitting(pod, arg_text(pod, &args[i])));
	return rows_take(&rows);
}

/* ---- scripts ---- */

static void
put_script_inputs(struct argo_pod *pod)
{
	const struct component *component = pod->step->component;

	for (size_t i = 0; i < component->n_inputs; i++) {
		const struct port *port = &component->inputs[i];

		if (pod->inputs[i] == INPUT_ABSENT)
			continue;
		if (pod->inputs[i] == INPUT_SECRET)
			put_env_secret(pod, port->id, argo_secret(pod->argo->plan, pod->step->args[i]), span_of_input(pod, i));
		else
			put_env_text(pod, port->id, port->passing == PASS_FILE ? input_path(pod, i) : input_text(pod, i));
	}
}

/* The folders of the outputs must be there; who makes them then becomes the script. NULL if there is nothing to make. */
static const char *
make_folders(struct argo_pod *pod)
{
	const struct component *component = pod->step->component;
	struct arena *arena = pod->argo->arena;
	CLEANUP(buf_release) struct buf buf = { 0 };

	for (size_t i = 0; i < component->n_outputs; i++) {
		const char *path = argo_output_path(arena, component, i);
		const char *slash = strrchr(path, '/');

		put_env_text(pod, arena_printf(arena, "out_%s", component->outputs[i].id), path);
		if (component->outputs[i].path || !slash)
			continue;
		buf_printf(&buf, " %.*s", (int)(slash - path), path);
	}
	return buf.len ? arena_printf(arena, "mkdir -p%s && exec \"$@\"", buf_text(&buf)) : NULL;
}

static const char *const *
interpreter(struct argo_pod *pod)
{
	const char *language = pod->step->component->script_language;

	for (size_t i = 0; i < ARRAY_LEN(interpreters); i++)
		if (!strcmp(language ? language : "sh", interpreters[i].language))
			return interpreters[i].words;
	argo_refuse(pod->argo, pod->step->name_span, arena_printf(pod->argo->arena, "a script in the language `%s`", language),
		    "start the interpreter with `command` and `args`");
	return NULL;
}

static void
put_script(struct argo_pod *pod, struct object *container)
{
	const struct component *component = pod->step->component;
	struct rows command = { .arena = pod->argo->arena }, args = { .arena = pod->argo->arena };
	CLEANUP(buf_release) struct buf text = { 0 };
	const char *folders;
	const char *const *words = interpreter(pod);

	put_script_inputs(pod);
	folders = make_folders(pod);
	if (folders) {
		rows_add_text(&command, "sh");
		rows_add_text(&command, "-c");
		rows_add_text(&command, folders);
		rows_add_text(&command, "sh");
	}
	for (size_t i = 0; words && i < ARRAY_LEN(interpreters->words) && words[i]; i++)
		rows_add_text(&command, words[i]);
	write_literal(pod, &text, component->script, false);
	rows_add_text(&args, fitting(pod, buf_text(&text)));
	object_put(container, "command", rows_take(&command));
	object_put(container, "args", rows_take(&args));
}

/* ---- the container ---- */

static void
put_declared_env(struct argo_pod *pod)
{
	const struct settings *settings = pod->step->settings;

	for (size_t i = 0; i < pod->resolved.n_env; i++)
		put_env_text(pod, pod->resolved.env[i].name, arg_text(pod, &pod->resolved.env[i].value));
	for (size_t i = 0; i < settings->n_env; i++) {
		const struct setting_pair *pair = &settings->env[i];

		pod->needs_brace = pod->needs_brace || argo_needs_brace(pair->value);
		put_env_text(pod, pair->key,
			     argo_pod_setting(pod, SLOT_ENV, i, arena_printf(pod->argo->arena, "env-%s", pair->key), pair->value));
	}
	for (size_t i = 0; i < settings->n_secret_env; i++)
		put_env_secret(pod, settings->secret_env[i].variable, settings->secret_env[i].secret, pod->step->name_span);
}

/* A component.yaml asks for these two with its label; the SDK adds them. */
static void
put_pod_env(struct argo_pod *pod)
{
	const struct component *component = pod->step->component;

	for (size_t i = 0; i < component->n_labels; i++) {
		const char *value = argo_constant(pod->argo->arena, component->labels[i].value);

		if (strcmp(component->labels[i].key, "add-pod-env") || !value || strcmp(value, "true"))
			continue;
		put_env_field(pod, "KFP_POD_NAME", "metadata.name");
		put_env_field(pod, "KFP_NAMESPACE", "metadata.namespace");
	}
}

static const struct value *
take_env(struct argo_pod *pod)
{
	struct arena *arena = pod->argo->arena;
	struct rows rows = { .arena = arena };

	/* The kubelet expands a variable only in what stands behind it. */
	if (pod->needs_brace)
		rows_add(&rows, argo_pair(arena, ARGO_BRACE, "{"));
	for (size_t i = 0; i < pod->env.n; i++)
		rows_add(&rows, pod->env.items[i]);
	return rows_take(&rows);
}

static const char *
image_of(struct argo_pod *pod)
{
	const struct plan_step *step = pod->step;
	const char *image = step->component->image ? step->component->image : step->settings->image;
	struct diag *diag;

	/* A component.yaml may have an empty one. */
	if (!image || !*image)
		image = pod->argo->plan->settings->default_image;
	if (!image) {
		diag = diags_add(pod->argo->diags, DIAG_L0601, step->name_span, "target `%s` needs an image for the step `%s`",
				 argo_target_name(pod->argo), step->name);
		diag_label(pod->argo->diags, diag, step->component->span, "`%s` names no image", step->component->name);
		diag_help(pod->argo->diags, diag, "give the component an `image`, or the pipeline a `default_image` in its `settings`");
	}
	return image;
}

/* Of what Kubernetes reads and nobody expands: Argo alone would replace tags in it. */
static void
refuse_tags(struct argo_pod *pod, const char *text, const char *what)
{
	if (text && strstr(text, "{{"))
		argo_refuse(pod->argo, pod->step->name_span, arena_printf(pod->argo->arena, "`{{` in %s", what), "write it out");
}

static void
refuse_tags_around(struct argo_pod *pod, const char *image)
{
	const struct component *component = pod->step->component;
	const struct settings *settings = pod->step->settings;

	refuse_tags(pod, image, "the name of an image");
	refuse_tags(pod, settings->workdir, "a `workdir`");
	for (size_t i = 0; i < component->n_outputs; i++)
		refuse_tags(pod, component->outputs[i].path, "the path of an output");
	for (size_t i = 0; i < settings->n_tolerations; i++)
		refuse_tags(pod, settings->tolerations[i].value, "a toleration");
}

const struct value *
argo_container(struct argo_pod *pod)
{
	const struct component *component = pod->step->component;
	struct object container = { .arena = pod->argo->arena };
	const char *image = image_of(pod);

	refuse_tags_around(pod, image);
	object_put_text(&container, "image", image);
	if (component->script) {
		put_script(pod, &container);
	} else {
		object_put(&container, "command", arg_list(pod, pod->resolved.command, pod->resolved.n_command));
		object_put(&container, "args", arg_list(pod, pod->resolved.args, pod->resolved.n_args));
	}
	object_put_text(&container, "workingDir", pod->step->settings->workdir);
	put_declared_env(pod);
	put_pod_env(pod);
	object_put(&container, "env", take_env(pod));
	object_put(&container, "resources", argo_resources(pod));
	if (image)
		return object_take(&container);
	object_take(&container);
	return NULL;
}
