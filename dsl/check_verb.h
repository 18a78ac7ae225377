/* The verbs of a cell, checked: what their files (check_verb*.c) share. Not for others. */
#ifndef DSL_CHECK_VERB_H
#define DSL_CHECK_VERB_H

#include "dsl/check.h"

/* The clause's value, NULL for a word alone; *ret_there: does it stand there? */
const struct ast_expr *verb_clause(const struct ast_verb *verb, const char *word, bool *ret_there);
/* The text of a clause, or NULL: without one, or after a complaint. */
const char *verb_clause_text(struct check *check, const struct ast_verb *verb, const char *word);
/* Names with dots between; NULL for anything else. */
const char *verb_dotted(struct check *check, const struct ast_expr *e);
/* The pipeline that stands first behind the verb; NULL after a complaint. */
struct plan *verb_plan(struct check *check, const struct ast_verb *verb);
/* Complains of Secret parameters without a default. */
void verb_secrets_are_fixed(struct check *check, const struct plan *plan, struct span span);

typedef void verb_function(struct check *check, const struct ast_stmt *stmt, struct action_list *list);

/* check_verb_run.c */
verb_function verb_attach, verb_clone, verb_delete, verb_forward, verb_logs, verb_open, verb_resume, verb_retry, verb_runs, verb_stop,
	verb_submit, verb_suspend, verb_tensorboard, verb_wait;
/* check_verb_cluster.c */
verb_function verb_cleanup, verb_prepare, verb_schedule, verb_upload;

#endif
