/* JSON text as it comes in, in pieces of any size: each thing in it is told as soon as it is whole, and nothing is kept.
 *
 * All of the text is checked, also what nobody wants: its grammar, UTF-8, escapes, and that it is not too deep. Text is told with
 * its escapes undone; a NUL and half a surrogate pair become U+FFFD, as Go reads them. Told text is valid only during the call,
 * and no C string. After an error the scan stays where it is and says the same again. Zero-initialised but for `told` it is ready;
 * release it once. */
#ifndef BASE_JSON_SCAN_H
#define BASE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

enum {
	JSON_SCAN_DEPTH_MAX = 256,
	JSON_SCAN_TEXT_MAX = 16 * 1024 * 1024, /* bytes of a key or String that is told whole */
	JSON_SCAN_NUMBER_MAX = 400,
};

enum json_event {
	JSON_OBJECT, JSON_OBJECT_END, JSON_ARRAY, JSON_ARRAY_END, /* without text */
	JSON_KEY,
	JSON_STRING,
	JSON_NUMBER, /* as it is written */
	JSON_LITERAL, /* true, false, null */
	JSON_PIECE, /* a part of a String that is wanted in pieces, cut anywhere; JSON_STRING without text ends it */
	JSON_RAW, JSON_RAW_END, /* bytes of a value that is wanted as it is written; then, without text, its end */
};

/* What becomes of the next value. */
enum json_way { JSON_TELL, JSON_SKIP, JSON_AS_WRITTEN, JSON_IN_PIECES };

struct json_scan {
	/* Negative with *err set ends the scan. */
	int (*told)(void *context, struct json_scan *scan, enum json_event event, const char *text, size_t len, struct error *err);
	void *context;
	bool many; /* a value may follow the first (a watch sends one a line); JSON_*_END at depth 0 ends each */
	size_t depth; /* objects and arrays around what is told; of an object's or array's begin and end: around it */
	enum json_way next; /* set by `told` for the value that begins next, in the same object or array; then JSON_TELL again */

	/* ---- its own ---- */
	int state, number;
	enum json_way way; /* of the value that is being read; JSON_SKIP and JSON_AS_WRITTEN: with all that it holds */
	size_t way_depth;
	unsigned char is_object[JSON_SCAN_DEPTH_MAX];
	bool is_key, kept; /* of the String being read: in `text` is what came of it before this piece */
	unsigned char rest, low, high; /* UTF-8: bytes to come, and the range of the next one */
	int digits; /* of a \u escape */
	uint32_t unit, first; /* its value; the high surrogate before it, or 0 */
	const char *literal;
	struct buf text;
	size_t at; /* bytes before this piece */
	bool failed;
	struct error error;
};

void json_scan_release(struct json_scan *scan);
/* To the beginning of another text; told, context and many stay. */
void json_scan_clear(struct json_scan *scan);
/* The next piece. -1 with *err set: no JSON, or `told` said so. */
int json_scan_feed(struct json_scan *scan, const char *bytes, size_t n, struct error *err);
/* No more comes: -1 with *err set when the text is not whole. */
int json_scan_end(struct json_scan *scan, struct error *err);

#endif
