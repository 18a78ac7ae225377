/* Requests to a session over a mock transport: lines of "TYPE CONTENT". After them the session still answers. */
#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/kernel/echo_language.h"
#include "tests/kernel/mock_transport.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Words of the echo language that wait or fork. */
static bool
is_slow(const char *line, size_t len)
{
	return memmem(line, len, "deaf", 4) || memmem(line, len, "sleep", 5) || memmem(line, len, "child", 5) ||
		memmem(line, len, "lines", 5) || memmem(line, len, "blob", 4) || memmem(line, len, "huge", 4);
}

static void
serve(struct session *session, struct mock_transport *mock, const char *line, size_t len)
{
	const char *space = memchr(line, ' ', len);
	size_t type_len = space ? (size_t)(space - line) : len;
	char *type = xstrndup(line, type_len);
	enum channel channel = type_len % 2 ? CHANNEL_CONTROL : CHANNEL_SHELL;
	const char *content = space ? space + 1 : "";
	struct request *request = mock_request(channel, "m", type, "", content, (size_t)(line + len - content) * (space != NULL));

	free(type);
	if (!request)
		return;
	if (channel == CHANNEL_CONTROL)
		session_control_request(session, request);
	else
		session_shell_request(session, request);
	buf_clear(&mock->log);
}

static void
serve_lines(struct session *session, struct mock_transport *mock, const char *text, size_t size)
{
	while (size > 0) {
		const char *end = memchr(text, '\n', size);
		size_t len = end ? (size_t)(end - text) : size;

		if (!is_slow(text, len))
			serve(session, mock, text, len);
		text += end ? len + 1 : len;
		size -= end ? len + 1 : len;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct language *language = echo_language_new();
	struct history *history = history_new("");
	struct mock_transport mock;
	struct session session;

	mock_transport_init(&mock);
	mock.answer = "answer";
	session_init(&session, language, &mock.transport, history, NULL);
	serve_lines(&session, &mock, (const char *)data, size);
	session_shell_request(&session, mock_request(CHANNEL_SHELL, "last", "kernel_info_request", "", "{}", 2));
	if (!strstr(buf_text(&mock.log), "reply kernel_info_reply on shell of last: {\"status\":\"ok\""))
		abort();
	session_release(&session);
	history_free(history);
	echo_language_free(language);
	mock_transport_release(&mock);
	return 0;
}
