#include "config.h"

#include "dsl/check.h"

#include <stdint.h>
#include <string.h>

#include "dsl/check_parts.h"
#include "dsl/component_yaml.h"

static bool
is_reserved_variable(const char *name)
{
	/* Past the first two: what shells set by themselves, whatever they were given. */
	static const char *const names[] = { "PATH", "HOME", "_", "BASHOPTS", "EUID", "IFS", "OLDPWD", "PPID", "PWD", "SHELLOPTS", "SHLVL", "UID" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return !strncmp(name, "LD_", 3);
}

static const char *
port_id(struct arena *arena, const char *name)
{
	const char *id = component_yaml_id(arena, name);

	return *id ? id : "_";
}

/* ---- inputs and outputs ---- */

static void
check_fallback(struct check *check, const struct ast_input *ast, struct port *port)
{
	struct arena *arena = check->unit->arena;
	const struct expr *e = check_constant(check, arena, ast->fallback, "a default");
	struct diag *d;

	if (!e || !port->type)
		return;
	if (port->type->kind == TYPE_SECRET && e->kind == EXPR_SECRET) {
		struct secret *s = arena_new_struct(arena, struct secret);

		*s = *e->secret;
		s->optional = port->optional;
		port->secret_fallback = s;
		return;
	}
	if (type_is_file(port->type)) {
		diags_add(check->diags, DIAG_L0301, e->span, "the file input `%s` cannot have a default", port->name);
		return;
	}
	if (e->kind != EXPR_VALUE || e->type->kind == TYPE_NULL || !expr_fits(e, port->type)) {
		d = diags_add(check->diags, DIAG_L0301, e->span, "the default of `%s` is %s, not %s", port->name,
			type_text(arena, e->type), type_text(arena, port->type));
		diag_label(check->diags, d, ast->type.span, "%s is wanted here", type_text(arena, port->type));
		return;
	}
	port->fallback = e->value;
}

static void
check_inputs(struct check *check, const struct ast_stmt *stmt, struct component *c)
{
	struct port *ports = arena_alloc(check->unit->arena, (stmt->n_inputs + 1) * sizeof(*ports));

	for (size_t i = 0; i < stmt->n_inputs; i++) {
		const struct ast_input *in = &stmt->inputs[i];
		struct port *p = &ports[c->n_inputs];

		if (!in->name.text || !check_name_length(check, in->name.text, in->name.span))
			continue;
		p->name = in->name.text;
		p->id = port_id(check->unit->arena, p->name);
		p->doc = in->doc;
		p->span = in->span;
		p->optional = in->type.optional;
		p->type = check_type(check, check->unit->arena, &in->type);
		if (in->fallback)
			check_fallback(check, in, p);
		if (!p->type)
			p->type = &TYPE_OF_ANY;
		p->passing = type_is_file(p->type) ? PASS_FILE : PASS_VALUE;
		c->n_inputs++;
	}
	c->inputs = ports;
}

static void
check_outputs(struct check *check, const struct ast_stmt *stmt, struct component *c)
{
	struct port *ports = arena_alloc(check->unit->arena, (stmt->n_outputs + 1) * sizeof(*ports));

	for (size_t i = 0; i < stmt->n_outputs; i++) {
		const struct ast_output *out = &stmt->outputs[i];
		struct port *p = &ports[c->n_outputs];

		if (!out->name.text || !check_name_length(check, out->name.text, out->name.span))
			continue;
		p->name = out->name.text;
		p->id = port_id(check->unit->arena, p->name);
		p->doc = out->doc;
		p->span = out->span;
		p->type = check_type(check, check->unit->arena, &out->type);
		if (p->type && p->type->kind == TYPE_SECRET)
			diags_add(check->diags, DIAG_L0310, out->type.span, "an output cannot be a Secret");
		if (!p->type)
			p->type = &TYPE_OF_ANY;
		p->passing = type_is_file(p->type) ? PASS_FILE : PASS_VALUE;
		c->n_outputs++;
	}
	c->outputs = ports;
}

static void
check_variable(struct check *check, struct map *seen, const struct port *port, const char *variable)
{
	const struct port *other = map_get(seen, variable);
	struct diag *d;

	if (is_reserved_variable(variable)) {
		d = diags_add(check->diags, DIAG_L0212, port->span, "the input `%s` would become the variable `%s`, which is taken",
			port->name, variable);
		diag_help(check->diags, d, "give it another name");
	} else if (other && !strcmp(other->name, port->name)) {
		d = diags_add(check->diags, DIAG_L0201, port->span, "`%s` is declared twice", port->name);
		diag_label(check->diags, d, other->span, "first declared here");
	} else if (other) {
		d = diags_add(check->diags, DIAG_L0212, port->span, "`%s` and `%s` would both become the variable `%s`", other->name,
			port->name, variable);
		diag_label(check->diags, d, other->span, "`%s` is declared here", other->name);
	} else {
		map_set(seen, variable, (void *)(uintptr_t)port);
	}
}

static void
check_port_names(struct check *check, const struct component *c)
{
	struct map variables = {0}, inputs = {0};

	for (size_t i = 0; i < c->n_inputs; i++) {
		check_variable(check, &variables, &c->inputs[i], c->inputs[i].id);
		map_set(&inputs, c->inputs[i].id, (void *)(uintptr_t)&c->inputs[i]);
	}
	for (size_t i = 0; i < c->n_outputs; i++) {
		const struct port *out = &c->outputs[i], *in = map_get(&inputs, out->id);

		check_variable(check, &variables, out, arena_printf(check->arena, "out_%s", out->id));
		if (in) {
			bool same = !strcmp(in->name, out->name);
			struct diag *d = diags_add(check->diags, DIAG_L0213, out->span,
				same ? "the output `%s` is named like an input" : "the output `%s` has the plain name of an input, `%s`",
				out->name, out->id);

			diag_label(check->diags, d, in->span, same ? "the input is declared here" : "it is the plain name of this input too");
			if (!same)
				diag_help(check->diags, d, "a plain name keeps letters from a to z, digits and `_`: give one of them some of these");
		}
	}
	map_release(&variables);
	map_release(&inputs);
}

/* ---- the body ---- */

struct body {
	struct check *check;
	struct component *component;
	struct port *outputs;
	struct expr_check x; /* settings: constants only */
	struct settings *settings;
	struct map seen;
	const struct ast_field *script, *command, *args;
};

static const struct expr *
setting_path(struct expr_check *x, const struct ast_name *names, size_t n, struct span span)
{
	struct diag *d = diags_add(x->check->diags, DIAG_L0313, span, "a component's own settings must be constants");

	(void)n;
	diag_help(x->check->diags, d, "give what depends on `%s` to the step, with `with`", names[0].text);
	return NULL;
}

static bool
field_is_new(struct body *b, const char *key, struct span span, const char *what)
{
	if (map_has(&b->seen, key)) {
		diags_add(b->check->diags, DIAG_L0401, span, "%s is given twice", what);
		return false;
	}
	map_set(&b->seen, key, NULL);
	return true;
}

static void
check_script(struct body *b, const struct ast_field *f)
{
	const struct ast_expr *text = f->text;
	const struct expr *e;

	if (!text || text->kind == AST_POISON || !field_is_new(b, "script", f->span, "`script`"))
		return;
	b->script = f;
	e = check_constant(b->check, b->check->unit->arena, text, "a script");
	if (e && e->kind == EXPR_VALUE && e->value->kind == VALUE_STRING)
		b->component->script = e->value->string.text;
	b->component->script_language = f->name.text ? f->name.text : "sh";
}

static bool
is_good_output_path(const char *path)
{
	size_t len = strlen(path);

	return path[0] == '/' && len > 1 && len < 4096 && path[len - 1] != '/' && !strstr(path, "/../") && !strstr(path, "//") &&
		(len < 3 || strcmp(path + len - 3, "/.."));
}

static void
check_output_path(struct body *b, const struct ast_field *f)
{
	struct component *c = b->component;
	const char *path = f->text ? check_text(b->check, b->check->unit->arena, f->text, "an output's path") : NULL;
	size_t i = f->name.text ? component_output(c, f->name.text) : SIZE_MAX;

	if (f->name.text && i == SIZE_MAX) {
		const char **names = arena_alloc(b->check->arena, (c->n_outputs + 1) * sizeof(*names));
		struct diag *d = diags_add(b->check->diags, DIAG_L0206, f->name.span, "`%s` declares no output `%s`", c->name,
			f->name.text);

		for (size_t k = 0; k < c->n_outputs; k++)
			names[k] = c->outputs[k].id;
		diag_near(b->check->diags, d, "output", f->name.span, f->name.text, names, c->n_outputs);
	}
	if (i == SIZE_MAX || !path)
		return;
	if (!is_good_output_path(path)) {
		diags_add(b->check->diags, DIAG_L0408, f->text->span, "`%s` is not the absolute path of a file", path);
		return;
	}
	for (size_t k = 0; k < c->n_outputs; k++) {
		if (c->outputs[k].path && !strcmp(c->outputs[k].path, path)) {
			diags_add(b->check->diags, DIAG_L0408, f->text->span, "`%s` is the path of the output `%s` already", path,
				c->outputs[k].name);
			return;
		}
	}
	b->outputs[i].path = path;
	b->outputs[i].produced = true;
}

static void
check_field_setting(struct body *b, const struct ast_setting *s)
{
	static const char *const fields[] = { "command", "args", "script", "output", "manifest" };

	if (!s->word.text || !check_setting_word(b->check, s, SETTING_IN_COMPONENT, fields, ARRAY_LEN(fields)))
		return;
	if (!strcmp(s->word.text, "env"))
		check_component_env(b->check, b->component, s, &b->seen);
	else
		check_setting(&b->x, s, SETTING_IN_COMPONENT, b->settings, &b->seen);
}

static void
check_field(struct body *b, const struct ast_field *f)
{
	switch (f->kind) {
	case AST_FIELD_SETTING:
		check_field_setting(b, &f->setting);
		break;
	case AST_FIELD_COMMAND:
		if (field_is_new(b, "command", f->span, "`command`"))
			b->command = f;
		break;
	case AST_FIELD_ARGS:
		if (field_is_new(b, "args", f->span, "`args`"))
			b->args = f;
		break;
	case AST_FIELD_SCRIPT:
		check_script(b, f);
		break;
	case AST_FIELD_OUTPUT:
		check_output_path(b, f);
		break;
	case AST_FIELD_MANIFEST:
		check_later(b->check, f->span, "a component with a `manifest`");
		b->component->kind = COMPONENT_MANIFEST;
		break;
	}
}

static void
check_consistency(struct body *b, const struct ast_stmt *stmt)
{
	struct component *c = b->component;
	const struct ast_field *list = b->command ? b->command : b->args;
	struct diag *d;

	if (c->kind == COMPONENT_MANIFEST || b->check->torn)
		return;
	if (b->script && list) {
		d = diags_add(b->check->diags, DIAG_L0402, list->span, "a component has a `script` or a command line, not both");
		diag_label(b->check->diags, d, b->script->span, "the script");
	}
	for (size_t i = 0; !c->image && i < stmt->n_fields; i++)
		if (stmt->fields[i].kind == AST_FIELD_OUTPUT) {
			d = diags_add(b->check->diags, DIAG_L0402, stmt->fields[i].span, "an output's path needs an `image`");
			diag_help(b->check->diags, d, "a process writes to the path that it is given: `$out_NAME`, or the output's name in `args`");
			break;
		}
	if (c->image || b->script || b->command)
		return;
	d = diags_add(b->check->diags, DIAG_L0403, stmt->name.span, "component `%s` has nothing to run", c->name);
	diag_help(b->check->diags, d, "give it an `image`, a `command` or a `script`");
}

static void
check_written(struct body *b)
{
	struct component *c = b->component;

	for (size_t i = 0; i < c->n_outputs; i++) {
		struct port *out = &b->outputs[i];
		struct diag *d;

		out->produced = out->produced || b->script || part_names_output(c, i);
		if (out->produced || c->kind == COMPONENT_MANIFEST || b->check->torn)
			continue;
		d = diags_add(b->check->diags, DIAG_L0404, out->span, "nothing in `%s` writes the output `%s`", c->name, out->name);
		diag_help(b->check->diags, d, c->image ? "name it in `args`, or say `output %s from \"/path\"`" : "name it in `args`: `%s`",
			out->id);
	}
}

static void
check_body(struct body *b, const struct ast_stmt *stmt)
{
	struct component *c = b->component;

	for (size_t i = 0; i < stmt->n_fields; i++)
		check_field(b, &stmt->fields[i]);
	c->image = b->settings->image;
	c->display = b->settings->display;
	b->settings->display = NULL; /* a step's settings hold its own */
	if (c->kind != COMPONENT_MANIFEST)
		c->kind = c->image ? COMPONENT_CONTAINER : COMPONENT_PROCESS;
	if (b->command) {
		c->has_command = true;
		c->command = check_parts(b->check, c, b->command->list, &c->n_command);
	}
	if (b->args)
		c->args = check_parts(b->check, c, b->args->list, &c->n_args);
	check_consistency(b, stmt);
	check_written(b);
}

void
check_declare_component(struct check *check, const struct ast_stmt *stmt)
{
	struct arena *arena = check->unit->arena;
	struct component *c;
	struct body b;
	struct decl *d;

	if (!stmt->name.text || !check_new_name(check, &stmt->name))
		return;
	c = arena_new_struct(arena, struct component);
	c->name = stmt->name.text;
	c->doc = stmt->doc;
	c->span = stmt->name.span;
	check_inputs(check, stmt, c);
	check_outputs(check, stmt, c);
	check_port_names(check, c);
	b = (struct body){
		.check = check,
		.component = c,
		.outputs = (struct port *)(uintptr_t)c->outputs,
		.x = { .check = check, .arena = arena, .path = setting_path },
		.settings = arena_new_struct(arena, struct settings),
	};
	c->settings = b.settings;
	check_body(&b, stmt);
	map_release(&b.seen);
	d = decl_new(BINDING_COMPONENT, c->name, check->unit, c->span);
	d->binding.component = c;
	d->binding.doc = c->doc;
	d->in_this_cell = true;
	check_stage(check, d);
}
