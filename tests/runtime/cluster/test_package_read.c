/* Packages as others made them: from bytes of every form, cut anywhere. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dsl/target.h"
#include "runtime/cluster/package_read.h"
#include "tests/tap.h"

static const char adder[] =
	"apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {generateName: adder-}\nspec:\n  entrypoint: main\n"
	"  arguments: {parameters: [{name: a, value: \"1\"}, {name: b}]}\n  templates:\n  - name: main\n    container: {image: \"busybox:1.36\"}\n";

static void
test_texts(void)
{
	static const struct {
		const char *name, *text, *error;
	} cases[] = {
		{ "YAML that does not parse", "a: [", "`x.yaml` cannot be read: " },
		{ "no workflow", "kind: Pod\n", "`x.yaml` is no Argo Workflow" },
		{ "nothing", "", "`x.yaml` is no Argo Workflow" },
		{ "a list", "- a\n", "`x.yaml` is no Argo Workflow" },
		{ "two documents", "kind: Pod\n---\nkind: Pod\n", "`x.yaml` is no Argo Workflow: there are several documents in it" },
		{ "no templates", "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nspec: {}\n", "the workflow in `x.yaml` has no templates" },
		{ "Kubeflow's second kind", "pipelineInfo: {name: a}\nroot: {}\nschemaVersion: 2.1.0\n",
		  "`x.yaml` is a pipeline of Kubeflow's second kind (IR)" },
		{ "a broken archive", "\x1f\x8b\x08", "`x.yaml`: it is broken, or cut off" },
		{ "a broken zip", "PK\x03\x04", "`x.yaml`: it is broken, or cut off" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena *arena = arena_new();
		struct error err = { "" };

		ok(!package_read(arena, "x.yaml", cases[i].text, strlen(cases[i].text), &err), "%s is refused", cases[i].name);
		contains(err.text, cases[i].error, "and that is said");
		arena_free(arena);
	}
}

static const struct value *
read_adder(struct arena *arena)
{
	struct error err = { "" };
	const struct value *workflow = package_read(arena, "adder.yaml", adder, strlen(adder), &err);

	if (!workflow)
		BUG("%s", err.text);
	return workflow;
}

static void
test_forms(void)
{
	static const enum package forms[] = { PACKAGE_YAML, PACKAGE_JSON, PACKAGE_TAR_GZ, PACKAGE_ZIP };
	struct arena *arena = arena_new();
	const struct value *workflow = read_adder(arena);
	struct error err = { "" };

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct buf package = { 0 };
		size_t taken = 0;

		ok(!package_write(&package, workflow, forms[i], &err), "a package of form %zu", i);
		ok(value_equal(package_read(arena, "p", buf_text(&package), package.len, &err), workflow), "is read back");
		for (size_t n = 0; n + 1 < package.len; n++) {
			struct arena *scratch = arena_new();
			const struct value *part = package_read(scratch, "p", buf_text(&package), n, NULL);

			taken += part && forms[i] != PACKAGE_YAML && !value_equal(part, workflow);
			arena_free(scratch);
		}
		is_int((int64_t)taken, 0, "and never taken for another, cut anywhere");
		buf_release(&package);
	}
	arena_free(arena);
}

int
main(void)
{
	test_texts();
	test_forms();
	return done_testing();
}
