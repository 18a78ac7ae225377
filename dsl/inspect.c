#include "config.h"

#include "dsl/inspect.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "dsl/cursor.h"
#include "dsl/token.h"
#include "dsl/verb.h"

/* ---- signatures ---- */

static void
write_port(struct buf *buf, const struct port *p, bool first)
{
	buf_printf(buf, "%s%s: ", first ? "" : ", ", p->id);
	type_write(buf, p->type);
	buf_puts(buf, p->optional ? "?" : "");
	if (p->fallback) {
		buf_puts(buf, " = ");
		value_write_json(buf, p->fallback);
	}
}

void
inspect_component_signature(struct buf *buf, const struct component *c)
{
	buf_putc(buf, '(');
	for (size_t i = 0; i < c->n_inputs; i++)
		write_port(buf, &c->inputs[i], !i);
	buf_putc(buf, ')');
	if (!c->n_outputs)
		return;
	buf_puts(buf, " -> (");
	for (size_t i = 0; i < c->n_outputs; i++)
		write_port(buf, &c->outputs[i], !i);
	buf_putc(buf, ')');
}

void
inspect_plan_signature(struct buf *buf, const struct plan *plan)
{
	buf_putc(buf, '(');
	for (size_t i = 0; i < plan->n_params; i++) {
		const struct plan_param *p = &plan->params[i];

		buf_printf(buf, "%s%s: ", i ? ", " : "", p->name);
		type_write(buf, p->type);
		if (p->fallback) {
			buf_puts(buf, " = ");
			value_write_json(buf, p->fallback);
		} else if (p->secret) {
			buf_puts(buf, " = secret");
		}
	}
	buf_putc(buf, ')');
}

/* ---- a page: written as plain text and as Markdown ---- */

struct page {
	struct buf *plain, *markdown; /* either may be NULL */
};

static void
page_heading(struct page *page, const char *kind, const char *name, const char *signature)
{
	if (page->plain)
		buf_printf(page->plain, "%s%s%s%s\n", kind, *kind ? " " : "", name, signature);
	if (page->markdown)
		buf_printf(page->markdown, "```lateen\n%s%s%s%s\n```\n", kind, *kind ? " " : "", name, signature);
}

static void
page_paragraph(struct page *page, const char *text)
{
	if (!text || !*text)
		return;
	if (page->plain)
		buf_printf(page->plain, "\n%s\n", text);
	if (page->markdown)
		buf_printf(page->markdown, "\n%s\n", text);
}

static void
page_item(struct page *page, const char *name, const char *text)
{
	if (page->plain)
		buf_printf(page->plain, "  %-16s %s\n", name, text);
	if (page->markdown)
		buf_printf(page->markdown, "- `%s` %s\n", name, text);
}

static void
page_blank(struct page *page)
{
	if (page->plain)
		buf_putc(page->plain, '\n');
	if (page->markdown)
		buf_putc(page->markdown, '\n');
}

static void
page_place(struct page *page, struct span span)
{
	struct place place;
	char text[64];

	if (!span.source)
		return;
	place = source_place(span.source, span.start);
	snprintf(text, sizeof(text), ":%u:%u", place.line, place.column);
	if (page->plain)
		buf_printf(page->plain, "\ndeclared at %s%s\n", span.source->name, text);
	if (page->markdown)
		buf_printf(page->markdown, "\ndeclared at `%s%s`\n", span.source->name, text);
}

static void
page_source(struct page *page, struct span span)
{
	if (!span.source)
		return;
	if (page->plain)
		buf_printf(page->plain, "\n%.*s\n", (int)(span.end - span.start), span.source->text + span.start);
	if (page->markdown)
		buf_printf(page->markdown, "\n```lateen\n%.*s\n```\n", (int)(span.end - span.start), span.source->text + span.start);
}

/* ---- declarations ---- */

static void
port_page(struct page *page, const struct port *p)
{
	CLEANUP(buf_release) struct buf text = { .max = 4000 };

	type_write(&text, p->type);
	buf_puts(&text, p->optional ? "?" : "");
	if (p->fallback) {
		buf_puts(&text, " = ");
		value_write_json(&text, p->fallback);
	}
	if (p->doc)
		buf_printf(&text, ": %s", p->doc);
	page_item(page, p->id, buf_text(&text));
}

static void
component_page(struct page *page, const char *kind, const char *name, const struct component *c, const char *doc)
{
	CLEANUP(buf_release) struct buf signature = { .max = 4000 };

	inspect_component_signature(&signature, c);
	page_heading(page, kind, name, buf_text(&signature));
	page_paragraph(page, c->display && strcmp(c->display, c->name) ? c->display : NULL);
	page_paragraph(page, doc);
	if (c->n_inputs + c->n_outputs)
		page_blank(page);
	for (size_t i = 0; i < c->n_inputs; i++)
		port_page(page, &c->inputs[i]);
	for (size_t i = 0; i < c->n_outputs; i++)
		port_page(page, &c->outputs[i]);
	if (c->image)
		page_paragraph(page, c->image);
}

static void
pipeline_page(struct page *page, const struct binding *b)
{
	CLEANUP(buf_release) struct buf text = { .max = 4000 };
	const struct plan *plan = b->plan;

	if (!plan) {
		page_heading(page, "pipeline", b->name, "");
		page_paragraph(page, "It does not fit what was redefined since.");
		return;
	}
	inspect_plan_signature(&text, plan);
	page_heading(page, "pipeline", b->name, buf_text(&text));
	page_paragraph(page, plan->display);
	page_paragraph(page, b->doc);
	for (size_t i = 0; i < plan->n_params; i++) {
		if (!plan->params[i].doc)
			continue;
		page_item(page, plan->params[i].name, plan->params[i].doc);
	}
	buf_clear(&text);
	buf_printf(&text, "%zu step%s", plan->n_steps, plan->n_steps == 1 ? "" : "s");
	page_paragraph(page, buf_text(&text));
}

static void
cluster_page(struct page *page, const struct cluster *cluster)
{
	static const char *const kinds[] = { NULL, "argo", "kfp", "auto" };
	static const char *const ways[] = { NULL, "plain", "token", "audience", "dex", "iap", "gcp" };
	const struct {
		const char *word, *text;
	} items[] = {
		{ "context", cluster->context }, { "kubeconfig", cluster->kubeconfig },
		{ "in_cluster", cluster->in_cluster ? "the service account of the pod that Lateen runs in" : NULL },
		{ "auto", cluster->automatic ? "looks for a cluster when it is asked something" : NULL },
		{ "argo", cluster->argo }, { "kfp", cluster->kfp }, { "kind", kinds[cluster->kind] }, { "namespace", cluster->namespace_ },
		{ "experiment", cluster->experiment }, { "page", cluster->page }, { "auth", ways[cluster->auth] },
		{ "token", cluster->token ? "a secret" : NULL }, { "user", cluster->user },
		{ "password", cluster->password ? "a secret" : NULL }, { "audience", cluster->audience },
		{ "client_id", cluster->client_id }, { "user_id", cluster->user_id },
		{ "insecure", cluster->insecure ? "the server's certificate is not looked at" : NULL },
	};

	page_blank(page);
	for (size_t i = 0; i < ARRAY_LEN(items); i++)
		if (items[i].text)
			page_item(page, items[i].word, items[i].text);
}

static void
binding_page(struct page *page, const struct binding *b, bool detail)
{
	CLEANUP(buf_release) struct buf text = { .max = 4000 };
	struct span whole = b->span;

	switch (b->kind) {
	case BINDING_COMPONENT:
		component_page(page, "component", b->name, b->component, b->doc);
		break;
	case BINDING_PIPELINE:
		pipeline_page(page, b);
		break;
	case BINDING_TYPE:
		buf_printf(&text, " = %s", b->type->base ? b->type->base->name : b->type->name);
		page_heading(page, "type", b->name, buf_text(&text));
		page_paragraph(page, b->doc);
		break;
	case BINDING_VALUE:
		buf_puts(&text, ": ");
		type_write(&text, b->type);
		page_heading(page, "", b->name, buf_text(&text));
		break;
	case BINDING_RUN:
	case BINDING_STEP:
		buf_printf(&text, ": a %s", b->kind == BINDING_RUN ? "run" : "step of a run");
		if (b->plan)
			buf_printf(&text, " of `%s`", b->plan->name);
		page_heading(page, "", b->name, buf_text(&text));
		page_paragraph(page, b->plan ? b->plan->doc : NULL);
		break;
	case BINDING_CLUSTER:
		page_heading(page, "cluster", b->name, "");
		cluster_page(page, b->cluster);
		break;
	}
	page_place(page, b->span);
	for (size_t i = 0; detail && b->unit && i < b->unit->n_stmts; i++) {
		const struct ast_stmt *s = b->unit->stmts[i];

		if (s->span.source == b->span.source && s->span.start <= b->span.start && b->span.end <= s->span.end)
			whole = s->span;
	}
	if (detail && (whole.start != b->span.start || whole.end != b->span.end))
		page_source(page, whole);
}

/* ---- words of the language ---- */

static const struct {
	const char *word, *usage, *doc;
} words[] = {
	{ "after", "step after OTHER, …", "Waits for steps without taking data from them; naming a step in a branch or loop waits for all of it." },
	{ "approve", "ok = approve \"question\"", "A step that waits for a person." },
	{ "cluster", "cluster NAME { context \"…\" | kubeconfig \"…\" | in_cluster | argo \"URL\" | kfp \"URL\", namespace \"…\", … }",
	  "Where runs can go. `cluster auto` looks for one; the settings of a cluster say what may stand in the braces." },
	{ "component", "component NAME(inputs) -> (outputs) { image, command, args, script, … }", "Declares what a step runs." },
	{ "experiment", "experiment \"NAME\"", "Groups the runs that follow on a cluster; it is made there if it is not there yet." },
	{ "else", "if CONDITION { … } else { … }", "The branch that runs when no condition before it holds." },
	{ "for", "for NAME in LIST { … }", "Runs the body once for each item." },
	{ "if", "if CONDITION { … } else if CONDITION { … } else { … }", "Runs the steps of the first branch whose condition holds; the others are Skipped." },
	{ "len", "len(x)", "How many items a List or Dict has, or letters a String." },
	{ "env", "env(\"VAR\")", "A secret from this machine's environment; on a cluster write secret()." },
	{ "pipeline", "pipeline NAME(parameters) { … }", "Declares steps and the flow between them." },
	{ "range", "range(end) or range(start, end, step)", "A List of Integers." },
	{ "return", "return NAME: EXPR", "An output of the pipeline." },
	{ "secret", "secret(\"name\", \"key\")", "A reference to a Kubernetes Secret; on this machine the variable NAME_KEY." },
	{ "settings", "settings { display \"…\", service_account \"…\", … }", "Settings of the whole pipeline." },
	{ "start", "[NAME =] start P(...) [on TARGET]", "Starts a run in the background: its display goes on, and so can you." },
	{ "on", "P(...) on TARGET", "Runs a pipeline or component on a cluster that `cluster` declares, and waits." },
	{ "type", "type NAME = String", "A type with a name of its own: it fits its base, and only text literals of the base fit it." },
	{ "use", "use NAME from \"path or URL\" [sha256 \"…\"]", "Loads a component.yaml." },
	{ "while", "while CONDITION max N { … }", "Runs the body again while the condition holds." },
	{ "with", "call(…) with SETTING, …", "Settings of this step: gpu, memory, retry, timeout, …" },
};

static bool
word_page(struct page *page, const char *name)
{
	const struct verb *verb = verb_lookup(name, strlen(name));
	const struct setting_info *setting = setting_lookup(name);
	const struct type *type = type_predeclared(name);
	const struct diag_info *code = diag_info_by_name(name);

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i].word, name))
			continue;
		page_heading(page, "", words[i].usage, "");
		page_paragraph(page, words[i].doc);
		return true;
	}
	if (verb) {
		page_heading(page, "", verb->usage, "");
		page_paragraph(page, verb->doc);
	} else if (setting) {
		page_heading(page, setting->word, setting->arguments, "");
		page_paragraph(page, setting->doc);
	} else if (type) {
		page_heading(page, "type", type->name, type->base ? " = String" : "");
		page_paragraph(page, type_is_file(type) ? "Passed by file." : type->kind == TYPE_SECRET ? "A reference, never text." : "Passed by value.");
	} else if (code) {
		page_heading(page, "", code->code, "");
		page_paragraph(page, code->title);
		page_paragraph(page, code->explanation);
	}
	return verb || setting || type || code;
}

/* ---- members ---- */

static void
output_page(struct page *page, const struct component *c, size_t output)
{
	CLEANUP(buf_release) struct buf text = { .max = 4000 };
	const struct port *p = &c->outputs[output];

	buf_puts(&text, ": ");
	type_write(&text, p->type);
	page_heading(page, "", p->id, buf_text(&text));
	page_paragraph(page, p->doc);
	page_place(page, p->span);
}

static bool
step_page(struct page *page, const struct plan *plan, size_t step, const char *output)
{
	const struct component *c = plan->steps[step].component;
	size_t index = output ? component_output(c, output) : SIZE_MAX;

	if (output && index == SIZE_MAX)
		return false;
	if (output)
		output_page(page, c, index);
	else
		component_page(page, "step", plan->steps[step].name, c, plan->steps[step].doc ? plan->steps[step].doc : c->doc);
	return true;
}

static bool
member_page(struct page *page, const struct decl *d, const char *const *path, size_t n)
{
	const struct plan *plan = d->binding.plan;
	size_t step;

	if (d->binding.kind == BINDING_STEP && n == 2 && plan)
		return step_page(page, plan, d->step, path[1]);
	if ((d->binding.kind != BINDING_RUN && d->binding.kind != BINDING_PIPELINE) || !plan || n > 3)
		return false;
	step = plan_step_index(plan, path[1]);
	if (step != SIZE_MAX)
		return step_page(page, plan, step, n == 3 ? path[2] : NULL);
	return n == 2 && plan->n_steps == 1 && plan->n_outputs && step_page(page, plan, 0, path[1]);
}

static bool
std_page(struct page *page, struct scope *scope)
{
	const struct binding *b;
	size_t at = 0;

	page_heading(page, "", "std", "");
	page_paragraph(page, "The components that ship with Lateen; they run on this machine and on clusters.");
	page_blank(page);
	while ((b = scope_std_next(scope, &at)))
		if (b->kind == BINDING_COMPONENT)
			page_item(page, b->name, b->doc ? b->doc : "");
	return true;
}

static bool
path_page(struct page *page, struct check *check, const char *const *path, size_t n, bool detail)
{
	const struct decl *d;

	if (n == 2 && !strcmp(path[0], "std"))
		d = check_lookup(check, arena_printf(check->arena, "std.%s", path[1]));
	else
		d = check_lookup(check, path[0]);
	if (!d && n == 1 && !strcmp(path[0], "std"))
		return std_page(page, check->scope);
	if (!d || d->is_poison)
		return n == 1 && word_page(page, path[0]);
	if (n == 1 || !strcmp(path[0], "std")) {
		binding_page(page, &d->binding, detail);
		return true;
	}
	return member_page(page, d, path, n);
}

/* ---- the two ways in ---- */

bool
inspect_name(struct buf *buf, const struct scope *scope, const char *name, bool detail)
{
	struct scope *lasting = (struct scope *)(uintptr_t)scope; /* std.* may be loaded on the way */
	struct check check = { .scope = lasting, .arena = arena_new() };
	struct page page = { .plain = buf };
	const char *path[PATH_MAX_NAMES];
	char *copy = arena_strdup(check.arena, name), *part;
	size_t n = 0;
	bool found;

	for (part = copy; part && n < PATH_MAX_NAMES; n++) {
		path[n] = part;
		part = strchr(part, '.');
		if (part)
			*part++ = '\0';
	}
	found = path_page(&page, &check, path, n, detail);
	arena_free(check.arena);
	return found;
}

struct found_name {
	const char *name;
	struct cursor_name found;
	bool any;
};

static void
look_for_name(void *context, const struct cursor_name *name)
{
	struct found_name *f = context;

	if (!f->any && !strcmp(name->name, f->name)) {
		f->found = *name;
		f->any = true;
	}
}

static bool
pipeline_name_page(struct page *page, struct cursor *c, const char *const *path, size_t n)
{
	struct found_name f = { .name = path[0] };
	const struct component *component = NULL;
	size_t output;

	cursor_names(c, look_for_name, &f);
	if (!f.any)
		return false;
	if (f.found.callee && f.found.callee->binding.kind == BINDING_COMPONENT)
		component = f.found.callee->binding.component;
	if (n == 2) {
		output = component ? component_output(component, path[1]) : SIZE_MAX;
		if (output != SIZE_MAX)
			output_page(page, component, output);
		return output != SIZE_MAX;
	}
	if (component)
		component_page(page, "step", path[0], component, f.found.doc ? f.found.doc : component->doc);
	else
		page_heading(page, "", path[0], f.found.type ? arena_printf(c->check.arena, ": %s", f.found.type) : "");
	page_paragraph(page, component ? NULL : f.found.doc);
	page_place(page, f.found.span);
	return true;
}

/* The inputs of the call that the cursor stands in. */
static bool
argument_page(struct page *page, struct cursor *c, const char *word)
{
	const struct decl *d = c->callee ? check_lookup(&c->check, c->callee) : NULL;
	const struct component *component = d && d->binding.kind == BINDING_COMPONENT ? d->binding.component : NULL;
	size_t input = component && *word ? component_input(component, word) : SIZE_MAX;

	if (input != SIZE_MAX) {
		port_page(page, &component->inputs[input]);
		page_place(page, component->inputs[input].span);
		return true;
	}
	if (!d || *word)
		return false;
	binding_page(page, &d->binding, false);
	return true;
}

static size_t
word_end(const struct cursor *c)
{
	size_t end = c->at;
	const char *text = c->source->text;

	while (end < c->source->len && token_is_identifier(text + c->word, end + 1 - c->word))
		end++;
	return end;
}

bool
inspect_at(struct buf *plain, struct buf *markdown, struct scope *scope, const char *code, size_t len, size_t cursor, bool detail)
{
	struct page page = { plain, markdown };
	const char *path[PATH_MAX_NAMES + 1], *word;
	struct cursor c;
	size_t n = 0;
	bool found = false;

	if (len > SOURCE_MAX)
		return false;
	cursor_open(&c, scope, code, len, cursor);
	word = arena_strndup(c.check.arena, c.source->text + c.word, word_end(&c) - c.word);
	for (size_t i = 0; i < c.n_path; i++)
		path[n++] = c.path[i].text;
	if (*word)
		path[n++] = word;
	if (n && c.place != CURSOR_NOWHERE) {
		found = (c.in_pipeline && pipeline_name_page(&page, &c, path, n)) || (n == 1 && argument_page(&page, &c, word)) ||
			path_page(&page, &c.check, path, n, detail);
	} else if (c.place != CURSOR_NOWHERE) {
		found = argument_page(&page, &c, "");
	}
	cursor_close(&c);
	return found;
}
