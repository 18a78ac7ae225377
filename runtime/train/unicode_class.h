/* What tokenizers ask of a character: is it a letter, a number, a space. As Unicode 16 has it, which is what the tokenizers
 * that ours is compared with use; utf8proc's tables, and what they are too old for. */
#ifndef RUNTIME_TRAIN_UNICODE_CLASS_H
#define RUNTIME_TRAIN_UNICODE_CLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum unicode_class { UNICODE_OTHER, UNICODE_LETTER, UNICODE_NUMBER, UNICODE_SPACE };

/* Letters are the categories L*, numbers N*, spaces what has the property White_Space. */
enum unicode_class unicode_class_of(uint32_t code_point);
/* The class of the character that the text begins with, its bytes in *ret_len; an invalid byte is UNICODE_OTHER. len > 0. */
enum unicode_class unicode_class_at(const char *text, size_t len, size_t *ret_len);
/* Is it part of a word: a letter, mark, decimal or letter number, connector, or joiner. */
bool unicode_is_word(uint32_t code_point);

#endif
