#include "config.h"

#include "kernel/artifact.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/markup.h"
#include "base/utf8.h"
#include "kernel/table.h"

/* A file's first bytes. */
struct artifact {
	const char *path, *type_name;
	const char *text;
	size_t len;
	off_t size;
};

static json_t *
text_json(const struct buf *buf)
{
	struct buf clean = { 0 };
	json_t *json;

	utf8_sanitise(&clean, buf_text(buf), buf->len);
	json = json_stringn(buf_text(&clean), clean.len);
	buf_release(&clean);
	return json;
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void
describe(struct buf *buf, const struct artifact *a, const char *what)
{
	buf_printf(buf, "%s, %lld bytes: %s", what, (long long)a->size, a->path);
}

static json_t *
described(const struct artifact *a, const char *what)
{
	struct buf text = { 0 };
	json_t *bundle = json_object();

	describe(&text, a, what);
	json_object_set_new(bundle, "text/plain", text_json(&text));
	buf_release(&text);
	return bundle;
}

static char *
base64(const char *bytes, size_t len)
{
	char *code = xmalloc((len + 2) / 3 * 4 + 1);

	EVP_EncodeBlock((unsigned char *)code, (const unsigned char *)bytes, (int)len);
	return code;
}

/* The picture in an <img>, which an untrusted notebook and every converter keep. */
static json_t *
picture(const struct artifact *a, const char *mime, const char *what)
{
	CLEANUP(freep) char *code = base64(a->text, a->len);
	json_t *bundle = described(a, what);
	struct buf html = { 0 }, alt = { 0 };

	describe(&alt, a, what);
	buf_printf(&html, "<img src=\"data:%s;base64,%s\" alt=\"", mime, code);
	markup_escape(&html, buf_text(&alt), alt.len);
	buf_puts(&html, "\">");
	json_object_set_new(bundle, "text/html", text_json(&html));
	if (strcmp(mime, "image/svg+xml") != 0)
		json_object_set_new(bundle, mime, json_string(code));
	buf_release(&html);
	buf_release(&alt);
	return bundle;
}

static json_t *
as_picture(const struct artifact *a)
{
	bool xml = a->len > 5 && !memcmp(a->text, "<?xml", 5);

	if (a->size > (off_t)a->len)
		return NULL; /* half a picture is none */
	if (a->len > 8 && !memcmp(a->text, "\x89PNG\r\n\x1a\n", 8))
		return picture(a, "image/png", "PNG picture");
	if (a->len > 3 && !memcmp(a->text, "\xFF\xD8\xFF", 3))
		return picture(a, "image/jpeg", "JPEG picture");
	if ((a->len > 4 && !memcmp(a->text, "<svg", 4)) || (xml && memmem(a->text, a->len, "<svg", 4)))
		return picture(a, "image/svg+xml", "SVG picture");
	return NULL;
}

static json_t *
as_table(const struct artifact *a)
{
	struct arena *arena = arena_new();
	struct table table = { .arena = arena };
	char separator = memchr(a->text, '\t', a->len) ? '\t' : ',';
	struct buf text = { 0 }, html = { 0 };
	json_t *bundle = NULL;

	if ((a->len && a->text[0] == '{' && table_read_json_lines(&table, a->text, a->len, ARTIFACT_ROWS_MAX, ARTIFACT_COLUMNS_MAX)) ||
	    table_read_csv(&table, a->text, a->len, separator, ARTIFACT_ROWS_MAX, ARTIFACT_COLUMNS_MAX)) {
		table.more = table.more || a->size > (off_t)a->len;
		table_write_text(&text, &table);
		table_write_html(&html, &table, arena_printf(arena, "%s: %s%s", a->type_name, table.more ? "the first rows of " : "", base_name(a->path)));
		bundle = json_pack("{s:o, s:o}", "text/plain", text_json(&text), "text/html", text_json(&html));
	}
	buf_release(&text);
	buf_release(&html);
	arena_free(arena);
	return bundle;
}

static json_t *
as_text(const struct artifact *a)
{
	struct buf text = { 0 };
	json_t *bundle = json_object();

	buf_add(&text, a->text, a->len);
	if (a->size > (off_t)a->len)
		buf_printf(&text, "\n… (%lld bytes in all: %s)", (long long)a->size, a->path);
	json_object_set_new(bundle, "text/plain", text_json(&text));
	if (!strcmp(a->type_name, "Markdown"))
		json_object_set_new(bundle, "text/markdown", text_json(&text));
	buf_release(&text);
	return bundle;
}

static json_t *
bundle_of(const struct artifact *a)
{
	json_t *bundle = as_picture(a);

	if (bundle)
		return bundle;
	if (memchr(a->text, '\0', a->len))
		return described(a, "binary file");
	if (strcmp(a->type_name, "Markdown") != 0 && strcmp(a->type_name, "HTML") != 0)
		bundle = as_table(a);
	return bundle ? bundle : as_text(a);
}

static int
read_start(int fd, struct buf *buf, const char *path, struct error *err)
{
	while (buf->len < ARTIFACT_READ_MAX) {
		char *space = buf_space(buf, 65536);
		ssize_t n = read(fd, space, 65536);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, errno, "cannot read `%s`", path);
		if (n == 0)
			return 0;
		buf_commit(buf, (size_t)n);
	}
	return 0;
}

json_t *
artifact_bundle(const char *path, const char *type_name, struct error *err)
{
	struct artifact a = { .path = path, .type_name = type_name };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct buf buf = { 0 };
	json_t *bundle = NULL;
	struct stat st;

	if (fd < 0) {
		error_errno(err, errno, "cannot open `%s`", path);
		return NULL;
	}
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		bundle = described(&a, "folder");
	} else if (!S_ISREG(st.st_mode)) {
		error_set(err, "`%s` is not a file", path);
	} else if (read_start(fd, &buf, path, err) == 0) {
		a.text = buf_text(&buf);
		a.len = buf.len;
		a.size = st.st_size;
		bundle = bundle_of(&a);
	}
	close(fd);
	buf_release(&buf);
	return bundle;
}
