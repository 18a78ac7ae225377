#include "config.h"

#include "kernel/tensorboard.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/macros.h"
#include "kernel/file.h"
#include "kernel/thread.h"
#include "runtime/paths.h"
#include "runtime/warden.h"

extern char **environ;

enum { GRACE_MS = 1000, LOOK_MS = 100, LOG_MAX = 256 * 1024, SAID_MAX = 400 };

struct tensorboard {
	struct warden *warden;
	int log;
};

/* ---- events ---- */

static bool
look(const char *folder, int depth, int *left)
{
	DIR *dir = depth ? opendir(folder) : NULL;
	struct dirent *entry;
	bool found = false;

	while (dir && !found && *left > 0 && (entry = readdir(dir))) {
		CLEANUP(buf_release) struct buf path = { 0 };
		struct stat st;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		--*left;
		buf_printf(&path, "%s/%s", folder, entry->d_name);
		if (lstat(buf_text(&path), &st) < 0)
			continue;
		if (S_ISREG(st.st_mode))
			found = strstr(entry->d_name, "tfevents") != NULL;
		else if (S_ISDIR(st.st_mode))
			found = look(buf_text(&path), depth - 1, left);
	}
	if (dir)
		closedir(dir);
	return found;
}

bool
tensorboard_has_events(const char *folder)
{
	int left = TENSORBOARD_LOOK_MAX;

	return look(folder, TENSORBOARD_DEPTH_MAX, &left);
}

/* ---- the program ---- */

static const char *
program(struct arena *arena)
{
	const char *path = getenv("PATH");

	return paths_program(arena, "tensorboard", path ? path : "", "/");
}

bool
tensorboard_installed(void)
{
	struct arena *arena = arena_new();
	bool found = program(arena) != NULL;

	arena_free(arena);
	return found;
}

static int
spawn(struct tensorboard *board, const char *path, const char *folder, struct error *err)
{
	CLEANUP(freep) char *whole = realpath(folder, NULL);
	CLEANUP(freep) char *copy = xstrdup(whole ? whole : folder);
	char *argv[] = { (char[]){ "tensorboard" }, (char[]){ "--logdir" }, copy, (char[]){ "--host" }, (char[]){ "127.0.0.1" },
			 (char[]){ "--port" }, (char[]){ "0" }, NULL };
	const struct spawn spawn = { .path = path, .argv = argv, .envp = environ, .cwd = copy, .output = board->log, .error = board->log };

	return warden_spawn(board->warden, 1, &spawn, err);
}

/* The first address that it has written, or NULL. */
static const char *
said_url(const struct buf *text, struct arena *arena)
{
	const char *at = strstr(buf_text(text), "http://");

	return at && at[strcspn(at, " \t\r\n")] ? arena_strndup(arena, at, strcspn(at, " \t\r\n")) : NULL;
}

static int
await_url(struct tensorboard *board, const char *log, bool (*stop)(void *context), void *context, struct arena *arena, const char **ret_url,
	  struct error *err)
{
	int64_t until = clock_ms() + TENSORBOARD_WAIT;
	struct report report;

	for (;;) {
		CLEANUP(buf_release) struct buf text = { .max = LOG_MAX };
		struct pollfd ended = { .fd = warden_fd(board->warden), .events = POLLIN };
		const char *last;

		if (file_read(log, LOG_MAX, &text, err) < 0)
			return -1;
		if ((*ret_url = said_url(&text, arena)))
			return 0;
		if (stop && stop(context))
			return error_set(err, "interrupted");
		last = buf_text(&text) + (text.len > SAID_MAX ? text.len - SAID_MAX : 0);
		if (warden_next(board->warden, &report))
			return error_set(err, "`tensorboard` has ended at once: %s", last);
		if (clock_ms() > until)
			return error_set(err, "`tensorboard` has not said within %d seconds where it listens", TENSORBOARD_WAIT / 1000);
		poll(&ended, 1, LOOK_MS);
	}
}

struct tensorboard *
tensorboard_start(const char *folder, const char *log, bool (*stop)(void *context), void *context, struct arena *arena, const char **ret_url,
		  struct error *err)
{
	struct tensorboard *board = xcalloc(1, sizeof *board);
	const char *path = program(arena);
	int rc = 0;

	board->log = open(log, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	if (!path)
		rc = error_set(err, "there is no program `tensorboard` on the PATH");
	else if (board->log < 0)
		rc = error_errno(err, errno, "cannot write %s", log);
	else if (!(board->warden = warden_start(GRACE_MS, err)))
		rc = -1;
	if (rc == 0)
		rc = spawn(board, path, folder, err);
	if (rc == 0)
		rc = await_url(board, log, stop, context, arena, ret_url, err);
	if (rc == 0)
		return board;
	tensorboard_free(board);
	return NULL;
}

void
tensorboard_free(struct tensorboard *board)
{
	if (!board)
		return;
	warden_free(board->warden);
	if (board->log >= 0)
		close(board->log);
	free(board);
}
