#include "config.h"

#include "runtime/cluster/package_read.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/yaml.h"
#include "runtime/cluster/edit.h"
#include "runtime/cluster/url.h"

/* ---- where it comes from ---- */

int
package_load(const char *path, struct buf *ret, struct error *err)
{
	FILE *file = fopen(path, "re");
	char piece[16 * 1024];
	size_t n;
	int failed;

	if (!file)
		return error_errno(err, errno, "cannot open `%s`", path);
	while (ret->len <= PACKAGE_BYTES_MAX && (n = fread(piece, 1, sizeof piece, file)))
		buf_add(ret, piece, n);
	failed = ferror(file) ? errno : 0;
	fclose(file);
	if (failed)
		return error_errno(err, failed, "cannot read `%s`", path);
	return ret->len > PACKAGE_BYTES_MAX ? error_set(err, "`%s` is longer than %d bytes", path, (int)PACKAGE_BYTES_MAX) : 0;
}

/* Where the answer leads on to; NULL: it does not. */
static const char *
next_address(struct arena *arena, const char *url, const struct http_reply *reply, const char *headers)
{
	if (reply->status < 300 || reply->status >= 400)
		return NULL;
	for (const char *line = headers; *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (!strncasecmp(line, "location:", 9)) {
			line += 9 + strspn(line + 9, " ");
			return url_resolve(arena, url, arena_strndup(arena, line, strcspn(line, "\r\n")));
		}
	return NULL;
}

static int
fetch_one(struct arena *arena, struct http *http, const char **url, struct http_request *request, struct http_reply *reply, struct error *err)
{
	struct buf headers = { .max = 64 * 1024 };
	const char *next;
	struct error why = { "" };
	int rc = 0;

	request->url = *url;
	request->ret_headers = &headers;
	if (http->exchange(http, request, reply, &why) != HTTP_ANSWERED)
		rc = error_set(err, "cannot fetch `%.300s`: %s", *url, why.text);
	else if ((next = next_address(arena, *url, reply, buf_text(&headers))) && url_is_secure(*url) && !url_is_secure(next))
		rc = error_set(err, "`%.300s` leads to an address without TLS", *url);
	else if (next)
		*url = next;
	else if (reply->status != 200)
		rc = error_set(err, "cannot fetch `%.300s`: it answered %ld", *url, reply->status);
	else
		rc = 1;
	buf_release(&headers);
	return rc;
}

int
package_fetch(struct http *http, const char *url, bool (*stop)(void *context), void *context, struct buf *ret, struct error *err)
{
	struct http_request request = { .method = "GET", .accept = "*/*", .max = PACKAGE_BYTES_MAX, .stop = stop, .context = context };
	struct arena *arena = arena_new();
	const char *at = url_resolve(arena, url, "");
	int rc = at ? 0 : error_set(err, "`%.300s` is no address of the web", url);

	for (int hop = 0; !rc; hop++) {
		struct http_reply reply = { 0 };

		rc = hop < PACKAGE_HOPS_MAX ? fetch_one(arena, http, &at, &request, &reply, err) :
			error_set(err, "`%.300s` leads round in circles", url);
		if (rc > 0)
			buf_add(ret, buf_text(&reply.body), reply.body.len);
		http_reply_release(&reply);
	}
	arena_free(arena);
	return rc < 0 ? -1 : 0;
}

/* ---- what is in it ---- */

static const char *
text_of(const struct value *dict, const char *key)
{
	const char *text = value_text(value_get(dict, key));

	return text ? text : "";
}

/* An Argo Workflow, and nothing that only looks like one. */
static const struct value *
check(const char *name, const struct yaml *yaml, struct error *err)
{
	const struct value *root = yaml->n ? yaml->documents[0]->value : NULL, *templates;

	if (root && value_get(root, "pipelineInfo")) {
		error_set(err, "`%.300s` is a pipeline of Kubeflow's second kind (IR), which is not run here: compile it by the SDK 1.8, or write it anew", name);
		return NULL;
	}
	if (yaml->n != 1 || strncmp(text_of(root, "apiVersion"), "argoproj.io/", 12) != 0 || strcmp(text_of(root, "kind"), "Workflow") != 0) {
		error_set(err, "`%.300s` is no Argo Workflow%s", name, yaml->n > 1 ? ": there are several documents in it" : "");
		return NULL;
	}
	templates = value_get(value_get(root, "spec"), "templates");
	if (edit_count(templates))
		return root;
	error_set(err, "the workflow in `%.300s` has no templates", name);
	return NULL;
}

static const struct value *
parse(struct arena *arena, const char *name, const char *text, size_t n, struct error *err)
{
	struct source *source;
	const struct value *workflow = NULL;
	struct yaml_problem problem;
	struct yaml yaml;

	if (n > SOURCE_MAX) {
		error_set(err, "the pipeline in `%.300s` is longer than %d bytes", name, (int)SOURCE_MAX);
		return NULL;
	}
	source = source_new(name, text, n);
	if (yaml_read(arena, source, &yaml, &problem))
		error_set(err, "`%.300s` cannot be read: %s (line %u)", name, problem.error.text,
			problem.span.source ? source_place(source, problem.span.start).line : 0);
	else
		workflow = check(name, &yaml, err);
	if (workflow)
		workflow = value_clone(arena, workflow);
	source_unref(source);
	return workflow;
}

const struct value *
package_read(struct arena *arena, const char *name, const char *bytes, size_t n, struct error *err)
{
	struct buf text = { .max = PACKAGE_BYTES_MAX };
	const struct value *workflow = NULL;
	int rc = package_unpack(bytes, n, &text, err);

	if (rc < 0)
		error_prefix(err, "`%.300s`", name);
	else if (rc)
		workflow = parse(arena, name, bytes, n, err);
	else
		workflow = parse(arena, name, buf_text(&text), text.len, err);
	buf_release(&text);
	return workflow;
}

const struct value *
package_parameters(const struct value *workflow)
{
	static const struct value none = { .kind = VALUE_LIST };
	const struct value *list = value_get(value_get(value_get(workflow, "spec"), "arguments"), "parameters");

	return edit_count(list) ? list : &none;
}
