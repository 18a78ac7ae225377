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

/* What a step is called there. */
struct target_step {
	const char *task; /* NULL: what stands around it is the step itself (in a plan made from a workflow of others) */
	const char *template; /* shared by steps that need the same pod */
	const char *const *outputs; /* of the component's outputs: the name of the parameter or the artifact */
};

/* What a group is called there: its task has the template's name. */
struct target_group {
	const char *task; /* NULL: of the pipeline itself, and of groups without steps, which are left out */
	bool limited; /* a loop with `parallel`: its template has one task, `item`, which goes over the items */
};

struct target_report {
	size_t json_bytes; /* of the object as JSON, what the limit counts */
	size_t templates;
	const struct target_step *steps; /* plan->n_steps, in the arena; NULL when it does not compile */
	const struct target_group *groups; /* plan->n_groups */
	const char *const *params; /* plan->n_params */
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
