#include "config.h"

#include "tests/runtime/cluster/recorded_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *word;
	enum http_outcome outcome;
} outcomes[] = {
	{ "stopped", HTTP_STOPPED_BY_USER }, { "no-library", HTTP_NO_LIBRARY }, { "no-name", HTTP_NO_NAME },
	{ "no-connection", HTTP_NO_CONNECTION }, { "not-tls", HTTP_NOT_TLS }, { "expired", HTTP_CERTIFICATE_EXPIRED },
	{ "early", HTTP_CERTIFICATE_EARLY }, { "unknown-authority", HTTP_UNKNOWN_AUTHORITY }, { "other-name", HTTP_OTHER_NAME },
	{ "bad-certificate", HTTP_BAD_CERTIFICATE }, { "bad-client", HTTP_BAD_CLIENT }, { "cut", HTTP_CUT }, { "late", HTTP_LATE },
	{ "too-large", HTTP_TOO_LARGE },
};

char *
recorded_take_line(const char **at)
{
	size_t len = strcspn(*at, "\n");
	char *line = xstrndup(*at, len);

	*at += len + ((*at)[len] == '\n');
	return line;
}

enum http_outcome
recorded_fault(const char *line, struct error *err)
{
	for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
		size_t len = strlen(outcomes[i].word);

		if (strncmp(line + 2, outcomes[i].word, len) != 0 || (line[len + 2] && line[len + 2] != ' '))
			continue;
		error_set(err, "%s", line[len + 2] ? line + len + 3 : "");
		return outcomes[i].outcome;
	}
	BUG("no such fault: %s", line);
}

static void
take_body(const char **at, struct http_reply *ret)
{
	size_t cut = 0, blanks = 0;

	if (!strncmp(*at, "@cut ", 5)) {
		CLEANUP(freep) char *line = recorded_take_line(at);

		cut = strtoul(line + 5, NULL, 10);
	} else if (**at == '@') {
		CLEANUP(freep) char *line = recorded_take_line(at);

		blanks = strtoul(line + 1, NULL, 10);
		buf_repeat(&ret->body, ' ', blanks);
	}
	while (**at && **at != '>') {
		CLEANUP(freep) char *line = recorded_take_line(at);

		buf_puts(&ret->body, line);
		if (**at && **at != '>')
			buf_putc(&ret->body, '\n');
	}
	if (cut && cut < ret->body.len)
		ret->body.data[ret->body.len = cut] = '\0';
}

void
recorded_take_head(const char **at, const char *line, const struct http_request *request, struct http_reply *ret)
{
	char *type;

	ret->status = strtol(line + 2, &type, 10);
	while (*type == ' ')
		type++;
	snprintf(ret->content_type, sizeof ret->content_type, "%s", type);
	while (**at >= 'A' && **at <= 'Z' && (*at)[strcspn(*at, ": \n{@")] == ':') {
		CLEANUP(freep) char *header = recorded_take_line(at);

		http_reply_header(ret, header, strlen(header));
		if (request->ret_headers)
			buf_printf(request->ret_headers, "%s\r\n", header);
	}
}

static void
log_request(struct recorded *recorded, const struct http_request *request, const char *path)
{
	buf_printf(&recorded->log, "%s %s", request->method, path);
	if (request->token)
		buf_printf(&recorded->log, " token=%s", request->token);
	if (request->body && recorded->log_bodies)
		buf_printf(&recorded->log, " body=%.*s", (int)request->body_len, request->body);
	buf_putc(&recorded->log, '\n');
	for (size_t i = 0; recorded->log_headers && i < request->n_headers; i++)
		buf_printf(&recorded->log, "  %s: %s\n", request->headers[i].name, request->headers[i].value);
}

/* Behind the reply at that place. */
static const char *
next_reply(const char *at)
{
	do {
		at += strcspn(at, "\n");
		at += *at == '\n';
	} while (*at && *at != '>');
	return at;
}

static bool
is_taken(const struct recorded *recorded, const char *at)
{
	for (size_t i = 0; i < recorded->taken.n; i++)
		if (recorded->taken.items[i] == at)
			return true;
	return false;
}

/* Moves on by one reply, and returns where it stands; in any order the first that is asked for. */
static const char *
choose(struct recorded *recorded, const char *asked)
{
	size_t len = strlen(asked);
	const char *at = recorded->at;

	if (!recorded->any_order) {
		recorded->at = next_reply(at);
		return at;
	}
	while (*at && (is_taken(recorded, at) || strncmp(at, asked, len) || (at[len] && at[len] != '\n')))
		at = next_reply(at);
	if (*at)
		vec_push(&recorded->taken, at);
	return at;
}

const char *
recorded_take(struct recorded *recorded, const struct http_request *request, const char *log_word, struct error *err)
{
	const char *host = strstr(request->url, "://"), *path = host ? strchr(host + 3, '/') : NULL, *at;
	char asked[2048];

	buf_puts(&recorded->log, log_word);
	log_request(recorded, request, path ? path : "");
	if (recorded->answer) {
		char *answer = recorded->answer(recorded->context, path ? path : "");

		vec_push(&recorded->answers, answer);
		if (answer)
			return answer;
	}
	snprintf(asked, sizeof asked, "> %s %s", request->method, path ? path : "");
	at = choose(recorded, asked);
	CLEANUP(freep) char *want = recorded_take_line(&at);
	if (!strcmp(want, asked))
		return at;
	error_set(err, "recorded is `%s`, asked was `%s`", want, asked);
	buf_printf(&recorded->log, "%s\n", err->text);
	return NULL;
}

static enum http_outcome
exchange(struct http *http, const struct http_request *request, struct http_reply *ret, struct error *err)
{
	struct recorded *recorded = (struct recorded *)http;
	const char *at = recorded_take(recorded, request, "", err);

	if (!at)
		return HTTP_LATE;
	CLEANUP(freep) char *line = recorded_take_line(&at);
	if (*line == '!')
		return recorded_fault(line, err);
	recorded_take_head(&at, line, request, ret);
	take_body(&at, ret);
	return HTTP_ANSWERED;
}

static void
wait_for(struct http *http, long milliseconds)
{
	struct recorded *recorded = (struct recorded *)http;

	recorded->now += milliseconds; /* not into the log: there is chance in it */
	if (recorded->log.len < 5 || strcmp(buf_text(&recorded->log) + recorded->log.len - 5, "wait\n") != 0)
		buf_puts(&recorded->log, "wait\n");
}

static int64_t
tell_time(struct http *http)
{
	return ((struct recorded *)http)->now;
}

static void
free_nothing(struct http *http)
{
	(void)http;
}

void
recorded_init(struct recorded *recorded, const char *text)
{
	*recorded = (struct recorded){ .http = { .exchange = exchange, .wait = wait_for, .open = recorded_open, .close = recorded_close,
		.after = recorded_after, .cancel = recorded_cancel, .poll = recorded_poll, .now = tell_time, .free = free_nothing },
		.text = text, .at = text, .now = RECORDED_START * INT64_C(1000) };
}

void
recorded_release(struct recorded *recorded)
{
	recorded_drop_all(recorded);
	vec_release(&recorded->taken);
	for (size_t i = 0; i < recorded->answers.n; i++)
		free(recorded->answers.items[i]);
	vec_release(&recorded->answers);
	buf_release(&recorded->log);
}

bool
recorded_is_done(const struct recorded *recorded)
{
	const char *at = recorded->at;

	while (recorded->any_order && *at && is_taken(recorded, at))
		at = next_reply(at);
	return !*at;
}

bool
recorded_run(struct recorded *recorded, long milliseconds, bool (*done)(void *context), void *context)
{
	int64_t end = recorded->now + milliseconds;

	while (!done(context)) {
		if (recorded->now >= end || (!recorded->streams.n && !recorded->timers.n))
			return false;
		recorded->http.poll(&recorded->http, -1, (long)(end - recorded->now));
	}
	return true;
}
