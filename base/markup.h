/* Text of users in XML and HTML. Whoever writes markup puts such text through here, and through nothing else. */
#ifndef BASE_MARKUP_H
#define BASE_MARKUP_H

#include <stddef.h>

#include "base/buf.h"

/* Appends the text as content or for the inside of a quoted attribute: & < > " ' as entities; invalid bytes and what XML
 * forbids (control characters but tab, newline and return; U+FFFE, U+FFFF) as U+FFFD. */
void markup_escape(struct buf *buf, const char *text, size_t len);
/* HTML content that the direction of the text around it does not touch: <bdi>…</bdi>. */
void markup_isolate(struct buf *buf, const char *text, size_t len);

#endif
