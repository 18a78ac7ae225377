/* What a cluster needs before the first run, and what is removed after the last, over recorded replies. */
#include "config.h"

#include <string.h>

#include "runtime/cluster/cleanup.h"
#include "runtime/cluster/prepare.h"
#include "tests/cases.h"
#include "tests/runtime/cluster/recorded.h"
#include "tests/tap.h"

static const char *
line_of(struct arena *arena, const struct test_case *test, const char *part)
{
	const char *text = case_text(test, part);

	return text ? arena_strndup(arena, text, strcspn(text, "\n")) : NULL;
}

static void
add_line(struct buf *got, const char *what, const char *text)
{
	if (text)
		buf_printf(got, "  %s: %s\n", what, text);
}

static void
test_prepare(struct kube *kube, struct arena *arena, const struct test_case *test, struct buf *got)
{
	const char *text = case_text(test, "workflow");
	struct error err;
	const struct prepare_request request = { .kube = kube, .namespace_ = line_of(arena, test, "namespace"), .account = line_of(arena, test, "account"),
		.workflow = text ? value_read_json(arena, text, strlen(text), &err) : NULL, .apply = case_text(test, "apply") != NULL };
	struct api_failure failure = { 0 };
	struct prepare prepare;

	if (prepare_run(&prepare, &request, &failure))
		buf_printf(got, "failed: %s\n", failure.what);
	for (size_t i = 0; i < prepare.items.n; i++) {
		const struct prepare_item *item = &prepare.items.items[i];

		buf_printf(got, "%s: %s\n", prepare_state_name(item->state), item->what);
		add_line(got, "note", item->note);
		add_line(got, "help", item->help);
		add_line(got, "command", item->command);
	}
	prepare_release(&prepare);
}

static void
test_cleanup(struct kube *kube, struct arena *arena, const struct test_case *test, struct buf *got)
{
	static const char *const states[] = { [CLEANUP_FOUND] = "found", [CLEANUP_REMOVED] = "removed", [CLEANUP_KEPT] = "kept",
		[CLEANUP_FAILED] = "failed" };
	const struct cleanup_request request = { .kube = kube, .namespace_ = line_of(arena, test, "namespace"),
		.apply = case_text(test, "apply") != NULL };
	struct api_failure failure = { 0 };
	struct cleanup cleanup;

	if (cleanup_run(&cleanup, &request, &failure))
		buf_printf(got, "failed: %s\n", failure.what);
	for (size_t i = 0; i < cleanup.items.n; i++) {
		const struct cleanup_item *item = &cleanup.items.items[i];

		buf_printf(got, "%s: %s\n", states[item->state], item->what);
		add_line(got, "note", item->note);
		add_line(got, "help", item->help);
	}
	cleanup_release(&cleanup);
}

static void
test_case(struct case_file *file, struct test_case *test)
{
	struct arena *arena = arena_new();
	const char *context = line_of(arena, test, "context"), *action = line_of(arena, test, "do");
	struct kubeconfig config = { .arena = arena_new(), .context = context ? context : "prod", .from = "~/.kube/config",
		.server = "https://10.0.0.1:6443", .namespace_ = "ml" };
	struct exec_plugin_limits limits = { 0 };
	struct buf got = { 0 };
	struct recorded recorded;
	struct kube *kube;

	recorded_init(&recorded, case_text(test, "replies") ? case_text(test, "replies") : "");
	recorded.log_bodies = recorded.any_order = true;
	kube = kube_new(&config, &recorded.http, &limits);
	if (!strcmp(action, "prepare"))
		test_prepare(kube, arena, test, &got);
	else
		test_cleanup(kube, arena, test, &got);
	buf_puts(&got, buf_text(&recorded.log));
	case_is(file, test, "expected", buf_text(&got), got.len);
	kube_free(kube);
	kubeconfig_release(&config);
	recorded_release(&recorded);
	buf_release(&got);
	arena_free(arena);
}

static void
test_contexts(void)
{
	static const struct {
		const char *context, *want; /* NULL: no context of gcloud's */
	} cases[] = {
		{ "gke_my-proj_us-central1-a_pipelines", "my-proj us-central1-a pipelines us-central1" },
		{ "gke_example.com:p_europe-west4_c", "example.com:p europe-west4 c europe-west4" },
		{ "gke_p_z", NULL }, { "gke_p__c", NULL }, { "gke__z_c", NULL }, { "gke_p_z_", NULL }, { "prod", NULL }, { "", NULL },
		{ "gke_p_z_c; rm -rf", NULL }, { "gke_p_z_$(x)", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena *arena = arena_new();
		struct prepare_gke gke;
		const char *got = NULL;

		if (prepare_read_gke(arena, cases[i].context, &gke))
			got = arena_printf(arena, "%s %s %s %s", gke.project, gke.location, gke.name, gke.region);
		is_str(got, cases[i].want, "the context `%s`", cases[i].context);
		arena_free(arena);
	}
}

int
main(void)
{
	struct case_file file;

	cases_open(&file, "tests/runtime/cluster/prepare.cases");
	for (size_t i = 0; i < file.n_cases; i++)
		test_case(&file, &file.cases[i]);
	cases_close(&file);
	test_contexts();
	return done_testing();
}
