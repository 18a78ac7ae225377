/* A step with another component in the place of the one that the program calls. */
#include "config.h"

#include "dsl/lower.h"

#include <stdint.h>
#include <string.h>

void
lower_replace(struct lower *l, struct lower_step *s)
{
	for (size_t i = 0; s->step.component && l->replacements && i < l->replacements->n; i++) {
		const struct replacement *r = &l->replacements->items[i];

		if (strcmp(r->name, s->decl->name))
			continue;
		s->original = s->step.component;
		s->replacement = r;
		s->decl = r->with;
		s->step.component = r->with->binding.component;
		return;
	}
}

/* One output that several steps use is complained about once. */
static bool
was_said(const struct diags *diags, enum diag_code code, const char *message)
{
	for (size_t i = diags->n; i-- > 0;)
		if (diags->items[i]->code == code && !strcmp(diags->items[i]->message, message))
			return true;
	return false;
}

static void
list_near(struct lower *l, struct diag *d, const char *kind, const char *word, const struct port *ports, size_t n)
{
	const char **names = arena_alloc(l->check->arena, (n + 1) * sizeof(*names));
	struct buf all = { .max = 400 };

	for (size_t i = 0; i < n; i++) {
		names[i] = ports[i].id;
		buf_printf(&all, "%s`%s`", i ? ", " : "", ports[i].id);
	}
	diag_near(l->check->diags, d, kind, (struct span){ 0 }, word, names, n);
	if (!n)
		diag_note(l->check->diags, d, "it has no %ss at all", kind);
	else if (!d->n_helps)
		diag_note(l->check->diags, d, "its %s%s %s", kind, n == 1 ? " is" : "s are", buf_text(&all));
	buf_release(&all);
}

/* ---- inputs ---- */

static void
lacks_input(struct lower *l, const struct lower_step *s, const struct port *port, const struct expr *arg)
{
	struct diag *d = diags_add(l->check->diags, DIAG_L0420, s->replacement->span, "`%s` has no input `%s`, which the step `%s` gives",
		s->decl->name, port->id, s->step.name);

	if (arg && arg->span.source)
		diag_label(l->check->diags, d, arg->span, "given here");
	if (port->span.source)
		diag_label(l->check->diags, d, port->span, "`%s` of `%s`: %s", port->id, s->replacement->name,
			type_text(l->check->arena, port->type));
	list_near(l, d, "input", port->id, s->step.component->inputs, s->step.component->n_inputs);
}

static void
wants_more(struct lower *l, const struct lower_step *s, const struct port *port)
{
	struct diag *d = diags_add(l->check->diags, DIAG_L0421, s->replacement->span, "`%s` needs `%s`, which the step `%s` does not give",
		s->decl->name, port->id, s->step.name);

	if (port->span.source)
		diag_label(l->check->diags, d, port->span, "`%s` is declared here, without a default: %s", port->id,
			type_text(l->check->arena, port->type));
	diag_label(l->check->diags, d, s->call->span, "the step");
	list_near(l, d, "input", port->id, s->original->inputs, s->original->n_inputs);
}

static size_t
input_like(const struct component *c, const struct port *port)
{
	size_t input = component_input(c, port->name);

	return input == SIZE_MAX ? component_input(c, port->id) : input;
}

/* Which arguments are for which input is read by the component that the program calls; whether they fit is seen by the other. */
static bool
bind_by_original(struct lower *l, struct expr_check *x, const struct lower_step *s, const struct expr **given)
{
	struct callee callee;
	struct callee_input *inputs;

	callee_of_component(l->check->arena, s->original->name, s->original, &callee);
	inputs = arena_copy(l->check->arena, callee.inputs, callee.n_inputs * sizeof(*inputs));
	for (size_t i = 0; i < callee.n_inputs; i++)
		if (inputs[i].type->kind != TYPE_SECRET)
			inputs[i].type = &TYPE_OF_ANY;
	callee.inputs = inputs;
	return check_args(x, &callee, s->call, false, given);
}

void
lower_replaced_args(struct lower *l, struct expr_check *x, struct lower_step *s, const struct expr **args)
{
	const struct component *c = s->step.component;
	const struct expr **given = arena_alloc(l->arena, (s->original->n_inputs + 1) * sizeof(*given));
	bool whole = bind_by_original(l, x, s, given);
	struct callee callee;

	callee_of_component(l->check->arena, s->decl->name, c, &callee);
	for (size_t i = 0; i < s->original->n_inputs; i++) {
		size_t input = input_like(c, &s->original->inputs[i]);

		if (!given[i])
			continue;
		if (input == SIZE_MAX)
			lacks_input(l, s, &s->original->inputs[i], given[i]);
		else if (check_arg_fits(l->check, &callee, input, given[i], false))
			args[input] = given[i];
		else
			whole = false;
	}
	/* of what is given and wrong it was said already */
	for (size_t i = 0; i < c->n_inputs && whole; i++)
		if (callee.inputs[i].needed && !args[i])
			wants_more(l, s, &c->inputs[i]);
}

/* ---- outputs ---- */

static void
lacks_output(struct lower *l, const struct lower_step *s, const struct port *port, struct span used)
{
	const char *message = arena_printf(l->check->arena, "`%s` has no output `%s`, which other steps take from the step `%s`",
		s->decl->name, port->id, s->step.name);
	struct diag *d;

	if (was_said(l->check->diags, DIAG_L0422, message))
		return;
	d = diags_add(l->check->diags, DIAG_L0422, s->replacement->span, "%s", message);
	diag_label(l->check->diags, d, used, "used here");
	if (port->span.source)
		diag_label(l->check->diags, d, port->span, "`%s` of `%s`: %s", port->id, s->replacement->name,
			type_text(l->check->arena, port->type));
	list_near(l, d, "output", port->id, s->step.component->outputs, s->step.component->n_outputs);
}

size_t
lower_replaced_output(struct lower *l, const struct lower_step *s, const struct ast_name *names, size_t n, struct span span)
{
	const struct component *c = s->step.component;
	size_t original = n > 1 ? component_output(s->original, names[1].text) : 0, output;
	const struct port *port;

	if (original >= s->original->n_outputs)
		return SIZE_MAX; /* the pipeline would not have been declared */
	if (n == 1 && c->n_outputs == 1)
		return 0;
	port = &s->original->outputs[original];
	output = component_output(c, port->name);
	if (output == SIZE_MAX)
		output = component_output(c, port->id);
	if (output == SIZE_MAX)
		lacks_output(l, s, port, span);
	return output;
}
