/* Plans for tests of the runtime, from a few words a line, without the language:
 *
 *     param NAME TYPE [= VALUE]            String Integer Float Boolean List Dict Artifact; VALUE is JSON
 *     secret NAME STORE KEY                a parameter of type Secret
 *     if GROUP when CONDITION              true false failed:STEP succeeded:STEP skipped:STEP STEP.OUTPUT=TEXT; joined by `and`
 *     for GROUP over ITEMS [parallel N]    a JSON list without blanks, a parameter, or STEP.OUTPUT; the item is @GROUP
 *     step NAME [SETTINGS] [NAME:TYPE=EXPR …] [-> NAME:TYPE …]
 *     script LANGUAGE                      the lines up to `end` are the script of the step before
 *     command WORD …                       of the step before; `$NAME` its input, `%NAME` its output's path, `~` a blank
 *     args WORD …                          the same
 *     image NAME
 *     path OUTPUT PATH                     where the component itself writes it
 *     secret_env VARIABLE STORE KEY        of the step before
 *     env VARIABLE TEXT
 *     output NAME EXPR                     of the pipeline
 *
 * SETTINGS: `in GROUP`, `after STEP`, `retry N`, `backoff S`, `factor F`, `max S`, `when error|failure|always|preemption`,
 * `timeout S`, `memory Q`, `cpu Q`. EXPR: a parameter, STEP.OUTPUT, @GROUP, `null`, or `'` and JSON. `if` and `for` take `in` and `after` too. What
 * expressions and conditions name is needed by itself. A TYPE with `?` is optional; its value after `|` is the fallback. */
#ifndef TESTS_RUNTIME_PLAN_FIXTURES_H
#define TESTS_RUNTIME_PLAN_FIXTURES_H

#include "dsl/plan.h"

/* What cannot be read is a BUG(). Unref it. */
struct plan *fixture_plan(const char *name, const char *text);

#endif
