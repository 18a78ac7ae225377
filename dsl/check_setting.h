/* The words of settings, one function each; internal to the checker. Each reads the setting's arguments into c->settings, or
 * complains. */
#ifndef DSL_CHECK_SETTING_H
#define DSL_CHECK_SETTING_H

#include "dsl/check.h"

struct setting_check {
	struct expr_check *x;
	const struct ast_setting *ast;
	const struct setting_info *info;
	struct settings *settings;
	struct map *seen;
};

/* Complains that the arguments are not what the setting wants, and shows how it is written. */
void setting_bad(struct setting_check *c, struct span span, const char *format, ...) PRINTF_LIKE(3, 4);
bool setting_count_is(struct setting_check *c, size_t min, size_t max);

void check_gpu(struct setting_check *c);
void check_cpu(struct setting_check *c);
void check_memory(struct setting_check *c);
void check_retry(struct setting_check *c);
void check_timeout(struct setting_check *c);
void check_preemptible(struct setting_check *c);
void check_cache(struct setting_check *c);
void check_display(struct setting_check *c);
void check_patch(struct setting_check *c);
void check_image(struct setting_check *c);
void check_workdir(struct setting_check *c);
void check_service_account(struct setting_check *c);
void check_default_image(struct setting_check *c);
void check_schedule(struct setting_check *c);
void check_tolerate(struct setting_check *c);
void check_env(struct setting_check *c);
void check_label(struct setting_check *c);
void check_annotate(struct setting_check *c);
void check_node_selector(struct setting_check *c);
void check_secret_env(struct setting_check *c);

#endif
