#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/local.h"
#include "tests/cases.h"
#include "tests/runtime/plan_fixtures.h"
#include "tests/tap.h"
#include "tests/text.h"

static char *project, log_path[512];

static void
add_file(struct buf *buf, const char *path)
{
	size_t len;
	char *text = test_read_file(path, &len);

	if (text)
		buf_puts(buf, text);
	free(text);
}

static struct run *
run_plan(const char *text, struct local_problem *problem)
{
	struct plan *plan = fixture_plan("boxes", text);
	struct local_options options = { .project = project, .jobs = 1, .grace_ms = 200 };
	struct local *local = local_start(plan, NULL, &options, problem);
	struct run *run = NULL;

	plan_unref(plan);
	while (local && local_poll(local, -1))
		;
	if (local)
		run = run_ref(local_run(local));
	local_free(local);
	return run;
}

static void
describe(const struct run *run, struct buf *buf)
{
	add_file(buf, log_path);
	for (size_t i = 0; i < run->n_nodes; i++) {
		const struct run_node *node = run->nodes[i];
		struct buf path = { 0 };

		buf_printf(buf, "-- %s %s", run->plan->steps[node->step].name, phase_name(node->phase));
		for (size_t j = 0; node->outputs && j < run->plan->steps[node->step].component->n_outputs; j++)
			if (node->outputs[j].value) {
				buf_putc(buf, ' ');
				value_write_json(buf, node->outputs[j].value);
			}
		buf_printf(buf, "%s%s\n", node->message ? ": " : "", node->message ? node->message : "");
		if (node->folder)
			buf_printf(&path, "%s/log", node->folder);
		if (node->folder)
			add_file(buf, buf_text(&path));
		buf_release(&path);
	}
	for (size_t i = 0; i < run->n_nodes; i++)
		if (run->nodes[i]->folder)
			text_replace(buf, run->nodes[i]->folder, "PLACE");
	text_replace(buf, run->folder, "RUN");
	text_replace(buf, run->name, "NAME");
}

static void
test_case(struct case_file *file, struct test_case *test)
{
	struct local_problem problem;
	struct run *run;
	struct buf got = { 0 };

	unlink(log_path);
	run = run_plan(case_text(test, "plan"), &problem);
	if (run)
		describe(run, &got);
	else
		buf_printf(&got, "%s: %s\n", problem.code, problem.error.text);
	case_is(file, test, "expected", buf_text(&got), got.len);
	run_unref(run);
	buf_release(&got);
}

static void
test_exit_codes(void)
{
	struct local_problem problem;
	struct run *run;

	setenv("FAKE_EXIT", "3", 1);
	run = run_plan("step a\nimage x\ncommand true\n", &problem);
	is_str(phase_name(run->nodes[0]->phase), "Failed", "the container's exit code is the step's");
	is_int(run->nodes[0]->exit_code, 3, "as it is");
	run_unref(run);
	setenv("FAKE_EXIT", "125", 1);
	run = run_plan("step a\nimage some/thing\ncommand true\n", &problem);
	is_str(phase_name(run->nodes[0]->phase), "Error", "a container that could not be started is an Error");
	is_str(run->nodes[0]->message, "the container of `some/thing` could not be started", "and says so");
	run_unref(run);
	unsetenv("FAKE_EXIT");
}

static void
test_stop(void)
{
	struct plan *plan = fixture_plan("boxes", "step a\nimage x\ncommand true\n");
	struct local_options options = { .project = project, .grace_ms = 200 };
	struct local_problem problem;
	struct buf log = { 0 };
	struct local *local;
	char here[600];

	unlink(log_path);
	setenv("FAKE_SLEEP", "60", 1);
	local = local_start(plan, NULL, &options, &problem);
	snprintf(here, sizeof(here), "%s.here", log_path);
	for (int i = 0; i < 2000 && access(here, F_OK); i++)
		local_poll(local, 10);
	local_interrupt(local);
	while (local_poll(local, -1))
		;
	add_file(&log, log_path);
	contains(buf_text(&log), "== rm\n--force\nlateen-boxes-", "a stopped container is removed");
	is_str(phase_name(local_run(local)->phase), "Failed", "and the run is Failed");
	buf_release(&log);
	local_free(local);
	plan_unref(plan);
	unsetenv("FAKE_SLEEP");
}

static void
test_none(void)
{
	struct local_problem problem;

	setenv("LATEEN_CONTAINER", "", 1);
	ok(!run_plan("step a\nimage some/thing\ncommand true\n", &problem), "without a tool nothing is started");
	is_str(problem.code, "L0703", "the problem has its code");
	contains(problem.error.text, "neither podman nor docker", "what is missing");
	contains(problem.help, "install podman or docker, or give the step a component without an image", "and both ways out");
}

int
main(void)
{
	struct case_file file;
	char *fake = test_path("tests/runtime/fake_podman.sh");

	project = test_temp_dir();
	snprintf(log_path, sizeof(log_path), "%s/podman.log", project);
	unsetenv("LATEEN_HOME");
	setenv("LATEEN_CONTAINER", fake, 1);
	setenv("FAKE_LOG", log_path, 1);
	setenv("FAKE_NAMES", "x d", 1);
	setenv("FAKE_OUTPUT", "from inside", 1);
	setenv("GITHUB_TOKEN", "hunter-two", 1);
	cases_open(&file, "tests/runtime/container.cases");
	for (size_t i = 0; i < file.n_cases; i++)
		test_case(&file, &file.cases[i]);
	cases_close(&file);
	test_exit_codes();
	test_stop();
	test_none();
	test_remove_tree(project);
	free(project);
	free(fake);
	return done_testing();
}
