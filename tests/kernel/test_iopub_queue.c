/* Coalescing, order and stalled readers, with a clock that the test sets. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/iopub_queue.h"
#include "tests/tap.h"

enum { LIMIT = 10000 };

static void
add(struct iopub_queue *queue, const char *msg_type)
{
	struct iopub_item *item = xcalloc(1, sizeof *item);

	item->msg_type = msg_type;
	buf_puts(&item->content, "{}");
	iopub_queue_add(queue, item);
}

static void
stream(struct iopub_queue *queue, int64_t now, const char *text)
{
	iopub_queue_stream(queue, now, NULL, false, text, strlen(text));
}

/* Takes what is due at `now` and would be sent, as "TYPE CONTENT" lines. */
static char *
take(struct iopub_queue *queue, int64_t now)
{
	struct buf said = { 0 };
	struct iopub_item *item;
	enum iopub_how how;
	int64_t due;

	while ((how = iopub_queue_next(queue, now, &item, &due)) != IOPUB_NOTHING) {
		buf_printf(&said, "%s %s\n", item->msg_type, buf_text(&item->content));
		iopub_queue_sent(queue, item, how, now);
	}
	return buf_detach(&said, NULL);
}

static void
is_taken(struct iopub_queue *queue, int64_t now, const char *want, const char *name)
{
	char *said = take(queue, now);

	is_str(said, want, "%s", name);
	free(said);
}

#define OUT(text) "stream {\"name\":\"stdout\",\"text\":\"" text "\"}\n"
#define ERR(text) "stream {\"name\":\"stderr\",\"text\":\"" text "\"}\n"

static void
test_coalescing(void)
{
	struct iopub_queue queue;

	iopub_queue_init(&queue, LIMIT);
	stream(&queue, 1000, "a");
	stream(&queue, 1001, "b");
	is_taken(&queue, 1000 + IOPUB_GRACE - 1, "", "the first text waits a moment for the rest of its line");
	is_int(iopub_queue_due(&queue, 1001), 1000 + IOPUB_GRACE, "and no longer");
	is_taken(&queue, 1002, OUT("ab"), "then it goes");
	stream(&queue, 1003, "c\n");
	is_taken(&queue, 1061, "", "the next waits");
	is_int(iopub_queue_due(&queue, 1061), 1002 + IOPUB_INTERVAL, "for the interval");
	stream(&queue, 1061, "\"d\"");
	is_taken(&queue, 1002 + IOPUB_INTERVAL, OUT("c\\n\\\"d\\\""), "and then goes as one");
	stream(&queue, 2000, "e");
	iopub_queue_stream(&queue, 2000, NULL, true, "f", 1);
	is_taken(&queue, 2000, OUT("e"), "another stream ends the wait of the first");
	stream(&queue, 2000, "g");
	add(&queue, "status");
	is_taken(&queue, 2000, ERR("f") OUT("g") "status {}\n", "so does another message; order stays");
	stream(&queue, 2000, "h");
	iopub_queue_flush(&queue);
	is_taken(&queue, 2000, OUT("h"), "and a flush");
	is_int(iopub_queue_due(&queue, 2001), INT64_MAX, "an empty queue waits for ever");
	is_int((int64_t)queue.bytes, 0, "and holds nothing");
	iopub_queue_release(&queue);
}

static void
test_parents(void)
{
	struct parent *a = parent_new("{}", 2), *b = parent_new("{}", 2);
	struct iopub_queue queue;

	iopub_queue_init(&queue, LIMIT);
	iopub_queue_stream(&queue, 0, a, false, "1", 1);
	iopub_queue_stream(&queue, 0, a, false, "2", 1);
	iopub_queue_stream(&queue, 0, b, false, "3", 1);
	iopub_queue_flush(&queue);
	is_taken(&queue, 0, OUT("12") OUT("3"), "text of two requests stays apart");
	is_int(atomic_load(&a->refs), 1, "parents are let go");
	parent_unref(a);
	parent_unref(b);
	iopub_queue_release(&queue);
}

/* 200,000 bytes of two-byte characters, so that a limit falls inside one. */
static void
test_size(void)
{
	struct iopub_queue queue;
	struct iopub_item *item;
	char *text = xcalloc(200002, 1);
	int64_t due, n = 0, total = 0;
	bool bounded = true, whole = true;
	enum iopub_how how;

	for (size_t i = 1; i < 200000; i += 2)
		memcpy(text + i, "é", 2);
	text[0] = 'x';
	iopub_queue_init(&queue, LIMIT);
	stream(&queue, 0, "first");
	free(take(&queue, IOPUB_GRACE));
	iopub_queue_stream(&queue, 0, NULL, false, text, 199999);
	while ((how = iopub_queue_next(&queue, 0, &item, &due)) != IOPUB_NOTHING) {
		n++;
		total += (int64_t)item->text_len;
		bounded = bounded && item->text_len <= IOPUB_STREAM_MAX;
		whole = whole && item->text_len % 2 == (n == 1);
		iopub_queue_sent(&queue, item, how, 0);
	}
	is_int(n, 3, "full messages go at once");
	iopub_queue_flush(&queue);
	iopub_queue_next(&queue, 0, &item, &due);
	total += (int64_t)item->text_len;
	ok(bounded, "none is longer than allowed");
	ok(whole, "no character is cut");
	is_int(total, 199999, "nothing is lost");
	iopub_queue_release(&queue);
	free(text);
}

/* Tries to send and is refused, as long as the queue wants to try, at most `times`. Returns how it would have sent. */
static enum iopub_how
refuse(struct iopub_queue *queue, int64_t now, int times)
{
	enum iopub_how how = IOPUB_NOTHING;
	struct iopub_item *item;
	int64_t due;

	for (int i = 0; i < times; i++) {
		how = iopub_queue_next(queue, now, &item, &due);
		if (how == IOPUB_NOTHING || how == IOPUB_FORCE || how == IOPUB_GIVE_UP)
			return how;
		iopub_queue_refused(queue, now);
	}
	return how;
}

static void
test_stall(void)
{
	struct iopub_queue queue;

	iopub_queue_init(&queue, LIMIT);
	stream(&queue, 0, "0123456789");
	iopub_queue_flush(&queue);
	is_int(refuse(&queue, 0, 1), IOPUB_TRY, "a refusal");
	stream(&queue, 0, "abc");
	add(&queue, "status");
	is_int(refuse(&queue, LIMIT - 1, 1), IOPUB_TRY, "tried again before the limit");
	is_int((int64_t)queue.dropped, 0, "nothing is dropped before the limit");
	is_int(refuse(&queue, LIMIT, 1), IOPUB_TRY, "at the limit the reader has stalled");
	is_int(refuse(&queue, LIMIT, 9), IOPUB_FORCE, "text is dropped, up to the status, which is forced");
	is_int((int64_t)queue.dropped, 13, "and counted");
	is_taken(&queue, LIMIT,
		ERR("\\n[output dropped: 13 bytes of text did not fit because a client had not read for 10 s]\\n") "status {}\n",
		"a note stands before it");
	stream(&queue, 0, "xyz");
	iopub_queue_flush(&queue);
	is_int(refuse(&queue, LIMIT + 1, 1), IOPUB_PROBE, "it is still stalled");
	is_int((int64_t)queue.dropped, 3, "more is dropped at once");
	stream(&queue, 0, "new");
	iopub_queue_flush(&queue);
	is_taken(&queue, LIMIT + 2,
		ERR("\\n[output dropped: 3 bytes of text did not fit because a client had not read for 10 s]\\n") OUT("new"),
		"when it reads again, the note comes first");
	ok(!queue.dropping, "and all is well");
	iopub_queue_release(&queue);
}

static void
test_slow(void)
{
	struct iopub_queue queue;
	struct iopub_item *item;
	int64_t due;

	iopub_queue_init(&queue, LIMIT);
	for (int64_t now = 0; now < 10 * LIMIT; now += LIMIT - 1) {
		stream(&queue, 0, "x");
		iopub_queue_flush(&queue);
		is_int(refuse(&queue, now, 1), IOPUB_TRY, "a slow reader refuses");
		is_int(iopub_queue_next(&queue, now + LIMIT - 2, &item, &due), IOPUB_TRY, "is tried again");
		iopub_queue_sent(&queue, item, IOPUB_TRY, now + LIMIT - 2);
	}
	ok(!queue.dropping && !queue.dropped, "one that is slow has not stalled");
	iopub_queue_release(&queue);
}

static void
test_bounds(void)
{
	struct iopub_queue queue;
	struct iopub_item *item;
	int64_t due;
	char *text = xcalloc(IOPUB_QUEUE_MAX + 2, 1);

	memset(text, 'x', IOPUB_QUEUE_MAX + 1);
	iopub_queue_init(&queue, LIMIT);
	iopub_queue_stream(&queue, 0, NULL, false, text, IOPUB_QUEUE_MAX);
	ok(!iopub_queue_full(&queue, false), "room for %d bytes", IOPUB_QUEUE_MAX);
	iopub_queue_stream(&queue, 0, NULL, false, text, 1);
	ok(iopub_queue_full(&queue, false), "and not for more");
	ok(!iopub_queue_full(&queue, true), "but when the cell shall end");
	queue.dropping = true;
	queue.forced = (size_t)IOPUB_FORCED_MAX + 1;
	add(&queue, "status");
	while (queue.head->stream)
		refuse(&queue, 0, 1);
	is_int(iopub_queue_next(&queue, 0, &item, &due), IOPUB_GIVE_UP, "who has not read 256 MiB is given up");
	iopub_queue_release(&queue);
	free(text);
}

int
main(void)
{
	test_coalescing();
	test_parents();
	test_size();
	test_stall();
	test_slow();
	test_bounds();
	return done_testing();
}
