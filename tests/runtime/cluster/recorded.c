#include "config.h"

#include "tests/runtime/cluster/recorded.h"

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

/* The line at *at without its end, which *at then lies behind. */
static char *
take_line(const char **at)
{
	size_t len = strcspn(*at, "\n");
	char *line = xstrndup(*at, len);

	*at += len + ((*at)[len] == '\n');
	return line;
}

static enum http_outcome
fault(const char *line, struct error *err)
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
take_body(struct recorded *recorded, struct http_reply *ret)
{
	size_t cut = 0, blanks = 0;

	if (!strncmp(recorded->at, "@cut ", 5)) {
		CLEANUP(freep) char *line = take_line(&recorded->at);

		cut = strtoul(line + 5, NULL, 10);
	} else if (*recorded->at == '@') {
		CLEANUP(freep) char *line = take_line(&recorded->at);

		blanks = strtoul(line + 1, NULL, 10);
		buf_repeat(&ret->body, ' ', blanks);
	}
	while (*recorded->at && *recorded->at != '>') {
		CLEANUP(freep) char *line = take_line(&recorded->at);

		buf_puts(&ret->body, line);
		if (*recorded->at && *recorded->at != '>')
			buf_putc(&ret->body, '\n');
	}
	if (cut && cut < ret->body.len)
		ret->body.data[ret->body.len = cut] = '\0';
}

static void
take_reply(struct recorded *recorded, const char *line, const struct http_request *request, struct http_reply *ret)
{
	char *type;

	ret->status = strtol(line + 2, &type, 10);
	while (*type == ' ')
		type++;
	snprintf(ret->content_type, sizeof ret->content_type, "%s", type);
	while (recorded->at[strcspn(recorded->at, ": \n{")] == ':') {
		CLEANUP(freep) char *header = take_line(&recorded->at);

		http_reply_header(ret, header, strlen(header));
		if (request->ret_headers)
			buf_printf(request->ret_headers, "%s\r\n", header);
	}
	take_body(recorded, ret);
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
}

static enum http_outcome
exchange(struct http *http, const struct http_request *request, struct http_reply *ret, struct error *err)
{
	struct recorded *recorded = (struct recorded *)http;
	const char *host = strstr(request->url, "://"), *path = host ? strchr(host + 3, '/') : NULL;
	char asked[2048];

	log_request(recorded, request, path ? path : "");
	snprintf(asked, sizeof asked, "> %s %s", request->method, path ? path : "");
	CLEANUP(freep) char *want = take_line(&recorded->at);
	if (strcmp(want, asked) != 0) {
		error_set(err, "recorded is `%s`, asked was `%s`", want, asked);
		return HTTP_LATE;
	}
	CLEANUP(freep) char *line = take_line(&recorded->at);
	if (*line == '!')
		return fault(line, err);
	take_reply(recorded, line, request, ret);
	return HTTP_ANSWERED;
}

static void
wait_for(struct http *http, long milliseconds)
{
	struct recorded *recorded = (struct recorded *)http;

	(void)milliseconds; /* there is chance in it */
	if (recorded->log.len < 5 || strcmp(buf_text(&recorded->log) + recorded->log.len - 5, "wait\n") != 0)
		buf_puts(&recorded->log, "wait\n");
}

static void
free_nothing(struct http *http)
{
	(void)http;
}

void
recorded_init(struct recorded *recorded, const char *text)
{
	*recorded = (struct recorded){ .http = { .exchange = exchange, .wait = wait_for, .free = free_nothing }, .text = text, .at = text };
}

void
recorded_release(struct recorded *recorded)
{
	buf_release(&recorded->log);
}

bool
recorded_is_done(const struct recorded *recorded)
{
	return !*recorded->at;
}
