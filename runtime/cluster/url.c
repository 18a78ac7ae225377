#include "config.h"

#include "runtime/cluster/url.h"

#include <string.h>
#include <strings.h>

/* The authority's place in a URL that has one, else 0. */
static size_t
host_at(const char *url)
{
	if (!strncasecmp(url, "http://", 7))
		return 7;
	return !strncasecmp(url, "https://", 8) ? 8 : 0;
}

static size_t
authority_len(const char *host)
{
	return strcspn(host, "/?#");
}

/* Without the port; an IPv6 address keeps its brackets. */
static size_t
host_len(const char *host)
{
	size_t len = authority_len(host);
	const char *end = *host == '[' ? memchr(host, ']', len) : memchr(host, ':', len);

	if (*host == '[')
		return end ? (size_t)(end - host) + 1 : len;
	return end ? (size_t)(end - host) : len;
}

static bool
is_good(const char *url)
{
	size_t at = host_at(url), len = strlen(url);

	if (!at || len > URL_MAX || !host_len(url + at) || memchr(url + at, '@', authority_len(url + at)))
		return false;
	for (const char *c = url; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 127 || *c == '\\')
			return false;
	return true;
}

const char *
url_resolve(struct arena *arena, const char *base, const char *link)
{
	size_t at = host_at(base), authority = at + authority_len(base + at), path = authority + strcspn(base + authority, "?#");
	int scheme = (int)strcspn(base, ":"), fresh = (int)strcspn(link, "#");
	const char *url;

	while (path > authority && base[path - 1] != '/')
		path--;
	if (host_at(link))
		url = arena_printf(arena, "%.*s", fresh, link);
	else if (strcspn(link, ":") < strcspn(link, "/?#"))
		return NULL;
	else if (!strncmp(link, "//", 2))
		url = arena_printf(arena, "%.*s:%.*s", scheme, base, fresh, link);
	else if (*link == '/')
		url = arena_printf(arena, "%.*s%.*s", (int)authority, base, fresh, link);
	else if (!fresh)
		url = arena_printf(arena, "%.*s", (int)strcspn(base, "#"), base);
	else if (*link == '?')
		url = arena_printf(arena, "%.*s%.*s", (int)(authority + strcspn(base + authority, "?#")), base, fresh, link);
	else
		url = arena_printf(arena, "%.*s%s%.*s", (int)path, base, path == authority ? "/" : "", fresh, link);
	return is_good(url) ? url : NULL;
}

bool
url_is_secure(const char *url)
{
	return host_at(url) == 8;
}

bool
url_same_site(const char *from, const char *to)
{
	size_t a = host_at(from), b = host_at(to), len = host_len(from + a);

	return a && b && len == host_len(to + b) && !strncasecmp(from + a, to + b, len) && (!url_is_secure(from) || url_is_secure(to));
}

const char *
url_host(struct arena *arena, const char *url)
{
	const char *host = url + host_at(url);

	return arena_strndup(arena, host, authority_len(host));
}
