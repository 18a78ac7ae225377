/* A JSON number, letter by letter (RFC 8259, section 6). */
#ifndef BASE_JSON_NUMBER_H
#define BASE_JSON_NUMBER_H

#include <stdbool.h>

/* Where in a number one is after its first letter, `-` or a digit. */
int json_number_begin(char c);
/* The next letter; false, and nothing happens, when it cannot follow. */
bool json_number_step(int *number, char c);
/* Could it end here? */
bool json_number_whole(int number);

#endif
