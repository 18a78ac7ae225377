/* What is said of every way in which a cluster fails, what is tried again, and what would stop a workflow; over recorded replies
 * and faults. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/cluster/door_argo.h"
#include "runtime/cluster/door_kfp.h"
#include "runtime/cluster/preflight.h"
#include "tests/cases.h"
#include "tests/runtime/cluster/recorded.h"
#include "tests/tap.h"

/* Lines "token X", "token-file PATH", "exec", "certificate", "insecure", "context X"; nothing: nobody. */
static void
make_config(struct kubeconfig *config, const char *text)
{
	*config = (struct kubeconfig){ .arena = arena_new(), .context = "prod", .from = "~/.kube/config", .server = "https://10.0.0.1:6443",
		.namespace_ = "ml" };
	while (text && *text) {
		size_t len = strcspn(text, "\n");
		const char *line = arena_strndup(config->arena, text, len);

		if (!strncmp(line, "token ", 6))
			config->token = line + 6;
		else if (!strncmp(line, "token-file ", 11))
			config->token_file = line + 11;
		else if (!strncmp(line, "exec ", 5))
			config->exec = (struct kubeconfig_exec){ .command = line + 5, .folder = ".", .version = "client.authentication.k8s.io/v1" };
		else if (!strcmp(line, "certificate"))
			config->certificate = config->key = (struct http_pem){ "x", 1 };
		else if (!strcmp(line, "insecure"))
			config->insecure = true;
		else
			BUG("`%s`", line);
		text += len + (text[len] == '\n');
	}
}

static void
add_line(struct buf *got, const char *what, const char *text)
{
	if (text && *text)
		buf_printf(got, "%s: %s\n", what, text);
}

static void
test_call(struct kube *kube, const char *text, struct buf *got)
{
	char method[16], path[256], verb[32], group[64] = "", resource[64], namespace_[64] = "";
	struct api_failure failure;
	struct arena *arena = arena_new();
	struct api_request request = { 0 };
	const struct value *answer;

	if (sscanf(text, "%15s %255s %31s %63s %63s %63s", method, path, verb, resource, group, namespace_) < 4)
		BUG("`%s`", text);
	request = (struct api_request){ .method = method, .path = path, .right = { verb, strcmp(group, "-") != 0 ? group : "", resource,
		*namespace_ ? namespace_ : NULL }, .repeatable = !strcmp(method, "GET"), .secret = true };
	answer = kube_call(kube, &request, arena, &failure);
	if (answer) {
		buf_puts(got, "answer ");
		value_write_json(got, answer);
		buf_putc(got, '\n');
	} else {
		add_line(got, "what", failure.what);
		add_line(got, "note", failure.note);
		add_line(got, "help", failure.help);
	}
	arena_free(arena);
}

/* A word in the case stands for a text that is too long for it. */
static char *
grown(const char *text)
{
	static const struct {
		const char *word;
		size_t len;
	} words[] = { { "@LARGE@", 1100000 }, { "@NEARLY@", 900000 } };
	struct buf buf = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		const char *at = strstr(text, words[i].word);

		if (!at)
			continue;
		buf_add(&buf, text, (size_t)(at - text));
		buf_repeat(&buf, 'x', words[i].len);
		text = at + strlen(words[i].word);
	}
	buf_puts(&buf, text);
	return buf_detach(&buf, NULL);
}

/* Through a server that stands before the cluster: "argo", "kfp"; "beside" with the Kubernetes API too. */
static void
preflight_before(struct preflight *ret, struct kube *kube, const char *how, const struct value *workflow)
{
	const struct argo_options argo = { .url = "https://argo.example:2746", .place = "the cluster `prod`" };
	const struct kfp_options kfp = { .url = "https://kfp.example/pipeline", .place = "the cluster `prod`" };
	struct http *http = kube_api(kube)->http;
	struct kube *beside = strstr(how, "beside") ? kube : NULL;
	struct door *door = !strncmp(how, "argo", 4) ? door_argo_new(http, beside, "ml", &argo) : door_kfp_new(http, beside, &kfp);

	preflight_door(ret, door, workflow);
	door_free(door);
}

static void
test_preflight(struct kube *kube, const char *text, const char *how, struct buf *got)
{
	static const char *const kinds[] = { "unreachable", "denied", "no argo", "refused", "missing", "no node", "unseen", "insecure", "stopped",
		"too large", "large", "not allowed", "full", "no command", "no repository", "parameter", "no controller", "not taken" };
	struct arena *arena = arena_new();
	struct error err;
	CLEANUP(freep) char *whole = grown(text);
	const struct value *workflow = value_read_json(arena, whole, strlen(whole), &err);
	struct preflight preflight;

	if (!workflow)
		BUG("%s", err.text);
	if (how)
		preflight_before(&preflight, kube, how, workflow);
	else
		preflight_run(&preflight, kube, "", workflow);
	for (size_t i = 0; i < preflight.findings.n; i++) {
		const struct preflight_finding *f = &preflight.findings.items[i];

		buf_printf(got, "%s%s%s: %s\n", kinds[f->kind], f->template ? " in " : "", f->template ? f->template : "", f->what);
		add_line(got, "  why", f->why);
		add_line(got, "  how", f->how);
	}
	buf_printf(got, "%zu checked%s%s\n", preflight.n_checked, preflight.version ? ", " : "", preflight.version ? preflight.version : "");
	preflight_release(&preflight);
	arena_free(arena);
}

/* Clocks and paths differ from machine to machine. */
static void
make_stable(struct buf *got, const char *plugin)
{
	struct buf old = *got;
	const char *text = buf_text(&old), *at;

	*got = (struct buf){ 0 };
	while (*text) {
		if (!strncmp(text, plugin, strlen(plugin)) && (text += strlen(plugin)))
			buf_puts(got, "PLUGIN");
		else if (!strncmp(text, "clock says ", 11) && (at = strstr(text, "UTC")))
			buf_puts(got, "clock says TIME"), text = at + 3;
		else if (!strncmp(text, "clock is ", 9) && (at = strstr(text, " seconds")))
			buf_puts(got, "clock is MANY"), text = at;
		else
			buf_putc(got, *text++);
	}
	buf_release(&old);
}

/* What a preflight asks besides, when the case does not say otherwise. */
static const char USUAL[] =
	"> GET /api/v1/namespaces/ml/resourcequotas\n< 200 application/json\n{\"items\": []}\n"
	"> GET /api/v1/namespaces/ml/limitranges\n< 200 application/json\n{\"items\": []}\n"
	"> GET /apis/apps/v1/deployments?fieldSelector=metadata.name%3Dworkflow-controller&limit=10\n< 200 application/json\n"
	"{\"items\": [{\"status\": {\"availableReplicas\": 1}}]}\n";

static void
test_case(struct case_file *file, struct test_case *test, const char *plugin)
{
	const char *workflow = case_text(test, "workflow"), *user = case_text(test, "user"), *replies = case_text(test, "replies");
	struct exec_plugin_limits limits = { .timeout = user && strstr(user, "hangs") ? 1000 : 0 };
	struct buf got = { 0 }, who = { 0 }, all = { 0 };
	struct recorded recorded;
	struct kubeconfig config;
	struct kube *kube;

	if (user && !strncmp(user, "exec ", 5)) {
		CLEANUP(freep) char *mode = xstrndup(user + 5, strcspn(user + 5, "\n"));

		setenv("FAKE_PLUGIN", mode, 1);
		unlink(getenv("FAKE_COUNT"));
		buf_printf(&who, "exec %s\n", strcmp(mode, "missing") != 0 ? plugin : "no-such-plugin");
		user = buf_text(&who);
	}
	make_config(&config, user);
	buf_printf(&all, "%s%s", replies ? replies : "", workflow ? USUAL : "");
	recorded_init(&recorded, buf_text(&all));
	recorded.any_order = workflow != NULL;
	kube = kube_new(&config, &recorded.http, &limits);
	if (workflow)
		test_preflight(kube, workflow, case_text(test, "door"), &got);
	else
		test_call(kube, case_text(test, "call"), &got);
	buf_puts(&got, buf_text(&recorded.log));
	if (!workflow && !recorded_is_done(&recorded))
		buf_printf(&got, "not asked: %s", recorded.at);
	make_stable(&got, plugin);
	case_is(file, test, "expected", buf_text(&got), got.len);
	kube_free(kube);
	kubeconfig_release(&config);
	recorded_release(&recorded);
	buf_release(&got);
	buf_release(&who);
	buf_release(&all);
}

/* An answer that ends anywhere is no answer, and no crash. */
static void
test_cut_answers(void)
{
	static const char whole[] = "{\"kind\": \"Status\", \"details\": {\"causes\": [{\"field\": \"spec.templates[0]\", \"message\": \"é\"}]}}";
	size_t taken = 0;

	for (size_t n = 0; n < sizeof whole - 1; n++) {
		struct exec_plugin_limits limits = { 0 };
		struct api_request request = { .method = "GET", .path = "/x", .right = { "get", "", "x", NULL }, .repeatable = true };
		struct arena *arena = arena_new();
		struct api_failure failure;
		struct recorded recorded;
		struct kubeconfig config;
		struct buf replies = { 0 };
		struct kube *kube;

		buf_printf(&replies, "> GET /x\n< 200 application/json\n%.*s", (int)n, whole);
		make_config(&config, NULL);
		recorded_init(&recorded, buf_text(&replies));
		kube = kube_new(&config, &recorded.http, &limits);
		taken += kube_call(kube, &request, arena, &failure) != NULL || failure.kind != API_WRONG_SERVER;
		kube_free(kube);
		kubeconfig_release(&config);
		recorded_release(&recorded);
		buf_release(&replies);
		arena_free(arena);
	}
	is_int((int64_t)taken, 0, "a truncated answer is never taken, cut at any of %zu places", sizeof whole - 1);
}

static bool
say_stop(void *context)
{
	int *left = context;

	return --*left < 0;
}

static void
test_stop(void)
{
	int left = 2;
	struct exec_plugin_limits limits = { .stop = say_stop, .context = &left };
	struct api_request request = { .method = "GET", .path = "/x", .right = { "get", "", "x", NULL }, .repeatable = true };
	struct arena *arena = arena_new();
	struct api_failure failure;
	struct recorded recorded;
	struct kubeconfig config;
	struct kube *kube;

	make_config(&config, NULL);
	recorded_init(&recorded, "> GET /x\n! cut x\n> GET /x\n! cut x\n> GET /x\n! cut x\n> GET /x\n! cut x\n");
	kube = kube_new(&config, &recorded.http, &limits);
	ok(!kube_call(kube, &request, arena, &failure), "an interrupt while waiting for the next try ends the call");
	is_str(buf_text(&recorded.log), "GET /x\nwait\n", "and nothing more is asked");
	kube_free(kube);
	kubeconfig_release(&config);
	recorded_release(&recorded);
	arena_free(arena);
}

int
main(void)
{
	char *plugin = test_path("tests/runtime/cluster/fake_plugin.sh");
	char *folder = test_temp_dir(), count[512];
	struct case_file file;

	snprintf(count, sizeof count, "%s/count", folder);
	setenv("FAKE_COUNT", count, 1);
	cases_open(&file, "tests/runtime/cluster/kube.cases");
	for (size_t i = 0; i < file.n_cases; i++)
		test_case(&file, &file.cases[i], plugin);
	cases_close(&file);
	cases_open(&file, "tests/runtime/cluster/preflight.cases");
	for (size_t i = 0; i < file.n_cases; i++)
		test_case(&file, &file.cases[i], plugin);
	cases_close(&file);
	test_cut_answers();
	test_stop();
	test_remove_tree(folder);
	free(folder);
	free(plugin);
	return done_testing();
}
