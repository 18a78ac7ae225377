#include "config.h"

#include "dsl/target.h"

#include "dsl/argo.h"

/* From here on the size is worth a word: in percent of TARGET_OBJECT_MAX. */
enum { SIZE_WARNING_PERCENT = 80 };

static void
report_size(const struct plan *plan, struct diags *diags, const struct target_report *report)
{
	const size_t max = TARGET_OBJECT_MAX;
	struct diag *diag;

	if (report->json_bytes / SIZE_WARNING_PERCENT < max / 100)
		return;
	diag = diags_add(diags, DIAG_L0605, plan->span, "the workflow of `%s` has %zu KiB, %zu %% of what Argo takes", plan->name,
			 report->json_bytes / 1024, report->json_bytes * 100 / max);
	diag_note(diags, diag, "Argo refuses objects of more than %zu KiB, its own record of the run included", max / 1024);
	diag_help(diags, diag, "write steps that differ only in their values as a loop, which is as large as one step");
}

const struct value *
target_compile(struct arena *arena, const struct plan *plan, enum target target, struct diags *diags, struct target_report *ret_report)
{
	struct target_report report = { 0 };
	const struct value *workflow = argo_workflow(arena, plan, target, diags, &report);
	CLEANUP(buf_release) struct buf json = { 0 };

	if (workflow) {
		value_write_json(&json, workflow);
		report.json_bytes = json.len;
		report_size(plan, diags, &report);
	} else {
		report = (struct target_report){ 0 };
	}
	if (ret_report)
		*ret_report = report;
	return workflow;
}
