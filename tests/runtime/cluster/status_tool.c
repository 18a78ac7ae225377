/* How long the model and the projection take over a file of Workflow objects, a line each; for bench/cluster/status.py.
 *
 *     status_tool FILE ITEMS
 *
 * The objects are of a loop `for-loop-1` over ITEMS items, each with one step `train`. Prints, as JSON, processor milliseconds for
 * the first object and for each further one on average (read, of these in the projection), how many nodes were told, and the most
 * memory that was held. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "runtime/cluster/project.h"
#include "tests/runtime/plan_fixtures.h"

enum { PIECE = 16 * 1024 };

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static struct plan *
loop_plan(long items)
{
	CLEANUP(buf_release) struct buf text = { 0 };

	buf_puts(&text, "for i over [");
	for (long i = 0; i < items; i++)
		buf_printf(&text, "%s%ld", i ? "," : "", i);
	buf_puts(&text, "]\nstep train in i -> loss:Float\ncommand true\n");
	return fixture_plan("p", buf_text(&text));
}

struct times {
	double read, project;
	size_t told;
};

static void
end(struct workflow_model *model, struct project *project, struct times *times, double begun)
{
	const size_t *places;
	size_t n;
	bool head;
	struct error err;
	double read;

	if (workflow_model_end(model, &places, &n, &head, &err))
		BUG("%s", err.text);
	read = now_ms();
	project_take(project, model, places, n);
	times->read += read - begun;
	times->project += now_ms() - read;
	times->told += n;
}

/* One object; false at the end of the file. Bytes behind the object stay in `piece`. */
static bool
take(FILE *file, char *piece, size_t *have, struct workflow_model *model, struct project *project, struct times *times)
{
	double begun = now_ms();
	char *line;

	workflow_model_begin(model);
	for (;;) {
		line = memchr(piece, '\n', *have);
		workflow_model_feed(model, piece, line ? (size_t)(line - piece) : *have);
		if (line)
			break;
		*have = fread(piece, 1, PIECE, file);
		if (!*have) {
			workflow_model_drop(model);
			return false;
		}
	}
	*have -= (size_t)(line + 1 - piece);
	memmove(piece, line + 1, *have);
	end(model, project, times, begun);
	return true;
}

int
main(int argc, char **argv)
{
	static const char *const outputs[] = { "loss" };
	static const struct target_step step = { .task = "train", .outputs = outputs };
	static const struct target_group groups[] = { { 0 }, { .task = "for-loop-1" } };
	const struct target_report names = { .steps = &step, .groups = groups };
	struct workflow_model *model = workflow_model_new();
	struct times first = { 0 }, rest = { 0 };
	struct plan *plan;
	struct run *run;
	struct project *project;
	struct rusage usage;
	char piece[PIECE];
	size_t have = 0;
	int n = 0;
	FILE *file = argc == 3 ? fopen(argv[1], "r") : NULL;

	if (!file)
		return 2;
	plan = loop_plan(strtol(argv[2], NULL, 10));
	run = run_new(plan, "id", "name");
	project = project_new(run, &names, NULL);
	for (; take(file, piece, &have, model, project, n ? &rest : &first); n++)
		;
	getrusage(RUSAGE_SELF, &usage);
	n = n > 1 ? n - 1 : 1;
	printf("{\"first_read\":%.3f,\"first_project\":%.3f,\"read\":%.3f,\"project\":%.3f,\"told\":%zu,\"nodes\":%zu,\"mib\":%.1f}\n", first.read,
	       first.project, rest.read / n, rest.project / n, rest.told / (size_t)n, run->n_nodes, (double)usage.ru_maxrss / 1024);
	fclose(file);
	project_free(project);
	run_unref(run);
	plan_unref(plan);
	workflow_model_free(model);
	return 0;
}
