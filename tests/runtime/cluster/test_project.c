#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/project.h"
#include "tests/cases.h"
#include "tests/runtime/plan_fixtures.h"
#include "tests/tap.h"

/* A case's parts: `plan`, as plan_fixtures.h has it; then as often as it likes `object` and `told`, what the observers are told; at
 * the end `run`. Of an object the first line is about the workflow, each other one about a node:
 *
 *     PHASE [suspend] [shutdown=Stop] [uid=U] [gone] [waiting] [at=START-END] [message=TEXT to the end]
 *     NAME TYPE PHASE [at=START-END] [exit=N] [NAME=VALUE …] [NAME@KEY …] [hit] [hooked] [waits=LOCK] [message=TEXT to the end]
 *
 * NAME is without the workflow's (`.` is the first node), times are seconds, an output's VALUE has no blanks. Which node stands in
 * which, and what is a child of what, is found out from the names. */

enum { NODES_MAX = 64, OBJECTS_MAX = 16 };

struct names {
	struct target_report report;
	struct target_step *steps;
	struct target_group *groups;
};

/* As the back end names them; outputs as they are. */
static void
names_init(struct names *names, const struct plan *plan, struct arena *arena)
{
	int loops = 0, conditions = 0;

	names->steps = arena_alloc(arena, plan->n_steps * sizeof *names->steps + 1);
	names->groups = arena_alloc(arena, plan->n_groups * sizeof *names->groups + 1);
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct component *c = plan->steps[i].component;
		const char **outputs = arena_alloc(arena, c->n_outputs * sizeof *outputs + 1);

		for (size_t k = 0; k < c->n_outputs; k++)
			outputs[k] = c->outputs[k].name;
		names->steps[i] = (struct target_step){ .task = plan->steps[i].name, .outputs = outputs };
	}
	for (size_t i = 1; i < plan->n_groups; i++) {
		bool loop = plan->groups[i].kind == GROUP_FOR;

		names->groups[i].task = arena_printf(arena, "%s-%d", loop ? "for-loop" : "condition", loop ? ++loops : ++conditions);
		names->groups[i].limited = plan->groups[i].parallel > 0;
	}
	names->report.steps = names->steps;
	names->report.groups = names->groups;
}

/* ---- objects ---- */

static void
write_times(struct buf *buf, const char *at)
{
	int start = 0, end = 0;

	sscanf(at, "%d-%d", &start, &end);
	buf_printf(buf, ",\"startedAt\":\"2026-01-01T00:00:%02dZ\"", start);
	if (end)
		buf_printf(buf, ",\"finishedAt\":\"2026-01-01T00:00:%02dZ\"", end);
}

struct node_line {
	char name[80], type[16];
};

/* The node whose template the other is a task of. */
static const struct node_line *
boundary_of(const struct node_line *nodes, size_t n, const struct node_line *node)
{
	const struct node_line *best = NULL;
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		size_t l = strlen(nodes[i].name);

		if ((strcmp(nodes[i].type, "DAG") != 0 && strcmp(nodes[i].type, "Steps") != 0) || l < len || strlen(node->name) <= l ||
		    strncmp(nodes[i].name, node->name, l) != 0 || (node->name[l] != '.' && node->name[l] != '['))
			continue;
		best = &nodes[i];
		len = l;
	}
	return best;
}

static void
write_words(struct buf *buf, char *words)
{
	struct buf parameters = { 0 }, artifacts = { 0 };
	char *save = NULL;
	const char *exit_code = NULL;

	for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		char *equals = strpbrk(w, "=@");

		if (!strncmp(w, "at=", 3)) {
			write_times(buf, w + 3);
		} else if (!strncmp(w, "exit=", 5)) {
			exit_code = w + 5;
		} else if (!strncmp(w, "waits=", 6)) {
			buf_printf(buf, ",\"synchronizationStatus\":{\"waiting\":\"%s\"}", w + 6);
		} else if (!strcmp(w, "hit")) {
			buf_puts(buf, ",\"memoizationStatus\":{\"hit\":true}");
		} else if (!strcmp(w, "hooked")) {
			buf_puts(buf, ",\"nodeFlag\":{\"hooked\":true}");
		} else if (equals && *equals == '=') {
			buf_printf(&parameters, "%s{\"name\":\"%.*s\",\"value\":", parameters.len ? "," : "", (int)(equals - w), w);
			value_write_json_string(&parameters, equals + 1, strlen(equals + 1));
			buf_putc(&parameters, '}');
		} else if (equals) {
			buf_printf(&artifacts, "%s{\"name\":\"%.*s\",\"s3\":{\"key\":\"%s\"}}", artifacts.len ? "," : "", (int)(equals - w), w,
				   equals + 1);
		}
	}
	buf_printf(buf, ",\"outputs\":{\"parameters\":[%s],\"artifacts\":[%s]", buf_text(&parameters), buf_text(&artifacts));
	buf_printf(buf, exit_code ? ",\"exitCode\":\"%s\"}" : "}", exit_code);
	buf_release(&parameters);
	buf_release(&artifacts);
}

static void
write_message(struct buf *buf, char *line)
{
	char *message = strstr(line, "message=");

	if (!message)
		return;
	buf_puts(buf, ",\"message\":");
	value_write_json_string(buf, message + 8, strlen(message + 8));
	*message = '\0';
}

static void
write_node(struct buf *buf, const struct node_line *nodes, size_t n, const struct node_line *node, char *line)
{
	char name[80], type[16], phase[16];
	int used = 0;
	const struct node_line *outer = boundary_of(nodes, n, node);
	const char *comma = "";

	write_message(buf, line);
	sscanf(line, "%79s %15s %15s%n", name, type, phase, &used);
	buf_printf(buf, ",\"name\":\"w%s\",\"displayName\":\"w%s\",\"type\":\"%s\",\"phase\":\"%s\",\"boundaryID\":\"%s%s\"", node->name, node->name,
		   type, phase, outer ? "w" : "", outer ? outer->name : "");
	write_words(buf, line + used);
	buf_puts(buf, ",\"children\":[");
	for (size_t i = 0; !strcmp(type, "Retry") && i < n; i++) {
		size_t l = strlen(node->name);

		if (strncmp(nodes[i].name, node->name, l) != 0 || nodes[i].name[l] != '(' || strchr(nodes[i].name + l, '.'))
			continue;
		buf_printf(buf, "%s\"w%s\"", comma, nodes[i].name);
		comma = ",";
	}
	buf_puts(buf, "]");
}

static void
write_head(struct buf *buf, char *line)
{
	struct buf status = { 0 };
	char phase[16], *save = NULL;
	const char *spec = "", *uid = "u";
	bool outstanding = strstr(line, " waiting") != NULL;

	write_message(&status, line);
	sscanf(line, "%15s", phase);
	for (char *w = strtok_r(line, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		if (!strcmp(w, "suspend"))
			spec = "\"suspend\":true";
		else if (!strcmp(w, "shutdown=Terminate"))
			spec = "\"shutdown\":\"Terminate\"";
		else if (!strncmp(w, "uid=", 4))
			uid = w + 4;
		else if (!strncmp(w, "at=", 3))
			write_times(&status, w + 3);
	}
	buf_printf(buf, "{\"metadata\":{\"name\":\"w\",\"namespace\":\"ns\",\"uid\":\"%s\"},\"spec\":{%s},\"status\":{\"phase\":\"%s\"%s%s,\"nodes\":{", uid,
		   spec, phase, buf_text(&status), outstanding ? ",\"taskResultsCompletionStatus\":{\"x\":false}" : "");
	buf_release(&status);
}

static void
write_object(struct buf *buf, const char *text)
{
	CLEANUP(freep) char *copy = xstrdup(text);
	struct node_line nodes[NODES_MAX];
	char *lines[NODES_MAX], *save = NULL, *head = strtok_r(copy, "\n", &save);
	size_t n = 0;

	for (char *line = strtok_r(NULL, "\n", &save); line && n < NODES_MAX; line = strtok_r(NULL, "\n", &save)) {
		lines[n] = line;
		if (sscanf(line, "%79s %15s", nodes[n].name, nodes[n].type) != 2)
			BUG("no node: %s", line);
		if (!strcmp(nodes[n].name, "."))
			nodes[n].name[0] = '\0';
		n++;
	}
	write_head(buf, head);
	for (size_t i = 0; i < n; i++) {
		buf_printf(buf, "%s\"w%s\":{\"id\":\"w%s\"", i ? "," : "", nodes[i].name, nodes[i].name);
		write_node(buf, nodes, n, &nodes[i], lines[i]);
		buf_putc(buf, '}');
	}
	buf_puts(buf, "}}}");
}

/* ---- runs ---- */

static long
seconds(int64_t ms)
{
	return ms ? (long)((ms - 1767225600000) / 1000) : 0;
}

static void
write_state(struct buf *buf, const struct run *run, const struct run_node *node)
{
	struct arena *arena = arena_new();

	buf_printf(buf, "%s%s %s", run->plan->steps[node->step].name, node->key, phase_name(node->phase));
	if (node->attempts != 1)
		buf_printf(buf, " x%d", node->attempts);
	if (node->started_ms || node->ended_ms)
		buf_printf(buf, " %ld-%ld", seconds(node->started_ms), seconds(node->ended_ms));
	if (node->exit_code > 0)
		buf_printf(buf, " code %d", node->exit_code);
	if (node->message)
		buf_printf(buf, " (%s)", node->message);
	if (node->outputs) {
		buf_putc(buf, ' ');
		value_write_json(buf, run_node_outputs(run, node, arena));
	}
	buf_putc(buf, '\n');
	arena_free(arena);
}

static void
write_run(struct buf *buf, const struct run *run)
{
	buf_printf(buf, "run %s", phase_name(run->phase));
	if (run->started_ms || run->ended_ms)
		buf_printf(buf, " %ld-%ld", seconds(run->started_ms), seconds(run->ended_ms));
	if (run->message)
		buf_printf(buf, " (%s)", run->message);
	buf_putc(buf, '\n');
	for (size_t i = 0; run->outputs && i < run->plan->n_outputs; i++) {
		buf_printf(buf, "output %s = ", run->plan->outputs[i].name);
		value_write_json(buf, run->outputs[i]);
		buf_putc(buf, '\n');
	}
}

static int
by_key(const void *a, const void *b)
{
	const struct run_node *x = *(const struct run_node *const *)a, *y = *(const struct run_node *const *)b;

	return x->step != y->step ? (x->step < y->step ? -1 : 1) : strcmp(x->key, y->key);
}

/* `loose`: without the instances in loops that have not begun, which stay when another object has not come to them yet. */
static void
write_all(struct buf *buf, const struct run *run, bool loose)
{
	CLEANUP(freep) const struct run_node **nodes = xcalloc(run->n_nodes + 1, sizeof(*nodes));

	if (run->n_nodes)
		memcpy(nodes, run->nodes, run->n_nodes * sizeof(*nodes));
	qsort(nodes, run->n_nodes, sizeof(*nodes), by_key);
	for (size_t i = 0; i < run->n_nodes; i++)
		if (!loose || !*nodes[i]->key || nodes[i]->phase != PHASE_PENDING || nodes[i]->attempts)
			write_state(buf, run, nodes[i]);
	for (size_t i = 0; i < run->plan->n_steps; i++)
		if (!loose && !run->steps[i].n_nodes)
			buf_printf(buf, "%s without instance %s\n", run->plan->steps[i].name, phase_name(run->steps[i].phase));
	for (size_t i = 1; i < run->plan->n_groups; i++) {
		const struct run_group *g = &run->groups[i];

		buf_printf(buf, "group %zu %s %ld-%ld", i, phase_name(g->phase), seconds(g->started_ms), seconds(g->ended_ms));
		if (!loose && run->plan->groups[i].kind == GROUP_FOR)
			buf_printf(buf, " %zu/%zu", g->done, g->total);
		buf_putc(buf, '\n');
	}
	write_run(buf, run);
}

struct watched {
	struct workflow_model *model;
	struct project *project;
	struct run *run;
	struct buf told;
	size_t ends[512]; /* of each run node: how often its end was told since it last went on */
};

static void
changed(void *context, struct run *run, size_t node)
{
	struct watched *w = context;

	if (node == SIZE_MAX) {
		write_run(&w->told, run);
		return;
	}
	write_state(&w->told, run, run->nodes[node]);
	w->ends[node] = phase_ended(run->nodes[node]->phase) ? w->ends[node] + 1 : 0;
}

static void
watched_init(struct watched *w, struct plan *plan, const struct names *names)
{
	struct run_observer observer = { .changed = changed, .context = w };

	memset(w, 0, sizeof *w);
	w->model = workflow_model_new();
	w->run = run_new(plan, "id", "name");
	w->project = project_new(w->run, &names->report, NULL);
	run_observe(w->run, &observer);
}

static void
watched_release(struct watched *w)
{
	project_free(w->project);
	run_unref(w->run);
	workflow_model_free(w->model);
	buf_release(&w->told);
}

static void
take(struct watched *w, const char *object)
{
	CLEANUP(buf_release) struct buf json = { 0 };
	const size_t *places;
	size_t n;
	bool head;
	struct error err;

	buf_clear(&w->told);
	if (strstr(object, " gone\n") || strstr(object, " gone ")) {
		workflow_model_gone(w->model);
		project_take(w->project, w->model, NULL, 0);
		return;
	}
	write_object(&json, object);
	workflow_model_begin(w->model);
	workflow_model_feed(w->model, json.data, json.len);
	if (workflow_model_end(w->model, &places, &n, &head, &err))
		BUG("%s: %s", err.text, buf_text(&json));
	project_take(w->project, w->model, places, n);
}

/* ---- cases ---- */

static uint64_t
next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005U + 1442695040888963407U;
	return *seed >> 33;
}

/* The case's objects in any order: what the last one alone gives, and no end told twice. */
static void
check_any_order(const struct test_case *test, struct plan *plan, const struct names *names, const char *const *objects, size_t n)
{
	uint64_t seed = 3;
	int wrong = 0;
	struct watched w;

	watched_init(&w, plan, names);
	for (int i = 0; i < 60 && !wrong; i++) {
		const char *object = objects[next(&seed) % n];
		struct watched fresh;
		struct buf got = { 0 }, want = { 0 };

		watched_init(&fresh, plan, names);
		take(&w, object);
		take(&fresh, object);
		write_all(&got, w.run, true);
		write_all(&want, fresh.run, true);
		if (strcmp(buf_text(&got), buf_text(&want)) != 0)
			wrong += !is_str(buf_text(&got), buf_text(&want), "%s: in any order, object %d", test->name, i);
		for (size_t k = 0; k < w.run->n_nodes && k < ARRAY_LEN(w.ends); k++)
			wrong += w.ends[k] > 1;
		buf_clear(&w.told);
		take(&w, object);
		if (w.told.len)
			wrong += !is_str(buf_text(&w.told), "", "%s: the same object again tells nothing", test->name);
		buf_release(&got);
		buf_release(&want);
		watched_release(&fresh);
		memset(w.ends, 0, sizeof w.ends);
	}
	is_int(wrong, 0, "%s: in any order", test->name);
	watched_release(&w);
}

static void
run_case(struct case_file *file, struct test_case *test)
{
	struct plan *plan = fixture_plan("p", case_text(test, "plan"));
	struct arena *arena = arena_new();
	const char *objects[OBJECTS_MAX];
	size_t n = 0;
	struct names names = { 0 };
	struct watched w;
	struct buf all = { 0 };
	size_t ends = 0;

	names_init(&names, plan, arena);
	watched_init(&w, plan, &names);
	for (size_t i = 0; i < test->n_parts; i++) {
		if (!strcmp(test->parts[i].name, "object") && n < OBJECTS_MAX) {
			objects[n++] = test->parts[i].text;
			take(&w, test->parts[i].text);
		} else if (!strncmp(test->parts[i].name, "told", 4)) {
			case_is(file, test, test->parts[i].name, buf_text(&w.told), w.told.len);
		}
	}
	write_all(&all, w.run, false);
	case_is(file, test, "run", buf_text(&all), all.len);
	for (size_t i = 0; i < w.run->n_nodes && i < ARRAY_LEN(w.ends); i++)
		ends += w.ends[i] > 1;
	is_int((int64_t)ends, 0, "%s: no end is told twice", test->name);
	if (!strstr(objects[n - 1], "gone") && !strstr(test->name, "seen before"))
		check_any_order(test, plan, &names, objects, n);
	buf_release(&all);
	watched_release(&w);
	plan_unref(plan);
	arena_free(arena);
}

int
main(void)
{
	struct case_file file;

	cases_open(&file, "tests/runtime/cluster/project.cases");
	for (size_t i = 0; i < file.n_cases; i++)
		run_case(&file, &file.cases[i]);
	cases_close(&file);
	return done_testing();
}
