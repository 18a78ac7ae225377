/* Texts of cases made into what a test needs. */
#ifndef TESTS_TEXT_H
#define TESTS_TEXT_H

#include "base/buf.h"

/* Puts `to` for each `from` in the buffer. */
void text_replace(struct buf *buf, const char *from, const char *to);
/* Appends the text with \r, \n, \t, \0 and \xHH as those bytes; a line's own newline is one too, unless `\` stands before it. */
void text_unescape(struct buf *buf, const char *text);

#endif
