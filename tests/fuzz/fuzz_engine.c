/* The engine under any plan and any events. The bytes say both: first steps, groups and needs (a need is always of something
 * earlier, so there is no cycle), then what happens. Whatever it is: nothing runs twice at once, no attempt ends twice, the jobs
 * hold, a stopped run comes to its end, and a replay of the journal ends the same. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "runtime/engine.h"
#include "tests/runtime/plan_fixtures.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ITEMS_MAX = 24, RUNNING_MAX = 4096 };

struct bytes {
	const uint8_t *data;
	size_t len, at;
};

struct running {
	size_t node;
	int attempt;
};

struct play {
	struct engine *engine;
	struct running running[RUNNING_MAX];
	size_t n_running, jobs;
	bool finished;
	int64_t now_ms;
	VEC(struct engine_event) journal;
};

static unsigned
take(struct bytes *bytes, unsigned below)
{
	return bytes->at < bytes->len ? bytes->data[bytes->at++] % below : 0;
}

static void
write_step(struct bytes *bytes, struct buf *text, unsigned number)
{
	static const char *const whens[] = { "failure", "error", "preemption", "always" };

	buf_printf(text, "step s%u", number);
	if (take(bytes, 3) == 1)
		buf_printf(text, " retry %u when %s backoff %u factor %u max %u", take(bytes, 4), whens[take(bytes, 4)], take(bytes, 9),
			take(bytes, 4), take(bytes, 30));
	if (take(bytes, 4) == 1)
		buf_printf(text, " timeout %u", 1 + take(bytes, 9));
}

static void
write_group(struct bytes *bytes, struct buf *text, unsigned number, unsigned steps, const unsigned *group_of, unsigned in)
{
	static const char *const items[] = { "[]", "[1]", "[1,2,3]", "[[],{}]" };
	static const char *const tests[] = { "failed", "succeeded", "skipped" };
	unsigned of = steps ? take(bytes, steps) : 0;

	if (take(bytes, 2))
		buf_printf(text, "for g%u over %s parallel %u", number, items[take(bytes, 4)], take(bytes, 3));
	else if (steps && (!group_of[of] || group_of[of] == in) && take(bytes, 2))
		buf_printf(text, "if g%u when true and %s:s%u", number, tests[take(bytes, 3)], of);
	else
		buf_printf(text, "if g%u when %s", number, take(bytes, 2) ? "true" : "false");
}

static void
write_plan(struct bytes *bytes, struct buf *text)
{
	unsigned steps = 0, groups = 0, n = take(bytes, ITEMS_MAX), group_of[ITEMS_MAX] = { 0 };

	for (unsigned i = 0; i < n; i++) {
		unsigned in = groups ? take(bytes, groups + 1) : 0, other;
		bool is_group = take(bytes, 4) == 1;

		if (is_group)
			write_group(bytes, text, ++groups, steps, group_of, in);
		else
			write_step(bytes, text, steps);
		if (in)
			buf_printf(text, " in g%u", in);
		other = steps ? take(bytes, steps) : 0;
		if (steps && take(bytes, 2) && (!group_of[other] || group_of[other] == in))
			buf_printf(text, " after s%u", other);
		if (!is_group)
			group_of[steps++] = in;
		buf_putc(text, '\n');
	}
}

static void
started(struct play *play, size_t node, int attempt)
{
	for (size_t i = 0; i < play->n_running; i++)
		if (play->running[i].node == node)
			BUG("node %zu runs twice", node);
	if (play->n_running >= play->jobs)
		BUG("more than %zu run", play->jobs);
	play->running[play->n_running++] = (struct running){ node, attempt };
}

static bool
feed(struct play *play, const struct engine_event *event)
{
	const struct engine_action *actions;
	size_t n;
	bool effect = engine_feed(play->engine, event, &actions, &n);

	if (effect)
		vec_push(&play->journal, *event);
	for (size_t i = 0; i < n; i++) {
		if (actions[i].kind == ENGINE_DO_START)
			started(play, actions[i].node, actions[i].attempt);
		if (actions[i].kind == ENGINE_FINISHED && play->finished)
			BUG("finished twice");
		if (actions[i].kind == ENGINE_FINISHED)
			play->finished = true;
	}
	return effect;
}

static void
end_one(struct play *play, size_t at, unsigned how)
{
	struct running r = play->running[at];
	struct engine_event event = { .kind = ENGINE_EXITED, .now_ms = play->now_ms, .node = r.node, .attempt = r.attempt };

	event.how = how == 3 ? EXIT_ERROR : how == 2 ? EXIT_SIGNAL : EXIT_CODE;
	event.number = how == 2 ? 9 : how == 1;
	event.text = how == 3 ? "lost" : NULL;
	play->running[at] = play->running[--play->n_running];
	if (!feed(play, &event))
		BUG("the end of an attempt has no effect");
	if (feed(play, &event))
		BUG("an attempt ended twice");
}

static void
something(struct play *play, struct bytes *bytes)
{
	struct engine_event event = { .kind = (enum engine_event_kind)take(bytes, 4) };

	event.now_ms = play->now_ms += take(bytes, 256) * 64;
	if (take(bytes, 16) != 1) /* else: whatever the bytes say, also what makes no sense */
		event.kind = take(bytes, 40) == 1 ? ENGINE_STOP : ENGINE_TICK;
	if (play->n_running && take(bytes, 4)) {
		end_one(play, take(bytes, (unsigned)play->n_running), take(bytes, 4));
		return;
	}
	if (event.kind == ENGINE_EXITED) {
		event.node = take(bytes, 64);
		event.attempt = -1;
	}
	feed(play, &event);
}

static void
check_replay(struct play *play, struct plan *plan, const struct engine_args *args)
{
	struct engine *again = engine_new(plan, args, NULL);
	const struct engine_action *actions;
	size_t n;

	for (size_t i = 0; i < play->journal.n; i++)
		engine_feed(again, &play->journal.items[i], &actions, &n);
	if (engine_phase(again) != engine_phase(play->engine) || engine_node_count(again) != engine_node_count(play->engine))
		BUG("the replay ended elsewhere");
	for (size_t i = 0; i < engine_node_count(again); i++)
		if (engine_node(again, i)->phase != engine_node(play->engine, i)->phase ||
		    engine_node(again, i)->attempts != engine_node(play->engine, i)->attempts)
			BUG("node %zu is elsewhere in the replay", i);
	engine_free(again);
}

static void
check_end(const struct play *play)
{
	for (size_t i = 0; i < engine_node_count(play->engine); i++)
		if (!phase_ended(engine_node(play->engine, i)->phase) || engine_node(play->engine, i)->running)
			BUG("node %zu has not ended", i);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = { data, size, 0 };
	struct engine_event start = { .kind = ENGINE_START }, stop = { .kind = ENGINE_STOP };
	struct play *play = xcalloc(1, sizeof(*play));
	struct buf text = { 0 };
	struct engine_args args = { 0 };
	struct plan *plan;

	write_plan(&bytes, &text);
	plan = fixture_plan("fuzz", buf_text(&text));
	args.jobs = play->jobs = 1 + take(&bytes, 5);
	play->engine = engine_new(plan, &args, NULL);
	feed(play, &start);
	while (bytes.at < bytes.len && !play->finished)
		something(play, &bytes);
	stop.now_ms = play->now_ms;
	feed(play, &stop);
	while (play->n_running)
		end_one(play, 0, 2);
	if (!play->finished)
		BUG("a stopped run does not end");
	check_end(play);
	check_replay(play, plan, &args);
	engine_free(play->engine);
	plan_unref(plan);
	vec_release(&play->journal);
	buf_release(&text);
	free(play);
	return 0;
}
