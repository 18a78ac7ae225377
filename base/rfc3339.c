#include "config.h"

#include "base/rfc3339.h"

#include <time.h>

/* `n` digits; moves *p behind them. -1: there are fewer. */
static int
digits(const char **p, int n)
{
	int value = 0;

	for (; n; n--, ++*p) {
		if (**p < '0' || **p > '9')
			return -1;
		value = value * 10 + (**p - '0');
	}
	return value;
}

static bool
passed(const char **p, const char *any)
{
	for (; *any; any++)
		if (**p == *any) {
			++*p;
			return true;
		}
	return false;
}

/* Milliseconds of ".123456"; *p is behind the point. */
static int
fraction(const char **p)
{
	int ms = 0, n = 0;

	for (; **p >= '0' && **p <= '9'; ++*p, n++)
		if (n < 3)
			ms = ms * 10 + (**p - '0');
	for (int i = n; i < 3; i++)
		ms *= 10;
	return n ? ms : -1;
}

/* Seconds of "Z" or "+02:00", which ends the text. */
static int
offset(const char *p, int *ret)
{
	int sign = *p == '-' ? -1 : 1, hours, minutes;

	*ret = 0;
	if (passed(&p, "Zz"))
		return *p ? -1 : 0;
	if (!passed(&p, "+-") || (hours = digits(&p, 2)) < 0 || !passed(&p, ":") || (minutes = digits(&p, 2)) < 0 || *p)
		return -1;
	*ret = sign * (hours * 60 + minutes) * 60;
	return 0;
}

int64_t
rfc3339_read(const char *text)
{
	struct tm tm = { 0 };
	int ms = 0, away, year = digits(&text, 4);

	if (year < 0 || !passed(&text, "-") || (tm.tm_mon = digits(&text, 2)) < 0 || !passed(&text, "-") ||
	    (tm.tm_mday = digits(&text, 2)) < 0 || !passed(&text, "Tt ") || (tm.tm_hour = digits(&text, 2)) < 0 ||
	    !passed(&text, ":") || (tm.tm_min = digits(&text, 2)) < 0 || !passed(&text, ":") || (tm.tm_sec = digits(&text, 2)) < 0)
		return -1;
	if (passed(&text, ".") && (ms = fraction(&text)) < 0)
		return -1;
	if (offset(text, &away) || year < 1970)
		return -1;
	tm.tm_year = year - 1900;
	tm.tm_mon--;
	return ((int64_t)timegm(&tm) - away) * 1000 + ms;
}

void
rfc3339_write(struct buf *buf, int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;
	char text[sizeof "2026-11-26T12:00:00"];

	if (!gmtime_r(&seconds, &tm) || !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm))
		return;
	buf_puts(buf, text);
	if (ms % 1000)
		buf_printf(buf, ".%03d", (int)(ms % 1000));
	buf_putc(buf, 'Z');
}
