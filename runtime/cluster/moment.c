#include "config.h"

#include "runtime/cluster/moment.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/macros.h"

enum { SECOND = 1000000000, YEAR_MIN = 1970, YEAR_MAX = 2261 }; /* 64 bits of nanoseconds end in 2262 */

struct reader {
	const char *at, *end;
	bool bad;
};

static int
take_digits(struct reader *r, int n)
{
	int value = 0;

	for (int i = 0; i < n; i++) {
		if (r->at == r->end || *r->at < '0' || *r->at > '9') {
			r->bad = true;
			return 0;
		}
		value = value * 10 + (*r->at++ - '0');
	}
	return value;
}

static void
take_one_of(struct reader *r, const char *chars)
{
	if (r->at < r->end && *r->at && strchr(chars, *r->at))
		r->at++;
	else
		r->bad = true;
}

static int64_t
take_fraction(struct reader *r)
{
	int64_t value = 0, unit = SECOND / 10;
	const char *from;

	if (r->at == r->end || *r->at != '.')
		return 0;
	from = ++r->at;
	for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++, unit /= 10)
		value += (*r->at - '0') * unit;
	r->bad |= r->at == from;
	return value;
}

/* Seconds east of Greenwich. */
static int64_t
take_offset(struct reader *r)
{
	int sign, hours;

	if (r->at < r->end && (*r->at == 'Z' || *r->at == 'z')) {
		r->at++;
		return 0;
	}
	take_one_of(r, "+-");
	if (r->bad)
		return 0;
	sign = r->at[-1] == '-' ? -1 : 1;
	hours = take_digits(r, 2);
	take_one_of(r, ":");
	return sign * ((int64_t)hours * 3600 + take_digits(r, 2) * 60);
}

size_t
moment_read(const char *text, size_t len, int64_t *ret_ns)
{
	struct reader r = { .at = text, .end = text + len };
	struct tm tm = { 0 };
	int64_t fraction, offset;
	int year = take_digits(&r, 4);

	take_one_of(&r, "-");
	tm.tm_mon = take_digits(&r, 2) - 1;
	take_one_of(&r, "-");
	tm.tm_mday = take_digits(&r, 2);
	take_one_of(&r, "Tt ");
	tm.tm_hour = take_digits(&r, 2);
	take_one_of(&r, ":");
	tm.tm_min = take_digits(&r, 2);
	take_one_of(&r, ":");
	tm.tm_sec = take_digits(&r, 2);
	fraction = r.bad ? 0 : take_fraction(&r);
	offset = r.bad ? 0 : take_offset(&r);
	if (r.bad || year < YEAR_MIN || year > YEAR_MAX || tm.tm_mon < 0 || tm.tm_mon > 11 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
	    tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
		return 0;
	tm.tm_year = year - 1900;
	*ret_ns = ((int64_t)timegm(&tm) - offset) * SECOND + fraction;
	return (size_t)(r.at - text);
}

static void
write_second(char ret[MOMENT_MAX], int64_t ns, const char *tail)
{
	time_t seconds = (time_t)(ns / SECOND);
	struct tm tm = { 0 };

	gmtime_r(&seconds, &tm);
	snprintf(ret, MOMENT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d%s", (tm.tm_year + 1900) % 10000, (tm.tm_mon + 1) % 100, tm.tm_mday % 100,
		 tm.tm_hour % 100, tm.tm_min % 100, tm.tm_sec % 100, tail);
}

void
moment_write(char ret[MOMENT_MAX], int64_t ns)
{
	char tail[16];

	ns = ns < 0 ? 0 : ns;
	snprintf(tail, sizeof(tail), ".%09dZ", (int)(ns % SECOND));
	write_second(ret, ns, tail);
}

void
moment_write_second(char ret[MOMENT_MAX], int64_t ns)
{
	write_second(ret, ns < 0 ? 0 : ns, "Z");
}
