#include "config.h"

#include "kernel/url_cache.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/sha256.h"
#include "kernel/file.h"
#include "kernel/http_get.h"

char *
url_cache_default(void)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	struct buf path = { 0 };

	/* The XDG specification has relative paths ignored. */
	if (xdg && *xdg == '/')
		buf_printf(&path, "%s/lateen/components", xdg);
	else if (home && *home == '/')
		buf_printf(&path, "%s/.cache/lateen/components", home);
	else
		return NULL;
	return buf_detach(&path, NULL);
}

static void
make_folders(const char *path)
{
	CLEANUP(freep) char *copy = xstrdup(path);

	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(copy, 0700);
		*slash = '/';
	}
	mkdir(copy, 0700);
}

static void
text_path(struct buf *ret, const char *folder, const char *digest)
{
	buf_printf(ret, "%s/%s.yaml", folder, digest);
}

static void
index_path(struct buf *ret, const char *folder, const char *url)
{
	char digest[SHA256_HEX];

	sha256_hex(url, strlen(url), digest);
	buf_printf(ret, "%s/urls/%s", folder, digest);
}

void
url_cache_put(const char *folder, const char *url, const char *text, size_t len)
{
	CLEANUP(buf_release) struct buf path = { 0 }, index = { 0 }, entry = { 0 };
	char digest[SHA256_HEX];
	struct error ignored;

	sha256_hex(text, len, digest);
	buf_printf(&index, "%s/urls", folder);
	make_folders(index.data);
	text_path(&path, folder, digest);
	/* The text first: an index never names what is not there. */
	if (file_write(path.data, text, len, &ignored))
		return;
	buf_clear(&index);
	index_path(&index, folder, url);
	buf_printf(&entry, "%s %s\n", digest, url);
	(void)file_write(index.data, entry.data, entry.len, &ignored);
}

bool
url_cache_get_by_digest(const char *folder, const char *digest, size_t max, struct buf *ret)
{
	CLEANUP(buf_release) struct buf path = { 0 }, text = { .max = max + 65536 };
	char found[SHA256_HEX];
	struct error ignored;

	text_path(&path, folder, digest);
	if (file_read(path.data, max, &text, &ignored))
		return false;
	sha256_hex(buf_text(&text), text.len, found);
	if (strcmp(found, digest))
		return false;
	buf_add(ret, buf_text(&text), text.len);
	return true;
}

bool
url_cache_get(const char *folder, const char *url, size_t max, struct buf *ret)
{
	CLEANUP(buf_release) struct buf path = { 0 }, entry = { .max = 65536 * 2 };
	struct error ignored;
	char *blank;

	index_path(&path, folder, url);
	if (file_read(path.data, SHA256_HEX + HTTP_URL_MAX + 1, &entry, &ignored))
		return false;
	blank = strchr(buf_text(&entry), ' ');
	/* The URL is there to be compared: whoever writes another one under its digest gets nothing. */
	if (!blank || strncmp(blank + 1, url, strlen(url)) || strcmp(blank + 1 + strlen(url), "\n"))
		return false;
	*blank = '\0';
	return sha256_is_hex(entry.data) && url_cache_get_by_digest(folder, entry.data, max, ret);
}
