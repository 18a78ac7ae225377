#include "config.h"

#include "base/json_scan.h"

#include <string.h>

#include "base/json_number.h"
#include "base/utf8.h"

enum state {
	VALUE, FIRST_ITEM, FIRST_KEY, KEY, COLON, AFTER, DONE,
	STRING, ESCAPE, HEX, LOW_BACKSLASH, LOW_U, /* the latter two: where the second half of a pair should be */
	NUMBER, LITERAL,
};

/* One piece being read. */
struct reading {
	struct json_scan *scan;
	const char *begin, *p, *end;
	const char *from; /* of the String's or the number's bytes that were not kept yet */
	const char *raw; /* of what is told as written; NULL: nothing is */
	struct error *err;
};

void
json_scan_release(struct json_scan *scan)
{
	buf_release(&scan->text);
}

void
json_scan_clear(struct json_scan *scan)
{
	struct json_scan fresh = { .told = scan->told, .context = scan->context, .many = scan->many, .text = scan->text };

	*scan = fresh;
	buf_clear(&scan->text);
}

static int
wrong(struct reading *r, const char *what)
{
	return error_set(r->err, "not JSON: %s at byte %zu", what, r->scan->at + (size_t)(r->p - r->begin) + 1);
}

static int
tell(struct reading *r, enum json_event event, const char *text, size_t len)
{
	return r->scan->told(r->scan->context, r->scan, event, text, len, r->err);
}

static bool
quiet(const struct json_scan *scan)
{
	return scan->way == JSON_SKIP || scan->way == JSON_AS_WRITTEN;
}

/* ---- values ---- */

/* The bytes before `to` belong to what is told as written. */
static int
tell_raw(struct reading *r, const char *to)
{
	struct json_scan *scan = r->scan;
	const char *from = r->raw;
	size_t depth = scan->depth;
	int result;

	r->raw = to;
	if (!from || to == from)
		return 0;
	scan->depth = scan->way_depth;
	result = tell(r, JSON_RAW, from, (size_t)(to - from));
	scan->depth = depth;
	return result;
}

static void
begin_value(struct reading *r)
{
	struct json_scan *scan = r->scan;

	if (!quiet(scan)) {
		scan->way = scan->next;
		scan->way_depth = scan->depth;
		if (scan->way == JSON_AS_WRITTEN)
			r->raw = r->p;
	}
	scan->next = JSON_TELL;
}

/* r->p is behind the value. */
static int
end_value(struct reading *r)
{
	struct json_scan *scan = r->scan;
	bool raw = scan->way == JSON_AS_WRITTEN;

	scan->state = scan->depth ? AFTER : DONE;
	if (quiet(scan) && scan->depth > scan->way_depth)
		return 0;
	scan->way = JSON_TELL;
	if (!raw)
		return 0;
	if (tell_raw(r, r->p))
		return -1;
	r->raw = NULL;
	return tell(r, JSON_RAW_END, "", 0);
}

static int
open_container(struct reading *r, bool is_object)
{
	struct json_scan *scan = r->scan;

	begin_value(r);
	if (scan->depth == JSON_SCAN_DEPTH_MAX)
		return wrong(r, "nesting is too deep");
	if (!quiet(scan)) {
		scan->way = JSON_TELL;
		if (tell(r, is_object ? JSON_OBJECT : JSON_ARRAY, "", 0))
			return -1;
	}
	scan->is_object[scan->depth++] = is_object;
	scan->state = is_object ? FIRST_KEY : FIRST_ITEM;
	r->p++;
	return 0;
}

static int
close_container(struct reading *r, bool is_object)
{
	struct json_scan *scan = r->scan;

	if (!scan->depth || scan->is_object[scan->depth - 1] != is_object)
		return wrong(r, is_object ? "unexpected `}`" : "unexpected `]`");
	scan->depth--;
	scan->next = JSON_TELL;
	r->p++;
	if (!quiet(scan) && tell(r, is_object ? JSON_OBJECT_END : JSON_ARRAY_END, "", 0))
		return -1;
	return end_value(r);
}

static void
begin_string(struct reading *r, bool is_key)
{
	struct json_scan *scan = r->scan;

	if (!is_key)
		begin_value(r);
	scan->is_key = is_key;
	scan->kept = false;
	scan->first = 0;
	scan->state = STRING;
	buf_clear(&scan->text);
	r->from = ++r->p;
}

static int
begin_word(struct reading *r)
{
	struct json_scan *scan = r->scan;
	char c = *r->p;

	begin_value(r);
	buf_clear(&scan->text);
	scan->kept = false;
	r->from = r->p;
	if (c == '-' || (c >= '0' && c <= '9')) {
		scan->state = NUMBER;
		scan->number = json_number_begin(c);
	} else {
		scan->literal = c == 't' ? "true" : c == 'f' ? "false" : c == 'n' ? "null" : NULL;
		if (!scan->literal)
			return wrong(r, "no value");
		buf_puts(&scan->text, scan->literal++);
		scan->state = LITERAL;
	}
	r->p++;
	return 0;
}

static int
read_value(struct reading *r)
{
	switch (*r->p) {
	case '{':
		return open_container(r, true);
	case '[':
		return open_container(r, false);
	case '"':
		begin_string(r, false);
		return 0;
	default:
		return begin_word(r);
	}
}

/* ---- strings ---- */

/* Is the text of the String wanted in any form? */
static bool
wanted(const struct json_scan *scan)
{
	return scan->is_key ? !quiet(scan) : scan->way == JSON_TELL || scan->way == JSON_IN_PIECES;
}

/* The plain bytes before `to`, with more of the String to come. */
static int
keep(struct reading *r, const char *to, const char *more, size_t n)
{
	struct json_scan *scan = r->scan;
	const char *from = r->from;

	r->from = to;
	if (!wanted(scan))
		return 0;
	if (!scan->is_key && scan->way == JSON_IN_PIECES) {
		if (to > from && tell(r, JSON_PIECE, from, (size_t)(to - from)))
			return -1;
		return n ? tell(r, JSON_PIECE, more, n) : 0;
	}
	scan->kept = true;
	scan->text.max = JSON_SCAN_TEXT_MAX;
	buf_add(&scan->text, from, (size_t)(to - from));
	buf_add(&scan->text, more, n);
	return scan->text.overflow ? wrong(r, "a text is too long") : 0;
}

static int
keep_code_point(struct reading *r, uint32_t cp)
{
	char bytes[4];

	return keep(r, r->from, bytes, utf8_encode(cp && (cp < 0xD800 || cp > 0xDFFF) ? cp : UTF8_REPLACEMENT, bytes));
}

/* A high surrogate that nothing follows. */
static int
drop_first(struct reading *r)
{
	r->scan->first = 0;
	return keep_code_point(r, UTF8_REPLACEMENT);
}

static int
end_string(struct reading *r)
{
	struct json_scan *scan = r->scan;
	enum json_event event = scan->is_key ? JSON_KEY : JSON_STRING;
	const char *text = r->from;
	size_t len = (size_t)(r->p - r->from);

	if (wanted(scan)) {
		if (scan->kept || (!scan->is_key && scan->way == JSON_IN_PIECES)) {
			if (keep(r, r->p, "", 0))
				return -1;
			text = buf_text(&scan->text);
			len = scan->text.len;
		}
		if (tell(r, event, text, len))
			return -1;
	}
	r->p++;
	if (!scan->is_key)
		return end_value(r);
	scan->state = COLON;
	return 0;
}

/* The first byte of a character of several bytes: what may follow it (Unicode, table 3-7). */
static int
begin_character(struct reading *r)
{
	struct json_scan *scan = r->scan;
	unsigned char c = (unsigned char)*r->p;

	scan->rest = c < 0xE0 ? 1 : c < 0xF0 ? 2 : 3;
	scan->low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
	scan->high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
	if (c < 0xC2 || c > 0xF4)
		return wrong(r, "invalid UTF-8");
	r->p++;
	return 0;
}

static int
go_on_character(struct reading *r)
{
	struct json_scan *scan = r->scan;
	unsigned char c = (unsigned char)*r->p;

	if (c < scan->low || c > scan->high)
		return wrong(r, "invalid UTF-8");
	scan->low = 0x80;
	scan->high = 0xBF;
	scan->rest--;
	r->p++;
	return 0;
}

static bool
plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static int
read_string(struct reading *r)
{
	struct json_scan *scan = r->scan;

	while (r->p < r->end) {
		unsigned char c = (unsigned char)*r->p;

		if (!scan->rest && plain(c)) {
			while (++r->p < r->end && plain((unsigned char)*r->p))
				;
		} else if (scan->rest) {
			if (go_on_character(r))
				return -1;
		} else if (c >= 0x80) {
			if (begin_character(r))
				return -1;
		} else if (c == '"') {
			return end_string(r);
		} else if (c == '\\') {
			scan->state = ESCAPE;
			if (keep(r, r->p, "", 0))
				return -1;
			r->p++;
			return 0;
		} else {
			return wrong(r, "a control character in a text");
		}
	}
	return 0;
}

static int
read_escape(struct reading *r)
{
	static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
	struct json_scan *scan = r->scan;
	char c = *r->p;
	const char *name = c ? strchr(names, c) : NULL;

	if (c != 'u' && !name)
		return wrong(r, "an unknown escape");
	r->from = ++r->p;
	scan->state = name ? STRING : HEX;
	scan->digits = 0;
	scan->unit = 0;
	return name ? keep(r, r->from, &bytes[name - names], 1) : 0;
}

/* A whole \u escape has been read. */
static int
end_hex(struct reading *r)
{
	struct json_scan *scan = r->scan;
	uint32_t first = scan->first, unit = scan->unit;
	bool low = unit >= 0xDC00 && unit <= 0xDFFF;

	scan->state = STRING;
	scan->first = 0;
	if (first && low)
		return keep_code_point(r, 0x10000 + ((first - 0xD800) << 10) + (unit - 0xDC00));
	if (first && keep_code_point(r, UTF8_REPLACEMENT))
		return -1;
	if (unit < 0xD800 || unit > 0xDBFF)
		return keep_code_point(r, unit);
	scan->first = unit;
	scan->state = LOW_BACKSLASH;
	return 0;
}

static int
read_hex(struct reading *r)
{
	struct json_scan *scan = r->scan;
	char c = *r->p;
	int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;

	if (digit < 0)
		return wrong(r, "no hexadecimal digit in an escape");
	scan->unit = scan->unit * 16 + (uint32_t)digit;
	r->from = ++r->p;
	return ++scan->digits == 4 ? end_hex(r) : 0;
}

/* Behind a high surrogate. */
static int
read_low_backslash(struct reading *r)
{
	if (*r->p == '\\') {
		r->from = ++r->p;
		r->scan->state = LOW_U;
		return 0;
	}
	r->scan->state = STRING;
	return drop_first(r);
}

static int
read_low_u(struct reading *r)
{
	r->scan->state = ESCAPE;
	return *r->p == 'u' ? 0 : drop_first(r);
}

/* ---- numbers and literals ---- */

static int
end_number(struct reading *r)
{
	struct json_scan *scan = r->scan;

	if (!json_number_whole(scan->number))
		return wrong(r, "half a number");
	if (!quiet(scan)) {
		buf_add(&scan->text, r->from, (size_t)(r->p - r->from));
		if (scan->text.overflow || scan->text.len > JSON_SCAN_NUMBER_MAX)
			return wrong(r, "a number is too long");
		scan->way = JSON_TELL;
		if (tell(r, JSON_NUMBER, buf_text(&scan->text), scan->text.len))
			return -1;
	}
	return end_value(r);
}

static int
read_number(struct reading *r)
{
	while (r->p < r->end) {
		if (!json_number_step(&r->scan->number, *r->p))
			return end_number(r);
		r->p++;
	}
	return 0;
}

static int
read_literal(struct reading *r)
{
	struct json_scan *scan = r->scan;

	if (*r->p != *scan->literal)
		return wrong(r, "no value");
	r->p++;
	if (*++scan->literal)
		return 0;
	if (!quiet(scan)) {
		scan->way = JSON_TELL;
		if (tell(r, JSON_LITERAL, buf_text(&scan->text), scan->text.len))
			return -1;
	}
	return end_value(r);
}

/* ---- between values ---- */

static int
read_key(struct reading *r)
{
	if (*r->p != '"')
		return wrong(r, "no key");
	begin_string(r, true);
	return 0;
}

static int
read_after(struct reading *r)
{
	struct json_scan *scan = r->scan;

	if (*r->p == '}' || *r->p == ']')
		return close_container(r, *r->p == '}');
	if (*r->p != ',')
		return wrong(r, "no comma");
	scan->state = scan->is_object[scan->depth - 1] ? KEY : VALUE;
	r->p++;
	return 0;
}

static int
read_between(struct reading *r)
{
	if (*r->p == ' ' || *r->p == '\n' || *r->p == '\r' || *r->p == '\t') {
		r->p++;
		return 0;
	}
	switch ((enum state)r->scan->state) {
	case FIRST_ITEM:
		return *r->p == ']' ? close_container(r, false) : read_value(r);
	case FIRST_KEY:
		return *r->p == '}' ? close_container(r, true) : read_key(r);
	case KEY:
		return read_key(r);
	case COLON:
		if (*r->p != ':')
			return wrong(r, "no colon");
		r->scan->state = VALUE;
		r->p++;
		return 0;
	case AFTER:
		return read_after(r);
	case DONE:
		return r->scan->many ? read_value(r) : wrong(r, "text behind the end");
	default:
		return read_value(r);
	}
}

static int
read_some(struct reading *r)
{
	switch ((enum state)r->scan->state) {
	case STRING:
		return read_string(r);
	case ESCAPE:
		return read_escape(r);
	case HEX:
		return read_hex(r);
	case LOW_BACKSLASH:
		return read_low_backslash(r);
	case LOW_U:
		return read_low_u(r);
	case NUMBER:
		return read_number(r);
	case LITERAL:
		return read_literal(r);
	default:
		return read_between(r);
	}
}

/* The piece is at its end: what of it is still needed. */
static int
end_piece(struct reading *r)
{
	struct json_scan *scan = r->scan;

	if (scan->way == JSON_AS_WRITTEN && tell_raw(r, r->p))
		return -1;
	if (scan->state == STRING)
		return keep(r, r->p, "", 0);
	if (scan->state == NUMBER && !quiet(scan)) {
		scan->text.max = JSON_SCAN_TEXT_MAX;
		buf_add(&scan->text, r->from, (size_t)(r->p - r->from));
		if (scan->text.len > JSON_SCAN_NUMBER_MAX)
			return wrong(r, "a number is too long");
	}
	return 0;
}

static int
fail(struct json_scan *scan, struct error *err)
{
	scan->failed = true;
	if (err)
		*err = scan->error;
	return -1;
}

int
json_scan_feed(struct json_scan *scan, const char *bytes, size_t n, struct error *err)
{
	struct reading r = { .scan = scan, .begin = bytes, .p = bytes, .end = bytes + n, .from = bytes, .err = &scan->error };

	if (scan->failed)
		return fail(scan, err);
	if (!n)
		return 0;
	r.raw = scan->way == JSON_AS_WRITTEN ? bytes : NULL;
	while (r.p < r.end)
		if (read_some(&r))
			return fail(scan, err);
	if (end_piece(&r))
		return fail(scan, err);
	scan->at += n;
	return 0;
}

int
json_scan_end(struct json_scan *scan, struct error *err)
{
	/* A number at the end of the text ends with it. */
	if (!scan->failed && !scan->depth && scan->state == NUMBER && json_scan_feed(scan, "\n", 1, err))
		return -1;
	if (scan->failed)
		return fail(scan, err);
	if (scan->state == DONE || (scan->many && scan->state == VALUE && !scan->depth))
		return 0;
	error_set(&scan->error, "not JSON: the text ends at byte %zu, before the value does", scan->at);
	return fail(scan, err);
}
