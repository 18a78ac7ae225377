#include "config.h"

#include "runtime/secrets.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/macros.h"

static void
add_upper(struct buf *buf, const char *text)
{
	for (; *text; text++)
		buf_putc(buf, (char)(isalnum((unsigned char)*text) ? toupper((unsigned char)*text) : '_'));
}

static int
take_text(struct buf *ret, const char *text, size_t len, const char *what, struct error *err)
{
	if (memchr(text, '\0', len))
		return error_set(err, "%s holds a NUL byte, which no variable can", what);
	if (len > SECRET_TEXT_MAX)
		return error_set(err, "%s is longer than %d bytes", what, SECRET_TEXT_MAX);
	buf_add(ret, text, len);
	return 0;
}

/* A name that is one component of a path. */
static bool
is_plain(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/');
}

/* 1: there is no such file. */
static int
read_secret_file(const char *path, struct buf *ret, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char bytes[SECRET_TEXT_MAX + 2];
	size_t len = 0;
	ssize_t n = 0;
	int result;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? 1 : error_errno(err, errno, "cannot read the secret `%s`", path);
	while (len < sizeof(bytes) && (n = read(fd, bytes + len, sizeof(bytes) - len)) > 0)
		len += (size_t)n;
	if (n < 0)
		error_errno(err, errno, "cannot read the secret `%s`", path);
	close(fd);
	if (n >= 0 && len && bytes[len - 1] == '\n')
		len--;
	result = n < 0 ? -1 : take_text(ret, bytes, len, path, err);
	explicit_bzero(bytes, sizeof(bytes));
	return result;
}

static int
read_from_config(const struct secret *secret, struct buf *ret, struct error *err)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	struct buf path = { 0 };
	int result;

	if (!is_plain(secret->name) || !is_plain(secret->key) || (!config && !home))
		return 1;
	if (config && *config)
		buf_puts(&path, config);
	else
		buf_printf(&path, "%s/.config", home ? home : "");
	buf_printf(&path, "/lateen/secrets/%s/%s", secret->name, secret->key);
	result = read_secret_file(buf_text(&path), ret, err);
	buf_release(&path);
	return result;
}

static int
read_stored(const struct secret *secret, struct buf *ret, struct error *err)
{
	struct buf variable = { 0 };
	const char *text;
	int result;

	add_upper(&variable, secret->name);
	buf_putc(&variable, '_');
	add_upper(&variable, secret->key);
	text = getenv(buf_text(&variable));
	result = text ? take_text(ret, text, strlen(text), "the secret", err) : read_from_config(secret, ret, err);
	if (result == 1 && !secret->optional)
		result = error_set(err,
			"there is no secret `%s`, key `%s`: set the variable %s, or write the file ~/.config/lateen/secrets/%s/%s",
			secret->name, secret->key, buf_text(&variable), secret->name, secret->key);
	buf_release(&variable);
	return result;
}

int
secret_read(const struct secret *secret, struct buf *ret, struct error *err)
{
	const char *text;

	if (secret->source == SECRET_STORE)
		return read_stored(secret, ret, err);
	text = getenv(secret->name);
	if (text)
		return take_text(ret, text, strlen(text), "the secret", err);
	return secret->optional ? 1 : error_set(err, "there is no variable `%s` for the secret", secret->name);
}
