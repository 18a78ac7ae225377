/* Artifacts: where a step's output lies is in the workflow's status, what is missing there (bucket, server, Secret) in the
 * artifact repository that the controller has noted beside it. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/cluster/base64.h"
#include "runtime/cluster/door_kube_private.h"
#include "runtime/cluster/edit.h"
#include "runtime/cluster/nodes.h"
#include "runtime/cluster/s3.h"
#include "runtime/cluster/unpack.h"

struct fetching {
	struct door *door;
	const struct door_run *run;
	const char *name;
	size_t max;
	struct arena *arena;
	struct buf *ret;
	struct api_failure *failure;
};

static const struct value *
named(const struct value *list, const char *name)
{
	for (size_t i = 0; i < value_count(list); i++) {
		const char *other = value_text(value_get(value_item(list, i), "name"));

		if (other && !strcmp(other, name))
			return value_item(list, i);
	}
	return NULL;
}

static bool
is_true(const struct value *value)
{
	return value && value->kind == VALUE_BOOLEAN && value->boolean;
}

/* ---- bytes of a URL ---- */

static int
say_reply(const struct fetching *f, const struct http_reply *reply, const char *server)
{
	const char *code = strstr(buf_text(&reply->body), "<Code>");
	const char *text = code ? arena_strndup(f->arena, code + 6, strcspn(code + 6, "<")) : "";

	api_refuse(f->failure, reply->status == 404 ? API_NOT_FOUND : reply->status == 403 ? API_FORBIDDEN : API_TROUBLE,
		"`%s` answers %ld%s%s when asked for the artifact `%s`", server, reply->status, *text ? ": " : "", api_plain(f->arena, text, 80),
		f->name);
	f->failure->status = reply->status;
	if (reply->status == 301 || reply->status == 307)
		api_say(f->failure->help, "the bucket lies in another region: `region` of the artifact repository must be that one");
	return -1;
}

/* Each of its refusals has a code. */
static bool
is_s3_reply(const struct http_reply *reply)
{
	return strstr(buf_text(&reply->body), "<Code>");
}

/* 0; -1; 1: it is not there: no connection, or (of S3) something else answers. */
static int
get_url(const struct fetching *f, const char *url, const char *server, bool s3)
{
	struct api *api = kube_api(f->door->kube);
	struct http_request request = { .method = "GET", .url = url, .max = f->max, .stop = api->stop, .context = api->context };
	struct http_reply reply = { 0 };
	struct error err = { "" };
	enum http_outcome outcome = f->door->http->exchange(f->door->http, &request, &reply, &err);
	int result = 0;

	if (outcome == HTTP_ANSWERED && reply.status == 200) {
		buf_add(f->ret, reply.body.data, reply.body.len);
	} else if (outcome == HTTP_ANSWERED && s3 && reply.status < 500 && !is_s3_reply(&reply)) {
		result = 1; /* the address is of the cluster's inside, and from here it is another's */
		api_refuse(f->failure, API_WRONG_SERVER, "the artifact `%s` cannot be fetched: what answers %ld at `%s` is no S3 store", f->name,
			reply.status, server);
	} else if (outcome == HTTP_ANSWERED) {
		result = say_reply(f, &reply, server);
	} else {
		result = outcome == HTTP_NO_NAME || outcome == HTTP_NO_CONNECTION || outcome == HTTP_LATE ? 1 : -1;
		api_refuse(f->failure, outcome == HTTP_STOPPED_BY_USER ? API_STOPPED : outcome == HTTP_TOO_LARGE ? API_REFUSED : API_UNREACHABLE,
			"the artifact `%s` cannot be fetched from `%s`: %s", f->name, server, err.text);
	}
	http_reply_release(&reply);
	return result;
}

/* ---- S3 ---- */

/* The text that a `{name, key}` points at in a Secret of the run's namespace; NULL with the failure set. */
static const char *
secret_of(const struct fetching *f, const struct value *selector)
{
	const char *name = value_text(value_get(selector, "name")), *key = value_text(value_get(selector, "key")), *text;
	struct api_request request = { .method = "GET", .right = { "get", "", "secrets", f->run->namespace_ }, .repeatable = true, .secret = true };
	const struct value *answer;
	char *plain;
	size_t len;

	if (!name || !key || !door_kube_is_name(name)) {
		api_refuse(f->failure, API_REFUSED, "the artifact repository names no Secret to sign in with");
		return NULL;
	}
	request.path = arena_printf(f->arena, "/api/v1/namespaces/%s/secrets/%s", f->run->namespace_, name);
	answer = kube_call(f->door->kube, &request, f->arena, f->failure);
	if (!answer)
		return NULL;
	text = value_text(value_get(value_get(answer, "data"), key));
	plain = text ? base64_decode(f->arena, text, strlen(text), &len) : NULL;
	if (!plain)
		api_refuse(f->failure, API_NOT_FOUND, "the Secret `%s` in the namespace `%s` has no key `%s`", name, f->run->namespace_, key);
	return plain;
}

static int
sign_in(const struct fetching *f, const struct value *s3, struct s3_object *object)
{
	const struct value *access = value_get(s3, "accessKeySecret"), *secret = value_get(s3, "secretKeySecret");
	const struct value *token = value_get(s3, "sessionTokenSecret");

	if (!access && !secret && (is_true(value_get(s3, "useSDKCreds")) || value_get(s3, "roleARN"))) {
		api_refuse(f->failure, API_REFUSED, "the artifact `%s` can only be read with the rights that the cluster's pods have", f->name);
		api_say(f->failure->help, "fetch s3://%.200s/%.800s with the cloud's own tool", object->bucket, object->key);
		return -1;
	}
	if (!access && !secret)
		return 0;
	object->access_key = secret_of(f, access);
	object->secret_key = object->access_key ? secret_of(f, secret) : NULL;
	if (!object->secret_key)
		return -1;
	if (!token)
		return 0;
	object->session_token = secret_of(f, token);
	return object->session_token ? 0 : -1;
}

/* The store of an installation in the cluster has a name that only the cluster knows: SERVICE.NAMESPACE[.svc…][:PORT]. The API server
 * passes requests on to it. NULL: it is no such name. */
static const char *
service_path(const struct fetching *f, const struct s3_object *object)
{
	size_t len = strcspn(object->endpoint, ":");
	const char *host = arena_strndup(f->arena, object->endpoint, len), *dot = strchr(host, '.');
	const char *port = object->endpoint[len] ? object->endpoint + len + 1 : object->insecure ? "80" : "443";
	const char *service, *namespace_;

	if (dot && strcmp(dot + 1 + strcspn(dot + 1, "."), "") != 0 && strncmp(dot + 1 + strcspn(dot + 1, "."), ".svc", 4) != 0)
		return NULL;
	service = dot ? arena_strndup(f->arena, host, (size_t)(dot - host)) : host;
	namespace_ = dot ? arena_strndup(f->arena, dot + 1, strcspn(dot + 1, ".")) : f->run->namespace_;
	if (!door_kube_is_name(service) || !door_kube_is_name(namespace_) || port[strspn(port, "0123456789")])
		return NULL;
	return arena_printf(f->arena, "/api/v1/namespaces/%s/services/http%s:%s:%s/proxy", namespace_, object->insecure ? "" : "s", service, port);
}

/* The signature stands in the query, for the API server takes the header `Authorization` for itself; and the store sees the API
 * server's name as its own. */
static int
get_through_server(const struct fetching *f, const struct s3_object *object, const char *path)
{
	const char *server = kube_config(f->door->kube)->server, *host = strstr(server, "://");
	struct s3_way way = { .base = "" };
	struct api_request request = { .method = "GET", .right = { "get", "", "services/proxy", f->run->namespace_ }, .repeatable = true,
		.raw = f->ret, .max = f->max };
	struct buf url = { 0 };
	const struct value *answer;

	host = host ? host + 3 : server;
	way.host = arena_strndup(f->arena, host, strcspn(host, "/"));
	s3_write_url(&url, object, &way, f->door->http->now(f->door->http) / 1000);
	request.path = arena_printf(f->arena, "%s%s", path, buf_text(&url));
	answer = kube_call(f->door->kube, &request, f->arena, f->failure);
	buf_release(&url);
	return answer ? 0 : -1;
}

/* Where the store is to be found from here, if not where the cluster finds it: behind a port-forward, say. */
static bool
other_way(const struct fetching *f, struct s3_way *ret)
{
	const char *url = getenv("LATEEN_S3"), *host = url ? strstr(url, "://") : NULL;

	if (!host)
		return false;
	ret->base = arena_strndup(f->arena, url, strlen(url) - (url[strlen(url) - 1] == '/'));
	ret->host = arena_strndup(f->arena, host + 3, strcspn(host + 3, "/"));
	return true;
}

static int
get_s3(const struct fetching *f, const struct s3_object *object)
{
	struct s3_way way;
	bool other = other_way(f, &way);
	const char *path;
	struct buf url = { 0 };
	int result;

	s3_write_url(&url, object, other ? &way : NULL, f->door->http->now(f->door->http) / 1000);
	result = get_url(f, buf_text(&url), other ? way.host : object->endpoint, true);
	buf_release(&url);
	if (result != 1)
		return result;
	path = other ? NULL : service_path(f, object);
	if (path)
		return get_through_server(f, object, path);
	api_say(f->failure->help, "if the cluster alone can reach it: `kubectl port-forward` to it, and LATEEN_S3=http://localhost:PORT");
	return -1;
}

static int
fetch_s3(const struct fetching *f, const struct value *s3)
{
	struct s3_object object = {
		.endpoint = value_text(value_get(s3, "endpoint")), .insecure = is_true(value_get(s3, "insecure")),
		.bucket = value_text(value_get(s3, "bucket")), .key = value_text(value_get(s3, "key")), .region = value_text(value_get(s3, "region")),
	};

	if (!object.bucket || !object.key)
		return api_refuse(f->failure, API_NOT_FOUND, "the workflow does not say where its artifact `%s` is", f->name);
	if (!object.endpoint || !*object.endpoint)
		object.endpoint = "s3.amazonaws.com";
	return sign_in(f, s3, &object) ? -1 : get_s3(f, &object);
}

/* ---- any place ---- */

/* The members of `under` that `over` lacks. */
static const struct value *
overlay(const struct fetching *f, const struct value *over, const struct value *under)
{
	for (size_t i = 0; under && under->kind == VALUE_DICT && i < under->dict.n; i++)
		if (!value_get(over, under->dict.keys[i]))
			over = edit_set(f->arena, over, under->dict.keys[i], under->dict.items[i]);
	return over;
}

static int
fetch(const struct fetching *f, const struct value *artifact, const struct value *repository)
{
	static const char *const others[] = { "gcs", "azure", "oss", "hdfs", "git", "artifactory", "plugin" };
	const char *raw = value_text(value_get(value_get(artifact, "raw"), "data"));
	const char *url = value_text(value_get(value_get(artifact, "http"), "url"));
	const struct value *s3 = value_get(artifact, "s3");

	if (s3)
		return fetch_s3(f, overlay(f, s3, value_get(repository, "s3")));
	if (raw) {
		buf_puts(f->ret, raw);
		return 0;
	}
	if (url && (!strncmp(url, "https://", 8) || !strncmp(url, "http://", 7)))
		return get_url(f, url, arena_strndup(f->arena, url, strcspn(url, "?")), false) ? -1 : 0;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		const struct value *place = value_get(artifact, others[i]);
		const char *key = value_text(value_get(place, "key")), *bucket = value_text(value_get(overlay(f, place, value_get(repository, others[i])), "bucket"));

		if (!place)
			continue;
		api_refuse(f->failure, API_REFUSED, "the artifact `%s` lies in a store that is not read from here: `%s`", f->name, others[i]);
		if (key && !strcmp(others[i], "gcs") && bucket)
			api_say(f->failure->help, "fetch it with `gcloud storage cp gs://%.200s/%.800s .`", bucket, key);
		return -1;
	}
	return api_refuse(f->failure, API_NOT_FOUND, "the workflow does not say where its artifact `%s` is", f->name);
}

/* Argo packs what a step writes, unless the pipeline says `archive: none`. */
static int
unpack(const struct fetching *f, const struct value *artifact, const struct buf *packed, struct buf *ret)
{
	struct error err = { "" };

	if (value_get(value_get(artifact, "archive"), "none") || !unpack_is_packed(packed->data, packed->len)) {
		if (packed->len > f->max)
			return api_refuse(f->failure, API_REFUSED, "the artifact `%s` is longer than %zu bytes", f->name, f->max);
		buf_add(ret, packed->data, packed->len);
		return 0;
	}
	if (unpack_file(packed->data, packed->len, f->max, ret, &err))
		return api_refuse(f->failure, API_REFUSED, "the artifact `%s` cannot be shown: %s", f->name, err.text);
	return 0;
}

int
door_kube_artifact(struct door *door, const struct door_run *run, const char *node, const char *name, size_t max, struct buf *ret,
		   struct api_failure *ret_failure)
{
	struct arena *arena = arena_new();
	struct buf packed = { 0 };
	const struct fetching f = { door, run, name, max, arena, &packed, ret_failure };
	const struct value *workflow = door_kube_object(door, run, arena, ret_failure), *nodes, *artifact, *repository;
	int result = -1;

	nodes = workflow ? nodes_of(arena, workflow, ret_failure) : NULL;
	if (nodes) {
		artifact = named(value_get(value_get(value_get(nodes, node), "outputs"), "artifacts"), name);
		repository = value_get(value_get(value_get(workflow, "status"), "artifactRepositoryRef"), "artifactRepository");
		if (!artifact)
			api_refuse(ret_failure, API_NOT_FOUND, "the step has no artifact `%s`", name);
		else if (!fetch(&f, artifact, repository))
			result = unpack(&f, artifact, &packed, ret);
	}
	buf_release(&packed);
	ret_failure->answer = NULL; /* it would lie in the arena */
	arena_free(arena);
	return result;
}
