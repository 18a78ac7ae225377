/* A plan in the making: what plan_fixtures.c reads and plan_fixtures_settle.c turns into arrays. */
#ifndef TESTS_RUNTIME_PLAN_FIXTURES_PRIVATE_H
#define TESTS_RUNTIME_PLAN_FIXTURES_PRIVATE_H

#include "base/macros.h"
#include "dsl/plan.h"

enum { WORDS_MAX = 4096, PARAMS_ROOM = 64, PORTS_ROOM = 64 };

struct sizes {
	size_t *items;
	size_t n, cap;
};

struct step_plan {
	struct plan_step step;
	struct component component;
	struct settings settings;
	struct port inputs[PORTS_ROOM], outputs[PORTS_ROOM];
	const struct expr *args[PORTS_ROOM];
	struct sizes needs; /* steps */
	struct setting_secret secrets[8];
	struct setting_pair env[8];
};

struct group_plan {
	struct plan_group group;
	const char *name;
	VEC(struct plan_child) children;
	struct sizes needs; /* steps */
};

struct building {
	struct arena *arena;
	struct plan *plan;
	struct plan_param params[PARAMS_ROOM];
	VEC(struct step_plan *) steps;
	VEC(struct group_plan *) groups;
	struct plan_output outputs[PORTS_ROOM];
	struct sizes *needs; /* of what is being read */
	const char *words[WORDS_MAX];
	size_t n_words, at;
	const char *line; /* the same, whole */
};

/* Puts needs where they belong, and everything into the plan's arrays. */
void fixture_settle(struct building *b);

#endif
