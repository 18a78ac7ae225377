/* Text of users in HTML: escaped, and isolated from the direction of the text around it. */
#ifndef KERNEL_HTML_H
#define KERNEL_HTML_H

#include "base/buf.h"

/* As <bdi>…</bdi>; control characters and invalid bytes become U+FFFD. */
void html_text(struct buf *buf, const char *text);
/* For the inside of a double-quoted attribute. */
void html_attribute(struct buf *buf, const char *text, size_t len);

#endif
