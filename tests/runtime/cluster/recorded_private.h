/* What recorded.c (the text) and recorded_stream.c (streams, timers and the clock) share. */
#ifndef TESTS_RUNTIME_CLUSTER_RECORDED_PRIVATE_H
#define TESTS_RUNTIME_CLUSTER_RECORDED_PRIVATE_H

#include "tests/runtime/cluster/recorded.h"

/* The line at *at without its end, which *at then lies behind. */
char *recorded_take_line(const char **at);
/* A line "! cut words". */
enum http_outcome recorded_fault(const char *line, struct error *err);
/* Where the reply begins, behind the line that is asked; NULL when something else is asked. Writes the log. */
const char *recorded_take(struct recorded *recorded, const struct http_request *request, const char *log_word, struct error *err);
/* A line "< 200 type" and the headers behind it. */
void recorded_take_head(const char **at, const char *line, const struct http_request *request, struct http_reply *ret);

struct http_stream *recorded_open(struct http *http, const struct http_request *request, const struct http_listener *listener);
void recorded_close(struct http *http, struct http_stream *stream);
struct http_timer *recorded_after(struct http *http, long milliseconds, void (*due)(void *context), void *context);
void recorded_cancel(struct http *http, struct http_timer *timer);
void recorded_poll(struct http *http, int wake, long timeout);
void recorded_drop_all(struct recorded *recorded);

#endif
