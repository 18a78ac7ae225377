#include "config.h"

#include "runtime/train/checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macros.h"
#include "runtime/train/checkpoint_private.h"

/* ---- names ---- */

/* "step-12" is 12; anything else, an unfinished one too, is no checkpoint. */
static bool
step_of(const char *name, uint64_t *ret)
{
	char *end;

	if (strncmp(name, "step-", 5) != 0 || name[5] < '0' || name[5] > '9')
		return false;
	errno = 0;
	*ret = strtoull(name + 5, &end, 10);
	return !*end && !errno;
}

static bool
is_unfinished(const char *name)
{
	size_t len = strlen(name);

	return !strncmp(name, "step-", 5) && len > 4 && !strcmp(name + len - 4, ".tmp");
}

struct steps {
	uint64_t *items;
	size_t n, cap;
};

static int
newest_first(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x > *y ? -1 : *x < *y;
}

/* 0 also where the folder is not there. */
static int
list_steps(const char *folder, struct steps *ret, struct error *err)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	uint64_t step;

	if (!dir)
		return errno == ENOENT ? 0 : error_errno(err, errno, "cannot read the folder `%s`", folder);
	while ((entry = readdir(dir)))
		if (step_of(entry->d_name, &step))
			vec_push(ret, step);
	closedir(dir);
	if (ret->n)
		qsort(ret->items, ret->n, sizeof(*ret->items), newest_first);
	return 0;
}

int
checkpoint_newest(const char *folder, struct buf *ret, struct error *err)
{
	struct steps steps = { 0 };
	int result = list_steps(folder, &steps, err);

	if (!result && steps.n) {
		buf_printf(ret, "%s/step-%" PRIu64, folder, steps.items[0]);
		result = 1;
	}
	vec_release(&steps);
	return result;
}

/* ---- folders ---- */

static void
remove_folder(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
	rmdir(path);
}

static int
sync_folder(const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = fd < 0 || fsync(fd) ? error_errno(err, errno, "cannot write the folder `%s` to disk", path) : 0;

	if (fd >= 0)
		close(fd);
	return result;
}

static int
make_folders(const char *path, struct error *err)
{
	char *copy = xstrdup(path), *at = copy;
	int result = 0;

	while (!result && (at = strchr(at + 1, '/'))) {
		*at = '\0';
		if (mkdir(copy, 0777) && errno != EEXIST)
			result = error_errno(err, errno, "cannot make the folder `%s`", copy);
		*at = '/';
	}
	if (!result && mkdir(path, 0777) && errno != EEXIST)
		result = error_errno(err, errno, "cannot make the folder `%s`", path);
	free(copy);
	return result;
}

int
checkpoint_lock(const char *folder, struct error *err)
{
	CLEANUP(buf_release) struct buf path = { 0 };
	int lock;

	if (make_folders(folder, err))
		return -1;
	buf_printf(&path, "%s/lock", folder);
	lock = open(buf_text(&path), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (lock < 0)
		return error_errno(err, errno, "cannot open `%s`", buf_text(&path));
	if (flock(lock, LOCK_EX | LOCK_NB)) {
		int why = errno;

		close(lock);
		return why == EWOULDBLOCK ? error_set(err, "another training writes into `%s`", folder) :
					    error_errno(err, why, "cannot lock `%s`", buf_text(&path));
	}
	return lock;
}

void
checkpoint_unlock(int lock)
{
	if (lock >= 0)
		close(lock);
}

/* ---- writing ---- */

/* The last step: all files are there and on disk. */
static int
put_in_place(const char *from, const char *to, const char *folder, struct error *err)
{
	if (sync_folder(from, err))
		return -1;
	if (rename(from, to))
		return error_errno(err, errno, "cannot rename `%s` to `%s`", from, to);
	return sync_folder(folder, err);
}

/* A link is replaced by renaming another onto it. */
static int
point_best(const char *folder, uint64_t step, struct error *err)
{
	CLEANUP(buf_release) struct buf link = { 0 }, made = { 0 }, target = { 0 };

	buf_printf(&link, "%s/best", folder);
	buf_printf(&made, "%s/best.tmp", folder);
	buf_printf(&target, "step-%" PRIu64, step);
	unlink(buf_text(&made));
	if (symlink(buf_text(&target), buf_text(&made)) || rename(buf_text(&made), buf_text(&link)))
		return error_errno(err, errno, "cannot make the link `%s`", buf_text(&link));
	return 0;
}

static void
remove_unfinished(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (is_unfinished(entry->d_name)) {
			CLEANUP(buf_release) struct buf path = { 0 };

			buf_printf(&path, "%s/%s", folder, entry->d_name);
			remove_folder(buf_text(&path));
		}
	if (dir)
		closedir(dir);
}

static int
prune(const char *folder, size_t keep, uint64_t best, struct error *err)
{
	struct steps steps = { 0 };

	if (list_steps(folder, &steps, err))
		return -1;
	for (size_t i = keep; i < steps.n; i++) {
		CLEANUP(buf_release) struct buf path = { 0 };

		buf_printf(&path, "%s/step-%" PRIu64, folder, steps.items[i]);
		if (steps.items[i] != best)
			remove_folder(buf_text(&path));
	}
	vec_release(&steps);
	return 0;
}

int
checkpoint_save(const char *folder, const struct model *model, const struct checkpoint_state *state, const struct buf *tokenizer,
	size_t keep, bool is_best, struct error *err)
{
	CLEANUP(buf_release) struct buf made = { 0 }, path = { 0 };
	struct stat st;

	buf_printf(&path, "%s/step-%" PRIu64, folder, state->step);
	buf_printf(&made, "%s.tmp", buf_text(&path));
	remove_unfinished(folder);
	if (!stat(buf_text(&path), &st))
		return is_best ? point_best(folder, state->step, err) : 0;
	if (make_folders(buf_text(&made), err))
		return -1;
	if (checkpoint_write_files(buf_text(&made), model, tokenizer, err) ||
	    checkpoint_write_optimizer(buf_text(&made), model, state, err) || put_in_place(buf_text(&made), buf_text(&path), folder, err)) {
		remove_folder(buf_text(&made));
		return -1;
	}
	if (is_best && point_best(folder, state->step, err))
		return -1;
	return prune(folder, keep ? keep : 1, state->best_step, err);
}

int
checkpoint_write_model(const char *folder, const struct model *model, const struct buf *tokenizer, struct error *err)
{
	CLEANUP(buf_release) struct buf made = { 0 }, parent = { 0 };
	const char *slash = strrchr(folder, '/');

	buf_printf(&made, "%s.tmp", folder);
	buf_printf(&parent, "%.*s", slash ? (int)(slash - folder + 1) : 1, slash ? folder : ".");
	remove_folder(buf_text(&made));
	if (make_folders(buf_text(&made), err))
		return -1;
	if (checkpoint_write_files(buf_text(&made), model, tokenizer, err) || put_in_place(buf_text(&made), folder, buf_text(&parent), err)) {
		remove_folder(buf_text(&made));
		return -1;
	}
	return 0;
}
