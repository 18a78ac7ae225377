#include "config.h"

#include "kernel/resolver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/embedded.h"
#include "base/sha256.h"
#include "kernel/file.h"
#include "kernel/http_get.h"
#include "kernel/url_cache.h"

extern const struct embedded_file STD_FILES[]; /* share/std, made at build */

static const char std_location[] = "std:";

struct file_resolver {
	struct resolver base;
	char *cache_folder, *ca_file;
	struct http_options http;
	struct http_client *client; /* opened on first use */
};

static char *
copy_or_null(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

/* ---- where a location lies ---- */

static bool
has_scheme(const char *location)
{
	size_t n = strspn(location, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");

	return n && !strncmp(location + n, "://", 3);
}

/* Bytes up to the end of a URL's host; 0 for a path. */
static size_t
host_end(const char *name)
{
	const char *host = has_scheme(name) ? strstr(name, "://") + 3 : name;

	return host == name ? 0 : (size_t)(host - name) + strcspn(host, "/?#");
}

/* How many bytes of the name are its folder, with the slash; of a URL never less than its host. */
static size_t
folder_of(const char *name)
{
	size_t host = host_end(name);
	size_t end = host ? host + strcspn(name + host, "?#") : strlen(name);

	while (end > host && name[end - 1] != '/')
		end--;
	return end;
}

/* The path or URL as it can be opened, malloc'ed. */
static char *
locate(const char *location, const struct source *from)
{
	struct buf path = { 0 };
	/* From the root of the server, not of this machine, when the text came from a server. */
	size_t folder = !from ? 0 : *location == '/' ? host_end(from->name) : folder_of(from->name);

	if (folder && !has_scheme(location)) {
		buf_add(&path, from->name, folder);
		if (path.data[path.len - 1] != '/' && *location != '/')
			buf_putc(&path, '/');
	}
	buf_puts(&path, location);
	return buf_detach(&path, NULL);
}

/* ---- reading ---- */

static int
read_path(const char *path, struct buf *ret, struct error *err)
{
	struct stat st;

	/* Looked at before it is opened: opening a pipe waits, and opening a device may do something. */
	if (stat(path, &st) < 0)
		return error_errno(err, errno, "cannot read `%s`", path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, "cannot read `%s`: %s", path,
			S_ISDIR(st.st_mode) ? "it is a folder" : "it is not a plain file");
	if (st.st_size > SOURCE_MAX)
		return error_set(err, "cannot read `%s`: it is larger than %d MiB", path, SOURCE_MAX / 1024 / 1024);
	return file_read(path, SOURCE_MAX, ret, err);
}

static int
download(struct file_resolver *r, const char *url, struct buf *ret, struct error *err)
{
	enum http_result result = HTTP_UNREACHABLE;

	if (!r->client)
		r->client = http_client_open(err);
	if (r->client)
		result = http_get(r->client, url, &r->http, ret, err);
	if (result == HTTP_OK) {
		if (r->cache_folder)
			url_cache_put(r->cache_folder, url, ret->data ? ret->data : "", ret->len);
		return 0;
	}
	if (result == HTTP_UNREACHABLE && r->cache_folder && url_cache_get(r->cache_folder, url, SOURCE_MAX, ret))
		return 0;
	return -1;
}

static int
read_url(struct file_resolver *r, const char *url, const char *sha256, struct buf *ret, struct error *err)
{
	if (http_check_url(url, err))
		return -1;
	if (sha256 && r->cache_folder && url_cache_get_by_digest(r->cache_folder, sha256, SOURCE_MAX, ret))
		return 0;
	return download(r, url, ret, err);
}

static int
read_std(struct buf *ret, struct error *err)
{
	if (!STD_FILES[0].name)
		return error_set(err, "this build holds no standard library");
	buf_add(ret, STD_FILES[0].bytes, STD_FILES[0].len);
	return 0;
}

/* ---- the seam ---- */

static int
check_digest(const char *location, const char *sha256, const struct buf *text, struct error *err)
{
	char bytes[SHA256_HEX], plain[SHA256_HEX];

	if (!sha256_is_hex(sha256))
		return error_set(err, "a sha256 is 64 digits 0 to 9 and a to f, not `%.80s`", sha256);
	sha256_hex(buf_text(text), text->len, bytes);
	sha256_hex_of_text(buf_text(text), text->len, plain);
	if (!strcmp(bytes, sha256) || !strcmp(plain, sha256))
		return 0;
	return error_set(err, "`%s` is not the text that is wanted: its sha256 is %s, not %s", location, bytes, sha256);
}

static int
read_location(struct file_resolver *r, const char *location, const char *sha256, struct buf *ret, struct error *err)
{
	if (!strcmp(location, std_location))
		return read_std(ret, err);
	if (has_scheme(location))
		return read_url(r, location, sha256, ret, err);
	return read_path(location, ret, err);
}

static int
load(struct resolver *resolver, const char *location, const struct source *from, const char *sha256, struct buf *ret_text,
     char **ret_name, struct error *err)
{
	struct file_resolver *r = (struct file_resolver *)resolver;
	CLEANUP(freep) char *path = locate(location, from);
	CLEANUP(buf_release) struct buf text = { .max = 2 * SOURCE_MAX };

	if (!*location)
		return error_set(err, "an empty text names no file");
	if (!strcmp(location, std_location)) {
		free(path);
		path = xstrdup(location);
	}
	if (read_location(r, path, sha256, &text, err))
		return -1;
	if (sha256 && check_digest(path, sha256, &text, err))
		return -1;
	if (memchr(buf_text(&text), 0, text.len))
		return error_set(err, "`%s` is not a text: it holds a NUL byte", path);
	buf_add(ret_text, buf_text(&text), text.len);
	*ret_name = xstrdup(strcmp(path, std_location) ? path : STD_FILES[0].name);
	return 0;
}

struct resolver *
resolver_new_with(const struct resolver_options *options)
{
	struct file_resolver *r = xcalloc(1, sizeof *r);

	r->base.load = load;
	r->cache_folder = options->cache_folder ? xstrdup(options->cache_folder) : url_cache_default();
	r->ca_file = copy_or_null(options->ca_file);
	r->http = (struct http_options){ .max = SOURCE_MAX, .timeout_ms = options->timeout_ms, .ca_file = r->ca_file,
					 .stop = options->stop, .context = options->context };
	return &r->base;
}

struct resolver *
resolver_new(void)
{
	struct resolver_options options = { 0 };

	return resolver_new_with(&options);
}

void
resolver_free(struct resolver *resolver)
{
	struct file_resolver *r = (struct file_resolver *)resolver;

	if (!r)
		return;
	http_client_close(r->client);
	free(r->cache_folder);
	free(r->ca_file);
	free(r);
}
