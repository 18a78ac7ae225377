/* Plans to workflows: whole workflows as golden files (in tests/dsl/golden, refreshed by `make update-golden`), and
 * what is refused. The plans are built by hand; tests/argo compiles programs. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dsl/target.h"
#include "tests/dsl/plan_builder.h"
#include "tests/tap.h"

/* ---- plans ---- */

static void
plain_steps(struct fixture *f)
{
	struct component *copy = fixture_component(f, "copy_data", "img/copy:1", "from:GCSPath times:Integer", "path:String");
	struct component *serve = fixture_component(f, "serve", "img/serve:1", "path:String mode:String?", "");
	struct settings *settings = fixture_settings(f);
	size_t from = fixture_param(f, "from_dir", "GCSPath", NULL), steps = fixture_param(f, "train_steps", "Integer", "7");

	f->plan.display = "Plain steps, shared";
	f->settings.service_account = "runner";
	fixture_args(f, copy, "--from <from --times <times --to >path --attempt @ --name %");
	fixture_args(f, serve, "--path <path --mode <mode");
	fixture_step(f, 0, "first_copy", copy, "", fx_param(f, from), fx_param(f, steps));
	settings->gpu = fx_integer(f, 1);
	settings->memory = fx_text(f, "48Gi");
	settings->retry = (struct retry){ .set = true, .limit = 5 };
	settings->preemptible = PREEMPTIBLE_PREFERRED;
	settings->timeout = 3600;
	fixture_step(f, 0, "second_copy", copy, "", fx_param(f, from), fx_integer(f, 3));
	fixture_step(f, 0, "big_copy", copy, "0",
		     fx_concat(f, fx_of(f, 0, "path"), fx_text(f, "/"), fx_fact(f, FACT_RUN_ID)), fx_integer(f, 1));
	f->steps[2].settings = settings;
	fixture_step(f, 0, "serve", serve, "1 2", fx_of(f, 2, "path"), &FX_ABSENT);
	fixture_output(f, "served", fx_of(f, 2, "path"));
}

static void
branches(struct fixture *f)
{
	struct component *probe = fixture_component(f, "probe", "img/probe:1", "x:String", "verdict:String score:Integer log:Dataset");
	struct component *act = fixture_component(f, "act", "img/act:1", "x:String log:Dataset", "done:String");
	size_t mode = fixture_param(f, "mode", "String", "fast"), deploy = fixture_param(f, "deploy", "Boolean", "true");
	const struct expr *good, *enough;
	size_t outer, inner, otherwise;

	fixture_args(f, probe, "<x >verdict >score >log");
	fixture_args(f, act, "<x <log >done");
	fixture_step(f, 0, "probe", probe, "", fx_param(f, mode));
	good = fx_binary(f, OP_EQ, fx_of(f, 0, "verdict"), fx_text(f, "good"));
	enough = fx_binary(f, OP_GT, fx_of(f, 0, "score"), fx_integer(f, 10));
	outer = fixture_if(f, 0, "0", fx_binary(f, OP_AND, good, fx_binary(f, OP_OR, enough, fx_param(f, deploy))));
	fixture_step(f, outer, "act", act, "", fx_param(f, mode), fx_of(f, 0, "log"));
	inner = fixture_if(f, outer, "0", fx_binary(f, OP_NE, fx_of(f, 1, "done"), fx_text(f, "it's \"\\ {{x}}\n")));
	fixture_step(f, inner, "act_again", act, "", fx_of(f, 0, "verdict"), fx_of(f, 0, "log"));
	otherwise = fixture_if(f, 0, "0", fx_not(f, fx_binary(f, OP_AND, good, enough)));
	f->groups[otherwise].arm = 1;
	fixture_step(f, otherwise, "give_up", act, "", fx_text(f, "no"), fx_of(f, 0, "log"));
	fixture_step(f, 0, "join", probe, "1 2", fx_choice(f, good, fx_of(f, 1, "done"), fx_of(f, 3, "done")));
	fixture_if(f, 0, "", fx_param(f, deploy)); /* without steps: left out */
}

static void
states(struct fixture *f)
{
	struct component *work = fixture_component(f, "work", "img/work:1", "x:String", "y:String");
	size_t on_failure, on_success;

	fixture_args(f, work, "<x >y");
	fixture_step(f, 0, "try_it", work, "", fx_text(f, "a"));
	fixture_step(f, 0, "beside", work, "", fx_text(f, "b"));
	on_failure = fixture_if(f, 0, "0 1",
				fx_binary(f, OP_AND, fx_state(f, 0, STATE_FAILED),
					  fx_binary(f, OP_EQ, fx_of(f, 1, "y"), fx_text(f, "repair"))));
	fixture_step(f, on_failure, "repair", work, "", fx_text(f, "c"));
	on_success = fixture_if(f, 0, "0", fx_not(f, fx_state(f, 0, STATE_FAILED)));
	fixture_step(f, on_success, "go_on", work, "", fx_text(f, "d"));
	fixture_step(f, 0, "last", work, "2 3", fx_text(f, "e"));
}

static void
loops(struct fixture *f)
{
	struct component *make = fixture_component(f, "make_list", "img/make:1", "", "list:List");
	struct component *train = fixture_component(f, "train", "img/train:1", "lr:Float tag:String", "loss:Float");
	struct component *best = fixture_component(f, "best", "img/best:1", "losses:List", "");
	size_t tag = fixture_param(f, "tag", "String", "t"), n = fixture_param(f, "n", "Integer", "3");
	size_t known, limited, inner, counted;

	fixture_args(f, make, ">list");
	fixture_args(f, train, "<lr <tag >loss");
	fixture_args(f, best, "<losses");
	fixture_step(f, 0, "make", make, "");
	known = fixture_for(f, 0, "", "lr", fx_json(f, "[0.0001, 3e-4, 1]"), 0);
	fixture_step(f, known, "train", train, "", fx_item(f, known, "Float"), fx_param(f, tag));
	limited = fixture_for(f, 0, "0", "lr", fx_of(f, 0, "list"), 4);
	fixture_step(f, limited, "train_all", train, "", fx_item(f, limited, "Float"), fx_text(f, "x"));
	inner = fixture_for(f, limited, "0", "part", fx_range(f, fx_param(f, n)), 0);
	fixture_step(f, inner, "train_part", train, "", fx_of(f, 2, "loss"),
		     fx_concat(f, fx_item(f, inner, "Integer"), fx_text(f, "-"), fx_item(f, limited, "Float")));
	counted = fixture_for(f, 0, "", "i", fx_range(f, fx_integer(f, 3)), 2);
	fixture_step(f, counted, "count", train, "", fx_item(f, counted, "Integer"), fx_text(f, "y"));
	fixture_step(f, 0, "best", best, "1", fx_of(f, 1, "loss"));
	fixture_step(f, 0, "best_all", best, "2", fx_of(f, 2, "loss"));
}

static void
scripts(struct fixture *f)
{
	struct component *script = fixture_component(f, "run_script", NULL, "text:String file:Dataset token:Secret opt:String?",
						     "count:Integer table:Dataset");
	struct component *python = fixture_component(f, "py", "python:3", "", "");
	struct component *args = fixture_component(f, "args", "img/args:1", "token:Secret text:String", "");
	size_t token = fixture_param(f, "token", "Secret", NULL), free = fixture_param(f, "free", "String", "a $(HOME) $$");
	struct secret *secret = arena_new_struct(f->arena, struct secret);

	*secret = (struct secret){ .name = "github", .key = "token" };
	f->params[token].secret = secret;
	f->settings.default_image = "debian:12";
	script->script = "echo \"$text\" $$ $(cat \"$file\") {{x}} {{{ '\n' \\ >\"$out_count\"\n";
	python->script = "print('hi')";
	python->script_language = "python";
	fixture_args(f, args, "--token=<token <token <text");
	fixture_step(f, 0, "one", script, "", fx_text(f, "$(x) {{y}} $$"), fx_text(f, "a raw file"), fx_param(f, token), &FX_ABSENT);
	fixture_step(f, 0, "two", script, "0", fx_of(f, 0, "count"), fx_of(f, 0, "table"), fx_param(f, token), fx_param(f, free));
	fixture_step(f, 0, "py", python, "");
	fixture_step(f, 0, "args", args, "", fx_secret(f, SECRET_STORE, "other", "key", true), fx_param(f, free));
	fixture_step(f, 0, "emoji", args, "", fx_secret(f, SECRET_STORE, "other", "key", true), fx_text(f, "\xf0\x9f\x98\x80 \x01"));
	fixture_step(f, 0, "attempt", args, "", fx_secret(f, SECRET_STORE, "other", "key", true), fx_fact(f, FACT_STEP_ATTEMPT));
}

static void
settings_(struct fixture *f)
{
	struct component *work = fixture_component(f, "work", "img/work:1", "x:String", "n:Integer mem:String");
	struct settings *s = fixture_settings(f), *t = fixture_settings(f);
	struct setting_pair *env = arena_alloc(f->arena, 2 * sizeof *env), *label = arena_alloc(f->arena, sizeof *label);
	struct setting_secret *secret_env = arena_new_struct(f->arena, struct setting_secret);
	struct toleration *toleration = arena_new_struct(f->arena, struct toleration);
	size_t mode = fixture_param(f, "mode", "String", "m");

	fixture_args(f, work, "<x >n >mem");
	fixture_step(f, 0, "first", work, "", fx_text(f, "a"));
	env[0] = (struct setting_pair){ "FIXED", fx_text(f, "1 $$ {{") };
	env[1] = (struct setting_pair){ "MODE", fx_param(f, mode) };
	label[0] = (struct setting_pair){ "team", fx_text(f, "ml") };
	secret_env->variable = "TOKEN";
	secret_env->secret = fx_secret(f, SECRET_STORE, "s", "k", false)->secret;
	*toleration = (struct toleration){ .key = "nvidia.com/gpu", .effect = "NoSchedule" };
	*s = (struct settings){ .env = env, .n_env = 2, .labels = label, .n_labels = 1, .annotations = label, .n_annotations = 1,
				.node_selector = label, .n_node_selector = 1, .secret_env = secret_env, .n_secret_env = 1,
				.tolerations = toleration, .n_tolerations = 1, .workdir = "/work", .display = "Second of two",
				.preemptible = PREEMPTIBLE_REQUIRED,
				.gpu = fx_of(f, 0, "n"), .memory = fx_of(f, 0, "mem"), .cpu = fx_text(f, "500m"),
				.retry = { .set = true, .limit = 3, .when = RETRY_ON_PREEMPTION, .when_set = true, .backoff = 30,
					   .factor = 2, .max = 600 } };
	fixture_step(f, 0, "second", work, "0", fx_text(f, "b"));
	f->steps[1].settings = s;
	*t = (struct settings){ .patch = "hostNetwork: true", .cache = CACHE_OFF,
				.retry = { .set = true, .limit = 1, .when = RETRY_ON_ERROR, .when_set = true } };
	fixture_step(f, 0, "third", work, "0", fx_text(f, "c"));
	f->steps[2].settings = t;
}

static void
expressions(struct fixture *f)
{
	struct component *make = fixture_component(f, "make", "img/make:1", "", "d:Dict n:Integer s:String");
	struct component *take = fixture_component(f, "take", "img/take:1", "x:String", "");
	size_t n = fixture_param(f, "n", "Integer", "3");
	const struct expr *of_n, *of_d, *of_s;

	fixture_args(f, make, ">d >n >s");
	fixture_args(f, take, "<x");
	fixture_step(f, 0, "make-it", make, "");
	of_n = fx_of(f, 0, "n");
	of_d = fx_of(f, 0, "d");
	of_s = fx_of(f, 0, "s");
	fixture_step(f, 0, "sum", take, "0", fx_binary(f, OP_ADD, fx_binary(f, OP_MUL, of_n, fx_integer(f, 2)), fx_param(f, n)));
	fixture_step(f, 0, "key", take, "0", fx_index(f, of_d, fx_text(f, "a'}}b")));
	fixture_step(f, 0, "deep", take, "0", fx_index(f, fx_index(f, of_d, fx_text(f, "list")), fx_integer(f, 0)));
	fixture_step(f, 0, "coalesce", take, "0",
		     fx_binary(f, OP_COALESCE, fx_index(f, of_d, fx_text(f, "a")), fx_text(f, "none")));
	fixture_step(f, 0, "joined", take, "0", fx_binary(f, OP_ADD, of_s, fx_text(f, "$$")));
	fixture_step(f, 0, "member", take, "0", fx_binary(f, OP_IN, of_s, fx_json(f, "[\"a\", \"b\", {\"c\": {\"d\": {}}}]")));
	fixture_step(f, 0, "braces", take, "0", fx_concat(f, fx_text(f, "{"), of_s, fx_text(f, "}")));
	fixture_step(f, 0, "dollar", take, "0", fx_concat(f, fx_text(f, "$"), of_s, NULL));
	fixture_step(f, 0, "json", take, "0", of_d);
	fixture_if(f, 0, "0", fx_binary(f, OP_NOT_IN, fx_text(f, "a"), of_s));
	fixture_step(f, 1, "under_if", take, "", fx_text(f, "x"));
}

static const struct {
	const char *name;
	void (*build)(struct fixture *f);
} plans[] = {
	{ "plain", plain_steps }, { "branches", branches }, { "states", states },	  { "loops", loops },
	{ "scripts", scripts },	  { "settings", settings_ }, { "expressions", expressions },
};

/* ---- golden files ---- */

static void
compare_golden(const char *name, const char *text)
{
	char file[128];
	CLEANUP(freep) char *path = NULL;
	CLEANUP(freep) char *want = NULL;

	snprintf(file, sizeof file, "tests/dsl/golden/%s.yaml", name);
	path = test_path(file);
	if (getenv("UPDATE_GOLDEN")) {
		FILE *out = fopen(path, "w");

		if (ok(out != NULL, "%s can be written", file)) {
			fputs(text, out);
			fclose(out);
		}
		return;
	}
	want = test_read_file(path, NULL);
	is_str(text, want ? want : "(no such file)", "%s", file);
}

static void
print_problems(const struct diags *diags)
{
	for (size_t i = 0; i < diags->n; i++)
		tap_note("%s: %s", diag_info(diags->items[i]->code)->code, diags->items[i]->message);
}

/* The template that the task of that name calls, or NULL. */
static const char *
template_called(const struct value *workflow, const char *task)
{
	const struct value *templates = value_get(value_get(workflow, "spec"), "templates");

	for (size_t i = 0; i < templates->list.n; i++) {
		const struct value *tasks = value_get(value_get(templates->list.items[i], "dag"), "tasks");

		for (size_t k = 0; tasks && k < tasks->list.n; k++)
			if (!strcmp(value_text(value_get(tasks->list.items[k], "name")), task))
				return value_text(value_get(tasks->list.items[k], "template"));
	}
	return NULL;
}

static void
check_names(const struct fixture *f, const struct target_report *report, const struct value *workflow)
{
	for (size_t i = 0; i < f->plan.n_steps; i++)
		is_str(template_called(workflow, report->steps[i].task), report->steps[i].template, "the task `%s` of the step `%s`",
		       report->steps[i].task, f->plan.steps[i].name);
	ok(!report->groups[0].task, "the pipeline is no task");
	for (size_t i = 1; i < f->plan.n_groups; i++)
		if (report->groups[i].task)
			is_str(template_called(workflow, report->groups[i].task), report->groups[i].task, "the task of group %zu", i);
}

static void
test_golden(size_t index, enum target target)
{
	struct fixture f;
	struct diags diags;
	struct target_report report;
	const struct value *object;
	char name[64];
	CLEANUP(buf_release) struct buf text = { 0 };

	fixture_init(&f, plans[index].name);
	plans[index].build(&f);
	diags_init(&diags);
	snprintf(name, sizeof name, "%s.%s", plans[index].name, target == TARGET_KFP ? "kfp" : "argo");
	object = target_compile(f.arena, &f.plan, target, &diags, &report);
	print_problems(&diags);
	if (ok(object != NULL, "%s compiles", name)) {
		check_names(&f, &report, object);
		yaml_write(&text, object);
		compare_golden(name, buf_text(&text));
	}
	diags_release(&diags);
	fixture_release(&f);
}

/* ---- what is refused ---- */

static void
no_image(struct fixture *f)
{
	fixture_step(f, 0, "a", fixture_component(f, "c", NULL, "", ""), "");
}

static void
same_name(struct fixture *f)
{
	struct component *c = fixture_component(f, "c", "img", "", "");

	fixture_step(f, 0, "load_a", c, "");
	fixture_step(f, 0, "Load-a", c, "");
}

static void
local_secret(struct fixture *f)
{
	struct component *c = fixture_component(f, "c", "img", "s:Secret", "");

	fixture_args(f, c, "<s");
	fixture_step(f, 0, "a", c, "", fx_secret(f, SECRET_ENV, "VAR", NULL, false));
}

static void
division(struct fixture *f)
{
	struct component *c = fixture_component(f, "c", "img", "x:Integer", "");
	size_t n = fixture_param(f, "n", "Integer", "1");

	fixture_args(f, c, "<x");
	fixture_step(f, 0, "a", c, "", fx_binary(f, OP_DIV, fx_param(f, n), fx_integer(f, 2)));
}

static void
braces_in_file(struct fixture *f)
{
	struct component *c = fixture_component(f, "c", "img", "x:Dataset", "");

	fixture_args(f, c, "<x");
	fixture_step(f, 0, "a", c, "", fx_text(f, "{{x}}"));
}

static void
braces_in_default(struct fixture *f)
{
	fixture_param(f, "p", "String", "{{workflow.name}}");
	fixture_step(f, 0, "a", fixture_component(f, "c", "img", "", ""), "");
}

static void
state_of_another_branch(struct fixture *f)
{
	struct component *c = fixture_component(f, "c", "img", "", "");
	size_t group = fixture_if(f, 0, "", fx_json(f, "true")), inner;

	fixture_step(f, 0, "a", c, "");
	inner = fixture_if(f, group, "", fx_state(f, 0, STATE_FAILED));
	fixture_step(f, inner, "b", c, "");
}

static void
no_steps(struct fixture *f)
{
	fixture_param(f, "p", "String", "x");
}

static void
tag_in_image(struct fixture *f)
{
	fixture_step(f, 0, "a", fixture_component(f, "c", "img:{{workflow.name}}", "", ""), "");
}

static void
cache(struct fixture *f)
{
	struct component *c = fixture_component(f, "c", "img", "", "");
	struct settings *settings = fixture_settings(f);

	settings->cache = CACHE_ALWAYS;
	c->settings = settings;
	fixture_step(f, 0, "a", c, "");
}

static void
long_script(struct fixture *f)
{
	struct component *c = fixture_component(f, "c", "img", "", "");
	char *text = arena_alloc(f->arena, 128 * 1024 + 1);

	memset(text, 'x', 128 * 1024);
	c->script = text;
	fixture_step(f, 0, "a", c, "");
}

static const struct {
	const char *name;
	void (*build)(struct fixture *f);
	const char *code, *message;
} refused[] = {
	{ "a step without image", no_image, "L0601", "target `argo` needs an image for the step `a`" },
	{ "two steps of one name", same_name, "L0602", "the steps `load_a` and `Load-a` would both be `load-a` on the target `argo`" },
	{ "a secret of this machine", local_secret, "L0607", "target `argo` cannot read the variable `VAR` of this machine" },
	{ "division", division, "L0603", "target `argo` cannot express `/` with numbers that only the run knows" },
	{ "{{ in a file", braces_in_file, "L0604", "target `argo` cannot keep `{{` in the file for the input `x`" },
	{ "{{ in a default", braces_in_default, "L0603",
	  "target `argo` cannot express a parameter's value with `{{` or control characters" },
	{ "a state elsewhere", state_of_another_branch, "L0603",
	  "target `argo` cannot express a test of how a step of another branch or loop ended" },
	{ "a tag in an image", tag_in_image, "L0603", "target `argo` cannot express `{{` in the name of an image" },
	{ "a cache", cache, "L0603", "target `argo` cannot express `cache` of a step" },
	{ "a long script", long_script, "L0603", "target `argo` cannot express an argument of 128 KiB or more" },
	{ "no steps", no_steps, "L0603", "target `argo` cannot express a pipeline without steps" },
};

static void
test_refused(size_t index)
{
	struct fixture f;
	struct diags diags;

	fixture_init(&f, "refused");
	refused[index].build(&f);
	diags_init(&diags);
	ok(!target_compile(f.arena, &f.plan, TARGET_ARGO, &diags, NULL), "%s: no workflow", refused[index].name);
	if (ok(diags.n == 1, "%s: one problem", refused[index].name)) {
		is_str(diag_info(diags.items[0]->code)->code, refused[index].code, "%s: its code", refused[index].name);
		is_str(diags.items[0]->message, refused[index].message, "%s: its message", refused[index].name);
		ok(diags.items[0]->n_helps == 1, "%s: a way round", refused[index].name);
	} else {
		print_problems(&diags);
	}
	diags_release(&diags);
	fixture_release(&f);
}

/* ---- Kubeflow's cache ---- */

static const struct {
	enum cache_mode mode;
	const char *staleness; /* NULL: no word about it, which lets the cache decide */
} caches[] = {
	{ CACHE_UNSET, "max_cache_staleness: P0D\n" },
	{ CACHE_OFF, "max_cache_staleness: P0D\n" },
	{ CACHE_ALWAYS, NULL },
	{ CACHE_FOR, "max_cache_staleness: PT3600S\n" },
};

static void
test_cache(size_t index)
{
	struct fixture f;
	struct diags diags;
	const struct value *object;
	CLEANUP(buf_release) struct buf text = { 0 };

	fixture_init(&f, "cache");
	cache(&f);
	((struct settings *)(uintptr_t)f.steps[0].settings)->cache = caches[index].mode;
	((struct settings *)(uintptr_t)f.steps[0].settings)->cache_seconds = 3600;
	diags_init(&diags);
	object = target_compile(f.arena, &f.plan, TARGET_KFP, &diags, NULL);
	if (ok(object != NULL, "cache mode %d compiles for kfp", (int)caches[index].mode)) {
		yaml_write(&text, object);
		if (caches[index].staleness)
			contains(buf_text(&text), caches[index].staleness, "cache mode %d", (int)caches[index].mode);
		else
			ok(!strstr(buf_text(&text), "max_cache_staleness"), "cache mode %d says nothing", (int)caches[index].mode);
	}
	diags_release(&diags);
	fixture_release(&f);
}

/* ---- many steps ---- */

static void
test_many(size_t n, size_t want_templates, bool want_warning)
{
	struct fixture f;
	struct diags diags;
	struct target_report report;
	struct plan_step *steps;
	struct plan_child *children;
	struct component *c;

	fixture_init(&f, "many");
	c = fixture_component(&f, "echo", "img/echo:1", "text:String", "said:String");
	fixture_args(&f, c, "<text >said");
	steps = arena_alloc(f.arena, n * sizeof *steps);
	children = arena_alloc(f.arena, n * sizeof *children);
	for (size_t i = 0; i < n; i++) {
		const struct expr **args = arena_alloc(f.arena, sizeof *args);

		args[0] = fx_integer(&f, (int64_t)i);
		steps[i] = (struct plan_step){ .name = arena_printf(f.arena, "say_%zu", i), .component = c, .args = args, .settings = &f.settings };
		children[i].index = i;
	}
	f.plan.steps = steps;
	f.plan.n_steps = n;
	f.groups[0].children = children;
	f.groups[0].n_children = n;
	diags_init(&diags);
	ok(target_compile(f.arena, &f.plan, TARGET_ARGO, &diags, &report) != NULL, "%zu steps compile", n);
	is_int((int64_t)report.templates, (int64_t)want_templates, "%zu equal steps: templates", n);
	is_int((int64_t)diags.n_warnings, want_warning, "%zu steps of %zu bytes: warnings", n, report.json_bytes);
	diags_release(&diags);
	fixture_release(&f);
}

int
main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(plans); i++) {
		test_golden(i, TARGET_ARGO);
		test_golden(i, TARGET_KFP);
	}
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		test_refused(i);
	for (size_t i = 0; i < ARRAY_LEN(caches); i++)
		test_cache(i);
	test_many(100, 2, false);
	test_many(20000, 2, true);
	return done_testing();
}
