/* The door to Kubeflow Pipelines against a real server, whose address is LATEEN_TEST_KFP: a run's whole life, an upload, a recurring
 * run, refusals. With LATEEN_RECORD the exchanges are written into that file, in the form of recorded.h. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "runtime/cluster/door_kfp.h"
#include "runtime/cluster/edit.h"
#include "tests/tap.h"

enum { PATIENCE = 180 }; /* seconds until a run must have ended */

/* ---- recording ---- */

struct recording {
	struct http http;
	struct http *true_http;
	FILE *file; /* NULL: nothing is written */
};

/* A stream that is listened to in between. */
struct tapped {
	struct recording *owner;
	struct http_listener listener;
	struct http_stream *stream;
	struct buf text; /* of request and reply: others may go on beside it */
};

static void
write_request(struct buf *text, const struct http_request *request)
{
	const char *host = strstr(request->url, "://"), *path = host ? strchr(host + 3, '/') : "";

	buf_printf(text, "> %s %s\n", request->method, path);
}

static void
write_out(struct recording *r, struct buf *text)
{
	if (r->file)
		fprintf(r->file, "%s\n", buf_text(text));
	buf_release(text);
}

static enum http_outcome
exchange(struct http *http, const struct http_request *request, struct http_reply *ret, struct error *err)
{
	struct recording *r = (struct recording *)http;
	enum http_outcome outcome = r->true_http->exchange(r->true_http, request, ret, err);
	struct buf text = { 0 };

	write_request(&text, request);
	if (outcome == HTTP_ANSWERED)
		buf_printf(&text, "< %ld %s\n%s", ret->status, ret->content_type, buf_text(&ret->body));
	else
		buf_printf(&text, "! %d %s", (int)outcome, err->text);
	write_out(r, &text);
	return outcome;
}

static void
began(void *context, const struct http_reply *head)
{
	struct tapped *t = context;

	buf_printf(&t->text, "< %ld %s\n", head->status, head->content_type);
	if (t->listener.began)
		t->listener.began(t->listener.context, head);
}

static void
came(void *context, const char *bytes, size_t n)
{
	struct tapped *t = context;

	buf_add(&t->text, bytes, n);
	t->listener.came(t->listener.context, bytes, n);
}

static void
ended(void *context, enum http_outcome outcome, const struct error *err)
{
	struct tapped *t = context;

	write_out(t->owner, &t->text);
	t->listener.ended(t->listener.context, outcome, err);
	free(t);
}

static struct http_stream *
open_stream(struct http *http, const struct http_request *request, const struct http_listener *listener)
{
	struct recording *r = (struct recording *)http;
	struct tapped *t = xcalloc(1, sizeof *t);
	const struct http_listener mine = { began, came, ended, t };

	write_request(&t->text, request);
	t->owner = r;
	t->listener = *listener;
	t->stream = r->true_http->open(r->true_http, request, &mine);
	return t->stream;
}

static void
close_stream(struct http *http, struct http_stream *stream)
{
	struct recording *r = (struct recording *)http;

	r->true_http->close(r->true_http, stream);
}

static void
wait_for(struct http *http, long milliseconds)
{
	struct recording *r = (struct recording *)http;

	r->true_http->wait(r->true_http, milliseconds);
}

static struct http_timer *
after(struct http *http, long milliseconds, void (*due)(void *context), void *context)
{
	struct recording *r = (struct recording *)http;

	return r->true_http->after(r->true_http, milliseconds, due, context);
}

static void
cancel(struct http *http, struct http_timer *timer)
{
	struct recording *r = (struct recording *)http;

	r->true_http->cancel(r->true_http, timer);
}

static void
poll_all(struct http *http, int wake, long timeout)
{
	struct recording *r = (struct recording *)http;

	r->true_http->poll(r->true_http, wake, timeout);
}

static int64_t
now(struct http *http)
{
	struct recording *r = (struct recording *)http;

	return r->true_http->now(r->true_http);
}

/* ---- what is run ---- */

static const char adder[] =
	"{\"apiVersion\":\"argoproj.io/v1alpha1\",\"kind\":\"Workflow\",\"metadata\":{\"generateName\":\"adder-\"},\"spec\":{"
	"\"entrypoint\":\"main\",\"serviceAccountName\":\"pipeline-runner\","
	"\"arguments\":{\"parameters\":[{\"name\":\"a\",\"value\":\"1\"},{\"name\":\"b\"}]},\"templates\":["
	"{\"name\":\"main\",\"dag\":{\"tasks\":[{\"name\":\"add\",\"template\":\"add\"},"
	"{\"name\":\"show\",\"template\":\"show\",\"dependencies\":[\"add\"],\"arguments\":{\"parameters\":[{\"name\":\"sum\","
	"\"value\":\"{{tasks.add.outputs.parameters.sum}}\"}]}}]}},"
	"{\"name\":\"add\",\"container\":{\"image\":\"%s\",\"command\":[\"sh\",\"-c\"],\"args\":[\"sleep %d; expr {{workflow.parameters.a}} + "
	"{{workflow.parameters.b}} > /tmp/sum\"]},\"outputs\":{\"parameters\":[{\"name\":\"sum\",\"valueFrom\":{\"path\":\"/tmp/sum\"}}]}},"
	"{\"name\":\"show\",\"inputs\":{\"parameters\":[{\"name\":\"sum\"}]},\"container\":{\"image\":\"%s\",\"command\":[\"sh\",\"-c\"],"
	"\"args\":[\"echo sum={{inputs.parameters.sum}}; echo file > /tmp/out\"]},\"outputs\":{\"artifacts\":[{\"name\":\"out\",\"path\":\"/tmp/out\",\"archive\":{\"none\":{}}}]}%s}"
	"]}}";

/* The bucket that Kubeflow reads, in the cluster that `make check-cluster` starts; not where it looks for logs first. */
static const char kept[] = ",\"archiveLocation\":{\"archiveLogs\":true,\"s3\":{\"endpoint\":\"10.100.0.1:9000\",\"insecure\":true,\"bucket\":\"mlpipeline\","
	"\"key\":\"kept/{{workflow.name}}/{{pod.name}}\",\"accessKeySecret\":{\"name\":\"s3\",\"key\":\"accesskey\"},"
	"\"secretKeySecret\":{\"name\":\"s3\",\"key\":\"secretkey\"}}}";

struct server {
	struct recording recording;
	struct arena *arena;
	struct kube *kube; /* or NULL */
	struct door *door;
	char mark[9]; /* makes names new */
};

static const struct value *
workflow_of(struct server *s, int sleep)
{
	const char *image = getenv("LATEEN_TEST_IMAGE") ? getenv("LATEEN_TEST_IMAGE") : "local.test/busybox:1.36";
	struct buf text = { 0 };
	struct error err;
	const struct value *workflow;

	buf_printf(&text, adder, image, sleep, image, getenv("LATEEN_TEST_S3") ? kept : "");
	workflow = value_read_json(s->arena, buf_text(&text), text.len, &err);
	if (!workflow)
		BUG("%s", err.text);
	buf_release(&text);
	return workflow;
}

static bool
did(bool good, const struct api_failure *failure, const char *what)
{
	ok(good, "%s", what);
	if (!good)
		tap_note("%s; %s; %s", failure->what, failure->note, failure->help);
	return good;
}

/* ---- a watch ---- */

struct news {
	struct workflow_model *model;
	bool over;
};

static void
changed(void *context, const size_t *places, size_t n, bool head)
{
	struct news *news = context;

	(void)places;
	(void)n;
	(void)head;
	news->over = workflow_model_head(news->model)->completed;
}

static void
failed(void *context, const struct api_failure *failure)
{
	struct news *news = context;

	tap_note("the watch ended: %s", failure->what);
	news->over = true;
}

static const struct workflow_node *
node_of(const struct workflow_model *model, const char *display)
{
	for (size_t i = 0; i < workflow_model_count(model); i++)
		if (!strcmp(workflow_model_node(model, i)->display, display) && workflow_model_node(model, i)->type == WORKFLOW_POD)
			return workflow_model_node(model, i);
	return NULL;
}

static struct workflow_model *
watch_to_end(struct server *s, const struct door_run *run)
{
	struct news news = { workflow_model_new(), false };
	const struct door_watcher watcher = { .changed = changed, .failed = failed, .context = &news };
	struct door_watch *watch = s->door->ops->watch(s->door, run, news.model, &watcher);
	int64_t end = now(s->door->http) + PATIENCE * 1000;

	while (!news.over && now(s->door->http) < end)
		s->door->http->poll(s->door->http, -1, 1000);
	s->door->ops->unwatch(s->door, watch);
	return news.model;
}

/* ---- a log ---- */

/* Argo's second version of pod names: FNV-1a of the node's name. */
static const char *
pod_of(struct server *s, const struct door_run *run, const struct workflow_node *node)
{
	uint32_t hash = 2166136261;

	for (const char *c = node->name; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619;
	return arena_printf(s->arena, "%s-%s-%lu", run->name, node->template, (unsigned long)hash);
}

struct text {
	struct buf bytes;
	bool over;
};

static void
log_came(void *context, const char *bytes, size_t n)
{
	buf_add(&((struct text *)context)->bytes, bytes, n);
}

static void
log_ended(void *context, const struct api_failure *failure)
{
	if (failure)
		tap_note("the log ended: %s", failure->what);
	((struct text *)context)->over = true;
}

static void
test_log(struct server *s, const struct door_run *run, const struct workflow_node *node)
{
	struct text text = { { 0 }, false };
	const struct door_log_listener listener = { log_came, log_ended, &text };
	const struct door_log_request request = { .run = *run, .node = node->id, .pod = pod_of(s, run, node), .container = "main",
		.follow = true };
	struct door_log *log = s->door->ops->log(s->door, &request, &listener);
	int64_t end = now(s->door->http) + PATIENCE * 1000;

	while (!text.over && now(s->door->http) < end)
		s->door->http->poll(s->door->http, -1, 1000);
	if (!text.over)
		s->door->ops->unlog(s->door, log);
	contains(buf_text(&text.bytes), "sum=42\n", "the log of a step");
	buf_release(&text.bytes);
}

/* ---- tests ---- */

static void
test_artifact(struct server *s, const struct door_run *run, const struct workflow_node *node)
{
	struct buf bytes = { 0 };
	struct api_failure failure;

	if (!getenv("LATEEN_TEST_S3")) {
		skip(2, "where Kubeflow keeps artifacts is not known");
		return;
	}
	did(!s->door->ops->artifact(s->door, run, node->id, "out", 1 << 20, &bytes, &failure), &failure, "an artifact is read");
	is_str(buf_text(&bytes), "file\n", "as it was written");
	buf_release(&bytes);
}

static void
test_run(struct server *s)
{
	static const char *const args[][2] = { { "a", "40" }, { "b", "2" } };
	const char *token = arena_printf(s->arena, "token-%s", s->mark), *name = arena_printf(s->arena, "sum-%s", s->mark);
	const struct door_submission submission = { .workflow = workflow_of(s, 1), .name = name, .token = token, .args = args, .n_args = 2,
		.experiment = arena_printf(s->arena, "lateen-%s", s->mark) };
	const struct door_list by_token = { .token = token, .max = 5 }, by_name = { .name = name, .max = 5 };
	struct door_run run, again, *runs;
	struct api_failure failure;
	struct workflow_model *model;
	const struct workflow_node *node;
	struct buf bytes = { 0 };
	size_t n;

	if (!did(!s->door->ops->submit(s->door, &submission, s->arena, &run, &failure), &failure, "a run is submitted"))
		return;
	ok(*run.name, "and its workflow's name is known: %s", run.name);
	is_str(run.token, token, "and its token");
	did(!s->door->ops->submit(s->door, &submission, s->arena, &again, &failure), &failure, "the same again");
	is_str(again.id, run.id, "is the same run");
	model = watch_to_end(s, &run);
	is_str(phase_name(workflow_model_head(model)->phase), "Succeeded", "it is watched to its end");
	node = node_of(model, "add");
	ok(node && node->n_outputs && node->outputs[0].text && !strcmp(node->outputs[0].text, "42"), "its parameters are those that were given");
	node = node_of(model, "show");
	if (ok(node != NULL, "the step `show` is known")) {
		if (getenv("LATEEN_TEST_S3") || s->kube)
			test_log(s, &run, node);
		else
			skip(1, "where Kubeflow keeps logs is not known");
		test_artifact(s, &run, node);
	}
	ok(s->door->ops->artifact(s->door, &run, "no-node", "out", 100, &bytes, &failure) && failure.kind == API_NOT_FOUND, "one that is not there: %s",
		failure.what);
	workflow_model_free(model);
	buf_release(&bytes);
	did(s->door->ops->object(s->door, &run, s->arena, &failure) != NULL, &failure, "its object is fetched");
	did(!s->door->ops->list(s->door, &by_token, s->arena, &runs, &n, &failure), &failure, "it is found by its token");
	is_int((int64_t)n, 1, "alone");
	did(!s->door->ops->list(s->door, &by_name, s->arena, &runs, &n, &failure), &failure, "it is found by its name");
	ok(n == 1 && runs[0].phase == PHASE_SUCCEEDED && runs[0].created_ms > 0, "with its phase and its time");
	ok(s->door->ops->retry(s->door, &run, NULL, &failure) && failure.kind == API_REFUSED, "what succeeded is not retried: %s", failure.what);
	did(!s->door->ops->control(s->door, &run, DOOR_DELETE, &failure), &failure, "it is deleted");
	s->door->ops->list(s->door, &by_token, s->arena, &runs, &n, &failure);
	is_int((int64_t)n, 0, "and is there no more");
}

static void
test_stop(struct server *s)
{
	static const char *const args[][2] = { { "b", "2" } };
	const struct door_submission submission = { .workflow = workflow_of(s, 100), .name = arena_printf(s->arena, "stop-%s", s->mark),
		.args = args, .n_args = 1 };
	struct door_run run;
	struct api_failure failure;
	struct workflow_model *model;

	if (!did(!s->door->ops->submit(s->door, &submission, s->arena, &run, &failure), &failure, "a long run, without a token or an experiment"))
		return;
	did(!s->door->ops->control(s->door, &run, DOOR_STOP, &failure), &failure, "is stopped");
	model = watch_to_end(s, &run);
	is_str(phase_name(workflow_model_head(model)->phase), "Failed", "and ends so");
	workflow_model_free(model);
	did(!s->door->ops->control(s->door, &run, DOOR_DELETE, &failure), &failure, "and is deleted");
}

/* A failed run, retried; and what is left when its Workflow object is deleted under it, as Kubeflow itself does after a while. */
static void
test_retry(struct server *s)
{
	static const char *const args[][2] = { { "b", "no-number" } };
	const struct door_submission submission = { .workflow = workflow_of(s, 0), .name = arena_printf(s->arena, "retry-%s", s->mark), .args = args,
		.n_args = 1 };
	const struct value *object;
	struct door_run run;
	struct api_failure failure;
	struct workflow_model *model;

	if (!did(!s->door->ops->submit(s->door, &submission, s->arena, &run, &failure), &failure, "a run that must fail"))
		return;
	model = watch_to_end(s, &run);
	is_str(phase_name(workflow_model_head(model)->phase), "Failed", "fails");
	workflow_model_free(model);
	did(!s->door->ops->retry(s->door, &run, NULL, &failure), &failure, "it is retried");
	model = watch_to_end(s, &run);
	is_str(phase_name(workflow_model_head(model)->phase), "Failed", "and fails again");
	workflow_model_free(model);
	if (s->kube) {
		const struct api_request request = { .method = "DELETE",
			.path = arena_printf(s->arena, "/apis/argoproj.io/v1alpha1/namespaces/%s/workflows/%s", run.namespace_, run.name) };

		did(kube_call(s->kube, &request, s->arena, &failure) != NULL, &failure, "its Workflow object is deleted");
		object = s->door->ops->object(s->door, &run, s->arena, &failure);
		is_str(edit_text_in(object, "status", "phase"), "Failed", "and Kubeflow still knows how it ended");
	} else {
		skip(2, "LATEEN_TEST_KUBECONFIG does not say how to come to the cluster");
	}
	s->door->ops->control(s->door, &run, DOOR_DELETE, &failure);
}

static void
remove_by_path(struct server *s, const char *what, const char *id)
{
	const char *url = arena_printf(s->arena, "%s" KFP_V1 "/%s/%s", getenv("LATEEN_TEST_KFP"), what, id);
	struct http_request request = { .method = "DELETE", .url = url };
	struct http_reply reply = { 0 };
	struct error err;

	s->door->http->exchange(s->door->http, &request, &reply, &err);
	http_reply_release(&reply);
}

static void
test_upload(struct server *s)
{
	static const char *const args[][2] = { { "b", "2" } };
	const char *name = arena_printf(s->arena, "lateen-adder-%s", s->mark), *first, *second, *again, *job, *job_again;
	struct door_submission submission = { .name = arena_printf(s->arena, "up-%s", s->mark), .token = arena_printf(s->arena, "up-%s", s->mark),
		.args = args, .n_args = 1 };
	const struct door_schedule schedule = { .name = arena_printf(s->arena, "night-%s", s->mark), .cron = "0 3 * * *", .concurrency = 1 };
	const struct value *parameters;
	struct door_run run;
	struct api_failure failure;

	if (!did(!s->door->ops->upload(s->door, name, workflow_of(s, 0), s->arena, &first, &failure), &failure, "a pipeline is uploaded"))
		return;
	did(!s->door->ops->upload(s->door, name, workflow_of(s, 2), s->arena, &second, &failure), &failure, "and a version of it");
	ok(strcmp(first, second) != 0, "which is another");
	did(!s->door->ops->upload(s->door, name, workflow_of(s, 2), s->arena, &again, &failure), &failure, "and that once more");
	is_str(again, second, "which is the same");
	parameters = door_kfp_parameters(s->door, second, s->arena, &failure);
	did(value_count(parameters) == 2, &failure, "its parameters are known");
	again = door_kfp_version(s->door, name, s->arena, &failure);
	did(again != NULL, &failure, "and it is found by the pipeline's name");
	submission.pipeline_version = second;
	if (did(!s->door->ops->submit(s->door, &submission, s->arena, &run, &failure), &failure, "it is run")) {
		struct workflow_model *model = watch_to_end(s, &run);

		is_str(phase_name(workflow_model_head(model)->phase), "Succeeded", "to its end");
		workflow_model_free(model);
		s->door->ops->control(s->door, &run, DOOR_DELETE, &failure);
	}
	submission.token = arena_printf(s->arena, "job-%s", s->mark);
	if (did(!s->door->ops->schedule(s->door, &submission, &schedule, s->arena, &job, &failure), &failure, "it is scheduled")) {
		did(!s->door->ops->schedule(s->door, &submission, &schedule, s->arena, &job_again, &failure), &failure, "and once more");
		is_str(job_again, job, "which is the same");
		remove_by_path(s, "jobs", job);
	}
}

static void
test_refusals(struct server *s)
{
	static const char *const args[][2] = { { "c", "2" } };
	static const char bad[] = "{\"apiVersion\":\"argoproj.io/v1alpha1\",\"kind\":\"Workflow\",\"metadata\":{\"generateName\":\"bad-\"},"
		"\"spec\":{\"entrypoint\":\"nope\",\"templates\":[{\"name\":\"main\"}]}}";
	const struct value *workflow = value_read_json(s->arena, bad, strlen(bad), NULL);
	struct door_submission submission = { .workflow = workflow, .name = "bad" };
	const struct door_run none = { .id = "8d9ed1c7-1111-4222-8333-444455556666", .name = "", .namespace_ = "" };
	struct api_failure failure;
	struct door_run run;

	ok(s->door->ops->submit(s->door, &submission, s->arena, &run, &failure) < 0, "a workflow that is none: %s", failure.what);
	contains(failure.what, "template 'main' type is unknown", "and why is told");
	submission.workflow = workflow_of(s, 0);
	submission.args = args;
	submission.n_args = 1;
	ok(s->door->ops->submit(s->door, &submission, s->arena, &run, &failure) < 0, "a parameter that is none: %s", failure.what);
	ok(!s->door->ops->object(s->door, &none, s->arena, &failure) && failure.kind == API_NOT_FOUND, "a run that is none: %s", failure.what);
	ok(s->door->ops->control(s->door, &none, DOOR_STOP, &failure) < 0 && failure.kind == API_NOT_FOUND, "nor is it stopped: %s", failure.what);
	ok(s->door->ops->control(s->door, &none, DOOR_SUSPEND, &failure) < 0, "nor suspended: %s", failure.what);
}

int
main(void)
{
	const char *url = getenv("LATEEN_TEST_KFP"), *record = getenv("LATEEN_RECORD"), *version;
	struct kfp_options options = { .url = url, .place = "the tests' cluster" };
	struct server s = { .recording = { .http = { exchange, wait_for, open_stream, close_stream, after, cancel, poll_all, now, NULL } } };
	const char *kubeconfig = getenv("LATEEN_TEST_KUBECONFIG");
	const struct kubeconfig_request where = { .path = kubeconfig };
	const struct exec_plugin_limits limits = { 0 };
	struct kubeconfig config = { 0 };
	struct api_failure failure;
	struct error err;
	unsigned chance;

	if (!url || !*url)
		skip_all("LATEEN_TEST_KFP does not say where Kubeflow Pipelines is (`make check-cluster` starts one where its programs are at hand)");
	s.recording.true_http = http_curl_new();
	s.recording.file = record ? fopen(record, "w") : NULL;
	s.arena = arena_new();
	if (kubeconfig && *kubeconfig && !kubeconfig_load(&config, &where, &err))
		s.kube = kube_new(&config, &s.recording.http, &limits);
	s.door = door_kfp_new(&s.recording.http, s.kube, &options);
	if (getrandom(&chance, sizeof chance, 0) != sizeof chance)
		chance = 0;
	snprintf(s.mark, sizeof s.mark, "%08x", chance);
	if (did(!s.door->ops->probe(s.door, s.arena, &version, &failure), &failure, "Kubeflow Pipelines answers")) {
		tap_note("version %s", version);
		test_run(&s);
		test_stop(&s);
		test_retry(&s);
		test_upload(&s);
		test_refusals(&s);
	}
	door_free(s.door);
	kube_free(s.kube);
	if (config.arena)
		kubeconfig_release(&config);
	http_free(s.recording.true_http);
	if (s.recording.file)
		fclose(s.recording.file);
	arena_free(s.arena);
	return done_testing();
}
