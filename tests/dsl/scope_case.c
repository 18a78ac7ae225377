#include "config.h"

#include "tests/dsl/scope_case.h"

#include <stdio.h>
#include <string.h>

#include "dsl/format.h"
#include "dsl/parse.h"
#include "tests/dsl/plan_dump.h"
#include "tests/tap.h"

static int
load(struct resolver *resolver, const char *location, const struct source *from, const char *sha256, struct buf *ret_text,
     char **ret_name, struct error *err)
{
	const struct case_resolver *r = (const struct case_resolver *)resolver;
	char part[300];
	const char *text;

	(void)from;
	(void)sha256;
	if (!strcmp(location, "std:"))
		snprintf(part, sizeof(part), "std");
	else
		snprintf(part, sizeof(part), "file %s", location);
	text = r->test ? case_text(r->test, part) : NULL;
	if (!text)
		return error_set(err, "cannot open `%s`: no such file", location);
	buf_puts(ret_text, text);
	*ret_name = xstrdup(location);
	return 0;
}

void
case_resolver_init(struct case_resolver *resolver, const struct test_case *test)
{
	*resolver = (struct case_resolver){ .base = { .load = load }, .test = test };
}

/* ---- problems in short, with the text that each span covers ---- */

static void
dump_span(struct buf *buf, struct span span)
{
	struct place place;
	int len;

	if (!span.source) {
		buf_puts(buf, "nowhere");
		return;
	}
	place = source_place(span.source, span.start);
	len = (int)strcspn(span.source->text + span.start, "\n");
	if ((uint32_t)len > span.end - span.start)
		len = (int)(span.end - span.start);
	buf_printf(buf, "%s:%u:%u \"%.*s\"", span.source->name, place.line, place.column, len, span.source->text + span.start);
}

static void
dump_diag(struct buf *buf, const struct diag *d)
{
	buf_printf(buf, "%s[%s]: %s\n  at ", d->severity == SEVERITY_ERROR ? "error" : "warning", diag_info(d->code)->code, d->message);
	dump_span(buf, d->span);
	if (d->label)
		buf_printf(buf, ": %s", d->label);
	buf_putc(buf, '\n');
	for (size_t i = 0; i < d->n_labels; i++) {
		buf_puts(buf, "  see ");
		dump_span(buf, d->labels[i].span);
		buf_printf(buf, ": %s\n", d->labels[i].text);
	}
	for (size_t i = 0; i < d->n_notes; i++)
		buf_printf(buf, "  note: %s\n", d->notes[i]);
	for (size_t i = 0; i < d->n_helps; i++)
		buf_printf(buf, "  help: %s\n", d->helps[i]);
	for (size_t i = 0; i < d->n_fixes; i++) {
		buf_puts(buf, "  fix ");
		dump_span(buf, d->fixes[i].span);
		buf_printf(buf, " -> %s\n", d->fixes[i].replacement);
	}
}

struct outcome {
	struct buf problems, plans, components, actions;
};

static void
dump_components(struct buf *buf, const struct scope *scope)
{
	const struct binding *b;
	size_t at = 0;

	while ((b = scope_next(scope, &at)))
		if (b->kind == BINDING_COMPONENT)
			component_dump(buf, b->component);
}

/* The cell in canonical layout, or as it is when it cannot be parsed. */
static struct source *
formatted(const char *name, const struct case_part *part)
{
	struct source *source = source_new(name, part->text, part->len), *result;
	struct unit *unit;
	struct diags diags;
	struct buf text = {0};

	diags_init(&diags);
	unit = parse(source, NULL, &diags);
	if (diags.n_errors)
		buf_add(&text, part->text, part->len);
	else
		format_unit(&text, unit);
	result = source_new(name, buf_text(&text), text.len);
	buf_release(&text);
	unit_unref(unit);
	diags_release(&diags);
	source_unref(source);
	return result;
}

static void
run_cell(struct scope *scope, const struct case_part *part, int number, bool in_layout, struct outcome *out)
{
	struct source *source;
	struct program *program;
	struct diags diags;
	char name[32];

	snprintf(name, sizeof(name), "In[%d]", number);
	source = in_layout ? formatted(name, part) : source_new(name, part->text, part->len);
	diags_init(&diags);
	program = scope_check(scope, source, &diags);
	for (size_t i = 0; i < diags.n; i++)
		dump_diag(&out->problems, diags.items[i]);
	buf_clear(&out->plans);
	for (size_t i = 0; program && i < program->n_plans; i++)
		plan_dump(&out->plans, program->plans[i]);
	buf_clear(&out->actions);
	if (program)
		program_dump(&out->actions, program);
	program_free(program);
	diags_release(&diags);
	source_unref(source);
}

static void
assert_part(struct case_file *file, struct test_case *test, const char *part, const struct buf *got)
{
	if (case_text(test, part))
		case_is(file, test, part, buf_text(got), got->len);
}

static void
run_cells(struct test_case *test, bool in_layout, struct outcome *out)
{
	struct case_resolver resolver;
	struct scope *scope;
	int number = 0;

	case_resolver_init(&resolver, test);
	scope = scope_new(&resolver.base);
	for (size_t i = 0; i < test->n_parts; i++)
		if (!strcmp(test->parts[i].name, "cell"))
			run_cell(scope, &test->parts[i], ++number, in_layout, out);
	dump_components(&out->components, scope);
	scope_free(scope);
}

static void
outcome_release(struct outcome *out)
{
	buf_release(&out->problems);
	buf_release(&out->plans);
	buf_release(&out->components);
	buf_release(&out->actions);
}

/* A formatted program means the same. */
static void
assert_layout(struct test_case *test, const struct outcome *out)
{
	struct outcome again = {0};

	run_cells(test, true, &again);
	is_str(buf_text(&again.plans), buf_text(&out->plans), "%s: the same plans from the canonical layout", test->name);
	is_str(buf_text(&again.components), buf_text(&out->components), "%s: the same components", test->name);
	is_str(buf_text(&again.actions), buf_text(&out->actions), "%s: the same actions", test->name);
	outcome_release(&again);
}

void
scope_case_run(struct case_file *file, struct test_case *test)
{
	struct outcome out = {0};

	run_cells(test, false, &out);
	/* a program that is meant to be right has no problems, whether the case says so or not */
	case_is(file, test, "problems", buf_text(&out.problems), out.problems.len);
	assert_part(file, test, "plans", &out.plans);
	assert_part(file, test, "components", &out.components);
	assert_part(file, test, "actions", &out.actions);
	if (!out.problems.len)
		assert_layout(test, &out);
	outcome_release(&out);
}

void
scope_cases_run(const char *name)
{
	struct case_file file;

	cases_open(&file, name);
	for (size_t i = 0; i < file.n_cases; i++)
		scope_case_run(&file, &file.cases[i]);
	cases_close(&file);
}
