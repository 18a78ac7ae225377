#include "config.h"

#include "runtime/cluster/cookies.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void
forget(struct cookie *cookie)
{
	explicit_bzero(cookie->value, strlen(cookie->value));
	free(cookie->value);
	free(cookie->name);
}

void
cookies_release(struct cookies *cookies)
{
	for (size_t i = 0; i < cookies->list.n; i++)
		forget(&cookies->list.items[i]);
	vec_release(&cookies->list);
}

static void
drop(struct cookies *cookies, const char *name)
{
	for (size_t i = 0; i < cookies->list.n; i++) {
		if (strcmp(cookies->list.items[i].name, name) != 0)
			continue;
		forget(&cookies->list.items[i]);
		memmove(&cookies->list.items[i], &cookies->list.items[i + 1], (cookies->list.n - i - 1) * sizeof *cookies->list.items);
		cookies->list.n--;
		return;
	}
}

/* Printable ASCII without `;`: what may go back in a header. */
static bool
is_plain(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~' || text[i] == ';')
			return false;
	return len;
}

/* Does the attribute list hold `name`? *ret is its value. */
static bool
find_attribute(const char *text, size_t len, const char *name, const char **ret)
{
	size_t n = strlen(name);

	for (const char *end = text + len; text < end;) {
		const char *next = memchr(text, ';', (size_t)(end - text));

		while (text < end && *text == ' ')
			text++;
		*ret = text + n;
		if ((size_t)(end - text) >= n && !strncasecmp(text, name, n) && (text + n == end || strchr("=; ", text[n])))
			return true;
		text = next ? next + 1 : end;
	}
	return false;
}

/* What stands behind "Set-Cookie:". */
static void
take(struct cookies *cookies, const char *text, size_t len)
{
	const char *equals, *rest, *value;
	size_t pair;
	struct cookie cookie = { 0 };
	bool gone;

	while (len && *text == ' ')
		text++, len--;
	rest = memchr(text, ';', len);
	pair = rest ? (size_t)(rest - text) : len;
	equals = memchr(text, '=', pair);
	if (!equals || !is_plain(text, (size_t)(equals - text)))
		return;
	cookie.name = xstrndup(text, (size_t)(equals - text));
	gone = rest && find_attribute(rest + 1, len - pair - 1, "max-age", &value) && *value == '=' && strtol(value + 1, NULL, 10) <= 0;
	drop(cookies, cookie.name);
	if (gone || cookies->list.n == COOKIES_MAX || !is_plain(equals + 1, pair - (size_t)(equals + 1 - text))) {
		free(cookie.name);
		return;
	}
	cookie.value = xstrndup(equals + 1, pair - (size_t)(equals + 1 - text));
	cookie.secure = rest && find_attribute(rest + 1, len - pair - 1, "secure", &value);
	vec_push(&cookies->list, cookie);
}

void
cookies_take(struct cookies *cookies, const char *headers)
{
	static const char name[] = "set-cookie:";

	while (*headers) {
		size_t len = strcspn(headers, "\r\n");

		if (len > sizeof name - 1 && !strncasecmp(headers, name, sizeof name - 1))
			take(cookies, headers + sizeof name - 1, len - (sizeof name - 1));
		headers += len + strspn(headers + len, "\r\n");
	}
}

void
cookies_write(const struct cookies *cookies, bool secure, struct buf *ret)
{
	size_t before = ret->len;

	for (size_t i = 0; i < cookies->list.n; i++) {
		const struct cookie *cookie = &cookies->list.items[i];

		if ((cookie->secure && !secure) || ret->len + strlen(cookie->value) > COOKIES_BYTES_MAX)
			continue;
		buf_printf(ret, "%s%s=%s", ret->len > before ? "; " : "", cookie->name, cookie->value);
	}
}
