/* What the codelab's step "Copy training checkpoint data" does: the files of a checkpoint go into the folder that a training goes on in. Other than
 * there, a copy that fails is a step that fails. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macros.h"
#include "runtime/paths.h"
#include "runtime/step/t2t.h"

enum { DEPTH_MAX = 16, PIECE = 1 << 20 };

struct copying {
	uint64_t files, bytes;
	char *piece;
};

static int
copy_bytes(struct copying *c, int from, int to)
{
	ssize_t n;

	while ((n = read(from, c->piece, PIECE)) > 0) {
		for (ssize_t at = 0; at < n;) {
			ssize_t written = write(to, c->piece + at, (size_t)(n - at));

			if (written < 0)
				return -1;
			at += written;
		}
		c->bytes += (uint64_t)n;
	}
	return n < 0 ? -1 : fsync(to);
}

/* A file is written beside its place, so that no part of one ever stands there. */
static int
copy_file(struct copying *c, const char *from, const char *to, struct error *err)
{
	CLEANUP(buf_release) struct buf made = { 0 };
	int in = open(from, O_RDONLY | O_CLOEXEC), out, result = 0;

	if (in < 0)
		return error_errno(err, errno, "cannot read `%s`", from);
	buf_printf(&made, "%s.tmp", to);
	out = open(buf_text(&made), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (out < 0 || copy_bytes(c, in, out))
		result = error_errno(err, errno, "cannot copy `%s` to `%s`", from, to);
	close(in);
	if (out >= 0 && close(out) && !result)
		result = error_errno(err, errno, "cannot write `%s`", to);
	if (!result && rename(buf_text(&made), to))
		result = error_errno(err, errno, "cannot write `%s`", to);
	if (result && out >= 0)
		unlink(buf_text(&made));
	c->files += !result;
	return result;
}

static int
copy_link(const char *from, const char *to, struct error *err)
{
	char target[PATH_MAX];
	ssize_t n = readlink(from, target, sizeof(target) - 1);

	if (n < 0)
		return error_errno(err, errno, "cannot read the link `%s`", from);
	target[n] = '\0';
	unlink(to);
	return symlink(target, to) ? error_errno(err, errno, "cannot make the link `%s`", to) : 0;
}

static int copy_folder(struct copying *c, const char *from, const char *to, int depth, struct error *err);

static int
copy_entry(struct copying *c, const char *from, const char *to, int depth, struct error *err)
{
	struct stat st;

	if (lstat(from, &st))
		return error_errno(err, errno, "cannot read `%s`", from);
	if (S_ISDIR(st.st_mode))
		return copy_folder(c, from, to, depth + 1, err);
	if (S_ISLNK(st.st_mode))
		return copy_link(from, to, err);
	return S_ISREG(st.st_mode) ? copy_file(c, from, to, err) : error_set(err, "`%s` is no file", from);
}

/* What a training keeps to itself, and what is unfinished, stays where it is. */
static bool
is_left(const char *name)
{
	size_t len = strlen(name);

	return !strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, "lock") || (len > 4 && !strcmp(name + len - 4, ".tmp"));
}

static int
copy_folder(struct copying *c, const char *from, const char *to, int depth, struct error *err)
{
	DIR *dir = opendir(from);
	struct dirent *entry;
	int result;

	if (!dir)
		return error_errno(err, errno, "cannot read the folder `%s`", from);
	result = depth > DEPTH_MAX ? error_set(err, "`%s`: folders are more than %d deep", from, DEPTH_MAX) : paths_make(to, err);
	while (!result && (entry = readdir(dir))) {
		CLEANUP(buf_release) struct buf source = { 0 }, target = { 0 };

		if (is_left(entry->d_name))
			continue;
		buf_printf(&source, "%s/%s", from, entry->d_name);
		buf_printf(&target, "%s/%s", to, entry->d_name);
		result = copy_entry(c, buf_text(&source), buf_text(&target), depth, err);
	}
	closedir(dir);
	return result;
}

/* A folder within itself would never end. */
static int
check_apart(const char *from, const char *to, struct error *err)
{
	char real_from[PATH_MAX], real_to[PATH_MAX];
	size_t len;

	if (!realpath(from, real_from))
		return error_errno(err, errno, "cannot read the folder `%s`", from);
	if (paths_make(to, err))
		return -1;
	if (!realpath(to, real_to))
		return error_errno(err, errno, "cannot read the folder `%s`", to);
	len = strlen(real_from);
	if (!strncmp(real_from, real_to, len) && (!real_to[len] || real_to[len] == '/'))
		return error_set(err, "--model-dir `%s` lies in --checkpoint-dir `%s`, of which it is to be a copy", to, from);
	return 0;
}

int
step_t2t_copy(const struct step_call *call, struct error *err)
{
	CLEANUP(buf_release) struct buf from = { 0 }, to = { 0 };
	CLEANUP(freep) char *piece = xmalloc(PIECE);
	struct copying c = { .piece = piece };

	if (strcmp(step_text(call, "action"), "copy_data") != 0)
		return error_set(err, "--action wants `copy_data`, not `%s`", step_text(call, "action"));
	if (t2t_folder(call, "checkpoint-dir", &from, err) || t2t_folder(call, "model-dir", &to, err) ||
	    check_apart(buf_text(&from), buf_text(&to), err) || copy_folder(&c, buf_text(&from), buf_text(&to), 0, err))
		return -1;
	printf("%s: %" PRIu64 " files, %" PRIu64 " bytes, from %s\n", buf_text(&to), c.files, c.bytes, buf_text(&from));
	return t2t_output(call, "copy-output-path", buf_text(&to), err);
}
