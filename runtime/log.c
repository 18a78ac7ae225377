#include "config.h"

#include "runtime/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/utf8.h"

static const char mask[] = "***";

enum { COUNT_PIECE = 64 * 1024, MARKS_MAX = 4 * 1024 * 1024 };

struct log {
	int file, index; /* the index: -1 until there is something to note */
	char *index_path;
	uint64_t size, lines;
	char **secrets;
	size_t *secret_lens;
	size_t n_secrets, longest;
	struct buf held; /* with secrets: what may be the start of one */
	struct buf shown;
	struct buf tail;
	bool failed;
	struct error problem;
};

static void
keep_secrets(struct log *log, const char *const *secrets, size_t n)
{
	log->secrets = xcalloc(n, sizeof(*log->secrets));
	log->secret_lens = xcalloc(n, sizeof(*log->secret_lens));
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(secrets[i]);

		if (len < LOG_SECRET_MIN)
			continue;
		log->secrets[log->n_secrets] = xstrdup(secrets[i]);
		log->secret_lens[log->n_secrets++] = len;
		if (len > log->longest)
			log->longest = len;
	}
}

static int
open_new(const char *path, struct error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		error_errno(err, errno, "cannot make `%s`", path);
	return fd;
}

static struct log *
new_log(const char *path)
{
	struct log *log = xcalloc(1, sizeof(*log));
	struct buf name = { 0 };

	buf_printf(&name, "%s.idx", path);
	log->index_path = buf_detach(&name, NULL);
	log->file = log->index = -1;
	return log;
}

struct log *
log_new(const char *path, const char *const *secrets, size_t n_secrets, struct error *err)
{
	struct log *log = new_log(path);

	log->file = open_new(path, err);
	if (log->file < 0) {
		log_free(log);
		return NULL;
	}
	keep_secrets(log, secrets, n_secrets);
	return log;
}

static size_t count_lines(const char *bytes, size_t len);

/* How many lines end in the first `size` bytes, of which the last are kept. */
static int
read_back(struct log *log, struct error *err)
{
	uint64_t at = 0;
	ssize_t n = 1;

	while (at < log->size && n > 0) {
		size_t want = log->size - at < COUNT_PIECE ? (size_t)(log->size - at) : (size_t)COUNT_PIECE;
		char *space = buf_space(&log->tail, want);

		n = space ? pread(log->file, space, want, (off_t)at) : -1;
		if (n <= 0)
			return error_errno(err, n ? errno : EIO, "cannot read the log");
		log->lines += count_lines(space, (size_t)n);
		buf_commit(&log->tail, (size_t)n);
		if (log->tail.len > LOG_TAIL_MAX)
			buf_consume(&log->tail, log->tail.len - LOG_TAIL_MAX);
		at += (uint64_t)n;
	}
	return 0;
}

/* The index has as many marks as begin before the end. */
static int
cut_index(struct log *log, struct error *err)
{
	struct log_mark mark;
	off_t at = 0;

	log->index = open(log->index_path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (log->index < 0)
		return error_errno(err, errno, "cannot open `%s`", log->index_path);
	while (pread(log->index, &mark, sizeof(mark), at) == (ssize_t)sizeof(mark) && mark.offset < log->size)
		at += (off_t)sizeof(mark);
	return ftruncate(log->index, at) ? error_errno(err, errno, "cannot cut `%s`", log->index_path) : 0;
}

static int
resume(struct log *log, const char *path, uint64_t bytes, struct error *err)
{
	struct stat st;

	log->file = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (log->file < 0 || fstat(log->file, &st))
		return error_errno(err, errno, "cannot open `%s`", path);
	log->size = (uint64_t)st.st_size < bytes ? (uint64_t)st.st_size : bytes;
	if (ftruncate(log->file, (off_t)log->size))
		return error_errno(err, errno, "cannot cut `%s`", path);
	return read_back(log, err) || cut_index(log, err) ? -1 : 0;
}

struct log *
log_resume(const char *path, uint64_t bytes, struct error *err)
{
	struct log *log = new_log(path);

	if (!resume(log, path, bytes, err))
		return log;
	log_free(log);
	return NULL;
}

void
log_free(struct log *log)
{
	if (!log)
		return;
	if (log->file >= 0)
		close(log->file);
	if (log->index >= 0)
		close(log->index);
	for (size_t i = 0; i < log->n_secrets; i++) {
		explicit_bzero(log->secrets[i], log->secret_lens[i]);
		free(log->secrets[i]);
	}
	free(log->index_path);
	free(log->secrets);
	free(log->secret_lens);
	buf_release(&log->held);
	buf_release(&log->shown);
	buf_release(&log->tail);
	free(log);
}

static void
write_all(struct log *log, int fd, const void *bytes, size_t len)
{
	for (size_t at = 0; at < len && !log->failed;) {
		ssize_t n = write(fd, (const char *)bytes + at, len - at);

		if (n >= 0) {
			at += (size_t)n;
		} else if (errno != EINTR) {
			error_errno(&log->problem, errno, "the log cannot be written");
			log->failed = true;
		}
	}
}

static void
keep_tail(struct log *log, const char *bytes, size_t len)
{
	if (len >= LOG_TAIL_MAX) {
		bytes += len - LOG_TAIL_MAX;
		len = LOG_TAIL_MAX;
	}
	if (log->tail.len + len > (size_t)LOG_TAIL_MAX * 2)
		buf_consume(&log->tail, log->tail.len - LOG_TAIL_MAX);
	buf_add(&log->tail, bytes, len);
}

static size_t
count_lines(const char *bytes, size_t len)
{
	const char *end = bytes + len, *at = bytes;
	size_t n = 0;

	while ((at = memchr(at, '\n', (size_t)(end - at)))) {
		n++;
		at++;
	}
	return n;
}

static void
store(struct log *log, const char *bytes, size_t len, int64_t now_ms)
{
	struct log_mark mark = { log->size, log->lines, now_ms };

	if (!len)
		return;
	if (log->index < 0 && !log->failed)
		log->failed = (log->index = open_new(log->index_path, &log->problem)) < 0;
	write_all(log, log->index, &mark, sizeof(mark));
	write_all(log, log->file, bytes, len);
	keep_tail(log, bytes, len);
	log->lines += count_lines(bytes, len);
	log->size += len;
}

/* The secret that stands at the place, whole; 0: none. The longest counts. */
static size_t
secret_at(const struct log *log, const char *bytes, size_t len)
{
	size_t longest = 0;

	for (size_t i = 0; i < log->n_secrets; i++)
		if (log->secret_lens[i] <= len && log->secret_lens[i] > longest && *bytes == *log->secrets[i] &&
		    !memcmp(bytes, log->secrets[i], log->secret_lens[i]))
			longest = log->secret_lens[i];
	return longest;
}

/* May a secret begin here that is not all there yet? */
static bool
secret_begins(const struct log *log, const char *bytes, size_t len)
{
	for (size_t i = 0; i < log->n_secrets; i++)
		if (log->secret_lens[i] > len && !memcmp(bytes, log->secrets[i], len))
			return true;
	return false;
}

static size_t
mask_secrets(struct log *log, bool last)
{
	const char *bytes = log->held.data;
	size_t at = 0, plain = 0, len = log->held.len;

	buf_clear(&log->shown);
	while (at < len) {
		size_t secret = secret_at(log, bytes + at, len - at);

		if (!last && len - at < log->longest && secret_begins(log, bytes + at, len - at))
			break;
		if (secret) {
			buf_add(&log->shown, bytes + plain, at - plain);
			buf_puts(&log->shown, mask);
			plain = at + secret;
		}
		at += secret ? secret : 1;
	}
	buf_add(&log->shown, bytes + plain, at - plain);
	return at;
}

static void
take(struct log *log, const char *bytes, size_t len, bool last, int64_t now_ms, const char **ret_text, size_t *ret_len)
{
	if (!log->n_secrets) {
		store(log, bytes, len, now_ms);
		*ret_text = bytes;
		*ret_len = len;
		return;
	}
	buf_add(&log->held, bytes, len);
	buf_consume(&log->held, mask_secrets(log, last));
	store(log, buf_text(&log->shown), log->shown.len, now_ms);
	*ret_text = buf_text(&log->shown);
	*ret_len = log->shown.len;
}

void
log_write(struct log *log, const char *bytes, size_t len, int64_t now_ms, const char **ret_text, size_t *ret_len)
{
	take(log, bytes, len, false, now_ms, ret_text, ret_len);
}

void
log_flush(struct log *log, int64_t now_ms, const char **ret_text, size_t *ret_len)
{
	take(log, "", 0, true, now_ms, ret_text, ret_len);
}

const char *
log_problem(const struct log *log)
{
	return log->failed ? log->problem.text : NULL;
}

uint64_t
log_size(const struct log *log)
{
	return log->size;
}

/* Where the last `lines` lines begin. */
static size_t
last_lines(const char *bytes, size_t len, size_t lines)
{
	size_t at = len && bytes[len - 1] == '\n' ? len - 1 : len;

	while (at) {
		if (bytes[at - 1] == '\n' && !--lines)
			break;
		at--;
	}
	return at;
}

static void
add_clean(struct buf *buf, const char *bytes, size_t len)
{
	size_t plain = buf->len;

	utf8_sanitise(buf, bytes, len);
	for (size_t i = plain; i < buf->len; i++) {
		unsigned char c = (unsigned char)buf->data[i];

		if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7F)
			buf->data[i] = ' ';
	}
}

void
log_tail(const struct log *log, struct buf *buf)
{
	size_t len = log->tail.len < LOG_TAIL_MAX ? log->tail.len : LOG_TAIL_MAX;
	const char *bytes = buf_text(&log->tail) + log->tail.len - len;
	size_t from = last_lines(bytes, len, LOG_TAIL_LINES);

	add_clean(buf, bytes + from, len - from);
}

/* Keeps the lines that hold the text. */
static void
filter(struct buf *buf, size_t from, const char *grep)
{
	size_t to = from;

	for (size_t at = from; at < buf->len;) {
		const char *line = buf->data + at, *end = memchr(line, '\n', buf->len - at);
		size_t len = end ? (size_t)(end - line) + 1 : buf->len - at;

		if (memmem(line, len, grep, strlen(grep))) {
			memmove(buf->data + to, line, len);
			to += len;
		}
		at += len;
	}
	buf->len = to;
	if (buf->data)
		buf->data[to] = '\0';
}

static int
read_from(const char *path, uint64_t *at, size_t max, struct buf *text, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t size;
	struct stat st;
	char *space;

	if (fd < 0 || fstat(fd, &st)) {
		if (fd >= 0)
			close(fd);
		return error_errno(err, errno, "cannot read the log `%s`", path);
	}
	size = (uint64_t)st.st_size;
	if (size > max && *at < size - max)
		*at = size - max;
	while (*at < size) {
		size_t want = size - *at < 65536 ? (size_t)(size - *at) : 65536;
		ssize_t n = (space = buf_space(text, want)) ? pread(fd, space, want, (off_t)*at) : 0;

		if (n <= 0)
			break;
		buf_commit(text, (size_t)n);
		*at += (uint64_t)n;
	}
	close(fd);
	return 0;
}

/* A line without an end is left for later. */
static void
leave_rest(struct buf *text, uint64_t *at)
{
	const char *end = text->len ? memrchr(text->data, '\n', text->len) : NULL;
	size_t len = end ? (size_t)(end - text->data) + 1 : 0;

	*at -= text->len - len;
	text->len = len;
}

int
log_read_on(const char *path, uint64_t *at, bool whole, size_t lines, const char *grep, size_t max, struct buf *buf,
	    struct error *err)
{
	struct buf text = { 0 };
	size_t from;

	if (read_from(path, at, max, &text, err)) {
		buf_release(&text);
		return -1;
	}
	if (!whole)
		leave_rest(&text, at);
	if (grep)
		filter(&text, 0, grep);
	from = lines == SIZE_MAX ? 0 : lines ? last_lines(buf_text(&text), text.len, lines) : text.len;
	utf8_sanitise(buf, buf_text(&text) + from, text.len - from);
	buf_release(&text);
	return 0;
}

int
log_read(const char *path, size_t lines, const char *grep, size_t max, struct buf *buf, struct error *err)
{
	uint64_t at = 0;

	return log_read_on(path, &at, true, lines, grep, max, buf, err);
}

/* ---- lines with their times ---- */

/* The marks of the index, at most MARKS_MAX of them from its end; malloc'ed. */
static struct log_mark *
read_marks(const char *path, size_t *ret_n)
{
	struct buf name = { 0 };
	struct log_mark *marks = NULL;
	struct stat st;
	size_t n, first;
	int fd;

	*ret_n = 0;
	buf_printf(&name, "%s.idx", path);
	fd = open(buf_text(&name), O_RDONLY | O_CLOEXEC);
	buf_release(&name);
	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && st.st_size > 0) {
		n = (size_t)st.st_size / sizeof(*marks);
		first = n > MARKS_MAX ? n - MARKS_MAX : 0;
		marks = xcalloc(n - first + 1, sizeof(*marks));
		if (pread(fd, marks, (n - first) * sizeof(*marks), (off_t)(first * sizeof(*marks))) == (ssize_t)((n - first) * sizeof(*marks)))
			*ret_n = n - first;
	}
	close(fd);
	return marks;
}

/* The last mark that is not behind the place counts; *mark only moves on. */
static int64_t
time_at(const struct log_mark *marks, size_t n, size_t *mark, uint64_t place)
{
	while (*mark + 1 < n && marks[*mark + 1].offset <= place)
		++*mark;
	return *mark < n && marks[*mark].offset <= place ? marks[*mark].time_ms : 0;
}

static void
split(const struct buf *raw, uint64_t place, const char *path, const char *grep, struct log_lines *ret)
{
	size_t n, mark = 0;
	CLEANUP(freep) struct log_mark *marks = read_marks(path, &n);

	for (size_t at = 0; at < raw->len;) {
		const char *line = raw->data + at, *end = memchr(line, '\n', raw->len - at);
		size_t len = end ? (size_t)(end - line) + 1 : raw->len - at;
		struct log_line entry = { .at = ret->text.len };

		if (!grep || memmem(line, len, grep, strlen(grep))) {
			entry.time_ms = time_at(marks, n, &mark, place + at);
			utf8_sanitise(&ret->text, line, len);
			entry.len = ret->text.len - entry.at;
			vec_push(&ret->lines, entry);
		}
		at += len;
	}
}

int
log_read_lines(const char *path, uint64_t *at, bool whole, size_t lines, const char *grep, size_t max, struct log_lines *ret,
	       struct error *err)
{
	struct buf raw = { 0 };
	int result = read_from(path, at, max, &raw, err);

	*ret = (struct log_lines){ 0 };
	if (!result) {
		if (!whole)
			leave_rest(&raw, at);
		split(&raw, *at - raw.len, path, grep, ret);
	}
	if (ret->lines.n > lines) {
		memmove(ret->lines.items, ret->lines.items + ret->lines.n - lines, lines * sizeof(*ret->lines.items));
		ret->lines.n = lines;
	}
	buf_release(&raw);
	return result;
}

void
log_lines_release(struct log_lines *lines)
{
	buf_release(&lines->text);
	vec_release(&lines->lines);
}
