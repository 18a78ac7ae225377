/* Back ends: a plan to the text that a cluster takes. Pure: the same plan gives the same bytes. */
#ifndef DSL_TARGET_H
#define DSL_TARGET_H

#include "base/buf.h"
#include "base/value.h"
#include "dsl/diag.h"
#include "dsl/plan.h"

enum target { TARGET_ARGO, TARGET_KFP };

/* Argo refuses objects whose JSON is longer; etcd's default request limit is 1.5 MiB. */
enum { TARGET_OBJECT_MAX = 1024 * 1024 };

struct target_report {
	size_t json_bytes; /* of the object as JSON, what the limit counts */
	size_t templates;
};

/* The Workflow object. NULL when the target cannot express the plan: diags then say target, construct and way round. */
const struct value *target_compile(struct arena *arena, const struct plan *plan, enum target target, struct diags *diags,
				   struct target_report *ret_report);

/* The object as YAML: two blanks a level, keys in the order of the object, strings quoted where YAML 1.1 or 1.2 would read
 * them as something else. */
void yaml_write(struct buf *buf, const struct value *value);

enum package { PACKAGE_YAML, PACKAGE_JSON, PACKAGE_TAR_GZ, PACKAGE_ZIP };

/* By the end of the file's name; -1 if unknown. */
int package_from_name(const char *name, enum package *ret);
/* The object in that package; archives hold one file, pipeline.yaml, with fixed times and owners. */
int package_write(struct buf *buf, const struct value *object, enum package package, struct error *err);

#endif
