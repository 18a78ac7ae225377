#include "config.h"

#include "dsl/argo.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

static bool
is_word(unsigned char c, bool upper)
{
	return c < 0x80 && (isdigit(c) || islower(c) || (upper && (isupper(c) || c == '_')));
}

/* Runs of other characters become one dash; none stands at an end. */
static const char *
sanitise(struct arena *arena, const char *name, bool upper)
{
	char *clean = arena_alloc(arena, strlen(name) + 1), *to = clean;
	bool gap = false;

	for (; *name; name++) {
		char c = upper ? *name : (char)tolower((unsigned char)*name);

		if (!is_word((unsigned char)c, upper)) {
			gap = true;
			continue;
		}
		if (gap && to > clean)
			*to++ = '-';
		gap = false;
		*to++ = c;
	}
	return clean;
}

const char *
argo_dns_name(struct arena *arena, const char *name)
{
	return sanitise(arena, name, false);
}

const char *
argo_port_name(struct arena *arena, const char *name)
{
	const char *clean = sanitise(arena, name, true);

	return *clean ? clean : "value";
}

void
argo_identity(struct buf *key, const void *thing)
{
	char digits[sizeof(uintptr_t) * 2 + 1];
	size_t n = 0;

	for (uintptr_t rest = (uintptr_t)thing; rest; rest >>= 5)
		digits[n++] = (char)('A' + (rest & 31));
	digits[n++] = ' ';
	buf_add(key, digits, n);
}

const char *
argo_unique(struct arena *arena, struct map *taken, const char *name)
{
	const char *unique = name;

	for (unsigned n = 2; map_has(taken, unique); n++)
		unique = arena_printf(arena, "%s-%u", name, n);
	map_set(taken, unique, taken);
	return unique;
}
