/* The door to Kubeflow Pipelines and its ways of signing in, over recorded replies: what is asked, and what comes of it. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/cluster/door_kfp.h"
#include "tests/cases.h"
#include "tests/runtime/cluster/recorded.h"
#include "tests/tap.h"
#include "tests/text.h"

enum { WORDS_MAX = 24 };

/* What a case sets up. */
struct setup {
	struct arena *arena;
	struct kfp_options options;
	struct secret token, password;
	struct kubeconfig config;
	const char *folder; /* of files that a case writes */
	struct recorded recorded;
	struct door *door;
	struct buf got;
};

static size_t
split(struct arena *arena, const char *line, const char **words)
{
	size_t n = 0;

	while (*line && n < WORDS_MAX) {
		size_t len = strcspn(line, " ");

		if (len)
			words[n++] = arena_strndup(arena, line, len);
		line += len + (line[len] == ' ');
	}
	words[n] = NULL;
	return n;
}

static const char *
line_at(struct arena *arena, const char **text)
{
	size_t len = strcspn(*text, "\n");
	const char *line = arena_strndup(arena, *text, len);

	*text += len + ((*text)[len] == '\n');
	return line;
}

/* The value of the word "name=…"; NULL if there is none. */
static const char *
option(const char *const *words, const char *name)
{
	size_t len = strlen(name);

	for (; *words; words++)
		if (!strncmp(*words, name, len) && (*words)[len] == '=')
			return *words + len + 1;
	return NULL;
}

static void
write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	if (!file || fputs(text, file) < 0 || fclose(file))
		BUG("cannot write `%s`", path);
}

/* Lines of the part `with`: "namespace ml", "auth dex", "user me", … */
static void
take_setting(struct setup *setup, const char *name, const char *value)
{
	static const char *const kinds[] = { "plain", "token", "audience", "dex", "iap", "gcp", "kube" };
	struct kfp_login *login = &setup->options.login;
	const struct {
		const char *name;
		const char **place;
	} texts[] = {
		{ "url", &setup->options.url }, { "namespace", &setup->options.namespace_ }, { "page", &setup->options.page },
		{ "user", &login->user }, { "audience", &login->audience }, { "client_id", &login->client_id }, { "user_id", &login->user_id },
		{ "metadata", &login->google_metadata }, { "token_url", &login->google_token_url },
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (!strcmp(name, texts[i].name))
			*texts[i].place = value;
	for (size_t i = 0; i < ARRAY_LEN(kinds) && !strcmp(name, "auth"); i++)
		if (!strcmp(value, kinds[i]))
			login->kind = (enum kfp_auth_kind)i;
	if (!strcmp(name, "token") || !strcmp(name, "password"))
		setenv(!strcmp(name, "token") ? "KFP_TEST_TOKEN" : "KFP_TEST_PASSWORD", value, 1);
	if (!strcmp(name, "token_file")) {
		login->token_file = arena_printf(setup->arena, "%s/token", setup->folder);
		write_file(login->token_file, value);
	} else if (!strcmp(name, "no_token_file")) {
		login->token_file = arena_printf(setup->arena, "%s/none", setup->folder);
	} else if (!strcmp(name, "google_file")) {
		login->google_file = arena_printf(setup->arena, "%s/google.json", setup->folder);
		write_file(login->google_file, value);
	}
}

static bool
text_has_line(const char *text, const char *line)
{
	const char *at = text ? strstr(text, line) : NULL;

	return at && (at == text || at[-1] == '\n') && at[strlen(line)] == '\n';
}

static void
set_up(struct setup *setup, const struct test_case *test, const char *folder)
{
	static const struct exec_plugin_limits limits;
	const char *text = case_text(test, "with"), *replies = case_text(test, "replies");

	*setup = (struct setup){ .arena = arena_new(), .folder = folder };
	setup->options = (struct kfp_options){ .url = "http://kfp:8888", .place = "the cluster `prod`" };
	setup->token = (struct secret){ .source = SECRET_ENV, .name = "KFP_TEST_TOKEN" };
	setup->password = (struct secret){ .source = SECRET_ENV, .name = "KFP_TEST_PASSWORD" };
	setup->options.login.token = &setup->token;
	setup->options.login.password = &setup->password;
	while (text && *text) {
		const char *line = line_at(setup->arena, &text);
		size_t len = strcspn(line, " ");

		take_setting(setup, arena_strndup(setup->arena, line, len), line[len] ? line + len + 1 : "");
	}
	recorded_init(&setup->recorded, replies ? replies : "");
	setup->recorded.log_bodies = setup->recorded.log_headers = true;
	setup->recorded.any_order = text_has_line(case_text(test, "with"), "any_order");
	if (setup->options.login.kind == KFP_AUTH_KUBE) {
		setup->config = (struct kubeconfig){ .arena = arena_new(), .context = "prod", .from = "~/.kube/config", .server = "https://10.0.0.1:6443",
			.namespace_ = "ml", .token = "kube-token" };
		setup->options.login.kube = kube_new(&setup->config, &setup->recorded.http, &limits);
	}
	setup->door = door_kfp_new(&setup->recorded.http, NULL, &setup->options);
}

static void
tear_down(struct setup *setup)
{
	door_free(setup->door);
	kube_free(setup->options.login.kube);
	if (setup->config.arena)
		kubeconfig_release(&setup->config);
	recorded_release(&setup->recorded);
	buf_release(&setup->got);
	arena_free(setup->arena);
}

/* ---- what is done ---- */

static void
say_failure(struct setup *setup, const struct api_failure *failure)
{
	static const char *const kinds[] = { "stopped", "unreachable", "unknown user", "forbidden", "not found", "refused", "wrong server", "trouble" };

	buf_printf(&setup->got, "%s%s: %s\n", kinds[failure->kind], failure->unsure ? ", unsure" : "", failure->what);
	if (*failure->note)
		buf_printf(&setup->got, "  note: %s\n", failure->note);
	if (*failure->help)
		buf_printf(&setup->got, "  help: %s\n", failure->help);
}

static void
say_run(struct setup *setup, const struct door_run *run)
{
	buf_printf(&setup->got, "run %s name=%s display=%s namespace=%s token=%s %s %lld\n", run->id, run->name, run->display ? run->display : "-",
		run->namespace_, run->token ? run->token : "-", phase_name(run->phase), (long long)run->created_ms);
}

static const struct value *
workflow_of(struct setup *setup, const struct test_case *test)
{
	const char *text = case_text(test, "workflow");
	struct error err;
	const struct value *workflow = text ? value_read_json(setup->arena, text, strlen(text), &err) : NULL;

	if (text && !workflow)
		BUG("%s", err.text);
	return workflow;
}

/* Words "a:b" are arguments. */
static void
fill_submission(struct setup *setup, const char *const *words, const struct test_case *test, struct door_submission *ret)
{
	const char *(*args)[2] = arena_alloc(setup->arena, WORDS_MAX * sizeof(*args));
	const char *long_one = option(words, "long");

	*ret = (struct door_submission){ .workflow = workflow_of(setup, test), .name = words[1], .token = option(words, "token"),
		.experiment = option(words, "experiment"), .pipeline_version = option(words, "version") };
	for (; *words; words++) {
		const char *colon = strchr(*words, ':');

		if (!colon || strchr(*words, '='))
			continue;
		args[ret->n_args][0] = arena_strndup(setup->arena, *words, (size_t)(colon - *words));
		args[ret->n_args++][1] = colon + 1;
	}
	if (long_one) {
		char *text = arena_alloc(setup->arena, 10001);

		memset(text, 'x', 10000);
		args[ret->n_args][0] = long_one;
		args[ret->n_args++][1] = text;
	}
	ret->args = (const char *const (*)[2])args;
}

static int
do_list(struct setup *setup, const char *const *words, struct api_failure *failure)
{
	const char *max = option(words, "max");
	const struct door_list which = { option(words, "name"), option(words, "token"), max ? strtoul(max, NULL, 10) : 10 };
	struct door_run *runs;
	size_t n;

	if (setup->door->ops->list(setup->door, &which, setup->arena, &runs, &n, failure))
		return -1;
	buf_printf(&setup->got, "%zu runs\n", n);
	for (size_t i = 0; i < n; i++)
		say_run(setup, &runs[i]);
	return 0;
}

static int
do_control(struct setup *setup, const char *const *words, struct api_failure *failure)
{
	static const char *const names[] = { "stop", "terminate", "suspend", "resume", "delete" };
	const struct door_run run = { .id = words[2], .name = "", .namespace_ = "" };
	enum door_control what = DOOR_STOP;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(words[1], names[i]))
			what = (enum door_control)i;
	return setup->door->ops->control(setup->door, &run, what, failure);
}

static int
do_artifact(struct setup *setup, const char *const *words, struct api_failure *failure)
{
	const struct door_run run = { .id = words[1], .name = "", .namespace_ = "" };
	struct buf bytes = { 0 };
	int rc = setup->door->ops->artifact(setup->door, &run, words[2], words[3], strtoul(words[4], NULL, 10), &bytes, failure);

	if (!rc)
		buf_printf(&setup->got, "%zu bytes: %s\n", bytes.len, buf_text(&bytes));
	buf_release(&bytes);
	return rc;
}

/* ---- watches and logs ---- */

struct news {
	struct setup *setup;
	struct workflow_model *model;
	bool over;
};

static void
changed(void *context, const size_t *places, size_t n, bool head)
{
	struct news *news = context;
	const struct workflow *w = workflow_model_head(news->model);

	buf_printf(&news->setup->got, "at %lld:", (long long)(news->setup->recorded.now / 1000 - RECORDED_START));
	if (head)
		buf_printf(&news->setup->got, " %s %s%s%s", w->name, phase_name(w->phase), w->completed ? " completed" : "", w->deleted ? " deleted" : "");
	for (size_t i = 0; i < n; i++) {
		const struct workflow_node *node = workflow_model_node(news->model, places[i]);

		buf_printf(&news->setup->got, " %s=%s", node->display, phase_name(node->phase));
	}
	buf_putc(&news->setup->got, '\n');
	news->over = w->completed || w->deleted;
}

static void
reached(void *context, const struct api_failure *failure)
{
	struct news *news = context;

	if (failure)
		say_failure(news->setup, failure);
	else
		buf_puts(&news->setup->got, "reached again\n");
}

static void
failed(void *context, const struct api_failure *failure)
{
	struct news *news = context;

	buf_puts(&news->setup->got, "the end: ");
	say_failure(news->setup, failure);
	news->over = true;
}

static bool
is_over(void *context)
{
	return ((struct news *)context)->over;
}

static void
do_watch(struct setup *setup, const char *id)
{
	struct news news = { .setup = setup, .model = workflow_model_new() };
	const struct door_watcher watcher = { changed, reached, failed, &news };
	const struct door_run run = { .id = id, .name = "", .namespace_ = "" };
	struct door_watch *watch = setup->door->ops->watch(setup->door, &run, news.model, &watcher);

	if (!recorded_run(&setup->recorded, 600000, is_over, &news))
		buf_puts(&setup->got, "no end\n");
	setup->door->ops->unwatch(setup->door, watch);
	workflow_model_free(news.model);
}

static void
log_came(void *context, const char *bytes, size_t n)
{
	struct news *news = context;

	buf_printf(&news->setup->got, "[%.*s]", (int)n, bytes);
}

static void
log_ended(void *context, const struct api_failure *failure)
{
	struct news *news = context;

	news->over = true;
	buf_printf(&news->setup->got, " at %lld: ", (long long)(news->setup->recorded.now / 1000 - RECORDED_START));
	if (failure)
		say_failure(news->setup, failure);
	else
		buf_puts(&news->setup->got, "whole\n");
}

static void
do_log(struct setup *setup, const char *const *words)
{
	struct news news = { .setup = setup };
	const struct door_log_listener listener = { log_came, log_ended, &news };
	const char *have = option(words, "have"), *container = option(words, "container");
	const struct door_log_request request = { .run = { .id = words[1], .name = "", .namespace_ = "" }, .node = words[2],
		.pod = option(words, "pod"), .container = container ? container : "main", .follow = option(words, "follow"),
		.have = have ? strtoul(have, NULL, 10) : 0 };
	struct door_log *log = setup->door->ops->log(setup->door, &request, &listener);

	if (!recorded_run(&setup->recorded, 600000, is_over, &news)) {
		buf_puts(&setup->got, "no end\n");
		setup->door->ops->unlog(setup->door, log);
	}
}

/* ---- a line of the part `do` ---- */

static int
do_more(struct setup *setup, const char *const *words, const struct test_case *test, struct api_failure *failure)
{
	struct door *door = setup->door;
	const struct door_run run = { .id = words[1] ? words[1] : "", .name = "", .namespace_ = "" };
	const char *id = NULL, *page;
	const struct value *value = NULL;
	int rc = 0;

	if (!strcmp(words[0], "object") || !strcmp(words[0], "parameters")) {
		value = *words[0] == 'o' ? door->ops->object(door, &run, setup->arena, failure) : door_kfp_parameters(door, run.id, setup->arena, failure);
		if (value)
			value_write_json(&setup->got, value);
		buf_puts(&setup->got, value ? "\n" : "");
		return value ? 0 : -1;
	}
	if (!strcmp(words[0], "page")) {
		page = door->ops->page(door, &run, setup->arena);
		buf_printf(&setup->got, "page %s\n", page ? page : "-");
	} else if (!strcmp(words[0], "upload")) {
		rc = door->ops->upload(door, words[1], workflow_of(setup, test), setup->arena, &id, failure);
	} else if (!strcmp(words[0], "version")) {
		id = door_kfp_version(door, words[1], setup->arena, failure);
		rc = id ? 0 : -1;
	} else if (!strcmp(words[0], "wait")) {
		setup->recorded.now += 1000 * strtol(words[1], NULL, 10);
	} else if (!strcmp(words[0], "token")) {
		write_file(setup->options.login.token_file, words[1]);
	} else {
		BUG("`%s`", words[0]);
	}
	if (!rc && id)
		buf_printf(&setup->got, "id %s\n", id);
	return rc;
}

static int
do_schedule(struct setup *setup, const char *const *words, const struct door_submission *submission, struct api_failure *failure)
{
	const char *at = option(words, "at"), *most = option(words, "most"), *id;
	char *cron = at ? arena_strdup(setup->arena, at) : NULL;
	const struct door_schedule schedule = { .name = words[1], .cron = cron, .timezone = option(words, "zone"),
		.concurrency = most ? strtol(most, NULL, 10) : 1, .catch_up = option(words, "catch_up") };

	for (char *c = cron; c && *c; c++)
		*c = *c == '_' ? ' ' : *c;
	if (setup->door->ops->schedule(setup->door, submission, &schedule, setup->arena, &id, failure))
		return -1;
	buf_printf(&setup->got, "id %s\n", id);
	return 0;
}

static void
do_line(struct setup *setup, const char *line, const struct test_case *test)
{
	const char *words[WORDS_MAX + 1], *version = NULL;
	struct api_failure failure = { 0 };
	struct door *door = setup->door;
	struct door_submission submission;
	struct door_run run;
	int rc = 0;

	if (!split(setup->arena, line, words))
		return;
	fill_submission(setup, words, test, &submission);
	if (!strcmp(words[0], "probe")) {
		rc = door->ops->probe(door, setup->arena, &version, &failure);
		if (!rc)
			buf_printf(&setup->got, "version %s\n", *version ? version : "not said");
	} else if (!strcmp(words[0], "submit")) {
		rc = door->ops->submit(door, &submission, setup->arena, &run, &failure);
		if (!rc)
			say_run(setup, &run);
	} else if (!strcmp(words[0], "schedule")) {
		rc = do_schedule(setup, words, &submission, &failure);
	} else if (!strcmp(words[0], "list")) {
		rc = do_list(setup, words, &failure);
	} else if (!strcmp(words[0], "control")) {
		rc = do_control(setup, words, &failure);
		buf_puts(&setup->got, rc ? "" : "done\n");
	} else if (!strcmp(words[0], "retry")) {
		run = (struct door_run){ .id = words[1], .name = "", .namespace_ = "" };
		rc = door->ops->retry(door, &run, words[2], &failure);
		buf_puts(&setup->got, rc ? "" : "done\n");
	} else if (!strcmp(words[0], "artifact")) {
		rc = do_artifact(setup, words, &failure);
	} else if (!strcmp(words[0], "watch")) {
		do_watch(setup, words[1]);
	} else if (!strcmp(words[0], "log")) {
		do_log(setup, words);
	} else {
		rc = do_more(setup, words, test, &failure);
	}
	if (rc)
		say_failure(setup, &failure);
}

static void
test_case(struct case_file *file, struct test_case *test, const char *folder)
{
	struct setup setup;
	const char *text = case_text(test, "do");

	set_up(&setup, test, folder);
	while (text && *text)
		do_line(&setup, line_at(setup.arena, &text), test);
	buf_puts(&setup.got, buf_text(&setup.recorded.log));
	if (!recorded_is_done(&setup.recorded))
		buf_printf(&setup.got, "not asked: %s", setup.recorded.at);
	text_replace(&setup.got, folder, "FOLDER");
	text_replace(&setup.got, "\r", "");
	case_is(file, test, "expected", buf_text(&setup.got), setup.got.len);
	tear_down(&setup);
}

int
main(void)
{
	static const char *const files[] = { "tests/runtime/cluster/kfp.cases", "tests/runtime/cluster/kfp_real.cases" };
	char *folder = test_temp_dir();
	struct case_file file;

	unsetenv("GOOGLE_APPLICATION_CREDENTIALS");
	unsetenv("CLOUDSDK_CONFIG");
	unsetenv("GCE_METADATA_HOST");
	unsetenv("KF_PIPELINES_SA_TOKEN_PATH");
	setenv("HOME", folder, 1);
	for (size_t f = 0; f < ARRAY_LEN(files); f++) {
		cases_open(&file, files[f]);
		for (size_t i = 0; i < file.n_cases; i++)
			test_case(&file, &file.cases[i], folder);
		cases_close(&file);
	}
	test_remove_tree(folder);
	free(folder);
	return done_testing();
}
