/* Plans built by hand, for tests of what reads plans. Everything lives in the arena of the fixture. */
#ifndef TESTS_DSL_PLAN_BUILDER_H
#define TESTS_DSL_PLAN_BUILDER_H

#include "dsl/plan.h"

enum { FIXTURE_MAX = 32 }; /* steps, groups, parameters, children of a group */

struct fixture {
	struct arena *arena;
	struct plan plan;
	struct plan_param params[FIXTURE_MAX];
	struct plan_step steps[FIXTURE_MAX];
	struct plan_group groups[FIXTURE_MAX];
	struct plan_child children[FIXTURE_MAX][FIXTURE_MAX];
	struct plan_output outputs[FIXTURE_MAX];
	struct settings settings;
};

void fixture_init(struct fixture *f, const char *name);
void fixture_release(struct fixture *f);

/* An empty Dict of settings to fill in. */
struct settings *fixture_settings(struct fixture *f);
/* "a:String b:Integer? c:Dataset s:Secret"; the outputs likewise. Not a process unless image is NULL. */
struct component *fixture_component(struct fixture *f, const char *name, const char *image, const char *inputs, const char *outputs);
/* Words of a command line: "<a" is the input a, ">b" the output b, "@" the attempt, "%" the step's name; the rest is text. */
void fixture_args(struct fixture *f, struct component *component, const char *words);

size_t fixture_param(struct fixture *f, const char *name, const char *type, const char *fallback);
/* A step at the end of the group, after the siblings in `needs` ("0 2", places). Arguments: NULL-terminated, in order of the inputs. */
size_t fixture_step(struct fixture *f, size_t group, const char *name, const struct component *component, const char *needs, ...);
size_t fixture_if(struct fixture *f, size_t parent, const char *needs, const struct expr *condition);
size_t fixture_for(struct fixture *f, size_t parent, const char *needs, const char *variable, const struct expr *items, int64_t parallel);
void fixture_output(struct fixture *f, const char *name, const struct expr *value);

const struct expr *fx_text(struct fixture *f, const char *text);
const struct expr *fx_integer(struct fixture *f, int64_t integer);
const struct expr *fx_json(struct fixture *f, const char *json); /* any constant */
const struct expr *fx_param(struct fixture *f, size_t index);
const struct expr *fx_of(struct fixture *f, size_t step, const char *output);
const struct expr *fx_item(struct fixture *f, size_t group, const char *type);
const struct expr *fx_fact(struct fixture *f, enum fact fact);
const struct expr *fx_state(struct fixture *f, size_t step, enum state_test state);
const struct expr *fx_secret(struct fixture *f, enum secret_source source, const char *name, const char *key, bool optional);
const struct expr *fx_concat(struct fixture *f, const struct expr *a, const struct expr *b, const struct expr *c); /* c may be NULL */
const struct expr *fx_binary(struct fixture *f, enum expr_op op, const struct expr *a, const struct expr *b);
const struct expr *fx_not(struct fixture *f, const struct expr *a);
const struct expr *fx_index(struct fixture *f, const struct expr *a, const struct expr *b);
const struct expr *fx_choice(struct fixture *f, const struct expr *condition, const struct expr *yes, const struct expr *no);
const struct expr *fx_range(struct fixture *f, const struct expr *end);
/* The argument that is not given. */
extern const struct expr FX_ABSENT;

#endif
