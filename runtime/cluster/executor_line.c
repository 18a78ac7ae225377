#include "config.h"

#include "runtime/cluster/executor_line.h"

#include <string.h>

static size_t
take(const char *text, size_t len, size_t at, const char *word)
{
	size_t n = strlen(word);

	return len - at >= n && !memcmp(text + at, word, n) ? n : 0;
}

/* "2026-01-02T03:04:05", a fraction or an offset, ` UTC`; 0: no time stands there. */
static size_t
take_time(const char *text, size_t len)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:dd";
	size_t at = strlen(shape);

	if (len < at)
		return 0;
	for (size_t i = 0; i < at; i++)
		if (shape[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
			return 0;
	while (at < len && strchr("0123456789.:+-Z", text[at]) && text[at])
		at++;
	return at + take(text, len, at, " UTC");
}

static enum executor_line
what_it_says(const char *text, size_t len)
{
	size_t at = take(text, len, 0, "\""), taken = take_time(text + at, len - at);

	at += taken;
	at += take(text, len, at, "\"");
	if (!taken || !take(text, len, at, " level=") || !memmem(text + at, len - at, " msg=", 5) || !memmem(text + at, len - at, " argo=true", 10))
		return EXECUTOR_SILENT;
	return memmem(text + at, len - at, " msg=\"sub-process exited\"", 25) ? EXECUTOR_EXITED : EXECUTOR_SAYS;
}

enum executor_line
executor_line_find(const char *text, size_t len, size_t *ret_at)
{
	static const char word[] = "time=";
	const char *at = text;

	while ((at = memmem(at, len - (size_t)(at - text), word, strlen(word)))) {
		enum executor_line said = what_it_says(at + strlen(word), len - (size_t)(at - text) - strlen(word));

		*ret_at = (size_t)(at - text);
		if (said != EXECUTOR_SILENT)
			return said;
		at += strlen(word);
	}
	*ret_at = len;
	return EXECUTOR_SILENT;
}
