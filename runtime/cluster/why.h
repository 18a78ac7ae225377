/* Why a step is pending, and why it failed, in plain words with the next thing to do: from Argo's message, the pod and its events.
 * One table of what Kubernetes and Argo say (why.def); what it does not know is said as it came. Pure. */
#ifndef RUNTIME_CLUSTER_WHY_H
#define RUNTIME_CLUSTER_WHY_H

#include "base/arena.h"
#include "base/value.h"
#include "dsl/plan.h"
#include "runtime/phase.h"

/* All may be NULL. */
struct why_facts {
	const struct plan_step *step;
	const char *message; /* of the workflow's node, or of a workflow */
	const char *waits; /* for a lock: its name */
	const struct value *pod; /* the Pod object */
	const struct value *const *events; /* Event objects about it, oldest first */
	size_t n_events;
};

struct why {
	const char *what; /* NULL: nothing is known */
	const char *help; /* the next thing to try, or NULL */
};

/* Texts live in the arena or as long as the facts. */
struct why why_pending(const struct why_facts *facts, struct arena *arena);
struct why why_failed(const struct why_facts *facts, struct arena *arena);

#endif
