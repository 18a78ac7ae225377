/* The log of one attempt: what its process wrote, byte for byte, in the order it came, with an index of lines and times
 * beside it. Secrets are replaced by `***` before anything is stored or shown, also where one is split between two reads.
 *
 * The file NAME holds the bytes. NAME.idx holds one struct log_mark for each piece that arrived: a line's time is that of the
 * piece in which it began. */
#ifndef RUNTIME_LOG_H
#define RUNTIME_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

enum {
	LOG_TAIL_MAX = 8 * 1024, /* bytes kept in memory for the last lines */
	LOG_TAIL_LINES = 20,
	LOG_SECRET_MIN = 4, /* shorter secrets are not looked for: they would mask ordinary text */
};

/* In the machine's own byte order: the store does not travel. */
struct log_mark {
	uint64_t offset; /* of the piece's first byte */
	uint64_t line; /* how many lines had ended before it */
	int64_t time_ms;
};

struct log;

/* Makes the file, and its index with the first piece. The secrets (n texts) are copied; empty ones are ignored. NULL with *err set. */
struct log *log_new(const char *path, const char *const *secrets, size_t n_secrets, struct error *err);
/* Goes on with a log that is there, or makes it, after its first `bytes` bytes: of what is beyond them nothing stays. Its last lines
 * are those that are in the file. There are no secrets. */
struct log *log_resume(const char *path, uint64_t bytes, struct error *err);
/* Writes what is held back; closes. NULL is fine. */
void log_free(struct log *log);

/* Takes a piece and stores it; what is safe to show now (masked) is *ret_text until the next call. The first failure to
 * write is remembered for log_problem; the text is still shown. */
void log_write(struct log *log, const char *bytes, size_t len, int64_t now_ms, const char **ret_text, size_t *ret_len);
/* The end: what was held back, for it might have become a secret. */
void log_flush(struct log *log, int64_t now_ms, const char **ret_text, size_t *ret_len);
/* Why the log is not whole, or NULL. */
const char *log_problem(const struct log *log);
/* The last lines as valid UTF-8 without control characters but newline and tab, appended. */
void log_tail(const struct log *log, struct buf *buf);
uint64_t log_size(const struct log *log);

/* Appends the last `lines` lines (SIZE_MAX: all) of a log file that hold `grep` (NULL: any), at most `max` bytes from the end. */
int log_read(const char *path, size_t lines, const char *grep, size_t max, struct buf *buf, struct error *err);
/* The same of what has come since *at, a place in the file that begins as 0 and is moved on. whole: the last line too where
 * it has no end yet. */
int log_read_on(const char *path, uint64_t *at, bool whole, size_t lines, const char *grep, size_t max, struct buf *buf,
		struct error *err);
/* Lines with their times. */
struct log_line {
	int64_t time_ms; /* of the piece in which it began; 0: not known */
	size_t at, len; /* in the text, with its end if it has one */
};

struct log_lines {
	struct buf text; /* valid UTF-8 */
	VEC(struct log_line) lines;
};

/* As log_read_on, into lines. Release them in either case. */
int log_read_lines(const char *path, uint64_t *at, bool whole, size_t lines, const char *grep, size_t max, struct log_lines *ret,
		   struct error *err);
void log_lines_release(struct log_lines *lines);

#endif
