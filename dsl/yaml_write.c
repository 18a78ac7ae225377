#include "config.h"

#include "dsl/target.h"

#include <string.h>
#include <strings.h>

#include "base/utf8.h"

/* Words that YAML 1.1 or 1.2 reads as something other than text, in any case. */
static const char *const reserved[] = { "y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "=", "<<",
					".inf", "-.inf", "+.inf", ".nan", "-", "?", "---", "..." };

enum { RESERVED_LENGTH_MAX = 5 };

/* Their first characters are looked at first: in all of them, the bit of a letter's case means nothing else. */
static bool
is_reserved(const char *text, size_t len)
{
	if (!len || len > RESERVED_LENGTH_MAX || !strchr("yntof~=<.+-?", text[0] | 0x20))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
		if ((text[0] | 0x20) == reserved[i][0] && !strcasecmp(text, reserved[i]))
			return true;
	return false;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Might some reader take it for a number or a time (0x1F, 1_000, 12:30:45, 2001-12-14t21:59:43Z, 0o14, 1e3)? Errs
 * on the side of yes. */
static bool
looks_numeric(const char *text)
{
	const char *p = text;

	if (*p == '+' || *p == '-')
		p++;
	if (*p == '.')
		p++;
	if (!is_digit(*p))
		return false;
	return text[strspn(text, "0123456789abcdefABCDEFxXoO_+-.:tTzZ ")] == '\0';
}

/* May it stand anywhere within plain text? */
static bool
is_safe(char c)
{
	if (c >= 'a' && c <= 'z')
		return true;
	switch (c) {
	case '_':
	case '.':
	case '/':
	case '+':
	case '=':
	case '@':
	case '$':
	case '(':
	case ')':
	case ',':
	case ';':
	case '-':
		return true;
	default:
		return (c >= 'A' && c <= 'Z') || is_digit(c);
	}
}

/* Text that stands for itself without quotes, wherever it may stand in block style. */
static bool
is_plain(const char *text, size_t len)
{
	if (!len || is_reserved(text, len) || looks_numeric(text))
		return false;
	/* Not at the start: what YAML gives a meaning there. */
	if (strchr("+=@,", text[0]) || (text[0] == '-' && !strcspn(text + 1, " ")) || !strncmp(text, "---", 3) ||
	    !strncmp(text, "...", 3))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (is_safe(text[i]))
			continue;
		/* A blank within, a colon that ends no key. */
		if ((text[i] == ' ' || text[i] == ':') && i && i + 1 < len && text[i + 1] != ' ')
			continue;
		return false;
	}
	return true;
}

/* Printable without an escape? */
static bool
is_printable(uint32_t c)
{
	if (c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 || c == 0xFEFF || utf8_is_bidi_control(c))
		return false;
	return c < 0xD800 || (c > 0xDFFF && (c & 0xFFFE) != 0xFFFE);
}

/* Only printable characters, and with `newlines` also line ends? */
static bool
all_printable(const char *text, size_t len, bool newlines)
{
	for (size_t i = 0, n; i < len; i += n) {
		uint32_t c = (unsigned char)text[i];

		n = c < 0x80 ? 1 : utf8_decode(text + i, len - i, &c);
		if (!is_printable(c) && !(newlines && c == '\n'))
			return false;
	}
	return true;
}

static void
write_single_quoted(struct buf *buf, const char *text, size_t len)
{
	const char *quote;

	buf_putc(buf, '\'');
	for (; len && (quote = memchr(text, '\'', len)); len -= (size_t)(quote + 1 - text), text = quote + 1) {
		buf_add(buf, text, (size_t)(quote + 1 - text));
		buf_putc(buf, '\'');
	}
	buf_add(buf, text, len);
	buf_putc(buf, '\'');
}

static void
write_escape(struct buf *buf, uint32_t c)
{
	switch (c) {
	case '"':
	case '\\':
		buf_printf(buf, "\\%c", (char)c);
		break;
	case '\n':
		buf_puts(buf, "\\n");
		break;
	case '\t':
		buf_puts(buf, "\\t");
		break;
	case '\r':
		buf_puts(buf, "\\r");
		break;
	default:
		if (c > 0xFFFF)
			buf_printf(buf, "\\U%08X", (unsigned)c);
		else
			buf_printf(buf, c < 0x100 ? "\\x%02X" : "\\u%04X", (unsigned)c);
	}
}

static void
write_double_quoted(struct buf *buf, const char *text, size_t len)
{
	buf_putc(buf, '"');
	for (size_t i = 0, n; i < len; i += n) {
		uint32_t c;

		n = utf8_decode(text + i, len - i, &c);
		if (!is_printable(c) || c == '"' || c == '\\')
			write_escape(buf, c);
		else
			buf_add(buf, text + i, n);
	}
	buf_putc(buf, '"');
}

/* Several lines that a block keeps as they are. Readers differ on a blank first line and on blank lines at the end
 * with a text that starts or ends oddly, so those are quoted instead. */
static bool
fits_block(const char *text, size_t len)
{
	if (len < 2 || !memchr(text, '\n', len - 1) || text[0] == '\n' || text[0] == ' ')
		return false;
	return all_printable(text, len, true) && !(text[len - 1] == '\n' && text[len - 2] == '\n');
}

static void
write_block(struct buf *buf, const char *text, size_t len, int indent)
{
	const char *end = text + len;

	buf_puts(buf, text[len - 1] == '\n' ? "|" : "|-");
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((newline ? newline : end) - text);

		buf_putc(buf, '\n');
		if (n) {
			buf_repeat(buf, ' ', (size_t)indent);
			buf_add(buf, text, n);
		}
		text += n + 1;
	}
}

static void
write_text(struct buf *buf, const char *text, size_t len, int indent, bool is_key)
{
	if (is_plain(text, len))
		buf_add(buf, text, len);
	else if (!is_key && fits_block(text, len))
		write_block(buf, text, len, indent);
	else if (all_printable(text, len, false))
		write_single_quoted(buf, text, len);
	else
		write_double_quoted(buf, text, len);
}

/* A Float so that YAML 1.1 reads it as one too: a dot, and a sign before the exponent. */
static void
write_float(struct buf *buf, const struct value *value)
{
	CLEANUP(buf_release) struct buf json = { 0 };
	const char *text, *e;

	value_write_json(&json, value);
	text = buf_text(&json);
	e = strchr(text, 'e');
	if (!e) {
		buf_puts(buf, text);
		return;
	}
	buf_add(buf, text, (size_t)(e - text));
	if (!memchr(text, '.', (size_t)(e - text)))
		buf_puts(buf, ".0");
	buf_puts(buf, e[1] == '-' || e[1] == '+' ? "e" : "e+");
	buf_puts(buf, e + 1);
}

static void
write_scalar(struct buf *buf, const struct value *value, int indent)
{
	if (value->kind == VALUE_STRING)
		write_text(buf, value->string.text, value->string.len, indent, false);
	else if (value->kind == VALUE_FLOAT)
		write_float(buf, value);
	else
		value_write_json(buf, value); /* null, true, 42, [] and {} are the same there */
}

static bool
is_collection(const struct value *value)
{
	return (value->kind == VALUE_LIST && value->list.n) || (value->kind == VALUE_DICT && value->dict.n);
}

static void write_collection(struct buf *buf, const struct value *value, int indent, bool started);

static void
write_dict(struct buf *buf, const struct value *value, int indent, bool started)
{
	for (size_t i = 0; i < value->dict.n; i++) {
		const struct value *item = value->dict.items[i];

		if (i || !started)
			buf_repeat(buf, ' ', (size_t)indent);
		write_text(buf, value->dict.keys[i], strlen(value->dict.keys[i]), 0, true);
		if (!is_collection(item)) {
			buf_add(buf, ": ", 2);
			write_scalar(buf, item, indent + 2);
			buf_putc(buf, '\n');
			continue;
		}
		buf_add(buf, ":\n", 2);
		/* A list under a key needs no further indent: its dashes stand under the key. */
		write_collection(buf, item, item->kind == VALUE_LIST ? indent : indent + 2, false);
	}
}

static void
write_list(struct buf *buf, const struct value *value, int indent, bool started)
{
	for (size_t i = 0; i < value->list.n; i++) {
		const struct value *item = value->list.items[i];

		if (i || !started)
			buf_repeat(buf, ' ', (size_t)indent);
		buf_add(buf, "- ", 2);
		if (is_collection(item)) {
			write_collection(buf, item, indent + 2, true);
			continue;
		}
		write_scalar(buf, item, indent + 2);
		buf_putc(buf, '\n');
	}
}

/* `started`: the cursor stands where the first item goes, behind a dash. */
static void
write_collection(struct buf *buf, const struct value *value, int indent, bool started)
{
	if (value->kind == VALUE_LIST)
		write_list(buf, value, indent, started);
	else
		write_dict(buf, value, indent, started);
}

void
yaml_write(struct buf *buf, const struct value *value)
{
	if (is_collection(value)) {
		write_collection(buf, value, 0, true);
		return;
	}
	write_scalar(buf, value, 2);
	buf_putc(buf, '\n');
}
