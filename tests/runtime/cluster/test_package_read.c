/* Packages as others made them: from bytes of every form, cut anywhere, and from an address. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dsl/target.h"
#include "runtime/cluster/edit.h"
#include "runtime/cluster/package_read.h"
#include "tests/runtime/cluster/recorded.h"
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
	const struct value *workflow = read_adder(arena), *parameters = package_parameters(workflow);
	struct error err = { "" };

	is_int((int64_t)edit_count(parameters), 2, "its parameters are known");
	is_str(value_text(value_get(edit_item(parameters, 0), "value")), "1", "one with its value");
	ok(!value_get(edit_item(parameters, 1), "value"), "one without");
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

static void
test_address(const char *replies, const char *what, const char *want)
{
	struct recorded recorded;
	struct buf bytes = { 0 }, got = { 0 };
	struct error err = { "" };

	recorded_init(&recorded, replies);
	if (package_fetch(&recorded.http, "https://example.com/a/p.yaml", NULL, NULL, &bytes, &err))
		buf_puts(&got, err.text);
	else
		buf_puts(&got, buf_text(&bytes));
	is_str(buf_text(&got), want, "%s", what);
	ok(recorded_is_done(&recorded), "and all of it was asked");
	recorded_release(&recorded);
	buf_release(&bytes);
	buf_release(&got);
}

static void
test_addresses(void)
{
	test_address("> GET /a/p.yaml\n< 200 text/plain\nhello\n", "an address", "hello");
	test_address("> GET /a/p.yaml\n< 302 text/html\nLocation: ../q.yaml?x=1#y\n> GET /a/../q.yaml?x=1\n< 200 text/plain\nhello\n", "one that leads on",
		"hello");
	test_address("> GET /a/p.yaml\n< 302 text/html\nLocation: http://example.com/q\n", "one that leads away from TLS",
		"`https://example.com/a/p.yaml` leads to an address without TLS");
	test_address("> GET /a/p.yaml\n< 404 text/plain\nno\n", "one where nothing is", "cannot fetch `https://example.com/a/p.yaml`: it answered 404");
	test_address("> GET /a/p.yaml\n! no-name Could not resolve host\n", "nobody there",
		"cannot fetch `https://example.com/a/p.yaml`: Could not resolve host");
}

int
main(void)
{
	test_texts();
	test_forms();
	test_addresses();
	return done_testing();
}
