#include "config.h"

#include "runtime/cluster/nodes.h"

#include <string.h>
#include <zlib.h>

#include "runtime/cluster/base64.h"
#include "runtime/cluster/control_private.h"
#include "runtime/cluster/edit.h"

enum { GZIP = 16, CHUNK = 256 * 1024 };

static const struct value *
refuse(struct api_failure *ret, const char *what, const char *help)
{
	control_fail(ret, help, "%s", what);
	return NULL;
}

/* False when it is no gzip, is cut, or is longer than it may be. */
static bool
inflate_all(const char *bytes, size_t len, struct buf *ret)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)len };
	int rc = Z_OK;

	if (len > NODES_BYTES_MAX || inflateInit2(&z, MAX_WBITS + GZIP) != Z_OK)
		return false;
	while (rc == Z_OK) {
		char *space = buf_space(ret, CHUNK);

		if (!space)
			break;
		z.next_out = (Bytef *)space;
		z.avail_out = CHUNK;
		rc = inflate(&z, Z_NO_FLUSH);
		buf_commit(ret, CHUNK - z.avail_out);
	}
	inflateEnd(&z);
	return rc == Z_STREAM_END;
}

static void
deflate_all(const char *bytes, size_t len, struct buf *ret)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)len };
	uLong bound;
	char *space;

	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + GZIP, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		BUG("zlib cannot be set up");
	bound = deflateBound(&z, (uLong)len);
	space = buf_space(ret, bound);
	if (!space)
		BUG("%zu bytes of nodes", len);
	z.next_out = (Bytef *)space;
	z.avail_out = (uInt)bound;
	deflate(&z, Z_FINISH);
	buf_commit(ret, bound - z.avail_out);
	deflateEnd(&z);
}

static const struct value *
unpack(struct arena *arena, const char *packed, struct api_failure *ret_failure)
{
	struct buf text = { .max = NODES_BYTES_MAX };
	const struct value *nodes = NULL;
	struct error err = { "" };
	size_t len;
	const char *bytes = base64_decode(arena, packed, strlen(packed), &len);

	if (bytes && len > 2 && memcmp(bytes, "\x1f\x8b", 2) != 0)
		return refuse(ret_failure, "the run's nodes are compressed in a way that is not known here (not by gzip)",
			"use `argo` for it, or reach the cluster through the Argo server: `argo \"https://…\"`");
	if (bytes && inflate_all(bytes, len, &text))
		nodes = value_read_json(arena, buf_text(&text), text.len, &err);
	buf_release(&text);
	if (!nodes || nodes->kind != VALUE_DICT)
		return refuse(ret_failure, "the run's compressed nodes cannot be read: they are damaged",
			"start the run anew: its status on the cluster is of no more use");
	return nodes;
}

const struct value *
nodes_of(struct arena *arena, const struct value *workflow, struct api_failure *ret_failure)
{
	const struct value *status = value_get(workflow, "status"), *nodes = value_get(status, "nodes");
	const char *packed = value_text(value_get(status, "compressedNodes"));
	const char *version = value_text(value_get(status, "offloadNodeStatusVersion"));

	if (nodes && nodes->kind == VALUE_DICT && nodes->dict.n)
		return nodes;
	if (packed && *packed)
		return unpack(arena, packed, ret_failure);
	if (version && *version)
		return refuse(ret_failure, "Argo keeps the run's nodes in its database, for there are too many for the object",
			"reach the cluster through the Argo server, which has them: `argo \"https://…\"`");
	return value_dict(arena, NULL, NULL, 0);
}

const struct value *
nodes_put(struct arena *arena, const struct value *workflow, const struct value *nodes)
{
	const char *old = edit_text_in(workflow, "status", "compressedNodes");
	struct buf text = { 0 }, packed = { 0 }, base64 = { 0 };
	const struct value *item;

	if (!old || !*old)
		return edit_set_in(arena, workflow, "status", "nodes", nodes);
	value_write_json(&text, nodes);
	deflate_all(buf_text(&text), text.len, &packed);
	base64_encode(&base64, buf_text(&packed), packed.len);
	item = value_string(arena, buf_text(&base64));
	buf_release(&text);
	buf_release(&packed);
	buf_release(&base64);
	workflow = edit_set_in(arena, workflow, "status", "nodes", NULL);
	return edit_set_in(arena, workflow, "status", "compressedNodes", item);
}
