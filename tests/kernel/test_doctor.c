#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "kernel/doctor.h"
#include "kernel/install.h"
#include "kernel/kernelspecs.h"
#include "tests/tap.h"

/* A machine with nothing on it: every folder that is looked into lies below `root`, except those of the system. */
static void
be_alone(const char *root)
{
	unsetenv("JUPYTER_PATH");
	unsetenv("JUPYTER_DATA_DIR");
	unsetenv("XDG_DATA_HOME");
	unsetenv("CONDA_PREFIX");
	unsetenv("KUBECONFIG");
	setenv("HOME", root, 1);
	setenv("VIRTUAL_ENV", root, 1);
	setenv("PATH", root, 1);
}

static void
write_spec(const char *root, const char *name, const char *text)
{
	struct buf path = { 0 };
	FILE *out;

	buf_printf(&path, "%s/share/jupyter/kernels/%s", root, name);
	mkdir(buf_text(&path), 0700);
	buf_puts(&path, "/kernel.json");
	out = fopen(buf_text(&path), "w");
	if (!out || fputs(text, out) < 0 || fclose(out))
		BUG("cannot write %s", buf_text(&path));
	buf_release(&path);
}

static const struct kernelspec *
named(const struct kernelspecs *specs, const char *root, const char *name)
{
	for (size_t i = 0; i < specs->n; i++)
		if (!strcmp(specs->items[i].name, name) && !strncmp(specs->items[i].folder, root, strlen(root)))
			return &specs->items[i];
	return NULL;
}

static void
test_specs(const char *root)
{
	struct install_options options = { .prefix = root, .program = "/nowhere/lateen" };
	struct kernelspecs specs;
	const struct kernelspec *spec;

	install_kernelspec(&options, NULL);
	write_spec(root, "broken", "{\"language\": \"lateen\", \"argv\": 3}");
	write_spec(root, "other", "{\"language\": \"python\", \"argv\": [\"python\"]}");
	write_spec(root, "text", "no JSON at all");
	kernelspecs_find(&specs);
	spec = named(&specs, root, "lateen");
	is_str(spec ? spec->program : NULL, "/nowhere/lateen", "ours is found, and what it starts");
	spec = named(&specs, root, "broken");
	is_str(spec ? spec->broken : NULL, "it has no argv", "one without arguments is broken");
	ok(!named(&specs, root, "other"), "a kernel of another language is not ours");
	ok(!named(&specs, root, "text"), "what is no JSON and has another name is not ours");
	kernelspecs_release(&specs);
	write_spec(root, "lateen", "no JSON at all");
	kernelspecs_find(&specs);
	spec = named(&specs, root, "lateen");
	ok(spec && spec->broken, "what is no JSON and has our name is ours, and broken");
	kernelspecs_release(&specs);
}

static void
test_report(const char *root)
{
	struct install_options options = { .prefix = root, .program = "/nowhere/lateen" };
	struct buf report = { 0 };
	int n, without;

	install_kernelspec(&options, NULL);
	n = doctor_report(&report);
	ok(n >= 1, "a kernelspec whose program is gone is a problem (%d found)", n);
	contains(buf_text(&report), "lateen " PACKAGE_VERSION "\n", "the version");
	contains(buf_text(&report), "libzmq", "the libraries");
	contains(buf_text(&report), "\nGPU\n", "the GPU");
	contains(buf_text(&report), "components with an image cannot run here", "no container engine is on this PATH");
	contains(buf_text(&report), "starts `/nowhere/lateen`, which cannot be run: run `lateen kernel install` again",
		"the problem and its way out");
	buf_clear(&report);
	options.program = "/bin/sh";
	write_spec(root, "broken", "{\"language\": \"lateen\", \"argv\": [\"/bin/sh\"]}");
	install_kernelspec(&options, NULL);
	without = doctor_report(&report);
	ok(without < n, "with a program that is there it is one less: %d", without);
	buf_release(&report);
}

static void
write_kubeconfig(const char *root, const char *cluster, const char *user)
{
	struct buf path = { 0 };
	FILE *out;

	buf_printf(&path, "%s/config", root);
	out = fopen(buf_text(&path), "w");
	if (!out || fprintf(out, "current-context: prod\ncontexts: [{name: prod, context: {cluster: c, user: u, namespace: ml}}]\n"
		"clusters: [{name: c, cluster: {server: 'https://10.0.0.1:6443'%s}}]\nusers: [{name: u, user: {%s}}]\n", cluster, user) < 0 || fclose(out))
		BUG("cannot write %s", buf_text(&path));
	setenv("KUBECONFIG", buf_text(&path), 1);
	buf_release(&path);
}

static void
test_cluster(const char *root)
{
	struct buf report = { 0 };
	int before;

	write_kubeconfig(root, "", "token: hunter2");
	before = doctor_report(&report);
	contains(buf_text(&report), "\nclusters\n  context      prod\n", "the current context");
	contains(buf_text(&report), "  server       https://10.0.0.1:6443\n  namespace    ml\n", "where it leads");
	ok(!strstr(buf_text(&report), "hunter2"), "no token is shown");
	buf_clear(&report);
	write_kubeconfig(root, ", insecure-skip-tls-verify: true", "exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-plugin}");
	is_int(doctor_report(&report), before + 2, "two problems more");
	contains(buf_text(&report), "insecure-skip-tls-verify", "a server that nobody checks");
	contains(buf_text(&report), "signs in with `no-such-plugin`, which is not on PATH", "a plugin that is not there");
	buf_clear(&report);
	setenv("KUBECONFIG", "/nowhere", 1);
	is_int(doctor_report(&report), before, "no kubeconfig is no problem");
	contains(buf_text(&report), "none         none of the files that KUBECONFIG names is there: `/nowhere`", "and is said");
	unsetenv("KUBECONFIG");
	buf_release(&report);
}

int
main(void)
{
	CLEANUP(freep) char *root = test_temp_dir();

	be_alone(root);
	test_specs(root);
	test_report(root);
	test_cluster(root);
	test_remove_tree(root);
	return done_testing();
}
