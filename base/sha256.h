/* SHA-256 as lower-case hex. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <stdbool.h>
#include <stddef.h>

enum { SHA256_HEX = 65 }; /* bytes of the text with its NUL */

void sha256_hex(const void *bytes, size_t len, char ret[SHA256_HEX]);
/* The digest that Kubeflow gives a component file: that of the text with CRLF as LF. */
void sha256_hex_of_text(const char *text, size_t len, char ret[SHA256_HEX]);
/* 64 lower-case hex digits? */
bool sha256_is_hex(const char *text);

#endif
