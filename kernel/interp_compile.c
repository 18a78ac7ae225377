#include "config.h"

#include "kernel/interp_internal.h"

#include <string.h>

#include "kernel/cluster_check.h"
#include "kernel/compile.h"
#include "kernel/file.h"

static int
write_file(struct act *act, const struct compiled *compiled)
{
	struct error err;
	struct buf text = { 0 };

	if (file_write(act->action->text, compiled->bytes.data, compiled->bytes.len, &err) < 0)
		return act_fail(act, DIAG_L0806, "%s", err.text);
	buf_printf(&text, "wrote %s: ", act->action->text);
	compiled_describe(&text, compiled);
	buf_putc(&text, '\n');
	act_print(act, buf_text(&text), text.len);
	buf_release(&text);
	return 0;
}

/* As Markdown too, so that a notebook colours it. A fence longer than any in the text keeps it whole. */
static void
show_yaml(struct act *act, const struct compiled *compiled)
{
	const char *yaml = buf_text(&compiled->bytes);
	const char *fence = strstr(yaml, "```") ? "``````````" : "```";

	act_show_text(act, yaml, arena_printf(act->arena, "%syaml\n%s%s\n", fence, yaml, fence));
}

static int
compile_failed(struct act *act, struct diags *diags, const struct error *err)
{
	return diags->n_errors ? act_fail_diags(act, diags) : act_fail(act, DIAG_L0806, "%s", err->text);
}

static int
compile_action(struct act *act, const struct compile_request *request, struct diags *diags)
{
	struct compiled compiled;
	struct error err = { "" };
	int rc = compile(request, &compiled, diags, &err);

	if (rc < 0) {
		rc = compile_failed(act, diags, &err);
	} else {
		if (diags->n_warnings)
			act_warn(act, diags);
		if (request->path)
			rc = write_file(act, &compiled);
		else
			show_yaml(act, &compiled);
	}
	compiled_release(&compiled);
	return rc;
}

int
act_compile(struct act *act)
{
	struct compile_request request = { act->action->plan, act->action->text2, act->action->text };
	struct diags diags;
	int rc;

	diags_init(&diags);
	rc = compile_action(act, &request, &diags);
	diags_release(&diags);
	return rc;
}

/* One line for each target: its size, or what it cannot express. */
static int
check_target(struct act *act, const char *target, struct buf *text)
{
	struct compile_request request = { act->action->plan, target, NULL };
	struct compiled compiled;
	struct error err = { "" };
	struct diags diags;
	int rc;

	diags_init(&diags);
	rc = compile(&request, &compiled, &diags, &err);
	if (rc == 0) {
		buf_printf(text, "  %s: ", target);
		compiled_describe(text, &compiled);
		buf_putc(text, '\n');
	}
	if (diags.n)
		diags_write_text(text, &diags, &(struct diag_style){ .colour = act->interp->options.colour });
	compiled_release(&compiled);
	diags_release(&diags);
	return rc;
}

static bool
is_interrupted(void *context)
{
	const struct interp *interp = context;

	return interp->interrupted;
}

static int
check_on_cluster(struct act *act)
{
	const struct cluster_check request = { .cluster = act->action->cluster, .plan = act->action->plan, .span = act->action->span,
		.stop = is_interrupted, .context = act->interp };
	struct buf text = { 0 };
	struct diags diags;
	int rc;

	diags_init(&diags);
	if (cluster_check(&request, &diags, &text)) {
		rc = act_interrupted(act);
	} else if (diags.n_errors) {
		rc = act_fail_diags(act, &diags);
	} else {
		if (diags.n_warnings)
			act_warn(act, &diags);
		act_print(act, buf_text(&text), text.len);
		rc = 0;
	}
	diags_release(&diags);
	buf_release(&text);
	return rc;
}

int
act_check(struct act *act)
{
	const struct plan *plan = act->action->plan;
	struct buf text = { 0 };

	if (act->action->cluster)
		return check_on_cluster(act);
	buf_printf(&text, "%s: %zu step%s, no problems in the program\n", plan->name, plan->n_steps, plan->n_steps == 1 ? "" : "s");
	check_target(act, "argo", &text);
	check_target(act, "kfp", &text);
	act_print(act, buf_text(&text), text.len);
	buf_release(&text);
	return 0;
}
