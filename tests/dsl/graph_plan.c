#include "config.h"

#include "tests/dsl/graph_plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "dsl/diag.h"
#include "dsl/scope.h"

static int
load_nothing(struct resolver *resolver UNUSED, const char *location, const struct source *from UNUSED, const char *sha256 UNUSED,
	     struct buf *ret_text UNUSED, char **ret_name UNUSED, struct error *err)
{
	return error_set(err, "`%s`: this program may use no file", location);
}

struct plan *
graph_plan(const char *text, size_t len)
{
	struct resolver resolver = { .load = load_nothing };
	struct scope *scope = scope_new(&resolver);
	struct source *source = source_new("In[3]", text, len);
	struct program *program;
	struct plan *plan;
	struct diags diags;

	diags_init(&diags);
	program = scope_check(scope, source, &diags);
	if (!program || !program->n_plans)
		BUG("a test's program is wrong: %s", diags.n ? diags.items[0]->message : "no pipeline in it");
	plan = plan_ref(program->plans[program->n_plans - 1]);
	program_free(program);
	diags_release(&diags);
	source_unref(source);
	scope_free(scope);
	return plan;
}

static enum graph_phase
phase_of(const char *name, size_t len)
{
	for (int phase = 0; phase < GRAPH_PHASE_MAX; phase++) {
		const char *known = graph_phase_name((enum graph_phase)phase);

		if (strlen(known) == len && !strncmp(known, name, len))
			return (enum graph_phase)phase;
	}
	BUG("no phase `%.*s`", (int)len, name);
}

/* What stands behind the next `/`, or NULL. */
static char *
next_field(char **at)
{
	char *slash = *at ? strchr(*at, '/') : NULL;

	if (slash)
		*slash++ = '\0';
	*at = slash;
	return slash;
}

static void
read_state(struct arena *arena, char *word, struct graph_state *ret)
{
	char *at = word, *seconds = next_field(&at), *attempts = next_field(&at), *items = next_field(&at), *message = next_field(&at);

	ret->phase = phase_of(word, strlen(word));
	ret->seconds = seconds ? strtod(seconds, NULL) : 0;
	ret->attempts = attempts ? (unsigned)strtoul(attempts, NULL, 10) : 0;
	if (items && *items) {
		ret->done = strtoul(items, &items, 10);
		ret->total = *items == ':' ? strtoul(items + 1, NULL, 10) : 0;
	}
	if (message) {
		char *text = arena_strdup(arena, message);

		for (char *c = text; *c; c++)
			*c = *c == '_' ? ' ' : *c;
		ret->message = text;
	}
}

struct graph_run *
graph_run_from(struct arena *arena, const struct plan *plan, const char *words)
{
	struct graph_run *run = arena_new_struct(arena, struct graph_run);
	struct graph_state *steps = arena_alloc(arena, plan->n_steps * sizeof *steps), whole = { .phase = GRAPH_RUNNING };
	char *copy = arena_strdup(arena, words), *next;

	for (char *word = strtok_r(copy, " ", &next); word; word = strtok_r(NULL, " ", &next)) {
		char *equals = strchr(word, '=');
		size_t step;

		if (!equals) {
			read_state(arena, word, &whole);
			continue;
		}
		*equals = '\0';
		step = plan_step_index(plan, word);
		if (step == SIZE_MAX)
			BUG("no step `%s`", word);
		read_state(arena, equals + 1, &steps[step]);
	}
	*run = (struct graph_run){
		.id = "r-7f3a", .phase = whole.phase, .seconds = whole.seconds, .message = whole.message, .steps = steps,
	};
	return run;
}
