/* Failures in plain words, each with the next thing to try; what is the same whatever the server is. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "runtime/cluster/api.h"

void
api_say(char *ret, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(ret, API_TEXT_MAX, format, args);
	va_end(args);
}

int
api_refuse(struct api_failure *ret, enum api_failure_kind kind, const char *what, ...)
{
	va_list args;

	*ret = (struct api_failure){ .kind = kind };
	va_start(args, what);
	vsnprintf(ret->what, API_TEXT_MAX, what, args);
	va_end(args);
	return -1;
}

const char *
api_plain(struct arena *arena, const char *text, size_t max)
{
	size_t len = strlen(text);
	char *copy;

	if (len > max) {
		for (len = max; len && ((unsigned char)text[len] & 0xc0) == 0x80; len--)
			;
		copy = arena_printf(arena, "%.*s…", (int)len, text);
	} else {
		copy = arena_strdup(arena, text);
	}
	for (char *c = copy; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			*c = ' ';
	return copy;
}

void
api_write_grant(struct buf *buf, const struct api_right *right)
{
	buf_printf(buf, "let whoever runs the cluster grant it: a %s", right->namespace_ ? "Role" : "ClusterRole");
	if (right->namespace_)
		buf_printf(buf, " in the namespace `%s`", right->namespace_);
	buf_printf(buf, " with the rule {apiGroups: [\"%s\"], resources: [\"%s\"], verbs: [\"%s\"]}, bound to you", right->group,
		   right->resource, right->verb);
}

/* ---- no answer ---- */

static void
say_time(char *ret)
{
	time_t now = time(NULL);
	struct tm tm;
	char text[32];

	gmtime_r(&now, &tm);
	strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &tm);
	api_say(ret, "this machine's clock says %s", text);
}

/* How sure an answer is that did not come. */
static bool
is_unsure(enum http_outcome outcome)
{
	return outcome == HTTP_CUT || outcome == HTTP_LATE || outcome == HTTP_STOPPED_BY_USER || outcome == HTTP_TOO_LARGE;
}

void
api_explain_outcome(const struct api *api, enum http_outcome outcome, const struct error *err, struct api_failure *ret)
{
	const char *server = api->server, *why = err->text;
	const struct api_words *words = api->words;

	*ret = (struct api_failure){ .kind = API_UNREACHABLE, .unsure = is_unsure(outcome) };
	switch (outcome) {
	case HTTP_ANSWERED:
		BUG("an answer is no failure");
	case HTTP_STOPPED_BY_USER:
		ret->kind = API_STOPPED;
		api_say(ret->what, "the request to `%s` was interrupted", server);
		return;
	case HTTP_NO_LIBRARY:
		api_say(ret->what, "clusters cannot be reached: %s", why);
		api_say(ret->help, "install libcurl 7.77 or later (on Debian and Ubuntu the package `libcurl4`)");
		return;
	case HTTP_NO_NAME:
		api_say(ret->what, "the host of `%s` is not known: %s", server, why);
		api_say(ret->help, "check %s; a private cluster's name may be known only within its network or VPN", words->address);
		return;
	case HTTP_NO_CONNECTION:
		api_say(ret->what, "nothing answers at `%s`: %s", server, why);
		api_say(ret->help, "%s The address is that of %s", words->reach, words->place);
		return;
	case HTTP_NOT_TLS:
		api_say(ret->what, "what answers at `%s` does not speak TLS as %s does: %s", server, words->a_server, why);
		api_say(ret->help, "check the port of %s: it must be %s, not that of a web page", words->address, words->port);
		return;
	case HTTP_CERTIFICATE_EXPIRED:
		api_say(ret->what, "the certificate of `%s` has expired", server);
		api_say(ret->help, "%s", words->expired);
		say_time(ret->note);
		return;
	case HTTP_CERTIFICATE_EARLY:
		api_say(ret->what, "the certificate of `%s` is not valid yet", server);
		api_say(ret->help, "set this machine's clock right, or the cluster's, whichever is wrong");
		say_time(ret->note);
		return;
	case HTTP_UNKNOWN_AUTHORITY:
		api_say(ret->what, "the certificate of `%s` is from an authority that %s does not name", server, words->place);
		api_say(ret->help, "%s", words->authority);
		return;
	case HTTP_OTHER_NAME:
		api_say(ret->what, "the certificate of `%s` is for another host: %s", server, why);
		api_say(ret->help, "%s", words->other_name);
		return;
	case HTTP_BAD_CERTIFICATE:
		api_say(ret->what, "the certificate of `%s` cannot be trusted: %s", server, why);
		api_say(ret->help, "see what the server sends: `openssl s_client -showcerts -connect HOST:PORT`");
		return;
	case HTTP_BAD_CLIENT:
		ret->kind = API_UNKNOWN_USER;
		api_say(ret->what, "a certificate or key of %s cannot be used: %s", words->place, why);
		api_say(ret->help, "%s", words->bad_client);
		return;
	case HTTP_CUT:
		api_say(ret->what, "the connection to `%s` ended before the answer did: %s", server, why);
		api_say(ret->help, "try again; if it stays so, a proxy, a load balancer or %s itself ends connections", words->server);
		return;
	case HTTP_LATE:
		api_say(ret->what, "`%s` did not answer in time: %s", server, why);
		api_say(ret->help, "try again; if it stays so, %s is overloaded, or something on the way swallows the answer", words->server);
		return;
	case HTTP_TOO_LARGE:
		api_say(ret->what, "the answer of `%s` is too large: %s", server, why);
		api_say(ret->help, "this is no answer of %s to such a question: check %s", words->a_server, words->address);
		ret->kind = API_WRONG_SERVER;
		return;
	}
	BUG("outcome %d", (int)outcome);
}

/* ---- an answer that is none ---- */

void
api_note_skew(const struct http_reply *reply, char *ret)
{
	struct tm tm = { 0 };
	int64_t skew;

	if (!*reply->date || !strptime(reply->date, "%a, %d %b %Y %H:%M:%S", &tm))
		return;
	skew = (int64_t)time(NULL) - (int64_t)timegm(&tm);
	if (skew > API_SKEW || skew < -API_SKEW)
		api_say(ret, "this machine's clock is %lld seconds %s the server's, which alone can make credentials invalid: set it right",
			(long long)llabs((long long)skew), skew > 0 ? "ahead of" : "behind");
}

void
api_explain_wrong(const struct api *api, const struct http_reply *reply, const struct value *answer, struct api_failure *ret)
{
	const struct api_words *words = api->words;
	const char *body = buf_text(&reply->body);
	bool page = !strncasecmp(reply->content_type, "text/html", 9);

	ret->kind = API_WRONG_SERVER;
	api_say(ret->what, "what answers at `%s` is not %s: status %ld with %s", api->server, words->name, reply->status,
		answer ? "JSON of another kind" : page ? "a web page" : *body ? "something that is no JSON" : "nothing");
	if (strstr(body, "HTTP request to an HTTPS server"))
		api_say(ret->help, "write `https://` in %s", words->address);
	else if (page || (reply->status >= 300 && reply->status < 400))
		api_say(ret->help, "a sign-in page or a proxy stands before it, or %s is not %s's address", words->address, words->server);
	else
		api_say(ret->help, "%s must be %s's address, not that of %s", words->address, words->server, words->others);
}
