#include "config.h"

#include "kernel/package_file.h"

#include <stdint.h>
#include <string.h>
#include <zlib.h>

#include "base/yaml.h"
#include "kernel/file.h"
#include "kernel/http_get.h"
#include "runtime/cluster/unpack.h"

/* ---- zip: the first file in it ---- */

enum {
	ZIP_END = 22, ZIP_ENTRY = 46, ZIP_LOCAL = 30, /* bytes of its records */
	ZIP_COMMENT_MAX = 65535,
	ZIP_STORED = 0, ZIP_DEFLATED = 8,
};

static unsigned
short_at(const unsigned char *at)
{
	return at[0] | (unsigned)at[1] << 8;
}

static size_t
long_at(const unsigned char *at)
{
	return short_at(at) | (size_t)short_at(at + 2) << 16;
}

static int
inflate_into(const unsigned char *bytes, size_t n, struct buf *ret)
{
	unsigned char piece[16384];
	z_stream stream = { .next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)n };
	int rc = inflateInit2(&stream, -MAX_WBITS);

	while (rc == Z_OK && !ret->overflow) {
		stream.next_out = piece;
		stream.avail_out = sizeof piece;
		rc = inflate(&stream, Z_NO_FLUSH);
		buf_add(ret, piece, sizeof piece - stream.avail_out);
	}
	inflateEnd(&stream);
	return rc == Z_STREAM_END ? 0 : -1;
}

/* Its directory stands at the end, for what stands before each file may lack the sizes. */
static int
unzip(const unsigned char *bytes, size_t n, struct buf *ret)
{
	size_t end = n, entry, local, size, data;

	if (n < ZIP_END)
		return -1;
	for (end = n - ZIP_END; memcmp(bytes + end, "PK\5\6", 4) != 0; end--)
		if (!end || n - end > ZIP_END + ZIP_COMMENT_MAX)
			return -1;
	entry = long_at(bytes + end + 16);
	if (entry > n - ZIP_ENTRY || n < ZIP_ENTRY || memcmp(bytes + entry, "PK\1\2", 4) != 0)
		return -1;
	size = long_at(bytes + entry + 20);
	local = long_at(bytes + entry + 42);
	if (n < ZIP_LOCAL || local > n - ZIP_LOCAL || memcmp(bytes + local, "PK\3\4", 4) != 0)
		return -1;
	data = local + ZIP_LOCAL + short_at(bytes + local + 26) + short_at(bytes + local + 28);
	if (data > n || size > n - data)
		return -1;
	if (short_at(bytes + entry + 10) == ZIP_DEFLATED)
		return inflate_into(bytes + data, size, ret);
	if (short_at(bytes + entry + 10) != ZIP_STORED)
		return -1;
	buf_add(ret, bytes + data, size);
	return 0;
}

/* ---- reading ---- */

static int
fetch(const char *url, bool (*stop)(void *context), void *context, struct buf *ret, struct error *err)
{
	const struct http_options options = { .max = PACKAGE_BYTES_MAX, .stop = stop, .context = context };
	struct http_client *client = http_client_open(err);
	enum http_result result;

	if (!client)
		return -1;
	result = http_get(client, url, &options, ret, err);
	http_client_close(client);
	return result == HTTP_OK ? 0 : -1;
}

static int
read_bytes(const char *location, bool (*stop)(void *context), void *context, struct buf *ret, struct error *err)
{
	if (!strncmp(location, "https://", 8) || !strncmp(location, "http://", 7))
		return fetch(location, stop, context, ret, err);
	return file_read(location, PACKAGE_BYTES_MAX, ret, err);
}

static int
unpack(const char *location, struct buf *bytes, struct error *err)
{
	struct buf text = { .max = PACKAGE_BYTES_MAX };
	int rc;

	if (unpack_is_packed(buf_text(bytes), bytes->len)) {
		rc = unpack_file(buf_text(bytes), bytes->len, PACKAGE_BYTES_MAX, &text, err);
	} else if (bytes->len > 4 && !memcmp(buf_text(bytes), "PK", 2)) {
		rc = unzip((const unsigned char *)buf_text(bytes), bytes->len, &text);
		if (rc || text.overflow)
			error_set(err, "it is no zip archive of one file, or one of more than %d MiB", PACKAGE_BYTES_MAX / 1024 / 1024);
		rc = rc || text.overflow ? -1 : 0;
	} else {
		return 0;
	}
	buf_release(bytes);
	*bytes = text;
	return rc ? error_prefix(err, "`%s`", location) : 0;
}

static const struct value *
parse(struct arena *arena, const char *location, const struct buf *text, struct error *err)
{
	struct source *source = source_new(location, buf_text(text), text->len);
	struct yaml_problem problem;
	struct yaml yaml;
	const struct value *value = NULL;
	const char *kind;

	if (yaml_read(arena, source, &yaml, &problem))
		error_set(err, "`%s` is no YAML: %s", location, problem.error.text);
	else if (yaml.n != 1)
		error_set(err, "`%s` holds %zu documents, and a package is one", location, yaml.n);
	else
		value = yaml.documents[0]->value;
	source_unref(source);
	if (!value)
		return NULL;
	kind = value_text(value_get(value, "kind"));
	if (kind && !strcmp(kind, "Workflow") && value_get(value, "spec"))
		return value;
	if (value_get(value, "pipelineInfo") || value_get(value, "deploymentSpec"))
		error_set(err, "`%s` is a pipeline of Kubeflow's own format (IR), and only compiled Argo Workflows can be submitted", location);
	else
		error_set(err, "`%s` is no Workflow of Argo: its `kind` is %s%s%s", location, kind ? "`" : "not there", kind ? kind : "", kind ? "`" : "");
	return NULL;
}

const struct value *
package_file_read(struct arena *arena, const char *location, bool (*stop)(void *context), void *context, struct error *err)
{
	struct buf bytes = { .max = PACKAGE_BYTES_MAX };
	const struct value *workflow = NULL;

	if (!read_bytes(location, stop, context, &bytes, err) && !unpack(location, &bytes, err))
		workflow = parse(arena, location, &bytes, err);
	buf_release(&bytes);
	return workflow;
}

const char *
package_file_name(struct arena *arena, const char *location, const struct value *workflow)
{
	const struct value *metadata = value_get(workflow, "metadata");
	const char *name = value_text(value_get(metadata, "name")), *generated = value_text(value_get(metadata, "generateName"));
	const char *base = strrchr(location, '/');
	size_t len;

	if (name && *name)
		return name;
	len = generated ? strlen(generated) : 0;
	while (len && generated[len - 1] == '-')
		len--;
	if (len)
		return arena_strndup(arena, generated, len);
	base = base ? base + 1 : location;
	len = strcspn(base, ".?#");
	return len ? arena_strndup(arena, base, len) : "package";
}
