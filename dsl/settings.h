/* Step and pipeline settings, checked. The table dsl/settings.def names every word: where it may stand, its arguments, its
 * documentation, and whether this version carries it out. A member that is NULL, zero or empty was not set.
 * Expressions are of the pipeline's parameters and outputs; quantities are Kubernetes' text ("16Gi", "500m"). */
#ifndef DSL_SETTINGS_H
#define DSL_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dsl/expr.h"

/* One entry of env, label, annotate, node_selector. */
struct setting_pair {
	const char *key;
	const struct expr *value; /* String */
};

/* secret_env {TOKEN: secret("name", "key")} */
struct setting_secret {
	const char *variable;
	const struct secret *secret;
};

/* Kubernetes' toleration. */
struct toleration {
	const char *key, *value, *effect; /* value NULL: operator Exists; effect NULL: all */
};

enum retry_when { RETRY_ON_FAILURE, RETRY_ON_ERROR, RETRY_ON_PREEMPTION, RETRY_ALWAYS };

struct retry {
	bool set;
	int64_t limit; /* attempts after the first */
	enum retry_when when;
	bool when_set;
	int64_t backoff; /* seconds before the second attempt; 0: at once */
	double factor; /* times for each further one; 0: 1 */
	int64_t max; /* seconds, the longest wait or 0 */
};

enum preemptible { PREEMPTIBLE_NO, PREEMPTIBLE_PREFERRED, PREEMPTIBLE_REQUIRED };

enum cache_mode { CACHE_UNSET, CACHE_OFF, CACHE_ALWAYS, CACHE_FOR };

struct settings {
	const struct expr *gpu; /* Integer */
	const struct expr *cpu, *memory; /* String: a quantity */
	struct retry retry;
	int64_t timeout; /* seconds */
	enum preemptible preemptible;
	enum cache_mode cache;
	int64_t cache_seconds;
	const struct setting_pair *env, *labels, *annotations, *node_selector;
	size_t n_env, n_labels, n_annotations, n_node_selector;
	const struct setting_secret *secret_env;
	size_t n_secret_env;
	const struct toleration *tolerations;
	size_t n_tolerations;
	const char *display; /* as people read it */
	const char *patch; /* podSpecPatch, YAML or JSON text */
	/* of pipelines only */
	const char *service_account;
	const char *default_image;
	const char *schedule; /* five fields of cron */
	/* of components only */
	const char *image, *workdir;
};

enum setting_place { SETTING_IN_STEP = 1, SETTING_IN_COMPONENT = 2, SETTING_IN_PIPELINE = 4, SETTING_IN_CLUSTER = 8 };

/* A line of the table. */
struct setting_info {
	const char *word;
	unsigned places; /* enum setting_place, or-ed */
	const char *arguments; /* as the documentation writes them: "N [type \"…\"]" */
	const char *doc; /* one sentence */
	bool works; /* carried out by this version; otherwise its use is a diagnostic that says so */
};

/* A word may have a line for steps and another for pipelines; setting_lookup gives the first. */
const struct setting_info *setting_lookup(const char *word);
const struct setting_info *setting_lookup_at(const char *word, enum setting_place place);
const struct setting_info *setting_table(size_t *ret_n);
bool setting_is_cron(const char *text); /* five fields, each of cron's characters; what they say is the server's to judge */

#endif
