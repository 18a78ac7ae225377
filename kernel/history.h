/* What was typed, over all sessions, in SQLite. Opened late: when the first history request comes or the first cell
 * has been answered. When the file cannot be used, the history of this session is kept in memory, silently: a kernel
 * without a writable home works. Every call comes from one thread. */
#ifndef KERNEL_HISTORY_H
#define KERNEL_HISTORY_H

#include <jansson.h>
#include <stdbool.h>

enum {
	HISTORY_ENTRIES_MAX = 100000, /* older ones are forgotten */
	HISTORY_TEXT_MAX = 1024 * 1024, /* bytes of an input or output; longer ones are cut */
	HISTORY_REPLY_MAX = 10000, /* entries in one answer */
};

struct history;

/* path NULL: $LATEEN_HISTORY, else $XDG_DATA_HOME or ~/.local/share, lateen/history.sqlite. "" : memory. */
struct history *history_new(const char *path);
void history_free(struct history *history);

/* output may be NULL. Only remembers; history_settle writes. */
void history_add(struct history *history, int line, const char *input, const char *output);
void history_settle(struct history *history);

/* Arrays of [session, line, input] or, with outputs, [session, line, [input, output]]; oldest first. */
json_t *history_tail(struct history *history, int n, bool outputs);
/* session 0 is this one, -1 the one before; lines start to stop - 1; stop 0 or less: to the end. */
json_t *history_range(struct history *history, int session, int start, int stop, bool outputs);
/* pattern with * and ? for the whole input; n 0: all. */
json_t *history_search(struct history *history, const char *pattern, int n, bool unique, bool outputs);

#endif
