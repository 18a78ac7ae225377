/* UTF-8: decoding, counting, display width. Strict: overlong forms, surrogates and values past U+10FFFF are
 * invalid. Widths are those of utf8proc: 2 for East Asian wide and emoji, 0 for combining marks. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { UTF8_REPLACEMENT = 0xFFFD };

/* Bytes of the code point at text (1 to 4), which goes to *ret; for an invalid byte 1 and UTF8_REPLACEMENT. len > 0. */
size_t utf8_decode(const char *text, size_t len, uint32_t *ret);
/* Writes at most 4 bytes, returns how many. */
size_t utf8_encode(uint32_t code_point, char *ret);
bool utf8_valid(const char *text, size_t len);
/* How many bytes at the end are the start of an unfinished character (0 to 3), for text that comes in pieces. */
size_t utf8_partial_tail(const char *text, size_t len);
/* Code points; an invalid byte counts as one. */
size_t utf8_count(const char *text, size_t len);
/* Byte offset of the code point with that index, at most len. */
size_t utf8_offset(const char *text, size_t len, size_t code_points);
/* Columns on a terminal; control characters and tabs count 1. */
int utf8_char_width(uint32_t code_point);
size_t utf8_width(const char *text, size_t len);
/* Appends the text with each invalid byte replaced by U+FFFD. */
void utf8_sanitise(struct buf *buf, const char *text, size_t len);
/* Characters that change the direction of the text around them (U+202A to 202E, 2066 to 2069, 200E, 200F, 061C). */
bool utf8_is_bidi_control(uint32_t code_point);

#endif
