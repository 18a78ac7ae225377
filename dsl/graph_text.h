/* Text in pictures: how wide it is, where it is cut, and how it becomes safe in XML and HTML. What people typed may hold anything:
 * control characters, characters that turn the direction of what follows, and invalid bytes all become U+FFFD. */
#ifndef DSL_GRAPH_TEXT_H
#define DSL_GRAPH_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum text_face { TEXT_PLAIN, TEXT_BOLD, TEXT_MONO };

/* Pixels that the text takes in a font of that size; rather too many than too few, as nobody knows the font. */
double graph_text_width(const char *text, size_t len, double size, enum text_face face);
/* How many bytes of the text fit into the room with a "…" behind them; len if all fit. Marks and joined characters stay together. */
size_t graph_text_fit(const char *text, size_t len, double room, double size, enum text_face face);

/* Appends the text for XML and HTML, as content or in a quoted attribute. Tabs and newlines become blanks. */
void graph_text_escape(struct buf *buf, const char *text, size_t len);
/* Appends the text for plain text: cleaned, and between U+2068 and U+2069 when it runs from right to left somewhere. */
void graph_text_isolate(struct buf *buf, const char *text);
/* Appends the cleaned text. */
void graph_text_clean(struct buf *buf, const char *text, size_t len);

/* "4.2s", "42s", "3m 12s", "1h 4m", "2d 3h". */
void graph_text_duration(struct buf *buf, double seconds);

#endif
