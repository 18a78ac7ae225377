#include "config.h"

#include "runtime/train/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/macros.h"
#include "runtime/paths.h"

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
sync_above(const char *path, struct error *err)
{
	CLEANUP(buf_release) struct buf above = { 0 };
	const char *slash = strrchr(path, '/');

	buf_printf(&above, "%.*s", slash ? (int)(slash - path + 1) : 1, slash ? path : ".");
	return sync_folder(buf_text(&above), err);
}

static void
release(struct folder *folder)
{
	buf_release(&folder->path);
	buf_release(&folder->made);
}

int
folder_begin(struct folder *folder, const char *path, struct error *err)
{
	*folder = (struct folder){ .path = { 0 } };
	buf_puts(&folder->path, path);
	while (folder->path.len > 1 && folder->path.data[folder->path.len - 1] == '/')
		folder->path.data[--folder->path.len] = '\0';
	buf_printf(&folder->made, "%s.tmp", buf_text(&folder->path));
	paths_remove(buf_text(&folder->made));
	if (!paths_make(buf_text(&folder->made), err))
		return 0;
	release(folder);
	return -1;
}

int
folder_finish(struct folder *folder, struct error *err)
{
	const char *made = buf_text(&folder->made), *path = buf_text(&folder->path);
	int result = sync_folder(made, err);

	if (!result && rename(made, path))
		result = error_errno(err, errno, "cannot rename `%s` to `%s`", made, path);
	if (result)
		paths_remove(made);
	else
		result = sync_above(path, err);
	release(folder);
	return result;
}

int
folder_replace(struct folder *folder, struct error *err)
{
	paths_remove(buf_text(&folder->path));
	return folder_finish(folder, err);
}

void
folder_abandon(struct folder *folder)
{
	if (folder->made.len)
		paths_remove(buf_text(&folder->made));
	release(folder);
}

int
folder_write(const char *folder, const char *name, const void *bytes, size_t len, struct error *err)
{
	CLEANUP(buf_release) struct buf path = { 0 };
	FILE *file;
	bool written;

	buf_printf(&path, "%s/%s", folder, name);
	file = fopen(buf_text(&path), "wbe");
	if (!file)
		return error_errno(err, errno, "cannot make `%s`", buf_text(&path));
	written = fwrite(bytes, 1, len, file) == len && !fflush(file) && !fsync(fileno(file));
	if (!written)
		error_errno(err, errno, "cannot write `%s`", buf_text(&path));
	if (fclose(file) && written)
		return error_errno(err, errno, "cannot write `%s`", buf_text(&path));
	return written ? 0 : -1;
}
