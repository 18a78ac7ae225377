/* The Kubernetes door's calls that wait for their answer: what is sent, what is made of each answer. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/door.h"
#include "runtime/cluster/s3.h"
#include "tests/runtime/cluster/recorded.h"
#include "tests/tap.h"

#define LIST "/apis/argoproj.io/v1alpha1/namespaces/ml/workflows"
#define TOKEN "0c7e2d1e-0000-4000-8000-000000000000"

struct bench {
	struct recorded recorded;
	struct kubeconfig config;
	struct kube *kube;
	struct door *door;
	struct arena *arena;
	struct api_failure failure;
};

static void
open_bench(struct bench *b, const char *text)
{
	const struct exec_plugin_limits limits = { 0 };

	*b = (struct bench){ .config = { .arena = arena_new(), .context = "prod", .from = "~/.kube/config", .server = "https://10.0.0.1:6443",
		.namespace_ = "ml", .token = "t" } };
	recorded_init(&b->recorded, text);
	b->recorded.log_bodies = true;
	b->kube = kube_new(&b->config, &b->recorded.http, &limits);
	b->door = door_kube_new(&b->recorded.http, b->kube, "ml");
	b->arena = arena_new();
}

static void
close_bench(struct bench *b)
{
	ok(recorded_is_done(&b->recorded), "all was asked: %s", buf_text(&b->recorded.log));
	door_free(b->door);
	kube_free(b->kube);
	recorded_release(&b->recorded);
	arena_free(b->config.arena);
	arena_free(b->arena);
}

/* ---- submit ---- */

static const char workflow_text[] = "{\"kind\":\"Workflow\",\"metadata\":{\"generateName\":\"p-\",\"labels\":{\"a\":\"b\"}},"
	"\"spec\":{\"entrypoint\":\"p\",\"arguments\":{\"parameters\":[{\"name\":\"n\",\"value\":\"1\"},{\"name\":\"m\"}]}}}";

#define POST "> POST " LIST "?fieldValidation=Strict\n"
#define GET_IT "> GET " LIST "/p-1\n"
#define OURS "{\"metadata\":{\"name\":\"p-1\",\"namespace\":\"ml\",\"uid\":\"u\",\"creationTimestamp\":\"1970-01-01T00:00:02Z\"," \
	"\"labels\":{\"lateen.dev/run\":\"" TOKEN "\"}}}\n"
#define OTHERS "{\"metadata\":{\"name\":\"p-1\",\"namespace\":\"ml\",\"uid\":\"v\"}}\n"
#define EXISTS "< 409 application/json\n{\"kind\":\"Status\",\"reason\":\"AlreadyExists\",\"message\":\"workflows \\\"p-1\\\" already exists\"}\n"
#define NONE "< 404 application/json\n{\"kind\":\"Status\",\"message\":\"workflows \\\"p-1\\\" not found\"}\n"

static int
submit(struct bench *b, const char *const (*args)[2], size_t n_args, const char *experiment, struct door_run *ret)
{
	struct error err;
	const struct door_submission submission = { .workflow = value_read_json(b->arena, workflow_text, strlen(workflow_text), &err),
		.name = "p-1", .token = TOKEN, .args = args, .n_args = n_args, .experiment = experiment };

	return b->door->ops->submit(b->door, &submission, b->arena, ret, &b->failure);
}

static void
test_submit(void)
{
	static const char *const args[][2] = { { "n", "7" }, { "m", "{}" } };
	struct bench b;
	struct door_run run;

	open_bench(&b, POST "< 201 application/json\n" OURS);
	is_int(submit(&b, args, 2, "my experiment", &run), 0, "a workflow is created");
	is_str(run.name, "p-1", "its name");
	is_str(run.id, "u", "its id");
	is_str(run.token, TOKEN, "our id of it");
	is_int(run.created_ms, 2000, "when");
	is_str(buf_text(&b.recorded.log), "POST " LIST "?fieldValidation=Strict token=t body={\"kind\":\"Workflow\",\"metadata\":{\"labels\":{\"a\":\"b\","
	       "\"lateen.dev/run\":\"" TOKEN "\"},\"name\":\"p-1\",\"namespace\":\"ml\",\"annotations\":{\"lateen.dev/experiment\":\"my experiment\"}},"
	       "\"spec\":{\"entrypoint\":\"p\",\"arguments\":{\"parameters\":[{\"name\":\"n\",\"value\":\"7\"},{\"name\":\"m\",\"value\":\"{}\"}]},"
	       "\"podMetadata\":{\"labels\":{\"lateen.dev/run\":\"" TOKEN "\"}}}}\n", "what is sent");
	close_bench(&b);
}

static void
test_submit_trouble(void)
{
	static const char *const unknown[][2] = { { "z", "7" } };
	static const struct {
		const char *text, *want, *why;
	} cases[] = {
		{ POST "! cut gone\n" GET_IT "< 200 application/json\n" OURS, "", "a lost answer, and the workflow is there" },
		{ POST "! late no answer\n" GET_IT NONE, "went", "a lost answer, and it is not" },
		{ POST EXISTS GET_IT "< 200 application/json\n" OURS, "", "one that is there already, and ours" },
		{ POST EXISTS GET_IT "< 200 application/json\n" OTHERS, "the namespace `ml` has a workflow `p-1` already", "another's" },
		{ POST "< 500 application/json\n{\"kind\":\"Status\",\"message\":\"etcdserver: request timed out\"}\n" GET_IT "< 200 application/json\n" OURS,
		  "", "the server gave up, and had done it" },
		{ POST "< 422 application/json\n{\"kind\":\"Status\",\"message\":\"spec.x is bad\"}\n", "spec.x is bad", "one that is refused is not looked for" },
	};
	struct bench b;
	struct door_run run;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		open_bench(&b, cases[i].text);
		is_int(submit(&b, NULL, 0, NULL, &run), *cases[i].want ? -1 : 0, "%s", cases[i].why);
		if (*cases[i].want && strcmp(cases[i].want, "went") != 0)
			contains(b.failure.what, cases[i].want, "and why");
		if (!strcmp(cases[i].want, "went"))
			ok(b.failure.unsure, "whether it was carried out is not known: %s", b.failure.what);
		close_bench(&b);
	}
	open_bench(&b, "");
	is_int(submit(&b, unknown, 1, NULL, &run), -1, "a parameter that is none");
	is_str(b.failure.what, "the workflow has no parameter `z`", "is named");
	close_bench(&b);
}

/* ---- finding ---- */

static void
test_list(void)
{
	struct door_run *runs;
	struct bench b;
	size_t n = 0;

	open_bench(&b, "> GET " LIST "?limit=500\n< 200 application/json\n{\"metadata\":{\"continue\":\"a+b\"},\"items\":[" OTHERS "]}\n"
		   "> GET " LIST "?limit=500&continue=a%2Bb\n< 200 application/json\n{\"metadata\":{},\"items\":[" OURS
		   ",{\"metadata\":{\"name\":\"q\",\"creationTimestamp\":\"1970-01-01T00:00:09Z\",\"labels\":{\"workflows.argoproj.io/phase\":\"Failed\"}}}]}\n");
	is_int(b.door->ops->list(b.door, &(struct door_list){ .max = 2 }, b.arena, &runs, &n, &b.failure), 0, "all runs");
	is_int((int64_t)n, 2, "as many as are wanted");
	is_str(runs[0].name, "q", "the newest first");
	is_str(phase_name(runs[0].phase), "Failed", "its phase is a label, too");
	is_str(runs[1].name, "p-1", "then the next");
	close_bench(&b);
	open_bench(&b, "> GET " LIST "?limit=500&fieldSelector=metadata.name%3Du\n< 200 application/json\n{\"items\":[]}\n"
		   "> GET " LIST "?limit=500\n< 200 application/json\n{\"items\":[" OURS "," OTHERS "]}\n");
	is_int(b.door->ops->list(b.door, &(struct door_list){ .name = "u", .max = 9 }, b.arena, &runs, &n, &b.failure), 0, "by id");
	ok(n == 1 && !strcmp(runs[0].id, "u"), "that one");
	close_bench(&b);
	open_bench(&b, "> GET " LIST "?limit=500&labelSelector=lateen.dev/run%3D" TOKEN "\n< 200 application/json\n{\"items\":[]}\n");
	is_int(b.door->ops->list(b.door, &(struct door_list){ .token = TOKEN, .max = 9 }, b.arena, &runs, &n, &b.failure), 0, "by token");
	is_int((int64_t)n, 0, "there is none");
	close_bench(&b);
}

static void
test_probe(void)
{
	const char *version = "";
	struct bench b;

	open_bench(&b, "> GET /version\n< 200 application/json\n{\"gitVersion\":\"v1.35.4\"}\n> GET /apis/argoproj.io/v1alpha1\n< 200 application/json\n"
		   "{\"resources\":[{\"name\":\"workflows\"}]}\n> GET /apis/apps/v1/deployments?fieldSelector=metadata.name%3Dworkflow-controller&limit=1\n"
		   "< 200 application/json\n{\"items\":[{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"image\":\"quay.io/argoproj/workflow-controller:v3.7.18\"}]}}}}]}\n");
	is_int(b.door->ops->probe(b.door, b.arena, &version, &b.failure), 0, "a cluster with Argo");
	is_str(version, "Kubernetes v1.35.4, Argo Workflows v3.7.18", "what is there");
	close_bench(&b);
	open_bench(&b, "> GET /version\n< 200 application/json\n{\"gitVersion\":\"v1.35.4\"}\n> GET /apis/argoproj.io/v1alpha1\n< 404 text/plain\n404 page not found\n");
	is_int(b.door->ops->probe(b.door, b.arena, &version, &b.failure), -1, "one without");
	is_str(b.failure.what, "Argo Workflows is not installed on the cluster at `https://10.0.0.1:6443`", "is told");
	close_bench(&b);
	open_bench(&b, "> GET /version\n< 200 application/json\n{\"version\":\"x\"}\n");
	is_int(b.door->ops->probe(b.door, b.arena, &version, &b.failure), -1, "another kind of server");
	contains(b.failure.what, "is not the Kubernetes API", "is told");
	close_bench(&b);
}

static void
test_object(void)
{
	struct bench b;

	open_bench(&b, GET_IT "< 200 application/json\n" OURS GET_IT "< 200 application/json\n" OTHERS);
	ok(b.door->ops->object(b.door, &(struct door_run){ .name = "p-1", .namespace_ = "ml", .id = "u" }, b.arena, &b.failure), "the object");
	ok(!b.door->ops->object(b.door, &(struct door_run){ .name = "p-1", .namespace_ = "ml", .id = "u" }, b.arena, &b.failure), "another of its name");
	contains(b.failure.what, "is another one now", "is not taken for it");
	ok(!b.door->ops->object(b.door, &(struct door_run){ .name = "../x", .namespace_ = "ml" }, b.arena, &b.failure), "what is no name");
	contains(b.failure.what, "is no name that a workflow can have", "is not asked for");
	ok(!b.door->ops->page(b.door, &(struct door_run){ .name = "p-1", .namespace_ = "ml" }, b.arena), "no page is known");
	door_kube_set_page(b.door, "https://argo.example/");
	is_str(b.door->ops->page(b.door, &(struct door_run){ .name = "p-1", .namespace_ = "ml" }, b.arena), "https://argo.example/workflows/ml/p-1",
	       "of a server that is");
	close_bench(&b);
}

/* ---- artifacts ---- */

#define NODE(artifact) GET_IT "< 200 application/json\n{\"metadata\":{\"uid\":\"u\"},\"status\":{\"artifactRepositoryRef\":{\"artifactRepository\":" \
	"{\"s3\":{\"endpoint\":\"minio.argo:9000\",\"insecure\":true,\"bucket\":\"b\",\"accessKeySecret\":{\"name\":\"s\",\"key\":\"a\"}," \
	"\"secretKeySecret\":{\"name\":\"s\",\"key\":\"k\"}}}},\"nodes\":{\"p-1-2\":{\"outputs\":{\"artifacts\":[{\"name\":\"data\"," artifact "}]}}}}}\n"
#define SECRET "> GET /api/v1/namespaces/ml/secrets/s\n< 200 application/json\n{\"data\":{\"a\":\"QUs=\",\"k\":\"U0s=\"}}\n"
static void
fetch(const char *text, const char *name, int result, const char *want, const char *why)
{
	struct bench b;
	struct buf got = { 0 };
	const struct door_run run = { .name = "p-1", .namespace_ = "ml", .id = "u" };

	open_bench(&b, text);
	is_int(b.door->ops->artifact(b.door, &run, "p-1-2", name, 100, &got, &b.failure), result, "%s: %s", why, result ? "" : b.failure.what);
	if (result)
		contains(b.failure.what, want, "%s: what is said", why);
	else
		is_str(buf_text(&got), want, "%s: the bytes", why);
	buf_release(&got);
	close_bench(&b);
}

static void
test_artifacts(void)
{
	fetch(NODE("\"raw\":{\"data\":\"hello\"}"), "data", 0, "hello", "raw");
	fetch(NODE("\"http\":{\"url\":\"https://x.example/y\"}") "> GET /y\n< 200 text/plain\nbytes", "data", 0, "bytes", "a URL");
	fetch(NODE("\"gcs\":{\"bucket\":\"g\",\"key\":\"w/x\"}"), "data", -1, "lies in a store that is not read from here: `gcs`", "gcs");
	fetch(NODE("\"raw\":{\"data\":\"hello\"}"), "other", -1, "the step has no artifact `other`", "none of that name");
}

/* The store is in the cluster: from here only the API server can reach it. */
static void
test_s3(void)
{
	static const char found[] = NODE("\"s3\":{\"key\":\"w/x.txt\"}") SECRET;
	const struct s3_object object = { .endpoint = "minio.argo:9000", .insecure = true, .bucket = "b", .key = "w/x.txt", .access_key = "AK",
		.secret_key = "SK" };
	const struct s3_way way = { "/api/v1/namespaces/argo/services/http:minio:9000/proxy", "10.0.0.1:6443" };
	struct buf text = { 0 }, direct = { 0 }, proxied = { 0 };

	s3_write_url(&direct, &object, NULL, RECORDED_START);
	s3_write_url(&proxied, &object, &way, RECORDED_START);
	buf_printf(&text, "%s%s> GET %s\n< 200 text/plain\nfrom s3", found, SECRET, buf_text(&direct) + strlen("http://minio.argo:9000"));
	fetch(buf_text(&text), "data", 0, "from s3", "S3");
	buf_clear(&text);
	buf_printf(&text, "%s%s> GET %s\n! no-name no such host\n> GET %s\n< 200 text/plain\nfrom s3", found, SECRET,
		buf_text(&direct) + strlen("http://minio.argo:9000"), buf_text(&proxied));
	fetch(buf_text(&text), "data", 0, "from s3", "S3, through the API server");
	buf_clear(&text);
	/* The cluster's own address is another machine's here. */
	buf_printf(&text, "%s%s> GET %s\n< 404 text/html\nnot here\n> GET %s\n< 200 text/plain\nfrom s3", found, SECRET,
		buf_text(&direct) + strlen("http://minio.argo:9000"), buf_text(&proxied));
	fetch(buf_text(&text), "data", 0, "from s3", "what is no S3 store answers, and the API server knows the way");
	buf_clear(&text);
	buf_printf(&text, "%s%s> GET %s\n< 403 application/xml\n<Error><Code>SignatureDoesNotMatch</Code></Error>", found, SECRET,
		buf_text(&direct) + strlen("http://minio.argo:9000"));
	fetch(buf_text(&text), "data", -1, "`minio.argo:9000` answers 403: SignatureDoesNotMatch", "S3 that refuses");
	buf_release(&text);
	buf_release(&direct);
	buf_release(&proxied);
}

int
main(void)
{
	test_submit();
	test_submit_trouble();
	test_list();
	test_probe();
	test_object();
	test_artifacts();
	test_s3();
	return done_testing();
}
