#include "config.h"

#include "runtime/paths.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/macros.h"

int
paths_make(const char *folder, struct error *err)
{
	CLEANUP(freep) char *path = NULL;

	if (!mkdir(folder, 0777) || errno == EEXIST)
		return 0;
	path = xstrdup(folder);
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0777) && errno != EEXIST)
			return error_errno(err, errno, "cannot make the folder `%s`", path);
		*slash = '/';
	}
	if (mkdir(path, 0777) && errno != EEXIST)
		return error_errno(err, errno, "cannot make the folder `%s`", path);
	return 0;
}

static int
remove_entry(const char *path, const struct stat *st UNUSED, int kind UNUSED, struct FTW *at UNUSED)
{
	(void)!remove(path); /* what cannot be removed stays, the rest goes */
	return 0;
}

void
paths_remove(const char *path)
{
	if (unlink(path) && errno != ENOENT)
		nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

int
paths_write(const char *path, const char *bytes, size_t len, int mode, struct error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);

	if (fd < 0)
		return error_errno(err, errno, "cannot make `%s`", path);
	for (size_t at = 0; at < len;) {
		ssize_t n = write(fd, bytes + at, len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			error_errno(err, errno, "cannot write `%s`", path);
			close(fd);
			return -1;
		}
		at += (size_t)n;
	}
	return close(fd) ? error_errno(err, errno, "cannot write `%s`", path) : 0;
}

const char *
paths_read(struct arena *arena, const char *path, size_t max, size_t *ret_len, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct buf text = { .max = max };
	const char *copy = NULL;
	ssize_t n = -1;
	char bytes[16 * 1024];

	while (fd >= 0 && !text.overflow && (n = read(fd, bytes, sizeof(bytes))) > 0)
		buf_add(&text, bytes, (size_t)n);
	if (fd < 0 || n < 0)
		error_errno(err, errno, "cannot read `%s`", path);
	else if (text.overflow)
		error_set(err, "`%s` is longer than %zu bytes", path, max);
	else
		copy = arena_strndup(arena, buf_text(&text), *ret_len = text.len);
	if (fd >= 0)
		close(fd);
	buf_release(&text);
	return copy;
}

static bool
is_program(const char *path)
{
	struct stat st;

	return !access(path, X_OK) && !stat(path, &st) && S_ISREG(st.st_mode);
}

const char *
paths_program(struct arena *arena, const char *name, const char *search, const char *folder)
{
	if (strchr(name, '/')) {
		const char *path = paths_absolute(arena, name, folder);

		return is_program(path) ? path : NULL;
	}
	if (!*name)
		return NULL;
	for (const char *at = search; *at;) {
		size_t len = strcspn(at, ":");
		const char *path = arena_printf(arena, "%.*s/%s", (int)len, at, name);

		if (len && is_program(path))
			return path;
		at += len + (at[len] == ':');
	}
	return NULL;
}

const char *
paths_absolute(struct arena *arena, const char *path, const char *folder)
{
	return *path == '/' ? arena_strdup(arena, path) : arena_printf(arena, "%s/%s", folder, path);
}

const char *
paths_safe(struct arena *arena, const char *text)
{
	char *safe = arena_strdup(arena, text);

	for (char *c = safe; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("-_[]", *c) && (*c != '.' || c == safe))
			*c = '_';
	return *safe ? safe : "_";
}
