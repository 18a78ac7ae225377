/* Writing JSON without a tree, for messages that are made by the thousand. */
#ifndef KERNEL_JSON_TEXT_H
#define KERNEL_JSON_TEXT_H

#include <jansson.h>
#include <stddef.h>

#include "base/buf.h"

/* Appends the text as the inside of a JSON string. The text must be valid UTF-8. */
void json_text_escape(struct buf *buf, const char *text, size_t len);
/* Appends "text" with its quotes; invalid UTF-8 becomes U+FFFD. */
void json_text_string(struct buf *buf, const char *text);
/* The same as a new JSON value; jansson's own json_string gives NULL for invalid UTF-8. NULL counts as "". */
json_t *json_text_new(const char *text);

#endif
