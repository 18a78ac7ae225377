/* From a plan to the bytes of a file: target, package and size, as the `compile` verb and `lateen compile` share them. */
#ifndef KERNEL_COMPILE_H
#define KERNEL_COMPILE_H

#include "base/buf.h"
#include "base/error.h"
#include "dsl/diag.h"
#include "dsl/target.h"

struct compile_request {
	const struct plan *plan;
	const char *target; /* "argo", "kfp", or NULL: by the package */
	const char *path; /* its end says the package; NULL or "-": YAML */
};

struct compiled {
	struct buf bytes;
	enum target target;
	struct target_report report;
};

/* Negative: either diags has errors (the target cannot express the plan), or err says what else is wrong. */
int compile(const struct compile_request *request, struct compiled *ret, struct diags *diags, struct error *err);
void compiled_release(struct compiled *compiled);

/* "Argo Workflow, 6 templates, 3.1 KiB as JSON (0.3 % of the 1 MiB that a cluster takes)". */
void compiled_describe(struct buf *buf, const struct compiled *compiled);

#endif
