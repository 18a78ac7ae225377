#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/engine.h"
#include "tests/cases.h"
#include "tests/runtime/plan_fixtures.h"
#include "tests/tap.h"

/* A world without processes: what each attempt does is written in the case, and time is a number.
 *
 *     STEP[KEY][#ATTEMPT]: ok | fail N | signal N | error TEXT [@SECONDS] [OUTPUT=JSON …]
 *     stop @SECONDS
 *     jobs N
 *     arg NAME JSON
 *
 * A step that is not named succeeds at once. An attempt takes as many seconds as it says, and ends at once when killed. */
struct outcome {
	char who[64];
	enum exit_kind how;
	int number;
	const char *text;
	int64_t seconds;
	char outputs[256];
};

struct pending {
	size_t node;
	int attempt;
	int64_t at_ms;
	const struct outcome *outcome;
	bool killed;
};

struct world {
	struct arena *arena;
	struct plan *plan;
	struct engine *engine;
	struct outcome outcomes[64];
	size_t n_outcomes;
	VEC(struct pending) pending;
	int64_t now_ms, stop_ms;
	size_t jobs, most;
	const struct value **values;
	struct buf order;
	VEC(struct engine_event) journal;
	bool keeps_journal, finished;
	size_t too_early; /* steps that began before what they need had ended; counted with the journal */
};

static void
read_outcome(struct world *w, char *line)
{
	struct outcome *o = &w->outcomes[w->n_outcomes++];
	char *save = NULL, *token = strtok_r(line, " ", &save);

	snprintf(o->who, sizeof(o->who), "%.*s", (int)strcspn(token, ":"), token);
	while ((token = strtok_r(NULL, " ", &save))) {
		if (*token == '@')
			o->seconds = strtoll(token + 1, NULL, 10);
		else if (!strcmp(token, "fail"))
			o->number = (int)strtol(strtok_r(NULL, " ", &save), NULL, 10);
		else if (!strcmp(token, "signal"))
			o->how = EXIT_SIGNAL, o->number = (int)strtol(strtok_r(NULL, " ", &save), NULL, 10);
		else if (!strcmp(token, "error"))
			o->how = EXIT_ERROR, o->text = arena_strdup(w->arena, strtok_r(NULL, " ", &save));
		else if (strchr(token, '='))
			snprintf(o->outputs + strlen(o->outputs), sizeof(o->outputs) - strlen(o->outputs), "%s ", token);
	}
}

static void
read_world(struct world *w, const char *text)
{
	while (text && *text) {
		size_t len = strcspn(text, "\n");
		char *line = arena_strndup(w->arena, text, len);

		text += len + (text[len] == '\n');
		if (!strncmp(line, "stop @", 6))
			w->stop_ms = strtoll(line + 6, NULL, 10) * 1000;
		else if (!strncmp(line, "jobs ", 5))
			w->jobs = strtoul(line + 5, NULL, 10);
		else if (!strncmp(line, "arg ", 4)) {
			char *name = line + 4, *json = strchr(name, ' ');

			*json++ = '\0';
			w->values[plan_param_index(w->plan, name)] = value_read_json(w->arena, json, strlen(json), NULL);
		} else if (*line)
			read_outcome(w, line);
	}
}

static const struct outcome *
outcome_of(const struct world *w, size_t node, int attempt)
{
	static const struct outcome fine;
	char names[4][64];
	struct buf key = { 0 };
	const char *step = w->plan->steps[engine_node(w->engine, node)->index].name;

	engine_node_key(w->engine, node, &key);
	snprintf(names[0], 64, "%s%s#%d", step, buf_text(&key), attempt);
	snprintf(names[1], 64, "%s#%d", step, attempt);
	snprintf(names[2], 64, "%s%s", step, buf_text(&key));
	snprintf(names[3], 64, "%s", step);
	buf_release(&key);
	for (size_t n = 0; n < 4; n++)
		for (size_t i = 0; i < w->n_outcomes; i++)
			if (!strcmp(w->outcomes[i].who, names[n]))
				return &w->outcomes[i];
	return &fine;
}

/* What each output is: as the case says, else its own name; files lie at /STEP/OUTPUT. */
static const struct engine_output *
outputs_of(struct world *w, size_t node, const struct outcome *outcome)
{
	size_t index = engine_node(w->engine, node)->index;
	const struct plan_step *step = &w->plan->steps[index];
	const struct component *c = step->component;
	struct engine_output *outputs = arena_alloc(w->arena, c->n_outputs * sizeof(*outputs) + 1);

	for (size_t i = 0; i < c->n_outputs; i++) {
		const char *given = arena_printf(w->arena, "%s=", c->outputs[i].id);
		const char *at = strstr(outcome->outputs, given);

		outputs[i].value = at ? value_read_json(w->arena, at + strlen(given), strcspn(at + strlen(given), " "), NULL) :
			value_string(w->arena, c->outputs[i].id);
		if (c->outputs[i].passing != PASS_FILE)
			continue;
		outputs[i].path = arena_printf(w->arena, "/%s/%s", step->name, c->outputs[i].id);
		if (!engine_wants_text(w->engine, index, i))
			outputs[i].value = NULL;
	}
	return outputs;
}

static const struct engine_node *
sibling(const struct engine *engine, size_t frame, const struct plan_child *child)
{
	for (size_t i = 0; i < engine_node_count(engine); i++) {
		const struct engine_node *node = engine_node(engine, i);

		if (node->frame == frame && node->is_group == child->is_group && node->index == child->index)
			return node;
	}
	BUG("a child has no node");
}

/* All that the step needs beside it has Succeeded or was Skipped. */
static bool
may_start(const struct world *w, const struct engine_node *node)
{
	const struct plan_group *group = &w->plan->groups[w->plan->steps[node->index].group];
	const struct plan_child *child = group->children;

	while (child->is_group || child->index != node->index)
		child++;
	for (size_t i = 0; i < child->n_needs; i++) {
		enum phase phase = sibling(w->engine, node->frame, &group->children[child->needs[i]])->phase;

		if (phase != PHASE_SUCCEEDED && phase != PHASE_SKIPPED)
			return false;
	}
	return true;
}

static void
note_start(struct world *w, const struct engine_action *action)
{
	const struct engine_node *node = engine_node(w->engine, action->node);
	struct pending pending = { .node = action->node, .attempt = action->attempt,
				   .outcome = outcome_of(w, action->node, action->attempt) };

	pending.at_ms = w->now_ms + pending.outcome->seconds * 1000;
	w->too_early += w->keeps_journal && !may_start(w, node);
	vec_push(&w->pending, pending);
	if (w->pending.n > w->most)
		w->most = w->pending.n;
	buf_printf(&w->order, "%s%lld:%s", w->order.len ? " " : "", (long long)w->now_ms / 1000,
		w->plan->steps[node->index].name);
	engine_node_key(w->engine, action->node, &w->order);
}

static bool
feed(struct world *w, const struct engine_event *event)
{
	const struct engine_action *actions;
	size_t n;
	bool effect = engine_feed(w->engine, event, &actions, &n);

	if (effect && w->keeps_journal)
		vec_push(&w->journal, *event);
	for (size_t i = 0; i < n; i++) {
		if (actions[i].kind == ENGINE_DO_START)
			note_start(w, &actions[i]);
		else if (actions[i].kind == ENGINE_FINISHED)
			w->finished = true;
		for (size_t j = 0; actions[i].kind == ENGINE_DO_KILL && j < w->pending.n; j++)
			if (w->pending.items[j].node == actions[i].node) {
				w->pending.items[j].killed = true;
				w->pending.items[j].at_ms = w->now_ms;
			}
	}
	return effect;
}

/* The next thing that happens, the earliest first; of those at once the one that began first. */
static bool
next(struct world *w)
{
	struct engine_event event = { .kind = ENGINE_TICK };
	int64_t tick = engine_next_ms(w->engine);
	size_t first = SIZE_MAX;

	for (size_t i = 0; i < w->pending.n; i++)
		if (first == SIZE_MAX || w->pending.items[i].at_ms < w->pending.items[first].at_ms)
			first = i;
	if (w->stop_ms >= 0 && (first == SIZE_MAX || w->stop_ms <= w->pending.items[first].at_ms) &&
	    (tick < 0 || w->stop_ms <= tick)) {
		event = (struct engine_event){ .kind = ENGINE_STOP, .now_ms = w->now_ms = w->stop_ms };
		w->stop_ms = -1;
		feed(w, &event);
	} else if (tick >= 0 && (first == SIZE_MAX || tick <= w->pending.items[first].at_ms)) {
		event.now_ms = w->now_ms = tick;
		feed(w, &event);
	} else if (first != SIZE_MAX) {
		struct pending p = w->pending.items[first];

		memmove(&w->pending.items[first], &w->pending.items[first + 1],
			(--w->pending.n - first) * sizeof(*w->pending.items));
		w->now_ms = p.at_ms;
		event = (struct engine_event){ .kind = ENGINE_EXITED, .now_ms = p.at_ms, .node = p.node, .attempt = p.attempt,
					       .how = p.killed ? EXIT_SIGNAL : p.outcome->how,
					       .number = p.killed ? 15 : p.outcome->number, .text = p.outcome->text };
		if (event.how == EXIT_CODE && !event.number)
			event.outputs = outputs_of(w, p.node, p.outcome);
		feed(w, &event);
	} else {
		return false;
	}
	return !w->finished;
}

static void
write_inputs(const struct engine_node *node, const struct component *component, struct buf *buf)
{
	for (size_t i = 0; node->inputs && i < component->n_inputs; i++) {
		const struct engine_input *input = &node->inputs[i];

		buf_printf(buf, " %s=", component->inputs[i].id);
		if (input->kind == INPUT_ABSENT)
			buf_puts(buf, "-");
		else if (input->kind == INPUT_SECRET)
			buf_printf(buf, "secret(%s)", input->secret->name);
		else if (input->kind == INPUT_PATH)
			buf_printf(buf, "<%s>", input->path);
		else
			value_write_json(buf, input->value);
		if (input->kind == INPUT_PATHS)
			buf_puts(buf, "<>");
		if (input->kind == INPUT_TEXT)
			buf_puts(buf, "|file");
	}
}

/* One line for each step's instance, in the order of their making, then the run. */
static void
describe(const struct world *w, struct buf *buf)
{
	for (size_t i = 0; i < engine_node_count(w->engine); i++) {
		const struct engine_node *node = engine_node(w->engine, i);

		if (node->is_group) {
			if (node->phase == PHASE_ERROR && node->message)
				buf_printf(buf, "group %zu Error (%s)\n", node->index, node->message);
			continue;
		}
		buf_puts(buf, w->plan->steps[node->index].name);
		engine_node_key(w->engine, i, buf);
		buf_printf(buf, " %s", phase_name(node->phase));
		if (node->attempts != 1)
			buf_printf(buf, " x%d", node->attempts);
		if (phase_ran(node->phase))
			write_inputs(node, w->plan->steps[node->index].component, buf);
		if (node->message && node->phase != PHASE_OMITTED)
			buf_printf(buf, " (%s)", node->message);
		buf_putc(buf, '\n');
	}
	buf_printf(buf, "run %s", phase_name(engine_phase(w->engine)));
	if (engine_message(w->engine))
		buf_printf(buf, " (%s)", engine_message(w->engine));
	buf_putc(buf, '\n');
}

static void
describe_outputs(struct world *w, struct buf *buf)
{
	struct error err;
	const struct value *const *outputs;

	if (engine_phase(w->engine) != PHASE_SUCCEEDED || !w->plan->n_outputs)
		return;
	outputs = engine_outputs(w->engine, &err);
	for (size_t i = 0; i < w->plan->n_outputs; i++) {
		buf_printf(buf, "output %s = ", w->plan->outputs[i].name);
		if (outputs)
			value_write_json(buf, outputs[i]);
		else
			buf_puts(buf, err.text);
		buf_putc(buf, '\n');
	}
}

static void
world_init(struct world *w, const char *plan, const char *script)
{
	*w = (struct world){ .arena = arena_new(), .now_ms = 1000000, .stop_ms = -1, .jobs = 4 };
	w->plan = fixture_plan("test", plan);
	w->values = arena_alloc(w->arena, w->plan->n_params * sizeof(*w->values) + 1);
	read_world(w, script);
	w->now_ms = 0;
}

static struct engine *
new_engine(const struct world *w, struct error *err)
{
	struct engine_args args = { .values = w->values, .run_id = "id", .run_name = "name", .jobs = w->jobs };

	return engine_new(w->plan, &args, err);
}

static void
world_release(struct world *w)
{
	engine_free(w->engine);
	plan_unref(w->plan);
	arena_free(w->arena);
	vec_release(&w->pending);
	vec_release(&w->journal);
	buf_release(&w->order);
}

static void
run_world(struct world *w)
{
	struct engine_event start = { .kind = ENGINE_START };

	feed(w, &start);
	while (!w->finished && next(w))
		;
}

static void
test_case(struct case_file *file, struct test_case *test)
{
	struct world w;
	struct buf got = { 0 };
	struct error err;

	world_init(&w, case_text(test, "plan"), case_text(test, "world"));
	w.engine = new_engine(&w, &err);
	if (w.engine) {
		run_world(&w);
		describe(&w, &got);
		describe_outputs(&w, &got);
		ok(w.finished, "%s: finished", test->name);
		if (case_text(test, "order"))
			case_is(file, test, "order", buf_text(&w.order), w.order.len);
	} else {
		buf_printf(&got, "%s\n", err.text);
	}
	case_is(file, test, "expected", buf_text(&got), got.len);
	buf_release(&got);
	world_release(&w);
}

/* ---- properties ---- */

static unsigned
random_below(uint64_t *seed, unsigned n)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*seed >> 33) % n;
}

static void
random_settings(struct buf *text, uint64_t *seed)
{
	static const char *const whens[] = { "failure", "error", "always" };

	if (!random_below(seed, 4))
		buf_printf(text, " retry %u when %s backoff %u factor 2 max 5", random_below(seed, 3), whens[random_below(seed, 3)],
			random_below(seed, 3));
	if (!random_below(seed, 5))
		buf_printf(text, " timeout %u", 1 + random_below(seed, 4));
}

/* Steps and groups that need whatever came before them; inner ones see their own group's and the outer ones. */
static void
random_plan(struct buf *text, uint64_t *seed, unsigned n)
{
	unsigned groups = 0, steps = 0;
	unsigned group_of[256] = { 0 };

	for (unsigned i = 0; i < n; i++) {
		unsigned in = groups && random_below(seed, 2) ? 1 + random_below(seed, groups) : 0;
		unsigned kind = random_below(seed, 8);

		if (kind == 0 && groups < 200) {
			buf_printf(text, "for g%u over [1,2,3] parallel %u", ++groups, random_below(seed, 3));
		} else if (kind == 1 && groups < 200) {
			buf_printf(text, "if g%u when %s", ++groups, random_below(seed, 3) ? "true" : "false");
		} else {
			buf_printf(text, "step s%u", steps);
			random_settings(text, seed);
			group_of[steps++] = in;
		}
		if (in)
			buf_printf(text, " in g%u", in);
		for (unsigned j = 0; j < 2 && steps > 1 && random_below(seed, 2); j++) {
			unsigned other = random_below(seed, steps - 1);

			if (group_of[other] == 0 || group_of[other] == in)
				buf_printf(text, " after s%u", other);
		}
		buf_putc(text, '\n');
	}
}

struct checks {
	size_t too_early, running_at_end;
};

static void
check_end(const struct world *w, struct checks *checks)
{
	checks->too_early += w->too_early;
	for (size_t i = 0; i < engine_node_count(w->engine); i++) {
		const struct engine_node *node = engine_node(w->engine, i);

		checks->running_at_end += node->running || !phase_ended(node->phase);
	}
}

static void
random_event(struct world *w, uint64_t *seed)
{
	static const struct outcome outcomes[] = { { .how = EXIT_CODE }, { .how = EXIT_CODE }, { .how = EXIT_CODE },
						   { .how = EXIT_CODE, .number = 3 }, { .how = EXIT_SIGNAL, .number = 9 },
						   { .how = EXIT_ERROR, .text = "broken" } };
	struct engine_event event = { .kind = ENGINE_TICK, .now_ms = w->now_ms += random_below(seed, 1500) };
	size_t at;

	if (!random_below(seed, 150))
		event.kind = ENGINE_STOP;
	if (event.kind == ENGINE_TICK && w->pending.n && random_below(seed, 4)) {
		at = random_below(seed, (unsigned)w->pending.n);
		event.kind = ENGINE_EXITED;
		event.node = w->pending.items[at].node;
		event.attempt = w->pending.items[at].attempt;
		event.how = outcomes[random_below(seed, ARRAY_LEN(outcomes))].how;
		event.number = event.how == EXIT_SIGNAL ? 9 : event.how == EXIT_CODE ? (int)!random_below(seed, 4) * 3 : 0;
		event.text = event.how == EXIT_ERROR ? "broken" : NULL;
		w->pending.items[at] = w->pending.items[--w->pending.n];
		if (!feed(w, &event))
			BUG("the end of a running attempt has no effect");
		if (feed(w, &event))
			BUG("an attempt ended twice");
		return;
	}
	feed(w, &event);
}

/* A new engine that is given the first events of the journal is where the old one was: the rest takes it to the same end. */
static void
check_replay(const struct world *w, size_t prefix, const char *want, unsigned seed)
{
	struct world again = *w;
	struct buf got = { 0 };
	struct error err;
	const struct engine_action *actions;
	size_t n, effects = 0;

	again.engine = new_engine(w, &err);
	for (size_t i = 0; i < prefix; i++)
		effects += engine_feed(again.engine, &w->journal.items[i], &actions, &n);
	if (effects != prefix)
		ok(false, "seed %u: %zu of %zu events had an effect", seed, effects, prefix);
	for (size_t i = prefix; i < w->journal.n; i++)
		engine_feed(again.engine, &w->journal.items[i], &actions, &n);
	describe(&again, &got);
	if (strcmp(buf_text(&got), want) != 0)
		is_str(buf_text(&got), want, "seed %u: replay of %zu events", seed, prefix);
	buf_release(&got);
	engine_free(again.engine);
}

static void
random_run(unsigned number, struct checks *checks)
{
	uint64_t seed = number * 7919u + 1;
	struct buf text = { 0 }, want = { 0 };
	struct engine_event start = { .kind = ENGINE_START };
	struct error err;
	struct world w;

	random_plan(&text, &seed, 3 + random_below(&seed, 30));
	world_init(&w, buf_text(&text), NULL);
	w.jobs = 1 + random_below(&seed, 4);
	w.keeps_journal = true;
	w.engine = new_engine(&w, &err);
	feed(&w, &start);
	for (size_t i = 0; i < 100000 && !w.finished; i++)
		random_event(&w, &seed);
	if (!w.finished)
		ok(false, "seed %u: the run does not end:\n%s", number, buf_text(&text));
	if (w.most > w.jobs)
		ok(false, "seed %u: %zu of at most %zu ran at once", number, w.most, w.jobs);
	check_end(&w, checks);
	describe(&w, &want);
	for (unsigned i = 0; i < 4; i++)
		check_replay(&w, random_below(&seed, (unsigned)w.journal.n + 1), buf_text(&want), number);
	buf_release(&want);
	buf_release(&text);
	world_release(&w);
}

static void
test_random(void)
{
	struct checks checks = { 0 };

	for (unsigned i = 0; i < 400; i++)
		random_run(i, &checks);
	is_int((int64_t)checks.running_at_end, 0, "nothing runs or waits after the end of 400 random runs");
	is_int((int64_t)checks.too_early, 0, "no step begins before what it needs has ended");
}

/* Steps in a chain and steps beside each other: the work for each must not grow. */
static void
test_large(void)
{
	struct buf text = { 0 };
	struct error err;
	struct world w;

	for (unsigned i = 0; i < 20000; i++)
		buf_printf(&text, i % 2 ? "step s%u after s%u\n" : "step s%u\n", i, i - 1);
	world_init(&w, buf_text(&text), NULL);
	w.engine = new_engine(&w, &err);
	run_world(&w);
	is_str(phase_name(engine_phase(w.engine)), "Succeeded", "20,000 steps");
	ok(w.most <= w.jobs, "never more than the jobs");
	buf_release(&text);
	world_release(&w);
}

int
main(void)
{
	struct case_file file;

	cases_open(&file, "tests/runtime/engine.cases");
	for (size_t i = 0; i < file.n_cases; i++)
		test_case(&file, &file.cases[i]);
	cases_close(&file);
	test_random();
	test_large();
	return done_testing();
}
