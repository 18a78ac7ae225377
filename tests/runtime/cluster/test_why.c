#include "config.h"

#include <string.h>

#include "base/json_tree.h"
#include "runtime/cluster/why.h"
#include "tests/cases.h"
#include "tests/runtime/plan_fixtures.h"
#include "tests/tap.h"

/* A case's parts: `plan` (its first step is the step; or none), `pod` and `event` (JSON; as many events as it likes), `waits`,
 * then `pending` or `failed`, what is said; or `messages`, each line one of Argo's, with `pending` or `failed` for all. */

enum { EVENTS_MAX = 8 };

static const struct value *
read_json(struct arena *arena, const char *text)
{
	struct error err;
	const struct value *value = json_tree_read(arena, text, strlen(text), &err);

	if (!value)
		BUG("%s: %s", err.text, text);
	return value;
}

static void
say(struct buf *buf, const struct why_facts *facts, bool failed, struct arena *arena)
{
	struct why why = failed ? why_failed(facts, arena) : why_pending(facts, arena);

	buf_printf(buf, "%s\n", why.what ? why.what : "nothing");
	if (why.help)
		buf_printf(buf, "  → %s\n", why.help);
}

static void
say_all(struct buf *buf, struct why_facts *facts, const char *messages, bool failed, struct arena *arena)
{
	for (const char *line = messages; line && *line; line += strcspn(line, "\n") + 1) {
		facts->message = arena_strndup(arena, line, strcspn(line, "\n"));
		say(buf, facts, failed, arena);
	}
	if (!messages)
		say(buf, facts, failed, arena);
}

static void
run_case(struct case_file *file, struct test_case *test)
{
	struct arena *arena = arena_new();
	struct plan *plan = case_text(test, "plan") ? fixture_plan("p", case_text(test, "plan")) : NULL;
	const struct value *events[EVENTS_MAX];
	struct why_facts facts = { .step = plan ? &plan->steps[0] : NULL, .events = events };
	const char *waits = case_text(test, "waits");

	facts.waits = waits ? arena_strndup(arena, waits, strcspn(waits, "\n")) : NULL;
	for (size_t i = 0; i < test->n_parts; i++) {
		struct case_part *part = &test->parts[i];
		bool failed = strncmp(part->name, "failed", 6) == 0;
		CLEANUP(buf_release) struct buf buf = { 0 };

		if (!strcmp(part->name, "pod"))
			facts.pod = read_json(arena, part->text);
		if (!strcmp(part->name, "event") && facts.n_events < EVENTS_MAX)
			events[facts.n_events++] = read_json(arena, part->text);
		if (!failed && strncmp(part->name, "pending", 7) != 0)
			continue;
		say_all(&buf, &facts, case_text(test, "messages"), failed, arena);
		case_is(file, test, part->name, buf_text(&buf), buf.len);
	}
	plan_unref(plan);
	arena_free(arena);
}

/* Any text, however long, comes out as valid words. */
static void
test_any(void)
{
	static const char *const odd[] = { "", "%", "{0}", "[", "Unschedulable: ", "Unschedulable: 0/0 nodes are available: ",
					   "0/3 nodes are available: 99999999999999999999 x.", "Unschedulable: a/b nodes are available: 1", "é: é" };
	struct arena *arena = arena_new();
	CLEANUP(buf_release) struct buf buf = { 0 };
	struct why_facts facts = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		facts.message = odd[i];
		why_pending(&facts, arena);
		why_failed(&facts, arena);
	}
	for (int i = 0; i < 4000; i++)
		buf_puts(&buf, "é");
	facts.message = buf_text(&buf);
	is_int((int64_t)strlen(why_failed(&facts, arena).what), 603, "a long text is cut between characters");
	facts.message = NULL;
	ok(!why_pending(&facts, arena).what && !why_failed(&facts, arena).what, "of nothing nothing is said");
	arena_free(arena);
}

int
main(void)
{
	struct case_file file;

	cases_open(&file, "tests/runtime/cluster/why.cases");
	for (size_t i = 0; i < file.n_cases; i++)
		run_case(&file, &file.cases[i]);
	cases_close(&file);
	test_any();
	return done_testing();
}
