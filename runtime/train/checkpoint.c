#include "config.h"

#include "runtime/train/checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macros.h"
#include "runtime/paths.h"
#include "runtime/train/checkpoint_private.h"
#include "runtime/train/folder.h"

enum { ASIDE_MAX = 100 };

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
checkpoint_newest(const char *folder, size_t nth, struct buf *ret, struct error *err)
{
	struct steps steps = { 0 };
	int result = list_steps(folder, &steps, err);

	if (!result && nth < steps.n) {
		buf_printf(ret, "%s/step-%" PRIu64, folder, steps.items[nth]);
		result = 1;
	}
	vec_release(&steps);
	return result;
}

/* Who holds a lock writes its number into it. */
static void
sign(int lock)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	if (ftruncate(lock, 0) || pwrite(lock, text, (size_t)n, 0) != n)
		return; /* a full disk: then nobody knows who it is */
}

static int
refuse_lock(int lock, const char *folder, struct error *err)
{
	char text[32] = "";
	ssize_t n = pread(lock, text, sizeof(text) - 1, 0);
	long owner = n > 0 ? strtol(text, NULL, 10) : 0;

	close(lock);
	if (owner <= 0)
		return error_set(err, "another training writes into `%s`", folder);
	return error_set(err, "another training writes into `%s`: process %ld; wait for it, or end it", folder, owner);
}

int
checkpoint_lock(const char *folder, struct error *err)
{
	CLEANUP(buf_release) struct buf path = { 0 };
	int lock;

	if (paths_make(folder, err))
		return -1;
	buf_printf(&path, "%s/lock", folder);
	lock = open(buf_text(&path), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (lock < 0)
		return error_errno(err, errno, "cannot open `%s`", buf_text(&path));
	if (flock(lock, LOCK_EX | LOCK_NB)) {
		int why = errno;

		if (why == EWOULDBLOCK)
			return refuse_lock(lock, folder, err);
		close(lock);
		return error_errno(err, why, "cannot lock `%s`", buf_text(&path));
	}
	sign(lock);
	return lock;
}

void
checkpoint_unlock(int lock)
{
	if (lock >= 0)
		close(lock);
}

int
checkpoint_set_aside(const char *path, struct error *err)
{
	CLEANUP(buf_release) struct buf to = { 0 };

	for (int i = 1; i <= ASIDE_MAX; i++) {
		buf_clear(&to);
		buf_printf(&to, "%s.damaged", path);
		if (i > 1)
			buf_printf(&to, "-%d", i);
		if (!access(buf_text(&to), F_OK))
			continue;
		return rename(path, buf_text(&to)) ? error_errno(err, errno, "cannot rename `%s`, which is damaged", path) : 0;
	}
	return error_set(err, "too many damaged checkpoints lie beside `%s`", path);
}

/* ---- writing ---- */

static bool
points_to(const char *link, const char *target)
{
	char now[64];
	ssize_t n = readlink(link, now, sizeof(now) - 1);

	now[n > 0 ? n : 0] = '\0';
	return !strcmp(now, target);
}

/* A link is replaced by renaming another onto it. */
static int
point_best(const char *folder, uint64_t step, struct error *err)
{
	CLEANUP(buf_release) struct buf link = { 0 }, made = { 0 }, target = { 0 };

	buf_printf(&link, "%s/best", folder);
	buf_printf(&made, "%s/best.tmp", folder);
	buf_printf(&target, "step-%" PRIu64, step);
	if (points_to(buf_text(&link), buf_text(&target)))
		return 0;
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
			paths_remove(buf_text(&path));
		}
	if (dir)
		closedir(dir);
}

/* Under another name first: one that is half removed is no checkpoint. */
static void
remove_step(const char *path)
{
	CLEANUP(buf_release) struct buf aside = { 0 };

	buf_printf(&aside, "%s.tmp", path);
	if (!rename(path, buf_text(&aside)))
		paths_remove(buf_text(&aside));
}

int
checkpoint_mend(const char *folder, const struct checkpoint_state *state, struct error *err)
{
	CLEANUP(buf_release) struct buf best = { 0 };

	remove_unfinished(folder);
	buf_printf(&best, "%s/step-%" PRIu64, folder, state->best_step);
	return isfinite(state->best) && !access(buf_text(&best), F_OK) ? point_best(folder, state->best_step, err) : 0;
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
			remove_step(buf_text(&path));
	}
	vec_release(&steps);
	return 0;
}

int
checkpoint_save(const char *folder, const struct model *model, const struct checkpoint_state *state, const struct buf *tokenizer,
	size_t keep, bool is_best, struct error *err)
{
	CLEANUP(buf_release) struct buf path = { 0 };
	struct folder made;
	struct stat st;

	buf_printf(&path, "%s/step-%" PRIu64, folder, state->step);
	remove_unfinished(folder);
	if (!stat(buf_text(&path), &st))
		return is_best ? point_best(folder, state->step, err) : 0;
	if (folder_begin(&made, buf_text(&path), err))
		return -1;
	if (checkpoint_write_files(buf_text(&made.made), model, tokenizer, err) ||
	    checkpoint_write_optimizer(buf_text(&made.made), model, state, err)) {
		folder_abandon(&made);
		return -1;
	}
	if (folder_finish(&made, err))
		return -1;
	if (is_best && point_best(folder, state->step, err))
		return -1;
	return prune(folder, keep ? keep : 1, state->best_step, err);
}

int
checkpoint_write_model(const char *folder, const struct model *model, const struct buf *tokenizer, struct error *err)
{
	struct folder made;

	if (folder_begin(&made, folder, err))
		return -1;
	if (!checkpoint_write_files(buf_text(&made.made), model, tokenizer, err))
		return folder_finish(&made, err);
	folder_abandon(&made);
	return -1;
}
