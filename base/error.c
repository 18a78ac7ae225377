#include "config.h"

#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Cuts at a character's start, so that the text stays UTF-8. */
static void
mark_truncated(char *text)
{
	static const char ellipsis[] = "…";
	size_t at = ERROR_TEXT_MAX - sizeof ellipsis;

	while (at > 0 && ((unsigned char)text[at] & 0xC0) == 0x80)
		at--;
	memcpy(text + at, ellipsis, sizeof ellipsis);
}

static PRINTF_LIKE(2, 0) void
format_text(struct error *err, const char *format, va_list args)
{
	int n = vsnprintf(err->text, sizeof err->text, format, args);

	if (n >= (int)sizeof err->text)
		mark_truncated(err->text);
}

static void
append_text(struct error *err, const char *text)
{
	size_t len = strlen(err->text);
	int n = snprintf(err->text + len, sizeof err->text - len, "%s", text);

	if (n >= (int)(sizeof err->text - len))
		mark_truncated(err->text);
}

int
error_set(struct error *err, const char *format, ...)
{
	va_list args;

	if (!err)
		return -1;
	va_start(args, format);
	format_text(err, format, args);
	va_end(args);
	return -1;
}

int
error_errno(struct error *err, int code, const char *format, ...)
{
	va_list args;

	if (!err)
		return -1;
	va_start(args, format);
	format_text(err, format, args);
	va_end(args);
	append_text(err, ": ");
	append_text(err, strerror(code));
	return -1;
}

int
error_prefix(struct error *err, const char *format, ...)
{
	struct error old;
	va_list args;

	if (!err)
		return -1;
	old = *err;
	va_start(args, format);
	format_text(err, format, args);
	va_end(args);
	append_text(err, ": ");
	append_text(err, old.text);
	return -1;
}
