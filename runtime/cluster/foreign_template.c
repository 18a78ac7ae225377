#include "config.h"

#include <ctype.h>
#include <string.h>

#include "runtime/cluster/foreign_private.h"

/* ---- outputs ---- */

struct outputs {
	struct arena *arena;
	VEC(struct port) ports;
	VEC(const char *) names;
	struct map taken;
};

/* Letters, digits and `_`, not beginning with a digit. */
static const char *
identifier(struct outputs *outputs, const char *name)
{
	char *id = arena_printf(outputs->arena, "%s%s", isdigit((unsigned char)*name) || !*name ? "_" : "", name);
	const char *unique = id;

	for (char *p = id; *p; p++)
		if (!isalnum((unsigned char)*p))
			*p = '_';
	for (unsigned n = 2; map_has(&outputs->taken, unique); n++)
		unique = arena_printf(outputs->arena, "%s_%u", id, n);
	map_set(&outputs->taken, unique, outputs);
	return unique;
}

static void
add_output(struct outputs *outputs, const char *name, bool file)
{
	struct port port = { .type = file ? &TYPE_OF_ARTIFACT : &TYPE_OF_STRING, .passing = file ? PASS_FILE : PASS_VALUE, .produced = true };

	if (!name)
		return;
	port.name = arena_strdup(outputs->arena, name);
	port.id = identifier(outputs, name);
	vec_push(&outputs->ports, port);
	vec_push(&outputs->names, port.name);
}

static void
read_outputs(struct foreign *foreign, const struct value *template, struct component *ret, struct foreign_template *ret_template)
{
	const struct value *declared = value_get(template, "outputs");
	const struct value *parameters = value_get(declared, "parameters"), *artifacts = value_get(declared, "artifacts");
	struct outputs outputs = { .arena = foreign->arena };

	for (size_t i = 0; i < value_count(parameters); i++)
		add_output(&outputs, value_text_at(parameters->list.items[i], "name"), false);
	for (size_t i = 0; i < value_count(artifacts); i++)
		add_output(&outputs, value_text_at(artifacts->list.items[i], "name"), true);
	if (value_get(template, "script"))
		add_output(&outputs, "result", false);
	ret->outputs = arena_copy(foreign->arena, outputs.ports.items, outputs.ports.n * sizeof(*outputs.ports.items));
	ret->n_outputs = outputs.ports.n;
	ret_template->outputs = arena_copy(foreign->arena, outputs.names.items, outputs.names.n * sizeof(*outputs.names.items));
	vec_release(&outputs.ports);
	vec_release(&outputs.names);
	map_release(&outputs.taken);
}

/* ---- what it runs, for who looks ---- */

static const struct part *
read_words(struct arena *arena, const struct value *words, size_t *ret_n)
{
	struct part *parts = arena_alloc(arena, value_count(words) * sizeof(*parts) + 1);
	size_t n = 0;

	for (size_t i = 0; i < value_count(words); i++)
		if (value_text(words->list.items[i]))
			parts[n++] = (struct part){ .kind = PART_TEXT, .text = arena_strdup(arena, value_text(words->list.items[i])) };
	*ret_n = n;
	return parts;
}

static const struct expr *
constant(struct arena *arena, const struct value *value)
{
	struct expr *expr = arena_new_struct(arena, struct expr);

	expr->kind = EXPR_VALUE;
	expr->nodes = expr->depth = 1;
	expr->value = value_clone(arena, value);
	expr->type = type_of_value(expr->value);
	return expr;
}

static int64_t
integer_of(const struct value *value)
{
	const char *text = value_text(value);
	long long n = 0;

	if (value && value->kind == VALUE_INTEGER)
		return value->integer;
	for (; text && isdigit((unsigned char)*text) && n < 1000000000; text++)
		n = n * 10 + (*text - '0');
	return text && !*text ? n : 0;
}

static void
read_settings(struct foreign *foreign, const struct value *template, const struct value *container, struct settings *ret)
{
	const struct value *limits = value_get(value_get(container, "resources"), "limits"), *retry = value_get(template, "retryStrategy");

	if (value_text(value_get(limits, "memory")))
		ret->memory = constant(foreign->arena, value_get(limits, "memory"));
	if (value_text(value_get(limits, "cpu")))
		ret->cpu = constant(foreign->arena, value_get(limits, "cpu"));
	if (integer_of(value_get(limits, "nvidia.com/gpu")) > 0)
		ret->gpu = constant(foreign->arena, value_integer(foreign->arena, integer_of(value_get(limits, "nvidia.com/gpu"))));
	ret->timeout = integer_of(value_get(template, "activeDeadlineSeconds"));
	if (retry && retry->kind == VALUE_DICT) {
		ret->retry.set = true;
		ret->retry.limit = integer_of(value_get(retry, "limit"));
	}
}

const struct foreign_template *
foreign_template_read(struct foreign *foreign, const char *name, const struct value *template)
{
	struct foreign_template *made = map_get(&foreign->made, name);
	struct component *c;
	struct settings *settings;
	const struct value *container = value_get(template, "container");

	if (made)
		return made;
	if (!container)
		container = value_get(template, "script");
	made = arena_new_struct(foreign->names_arena, struct foreign_template);
	c = arena_new_struct(foreign->arena, struct component);
	settings = arena_new_struct(foreign->arena, struct settings);
	c->name = arena_strdup(foreign->arena, name);
	c->kind = COMPONENT_CONTAINER;
	c->image = value_text_at(container, "image") ? arena_strdup(foreign->arena, value_text_at(container, "image")) : NULL;
	c->command = read_words(foreign->arena, value_get(container, "command"), &c->n_command);
	c->args = read_words(foreign->arena, value_get(container, "args"), &c->n_args);
	c->has_command = c->n_command > 0;
	read_outputs(foreign, template, c, made);
	read_settings(foreign, template, container, settings);
	made->component = c;
	made->settings = settings;
	map_set(&foreign->made, name, made);
	return made;
}
