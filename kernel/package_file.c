#include "config.h"

#include "kernel/package_file.h"

#include <string.h>

#include "kernel/file.h"
#include "kernel/http_get.h"
#include "runtime/cluster/package_read.h"

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

const struct value *
package_file_read(struct arena *arena, const char *location, bool (*stop)(void *context), void *context, struct error *err)
{
	struct buf bytes = { .max = PACKAGE_BYTES_MAX };
	const struct value *workflow = NULL;

	if (!read_bytes(location, stop, context, &bytes, err))
		workflow = package_read(arena, location, buf_text(&bytes), bytes.len, err);
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
