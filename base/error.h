/* What the world did wrong, as one whole sentence: "cannot open `x.yaml`: No such file or directory".
 *
 * A function that can fail this way returns a negative number and fills `err`; on success `err` is
 * untouched. Lower case, no full stop. The caller adds context once, with error_prefix. `err` may be NULL. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/macros.h"

enum { ERROR_TEXT_MAX = 2048 }; /* bytes with the final NUL; longer text ends in "…" */

struct error {
	char text[ERROR_TEXT_MAX];
};

/* Sets the text and returns -1, so that `return error_set(err, …)` reads well. */
int error_set(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);
/* The same with ": " and strerror(code) behind it. */
int error_errno(struct error *err, int code, const char *format, ...) PRINTF_LIKE(3, 4);
/* Puts text and ": " before what is there; returns -1. */
int error_prefix(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
