#include "config.h"

#include "tests/runtime/plan_fixtures.h"

#include <stdlib.h>
#include <string.h>

#include "tests/runtime/plan_fixtures_private.h"

static const char *
word(struct building *b)
{
	return b->at < b->n_words ? b->words[b->at++] : NULL;
}

static const char *
must(struct building *b)
{
	const char *w = word(b);

	if (!w)
		BUG("a word is missing after `%s`", b->words[b->n_words - 1]);
	return w;
}

static void
split(struct building *b, const char *line, size_t len)
{
	char *copy = arena_strndup(b->arena, line, len), *save = NULL;

	b->line = arena_strndup(b->arena, line, len);
	b->n_words = b->at = 0;
	for (char *w = strtok_r(copy, " \t", &save); w && b->n_words < WORDS_MAX; w = strtok_r(NULL, " \t", &save))
		b->words[b->n_words++] = w;
}

static const struct value *
json(struct building *b, const char *text)
{
	struct error err;
	const struct value *value = value_read_json(b->arena, text, strlen(text), &err);

	if (!value)
		BUG("`%s`: %s", text, err.text);
	return value;
}

static size_t
step_named(const struct building *b, const char *name, size_t len)
{
	for (size_t i = b->steps.n; i-- > 0;)
		if (strlen(b->steps.items[i]->step.name) == len && !strncmp(b->steps.items[i]->step.name, name, len))
			return i;
	BUG("no step `%.*s`", (int)len, name);
}

static size_t
group_named(const struct building *b, const char *name)
{
	for (size_t i = 0; i < b->groups.n; i++)
		if (!strcmp(b->groups.items[i]->name, name))
			return i;
	BUG("no group `%s`", name);
}

static void
need(struct building *b, size_t step)
{
	vec_push(b->needs, step);
}

static const struct type *
type_named(struct building *b, const char *name)
{
	struct type *file;
	const struct type *known = type_predeclared(name);

	if (known && !type_is_file(known))
		return known;
	file = arena_new_struct(b->arena, struct type);
	*file = (struct type){ .kind = TYPE_ARTIFACT, .name = arena_strdup(b->arena, name) };
	return file;
}

/* ---- expressions ---- */

static struct expr *
new_expr(struct building *b, enum expr_kind kind, const struct type *type)
{
	struct expr *expr = arena_new_struct(b->arena, struct expr);

	expr->kind = kind;
	expr->type = type;
	return expr;
}

static struct expr *
value_expr(struct building *b, const struct value *value)
{
	struct expr *expr = new_expr(b, EXPR_VALUE, &TYPE_OF_ANY);

	expr->value = value;
	return expr;
}

static bool
in_loop(const struct building *b, size_t group)
{
	for (; group; group = b->groups.items[group]->group.parent)
		if (b->groups.items[group]->group.kind == GROUP_FOR)
			return true;
	return false;
}

static struct expr *
output_expr(struct building *b, const char *text, size_t len)
{
	const char *dot = memchr(text, '.', len);
	size_t step = step_named(b, text, (size_t)(dot - text));
	const char *name = arena_strndup(b->arena, dot + 1, len - (size_t)(dot + 1 - text));
	const struct step_plan *from = b->steps.items[step];
	size_t output = component_output(&from->component, name);
	struct expr *expr;

	if (output == SIZE_MAX)
		BUG("no output `%s`", text);
	expr = new_expr(b, EXPR_OUTPUT, in_loop(b, from->step.group) ? &TYPE_OF_LIST : from->outputs[output].type);
	expr->index = step;
	expr->output = output;
	need(b, step);
	return expr;
}

static struct expr *
read_expr(struct building *b, const char *text)
{
	struct expr *expr;

	if (!strcmp(text, "null") || *text == '\'')
		return value_expr(b, json(b, text + (*text == '\'')));
	if (*text == '@') {
		expr = new_expr(b, EXPR_ITEM, &TYPE_OF_ANY);
		expr->index = group_named(b, text + 1);
		return expr;
	}
	if (strchr(text, '.'))
		return output_expr(b, text, strlen(text));
	for (size_t i = 0; i < b->plan->n_params; i++) {
		if (strcmp(b->params[i].name, text) != 0)
			continue;
		expr = new_expr(b, EXPR_PARAM, b->params[i].type);
		expr->index = i;
		return expr;
	}
	BUG("no parameter `%s`", text);
}

static struct expr *
binary(struct building *b, enum expr_op op, const struct expr *left, const struct expr *right)
{
	struct expr *expr = new_expr(b, EXPR_BINARY, &TYPE_OF_BOOLEAN);
	const struct expr *const items[] = { left, right };

	expr->op = op;
	expr->items = arena_copy(b->arena, items, sizeof(items));
	expr->n_items = 2;
	return expr;
}

static struct expr *
read_test(struct building *b, const char *text)
{
	static const char *const states[] = { "succeeded:", "failed:", "skipped:" };
	const char *equals = strchr(text, '=');
	struct expr *expr;

	if (!strcmp(text, "true") || !strcmp(text, "false"))
		return value_expr(b, value_boolean(*text == 't'));
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		size_t len = strlen(states[i]);

		if (strncmp(text, states[i], len) != 0)
			continue;
		expr = new_expr(b, EXPR_STATE, &TYPE_OF_BOOLEAN);
		expr->index = step_named(b, text + len, strlen(text + len));
		expr->state = (enum state_test)i;
		need(b, expr->index);
		return expr;
	}
	if (!equals)
		BUG("no test `%s`", text);
	return binary(b, OP_EQ, output_expr(b, text, (size_t)(equals - text)), value_expr(b, value_string(b->arena, equals + 1)));
}

static struct expr *
read_condition(struct building *b)
{
	struct expr *left = read_test(b, must(b));

	while (b->at < b->n_words && !strcmp(b->words[b->at], "and")) {
		b->at++;
		left = binary(b, OP_AND, left, read_test(b, must(b)));
	}
	return left;
}

/* ---- lines ---- */

static void
read_param(struct building *b)
{
	struct plan_param *param = &b->params[b->plan->n_params++];
	const char *equals = strstr(b->line, " = ");

	param->name = must(b);
	param->type = type_named(b, must(b));
	if (equals)
		param->fallback = json(b, equals + 3);
}

static void
read_secret(struct building *b)
{
	struct plan_param *param = &b->params[b->plan->n_params++];
	struct secret *secret = arena_new_struct(b->arena, struct secret);

	param->name = must(b);
	param->type = &TYPE_OF_SECRET;
	secret->name = must(b);
	secret->key = must(b);
	param->secret = secret;
}

static bool
read_place(struct building *b, const char *w, size_t *group)
{
	const char *name;

	if (!strcmp(w, "in")) {
		*group = group_named(b, must(b));
		return true;
	}
	if (strcmp(w, "after") != 0)
		return false;
	name = must(b);
	need(b, step_named(b, name, strlen(name)));
	return true;
}

static void
read_group(struct building *b, enum group_kind kind)
{
	struct group_plan *group = arena_new_struct(b->arena, struct group_plan);
	const char *w;

	b->needs = &group->needs;
	group->name = must(b);
	group->group.kind = kind;
	group->group.variable = group->name;
	group->group.chain = b->groups.n;
	while ((w = word(b))) {
		if (!strcmp(w, "when"))
			group->group.condition = read_condition(b);
		else if (!strcmp(w, "over"))
			w = must(b), group->group.items = *w == '[' ? value_expr(b, json(b, w)) : read_expr(b, w);
		else if (!strcmp(w, "parallel"))
			group->group.parallel = strtoll(must(b), NULL, 10);
		else if (!read_place(b, w, &group->group.parent))
			BUG("what is `%s`", w);
	}
	vec_push(&b->groups, group);
	vec_push(&b->groups.items[group->group.parent]->children,
		((struct plan_child){ .is_group = true, .index = b->groups.n - 1 }));
}

static struct port *
read_port(struct building *b, struct port *ports, size_t *n, const char *text)
{
	size_t name = strcspn(text, ":"), type = strcspn(text + name + 1, "=?|");
	struct port *port = &ports[(*n)++];

	port->name = port->id = arena_strndup(b->arena, text, name);
	port->type = type_named(b, arena_strndup(b->arena, text + name + 1, type));
	port->passing = type_is_file(port->type) ? PASS_FILE : PASS_VALUE;
	port->produced = true;
	port->optional = text[name + 1 + type] == '?';
	return port;
}

static void
read_input(struct building *b, struct step_plan *step, const char *text)
{
	struct port *port = read_port(b, step->inputs, &step->component.n_inputs, text);
	const char *bar = strchr(text, '|'), *equals = strchr(text, '=');

	if (bar && (!equals || bar < equals))
		port->fallback = json(b, arena_strndup(b->arena, bar + 1, equals ? (size_t)(equals - bar - 1) : strlen(bar + 1)));
	step->args[step->component.n_inputs - 1] = equals ? read_expr(b, equals + 1) : NULL;
}

static bool
read_setting(struct building *b, struct settings *settings, const char *w)
{
	static const char *const whens[] = { "failure", "error", "preemption", "always" };
	const struct {
		const char *word;
		int64_t *place;
	} numbers[] = { { "retry", &settings->retry.limit }, { "backoff", &settings->retry.backoff },
			{ "max", &settings->retry.max }, { "timeout", &settings->timeout } };

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		if (strcmp(numbers[i].word, w) != 0)
			continue;
		*numbers[i].place = strtoll(must(b), NULL, 10);
		settings->retry.set = settings->retry.set || !i;
		return true;
	}
	if (!strcmp(w, "memory") || !strcmp(w, "cpu")) {
		*(*w == 'm' ? &settings->memory : &settings->cpu) = value_expr(b, value_string(b->arena, must(b)));
		return true;
	}
	if (!strcmp(w, "factor")) {
		settings->retry.factor = strtod(must(b), NULL);
		return true;
	}
	if (strcmp(w, "when") != 0)
		return false;
	w = must(b);
	for (size_t i = 0; i < ARRAY_LEN(whens); i++)
		if (!strcmp(whens[i], w))
			settings->retry.when = (enum retry_when)i;
	return true;
}

static void
read_step(struct building *b)
{
	struct step_plan *step = arena_new_struct(b->arena, struct step_plan);
	const char *w;

	b->needs = &step->needs;
	step->step.name = must(b);
	step->component = (struct component){ .name = step->step.name, .kind = COMPONENT_PROCESS,
					      .inputs = step->inputs, .outputs = step->outputs };
	step->step.component = &step->component;
	step->step.settings = &step->settings;
	step->step.args = step->args;
	while ((w = word(b)) && strcmp(w, "->") != 0)
		if (!read_place(b, w, &step->step.group) && !read_setting(b, &step->settings, w))
			read_input(b, step, w);
	while ((w = word(b)))
		read_port(b, step->outputs, &step->component.n_outputs, w);
	vec_push(&b->steps, step);
	vec_push(&b->groups.items[step->step.group]->children, ((struct plan_child){ .index = b->steps.n - 1 }));
}

static const char *
with_blanks(struct building *b, const char *text)
{
	char *copy = arena_strdup(b->arena, text);

	for (char *c = copy; *c; c++)
		if (*c == '~')
			*c = ' ';
	return copy;
}

static const struct part *
read_parts(struct building *b, struct step_plan *step, size_t *ret_n)
{
	struct part *parts = arena_alloc(b->arena, b->n_words * sizeof(*parts));
	size_t n = 0;
	const char *w;

	while ((w = word(b))) {
		struct part *part = &parts[n++];

		part->text = with_blanks(b, w);
		if (*w == '$' || *w == '%') {
			part->kind = *w == '$' ? PART_INPUT : PART_OUTPUT_PATH;
			part->index = *w == '$' ? component_input(&step->component, w + 1) : component_output(&step->component, w + 1);
			if (part->index == SIZE_MAX)
				BUG("no port `%s`", w);
		}
	}
	*ret_n = n;
	return parts;
}

static void
read_step_more(struct building *b, const char *w)
{
	struct step_plan *step = b->steps.items[b->steps.n - 1];
	struct settings *settings = &step->settings;

	if (!strcmp(w, "command")) {
		step->component.command = read_parts(b, step, &step->component.n_command);
		step->component.has_command = true;
	} else if (!strcmp(w, "args")) {
		step->component.args = read_parts(b, step, &step->component.n_args);
	} else if (!strcmp(w, "path")) {
		size_t output = component_output(&step->component, must(b));

		step->outputs[output].path = must(b);
	} else if (!strcmp(w, "image")) {
		step->component.image = must(b);
		step->component.kind = COMPONENT_CONTAINER;
	} else if (!strcmp(w, "secret_env")) {
		struct secret *secret = arena_new_struct(b->arena, struct secret);

		settings->secret_env = step->secrets;
		step->secrets[settings->n_secret_env].variable = must(b);
		secret->name = must(b);
		secret->key = must(b);
		step->secrets[settings->n_secret_env++].secret = secret;
	} else if (!strcmp(w, "env")) {
		settings->env = step->env;
		step->env[settings->n_env].key = must(b);
		step->env[settings->n_env++].value = value_expr(b, value_string(b->arena, must(b)));
	} else {
		BUG("what is `%s`", w);
	}
}

static void
read_output(struct building *b)
{
	struct sizes ignored = { 0 };
	struct plan_output *output = &b->outputs[b->plan->n_outputs++];

	b->needs = &ignored;
	output->name = must(b);
	output->value = read_expr(b, must(b));
	vec_release(&ignored);
}

static void
read_line(struct building *b)
{
	const char *w = word(b);

	if (!w || *w == '#')
		return;
	if (!strcmp(w, "param"))
		read_param(b);
	else if (!strcmp(w, "secret"))
		read_secret(b);
	else if (!strcmp(w, "if"))
		read_group(b, GROUP_IF);
	else if (!strcmp(w, "for"))
		read_group(b, GROUP_FOR);
	else if (!strcmp(w, "step"))
		read_step(b);
	else if (!strcmp(w, "output"))
		read_output(b);
	else
		read_step_more(b, w);
}

static const char *
read_script(struct building *b, const char *text)
{
	struct component *component = &b->steps.items[b->steps.n - 1]->component;
	const char *end = strstr(text, "\nend\n");

	if (!end)
		BUG("a script without `end`");
	component->script_language = must(b);
	component->script = arena_strndup(b->arena, text, (size_t)(end + 1 - text));
	return end + 5;
}

struct plan *
fixture_plan(const char *name, const char *text)
{
	struct arena *arena = arena_new();
	struct building *b = arena_new_struct(arena, struct building);
	struct group_plan *root = arena_new_struct(arena, struct group_plan);

	b->arena = arena;
	b->plan = arena_new_struct(arena, struct plan);
	b->plan->refs = 1;
	b->plan->arena = arena;
	b->plan->name = arena_strdup(arena, name);
	b->plan->params = b->params;
	b->plan->outputs = b->outputs;
	b->plan->settings = arena_new_struct(arena, struct settings);
	root->name = "";
	vec_push(&b->groups, root);
	while (*text) {
		size_t len = strcspn(text, "\n");

		split(b, text, len);
		text += len + (text[len] == '\n');
		if (b->n_words && !strcmp(b->words[0], "script")) {
			b->at = 1;
			text = read_script(b, text);
		} else {
			read_line(b);
		}
	}
	fixture_settle(b);
	return b->plan;
}
