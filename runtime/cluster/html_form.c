#include "config.h"

#include "runtime/cluster/html_form.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/utf8.h"

/* One tag's text between `<` and `>`. */
struct tag {
	const char *text;
	size_t len;
};

/* The next tag at or behind *at; quoted values may hold `>`. */
static bool
next_tag(const char *text, size_t len, size_t *at, struct tag *ret)
{
	size_t i = *at;
	char quote = 0;

	while (i < len && text[i] != '<')
		i++;
	if (i == len)
		return false;
	ret->text = text + ++i;
	for (; i < len && (quote || text[i] != '>'); i++) {
		if (quote ? text[i] == quote : text[i] == '"' || text[i] == '\'')
			quote = quote ? 0 : text[i];
	}
	ret->len = (size_t)(text + i - ret->text);
	*at = i;
	return true;
}

static bool
is_tag(const struct tag *tag, const char *name)
{
	size_t len = strlen(name);

	return tag->len >= len && !strncasecmp(tag->text, name, len) && (tag->len == len || !isalnum((unsigned char)tag->text[len]));
}

/* ---- values of attributes ---- */

/* Takes "amp;" and its like behind an `&`; 0 bytes if it is none that we know. */
static size_t
take_entity(const char *text, size_t len, struct buf *ret)
{
	static const struct {
		const char *name;
		char c;
	} known[] = { { "amp;", '&' }, { "quot;", '"' }, { "apos;", '\'' }, { "lt;", '<' }, { "gt;", '>' } };
	char number[12], utf8[4], *end;
	unsigned long code;
	size_t digits;

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		size_t n = strlen(known[i].name);

		if (len >= n && !memcmp(text, known[i].name, n)) {
			buf_putc(ret, known[i].c);
			return n;
		}
	}
	if (len < 3 || *text != '#')
		return 0;
	digits = len - 1 < sizeof number - 1 ? len - 1 : sizeof number - 1;
	memcpy(number, text + 1, digits);
	number[digits] = '\0';
	code = *number == 'x' || *number == 'X' ? strtoul(number + 1, &end, 16) : strtoul(number, &end, 10);
	if (*end != ';' || !code || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	buf_add(ret, utf8, utf8_encode((uint32_t)code, utf8));
	return (size_t)(end - number) + 2;
}

static const char *
decode(struct arena *arena, const char *text, size_t len)
{
	struct buf buf = { 0 };
	const char *ret;

	for (size_t i = 0; i < len; i++) {
		size_t taken = text[i] == '&' ? take_entity(text + i + 1, len - i - 1, &buf) : 0;

		if (!taken && text[i])
			buf_putc(&buf, text[i]);
		i += taken;
	}
	ret = arena_strdup(arena, buf_text(&buf));
	buf_release(&buf);
	return ret;
}

/* Places of one attribute within its tag. */
struct attribute {
	size_t name, name_len, value, value_len;
};

static bool
next_attribute(const struct tag *tag, size_t *at, struct attribute *ret)
{
	const char *t = tag->text;
	size_t i = *at;

	while (i < tag->len && (isspace((unsigned char)t[i]) || t[i] == '/'))
		i++;
	ret->name = i;
	while (i < tag->len && !isspace((unsigned char)t[i]) && t[i] != '=' && t[i] != '/')
		i++;
	ret->name_len = i - ret->name;
	while (i < tag->len && isspace((unsigned char)t[i]))
		i++;
	ret->value = i;
	ret->value_len = 0;
	if (i < tag->len && t[i] == '=') {
		i++;
		while (i < tag->len && isspace((unsigned char)t[i]))
			i++;
		ret->value = i;
		if (i < tag->len && (t[i] == '"' || t[i] == '\'')) {
			const char *end = memchr(t + i + 1, t[i], tag->len - i - 1);

			ret->value++;
			ret->value_len = (end ? (size_t)(end - t) : tag->len) - ret->value;
			i = ret->value + ret->value_len + (end != NULL);
		} else {
			while (i < tag->len && !isspace((unsigned char)t[i]))
				i++;
			ret->value_len = i - ret->value;
		}
	}
	if (i == *at)
		i++; /* an `=` on its own */
	*at = i;
	return ret->name < tag->len;
}

/* NULL where the tag has none of that name. */
static const char *
attribute(struct arena *arena, const struct tag *tag, const char *name)
{
	struct attribute a;
	size_t at = 0;

	while (at < tag->len && !isspace((unsigned char)tag->text[at]))
		at++;
	while (next_attribute(tag, &at, &a))
		if (a.name_len == strlen(name) && !strncasecmp(tag->text + a.name, name, a.name_len))
			return decode(arena, tag->text + a.value, a.value_len);
	return NULL;
}

static const char *
lower(struct arena *arena, const char *text, const char *otherwise)
{
	char *copy;

	if (!text || !*text)
		return otherwise;
	copy = arena_strdup(arena, text);
	for (char *c = copy; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy;
}

/* ---- forms ---- */

static void
add_field(struct arena *arena, const struct tag *tag, struct html_form *form)
{
	const char *name = attribute(arena, tag, "name"), *value = attribute(arena, tag, "value");

	if (form->n_fields == HTML_FIELDS_MAX)
		return;
	form->fields[form->n_fields++] = (struct html_field){ .type = lower(arena, attribute(arena, tag, "type"), "text"), .name = name ? name : "",
		.value = value ? value : "" };
}

size_t
html_read_forms(struct arena *arena, const char *text, size_t len, struct html_form **ret)
{
	struct html_form *forms = arena_alloc(arena, HTML_FORMS_MAX * sizeof *forms);
	bool within = false;
	struct tag tag;
	size_t n = 0, at = 0;

	while (next_tag(text, len, &at, &tag)) {
		if (is_tag(&tag, "form") && n < HTML_FORMS_MAX) {
			const char *action = attribute(arena, &tag, "action");

			forms[n++] = (struct html_form){ .action = action ? action : "", .method = lower(arena, attribute(arena, &tag, "method"), "get") };
			within = true;
		} else if (is_tag(&tag, "/form")) {
			within = false;
		} else if (within && is_tag(&tag, "input")) {
			add_field(arena, &tag, &forms[n - 1]);
		}
	}
	*ret = forms;
	return n;
}

const char *
html_find_link(struct arena *arena, const char *text, size_t len, const char *part)
{
	struct tag tag;
	size_t at = 0;

	while (next_tag(text, len, &at, &tag)) {
		const char *link = is_tag(&tag, "a") ? attribute(arena, &tag, "href") : NULL;

		if (link && strstr(link, part))
			return link;
	}
	return NULL;
}
