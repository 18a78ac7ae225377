#include "config.h"

#include "tests/dsl/plan_dump.h"

#include <string.h>

/* ---- expressions ---- */

static void
dump_secret(struct buf *buf, const struct secret *s)
{
	if (s->source == SECRET_ENV)
		buf_printf(buf, "env(\"%s\")", s->name);
	else
		buf_printf(buf, "secret(\"%s\", \"%s\")", s->name, s->key);
	if (s->optional)
		buf_puts(buf, "?");
}

static void
dump_items(struct buf *buf, const struct plan *plan, const struct expr *e, const char *open, const char *close)
{
	buf_puts(buf, open);
	for (size_t i = 0; i < e->n_items; i++) {
		buf_puts(buf, i ? ", " : "");
		if (e->kind == EXPR_DICT)
			buf_printf(buf, "%s: ", e->keys[i]);
		expr_dump(buf, plan, e->items[i]);
	}
	buf_puts(buf, close);
}

static void
dump_operator(struct buf *buf, const struct plan *plan, const struct expr *e)
{
	buf_putc(buf, '(');
	if (e->kind == EXPR_UNARY) {
		buf_printf(buf, "%s ", expr_op_text(e->op));
		expr_dump(buf, plan, e->items[0]);
	} else {
		expr_dump(buf, plan, e->items[0]);
		buf_printf(buf, " %s ", expr_op_text(e->op));
		expr_dump(buf, plan, e->items[1]);
	}
	buf_putc(buf, ')');
}

static void
dump_output(struct buf *buf, const struct plan *plan, const struct expr *e)
{
	const struct plan_step *s = plan ? &plan->steps[e->index] : NULL;

	buf_printf(buf, "%s.%s", s ? s->name : "?", s ? s->component->outputs[e->output].id : "?");
}

void
expr_dump(struct buf *buf, const struct plan *plan, const struct expr *e)
{
	switch (e->kind) {
	case EXPR_VALUE:
		value_write_json(buf, e->value);
		break;
	case EXPR_PARAM:
		buf_printf(buf, "$%s", plan->params[e->index].name);
		break;
	case EXPR_OUTPUT:
		dump_output(buf, plan, e);
		break;
	case EXPR_ITEM:
		buf_printf(buf, "item %s", plan->groups[e->index].variable);
		break;
	case EXPR_FACT:
		buf_puts(buf, expr_fact_text(e->fact));
		break;
	case EXPR_STATE:
		buf_puts(buf, "state");
		break;
	case EXPR_VARIABLE:
		for (size_t i = 0; i < e->n_items; i++)
			buf_printf(buf, "%s%s", i ? "." : "", e->path[i]);
		break;
	case EXPR_SECRET:
		dump_secret(buf, e->secret);
		break;
	case EXPR_CONCAT:
		dump_items(buf, plan, e, "text(", ")");
		break;
	case EXPR_LIST:
		dump_items(buf, plan, e, "[", "]");
		break;
	case EXPR_DICT:
		dump_items(buf, plan, e, "{", "}");
		break;
	case EXPR_UNARY:
	case EXPR_BINARY:
		dump_operator(buf, plan, e);
		break;
	case EXPR_INDEX:
		expr_dump(buf, plan, e->items[0]);
		buf_putc(buf, '[');
		expr_dump(buf, plan, e->items[1]);
		buf_putc(buf, ']');
		break;
	case EXPR_LEN:
		dump_items(buf, plan, e, "len(", ")");
		break;
	case EXPR_RANGE:
		dump_items(buf, plan, e, "range(", ")");
		break;
	case EXPR_CHOICE:
		dump_items(buf, plan, e, "choice(", ")");
		break;
	}
}

/* ---- settings ---- */

static void
dump_pairs(struct buf *buf, const struct plan *plan, const char *word, const struct setting_pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_printf(buf, "    %s %s: ", word, pairs[i].key);
		expr_dump(buf, plan, pairs[i].value);
		buf_putc(buf, '\n');
	}
}

static void
dump_expr_setting(struct buf *buf, const struct plan *plan, const char *word, const struct expr *e)
{
	if (!e)
		return;
	buf_printf(buf, "    %s ", word);
	expr_dump(buf, plan, e);
	buf_putc(buf, '\n');
}

static void
dump_text_setting(struct buf *buf, const char *word, const char *text)
{
	if (text)
		buf_printf(buf, "    %s \"%s\"\n", word, text);
}

static void
dump_retry(struct buf *buf, const struct retry *r)
{
	static const char *const when[] = { "failure", "error", "preemption", "always" };

	if (!r->set)
		return;
	buf_printf(buf, "    retry %lld", (long long)r->limit);
	if (r->backoff)
		buf_printf(buf, " backoff %llds", (long long)r->backoff);
	if (r->factor > 0)
		buf_printf(buf, " factor %g", r->factor);
	if (r->max)
		buf_printf(buf, " max %llds", (long long)r->max);
	if (r->when_set)
		buf_printf(buf, " when %s", when[r->when]);
	buf_putc(buf, '\n');
}

static void
dump_secrets_and_tolerations(struct buf *buf, const struct settings *s)
{
	for (size_t i = 0; i < s->n_secret_env; i++) {
		buf_printf(buf, "    secret_env %s: ", s->secret_env[i].variable);
		dump_secret(buf, s->secret_env[i].secret);
		buf_putc(buf, '\n');
	}
	for (size_t i = 0; i < s->n_tolerations; i++) {
		const struct toleration *t = &s->tolerations[i];

		buf_printf(buf, "    tolerate %s=%s:%s\n", t->key, t->value ? t->value : "*", t->effect ? t->effect : "*");
	}
}

static void
dump_settings(struct buf *buf, const struct plan *plan, const struct settings *s)
{
	static const char *const preemptible[] = { NULL, "preferred", "required" };
	static const char *const cache[] = { NULL, "off", "always", "for" };

	dump_expr_setting(buf, plan, "gpu", s->gpu);
	dump_expr_setting(buf, plan, "cpu", s->cpu);
	dump_expr_setting(buf, plan, "memory", s->memory);
	dump_retry(buf, &s->retry);
	if (s->timeout)
		buf_printf(buf, "    timeout %llds\n", (long long)s->timeout);
	dump_text_setting(buf, "preemptible", preemptible[s->preemptible]);
	if (s->cache != CACHE_UNSET)
		buf_printf(buf, "    cache %s %llds\n", cache[s->cache], (long long)s->cache_seconds);
	dump_pairs(buf, plan, "env", s->env, s->n_env);
	dump_pairs(buf, plan, "label", s->labels, s->n_labels);
	dump_pairs(buf, plan, "annotate", s->annotations, s->n_annotations);
	dump_pairs(buf, plan, "node_selector", s->node_selector, s->n_node_selector);
	dump_secrets_and_tolerations(buf, s);
	dump_text_setting(buf, "display", s->display);
	dump_text_setting(buf, "patch", s->patch);
	dump_text_setting(buf, "service_account", s->service_account);
	dump_text_setting(buf, "default_image", s->default_image);
	dump_text_setting(buf, "workdir", s->workdir);
}

/* ---- steps and groups ---- */

static void
dump_step(struct buf *buf, const struct plan *plan, const struct plan_step *s)
{
	const struct component *c = s->component;

	buf_printf(buf, "  step %s = %s\n", s->name, c->name);
	for (size_t i = 0; i < c->n_inputs; i++) {
		if (!s->args[i])
			continue;
		buf_printf(buf, "    %s: ", c->inputs[i].id);
		expr_dump(buf, plan, s->args[i]);
		buf_putc(buf, '\n');
	}
	for (size_t i = 0; i < s->n_after; i++)
		buf_printf(buf, "    after %s\n", plan->steps[s->after[i]].name);
	dump_settings(buf, plan, s->settings);
}

static void
dump_child_name(struct buf *buf, const struct plan *plan, const struct plan_child *child)
{
	if (child->is_group)
		buf_printf(buf, "#%zu", child->index);
	else
		buf_puts(buf, plan->steps[child->index].name);
}

static void
dump_group_head(struct buf *buf, const struct plan *plan, const struct plan_group *g)
{
	if (g->kind == GROUP_IF) {
		buf_printf(buf, "if (chain %zu, arm %zu%s) ", g->chain, g->arm, g->is_else ? ", else" : "");
		expr_dump(buf, plan, g->condition);
	} else if (g->kind == GROUP_FOR) {
		buf_printf(buf, "for %s in ", g->variable);
		expr_dump(buf, plan, g->items);
	} else {
		buf_puts(buf, "root");
	}
}

static void
dump_group(struct buf *buf, const struct plan *plan, size_t index)
{
	const struct plan_group *g = &plan->groups[index];

	buf_printf(buf, "  #%zu ", index);
	dump_group_head(buf, plan, g);
	buf_putc(buf, '\n');
	for (size_t i = 0; i < g->n_children; i++) {
		buf_puts(buf, "    ");
		dump_child_name(buf, plan, &g->children[i]);
		for (size_t k = 0; k < g->children[i].n_needs; k++) {
			buf_puts(buf, k ? ", " : " <- ");
			dump_child_name(buf, plan, &g->children[g->children[i].needs[k]]);
		}
		buf_putc(buf, '\n');
	}
}

static void
dump_param(struct buf *buf, const struct plan_param *p)
{
	buf_printf(buf, "  param %s: ", p->name);
	type_write(buf, p->type);
	if (p->fallback) {
		buf_puts(buf, " = ");
		value_write_json(buf, p->fallback);
	}
	if (p->secret) {
		buf_puts(buf, " = ");
		dump_secret(buf, p->secret);
	}
	buf_putc(buf, '\n');
}

void
plan_dump(struct buf *buf, const struct plan *plan)
{
	buf_printf(buf, "pipeline %s\n", plan->name);
	dump_settings(buf, plan, plan->settings);
	for (size_t i = 0; i < plan->n_params; i++)
		dump_param(buf, &plan->params[i]);
	for (size_t i = 0; i < plan->n_steps; i++)
		dump_step(buf, plan, &plan->steps[i]);
	for (size_t i = 0; i < plan->n_groups; i++)
		dump_group(buf, plan, i);
	for (size_t i = 0; i < plan->n_outputs; i++) {
		buf_printf(buf, "  output %s: ", plan->outputs[i].name);
		expr_dump(buf, plan, plan->outputs[i].value);
		buf_putc(buf, '\n');
	}
}

/* ---- components ---- */

static void dump_parts(struct buf *buf, const struct component *c, const struct part *parts, size_t n);

static void
dump_part(struct buf *buf, const struct component *c, const struct part *p)
{
	switch (p->kind) {
	case PART_TEXT:
	case PART_RAW_PLACEHOLDER:
		value_write_json_string(buf, p->text, strlen(p->text));
		break;
	case PART_INPUT:
	case PART_INPUT_PATH:
	case PART_INPUT_URI:
		buf_printf(buf, "$%s%s", c->inputs[p->index].id, p->kind == PART_INPUT ? "" : ".path");
		break;
	case PART_OUTPUT_PATH:
	case PART_OUTPUT_URI:
		buf_printf(buf, "$out_%s", c->outputs[p->index].id);
		break;
	case PART_IS_PRESENT:
		buf_printf(buf, "given(%s)", c->inputs[p->index].id);
		break;
	case PART_FACT:
		buf_puts(buf, expr_fact_text(p->fact));
		break;
	case PART_CONCAT:
		buf_puts(buf, "text(");
		dump_parts(buf, c, p->parts, p->n_parts);
		buf_puts(buf, ")");
		break;
	case PART_IF:
		buf_puts(buf, "if ");
		dump_part(buf, c, p->condition);
		buf_puts(buf, " {");
		dump_parts(buf, c, p->parts, p->n_parts);
		buf_puts(buf, "} else {");
		dump_parts(buf, c, p->else_parts, p->n_else_parts);
		buf_puts(buf, "}");
		break;
	}
}

static void
dump_parts(struct buf *buf, const struct component *c, const struct part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_puts(buf, i ? ", " : "");
		dump_part(buf, c, &parts[i]);
	}
}

static void
dump_port(struct buf *buf, const char *word, const struct port *p)
{
	buf_printf(buf, "  %s %s: ", word, p->id);
	type_write(buf, p->type);
	buf_puts(buf, p->optional ? "?" : "");
	buf_puts(buf, p->passing == PASS_FILE ? " by file" : "");
	if (p->fallback) {
		buf_puts(buf, " = ");
		value_write_json(buf, p->fallback);
	}
	if (p->secret_fallback) {
		buf_puts(buf, " = ");
		dump_secret(buf, p->secret_fallback);
	}
	if (p->path)
		buf_printf(buf, " from %s", p->path);
	buf_putc(buf, '\n');
}

void
component_dump(struct buf *buf, const struct component *c)
{
	buf_printf(buf, "component %s%s%s\n", c->name, c->image ? " image " : "", c->image ? c->image : "");
	for (size_t i = 0; i < c->n_inputs; i++)
		dump_port(buf, "input", &c->inputs[i]);
	for (size_t i = 0; i < c->n_outputs; i++)
		dump_port(buf, "output", &c->outputs[i]);
	if (c->has_command) {
		buf_puts(buf, "  command ");
		dump_parts(buf, c, c->command, c->n_command);
		buf_putc(buf, '\n');
	}
	if (c->n_args) {
		buf_puts(buf, "  args ");
		dump_parts(buf, c, c->args, c->n_args);
		buf_putc(buf, '\n');
	}
	for (size_t i = 0; i < c->n_env; i++) {
		buf_printf(buf, "  env %s: ", c->env[i].name);
		dump_part(buf, c, &c->env[i].value);
		buf_putc(buf, '\n');
	}
	if (c->script)
		buf_printf(buf, "  script %s \"%s\"\n", c->script_language, c->script);
	if (c->settings)
		dump_settings(buf, NULL, c->settings);
}

/* ---- actions ---- */

static const char *const action_names[] = {
	[ACTION_SHOW] = "show", [ACTION_BIND] = "bind", [ACTION_RUN] = "run", [ACTION_SWEEP] = "sweep", [ACTION_COMPILE] = "compile",
	[ACTION_CHECK] = "check", [ACTION_PRINT] = "print", [ACTION_ASSERT] = "assert", [ACTION_INPUT] = "input",
	[ACTION_CLEAR] = "clear", [ACTION_LOGS] = "logs", [ACTION_STOP] = "stop", [ACTION_RUNS] = "runs", [ACTION_HELP] = "help",
	[ACTION_INSPECT] = "inspect", [ACTION_SHELL] = "shell", [ACTION_MAGIC] = "magic",
};

static void
dump_run_args(struct buf *buf, const struct action *a)
{
	for (size_t i = 0; i < a->plan->n_params; i++) {
		if (!a->args[i])
			continue;
		buf_printf(buf, " %s=", a->plan->params[i].name);
		expr_dump(buf, NULL, a->args[i]);
	}
}

static void
dump_action(struct buf *buf, const struct action *a)
{
	buf_puts(buf, action_names[a->kind]);
	if (a->bind)
		buf_printf(buf, " %s =", a->bind);
	if (a->plan)
		buf_printf(buf, " pipeline %s", a->plan->name);
	if (a->component)
		buf_printf(buf, " component %s", a->component->name);
	if (a->expr) {
		buf_putc(buf, ' ');
		expr_dump(buf, NULL, a->expr);
	}
	if (a->kind == ACTION_RUN)
		dump_run_args(buf, a);
	if (a->kind == ACTION_ASSERT && a->args) {
		buf_puts(buf, " why ");
		expr_dump(buf, NULL, a->args[0]);
	}
	if (a->text)
		buf_printf(buf, " [%s]", a->text);
	if (a->text2)
		buf_printf(buf, " [%s]", a->text2);
	if (a->grep)
		buf_printf(buf, " grep [%s]", a->grep);
	if (a->flag)
		buf_puts(buf, " flag");
	if (a->last >= 0)
		buf_printf(buf, " last %lld", (long long)a->last);
	buf_putc(buf, '\n');
	for (size_t i = 0; i < a->n_body; i++) {
		buf_puts(buf, "  ");
		dump_action(buf, &a->body[i]);
	}
}

void
program_dump(struct buf *buf, const struct program *program)
{
	for (size_t i = 0; i < program->n_actions; i++)
		dump_action(buf, &program->actions[i]);
}
