#include "config.h"

#include "dsl/resolve.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

/* One call of resolve_component. */
struct resolving {
	struct arena *arena;
	const struct component *component;
	const struct resolve_inputs *inputs;
	VEC(struct piece) pieces; /* of the argument at hand */
	bool *input_value, *input_path, *output_path;
	struct span *ret_span;
	struct error *err;
};

struct args {
	struct resolved_arg *items;
	size_t n, cap;
};

int
resolve_strtobool(const char *text, bool *ret)
{
	static const char *const yes[] = { "y", "yes", "t", "true", "on", "1" };
	static const char *const no[] = { "n", "no", "f", "false", "off", "0" };

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (!strcasecmp(text, yes[i])) {
			*ret = true;
			return 0;
		}
		if (!strcasecmp(text, no[i])) {
			*ret = false;
			return 0;
		}
	}
	return -1;
}

static int
fail_at(struct resolving *r, struct span span)
{
	*r->ret_span = span;
	return -1;
}

static bool
is_given(const struct resolving *r, size_t input)
{
	return r->inputs->given(r->inputs->context, input);
}

/* The text of an input that a condition looks at. */
static int
condition_of_input(struct resolving *r, const struct part *part, bool *ret)
{
	const char *name = r->component->inputs[part->index].name;
	const char *text;

	*ret = false;
	if (!is_given(r, part->index))
		return 0;
	text = r->inputs->text(r->inputs->context, part->index);
	if (!text) {
		error_set(r->err, "whether to take these arguments depends on the input `%s`, which only the run will know", name);
		return fail_at(r, part->span);
	}
	/* As in the SDK, the empty text does not hold. */
	if (!*text || !resolve_strtobool(text, ret))
		return 0;
	error_set(r->err, "the input `%s` decides about arguments of `%s`, and `%.60s` is neither true nor false", name,
		r->component->name, text);
	return fail_at(r, part->span);
}

static int
condition_holds(struct resolving *r, const struct part *part, bool *ret)
{
	switch (part->kind) {
	case PART_IS_PRESENT:
		*ret = is_given(r, part->index);
		return 0;
	case PART_INPUT:
		return condition_of_input(r, part, ret);
	case PART_TEXT:
		*ret = false;
		if (!*part->text || !resolve_strtobool(part->text, ret))
			return 0;
		error_set(r->err, "the condition `%.60s` is neither true nor false", part->text);
		return fail_at(r, part->span);
	default:
		BUG("condition of kind %d", (int)part->kind);
	}
}

static int
chosen_arm(struct resolving *r, const struct part *part, const struct part **ret_parts, size_t *ret_n)
{
	bool holds;

	if (condition_holds(r, part->condition, &holds))
		return -1;
	*ret_parts = holds ? part->parts : part->else_parts;
	*ret_n = holds ? part->n_parts : part->n_else_parts;
	return 0;
}

static void
add_text(struct resolving *r, const char *text, struct span span)
{
	struct piece piece = { .kind = PIECE_TEXT, .text = text, .span = span };

	if (*text)
		vec_push(&r->pieces, piece);
}

static void
add_hole(struct resolving *r, enum piece_kind kind, const struct part *part)
{
	struct piece piece = { .kind = kind, .index = part->index, .fact = part->fact, .span = part->span };

	vec_push(&r->pieces, piece);
}

static enum piece_kind
kind_of_input(const struct resolving *r, const struct part *part)
{
	const struct port *port = &r->component->inputs[part->index];

	if (part->kind == PART_INPUT_URI)
		return PIECE_INPUT_URI;
	if (port->type->kind == TYPE_SECRET)
		return PIECE_INPUT_SECRET;
	if (part->kind == PART_INPUT_PATH || port->passing == PASS_FILE)
		return PIECE_INPUT_PATH;
	return PIECE_INPUT_VALUE;
}

/* *ret_vanished: an optional input that is not given leaves nothing. */
static int
add_input(struct resolving *r, const struct part *part, bool *ret_vanished)
{
	const struct port *port = &r->component->inputs[part->index];
	enum piece_kind kind = kind_of_input(r, part);

	*ret_vanished = !is_given(r, part->index);
	if (*ret_vanished && !port->optional) {
		error_set(r->err, "no value is given for the input `%s` of `%s`", port->name, r->component->name);
		return fail_at(r, part->span);
	}
	if (*ret_vanished)
		return 0;
	if (kind == PIECE_INPUT_VALUE || kind == PIECE_INPUT_SECRET)
		r->input_value[part->index] = true;
	else
		r->input_path[part->index] = true;
	add_hole(r, kind, part);
	return 0;
}

/* Appends what one part gives to the argument at hand. */
static int
add_part(struct resolving *r, const struct part *part, bool *ret_vanished)
{
	const struct part *arm = part->parts;
	size_t n = part->n_parts;
	bool vanished;

	*ret_vanished = false;
	switch (part->kind) {
	case PART_TEXT:
		add_text(r, part->text, part->span);
		return 0;
	case PART_INPUT:
	case PART_INPUT_PATH:
	case PART_INPUT_URI:
		return add_input(r, part, ret_vanished);
	case PART_OUTPUT_PATH:
	case PART_OUTPUT_URI:
		r->output_path[part->index] = true;
		add_hole(r, part->kind == PART_OUTPUT_PATH ? PIECE_OUTPUT_PATH : PIECE_OUTPUT_URI, part);
		return 0;
	case PART_IS_PRESENT:
		/* Python's str(bool), which is what the SDK passes. */
		add_text(r, is_given(r, part->index) ? "True" : "False", part->span);
		return 0;
	case PART_FACT:
		add_hole(r, PIECE_FACT, part);
		return 0;
	case PART_RAW_PLACEHOLDER:
		*ret_vanished = part->index != SIZE_MAX && !is_given(r, part->index) &&
				r->component->inputs[part->index].optional;
		if (*ret_vanished)
			return 0;
		error_set(r->err, "`%s` of `%s` can only be filled in by Kubeflow Pipelines 2", part->text, r->component->name);
		return fail_at(r, part->span);
	case PART_IF:
		if (chosen_arm(r, part, &arm, &n))
			return -1;
		break;
	case PART_CONCAT:
		break;
	}
	for (size_t i = 0; i < n; i++)
		if (add_part(r, &arm[i], &vanished))
			return -1;
	return 0;
}

/* Texts from `first` to the next hole as one piece; returns the index behind them. */
static size_t
join_texts(struct resolving *r, size_t first, struct piece *ret)
{
	CLEANUP(buf_release) struct buf text = { 0 };
	size_t end = first;

	while (end < r->pieces.n && r->pieces.items[end].kind == PIECE_TEXT)
		end++;
	*ret = r->pieces.items[first];
	if (end - first < 2)
		return first + 1;
	for (size_t i = first; i < end; i++)
		buf_puts(&text, r->pieces.items[i].text);
	ret->text = arena_strndup(r->arena, buf_text(&text), text.len);
	return end;
}

static struct resolved_arg
take_arg(struct resolving *r, struct span span)
{
	struct resolved_arg arg = { .span = span };
	struct piece *pieces = arena_alloc(r->arena, r->pieces.n * sizeof *pieces);

	for (size_t i = 0; i < r->pieces.n;)
		i = join_texts(r, i, &pieces[arg.n++]);
	arg.pieces = pieces;
	r->pieces.n = 0;
	return arg;
}

static int
resolve_list(struct resolving *r, const struct part *parts, size_t n, struct args *args)
{
	const struct part *arm;
	size_t n_arm;
	bool vanished;

	for (size_t i = 0; i < n; i++) {
		if (parts[i].kind == PART_IF) {
			if (chosen_arm(r, &parts[i], &arm, &n_arm) || resolve_list(r, arm, n_arm, args))
				return -1;
			continue;
		}
		if (add_part(r, &parts[i], &vanished))
			return -1;
		if (!vanished)
			vec_push(args, take_arg(r, parts[i].span));
	}
	return 0;
}

static int
settle_list(struct resolving *r, const struct part *parts, size_t n, const struct resolved_arg **ret, size_t *ret_n)
{
	struct args args = { 0 };
	int rc = resolve_list(r, parts, n, &args);

	*ret = arena_copy(r->arena, args.items, args.n * sizeof *args.items);
	*ret_n = args.n;
	vec_release(&args);
	return rc;
}

static int
resolve_env(struct resolving *r, struct resolved *ret)
{
	const struct component *component = r->component;
	struct resolved_env *env = arena_alloc(r->arena, component->n_env * sizeof *env);
	bool vanished;

	ret->env = env;
	for (size_t i = 0; i < component->n_env; i++) {
		if (add_part(r, &component->env[i].value, &vanished))
			return -1;
		if (vanished)
			continue;
		env[ret->n_env].name = component->env[i].name;
		env[ret->n_env++].value = take_arg(r, component->env[i].value.span);
	}
	return 0;
}

int
resolve_component(struct arena *arena, const struct component *component, const struct resolve_inputs *inputs,
		  struct resolved *ret, struct span *ret_span, struct error *err)
{
	struct resolving r = { .arena = arena, .component = component, .inputs = inputs, .ret_span = ret_span, .err = err };
	int rc;

	*ret = (struct resolved){ 0 };
	*ret_span = (struct span){ 0 };
	ret->input_value = r.input_value = arena_alloc(arena, component->n_inputs);
	ret->input_path = r.input_path = arena_alloc(arena, component->n_inputs);
	ret->output_path = r.output_path = arena_alloc(arena, component->n_outputs);
	rc = settle_list(&r, component->command, component->n_command, &ret->command, &ret->n_command);
	rc = rc ? rc : settle_list(&r, component->args, component->n_args, &ret->args, &ret->n_args);
	rc = rc ? rc : resolve_env(&r, ret);
	vec_release(&r.pieces);
	return rc;
}

int
resolved_arg_write(struct buf *buf, const struct resolved_arg *arg,
		   int (*write)(void *context, struct buf *buf, const struct piece *piece, struct error *err), void *context,
		   struct error *err)
{
	for (size_t i = 0; i < arg->n; i++)
		if (write(context, buf, &arg->pieces[i], err))
			return -1;
	return 0;
}
