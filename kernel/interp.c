#include "config.h"

#include "kernel/interp_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "kernel/forwards.h"
#include "kernel/tensorboard.h"

/* Jupyter wants the traceback as lines. */
static void
set_traceback(struct execute_outcome *outcome, const char *text)
{
	VEC(char *) lines = { 0 };

	while (*text) {
		size_t n = strcspn(text, "\n");

		vec_push(&lines, xstrndup(text, n));
		text += n + (text[n] == '\n');
	}
	outcome->traceback = lines.items;
	outcome->n_traceback = lines.n;
}

static const struct diag *
first_error(const struct diags *diags)
{
	for (size_t i = 0; i < diags->n; i++)
		if (diags->items[i]->severity == SEVERITY_ERROR)
			return diags->items[i];
	BUG("no error among %zu problems", diags->n);
}

static void
fail_with_diags(struct interp *interp, struct execute_outcome *outcome, struct diags *diags)
{
	struct diag_style style = { .colour = interp->options.colour };
	const struct diag *first = first_error(diags);
	struct buf text = { 0 };

	execute_outcome_release(outcome);
	outcome->ename = xstrdup(diag_info(first->code)->code);
	buf_puts(&text, first->message);
	if (diags->n_errors > 1)
		buf_printf(&text, " (and %zu more)", diags->n_errors - 1);
	outcome->evalue = buf_detach(&text, NULL);
	diags_write_text(&text, diags, &style);
	set_traceback(outcome, buf_text(&text));
	buf_release(&text);
}

int
act_fail_diags(struct act *act, struct diags *diags)
{
	fail_with_diags(act->interp, act->outcome, diags);
	act->outcome->ok = false;
	return -1;
}

int
act_fail(struct act *act, enum diag_code code, const char *format, ...)
{
	struct diags diags;
	struct buf message = { 0 };
	va_list args;

	va_start(args, format);
	buf_vprintf(&message, format, args);
	va_end(args);
	diags_init(&diags);
	diags_add(&diags, code, act->action->span, "%s", buf_text(&message));
	act_fail_diags(act, &diags);
	diags_release(&diags);
	buf_release(&message);
	return -1;
}

static int
outcome_interrupted(struct execute_outcome *outcome, const char *text)
{
	execute_outcome_release(outcome);
	outcome->ename = xstrdup("KeyboardInterrupt");
	outcome->evalue = xstrdup("interrupted");
	set_traceback(outcome, text);
	return -1;
}

int
act_interrupted(struct act *act)
{
	return outcome_interrupted(act->outcome, "interrupted: what had not finished was stopped");
}

int
act_waited_enough(struct act *act, const char *run)
{
	return outcome_interrupted(act->outcome, arena_printf(act->arena, "interrupted: the waiting has ended, and the run `%s` goes on", run));
}

void
act_show(struct act *act, json_t *bundle)
{
	if (act->is_last)
		act->output->ops->result(act->output, bundle, NULL);
	else
		act->output->ops->display(act->output, bundle, NULL, NULL);
	json_decref(bundle);
}

void
act_show_json(struct act *act, const struct buf *bundle)
{
	json_error_t problem;
	json_t *json = json_loadb(buf_text(bundle), bundle->len, 0, &problem);

	if (!json)
		BUG("a bundle of ours is not JSON: %s", problem.text);
	act_show(act, json);
}

void
act_show_text(struct act *act, const char *plain, const char *markdown)
{
	json_t *bundle = json_pack("{s:o}", "text/plain", json_of_text(plain, strlen(plain)));

	if (markdown)
		json_object_set_new(bundle, "text/markdown", json_of_text(markdown, strlen(markdown)));
	act_show(act, bundle);
}

void
act_print(struct act *act, const char *text, size_t len)
{
	act->output->ops->stream(act->output, false, text, len);
}

void
act_warn(struct act *act, const struct diags *diags)
{
	struct diag_style style = { .colour = act->interp->options.colour };
	struct buf text = { 0 };

	diags_write_text(&text, diags, &style);
	act->output->ops->stream(act->output, true, buf_text(&text), text.len);
	buf_release(&text);
}

static void
report_warnings(struct interp *interp, const struct diags *diags, struct output *output)
{
	struct diag_style style = { .colour = interp->options.colour };
	struct buf text = { 0 };

	if (!diags->n)
		return;
	diags_write_text(&text, diags, &style);
	output->ops->stream(output, true, buf_text(&text), text.len);
	buf_release(&text);
}

static void
run_program(struct interp *interp, const struct program *program, struct output *output, struct execute_outcome *outcome)
{
	outcome->ok = true;
	for (size_t i = 0; i < program->n_actions && outcome->ok; i++) {
		struct act act = { .interp = interp, .action = &program->actions[i], .output = output, .outcome = outcome };

		act.arena = arena_new();
		act.is_last = i + 1 == program->n_actions;
		if (interp->interrupted)
			outcome->ok = act_interrupted(&act) == 0;
		else if (act_perform(&act) < 0)
			outcome->ok = false;
		arena_free(act.arena);
	}
}

void
interp_clear_interrupt(struct interp *interp)
{
	uint64_t count;

	interp->interrupted = 0;
	if (read(interp->wake, &count, sizeof count) < 0)
		return; /* it was not set */
}

void
interp_execute(struct interp *interp, struct source *source, struct output *output, struct execute_outcome *ret_outcome)
{
	struct program *program;
	struct diags diags;

	*ret_outcome = (struct execute_outcome){ 0 };
	interp_clear_interrupt(interp);
	diags_init(&diags);
	program = scope_check(interp->scope, source, &diags);
	if (program) {
		report_warnings(interp, &diags, output);
		run_program(interp, program, output, ret_outcome);
	} else {
		fail_with_diags(interp, ret_outcome, &diags);
	}
	output->ops->flush(output);
	program_free(program);
	diags_release(&diags);
}

void
interp_interrupt(struct interp *interp)
{
	uint64_t one = 1;

	interp->interrupted = 1;
	if (write(interp->wake, &one, sizeof one) < 0)
		return; /* full: it is readable already */
}

struct interp *
interp_new(const struct interp_options *options)
{
	struct interp *interp = xcalloc(1, sizeof *interp);

	interp->options = *options;
	interp->scope = scope_new(options->resolver);
	interp->backgrounds = backgrounds_new();
	interp->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (interp->wake < 0)
		BUG("no eventfd");
	return interp;
}

void
interp_free(struct interp *interp)
{
	if (!interp)
		return;
	backgrounds_free(interp->backgrounds);
	for (size_t i = 0; i < interp->boards.n; i++)
		tensorboard_free(interp->boards.items[i]);
	vec_release(&interp->boards);
	forwards_free(interp->forwards);
	variables_clear(&interp->variables);
	map_release(&interp->variables);
	free(interp->experiment);
	scope_free(interp->scope);
	close(interp->wake);
	free(interp);
}
