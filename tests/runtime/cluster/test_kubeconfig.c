/* kubeconfig files as kubectl reads them, and what is wrong with them. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/cluster/base64.h"
#include "runtime/cluster/kubeconfig.h"
#include "runtime/paths.h"
#include "tests/cases.h"
#include "tests/tap.h"
#include "tests/text.h"

static void
put_file(const char *folder, const char *name, const char *text)
{
	char path[512], parent[512];
	struct buf content = { 0 };
	struct error err;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	snprintf(parent, sizeof parent, "%s", path);
	*strrchr(parent, '/') = '\0';
	buf_puts(&content, text);
	text_replace(&content, "FOLDER", folder);
	if (paths_make(parent, &err) || paths_write(path, buf_text(&content), content.len, 0600, &err))
		BUG("%s", err.text);
	buf_release(&content);
}

static void
set_environment(const char *folder, const char *text)
{
	static const char *const names[] = { "KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unsetenv(names[i]);
	setenv("HOME", folder, 1);
	while (text && *text) {
		struct buf line = { 0 };
		char *value;

		buf_add(&line, text, strcspn(text, "\n"));
		text += strcspn(text, "\n");
		text += *text == '\n';
		text_replace(&line, "FOLDER", folder);
		value = strchr(line.data, '=');
		if (!value)
			BUG("no `=` in %s", line.data);
		*value = '\0';
		setenv(line.data, value + 1, 1);
		buf_release(&line);
	}
}

static void
add_pem(struct buf *got, const char *what, const struct http_pem *pem)
{
	const char *line = pem->text ? strchr(pem->text, '\n') : NULL;

	if (line)
		buf_printf(got, "%s %.*s\n", what, (int)strcspn(line + 1, "\n"), line + 1);
}

static void
add_text(struct buf *got, const char *what, const char *text)
{
	if (text)
		buf_printf(got, "%s %s\n", what, text);
}

static void
describe(const struct kubeconfig *config, struct buf *got)
{
	const struct kubeconfig_exec *exec = &config->exec;

	buf_printf(got, "server %s\ncontext %s\nfrom %s\nnamespace %s\n", config->server, config->context, config->from, config->namespace_);
	add_text(got, "server name", config->server_name);
	add_text(got, "proxy", config->proxy);
	if (config->insecure)
		buf_puts(got, "insecure\n");
	add_pem(got, "authority", &config->authority);
	add_pem(got, "certificate", &config->certificate);
	add_pem(got, "key", &config->key);
	add_text(got, "token", config->token);
	add_text(got, "token file", config->token_file);
	add_text(got, "user", config->user);
	add_text(got, "password", config->password);
	for (size_t i = 0; i < config->n_headers; i++)
		buf_printf(got, "header %s: %s\n", config->headers[i].name, config->headers[i].value);
	if (!exec->command)
		return;
	buf_printf(got, "exec %s in %s, %s%s", exec->command, exec->folder, exec->version, exec->wants_cluster ? ", wants the cluster" : "");
	for (size_t i = 0; i < exec->n_args; i++)
		buf_printf(got, ", %s", exec->args[i]);
	for (size_t i = 0; i < exec->n_env; i++)
		buf_printf(got, ", %s", exec->env[i]);
	buf_putc(got, '\n');
}

/* "path x", "context y", "in_cluster", a line each. */
static void
read_request(const char *folder, const char *text, struct kubeconfig_request *ret, char *path, char *context, size_t size)
{
	*ret = (struct kubeconfig_request){ 0 };
	while (text && *text) {
		size_t len = strcspn(text, "\n");

		if (!strncmp(text, "path ", 5))
			snprintf(path, size, text[5] == '~' ? "%.0s%.*s" : "%s/%.*s", folder, (int)len - 5, text + 5), ret->path = path;
		else if (!strncmp(text, "context ", 8))
			snprintf(context, size, "%.*s", (int)len - 8, text + 8), ret->context = context;
		else
			ret->in_cluster = true, ret->account = folder;
		text += len + (text[len] == '\n');
	}
}

static void
test_case(struct case_file *file, struct test_case *test)
{
	CLEANUP(freep) char *folder = test_temp_dir();
	struct kubeconfig_request request;
	struct kubeconfig config;
	struct buf got = { 0 };
	struct error err = { "" };
	char path[512], context[256];

	for (size_t i = 0; i < test->n_parts; i++)
		if (!strncmp(test->parts[i].name, "file ", 5))
			put_file(folder, test->parts[i].name + 5, test->parts[i].text);
	set_environment(folder, case_text(test, "environment"));
	read_request(folder, case_text(test, "request"), &request, path, context, sizeof context);
	if (kubeconfig_load(&config, &request, &err))
		buf_printf(&got, "error: %s\n", err.text);
	else
		describe(&config, &got);
	kubeconfig_release(&config);
	text_replace(&got, folder, "FOLDER");
	case_is(file, test, "expected", buf_text(&got), got.len);
	buf_release(&got);
	test_remove_tree(folder);
}

static void
test_base64(void)
{
	static const struct {
		const char *text, *bytes; /* NULL: refused */
	} cases[] = {
		{ "", "" }, { "YQ==", "a" }, { "YWI=", "ab" }, { "YWJj", "abc" }, { "YWJjZA==", "abcd" }, { "YWJj\n  ZA==\n", "abcd" },
		{ "YQ", "a" }, { "YQ=", NULL }, { "Y", NULL }, { "Y===", NULL }, { "YQ==YQ==", NULL }, { "Y*==", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena *arena = arena_new();
		struct buf again = { 0 };
		size_t len;
		char *bytes = base64_decode(arena, cases[i].text, strlen(cases[i].text), &len);

		is_str(bytes, cases[i].bytes, "base64 `%s`", cases[i].text);
		if (bytes && !strpbrk(cases[i].text, " \n") && strlen(cases[i].text) % 4 == 0) {
			base64_encode(&again, bytes, len);
			is_str(buf_text(&again), cases[i].text, "and back");
		}
		buf_release(&again);
		arena_free(arena);
	}
}

int
main(void)
{
	struct case_file file;

	cases_open(&file, "tests/runtime/cluster/kubeconfig.cases");
	for (size_t i = 0; i < file.n_cases; i++)
		test_case(&file, &file.cases[i]);
	cases_close(&file);
	test_base64();
	return done_testing();
}
