#include "config.h"

#include "kernel/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/source.h"

enum { READ_AT_ONCE = 65536 }; /* bytes, where the size is not known */

/* `size` is what the file says of itself, 0 where it does not; it is believed only as far as room goes, with one byte more that
 * tells whether it was the truth. */
static int
read_all(int fd, const char *path, size_t size, size_t max, struct buf *buf, struct error *err)
{
	size_t total = 0, room = size && size <= max ? size + 1 : READ_AT_ONCE;

	for (;;) {
		char *space = buf_space(buf, room);
		ssize_t n;

		if (!space)
			return error_set(err, "`%s` is too large", path);
		n = read(fd, space, room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, errno, "cannot read `%s`", path);
		if (n == 0)
			return 0;
		buf_commit(buf, (size_t)n);
		room = (size_t)n < room ? room - (size_t)n : READ_AT_ONCE;
		total += (size_t)n;
		if (total > max)
			return error_set(err, "`%s` is larger than %zu bytes", path, max);
	}
}

int
file_read(const char *path, size_t max, struct buf *buf, struct error *err)
{
	struct stat st = { 0 };
	int fd, rc;

	if (!strcmp(path, "-"))
		return read_all(STDIN_FILENO, "standard input", 0, max, buf, err);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return error_errno(err, errno, "cannot open `%s`", path);
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode)) {
		rc = error_set(err, "cannot read `%s`: not a file", path);
	} else {
		(void)fcntl(fd, F_SETFL, 0); /* a pipe is waited for from here on */
		rc = read_all(fd, path, S_ISREG(st.st_mode) ? (size_t)st.st_size : 0, max, buf, err);
	}
	close(fd);
	return rc;
}

static int
write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Permissions of the file that is replaced, else what the umask leaves of 0666. */
static mode_t
mode_for(const char *path)
{
	struct stat st;
	mode_t mask;

	if (stat(path, &st) == 0)
		return st.st_mode & 07777;
	mask = umask(022);
	umask(mask);
	return 0666 & ~mask;
}

static int
fill(int fd, mode_t mode, const void *bytes, size_t len, bool durably)
{
	int rc = write_all(fd, bytes, len) < 0 || fchmod(fd, mode) < 0 || (durably && fsync(fd) < 0) ? -1 : 0;
	int code = errno;

	/* Over a network, what does not fit may be told only now. */
	if (close(fd) < 0)
		return -1;
	errno = code;
	return rc;
}

static int
write_and_rename(const char *path, char *temporary, const void *bytes, size_t len, bool durably, struct error *err)
{
	mode_t mode = mode_for(path);
	int fd = mkostemp(temporary, O_CLOEXEC);

	if (fd < 0)
		return error_errno(err, errno, "cannot write `%s`", path);
	if (fill(fd, mode, bytes, len, durably) < 0 || rename(temporary, path) < 0) {
		int code = errno;

		unlink(temporary);
		return error_errno(err, code, "cannot write `%s`", path);
	}
	return 0;
}

int
file_read_program(const char *path, struct buf *buf, struct error *err)
{
	size_t start = buf->len;

	if (file_read(path, SOURCE_MAX, buf, err) < 0)
		return -1;
	if (!start && buf->len >= 3 && !memcmp(buf->data, "\xEF\xBB\xBF", 3))
		buf_consume(buf, 3);
	return 0;
}

static int
put(const char *path, const void *bytes, size_t len, bool durably, struct error *err)
{
	struct stat st;
	struct buf temporary = { 0 };
	int rc;

	if (!strcmp(path, "-"))
		return write_all(STDOUT_FILENO, bytes, len) < 0 ? error_errno(err, errno, "cannot write to standard output") : 0;
	/* A device such as /dev/null is written to, not replaced. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		int fd = S_ISDIR(st.st_mode) ? -1 : open(path, O_WRONLY | O_CLOEXEC);

		if (fd < 0)
			return error_errno(err, S_ISDIR(st.st_mode) ? EISDIR : errno, "cannot write `%s`", path);
		rc = write_all(fd, bytes, len) < 0 ? error_errno(err, errno, "cannot write `%s`", path) : 0;
		close(fd);
		return rc;
	}
	buf_printf(&temporary, "%s.XXXXXX", path);
	rc = write_and_rename(path, temporary.data, bytes, len, durably, err);
	buf_release(&temporary);
	return rc;
}

int
file_write(const char *path, const void *bytes, size_t len, struct error *err)
{
	return put(path, bytes, len, false, err);
}

int
file_write_durably(const char *path, const void *bytes, size_t len, struct error *err)
{
	return put(path, bytes, len, true, err);
}
